"""Whether a server answers, asked as its clients ask.

Belongs here: one question to one server, answered in a second or two. Does not: what follows from it.
"""

from __future__ import annotations

import contextlib
import socket
import urllib.error
import urllib.request
from datetime import UTC, datetime
from typing import Any

_WITHIN_SECONDS = 2.0
_ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}


def http_answers(host: str, port: int, path: str, status: int = 200) -> bool:
    """Whether GET gives this status. host: where it listens, which may be everywhere."""
    asked = _ANYWHERE.get(host, host)
    asked = f"[{asked}]" if ":" in asked else asked
    # Not through a proxy of the environment: it is a server of this machine.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"http://{asked}:{port}{path}", timeout=_WITHIN_SECONDS) as answer:
            return answer.status == status
    except urllib.error.HTTPError as error:
        return error.code == status
    except (OSError, ValueError):
        return False


def listens(host: str, port: int) -> bool:
    """Whether connections are taken there."""
    try:
        with socket.create_connection((host, port), timeout=_WITHIN_SECONDS):
            return True
    except OSError:
        return False


def code_server_serves(port: int) -> bool:
    """Whether the code server on this machine says that it serves. Starts threads, which a process that forks must not have."""
    import grpc
    from grpc_health.v1 import health_pb2, health_pb2_grpc

    options = [("grpc.enable_http_proxy", 0)]
    with grpc.insecure_channel(f"127.0.0.1:{port}", options=options) as channel:
        request = health_pb2.HealthCheckRequest(service="DagsterApi")  # pyright: ignore[reportAttributeAccessIssue]
        stub: Any = health_pb2_grpc.HealthStub(channel)
        try:
            answer = stub.Check(request, timeout=_WITHIN_SECONDS)
        except grpc.RpcError:
            return False
        return answer.status == health_pb2.HealthCheckResponse.SERVING  # pyright: ignore[reportAttributeAccessIssue]


def daemon_beats(url: str, since: datetime) -> bool:
    """Whether the daemon that runs sensors has told of itself since then."""
    import psycopg

    try:
        with psycopg.connect(url, connect_timeout=2, autocommit=True) as conn:
            row = conn.execute(
                "SELECT max(timestamp) FROM dagster.daemon_heartbeats WHERE daemon_type = 'SENSOR'"
            ).fetchone()
    except psycopg.Error:
        return False
    return row is not None and row[0] is not None and row[0].replace(tzinfo=UTC) >= since


def port_is_free(host: str, port: int) -> bool:
    """Whether a server could listen there. Asked before: some share a port with another without a word."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with contextlib.closing(socket.socket(family, socket.SOCK_STREAM)) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True
