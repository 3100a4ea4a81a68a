"""Deliberate bugs, each of which the tests must catch.

Belongs here: `make mutants`: the package and its tests are copied, one bug is put in, the tests named beside it are run, and one
of them must fail. Does not: the tests. Every bug is a replacement of text that occurs once, so that the list cannot go stale.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]
_LEDGER = "budget"
_SERVICE = "embedding"


@dataclass(frozen=True)
class Mutant:
    """A bug: in `file` (of the package) `right` becomes `wrong`; `tests` (of the test package) must notice."""

    name: str
    file: str
    right: str
    wrong: str
    tests: tuple[str, ...]


MUTANTS = (
    Mutant("settled twice", "budget/reservations.py", "WHERE r.id = o.id AND o.state = ANY(%(before)s)",
           "WHERE r.id = o.id AND %(before)s::text[] IS NOT NULL", (_LEDGER,)),
    Mutant("money of a release lost", "budget/ledger.py", '"released", 0, 0,', '"released", None, None,', (_LEDGER,)),
    Mutant("slot freed too early", "budget/windows.py", "WHERE slot_until <= %s ORDER BY id",
           "WHERE slot_until <= %s::timestamptz + interval '10 minutes' ORDER BY id", (_LEDGER,)),
    Mutant("slots never freed", "budget/windows.py", "WHERE counted.slots > 0 RETURNING", "WHERE counted.slots < 0 RETURNING",
           (_LEDGER,)),
    Mutant("one slot too many", "budget/windows.py", "capacity = %s WHERE used < %s", "capacity = %s WHERE used <= %s",
           (_LEDGER,)),
    Mutant("held money forgotten", "budget/windows.py", "WHERE w.spent_nano + w.held_nano + %(cost)s <= %(limit)s",
           "WHERE w.spent_nano + %(cost)s <= %(limit)s", (_LEDGER,)),
    Mutant("lapsed requests released", "budget/reservations.py",
           "SET state = CASE l.state WHEN 'held' THEN 'released' ELSE 'charged_unknown' END",
           "SET state = 'released'", (_LEDGER,)),
    Mutant("reservations not one after the other", "budget/windows.py", "FROM tvdb.request_window FOR UPDATE",
           "FROM tvdb.request_window", (_LEDGER, "resilience/test_storm.py")),
    Mutant("retry budget ignored", "budget/ledger.py", 'if order.kind == "retry" and', "if False and", (_LEDGER, _SERVICE)),
    Mutant("document limit ignored", "budget/ledger.py", "> self.limits.document_nano", "> 10**18", (_LEDGER,)),
    Mutant("sent after the lease", "budget/ledger.py", "AND state = 'held' AND lease_until > %s\"",
           "AND state = 'held' AND %s IS NOT NULL\"", (_LEDGER,)),
    Mutant("index of vectors ignored", "embedding/answers.py", 'vectors[item["index"]] = row',
           "vectors[items.index(item)] = row", (_SERVICE,)),
    Mutant("retries without end", "embedding/attempts.py", "MAX_ATTEMPTS: Final = 3", "MAX_ATTEMPTS: Final = 12", (_SERVICE,)),
    Mutant("timeouts taken for free", "embedding/failures.py",
           '"The provider did not answer in time; it is asked again later.", again=True, breaker="counts", billed="unknown"',
           '"The provider did not answer in time; it is asked again later.", again=True, breaker="counts", billed="no"',
           (_SERVICE,)),
    Mutant("refused requests trip the breaker", "embedding/failures.py",
           'see docs/operations.md.", retryable=False)', 'see docs/operations.md.", retryable=False, breaker="counts")',
           (_SERVICE,)),
    Mutant("late results close the breaker", "embedding/breaker.py", "WHERE epoch = %s AND state = %s AND (state",
           "WHERE %s IS NOT NULL AND state = %s AND (state", (_SERVICE,)),
    Mutant("everyone a probe", "embedding/breaker.py", "return done.rowcount == 1", "return True", (_SERVICE,)),
    Mutant("slip dropped before its vectors are kept", "embedding/attempts.py", "        passed(\"provider.answered\")\n",
           "        slip.drop()\n        passed(\"provider.answered\")\n", ("resilience/test_crash_points.py",)),
    Mutant("texts bought by two at once", "embedding/service.py", "if wanted.sha256 in mine]", "]", (_SERVICE,)),
    Mutant("stand-ins taken for real", "embedding/service.py", "Bought(fallback.model, True)", "Bought(fallback.model, False)",
           (_SERVICE, "resilience/test_outage.py")),
    Mutant("refused texts forgotten", "embedding/service.py", "refused.note(conn, self.client.model, found)", "pass",
           (_SERVICE,)),
    Mutant("late writers accepted", "documents/registry.py", "WHERE key = %(_key)s AND fence = %(_fence)s",
           "WHERE key = %(_key)s AND %(_fence)s IS NOT NULL", ("documents",)),
)  # fmt: skip


def caught(mutant: Mutant, folder: Path) -> str:
    """The test that failed with the bug in place; empty if none did. folder: a copy of the project, restored afterwards."""
    file = folder / "tvdb_pipeline" / mutant.file
    right = file.read_text()
    file.write_text(right.replace(mutant.right, mutant.wrong))
    try:
        # State machines last: they take a minute to shrink what they found.
        return _first_failure(folder, mutant.tests, "not machine") or _first_failure(folder, mutant.tests, "machine")
    finally:
        file.write_text(right)


def _first_failure(folder: Path, tests: tuple[str, ...], which: str) -> str:
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-x",
        "-q",
        "-k",
        which,
        "-p",
        "no:cacheprovider",
        "--tb=no",
        "--no-header",
    ]
    command += [f"tvdb_pipeline_tests/{test}" for test in tests]
    done = subprocess.run(
        command, cwd=folder, env=os.environ | {"PYTHONPATH": str(folder)}, capture_output=True, text=True
    )
    failed = [line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    return failed[0].split(" - ")[0].removeprefix("FAILED ").removeprefix("ERROR ") if failed else ""


def main() -> None:
    """Put in one bug after the other, print what caught it, keep it if all were tried; exit code 1 where one went unnoticed."""
    from benchmarks import recording

    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--only", default="", help="only bugs whose name holds this")
    chosen = [mutant for mutant in MUTANTS if arguments.parse_args().only in mutant.name]
    rows: list[dict[str, str]] = []
    with tempfile.TemporaryDirectory(prefix="tvdb-mutants-") as name:
        folder = Path(name)
        for part in ("tvdb_pipeline", "tvdb_pipeline_tests"):
            shutil.copytree(CHECKOUT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
        for part in ("pyproject.toml", "dagster.yaml", "workspace.yaml", ".env.base", ".env.development"):
            shutil.copy(CHECKOUT / part, folder / part)
        for mutant in chosen:
            by = caught(mutant, folder)
            rows.append({"bug": mutant.name, "caught_by": by or "no test"})
            print(f"{mutant.name:42} {by or 'NOT CAUGHT'}", flush=True)
    caught_ones = sum(row["caught_by"] != "no test" for row in rows)
    print(f"{len(chosen)} deliberate bugs, {caught_ones} caught")
    if len(chosen) == len(MUTANTS):
        recording.keep("mutants", "make mutants", {"bugs": len(chosen), "caught": caught_ones, "rows": rows})
    sys.exit(0 if caught_ones == len(chosen) else 1)


if __name__ == "__main__":
    main()
