"""The fake provider as a process of its own: its URL is the first line it prints; SIGTERM ends it.

Belongs here: the command line. Does not: starting that process, which `process` does.
"""

from __future__ import annotations

import argparse
import signal
import threading
from pathlib import Path

from tvdb_pipeline_tests.fake_openai.server import FakeOpenAI


def main() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(prog="python -m tvdb_pipeline_tests.fake_openai")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before each answer")
    parser.add_argument("--log", type=Path, required=True, help="one line of JSON is appended for each request")
    parser.add_argument("--port", type=int, default=0, help="0: a free one")
    parser.add_argument("--cheap-vectors", action="store_true", help="vectors that mean nothing, for load")
    options = parser.parse_args()
    stop = threading.Event()

    def end(*_: object) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    with FakeOpenAI(
        options.latency, cheap_vectors=options.cheap_vectors, file=options.log, remember=False, port=options.port
    ) as server:
        print(server.url, flush=True)
        stop.wait()


if __name__ == "__main__":
    main()
