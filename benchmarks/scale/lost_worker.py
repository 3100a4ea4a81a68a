"""300 documents on two workers, one of which is killed in the middle.

Belongs here: doing it, and judging what came of it. Does not: the cluster (`fleet`).
"""

from __future__ import annotations

import time
from typing import Any

from benchmarks.load.documents import drawn
from benchmarks.scale import footprint
from benchmarks.scale.fleet import Fleet, fleet, kill_worker

_SECONDS, _REST_SECONDS = 600.0, 20.0
_WINDOW_SECONDS, _REQUESTS = 30, 3
"""Few enough that two workers would break the limit if each kept it alone."""


def measure(documents: int = 300) -> dict[str, Any]:
    """Figures; under `broken` a sentence for each promise that was."""
    limits = {
        "TVDB_DOCUMENTS_PER_RUN": "20",
        "TVDB_REQUEST_WINDOW_SECONDS": str(_WINDOW_SECONDS),
        "TVDB_HOURLY_REQUEST_LIMIT": str(_REQUESTS),
    }
    with fleet(limits) as cluster:
        for number in range(documents):
            cluster.upload(f"{number:03}.pdf", drawn(1 + number % 4, seed=9000 + number))
        started = time.monotonic()
        with cluster.serving(workers=2), footprint.connections(cluster.environment["TVDB_DATABASE_URL"]) as counted:
            begun = cluster.wait(lambda: cluster.states().get("ready", 0) >= documents // 3, _SECONDS / 2)
            at_kill = cluster.states()
            processes = kill_worker(cluster.home / "tvdb" / "workers" / "1")
            killed_at = time.monotonic()
            ended = cluster.wait(lambda: cluster.states() == {"ready": documents}, _SECONDS)
            healed = time.monotonic() - killed_at
            cluster.wait(lambda: not _under_way(cluster), 120)
            with footprint.connections(cluster.environment["TVDB_DATABASE_URL"]) as at_rest:
                time.sleep(_REST_SECONDS)
            return {
                "documents": documents,
                "workers": 2,
                "ready_when_killed": at_kill.get("ready", 0),
                "processes_killed": processes,
                "seconds": round(time.monotonic() - started, 1),
                "seconds_after_the_kill": round(healed, 1),
                **_judged(cluster, documents, begun and ended),
                "connections_at_once": counted.at_once,
                "connections_without_runs": at_rest.at_once,
                "a_document": footprint.left_behind(cluster.environment["TVDB_DATABASE_URL"], documents),
            }


def _under_way(cluster: Fleet) -> int:
    query = "SELECT count(*) FROM dagster.runs WHERE status NOT IN ('SUCCESS', 'FAILURE', 'CANCELED')"
    return cluster.ask(query)[0][0]


def _judged(cluster: Fleet, documents: int, ended: bool) -> dict[str, Any]:
    ledger = int(cluster.ask("SELECT coalesce(sum(cost_nano), 0) FROM tvdb.requests WHERE paid")[0][0])
    bill = cluster.provider.bill_nano
    charged = sum(entry.inputs for entry in cluster.provider.entries() if entry.charged)
    twice = charged - cluster.ask("SELECT count(*) FROM tvdb.embedding_cache")[0][0]
    runs = {row[0]: row[1] for row in cluster.ask("SELECT status, count(*) FROM dagster.runs GROUP BY 1")}

    short = cluster.ask(
        """SELECT count(*) FROM tvdb.documents d WHERE d.chunks = 0 OR d.chunks <>
               (SELECT count(embedding) FROM tvdb.vector_rows r WHERE r.document_key = d.key)"""
    )[0][0]
    busiest, states, hanging = cluster.provider.busiest(_WINDOW_SECONDS), cluster.states(), _under_way(cluster)
    broken = [
        *([] if ended else [f"documents ended as {states}"]),
        *([f"{documents - sum(states.values())} documents lost"] if sum(states.values()) != documents else []),
        *([f"{short} documents lack rows"] if short else []),
        *([f"{twice} texts bought twice"] if twice else []),
        *([f"ledger {ledger} and bill {bill} differ"] if ledger != bill else []),
        *([f"{busiest} requests within {_WINDOW_SECONDS} s, {_REQUESTS} allowed"] if busiest > _REQUESTS else []),
        *([f"{hanging} runs hang"] if hanging else []),
    ]
    return {
        "states": states, "runs": runs, "requests": len(cluster.provider.entries()), "busiest": busiest,
        "texts_bought_twice": twice, "ledger_nano": ledger, "bill_nano": bill, "broken": broken,
    }  # fmt: skip
