"""Where a benchmark runs: an embedded database of its own, the fake provider, and the documents.

Belongs here: making these and taking them down. Does not: measuring.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from tvdb_pipeline.database.server import start_server, stop_server
from tvdb_pipeline_tests.fake_openai.process import ServerProcess

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "data" / "examples"
LATENCY_SECONDS = 0.59
"""Of one embeddings request: the median the peers' and our comparisons assume."""
KEY = "sk-benchmark-not-a-key"


def corpus() -> Path | None:
    """The collection of real documents, where it is on this machine: `TVDB_CORPUS`, else beside the checkout."""
    folder = Path(os.environ.get("TVDB_CORPUS", ROOT.parent / "shared" / "corpus"))
    return folder if folder.is_dir() else None


def insurance() -> list[Path]:
    """The PDFs the comparisons run on: the insurance documents of the collection, else those of data/examples."""
    found = corpus()
    return sorted((found / "insurance").glob("*.pdf")) if found else sorted(EXAMPLES.glob("*.pdf"))


@contextmanager
def home() -> Generator[Path]:
    """An empty folder with an embedded PostgreSQL running in it; both are gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="tvdb-bench-") as name:
        folder = Path(name)
        try:
            yield folder
        finally:
            stop_server(folder)


def database_in(folder: Path) -> str:
    """The URL of the embedded server of this folder, started if it is not running; it is left running."""
    return start_server(folder, leave_running=True)


def database_starts(folder: Path) -> bool:
    """Whether the server of this folder, which was killed, answers after this attempt to start it.

    In a process of its own: one that has started a server takes it for running ever after. Nothing is started until the killed
    one has been waited for, and all its backends have ended.
    """
    code = "import psycopg, sys; from pathlib import Path; from tvdb_pipeline.database.server import start_server; "
    code += "psycopg.connect(start_server(Path(sys.argv[1]), leave_running=True))"
    done = subprocess.run([sys.executable, "-c", code, str(folder)], capture_output=True, check=False, cwd=ROOT)
    return done.returncode == 0


@contextmanager
def provider(folder: Path, latency: float = LATENCY_SECONDS) -> Generator[ServerProcess]:
    """The fake provider as a process of its own, with vectors in which alike texts are near each other."""
    with ServerProcess(folder / "charges.jsonl", latency, cheap_vectors=False) as server:
        yield server


def environment(folder: Path, provider_url: str | None, **changes: str) -> dict[str, str]:
    """Variables of an installation in `folder` that buys from this provider (None: MOCK), limits out of the way.

    Give them to a command, or put them into os.environ and call `load_settings`. changes: more of them, by name.
    """
    variables = {
        "TVDB_HOME": str(folder),
        "TVDB_UPLOAD_DIR": str(folder / "uploads"),
        "TVDB_DATABASE_URL": database_in(folder),
        "TVDB_SERVICE_MODE": "REAL" if provider_url else "MOCK",
        "TVDB_PROVIDER_AGREEMENT": "synthetic",
        "TVDB_DAILY_COST_LIMIT_USD": "100",
        "TVDB_DOCUMENT_COST_LIMIT_USD": "10",
        "TVDB_HOURLY_REQUEST_LIMIT": "100000",
        "OPENAI_API_KEY": KEY,
    }
    (folder / "uploads").mkdir(parents=True, exist_ok=True)
    return variables | ({"OPENAI_BASE_URL": provider_url} if provider_url else {}) | changes
