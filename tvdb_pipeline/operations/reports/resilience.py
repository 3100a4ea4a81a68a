"""The report on resilience: what holds when the provider, processes, files and machines fail.

Belongs here: its targets and sections. Does not: breaking anything (`benchmarks`, `tvdb_pipeline_tests`).
"""

from __future__ import annotations

from collections.abc import Sequence

from tvdb_pipeline.operations.reports.composing import Report, Section
from tvdb_pipeline.operations.reports.judging import Target
from tvdb_pipeline.operations.reports.measures import Reached, apart, count, drill_failed, figure, percent, times
from tvdb_pipeline.operations.reports.tables import tables


def _probed(reached: Reached) -> Reached:
    """Of a run in which the breaker opened and let probes through; one on a machine too busy for that shows nothing."""
    return lambda figures: reached(figures) if figure("probes")(figures) else None


# fmt: off
TARGETS: Sequence[Target] = (
    Target("outage, found", "documents found while the provider is down", "at least", 100, "%", "outage",
           percent(("searchable",), ("documents",))),
    Target("outage, healed", "rows with a stand-in vector after it is back", "at most", 0, "rows", "outage",
           figure("provisional_after")),
    Target("outage, models", "vectors compared with those of another model", "at most", 0, "results", "outage", figure("mixed")),
    Target("breaker", "probes of many processes at once", "at most", 1, "probes", "probes", _probed(figure("together"))),
    Target("breaker, recovery", "from the provider's return until it is used, to the longest cool-down and a probe", "at most", 1,
           "times", "probes", _probed(times(("recovery_seconds",), ("longest_seconds",)))),
    Target("breaker, everyone", "processes without an answer once it is back", "at most", 0, "processes", "probes",
           figure("idle_processes")),
    Target("kills, points", "points at which a kill breaks a promise", "at most", 0, "points", "crash-points", count("broken")),
    Target("kills, parts", "promises broken by a deployment whose parts are killed", "at most", 0, "promises", "chaos",
           count("broken")),
    Target("storm, limit", "dollar windows billed over their limit, processes killed", "at most", 0, "windows", "storm",
           figure("kills", "over_dollar_limit")),
    Target("storm, ledger", "days on which the ledger is below the bill", "at most", 0, "days", "storm",
           figure("kills", "below_bill")),
    Target("storm, tokens", "between ledger and bill where nothing is killed", "at most", 0, "tokens", "storm",
           apart(("calm", "server_tokens"), ("calm", "ledger_tokens"))),
    Target("storm, leases", "reservations left behind by killed processes", "at most", 0, "reservations", "storm",
           figure("kills", "stuck")),
    Target("hostile files", "promises broken", "at most", 0, "promises", "hostile", count("broken")),
    Target("fuzz", "mutated files that ended without a type", "at most", 0, "files", "fuzz", count("untyped")),
    Target("load", "promises broken under load, with a provider that refuses", "at most", 0, "promises", "load-test",
           count("broken")),
    Target("restore drill", "the last one, whether it failed", "at most", 0, "failed", "drill", drill_failed),
    Target("tests that notice", "deliberate bugs that a test caught", "at least", 100, "%", "mutants",
           percent(("caught",), ("bugs",)), "Write the test that the bug named in the table needs."),
)
# fmt: on

REPORT = Report(
    "resilience",
    "Resilience",
    "What holds when something fails: the provider, a process at any point, many at once, a part of the deployment, or files.",
    {"Promises": TARGETS},
    (
        Section("Provider outage", "outage", tables),
        Section("Circuit breaker", "probes", tables),
        Section("Kills at named points", "crash-points", tables),
        Section("Parts of a deployment killed", "chaos", tables),
        Section("Storm of processes", "storm", tables),
        Section("Mutated files", "fuzz", tables),
        Section("Deliberate bugs", "mutants", tables),
    ),
    standing=(
        "A request that is cut off while its answer comes in is charged as unknown and asked for again: nobody can get that "
        "answer. It is the only way a text is bought twice.",
        "Compare the provider's bill with the ledger by `X-Client-Request-Id` once a month; each attempt has one.",
    ),
)
