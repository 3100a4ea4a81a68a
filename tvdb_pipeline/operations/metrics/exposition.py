"""The figures as metrics: names, types, meanings, labels.

Belongs here: the list of all that is told. Does not: reading it (`snapshot`), or serving it (`endpoint`). Totals are counters
only where they can never fall; what may be corrected is a gauge. Every series of a counter is there from the start, at 0, so that
its first increase counts; only codes of errors come up as they occur.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import product
from typing import Final, get_args

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from tvdb_pipeline.budget.orders import Kind, Purpose
from tvdb_pipeline.budget.prices import dollars
from tvdb_pipeline.budget.reservations import State as RequestState
from tvdb_pipeline.documents.registry import State as DocumentState
from tvdb_pipeline.embedding.breaker import State as BreakerState
from tvdb_pipeline.operations.metrics.snapshot import Figures
from tvdb_pipeline.operations.metrics.totals import ENDS, FINAL, Attempt, Journal, Requests
from tvdb_pipeline.settings import Settings

_OPEN: Final = tuple(state for state in get_args(RequestState) if state not in FINAL)
_PAID: Final = {True: "yes", False: "no"}
_WAITING: Final = ("registered", "processing", "deferred", "failed")
_CODE: Final = re.compile(r"[a-z0-9_]{1,40}")


def gauge(name: str, meaning: str, value: float) -> Metric:
    """A gauge of one series."""
    return GaugeMetricFamily(name, meaning, value)


def metrics(figures: Figures, settings: Settings) -> Iterator[Metric]:
    """All that comes from the database."""
    yield from _budget(figures, settings)
    yield from _requests(figures.requests)
    yield from _breaker(figures)
    yield from _journal(figures.journal)
    yield from _documents(figures)
    yield from _database(figures)


def _budget(figures: Figures, settings: Settings) -> Iterator[Metric]:
    yield gauge("tvdb_budget_limit_dollars", "Limit of the day.", dollars(settings.daily_limit_nano))
    yield gauge("tvdb_budget_spent_dollars", "Spent today (UTC), in dollars.", dollars(figures.spent_nano))
    yield gauge("tvdb_budget_held_dollars", "Reserved for requests under way, in dollars.", dollars(figures.held_nano))
    yield gauge("tvdb_request_window_limit", "Requests allowed in the rolling hour.", settings.hourly_request_limit)
    yield gauge("tvdb_request_window_used", "Requests of the rolling hour.", figures.slots.used)
    yield gauge("tvdb_request_window_retries", "Those of them that were repeats.", figures.slots.retries)


def _requests(requests: Requests) -> Iterator[Metric]:
    labels = ["state", "purpose", "kind", "paid"]
    ended = CounterMetricFamily("tvdb_requests", "Attempts whose outcome is final, ever.", labels=labels)
    unsure = GaugeMetricFamily(
        "tvdb_requests_open", "Attempts under way, or charged as their outcome is unknown.", labels=labels
    )
    tokens = CounterMetricFamily("tvdb_tokens", "Tokens of settled requests, ever.", labels=["purpose", "paid"])
    settled = CounterMetricFamily(
        "tvdb_settled_nanodollars", "Billed as answers stated, ever, in nano-dollars.", labels=["purpose"]
    )
    unknown = GaugeMetricFamily(
        "tvdb_charged_unknown_nanodollars",
        "Counted as spent for attempts whose outcome is unknown, ever; a late answer corrects it.",
        labels=["purpose"],
    )
    purposes, kinds = get_args(Purpose), get_args(Kind)
    for family, states in ((ended, FINAL), (unsure, _OPEN)):
        for state, purpose, kind, paid in product(states, purposes, kinds, _PAID):
            count = _sum(requests, "requests", state=state, purpose=purpose, kind=kind, paid=paid)
            family.add_metric([state, purpose, kind, _PAID[paid]], count)
    for purpose in purposes:
        for paid in _PAID:
            tokens.add_metric(
                [purpose, _PAID[paid]], _sum(requests, "tokens", state="settled", purpose=purpose, paid=paid)
            )
        settled.add_metric([purpose], _sum(requests, "cost_nano", state="settled", purpose=purpose))
        unknown.add_metric([purpose], _sum(requests, "cost_nano", state="charged_unknown", purpose=purpose))
    yield from (ended, unsure, tokens, settled, unknown)


def _sum(requests: Requests, what: str, **wanted: str | bool) -> int:
    """Over the attempts whose fields are as wanted."""

    def fits(attempt: Attempt) -> bool:
        return all(getattr(attempt, name) == value for name, value in wanted.items())

    return sum(sums[what] for attempt, sums in requests.items() if fits(attempt))


def _breaker(figures: Figures) -> Iterator[Metric]:
    state = GaugeMetricFamily("tvdb_breaker_state", "1 for the state the breaker is in.", labels=["state"])
    for name in get_args(BreakerState):
        state.add_metric([name], float(name == figures.breaker.state))
    yield state
    yield gauge("tvdb_breaker_trips", "Times in a row it opened without closing.", figures.breaker.trips)
    yield CounterMetricFamily("tvdb_breaker_changes", "Changes of its state, ever.", figures.breaker.changes)


def _journal(journal: Journal) -> Iterator[Metric]:
    ends = CounterMetricFamily("tvdb_document_ends", "Walks of documents by the state they ended in.", labels=["state"])
    for state in ENDS:
        ends.add_metric([state], journal.ends[state])
    errors = CounterMetricFamily(
        "tvdb_document_errors", "Walks that ended with an error, by its code.", labels=["state", "code"]
    )
    known: dict[tuple[str, str], int] = {}
    for (state, code), count in journal.errors.items():
        label = code if _CODE.fullmatch(code) else "other"
        known[state, label] = known.get((state, label), 0) + count
    for (state, label), count in sorted(known.items()):
        errors.add_metric([state, label], count)
    stages = HistogramMetricFamily("tvdb_stage_seconds", "Seconds a stage of a walk took.", labels=["stage"])
    for stage, histogram in journal.stages.items():
        stages.add_metric([stage], histogram.cumulative(), float(histogram.seconds))
    yield from (ends, errors, stages)


def _documents(figures: Figures) -> Iterator[Metric]:
    documents = GaugeMetricFamily("tvdb_documents", "Documents by state.", labels=["state"])
    for state in get_args(DocumentState):
        documents.add_metric([state], figures.documents.get(state, 0))
    oldest = GaugeMetricFamily(
        "tvdb_oldest_waiting_seconds",
        "Since when the oldest document that waits has waited, by state.",
        labels=["state"],
    )
    for state in _WAITING:
        oldest.add_metric([state], figures.waiting.get(state, 0.0))
    yield from (documents, oldest)
    yield gauge("tvdb_documents_due", "Documents a run could take up now.", figures.due)
    yield gauge("tvdb_vector_rows", "Rows that can be searched.", figures.vector_rows)
    yield gauge(
        "tvdb_provisional_vectors", "Rows whose vector stands in for the provider's.", figures.provisional_vectors
    )
    yield gauge("tvdb_cached_texts", "Vectors kept by the hash of their text.", figures.cached_texts)


def _database(figures: Figures) -> Iterator[Metric]:
    yield gauge("tvdb_database_connections", "Connections of all clients.", figures.connections.used)
    yield gauge("tvdb_database_connections_limit", "How many there may be.", figures.connections.limit)
    yield gauge("tvdb_database_bytes", "Size of the database.", figures.database_bytes)
    beats = GaugeMetricFamily(
        "tvdb_dagster_heartbeat_age_seconds", "Since when a daemon of Dagster was last heard of.", labels=["daemon"]
    )
    for daemon, age in sorted(figures.heartbeats.items()):
        beats.add_metric([daemon.lower()], max(age, 0.0))
    yield beats
