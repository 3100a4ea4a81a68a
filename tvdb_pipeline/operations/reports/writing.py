"""All reports written: Markdown, plots, and the page.

Belongs here: the order, the files, and where a checkout is. Does not: composing any of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tvdb_pipeline.errors import TvdbError
from tvdb_pipeline.operations.reports import completion
from tvdb_pipeline.operations.reports.composing import Report, compose
from tvdb_pipeline.operations.reports.judging import counted, judge
from tvdb_pipeline.operations.reports.page import Leaf, page
from tvdb_pipeline.operations.reports.pictures import FOLDER, draw_all
from tvdb_pipeline.operations.reports.records import COMMANDS, Records, load_records
from tvdb_pipeline.settings import project_root

REPORTS: Sequence[Report] = (*completion.OTHERS, completion.REPORT)
"""In the order of the page."""


def reports_folder(root: Path | None = None) -> Path:
    """The folder `reports` of the checkout. Raises TvdbError (`no_checkout`) where records are not kept."""
    folder = (root or project_root()) / "reports"
    if not (folder / "data").is_dir():
        raise TvdbError(
            "no_checkout", "tvdb report works in a checkout, where reports/data holds what was measured; here is none."
        )
    return folder


def write_reports(folder: Path) -> dict[str, Any]:
    """Write everything into `folder`; what `tvdb report --json` prints: reports with verdicts, page, what is not measured."""
    records = load_records(folder / "data")
    pictures = draw_all(records, folder)
    leaves: list[Leaf] = []
    for report in REPORTS:
        text = compose(report, records, pictures, folder / "prose")
        (folder / f"{report.name}.md").write_text(text)
        leaves.append(Leaf(report.name, report.title, text, counted(judge(report.all_targets(), records))))
    plots = {path.name: path.read_text() for path in sorted((folder / FOLDER).glob("*.svg"))}
    (folder / "index.html").write_text(page(leaves, plots))
    return {
        "reports": [
            {"name": leaf.name, "path": str(folder / f"{leaf.name}.md"), "verdicts": leaf.verdicts} for leaf in leaves
        ],
        "page": str(folder / "index.html"),
        "not_measured": _missing(records),
    }


def _missing(records: Records) -> list[dict[str, str]]:
    return [{"record": name, "command": COMMANDS[name]} for name, envelope in records.items() if envelope is None]
