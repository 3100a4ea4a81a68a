"""`tvdb serve`.

Belongs here: its arguments. Does not: supervising (`operations.serving.supervisor`).
"""

from __future__ import annotations

from typing import Annotated

import typer

_PARTS = "code-server, daemon, webserver, metrics, watch, ray-head, ray-worker"


def serve(
    only: Annotated[
        str | None,
        typer.Option(metavar="PART", help=f"Run one part in the foreground, unsupervised: {_PARTS}."),
    ] = None,
    webservers: Annotated[int, typer.Option(min=1, max=16, help="How many webservers, on consecutive ports.")] = 1,
    workers: Annotated[
        int, typer.Option(min=0, max=64, help="How many Ray workers on this machine, each with a home of its own.")
    ] = 0,
) -> None:
    """Run code server, daemon, webserver, metrics and watcher, restarting what dies, until SIGTERM or Ctrl-C.

    With TVDB_RUN_LAUNCHER=ray also the head of a Ray cluster; on each other machine run `tvdb serve --only ray-worker`.
    """
    from tvdb_pipeline.operations.serving import parts, supervisor
    from tvdb_pipeline.settings import load_settings

    if only is not None and only not in parts.BY_THEMSELVES:
        raise typer.BadParameter(f"must be one of {_PARTS}", param_hint="--only")
    if only is not None and (webservers != 1 or workers):
        raise typer.BadParameter("goes with all parts, not with --only", param_hint="--webservers, --workers")
    settings = load_settings()
    if only is not None:
        supervisor.only(settings, only)
    raise typer.Exit(supervisor.serve(settings, webservers, workers))
