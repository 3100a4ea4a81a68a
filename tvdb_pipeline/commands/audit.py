"""`tvdb audit`.

Belongs here: its arguments, and how the record looks in a terminal. Does not: reading and verifying it (`operations.audit`).
"""

from __future__ import annotations

import json as json_
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, cast, get_args

import typer

from tvdb_pipeline.settings import load_settings

if TYPE_CHECKING:
    from tvdb_pipeline.operations.audit import Anchor, Verified

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
_DOCUMENTS_SHOWN = 5


def audit(
    since: Annotated[
        str, typer.Option(metavar="TIME", help="From 2026-11-23 or 2026-11-23T08:00+01:00 on; UTC without an offset.")
    ] = "",
    action: Annotated[str, typer.Option(help="Only this: ingested, searched, deleted, limit_changed, ...")] = "",
    key: Annotated[str, typer.Option(help="Only this document: what was done to it, searches that showed it.")] = "",
    limit: Annotated[int, typer.Option(min=0, help="At most so many, the newest; 0: all.")] = 50,
    verify: Annotated[
        bool, typer.Option("--verify", help="Look whether the whole record is as it was written.")
    ] = False,
    anchor: Annotated[
        str, typer.Option(metavar="ID:HASH", help="With --verify: an entry as an earlier --verify named it.")
    ] = "",
    json: Json = False,
) -> None:
    """Show who did what, newest last. With --verify exit code 3 if entries were changed or removed."""
    from tvdb_pipeline.database.pools import open_database
    from tvdb_pipeline.operations import audit as record

    beginning, known = _time(since), _anchor(anchor)
    _refuse_unknown(action)
    if known is not None and not verify:
        raise typer.BadParameter("goes with --verify", param_hint="--anchor")
    database = open_database(load_settings())
    try:
        if verify:
            verified = record.verify(database, known)
        else:
            found = record.entries(database, beginning, action or None, key or None, limit)
            return _show(found, as_json=json)
    finally:
        database.close()
    _show_verified(verified, as_json=json)
    raise typer.Exit(0 if verified.passed else 3)


def _time(given: str) -> datetime | None:
    if not given:
        return None
    try:
        time = datetime.fromisoformat(given)
    except ValueError:
        raise typer.BadParameter("must be a date, or a date and time, of ISO 8601", param_hint="--since") from None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _anchor(given: str) -> Anchor | None:
    from tvdb_pipeline.operations.audit import Anchor

    number, _, digits = given.partition(":")
    if given and not (number.isdecimal() and len(digits) == 64):
        raise typer.BadParameter("must be the id and the 64 digits of the hash of an entry", param_hint="--anchor")
    return Anchor(int(number), digits.lower()) if given else None


def _refuse_unknown(action: str) -> None:
    from tvdb_pipeline.database.audit_trail import Action

    known = get_args(Action)
    if action and action not in known:
        raise typer.BadParameter(f"must be one of {', '.join(known)}", param_hint="--action")


def _show(found: Sequence[Mapping[str, Any]], *, as_json: bool) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    if as_json:
        print(json_.dumps({"entries": found}, ensure_ascii=False))
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("id", "when (UTC)", "who", "role", "by", "action", "document", "run", "of it"):
        table.add_column(heading, overflow="fold")
    for entry in found:
        table.add_row(
            str(entry["id"]),
            entry["at"][:19].replace("T", " "),
            *(escape(entry[name] or "") for name in ("actor", "role", "process", "action", "subject")),
            (entry["run_id"] or "")[:8],
            escape(_figures(entry["figures"])),
        )
    console = Console(highlight=False, width=None if Console().is_terminal else 200)
    if found:
        console.print(table)
    else:
        console.print("Nothing on record that fits.")


def _figures(figures: Mapping[str, object]) -> str:
    if "setting" in figures:
        return f"{figures['setting']}: {_figure(figures['before'])} -> {_figure(figures['after'])}"
    return ", ".join(f"{name} {_figure(value)}" for name, value in figures.items())


def _figure(value: object) -> str:
    if not isinstance(value, list):
        return "none" if value is None else str(value)
    keys = cast("list[object]", value)
    more = f" and {len(keys) - _DOCUMENTS_SHOWN} more" if len(keys) > _DOCUMENTS_SHOWN else ""
    return " ".join(str(key) for key in keys[:_DOCUMENTS_SHOWN]) + more


def _show_verified(verified: Verified, *, as_json: bool) -> None:
    if as_json:
        last = None if verified.last is None else verified.last._asdict()
        print(json_.dumps({**asdict(verified), "last": last, "passed": verified.passed}))
        return
    if verified.broken:
        print(f"Changed, or following on one that is missing: entries {', '.join(map(str, verified.broken))}.")
    if verified.off:
        print(f"Not in force: {', '.join(verified.off)}.")
    if verified.anchored is not None:
        print(f"The anchor {'is' if verified.anchored else 'is NOT'} where it was.")
    if verified.last is not None:
        print(f"{verified.entries} entries; the newest is {verified.last.id}:{verified.last.hash}")
    print("The record is as it was written." if verified.passed else "The record is NOT as it was written.")
