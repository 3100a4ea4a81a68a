"""What so many documents cost and take, from what was measured of a few.

Belongs here: multiplying what the records `bench`, `search-at-scale` and this one hold. Does not: measuring.
"""

from __future__ import annotations

from typing import Any

from benchmarks import recording
from tvdb_pipeline.budget.prices import price
from tvdb_pipeline.embedding.packing import MAX_TOKENS

PAGES = 10
"""Of the document the model is of: between a letter and a policy (44 in the bench)."""
SIZES = (10**4, 10**6, 10**8)
_MODEL = "text-embedding-3-small"
_DAILY_DOLLARS, _HOURLY_REQUESTS = 5.0, 100
_PASSAGES_TABLES = ("tvdb.vector_rows", "tvdb.embedding_cache", "tvdb.document_texts")
_GB, _HOUR = 1e9, 3600.0


def model(figures: dict[str, Any]) -> list[dict[str, Any]]:
    """A row for each of SIZES. figures: of the record `scale`. KeyError where a record lacks what is needed."""
    bench = _figures("bench")
    ours = bench["latency_seconds"]["0.59"]["ours"]
    passages, tokens = (PAGES * ours[name] / bench["pages"] for name in ("rows", "tokens"))
    text_seconds = PAGES * ours["seconds"]["median"] / bench["pages"]
    scan_seconds = PAGES * _HOUR / figures["throughput"]["workers"][0]["pages_an_hour"]
    search = _figures("search-at-scale")["stand_in"][-1]
    left = figures["lost_worker"]["a_document"]
    measured = left["tvdb.vector_rows"]["rows"]
    a_passage = sum(left[table]["bytes"] for table in _PASSAGES_TABLES) / measured
    a_document = sum(counted["bytes"] for table, counted in left.items() if table not in _PASSAGES_TABLES)
    dagster = [counted for table, counted in left.items() if table.startswith("dagster.")]
    return [
        {
            "documents": count,
            "pages": count * PAGES,
            "passages": round(count * passages),
            "usd": round(count * tokens * price(_MODEL) / 1e9, 2),
            "days_at_5_usd_a_day": round(count * tokens * price(_MODEL) / 1e9 / _DAILY_DOLLARS, 1),
            "requests": -(-round(count * tokens) // MAX_TOKENS),
            "days_at_100_requests_an_hour": round(count * tokens / MAX_TOKENS / _HOURLY_REQUESTS / 24, 1),
            "days_on_two_cores_text": round(count * text_seconds / _HOUR / 24, 1),
            "days_on_one_core_scans": round(count * scan_seconds / _HOUR / 24, 1),
            "days_of_one_writer_into_the_index": round(
                count * passages / search["load_rows_per_s_indexed"] / _HOUR / 24, 1
            ),
            "database_gb": round(count * (passages * a_passage + a_document) / _GB, 1),
            "of_it_dagster_gb": round(count * sum(counted["bytes"] for counted in dagster) / _GB, 1),
            "event_rows": round(count * left["dagster.event_logs"]["rows"]),
            "index_in_memory_gb": round(count * passages * search["index"]["mb"] / search["rows"] / 1000, 1),
            "partitions_of_100000": round(count / 100_000, 1),
        }
        for count in SIZES
    ]


def _figures(name: str) -> dict[str, Any]:
    record = recording.load(name)
    if record is None:
        raise KeyError(f"the record {name} is not there")
    return record["figures"]
