"""The life of documents as a state machine: files come, change and go, the provider and the budget fail, workers are killed.

A worker is a process of its own; a kill is SIGKILL at a named point. At every moment a document's rows are the whole of one
version of it, and the ledger is not below the bill; in the end, with the provider up and money enough, every file is searchable
as it is.
"""

from __future__ import annotations

import multiprocessing
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import psycopg
import pytest
from hypothesis import HealthCheck, settings, strategies
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from tvdb_pipeline.waypoints import WAYPOINTS
from tvdb_pipeline_tests.fake_openai.faults import Arrival, Fault, unavailable
from tvdb_pipeline_tests.fake_openai.server import FakeOpenAI
from tvdb_pipeline_tests.pdf_writer import flowing_pdf
from tvdb_pipeline_tests.prose import paragraphs
from tvdb_pipeline_tests.resilience.crash_points import FAST, ON_THE_WIRE, ingest

POISON = "A clause that no model takes."
VERSIONS: dict[str, bytes] = {
    **{f"policy {seed}": flowing_pdf(paragraphs(3, seed=seed)) for seed in range(3)},
    "refused": flowing_pdf([*paragraphs(2, seed=8), POISON]),
    "damaged": b"%PDF-1.7\nnothing of use",
}
STATE_OF = {"refused": "partial", "damaged": "rejected"}
NAMES = ("a.pdf", "b.pdf", "c.pdf")
Rows = tuple[tuple[int, str], ...]


