"""What became of documents, told to Dagster many at a time.

Belongs here: collecting events of one step and writing them together. Does not: which events there are (`assets`, `checks`).

An event logged by itself costs Dagster several queries in two transactions, 9 ms in all, and a document has ten. Its storage
takes materializations of one asset in a batch; evaluations of checks it takes one by one.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from types import TracebackType
from uuid import uuid4

import dagster as dg
from dagster._core.events import DagsterEvent, DagsterEventBatchMetadata

_SECONDS = 1.0
"""No event waits longer than this, also while nothing else happens."""
_MOST = 250


class EventBatches:
    """Use as a context manager around the step: what is left is written at its end, however it ends.

    A process that is killed loses the events of its last second; the documents themselves are where they were.
    """

    def __init__(self, context: dg.AssetExecutionContext) -> None:
        self._step = context.op_execution_context.get_step_execution_context()
        self._materialized: list[dg.AssetMaterialization] = []
        self._evaluated: list[dg.AssetCheckEvaluation] = []
        self._lock, self._ending = threading.Lock(), threading.Event()
        self._failure: BaseException | None = None
        self._clock = threading.Thread(target=self._tick, name="tvdb-events", daemon=True)

    def __enter__(self) -> EventBatches:
        self._clock.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ending.set()
        self._clock.join()
        self._write()
        if kind is None and self._failure is not None:
            raise self._failure

    def add(
        self, materialization: dg.AssetMaterialization | None, evaluations: Iterable[dg.AssetCheckEvaluation]
    ) -> None:
        """Take in what became of one stage of one document. Raises what an earlier writing raised."""
        if self._failure is not None:
            raise self._failure
        with self._lock:
            if materialization is not None:
                self._materialized.append(materialization)
            self._evaluated.extend(evaluations)
            full = len(self._materialized) + len(self._evaluated) >= _MOST
        if full:
            self._write()

    def _tick(self) -> None:
        while not self._ending.wait(_SECONDS):
            try:
                self._write()
            except BaseException as error:
                # Raised where the step sees it.
                self._failure = error
                return

    def _write(self) -> None:
        with self._lock:
            materialized, self._materialized = self._materialized, []
            evaluated, self._evaluated = self._evaluated, []
            by_asset: dict[dg.AssetKey, list[dg.AssetMaterialization]] = {}
            for materialization in materialized:
                by_asset.setdefault(materialization.asset_key, []).append(materialization)
            # An evaluation is of the materialization before it.
            for batch in by_asset.values():
                name = uuid4().hex
                for number, materialization in enumerate(batch, 1):
                    mark = DagsterEventBatchMetadata(name, number == len(batch))
                    DagsterEvent.asset_materialization(self._step, materialization, mark)
            for evaluation in evaluated:
                DagsterEvent.asset_check_evaluation(self._step, evaluation)
