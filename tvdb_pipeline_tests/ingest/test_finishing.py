from __future__ import annotations

import threading
from pathlib import Path

import pytest

from tvdb_pipeline.documents import registry
from tvdb_pipeline.ingest.buying import Buying
from tvdb_pipeline.ingest.finishing import Finishing
from tvdb_pipeline.ingest.outcomes import StageOutcome
from tvdb_pipeline.ingest.planning import make_plan
from tvdb_pipeline.ingest.work import Work
from tvdb_pipeline.ingest.workshop import Workshop


def works(shop: Workshop, count: int) -> list[Work]:
    for number in range(count):
        (shop.settings.upload_dir / f"{number}.txt").write_text(f"Policy {number} covers hail.")
    keys = make_plan(shop, [shop.settings.upload_dir]).keys
    return [Work(document, 1, Path(document.path)) for document in registry.load(shop.database, keys)]


def test_every_document_comes_out_once(shop: Workshop) -> None:
    documents = works(shop, 5)

    def complete(work: Work) -> list[StageOutcome]:
        return [StageOutcome(work.key, "vector_rows", "passed")]

    with Finishing(Buying(shop, []), complete) as finishing:
        for work in documents:
            finishing.store(work)
        keys = [outcome.key for outcome in [*finishing.outcomes(), *finishing.flush()]]
    assert sorted(keys) == sorted(work.key for work in documents)


def test_what_a_thread_raises_is_raised_where_the_batch_is_walked_and_no_thread_is_left(shop: Workshop) -> None:
    def complete(work: Work) -> list[StageOutcome]:
        raise ConnectionError(work.key)

    def walked() -> None:
        with Finishing(Buying(shop, []), complete) as finishing:
            finishing.store(works(shop, 1)[0])
            list(finishing.flush())

    with pytest.raises(ConnectionError):
        walked()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith(("tvdb-buy", "tvdb-store"))]