class Life(RuleBasedStateMachine):
    """files: name -> version in the folder; history: name -> versions that ever were; wire: kills while an answer came in."""

    server_url: ClassVar[str]
    template: ClassVar[str]
    folder: ClassVar[Path]
    whole: ClassVar[dict[str, Rows]] = {}
    count: ClassVar[int] = 0

    @initialize()
    def begin(self) -> None:
        type(self).count += 1
        self.name = f"life_{self.count}"
        with psycopg.connect(self.server_url, autocommit=True) as conn:
            conn.execute(f"CREATE DATABASE {self.name} TEMPLATE {self.template}")  # pyright: ignore
        self.url = self.server_url.replace("/postgres?", f"/{self.name}?", 1)
        self.uploads = self.folder / self.name
        self.uploads.mkdir()
        self.files: dict[str, str] = {}
        self.history: dict[str, set[str]] = {name: set() for name in NAMES}
        self.wire = 0
        self.down = self.poor = False
        self.provider = FakeOpenAI(script=self._script).__enter__()
        self.provider.poison = lambda text: POISON in text

    def _script(self, _: Arrival) -> Fault | None:
        return unavailable() if self.down else None

    @rule(name=strategies.sampled_from(NAMES), version=strategies.sampled_from(sorted(VERSIONS)))
    def put(self, name: str, version: str) -> None:
        (self.uploads / name).write_bytes(VERSIONS[version])
        self.files[name] = version
        self.history[name].add(version)

    @rule(name=strategies.sampled_from(NAMES))
    def take_away(self, name: str) -> None:
        (self.uploads / name).unlink(missing_ok=True)
        self.files.pop(name, None)

    @rule(down=strategies.booleans())
    def provider_changes(self, down: bool) -> None:
        self.down = down

    @rule(poor=strategies.booleans())
    def limit_changes(self, poor: bool) -> None:
        self.poor = poor

    @rule(
        mode=strategies.sampled_from(("REAL", "HYBRID")), kill_at=strategies.sampled_from(("", "", *sorted(WAYPOINTS)))
    )
    def work(self, mode: str, kill_at: str) -> None:
        self._work(mode, kill_at)
        self._nothing_is_half()

    def _work(self, mode: str, kill_at: str = "") -> None:
        values: dict[str, Any] = {
            **FAST, "home": self.folder / "home", "upload_dir": self.uploads, "database_url": self.url, "service_mode": mode,
            "openai_base_url": self.provider.url, "daily_cost_limit_usd": 0 if self.poor else 5,
        }  # fmt: skip
        worker = CONTEXT.Process(target=ingest, args=(values, kill_at, ""))
        worker.start()
        worker.join(60)
        assert worker.exitcode in ((0, -9) if kill_at else (0,))
        if worker.exitcode == -9 and kill_at in ON_THE_WIRE:
            self.wire += 1

    def _nothing_is_half(self) -> None:
        with psycopg.connect(self.url) as conn:
            for path, rows in self._rows(conn).items():
                assert rows in [self.whole[version] for version in self.history[path]], "half a document"
            ready = conn.execute("SELECT path, chunks - vectors FROM tvdb.documents WHERE state = 'ready'").fetchall()
            booked = conn.execute(
                "SELECT coalesce(sum(tokens), 0) FROM tvdb.requests WHERE paid AND state NOT IN ('held', 'released')"
            ).fetchone()
        assert all(lacking == 0 for _, lacking in ready)
        assert booked is not None
        assert booked[0] >= sum(charge.tokens for charge in self.provider.charges)
        bought = Counter(self.provider.texts)
        assert all(times <= 1 + self.wire for times in bought.values()), "a text bought twice"

    def _rows(self, conn: psycopg.Connection[Any]) -> dict[str, Rows]:
        found: dict[str, list[tuple[int, str]]] = {}
        for path, index, text in conn.execute(
            """SELECT d.path, r.chunk_index, r.text FROM tvdb.vector_rows r JOIN tvdb.documents d ON d.key = r.document_key
               ORDER BY 1, 2"""
        ):
            found.setdefault(path, []).append((index, text))
        return {path: tuple(rows) for path, rows in found.items()}

    def teardown(self) -> None:
        if not hasattr(self, "provider"):
            return
        try:
            self.down = self.poor = False
            for _ in range(4):
                self._work("REAL")
                if self._healed():
                    break
            assert self._healed()
            self._nothing_is_half()
        finally:
            self.provider.__exit__(None, None, None)
            with psycopg.connect(self.server_url, autocommit=True) as conn:
                conn.execute(f"DROP DATABASE {self.name} WITH (FORCE)")  # pyright: ignore

    def _healed(self) -> bool:
        with psycopg.connect(self.url) as conn:
            rows = self._rows(conn)
            states = dict(conn.execute("SELECT path, state FROM tvdb.documents WHERE state <> 'deleted'").fetchall())
            other = conn.execute("SELECT count(*) FROM tvdb.vector_rows WHERE provisional").fetchone()
        assert set(states) == set(self.files), "a document lost, or one too many"
        readable = {name: version for name, version in self.files.items() if version != "damaged"}
        return (
            states == {name: STATE_OF.get(version, "ready") for name, version in self.files.items()}
            and all(rows.get(name) == self.whole[version] for name, version in readable.items())
            and other == (0,)
        )


CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["tvdb_pipeline_tests.resilience.crash_points", "openai", "httpx2"])


@pytest.fixture
def life(server_url: str, template: str) -> Iterator[type[Life]]:
    """The machine on this server, knowing what each version looks like when it is whole."""
    folder = Path(tempfile.mkdtemp(prefix="tvdb-life-"))
    Life.server_url, Life.template, Life.folder = server_url, template, folder
    learning = Life()
    learning.begin()
    for version in VERSIONS:
        learning.put("a.pdf", version)
        learning._work("REAL")
        with psycopg.connect(learning.url) as conn:
            learning.whole[version] = learning._rows(conn).get("a.pdf", ())
    learning.whole["damaged"] = ()
    learning.take_away("a.pdf")
    learning.teardown()
    yield Life
    shutil.rmtree(folder, ignore_errors=True)


def test_whatever_happens_documents_are_whole_and_heal(life: type[Life]) -> None:
    profile = settings(
        max_examples=8, stateful_step_count=12, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True
    )
    run_state_machine_as_test(life, settings=profile)
