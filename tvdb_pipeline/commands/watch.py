"""`tvdb watch` and `tvdb alerts`.

Belongs here: their arguments, signals, and how alerts look in a terminal. Does not: watching (`operations.alerts`).
"""

from __future__ import annotations

import json as json_
import signal
import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tvdb_pipeline.errors import TvdbError
from tvdb_pipeline.settings import load_settings

if TYPE_CHECKING:
    from tvdb_pipeline.operations.alerts.machine import Part

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
_COLOURS = {"critical": "red", "warning": "yellow"}


def watch(
    interval: Annotated[
        float | None, typer.Option(min=0.1, help="Seconds between two rounds; TVDB_ALERT_INTERVAL_SECONDS without.")
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="Make one round, print what fires as tvdb alerts does.")] = False,
    expect: Annotated[
        str, typer.Option(metavar="PARTS", help="Of webserver,code-server,daemon: what is to run on this machine.")
    ] = "",
    json: Json = False,
) -> None:
    """Watch from outside Dagster, and tell what is wrong: also that the daemon, a server or the database is gone."""
    from tvdb_pipeline.operations.alerts import watching
    from tvdb_pipeline.operations.alerts.rounds import Watcher

    settings, parts = load_settings(), _parts(expect)
    if once:
        if Watcher(settings, parts, note=watching.to_stderr).round().outage:
            raise TvdbError(
                "database_unreachable", "PostgreSQL does not answer; whoever is to be told of alerts was told."
            )
        alerts(json=json)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _, __: stop.set())
    watching.watch(settings, stop, parts, interval or settings.alert_interval_seconds)


def alerts(
    json: Json = False,
    everything: Annotated[bool, typer.Option("--all", help="Also what is over, newest first.")] = False,
) -> None:
    """Show what is wrong now. Exit code 3 if anything is."""
    from tvdb_pipeline.database.pools import open_database
    from tvdb_pipeline.operations.alerts import listing

    database = open_database(load_settings())
    try:
        found = listing.alerts(database, everything=everything)
    finally:
        database.close()
    if json:
        print(json_.dumps({"alerts": found}, ensure_ascii=False))
    else:
        _show(found)
    raise typer.Exit(3 if any(alert["firing"] for alert in found) else 0)


def _parts(expect: str) -> list[Part]:
    from tvdb_pipeline.operations.alerts.machine import PARTS

    wanted = {part.strip() for part in expect.split(",")} - {""}
    if wanted - set(PARTS):
        raise typer.BadParameter(f"must be of {', '.join(PARTS)}", param_hint="--expect")
    return [part for part in PARTS if part in wanted]


def _show(found: Sequence[Mapping[str, Any]]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("severity", "alert", "since", "over", "told", "what"):
        table.add_column(heading, overflow="fold")
    for alert in found:
        colour = _COLOURS.get(alert["severity"], "white") if alert["firing"] else "white"
        table.add_row(
            f"[{colour}]{alert['severity']}[/]",
            alert["name"],
            *(_minute(alert[time]) for time in ("since", "resolved_at", "sent_at")),
            escape(alert["summary"]),
        )
    console = Console(highlight=False, width=None if Console().is_terminal else 160)
    if found:
        console.print(table)
    else:
        console.print("Nothing is wrong, as far as anybody watches.")


def _minute(time: str | None) -> str:
    return time[:16].replace("T", " ") if time else ""
