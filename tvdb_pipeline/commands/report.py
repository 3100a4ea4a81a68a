"""`tvdb report`: reports, plots and a page from what was measured.

Belongs here: its arguments and how its answer looks. Does not: composing (`operations.reports`).
"""

from __future__ import annotations

from typing import Annotated

import typer


def report(
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Ask what tvdb doctor asks first, and keep its findings.")
    ] = False,
) -> None:
    """Write the five reports and reports/index.html from what was measured; what was not measured, they say."""
    from tvdb_pipeline.operations.reports.writing import reports_folder, write_reports

    folder = reports_folder()
    if check:
        from tvdb_pipeline.operations.reports.checking import check as keep_findings
        from tvdb_pipeline.settings import load_settings

        keep_findings(load_settings(), folder)
    written = write_reports(folder)
    if json:
        from json import dumps

        print(dumps(written, ensure_ascii=False))
        return
    for each in written["reports"]:
        counts = ", ".join(f"{count} {verdict}" for verdict, count in each["verdicts"].items())
        print(f"{each['path']}: {counts}")
    print(written["page"])
    if written["not_measured"]:
        commands = dict.fromkeys(row["command"] for row in written["not_measured"])
        print(f"Not measured yet: {'; '.join(commands)}")
