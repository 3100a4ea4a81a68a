"""The provider fails in the middle of a run over many documents, and comes back: HYBRID.

Belongs here: `make outage`. Does not: the sensor that asks for the runs (`orchestration`); here the sweep is called as it does.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tvdb_pipeline.database.pools import Database
from tvdb_pipeline.documents import registry
from tvdb_pipeline.embedding.models import MOCK_MODEL
from tvdb_pipeline.embedding.modes import create_client
from tvdb_pipeline.ingest.planning import make_plan
from tvdb_pipeline.ingest.querying import answer
from tvdb_pipeline.ingest.sweeping import due
from tvdb_pipeline.ingest.walk import walk
from tvdb_pipeline.ingest.workshop import Workshop, build_workshop
from tvdb_pipeline.settings import Settings
from tvdb_pipeline_tests.fake_openai.faults import Arrival, Fault, unavailable
from tvdb_pipeline_tests.fake_openai.server import FakeOpenAI
from tvdb_pipeline_tests.pdf_writer import flowing_pdf
from tvdb_pipeline_tests.prose import paragraphs

MODEL = "text-embedding-3-small"
DOCUMENTS, BATCH = 50, 10
COOLDOWN_SECONDS = 0.5


@dataclass
class Figures:
    """searchable: documents found by a phrase of theirs during the outage; provisional: rows then and after the sweeps;
    mixed: results whose model is not that of the vector they were compared with; sweeps: until nothing was left."""

    documents: int
    searchable: int = 0
    found_by_vector: int = 0
    provisional_during: int = 0
    provisional_after: int = 0
    mixed: int = 0
    sweeps: int = 0
    seconds_to_heal: float = 0.0
    ledger_equals_bill: bool = False
    states: dict[str, int] = field(default_factory=dict[str, int])


def run(settings: Settings, documents: int) -> Figures:
    """Ingest, fail after the first batch, search, come back, sweep."""
    assert settings.database_url is not None
    figures, down = Figures(documents), list[bool]()

    def script(arrival: Arrival) -> Fault | None:
        if arrival.number == 2:
            down.append(True)  # in mid-run
        return unavailable() if down else None

    with FakeOpenAI(script=script) as provider:
        settings = settings.model_copy(
            update={
                "service_mode": "HYBRID",
                "openai_base_url": provider.url,
                "breaker_cooldown_seconds": COOLDOWN_SECONDS,
                "retry_first_wait_seconds": 0.01,
            }
        )
        for number in range(documents):
            text = [f"The word of document {_word(number)} is {_word(number)}.", *paragraphs(2, seed=number)]
            (settings.upload_dir / f"{number:03}.pdf").write_bytes(flowing_pdf(text))
        database = Database(settings.database_url.get_secret_value()).open()
        shop = build_workshop(settings, database, create_client(settings))
        plan = make_plan(shop, [settings.upload_dir])
        for start in range(0, documents, BATCH):
            list(walk(shop, plan.stale[start : start + BATCH]))
        _look(shop, figures)
        figures.provisional_during = _provisional(database)
        down.clear()
        _heal(shop, figures, lambda: list(walk(shop, [document.key for document in due(shop)])))
        figures.provisional_after = _provisional(database)
        figures.ledger_equals_bill = shop.ledger.state().spent_nano == provider.bill_nano
        for document in registry.load(database):
            figures.states[document.state] = figures.states.get(document.state, 0) + 1
        database.close()
    return figures


def _word(number: int) -> str:
    """A word no other document holds."""
    return "zq" + "".join(chr(ord("a") + int(digit)) for digit in f"{number:03}")


def _look(shop: Workshop, figures: Figures) -> None:
    """Search for each document; the queries' vectors of the real model cannot be had, those of the mock can."""
    models = {document.path: document.embedding_model for document in registry.load(shop.database)}
    for number in range(figures.documents):
        path = f"{number:03}.pdf"
        fused = answer(shop, f"word of document {_word(number)}", 3, "fused").passages
        figures.searchable += any(passage.path == path for passage in fused)
        near = answer(shop, f"word of document {_word(number)}", 3, "vector").passages
        figures.found_by_vector += any(passage.path == path for passage in near)
        # The provider is down, so the only query vectors are the mock's, and only mock rows may be compared with them.
        figures.mixed += sum(1 for passage in near if passage.embedding_model != MOCK_MODEL)
        figures.mixed += sum(1 for passage in fused if passage.embedding_model != models[passage.path])


def _provisional(database: Database) -> int:
    return database.fetch("SELECT count(*) FROM tvdb.vector_rows WHERE provisional OR embedding_model <> %s", (MODEL,))[
        0
    ][0]


def _heal(shop: Workshop, figures: Figures, sweep: Callable[[], object]) -> None:
    started = time.monotonic()
    while _provisional(shop.database) and figures.sweeps < 100:
        figures.sweeps += 1
        sweep()
        time.sleep(COOLDOWN_SECONDS / 5)
    figures.seconds_to_heal = time.monotonic() - started


def faults_of(figures: Figures) -> list[str]:
    """The promises that were broken, in words; empty if all hold."""
    broken = {
        "a document was not searchable": figures.searchable != figures.documents,
        "nothing was provisional, so nothing was shown": figures.provisional_during == 0,
        "provisional rows were left": figures.provisional_after != 0,
        "models were mixed": figures.mixed != 0,
        "the ledger is not the bill": not figures.ledger_equals_bill,
        "a document is not ready": figures.states != {"ready": figures.documents},
    }
    return [words for words, is_broken in broken.items() if is_broken]


def main() -> None:
    """Run at full size, print the figures and keep them; exit code 1 where a promise is broken."""
    from benchmarks import recording
    from tvdb_pipeline.database.server import start_server, stop_server

    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--documents", type=int, default=DOCUMENTS)
    documents = arguments.parse_args().documents
    with tempfile.TemporaryDirectory(prefix="tvdb-outage-") as name:
        folder = Path(name)
        (folder / "uploads").mkdir()
        try:
            url = start_server(folder / "server", leave_running=True)
            settings = Settings(
                home=folder / "home", upload_dir=folder / "uploads", database_url=url, openai_api_key="sk-outage",
                provider_agreement="synthetic",
            )  # pyright: ignore  # fmt: skip
            figures = run(settings, documents)
        finally:
            stop_server(folder / "server")
    for name, value in vars(figures).items():
        print(f"  {name:20} {value}")
    faults = faults_of(figures)
    print("  " + ("; ".join(faults) if faults else "every promise holds"))
    if documents == DOCUMENTS:
        recording.keep("outage", "make outage", vars(figures) | {"broken": faults})
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
