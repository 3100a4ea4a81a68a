"""The main job on a cluster: runs on workers with homes of their own, uploads and artifacts in object storage.

Each test starts a whole deployment, so they are long, and apart from the others (`make test-cluster`).
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("dagster_ray", reason="the extra `scale` is not installed; make test-cluster installs it")
pytest.importorskip("ray", reason="the extra `scale` is not installed; make test-cluster installs it")

from benchmarks import grounds
from benchmarks.chaos.parts import find
from benchmarks.scale.fleet import Fleet, fleet, program
from tvdb_pipeline_tests.pdf_writer import flowing_pdf
from tvdb_pipeline_tests.prose import paragraphs

EXAMPLES = Path(__file__).parents[2] / "data" / "examples"
_LONG = 300.0


@pytest.fixture
def cluster() -> Iterator[Fleet]:
    with fleet() as made:
        yield made


def ended(cluster: Fleet, number: int) -> bool:
    """Whether so many documents, with what is attached to them, have come to their end, and none is on its way."""
    states = cluster.states()
    return set(states) <= {"ready", "partial", "rejected"} and sum(states.values()) >= number


def answer(cluster: Fleet, *arguments: str) -> dict[str, Any]:
    done = subprocess.run(
        [program("tvdb"), *arguments, "--json"],
        env=os.environ | cluster.environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode in (0, 3), done.stderr
    return json.loads(done.stdout)


def money(cluster: Fleet) -> tuple[int, int]:
    """Ledger and bill, in nano-dollars."""
    ledger = cluster.ask("SELECT coalesce(sum(cost_nano), 0) FROM tvdb.requests WHERE paid")[0][0]
    return int(ledger), cluster.provider.bill_nano


def test_uploads_in_storage_become_searchable_on_workers(cluster: Fleet) -> None:
    files = [
        path for path in sorted(EXAMPLES.rglob("*")) if path.is_file() and path.suffix not in (".py", ".jsonl", ".lock")
    ]
    files = [path for path in files if "drawing" not in path.parts and not path.name.startswith(".")]
    for path in files:
        cluster.upload(path.relative_to(EXAMPLES).as_posix(), path.read_bytes())
    cluster.upload("damaged.pdf", b"%PDF-1.7\nnothing of use")
    with cluster.serving(workers=2):
        assert cluster.wait(lambda: ended(cluster, len(files) + 1), _LONG), cluster.states()
        assert cluster.wait(lambda: not cluster.ask("SELECT FROM dagster.runs WHERE status = 'STARTED'"), 60)
        documents = {document["path"]: document for document in answer(cluster, "status")["documents"]}
        assert documents["damaged.pdf"]["state"] == "rejected"
        others = {path: document["state"] for path, document in documents.items() if path != "damaged.pdf"}
        assert set(others.values()) <= {"ready", "partial"}, others
        found = answer(
            cluster, "search", "What penalty applies on the Harbor PPO if nobody got approval before a CT scan?"
        )
        assert found["results"][0]["path"] in documents
        ledger, bill = money(cluster)
        assert ledger == bill > 0
        # What was read lies in storage, and in the homes of the workers, each its own.
        homes = [cluster.home / "tvdb" / "workers" / str(number) / "artifacts" / "raw_file" for number in (1, 2)]
        assert any(home.exists() for home in homes)
        assert not (cluster.home / "tvdb" / "artifacts" / "parsed_text").exists()
        statuses = {row[0] for row in cluster.ask("SELECT DISTINCT status FROM dagster.runs")}
        assert statuses <= {"SUCCESS", "FAILURE"}
        secrets = (cluster.environment["OPENAI_API_KEY"], cluster.environment["TVDB_DATABASE_URL"])
        said = (cluster.home / "serve.log").read_text(errors="replace")
        events = "".join(row[0] for row in cluster.ask("SELECT event FROM dagster.event_logs"))
        assert not any(secret in text for secret in secrets for text in (said, events))


def test_a_fresh_upload_goes_before_a_bulk_that_waits(cluster: Fleet) -> None:
    for number in range(60):
        cluster.upload(f"bulk-{number:02}.pdf", flowing_pdf(paragraphs(6, seed=400 + number)))
    cluster.environment["TVDB_DOCUMENTS_PER_RUN"] = "3"
    fresh = "SELECT state FROM tvdb.documents WHERE path = 'fresh.pdf'"
    with cluster.serving(workers=2):
        assert cluster.wait(lambda: cluster.states().get("ready", 0) >= 3, _LONG), cluster.states()
        cluster.upload("fresh.pdf", flowing_pdf(paragraphs(6, seed=999)))
        assert cluster.wait(lambda: cluster.ask(fresh) == [("ready",)], _LONG), cluster.states()
        assert cluster.states().get("registered", 0) >= 15, "the bulk still waits in its queue"


def test_after_the_head_was_killed_everything_goes_on(cluster: Fleet) -> None:
    for number in range(40):
        cluster.upload(f"{number:02}.pdf", flowing_pdf(paragraphs(6, seed=100 + number)))
    cluster.environment["TVDB_DOCUMENTS_PER_RUN"] = "5"
    with cluster.serving(workers=2):
        assert cluster.wait(lambda: cluster.states().get("ready", 0) >= 5, _LONG), cluster.states()
        killed = [pid for pid, line in processes() if "gcs_server" in line and cluster.head_port in line]
        assert killed
        for pid in killed:
            os.kill(pid, signal.SIGKILL)
        assert cluster.wait(lambda: cluster.states() == {"ready": 40}, 2 * _LONG), cluster.states()
        assert money(cluster)[0] == money(cluster)[1]
        assert "ray-head" in (cluster.home / "serve.log").read_text(errors="replace")


def test_while_storage_is_away_documents_wait_and_then_go_on(cluster: Fleet) -> None:
    for number in range(20):
        cluster.upload(f"{number:02}.pdf", flowing_pdf(paragraphs(6, seed=200 + number)))
    cluster.environment["TVDB_DOCUMENTS_PER_RUN"] = "5"
    with cluster.serving(workers=2):
        assert cluster.wait(lambda: cluster.states().get("ready", 0) >= 5, _LONG), cluster.states()
        with cluster.storage_away():
            waiting = "SELECT count(*) FROM tvdb.documents WHERE error->>'code' = 'storage_unreachable'"
            assert cluster.wait(lambda: cluster.ask(waiting)[0][0] > 0 or cluster.states() == {"ready": 20}, 90)
        assert cluster.wait(lambda: cluster.states() == {"ready": 20}, _LONG), cluster.states()
        assert money(cluster)[0] == money(cluster)[1]


def test_after_the_database_was_killed_everything_goes_on_and_nothing_is_bought_twice(cluster: Fleet) -> None:
    for number in range(30):
        cluster.upload(f"{number:02}.pdf", flowing_pdf(paragraphs(6, seed=300 + number)))
    cluster.environment["TVDB_DOCUMENTS_PER_RUN"] = "5"
    with cluster.serving(workers=2):
        assert cluster.wait(lambda: cluster.states().get("ready", 0) >= 5, _LONG), cluster.states()
        (postmaster,) = find("database", 0, cluster.home)
        os.kill(postmaster, signal.SIGKILL)
        assert cluster.wait(lambda: grounds.database_starts(cluster.home), 60)
        assert cluster.wait(lambda: cluster.states() == {"ready": 30}, 2 * _LONG), cluster.states()
        # An attempt whose outcome nobody could write down counts as spent.
        ledger, bill = money(cluster)
        assert ledger >= bill > 0
        charged = sum(entry.inputs for entry in cluster.provider.entries() if entry.charged)
        assert charged == cluster.ask("SELECT count(*) FROM tvdb.embedding_cache")[0][0]
        assert "database_unreachable" in (cluster.home / "serve.log").read_text(errors="replace")


def processes() -> Iterator[tuple[int, str]]:
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            with suppress(OSError):
                yield int(folder.name), (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
