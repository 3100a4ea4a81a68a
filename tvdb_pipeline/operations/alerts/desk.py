"""Where Dagster's sensors report to.

Belongs here: their findings -> alerts, and what came of it in a sentence. Does not: finding anything. Importing this module
imports nothing heavy: the definitions name it, and a tick does the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from tvdb_pipeline.errors import TvdbError
from tvdb_pipeline.operations.alerts.alarms import Alarm, Happening
from tvdb_pipeline.settings import Settings

if TYPE_CHECKING:
    from tvdb_pipeline.operations.alerts.rounds import Round, Watcher
    from tvdb_pipeline.orchestration.alert_sensors import FailedCheck, FailedRun


class Desk:
    """For one tick. What it is told is kept in tvdb.alerts also where nobody is to be told."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def look(self) -> str:
        """Make one round of the rules. Raises TvdbError where there is no database to make it with."""
        return self._done(lambda watcher: watcher.look())

    def runs_failed(self, runs: Sequence[FailedRun]) -> str:
        """Tell of runs, each with what became of its documents. Told even where it cannot be kept: it is reported once.

        Raises TvdbError where neither can be done.
        """
        happenings = [
            Happening(
                Alarm("run_failed", run.run_id, "warning", f"Run {run.run_id} of {run.job} failed{self._ends(run)}."),
                run.run_id,
                run.at,
            )
            for run in runs
        ]
        return self._done(lambda watcher: watcher.happened(happenings, at_any_rate=True))

    def checks_failed(self, checks: Sequence[FailedCheck]) -> str:
        """Tell of evaluations, each once however often it is reported. Raises TvdbError where it cannot be kept."""
        happenings = [
            Happening(
                Alarm(
                    "check_failed",
                    check.key,
                    "warning" if check.blocking else "info",
                    f"Check {check.check} of {check.asset} did not pass for {check.key or 'no document'}.",
                ),
                str(check.number),
                check.at,
            )
            for check in checks
        ]
        return self._done(lambda watcher: watcher.happened(happenings))

    def _ends(self, run: FailedRun) -> str:
        """`: 2 rejected (encrypted), ...`, nothing where that is not known."""
        import psycopg

        from tvdb_pipeline.operations.alerts import measuring

        with suppress(psycopg.Error, TvdbError), measuring.connected(self._settings) as conn:
            ends = measuring.ends_of_run(conn, run.run_id)
            said = ", ".join(f"{number} {state} ({code})" for number, state, code in ends)
            return f": {said}" if said else ""
        return ""

    def _done(self, use: Callable[[Watcher], Round]) -> str:
        import psycopg

        from tvdb_pipeline.operations.alerts.rounds import Watcher

        watcher = Watcher(self._settings)
        try:
            done = use(watcher)
        except psycopg.Error as error:
            # The type only: a database's message may quote a value.
            raise TvdbError(
                "alerts_not_kept", f"The alerts could not be kept ({type(error).__name__}).", retryable=True
            ) from None
        told = f"{done.sent} messages sent, {done.unsent} not" if watcher.tells else "nobody to be told is set"
        return f"{done.firing} alerts fire; {told}."
