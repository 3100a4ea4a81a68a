"""`tvdb migrate`.

Belongs here: its argument and answer. Does not: what it does (`operations.preparing`).
"""

from __future__ import annotations

import json as json_
from dataclasses import asdict
from typing import Annotated

import typer

from tvdb_pipeline.settings import load_settings

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


def migrate(json: Json = False) -> None:
    """Bring the database to this version: migrations, Dagster's tables, roles and their rights. As the migration role."""
    from tvdb_pipeline.operations.preparing import prepare

    done = prepare(load_settings())
    if json:
        print(json_.dumps(asdict(done)))
        return
    applied = ", ".join(done.migrations) or "none was missing"
    print(f"Migrations: {applied}.")
    if done.roles:
        print(f"Roles made: {', '.join(done.roles)}.")
    print(
        f"{done.handed_over} objects handed over to tvdb_migration, {done.rights} rights given or taken: the database is as "
        "docs/security/roles.md says."
    )
