"""What is known of the documents: the examples' own truth, and that of the corpus beside the checkout, where there is one.

Belongs here: loading truths. Does not: comparing.
"""

from __future__ import annotations

import csv
import html
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

CHECKOUT: Final = Path(__file__).resolve().parents[2]
EXAMPLES: Final = CHECKOUT / "data" / "examples"
ROUTES: Final = {"text": "text", "scan": "ocr", "blank": "blank"}

RENDERED: Final = (
    ("auto-declarations.pdf", 1), ("homeowner-declarations.pdf", 1), ("summary-of-benefits-harbor-ppo.pdf", 1),
    ("evidence-of-coverage-granite-epo.pdf", 9), ("evidence-of-coverage-granite-epo.pdf", 24),
    ("renewal-notice-english-spanish.pdf", 1), ("explanation-of-benefits-fenwright.pdf", 1),
    ("workers-compensation-rates.pdf", 1),
)  # fmt: skip
"""Pages drawn again as scans: prose, ruled and plain tables, two columns, two languages, a form's boxes."""


LABELS: Final = frozenset({"lob", "record_type"})
"""Names the records themselves go by; they are not printed in the documents."""
_PERIOD = re.compile(r"\d\d/\d\d/\d{4} - \d\d/\d\d/\d{4}")


@dataclass(frozen=True, slots=True)
class PageTruth:
    """A page of an example. kind: `text`, `scan` or `blank`; tables: rows of cells, the first row naming the columns."""

    document: str
    page: int
    kind: str
    text: str
    tables: list[list[list[str]]]


@dataclass(frozen=True, slots=True)
class FileTruth:
    """The whole text of a file of the corpus."""

    file: Path
    text: str


def example_pages() -> list[PageTruth]:
    """Every page of data/examples."""
    return [PageTruth(**json.loads(line)) for line in (EXAMPLES / "truth.jsonl").read_text().splitlines()]


def corpus() -> Path | None:
    """The corpus: TVDB_CORPUS, or shared/corpus beside the checkout; None where there is none."""
    folder = Path(os.environ.get("TVDB_CORPUS") or CHECKOUT.parent / "shared" / "corpus")
    return folder if folder.is_dir() else None


def scans(folder: Path) -> Iterator[FileTruth]:
    """Scans whose text is known."""
    for row in _manifest(folder):
        if row["set"] == "scans" and row["ground_truth"]:
            truth = (folder / "scans" / row["ground_truth"]).read_text()
            yield FileTruth(folder / "scans" / row["file"], _without_markup(truth))


def office(folder: Path) -> Iterator[FileTruth]:
    """Office, web and mail files with their words in Markdown."""
    for row in _manifest(folder):
        if row["set"] == "office" and row["ground_truth"]:
            yield FileTruth(
                folder / "office" / row["file"], _without_markup((folder / "office" / row["ground_truth"]).read_text())
            )


def records(folder: Path) -> Iterator[tuple[Path, list[object]]]:
    """Insurance documents with the values of their records."""
    for row in _manifest(folder):
        if row["set"] == "insurance" and row["ground_truth"]:
            body = json.loads((folder / "insurance" / row["ground_truth"]).read_text())
            yield folder / "insurance" / row["file"], list(_values(body))


def page_counts(folder: Path) -> Iterator[tuple[Path, int]]:
    """Insurance documents with their number of pages."""
    for row in _manifest(folder):
        if row["set"] == "insurance" and row["pages"]:
            yield folder / "insurance" / row["file"], int(row["pages"])


def _manifest(folder: Path) -> list[dict[str, str]]:
    with (folder / "MANIFEST.tsv").open() as file:
        return list(csv.DictReader(file, delimiter="\t"))


def _values(body: Any) -> Iterator[object]:
    if isinstance(body, dict):
        for name, value in body.items():  # pyright: ignore[reportUnknownVariableType]
            if name not in LABELS:
                yield from _values(value)
    elif isinstance(body, list):
        for value in body:  # pyright: ignore[reportUnknownVariableType]
            yield from _values(value)
    elif body is not None and not isinstance(body, bool) and str(body).strip():
        # A period is printed as two dates, in places of their own.
        yield from str(body).split(" - ") if _PERIOD.fullmatch(str(body)) else (body,)


def _without_markup(text: str) -> str:
    """The words of HTML or Markdown: no tags, comments, link targets, table borders or marks of emphasis."""
    text = re.sub(r"<!--.*?-->|<(?:style|script|head)\b.*?</(?:style|script|head)>", " ", text, flags=re.S)
    text = re.sub(r"\]\([^)\s]*\)", "]", text)
    return html.unescape(re.sub(r"<[^>]+>|[*_#|`]|:?-{3,}:?", " ", text))
