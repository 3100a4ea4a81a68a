"""What every adapter of an ingesting peer has in common: its command line, its clocks, and the line it ends with.

Belongs here: these, on the standard library alone, because each peer's own environment imports it. Does not: a peer.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from importlib.metadata import version
from pathlib import Path

_IMPORTED = time.time()
MODEL = "text-embedding-3-small"
DIMENSIONS = 1536
KEY = "sk-benchmark-not-a-key"
CHUNK_TOKENS = 512
CHUNK_CHARACTERS = 2000
"""Where a splitter counts characters: about as many as 512 tokens of English hold, and a size cocoindex documents."""


def options() -> argparse.Namespace:
    """documents, state: folders; database, provider: URLs. The state folder is made."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--documents", type=Path, required=True, help="the folder whose PDFs are ingested")
    parser.add_argument("--database", required=True, help="postgresql://")
    parser.add_argument("--provider", required=True, help="http://.../v1")
    parser.add_argument(
        "--state", type=Path, required=True, help="what the peer keeps between runs, beside the database"
    )
    given = parser.parse_args()
    given.state.mkdir(parents=True, exist_ok=True)
    return given


def pdfs(folder: Path) -> list[Path]:
    """The documents of a folder, in the order of their names; folders in it are left out."""
    return sorted(path for path in folder.iterdir() if path.suffix == ".pdf" and path.is_file())


class Clock:
    """Two times: until the peer was ready to work, and of the work. Make it when everything is imported and connected."""

    def __init__(self) -> None:
        self.start_up = time.time() - float(os.environ.get("TVDB_BENCH_STARTED", _IMPORTED))
        self._began = time.monotonic()

    def stop(self) -> None:
        """The work is done, and what was stored is committed."""
        self.seconds = time.monotonic() - self._began


def tell(peer: str, package: str, clock: Clock, documents: int, rows: int) -> None:
    """Print the line. package: the one whose version counts; documents: those with at least one row."""
    figures: dict[str, str | float] = {
        "peer": peer,
        "version": f"{package} {version(package)}",
        "start_up_seconds": round(clock.start_up, 3),
        "seconds": round(clock.seconds, 3),
        "documents": documents,
        "rows": rows,
        "peak_rss_mb": peak_rss_mb(),
    }
    print(json.dumps(figures), flush=True)


def peak_rss_mb() -> float:
    """Of this process alone. ru_maxrss would begin with what the process that started this one once held."""
    status = Path("/proc/self/status").read_text()
    kilobytes = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:"))
    return round(kilobytes / 1024, 1)
