"""A process is killed at every named point, and whoever comes after it finishes the work.

Belongs here: `make crash-points`, and the ground it shares with the test of the same name. Does not: what happens between the
points. An upload folder goes through five states; each was ingested once without a fault, for reference, and the database and
home before it were kept. For each point, the state it first occurs in is ingested from there, the process is killed (SIGKILL)
on reaching the point, and a second one ingests again. Then everything must be as in the reference.
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from tvdb_pipeline import waypoints
from tvdb_pipeline.database.pools import Database
from tvdb_pipeline.embedding.modes import create_client
from tvdb_pipeline.ingest.planning import make_plan
from tvdb_pipeline.ingest.removal import remove
from tvdb_pipeline.ingest.walk import walk
from tvdb_pipeline.ingest.workshop import build_workshop
from tvdb_pipeline.settings import Settings
from tvdb_pipeline_tests.fake_openai.faults import Arrival, Fault, unavailable
from tvdb_pipeline_tests.fake_openai.server import FakeOpenAI
from tvdb_pipeline_tests.pdf_writer import flowing_pdf
from tvdb_pipeline_tests.prose import paragraphs

ON_THE_WIRE = frozenset({"provider.answering"})
"""Killed while the answer is coming in: the provider has billed it, half of it is lost, and nobody can get it again."""
UNKNOWN_OUTCOME = frozenset({*ON_THE_WIRE, "ledger.sent", "slip.opened", "provider.asked", "provider.refused"})
"""Killed between the note that a request is about to leave and the end of its answer: it is booked as if billed."""
_POISON = "This clause is refused by the provider for reasons of its own."
FAST: dict[str, Any] = {
    "parse_workers": 1, "claim_lease_seconds": 0.6, "reservation_lease_seconds": 0.3, "request_timeout_seconds": 1.0,
    "retry_first_wait_seconds": 0.0, "retry_longest_wait_seconds": 0.1, "breaker_cooldown_seconds": 0.05,
    "openai_api_key": "sk-test", "provider_agreement": "synthetic", "service_mode": "REAL",
}  # fmt: skip


def _policy(seed: int, *more: str) -> bytes:
    return flowing_pdf([*paragraphs(3, seed=seed), *more])


@dataclass(frozen=True)
class Step:
    """A state of the upload folder, and under what it is ingested. down: the provider answers nothing but 503."""

    name: str
    files: dict[str, bytes]
    settings: dict[str, Any] = field(default_factory=dict)
    down: bool = False


def steps() -> list[Step]:
    """The states, one after the other."""
    first = {
        "a.pdf": _policy(1), "b.pdf": _policy(2), "copy.pdf": _policy(1), "damaged.pdf": b"%PDF-1.7\nnothing of use",
        "refused.pdf": _policy(3, _POISON),
    }  # fmt: skip
    changed = {**first, "a.pdf": _policy(4)}
    del changed["b.pdf"]
    poorer = {**changed, "c.pdf": _policy(5)}
    return [
        Step("new", first),
        Step("changed and removed", changed),
        Step("over the limit", poorer, {"daily_cost_limit_usd": 0}),
        Step("limit raised", poorer),
        Step("provider down", {**poorer, "d.pdf": _policy(6)}, {"service_mode": "HYBRID"}, down=True),
    ]


def ingest(values: dict[str, Any], kill_at: str, passed: str) -> None:
    """What a worker does, in a process of its own. passed: a file that gets the name of every point; empty for none."""

    def listen(name: str) -> None:
        if name == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        if passed:
            with Path(passed).open("a") as file:
                file.write(name + "\n")

    waypoints.listen(listen)
    settings = Settings(**values)
    assert settings.database_url is not None
    database = Database(settings.database_url.get_secret_value()).open()
    shop = build_workshop(settings, database, create_client(settings))
    plan = make_plan(shop, [settings.upload_dir])
    list(walk(shop, plan.stale))
    remove(shop, plan.gone, "vanished")
    database.close()


@dataclass
class Outcome:
    """How the world stands after a step: documents and rows in full, texts the provider charged for in it.

    booked_tokens: what the ledger holds for good, all steps; billed_tokens: what the provider charged for, this step.
    """

    documents: list[tuple[Any, ...]]
    rows: list[tuple[Any, ...]]
    charged: Counter[str]
    booked_tokens: int
    billed_tokens: int
    unfinished: int

    def booked_since(self, before: Outcome | None) -> int:
        """What the ledger booked in this step."""
        return self.booked_tokens - (before.booked_tokens if before else 0)


class World:
    """The steps' databases and homes, and a provider. folder: for homes; url: of a PostgreSQL server."""

    def __init__(self, url: str, folder: Path) -> None:
        self._url, self._folder = url, folder
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload([__name__, "openai", "httpx2", "tvdb_pipeline.parsing.pool"])
        self.steps = steps()
        self.provider = FakeOpenAI()
        self.provider.poison = lambda text: _POISON in text
        self.references: list[Outcome] = []
        self.first_seen: dict[str, int] = {}

    def __enter__(self) -> World:
        self.provider.__enter__()
        Database(self._create("before_0", None)).open().close()
        (self._folder / "before_0").mkdir()
        for number, step in enumerate(self.steps):
            self._copy(f"before_{number}", f"before_{number + 1}")
            trace = self._folder / f"points_{number}"
            charged = len(self.provider.charges)
            assert self._run(step, f"before_{number + 1}", trace=str(trace)) == 0, step.name
            self.references.append(self._outcome(f"before_{number + 1}", charged))
            for name in trace.read_text().split():
                self.first_seen.setdefault(name, number)
        return self

    def __exit__(self, *_: object) -> None:
        self.provider.__exit__(None, None, None)
        for number in range(len(self.steps) + 1):
            self._drop(f"before_{number}")

    def killed_at(self, point: str) -> list[str]:
        """The promises broken by the step in which the process was killed at `point` and another one went on; [] if none."""
        expected, found = self.outcomes(point)
        return faults_of(point, expected, found, self.first_seen[point] and self.references[self.first_seen[point] - 1])

    def outcomes(self, point: str) -> tuple[Outcome, Outcome]:
        """The reference, and what came of the step with a kill."""
        number = self.first_seen[point]
        step, name = self.steps[number], f"killed_{os.getpid()}"
        self._copy(f"before_{number}", name)
        charged = len(self.provider.charges)
        try:
            assert self._run(step, name, kill_at=point) == -signal.SIGKILL, f"not killed at {point}"
            assert self._run(step, name) == 0, f"could not go on after {point}"
            return self.references[number], self._outcome(name, charged)
        finally:
            self._drop(name)
            shutil.rmtree(self._folder / name)

    def _run(self, step: Step, name: str, kill_at: str = "", trace: str = "") -> int | None:
        uploads = self._folder / name / "uploads"
        uploads.mkdir(parents=True, exist_ok=True)
        for file in uploads.iterdir():
            if file.name not in step.files:
                file.unlink()
        for file_name, body in step.files.items():
            (uploads / file_name).write_bytes(body)
        self.provider.script = _down if step.down else _up
        values = {
            **FAST, "home": self._folder / name / "home", "upload_dir": uploads, "database_url": self._named(name),
            "openai_base_url": self.provider.url, **step.settings,
        }  # fmt: skip
        process = self._context.Process(target=ingest, args=(values, kill_at, trace))
        process.start()
        process.join(60)
        if process.exitcode is None:
            process.kill()
            process.join()
            return None
        return process.exitcode

    def _outcome(self, name: str, charged_before: int) -> Outcome:
        charges = self.provider.charges[charged_before:]
        with psycopg.connect(self._named(name)) as conn:
            return Outcome(
                documents=conn.execute(
                    """SELECT replace(path, %s, ''), state, stage, error ->> 'code', chunks, vectors, provisional_vectors,
                              embedding_model, pages, content_sha256 FROM tvdb.documents ORDER BY 1""",
                    (str(self._folder / name),),
                ).fetchall(),
                rows=conn.execute(
                    """SELECT d.path, r.chunk_index, r.text, r.page_start, r.mode, r.embedding_model, md5(r.embedding::text)
                       FROM tvdb.vector_rows r JOIN tvdb.documents d ON d.key = r.document_key ORDER BY 1, 2"""
                ).fetchall(),
                charged=Counter(text for charge in charges for text in charge.inputs),
                booked_tokens=_number(
                    conn,
                    "SELECT coalesce(sum(tokens), 0) FROM tvdb.requests WHERE paid AND state NOT IN ('released', 'held')",
                ),
                billed_tokens=sum(charge.tokens for charge in charges),
                unfinished=_number(conn, "SELECT count(*) FROM tvdb.documents WHERE state = 'processing'"),
            )

    def _named(self, name: str) -> str:
        return self._url.replace("/postgres?", f"/crash_{os.getpid()}_{name}?", 1)

    def _create(self, name: str, template: str | None) -> str:
        with psycopg.connect(self._url, autocommit=True) as conn:
            like = f" TEMPLATE crash_{os.getpid()}_{template}" if template else ""
            conn.execute(f"CREATE DATABASE crash_{os.getpid()}_{name}{like}")  # pyright: ignore
        return self._named(name)

    def _copy(self, source: str, target: str) -> None:
        self._create(target, source)
        shutil.copytree(self._folder / source, self._folder / target)

    def _drop(self, name: str) -> None:
        with psycopg.connect(self._url, autocommit=True) as conn:
            conn.execute(f"DROP DATABASE IF EXISTS crash_{os.getpid()}_{name} WITH (FORCE)")  # pyright: ignore


