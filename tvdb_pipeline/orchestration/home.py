"""Dagster's home: its instance file and the environment it needs.

Belongs here: preparing `$TVDB_HOME/dagster` and naming the variables. Does not: starting anything. Dagster itself is imported by
those who open the instance: commands that only start its servers do without.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from tvdb_pipeline.orchestration.instance_file import instance_file
from tvdb_pipeline.orchestration.ray_token import ray_environment
from tvdb_pipeline.privacy.modes import private_folder, tighten
from tvdb_pipeline.settings import Settings

if TYPE_CHECKING:
    import dagster as dg


def dagster_environment(settings: Settings, url: str) -> dict[str, str]:
    """What plain `dagster` commands need to meet the same instance and database as `tvdb`.

    Dagster's storage goes through psycopg2: with SQLAlchemy 2.1 a bare postgresql:// picks psycopg 3, which refuses the NOTIFY
    that its event log sends. An event is not waited for until it is on disk: a run writes thousands, and any later commit of
    ours takes them along. If the machine itself dies, the last fraction of a second of Dagster's history may be missing; what
    became of documents and money may not.
    """
    scheme, _, rest = url.partition("://")
    separator = "&" if "?" in rest else "?"
    options = quote("-c search_path=dagster -c synchronous_commit=off")
    return {
        "DAGSTER_HOME": str(settings.home / "dagster"),
        "DAGSTER_DISABLE_TELEMETRY": "yes",
        "DO_NOT_TRACK": "1",
        "TVDB_HOME": str(settings.home),
        "TVDB_DATABASE_URL": url,
        "TVDB_CODE_SERVER_PORT": str(settings.code_server_port),
        "TVDB_DAGSTER_DATABASE_URL": f"{scheme.partition('+')[0]}+psycopg2://{rest}{separator}options={options}",
        "DAGSTER_EVENT_BATCH_SIZE": os.environ.get("DAGSTER_EVENT_BATCH_SIZE", "500"),
        **ray_environment(settings),
    }


def prepare_home(settings: Settings) -> Path:
    """Make `$TVDB_HOME/dagster` with the instance file in it; the folder. Raises TvdbError(`scale_missing`).

    What others were given rights to at the top of TVDB_HOME, they lose.
    """
    home = settings.home / "dagster"
    private_folder(home)
    tighten(settings.home, settings.upload_dir)
    content, file = instance_file(settings), home / "dagster.yaml"
    if not file.exists() or file.read_bytes() != content:
        # Servers may be reading it: they find the whole old one or the whole new one.
        fresh = home / f".dagster.yaml.{os.getpid()}"
        fresh.write_bytes(content)
        fresh.replace(file)
    return home


def open_instance(settings: Settings, url: str) -> dg.DagsterInstance:
    """The Dagster instance of this home, with its environment set in this process."""
    import dagster as dg

    prepare_home(settings)
    os.environ.update(dagster_environment(settings, url))
    return dg.DagsterInstance.get()
