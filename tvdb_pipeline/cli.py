"""The `tvdb` command.

Belongs here: arguments, and calling the right room. Does not: work of any room, or how answers look (`presentation`).
Answers go to stdout, everything else to stderr. Exit codes: 0 all documents ready or partial, 3 some in another state, 2 usage,
1 anything else.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import psycopg
import typer

from tvdb_pipeline import presentation
from tvdb_pipeline.commands.archive import archive
from tvdb_pipeline.commands.audit import audit
from tvdb_pipeline.commands.backup import backup, drill, restore
from tvdb_pipeline.commands.metrics import metrics
from tvdb_pipeline.commands.migrate import migrate
from tvdb_pipeline.commands.report import report
from tvdb_pipeline.commands.serve import serve
from tvdb_pipeline.commands.watch import alerts, watch
from tvdb_pipeline.database.pools import Database, database_url
from tvdb_pipeline.errors import INTERRUPTED, TvdbError
from tvdb_pipeline.ingest.workshop import Workshop, build_workshop
from tvdb_pipeline.privacy.faults import described
from tvdb_pipeline.privacy.process import begin
from tvdb_pipeline.settings import Settings, load_settings
from tvdb_pipeline.storage.urls import is_url

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Insurance documents in, searchable vectors out, on a budget.",
)
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
Paths = Annotated[list[str], typer.Argument(help="Files, folders, or URLs under TVDB_UPLOAD_URL.")]


class _Interrupted(BaseException):
    """Ctrl-C. Not KeyboardInterrupt: typer would end the process without a word."""


def _interrupt(number: int, frame: object) -> None:
    raise _Interrupted


def main() -> None:
    """Run the command; a refusal is one sentence on stderr."""
    begin()
    # The pool tells of each dead connection; what came of it is told once, below.
    logging.getLogger("psycopg.pool").setLevel(logging.CRITICAL)
    signal.signal(signal.SIGINT, _interrupt)
    try:
        app()
    except _Interrupted:
        print(f"tvdb: {INTERRUPTED}", file=sys.stderr)
        sys.exit(1)
    except TvdbError as error:
        print(f"tvdb: {error.message}", file=sys.stderr)
        sys.exit(1)
    except psycopg.Error as error:
        # Type and place only: a database's message may quote a value.
        print(
            f"tvdb: the database refused ({described(error)}); nothing half-done was kept. Try again.",
            file=sys.stderr,
        )
        sys.exit(1)
    except Exception as error:
        # Type and place only, for the same reason. What was paid for is kept, and every document is where it was.
        print(
            f"tvdb: interrupted by a fault ({described(error)}); nothing half-done was kept. If the database was "
            "stopped, run the command again: it goes on where this one ended.",
            file=sys.stderr,
        )
        sys.exit(1)


@contextmanager
def _workshop(settings: Settings) -> Generator[Workshop]:
    from tvdb_pipeline.embedding.modes import create_client

    database = Database(database_url(settings)).open()
    try:
        yield build_workshop(settings, database, create_client(settings))
    finally:
        database.close()


def _places(named: list[str]) -> list[Path | str]:
    return [name if is_url(name) else Path(name) for name in named]


def _names(settings: Settings) -> bool:
    """Whether answers call documents by the names of their files; `tvdb status` always does."""
    return settings.key_style == "slug"


@app.command()
def ingest(
    paths: Paths,
    json: Json = False,
    accept_removals: Annotated[bool, typer.Option(help="Remove vanished files even if they are many.")] = False,
) -> None:
    """Register files and folders and materialize what is new or changed, in this process."""
    from tvdb_pipeline.ingest.planning import make_plan
    from tvdb_pipeline.operations.ingestion import ingest_paths

    settings = load_settings()
    with _workshop(settings) as shop, presentation.progress() as observer:
        plan = make_plan(shop, _places(paths), accept_removals=accept_removals)
        result = ingest_paths(shop, plan, observer)
    presentation.show_ingest(result, names=_names(settings), as_json=json)
    raise typer.Exit(presentation.exit_code(result.documents))


@app.command()
def register(paths: Paths, json: Json = False) -> None:
    """Add documents as partitions, process nothing, and print their keys."""
    from tvdb_pipeline.operations.ingestion import register_places

    with _workshop(load_settings()) as shop:
        keys = register_places(shop, _places(paths))
    presentation.show_keys(keys, as_json=json)


@app.command()
def status(
    key: Annotated[str | None, typer.Argument(help="One document's key; all without.")] = None, json: Json = False
) -> None:
    """Show documents with their state, figures and error; of one document its whole story."""
    from tvdb_pipeline.operations.overview import overview
    from tvdb_pipeline.operations.story import story

    with _workshop(load_settings()) as shop:
        documents = overview(shop.database, [key] if key else None)
        events = story(shop.database, key) if key else None
    if key and not documents:
        raise TvdbError("not_registered", "No document has this key; tvdb status lists them.")
    presentation.show_status(documents, events, as_json=json)
    raise typer.Exit(presentation.exit_code(documents))


@app.command()
def search(
    query: str,
    k: Annotated[int, typer.Option("-k", min=1, max=1000, help="How many passages.")] = 5,
    mode: Annotated[str, typer.Option(help="fused, vector or lexical.")] = "fused",
    within: Annotated[
        list[str] | None,
        typer.Option("--in", metavar="PATH_OR_KEY", help="Search only this file, folder or key; may be repeated."),
    ] = None,
    json: Json = False,
) -> None:
    """Find passages by meaning and by words."""
    from tvdb_pipeline.ingest.querying import answer

    if mode not in ("fused", "vector", "lexical"):
        raise typer.BadParameter("must be fused, vector or lexical")
    settings = load_settings()
    with _workshop(settings) as shop:
        found = answer(shop, query, k, mode, within or ())
    presentation.show_search(found, names=_names(settings), as_json=json)


@app.command()
def quote(paths: Paths, json: Json = False) -> None:
    """Say what embedding these documents would cost, before anything is spent."""
    from tvdb_pipeline.ingest.quoting import quote_places

    with _workshop(load_settings()) as shop:
        result = quote_places(shop, _places(paths))
    presentation.show_quote(result, as_json=json)


@app.command()
def budget(json: Json = False) -> None:
    """Show what was spent and what is left."""
    from tvdb_pipeline.operations.overview import budget_overview

    with _workshop(load_settings()) as shop:
        figures = budget_overview(shop.ledger, shop.embedding.breaker, shop.database)
    presentation.show_budget(figures, as_json=json)


@app.command()
def delete(key: str, json: Json = False) -> None:
    """Remove a document and all that was derived from it. The bill stays."""
    from tvdb_pipeline.operations.ingestion import delete_document

    with _workshop(load_settings()) as shop:
        rows = delete_document(shop, key)
    presentation.show_deleted(key, rows, as_json=json)


@app.command()
def doctor(json: Json = False) -> None:
    """Say whether this machine and these settings are fit for work, row by row with the evidence."""
    from tvdb_pipeline.operations.readiness.checklist import findings

    rows = findings(load_settings())
    presentation.show_findings(rows, as_json=json)
    raise typer.Exit(0 if all(row.passed for row in rows) else 3)


@app.command()
def env() -> None:
    """Start the embedded database if needed, leave it running, and print exports for plain dagster: eval "$(tvdb env)"."""
    from tvdb_pipeline.operations.serving.development import environment

    presentation.show_exports(environment(load_settings()))


@app.command()
def stop() -> None:
    """Stop the embedded database."""
    from tvdb_pipeline.database.server import stop_server

    stopped = stop_server(load_settings().home)
    print("The embedded database is stopped." if stopped else "The embedded database was not running.", file=sys.stderr)


@app.command()
def dev(port: Annotated[int, typer.Option(help="Port of the Dagster UI.")] = 3000, host: str = "127.0.0.1") -> None:
    """Run the Dagster UI with its daemon and the upload sensor on the same database."""
    from tvdb_pipeline.operations.serving.development import development_command

    command, variables = development_command(load_settings(), host, port)
    os.execvpe(command[0], command, {**os.environ, **variables})


app.command()(archive)
app.command()(audit)
app.command()(backup)
app.command()(restore)
app.command()(drill)
app.command()(metrics)
app.command()(migrate)
app.command()(report)
app.command()(serve)
app.command()(watch)
app.command()(alerts)


if __name__ == "__main__":
    main()