def _up(_: Arrival) -> Fault | None:
    return None


def _down(_: Arrival) -> Fault | None:
    return unavailable()


def _number(conn: psycopg.Connection[Any], query: str) -> int:
    row = conn.execute(query).fetchone()  # pyright: ignore
    assert row is not None
    return int(row[0])


def faults_of(point: str, expected: Outcome, found: Outcome, before: Outcome | None) -> list[str]:
    """The promises that were broken, in words; empty if all hold. before: the reference of the step before."""
    twice = found.charged - expected.charged
    booked, billed = found.booked_since(before), found.billed_tokens
    broken = {
        "documents differ from a run without faults": found.documents != expected.documents,
        "rows differ from a run without faults": found.rows != expected.rows,
        "a document is left processing": found.unfinished > 0,
        "a text bought twice": bool(twice) and point not in ON_THE_WIRE,
        "a text never bought": bool(expected.charged - found.charged),
        "the ledger is below the bill": booked < billed,
        "the ledger differs although every outcome is known": booked != billed and point not in UNKNOWN_OUTCOME,
    }
    return [words for words, is_broken in broken.items() if is_broken]


def main(points: Sequence[str] = waypoints.WAYPOINTS) -> None:
    """Kill at every point, print what came of it and keep it; exit code 1 where a promise is broken."""
    from benchmarks import recording
    from tvdb_pipeline.database.server import start_server, stop_server

    broken: dict[str, list[str]] = {}
    with tempfile.TemporaryDirectory(prefix="tvdb-crash-") as name:
        folder = Path(name)
        try:
            with World(start_server(folder / "server", leave_running=True), folder) as world:
                for point in points:
                    faults = world.killed_at(point)
                    broken |= {point: faults} if faults else {}
                    print(f"{point:32} {'; '.join(faults) or 'as without a kill'}", flush=True)
        finally:
            stop_server(folder / "server")
    print(
        f"{len(points)} points, {len(broken)} with a broken promise; texts are bought again after {', '.join(ON_THE_WIRE)} only"
    )
    figures = {"points": len(points), "bought_again_after": sorted(ON_THE_WIRE), "broken": broken}
    if points == waypoints.WAYPOINTS:
        recording.keep("crash-points", "make crash-points", figures)
    sys.exit(1 if broken else 0)


if __name__ == "__main__":
    main()
