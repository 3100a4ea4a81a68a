"""An S3 server of this machine (moto), with faults that can be switched on.

Belongs here: running it, and what it refuses. Does not: what is stored in it.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import boto3
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import BaseWSGIServer, make_server

BUCKET = "documents"
_EXPIRED = (
    b"<?xml version='1.0'?><Error><Code>ExpiredToken</Code><Message>The provided token has expired.</Message></Error>"
)


@dataclass
class ObjectStore:
    """port: where it listens, on 127.0.0.1; expired: whether credentials are refused; before: called with method and path of each
    request before it is answered; asked: those of all so far."""

    port: int = 0
    expired: bool = False
    before: Callable[[str, str], None] = lambda method, path: None
    asked: list[tuple[str, str]] = field(default_factory=list)
    server: BaseWSGIServer | None = None

    def __post_init__(self) -> None:
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._lock = threading.Lock()

    @property
    def environment(self) -> dict[str, str]:
        """What the storage library and Amazon's own tools go by."""
        return {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.port}",
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    @cached_property
    def client(self) -> Any:
        """Amazon's own client, for whoever uploads and deletes."""
        return boto3.client(
            "s3", endpoint_url=f"http://127.0.0.1:{self.port}", region_name="us-east-1",
            aws_access_key_id="testing", aws_secret_access_key="testing",
        )  # fmt: skip

    def upload(self, name: str, content: bytes) -> None:
        """Put an object into the bucket."""
        self.client.put_object(Bucket=BUCKET, Key=name, Body=content)

    def names(self, prefix: str = "") -> list[str]:
        """Names of the objects there."""
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix)
        return [entry["Key"] for page in pages for entry in page.get("Contents", [])]

    def start(self) -> None:
        """Listen; after `stop` at the same port, with everything that was there."""
        self.server = make_server("127.0.0.1", self.port, self, threaded=True)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        """Be out of reach."""
        assert self.server is not None
        self.server.shutdown()
        self.server.server_close()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        self.asked.append((method, path))
        self.before(method, path)
        if self.expired:
            start_response("400 Bad Request", [("Content-Type", "application/xml")])
            return [_EXPIRED]
        with self._lock:
            return self._moto(environ, start_response)


@contextmanager
def running() -> Iterator[ObjectStore]:
    """A server with an empty bucket."""
    store = ObjectStore()
    store.start()
    try:
        store.client.create_bucket(Bucket=BUCKET)
        yield store
    finally:
        store.stop()
        from moto.s3.models import s3_backends

        for backend in s3_backends.values():
            for each in backend.values():
                each.reset()


def main() -> None:
    """Serve on the port of the first argument until killed, with an empty bucket; out of reach from SIGUSR1 to SIGUSR2."""
    store = ObjectStore(port=int(sys.argv[1]))
    signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGUSR1, signal.SIGUSR2))
    store.start()
    store.client.create_bucket(Bucket=BUCKET)
    print("ready", flush=True)
    while True:
        if signal.sigwait((signal.SIGUSR1, signal.SIGUSR2)) == signal.SIGUSR1:
            store.stop()
        else:
            store.start()


if __name__ == "__main__":
    main()
