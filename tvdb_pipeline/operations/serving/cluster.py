"""Ray's part of a deployment: the head, which keeps track of all, and workers, which run documents.

Belongs here: with what they are started. Does not: starting or supervising them, or what Dagster gives them to do (its launcher).
Where the head is on an address of this machine alone (127.x.x.x), workers are too, each with an address and a home of its own: a
cluster for trying.
"""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from tvdb_pipeline.privacy.modes import private_folder
from tvdb_pipeline.settings import Settings

HEAD, WORKER = "ray-head", "ray-worker"
NAMES = (HEAD, WORKER)
_ENVIRONMENT = ("RAY_USAGE_STATS_ENABLED=0", "DO_NOT_TRACK=1", "RAY_gcs_rpc_server_reconnect_timeout_s=10")
"""A worker gives up a head that is gone after 10 s, not after 60: the next head knows nothing of it, and it joins anew."""
_RANDOM_WORKER_PORTS = ("--min-worker-port", "0", "--max-worker-port", "0")


def head_command(settings: Settings) -> tuple[str, ...]:
    """The head, which runs no documents itself. It listens at TVDB_RAY_HEAD, for Dagster at TVDB_RAY_ADDRESS."""
    host, port = _gcs(settings)
    dashboard_host, dashboard_port = address(settings.ray_address)
    return (
        "/usr/bin/env", *_ENVIRONMENT, *_start(), "--head", "--node-ip-address", host, "--port", str(port),
        "--ray-client-server-port", str(port + 1), "--dashboard-agent-listen-port", "0", "--num-cpus", "0",
        "--dashboard-host", dashboard_host, "--dashboard-port", str(dashboard_port), "--temp-dir", str(scratch(settings)),
    )  # fmt: skip


def worker_command(settings: Settings, number: int = 0) -> tuple[str, ...]:
    """A worker with TVDB_RAY_WORKER_RUNS places. number: of one beside others on this machine; 0: its only one."""
    host, port = _gcs(settings)
    own = (f"TVDB_HOME={worker_home(settings, number)}",) if number else ()
    # Two nodes of one machine need addresses of their own; other machines have them.
    beside = str(ip_address(host) + number) if number and ip_address(host).is_loopback else None
    own_address = settings.ray_worker_address or beside
    there = ("--node-ip-address", own_address) if own_address else ()
    return (
        "/usr/bin/env", *_ENVIRONMENT, *own, f"PATH={_path()}", *_start(), "--address", f"{host}:{port}", *there,
        "--dashboard-agent-listen-port", "0", "--num-cpus", str(settings.ray_worker_runs),
    )  # fmt: skip


def worker_home(settings: Settings, number: int) -> Path:
    """TVDB_HOME of a worker beside others: what it keeps, no other sees."""
    home = settings.home / "workers" / str(number)
    private_folder(home)
    return home


def scratch(settings: Settings) -> Path:
    """Where Ray keeps its sockets, whose paths may not be long, and its logs."""
    name = f"tvdb-ray-{hashlib.sha256(str(settings.home).encode()).hexdigest()[:8]}"
    folder = Path(tempfile.gettempdir()) / name
    private_folder(folder)
    return folder


def address(url: str) -> tuple[str, int]:
    """Host and port of TVDB_RAY_ADDRESS."""
    parts = urlsplit(url)
    return parts.hostname or "127.0.0.1", parts.port or 8265


def _gcs(settings: Settings) -> tuple[str, int]:
    host, _, port = settings.ray_head.partition(":")
    return host, int(port)


def _path() -> str:
    """Ray gives runs to a worker as `dagster ...`: it must be the one installed beside us, whoever started the worker."""
    return os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])


def _start() -> tuple[str, ...]:
    ray = str(Path(sys.executable).with_name("ray"))
    return (ray, "start", "--block", "--disable-usage-stats", *_RANDOM_WORKER_PORTS)
