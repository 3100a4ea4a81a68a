"""What a search takes and what it finds, against comparing every row.

Belongs here: asking and counting. Does not: filling the table (`table`).

Timed is `vectorstore.search.search` as a whole, from the query's vector to passages with their documents, in a process that keeps
its connection; every query is asked once before it is timed. Recall@10 is the share of the ten nearest rows, by numpy over all of
them at full precision, that are among the ten found.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from psycopg import sql

from benchmarks.search_at_scale.passages import DOCUMENT_ROWS
from benchmarks.search_at_scale.table import FOLDERS, Kind, folder
from tvdb_pipeline.database.pools import Database
from tvdb_pipeline.embedding.client import Vectors
from tvdb_pipeline.vectorstore.search import Mode, documents_within, search

_NEAREST = 10


@dataclass(frozen=True, slots=True)
class Ground:
    """A filled table and what it was filled with. vectors: shape (rows, 1536); asked: of the queries, in their order."""

    database: Database
    model: str
    vectors: Vectors
    queries: Sequence[str]
    asked: Vectors


def searches(ground: Ground) -> dict[str, dict[str, float]]:
    """Each mode over all rows, and by vector within one folder of FOLDERS and within ten of them."""
    figures = {mode: _asked(ground, mode, None) for mode in ("vector", "fused", "lexical")}
    for name, share in (("vector, 1% of rows", 1), ("vector, 10% of rows", 10)):
        figures[name] = _asked(ground, "vector", share)
    for mode in ("fused", "lexical"):
        figures[f"{mode}, 1% of rows"] = _asked(ground, mode, 1)
    return figures


def walks(ground: Ground, kind: Kind) -> list[dict[str, float]]:
    """The index `build` made of this kind alone: recall and time by hnsw.ef_search."""
    figures: list[dict[str, float]] = []
    seconds: list[float] = []
    found: list[set[int]] = []
    truth = _truth(ground, None)
    query = sql.SQL(
        """SELECT document_key, chunk_index FROM
               (SELECT document_key, chunk_index, embedding FROM tvdb.vector_rows WHERE embedding_model = {model}
                ORDER BY {order} LIMIT %(candidates)s) AS candidates
           ORDER BY embedding <=> %(vector)s LIMIT 10"""
    ).format(model=sql.Literal(ground.model), order=kind.order)
    with ground.database.connection() as conn:
        conn.execute("SET LOCAL enable_sort = off")
        conn.execute("SET LOCAL jit = off")
        conn.execute("SET LOCAL hnsw.iterative_scan = relaxed_order")
        for view in kind.views:
            conn.execute(sql.SQL("SET LOCAL hnsw.ef_search = {}").format(view))
            for _ in range(2):
                seconds.clear()
                found.clear()
                for vector in ground.asked:
                    started = time.perf_counter()
                    rows = conn.execute(query, {"vector": vector, "candidates": kind.candidates}).fetchall()
                    seconds.append(time.perf_counter() - started)
                    found.append({_number(key, index) for key, index in rows})
            figures.append({"ef_search": view, "recall": _recall(found, truth), **_milliseconds(seconds)})
    return figures


def _asked(ground: Ground, mode: Mode, folders: int | None) -> dict[str, float]:
    """folders: how many of FOLDERS to search, others for each query; None: all documents, without a filter."""
    chosen = [_chosen(number, folders) for number in range(len(ground.queries))] if folders else None
    keys = {name: documents_within(ground.database, name) for name in map(folder, range(FOLDERS))} if chosen else {}
    seconds: list[float] = []
    found: list[set[int]] = []
    for _ in range(2):
        seconds.clear()
        found.clear()
        for number, (text, vector) in enumerate(zip(ground.queries, ground.asked, strict=True)):
            within = [key for place in chosen[number] for key in keys[folder(place)]] if chosen else None
            started = time.perf_counter()
            passages = search(ground.database, text, {ground.model: vector}, _NEAREST, mode=mode, within=within)
            seconds.append(time.perf_counter() - started)
            if mode == "vector":
                # `table` gives each row of a document a page of its own.
                found.append({_number(passage.key, passage.page - 1) for passage in passages})
    recall = {"recall": _recall(found, _truth(ground, chosen))} if found else {}
    return recall | _milliseconds(seconds)


def _chosen(query: int, folders: int) -> list[int]:
    return [(query * folders + offset) % FOLDERS for offset in range(folders)]


def _truth(ground: Ground, chosen: Sequence[Collection[int]] | None) -> list[set[int]]:
    """The rows really nearest to each query."""
    documents = np.arange(len(ground.vectors)) // DOCUMENT_ROWS % FOLDERS
    nearness = ground.asked @ ground.vectors.T
    if chosen:
        for row, folders in zip(nearness, chosen, strict=True):
            row[~np.isin(documents, list(folders))] = -2.0
    return [set(row.tolist()) for row in np.argpartition(-nearness, _NEAREST, axis=1)[:, :_NEAREST]]


def _number(key: str, index: int) -> int:
    return int(key.rpartition("-")[2]) * DOCUMENT_ROWS + index


def _recall(found: Sequence[set[int]], truth: Sequence[set[int]]) -> float:
    return round(float(np.mean([len(got & right) / _NEAREST for got, right in zip(found, truth, strict=True)])), 4)


def _milliseconds(seconds: Sequence[float]) -> dict[str, float]:
    p50, p95 = np.percentile(seconds, [50, 95]) * 1000
    return {"p50_ms": round(float(p50), 2), "p95_ms": round(float(p95), 2)}
