"""`tvdb archive`.

Belongs here: its argument and answer. Does not: what it does (`operations.archiving`).
"""

from __future__ import annotations

import json as json_
from dataclasses import asdict
from typing import Annotated

import typer

from tvdb_pipeline.settings import load_settings


def archive(
    days: Annotated[
        float, typer.Option(min=0, help="Documents that have been ready, as they are, for so long.")
    ] = 90.0,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Let Dagster forget finished documents of long ago; they stay searchable, and are partitions again when they change."""
    from tvdb_pipeline.operations.archiving import archive as forget

    done = forget(load_settings(), days)
    if json:
        print(json_.dumps(asdict(done)))
        return
    print(f"Dagster forgot {done.documents} documents and {done.runs} runs; {done.partitions} partitions are left.")
    if done.busy:
        print(f"{done.busy} documents more are old enough, but runs are under way over them: run it again later.")
