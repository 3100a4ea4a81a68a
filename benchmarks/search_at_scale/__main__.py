"""Run it: `python -m benchmarks.search_at_scale [--rows N ...] [--mock-rows N ...] [--compare N ...]` (`make search-scale`).

Belongs here: sizes, the order of things, what is printed and kept. Does not: measuring (`measuring`).

Each source of vectors has an embedded server of its own as it is installed (shared_buffers 128 MB), whose table grows from size
to size. The kinds of index are compared at the sizes of --compare; at each size all searches are then measured on the product's
index. The mock's vectors are measured up to 100,000 rows, for time.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any

from benchmarks import grounds, recording
from benchmarks.search_at_scale import stand_in, table
from benchmarks.search_at_scale.measuring import Ground, searches, walks
from benchmarks.search_at_scale.passages import Texts, cut
from tvdb_pipeline.database.pools import Database
from tvdb_pipeline.embedding.client import Vectors
from tvdb_pipeline.embedding.mock import MockClient
from tvdb_pipeline.embedding.models import MOCK_MODEL

_QUERIES = 250
_KEPT_ROWS = 1000
"""So many rows of each size are written with the index in place: a row costs what it costs in a graph of that size."""


def measure(
    model: str,
    embed: Callable[[Sequence[str]], Vectors],
    texts: Texts,
    sizes: Sequence[int],
    compared: Collection[int],
) -> list[dict[str, Any]]:
    """One entry for each size, in a database that grows. compared: the sizes at which kinds of index are, too."""
    vectors, asked = embed(texts.passages[: max(sizes)]), embed(texts.queries)
    figures: list[dict[str, Any]] = []
    with grounds.home() as home:
        database = Database(grounds.database_in(home)).open()
        filled = 0
        for size in sizes:
            last = size - _KEPT_ROWS
            seconds = table.fill(database, model, texts.passages[filled:last], vectors[filled:last], filled)
            entry: dict[str, Any] = {"rows": size, "load_rows_per_s": round((last - filled) / seconds)}
            ground = Ground(database, model, vectors[:last], texts.queries, asked)
            if size in compared:
                entry["kinds"] = _compare(ground)
            own = table.kinds(model)[-1]
            entry["index"] = table.build(database, model, own)
            seconds = table.fill(database, model, texts.passages[last:size], vectors[last:size], last)
            entry["load_rows_per_s_indexed"] = round(_KEPT_ROWS / seconds)
            entry["walks"] = walks(Ground(database, model, vectors[:size], texts.queries, asked), own)
            entry["searches"] = searches(Ground(database, model, vectors[:size], texts.queries, asked))
            table.drop(database, model)
            _show(model, entry)
            figures.append(entry)
            filled = size
        database.close()
    return figures


def _compare(ground: Ground) -> list[dict[str, Any]]:
    compared: list[dict[str, Any]] = []
    for kind in table.kinds(ground.model):
        built = table.build(ground.database, ground.model, kind)
        compared.append({"kind": kind.name, **built, "walks": walks(ground, kind)})
        table.drop(ground.database, ground.model)
    return compared


def _show(model: str, entry: dict[str, Any]) -> None:
    print(f"\n{model}, {entry['rows']} rows: loaded at {entry['load_rows_per_s']} rows/s without the index,", end=" ")
    print(
        f"{entry['load_rows_per_s_indexed']} with it; built in {entry['index']['build_s']} s, {entry['index']['mb']} MB"
    )
    product = {"kind": "the product's", **entry["index"], "walks": entry["walks"]}
    kinds: list[dict[str, Any]] = [*entry.get("kinds", []), product]
    for kind in kinds:
        print(f"  {kind['kind']}: built in {kind['build_s']} s, {kind['mb']} MB")
        for walk in kind["walks"]:
            print(f"    ef_search {walk['ef_search']:4}: recall {walk['recall']:.3f}, p95 {walk['p95_ms']:.1f} ms")
    print(f"  {'search':22} {'p50 ms':>8} {'p95 ms':>8} {'recall@10':>10}")
    for name, found in entry["searches"].items():
        recall = f"{found['recall']:.3f}" if "recall" in found else ""
        print(f"  {name:22} {found['p50_ms']:8.1f} {found['p95_ms']:8.1f} {recall:>10}", flush=True)


def flattened(source: str, entries: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """One row for each size and search."""
    return [
        {
            "vectors": source,
            "rows": entry["rows"],
            "search": name,
            "p50_ms": found["p50_ms"],
            "p95_ms": found["p95_ms"],
            "recall_at_10": found.get("recall"),
        }
        for entry in entries
        for name, found in entry["searches"].items()
    ]


def main() -> None:
    """Measure both sources of vectors, print, keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="*", default=[10_000, 100_000, 250_000], help="with the stand-in")
    parser.add_argument("--mock-rows", type=int, nargs="*", default=[10_000, 100_000], help="with the mock")
    parser.add_argument(
        "--compare", type=int, nargs="*", default=[10_000], help="sizes at which kinds of index are compared"
    )
    parser.add_argument("--out", type=Path, default=recording.DATA, help="folder of the record")
    given = parser.parse_args()
    texts = cut(max(given.rows + given.mock_rows), _QUERIES)
    figures: dict[str, Any] = {"queries": _QUERIES}
    if given.rows:
        figures["stand_in"] = measure(
            stand_in.MODEL, stand_in.StandIn(texts.passages).embed, texts, sorted(given.rows), given.compare
        )
    if given.mock_rows:
        mock = MockClient()
        figures["mock"] = measure(
            MOCK_MODEL, lambda wanted: mock.embed(wanted).vectors, texts, sorted(given.mock_rows), given.compare
        )
    figures["rows"] = [row for source in ("stand_in", "mock") for row in flattened(source, figures.get(source, []))]
    recording.keep("search-at-scale", "make search-scale", figures, given.out)


if __name__ == "__main__":
    main()
