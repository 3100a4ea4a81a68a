"""Charts and diagrams of Office files: the figures and words kept beside the drawing.

Belongs here: the XML of a chart or diagram to a title, rows or lines. Does not: where the drawing stands in its
document.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tvdb_pipeline.parsing.ooxml import A

C = "http://schemas.openxmlformats.org/drawingml/2006/chart"
DGM = "http://schemas.openxmlformats.org/drawingml/2006/diagram"
_NS = {"c": C, "a": A, "dgm": DGM}
_MOST_POINTS = 5000


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart as a table: the first row names the series, the first column the categories."""

    title: str
    rows: list[list[str]]


def read_chart(root: Any) -> Chart:
    """The stored values of a chart part; no rows where it has none."""
    title = "".join(root.xpath("./c:chart/c:title//a:t/text()", namespaces=_NS)).strip()
    series = root.xpath(".//c:ser", namespaces=_NS)
    labels: dict[int, str] = {}
    columns: list[tuple[str, dict[int, str]]] = []
    for number, one in enumerate(series, start=1):
        labels = {**_points(one, "c:cat|c:xVal"), **labels}
        name = "".join(one.xpath("./c:tx//c:v/text()", namespaces=_NS)).strip()
        columns.append((name or f"Series {number}", _points(one, "c:val|c:yVal")))
    indexes = sorted({index for _, values in columns for index in values} | set(labels))[:_MOST_POINTS]
    if not indexes:
        return Chart(title, [])
    rows = [["Category", *(name for name, _ in columns)]]
    for index in indexes:
        rows.append([labels.get(index, str(index + 1)), *(values.get(index, "") for _, values in columns)])
    return Chart(title, rows)


def read_diagram(root: Any) -> list[str]:
    """The texts of a diagram's data part, in their stored order."""
    lines: list[str] = []
    for point in root.iter(f"{{{DGM}}}pt"):
        line = "".join(point.xpath("./dgm:t//a:t/text()", namespaces=_NS)).strip()
        if line:
            lines.append(line)
    return lines


def _points(series: Any, where: str) -> dict[int, str]:
    points: dict[int, str] = {}
    for path in where.split("|"):
        for point in series.xpath(f"./{path}//c:pt", namespaces=_NS):
            values = point.xpath("./c:v/text()", namespaces=_NS)
            index = point.get("idx") or ""
            # Categories of several levels put one point a level at the same index, the innermost first.
            if values and index.isdigit() and int(index) < 1_000_000:
                outer = points.get(int(index))
                points[int(index)] = _number(values[0]) if outer is None else f"{values[0]} {outer}"
    return points


def _number(value: str) -> str:
    try:
        number = float(value)
    except ValueError:
        return value.strip()
    return format(number, ".12g") if abs(number) < 1e15 else value
