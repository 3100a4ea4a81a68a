"""The environment Dagster's commands need, and the one that runs the UI for development.

Belongs here: `tvdb env` and `tvdb dev` as functions. Does not: running them to the end, or `tvdb serve` (`supervisor`).
"""

from __future__ import annotations

import sys
from pathlib import Path

from tvdb_pipeline.database.pools import Database, database_url
from tvdb_pipeline.privacy.modes import private_folder
from tvdb_pipeline.settings import Settings, project_root


def environment(settings: Settings, *, leave_running: bool = True, reach: bool = True) -> dict[str, str]:
    """Start what is needed, leave it running when this process ends, and give the variables for plain `dagster` commands.

    reach: whether the database must be there, which is then migrated. Raises TvdbError(`database_unreachable`).
    """
    from tvdb_pipeline.orchestration.home import dagster_environment, prepare_home

    url = database_url(settings, leave_running=leave_running)
    if reach:
        Database(url).open().close()
    prepare_home(settings)
    return dagster_environment(settings, url)


def development_command(settings: Settings, host: str, port: int) -> tuple[list[str], dict[str, str]]:
    """`dagster dev` (webserver, daemon, sensor) as arguments and environment."""
    variables = environment(settings)
    private_folder(settings.upload_dir)
    command = [
        str(Path(sys.executable).with_name("dagster")), "dev", "-w", str(project_root() / "workspace.yaml"),
        "--host", host, "--port", str(port),
    ]  # fmt: skip
    return command, variables
