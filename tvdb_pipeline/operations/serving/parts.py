"""The parts of a deployment: what each is started with, and how it shows that it answers.

Belongs here: the list of parts and their commands. Does not: starting them. systemd units and containers name the same parts, by
`tvdb serve --only PART`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tvdb_pipeline.operations.serving import answers, cluster
from tvdb_pipeline.settings import Settings, project_root

CODE_SERVER, DAEMON, WEBSERVER, METRICS, WATCH = "code-server", "daemon", "webserver", "metrics", "watch"
NAMES = (CODE_SERVER, DAEMON, WEBSERVER, METRICS, WATCH)
"""In the order they are started; they are stopped the other way round."""
BY_THEMSELVES = (*NAMES, *cluster.NAMES)
"""What `tvdb serve --only` runs: also the parts of a cluster."""
ASKS_CODE_SERVER = (DAEMON, WEBSERVER)
"""Parts that load the definitions once as they start, and have none if the code server does not answer then."""
_LIVED_SECONDS = 10.0
"""A part that answers nobody counts as there when it has lived so long."""


@dataclass(frozen=True, slots=True)
class Part:
    """One process. name: as in NAMES, further webservers with their port, workers with their number; command: to be executed;
    address: where it listens, or None; answers: asked with the time it was started."""

    name: str
    command: tuple[str, ...]
    address: tuple[str, int] | None
    answers: Callable[[datetime], bool]


def all_parts(settings: Settings, url: str, webservers: int = 1, workers: int = 0) -> list[Part]:
    """Every part of the machine that controls all, in the order they are started; webservers on consecutive ports.

    url: of the database; workers: so many Ray workers on this machine, where runs go to Ray.
    """
    return [
        _code_server(settings),
        *(_of_cluster(settings, workers) if settings.run_launcher == "ray" else []),
        _daemon(settings, url),
        *(_webserver(settings, number) for number in range(webservers)),
        _metrics(settings),
        Part(WATCH, (_program("tvdb"), "watch", "--expect", "webserver,code-server,daemon"), None, _has_lived),
    ]


def ray_worker(settings: Settings) -> Part:
    """The worker of another machine."""
    return Part(cluster.WORKER, cluster.worker_command(settings), None, _has_lived)


def _of_cluster(settings: Settings, workers: int) -> list[Part]:
    host, port = cluster.address(settings.ray_address)
    head = Part(
        cluster.HEAD, cluster.head_command(settings), (host, port),
        # It shows itself by refusing whoever brings no token.
        lambda _: answers.http_answers(host, port, "/api/version", 401),
    )  # fmt: skip
    return [
        head,
        *(
            Part(f"{cluster.WORKER}-{number}", cluster.worker_command(settings, number), None, _has_lived)
            for number in range(1, workers + 1)
        ),
    ]


def workspace() -> str:
    """The file that names the code server."""
    return str(project_root() / "deploy" / "workspace.yaml")


def _code_server(settings: Settings) -> Part:
    # It listens once it has loaded the definitions.
    port = settings.code_server_port
    command = (
        _program("dagster"), "api", "grpc", "-m", "tvdb_pipeline.definitions", "-h", "127.0.0.1", "-p", str(port),
        "--location-name", "tvdb_pipeline.definitions", *_log(settings),
    )  # fmt: skip
    return Part(CODE_SERVER, command, ("127.0.0.1", port), lambda _: answers.listens("127.0.0.1", port))


def _daemon(settings: Settings, url: str) -> Part:
    command = (
        sys.executable, "-m", "tvdb_pipeline.orchestration.daemon", "run", "-w", workspace(), *_log(settings)
    )  # fmt: skip
    return Part(DAEMON, command, None, lambda since: answers.daemon_beats(url, since))


def _webserver(settings: Settings, number: int) -> Part:
    host, port = settings.webserver_host, settings.webserver_port + number
    command = (_program("dagster-webserver"), "-w", workspace(), "-h", host, "-p", str(port), *_log(settings))
    name = WEBSERVER if number == 0 else f"{WEBSERVER}-{port}"
    return Part(name, command, (host, port), lambda _: answers.http_answers(host, port, "/server_info"))


def _metrics(settings: Settings) -> Part:
    host, port = settings.metrics_host, settings.metrics_port
    command = (_program("tvdb"), "metrics")
    return Part(METRICS, command, (host, port), lambda _: answers.http_answers(host, port, "/metrics"))


def _log(settings: Settings) -> tuple[str, str]:
    """Colours for people, one JSON object a line for journals."""
    return ("--log-format", "colored" if settings.env == "development" else "json")


def _has_lived(since: datetime) -> bool:
    return (datetime.now(since.tzinfo) - since).total_seconds() >= _LIVED_SECONDS


def _program(name: str) -> str:
    return str(Path(sys.executable).with_name(name))
