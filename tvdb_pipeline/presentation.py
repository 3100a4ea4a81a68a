"""How answers look in a terminal, and as JSON.

Belongs here: tables, progress, JSON on stdout, exit codes. Does not: getting any figure.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import PurePath
from typing import Any, cast

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from tvdb_pipeline.budget.prices import dollars
from tvdb_pipeline.documents.stages import STAGES
from tvdb_pipeline.ingest.outcomes import StageOutcome
from tvdb_pipeline.ingest.querying import Answer
from tvdb_pipeline.ingest.quoting import Quote
from tvdb_pipeline.operations.ingestion import IngestResult
from tvdb_pipeline.operations.readiness.finding import Finding

_out = Console(highlight=False, width=None if sys.stdout.isatty() else 160)
_COLOURS = {"ready": "green", "partial": "yellow", "deferred": "yellow", "rejected": "red", "failed": "red"}


def exit_code(documents: Sequence[Mapping[str, Any]]) -> int:
    """0 if every document is ready or partial, else 3."""
    return 0 if all(document["state"] in ("ready", "partial") for document in documents) else 3


class _Bars:
    """One bar a stage, on stderr."""

    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._tasks: dict[str, TaskID] = {}
        self._ended: set[str] = set()

    def expect(self, documents: int) -> None:
        for stage in STAGES if documents else ():
            if stage in self._tasks:
                # Attachments have come to light.
                total = next(shown.total for shown in self._bars.tasks if shown.id == self._tasks[stage])
                self._bars.update(self._tasks[stage], total=(total or 0) + documents)
            else:
                self._tasks[stage] = self._bars.add_task(stage, total=documents)

    def tell(self, outcome: StageOutcome) -> None:
        if outcome.stage not in self._tasks:
            return
        if outcome.status == "passed":
            self._bars.advance(self._tasks[outcome.stage])
        elif outcome.key not in self._ended:
            self._ended.add(outcome.key)
            # What does not pass here will not come to the later stages either.
            for stage in STAGES[STAGES.index(outcome.stage) :]:
                task = self._tasks[stage]
                total = next(shown.total for shown in self._bars.tasks if shown.id == task)
                self._bars.update(task, total=(total or 1) - 1)


@contextmanager
def progress() -> Generator[_Bars]:
    """A live display of a run."""
    columns = (TextColumn("{task.description:12}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as bars:
        yield _Bars(bars)


def show_ingest(result: IngestResult, *, names: bool, as_json: bool) -> None:
    """Documents, the bill of this invocation, and what waits for a word. names: whether files may be named."""
    documents = result.documents if names else [document | {"path": None} for document in result.documents]
    if as_json:
        _json(
            {
                "documents": documents, "run_ids": result.run_ids, "seconds": result.seconds,
                "texts_sent": result.texts_sent, "requests": result.requests, "cost_usd": dollars(result.cost_nano),
            }
        )  # fmt: skip
    else:
        show_status(documents, as_json=False)
        runs = f"{len(result.run_ids)} Dagster runs" if result.run_ids else "nothing to do, no run"
        _out.print(
            f"Bill: ${dollars(result.cost_nano):.6f} for {result.texts_sent} texts in {result.requests} requests; "
            f"{runs}, {result.seconds:.1f} s."
        )
        if result.removed:
            _out.print(f"Removed: {result.removed} documents whose files are gone.")
    if result.withheld:
        print(
            f"tvdb: {result.withheld} files are gone at once; nothing was removed. If that is right, say --accept-removals.",
            file=sys.stderr,
        )


def show_status(
    documents: Sequence[Mapping[str, Any]], events: Sequence[Mapping[str, Any]] | None = None, *, as_json: bool
) -> None:
    """One row a document, called by its key where `path` is None. events: the story of the only one."""
    if as_json:
        _json({"documents": documents} | ({} if events is None else {"story": events}))
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name, justify in (("document", "left"), ("state", "left"), ("pages", "right"), ("ocr", "right"), ("chunks", "right"),
                          ("vectors", "right"), ("seconds", "right"), ("cost $", "right"), ("reason", "left")):  # fmt: skip
        table.add_column(name, justify=justify, overflow="fold" if name in ("document", "reason") else "ellipsis")  # pyright: ignore[reportArgumentType]
    for document in documents:
        colour = _COLOURS.get(document["state"], "white")
        table.add_row(
            escape(_name(document["path"], document["key"])),
            f"[{colour}]{document['state']}[/]",
            str(document["pages"]),
            str(document["page_coverage"]["ocr"]),
            str(document["chunks"]),
            str(document["vectors"]),
            f"{sum(document['seconds'].values()):.2f}",
            f"{document['cost_usd']:.6f}",
            escape(_reason(document)),
        )
    _out.print(table)
    provisional = sum(document["provisional_vectors"] for document in documents)
    if provisional:
        _out.print(
            f"{provisional} vectors are provisional: made by the offline mock, to be replaced when the provider answers "
            "(it needs OPENAI_API_KEY and TVDB_PROVIDER_AGREEMENT)."
        )
    if events is not None:
        _out.print()
        _show_story(events)


def _show_story(events: Sequence[Mapping[str, Any]]) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("when (UTC)", "what", "of it"):
        table.add_column(name, overflow="fold")
    for event in events:
        at = datetime.fromisoformat(event["at"]).astimezone(UTC)
        details = [
            f"{name} {_detail(value)}"
            for name, value in event.items()
            if name not in ("at", "what") and value not in (None, {})
        ]
        table.add_row(f"{at:%Y-%m-%d %H:%M:%S.%f}"[:-3], event["what"], escape(", ".join(details)))
    _out.print(table)


def _detail(value: object) -> str:
    if isinstance(value, dict):
        parts = cast("dict[str, float]", value)
        return " ".join(f"{name} {seconds:.2f}" for name, seconds in parts.items())
    return f"{value:.6f}" if isinstance(value, float) else str(value)


def show_search(answer: Answer, *, names: bool, as_json: bool) -> None:
    """Ranked passages with their document and page. names: whether files may be named; otherwise `path` is null."""
    results = [asdict(passage) | ({} if names else {"path": None}) for passage in answer.passages]
    if as_json:
        _json({"results": results, "mode": answer.mode})
        return
    for rank, passage in enumerate(answer.passages, 1):
        model = passage.embedding_model or "full text"
        called = _name(passage.path if names else None, passage.key)
        _out.print(f"[bold]{rank}. {escape(called)}, page {passage.page}[/] (score {passage.score:.4f}, {model})")
        _out.print(passage.text, markup=False)
        _out.print()
    _out.print(f"{len(answer.passages)} passages, mode {answer.mode}.")
    for refusal in answer.refusals:
        _out.print(f"Found by full text only, as the query could not be embedded: {escape(refusal.message)}")


def show_quote(quote: Quote, *, as_json: bool) -> None:
    """What embedding would take."""
    if as_json:
        figures = asdict(quote)
        figures["cost_usd"] = dollars(figures.pop("cost_nano"))
        _json(figures)
    else:
        _out.print(
            f"{quote.documents} documents ({quote.refused} refused): {quote.texts} texts to embed with {quote.model}, "
            f"{quote.cached} cached; {quote.tokens} tokens in {quote.requests} requests, ${dollars(quote.cost_nano):.6f}."
        )
        if quote.over_limit:
            _out.print(
                f"{quote.over_limit} more cost too much each (TVDB_DOCUMENT_COST_LIMIT_USD) and would not be bought."
            )
        if not quote.affordable:
            _out.print(
                "It does not fit into what is left of today's or this hour's limits: what does not fit would wait."
            )


def show_budget(figures: Mapping[str, Any], *, as_json: bool) -> None:
    """Spent and left."""
    if as_json:
        _json(figures)
        return
    day, hour = figures["day"], figures["hour"]
    left = day["limit_usd"] - day["spent_usd"] - day["held_usd"]
    _out.print(
        f"Today (UTC): ${day['spent_usd']:.6f} spent, ${day['held_usd']:.6f} held, ${left:.6f} left of ${day['limit_usd']:.2f}. "
        f"Last hour: {hour['used_requests']} of {hour['limit_requests']} requests."
    )
    sent, taken = figures["sent"], figures["sent"]["redacted"]
    without = f", without {', '.join(f'{count} {kind}' for kind, count in taken.items())}" if taken else ""
    _out.print(f"Sent to the provider today: {sent['texts']} texts, {sent['tokens']} tokens{escape(without)}.")
    breaker = figures["breaker"]
    if breaker["state"] != "closed":
        _out.print(
            f"The provider failed ({breaker['code']}) and is left alone; it is asked again at {breaker['retry_at']}."
        )


def show_findings(findings: Sequence[Finding], *, as_json: bool) -> None:
    """Readiness, a row a question."""
    if as_json:
        _json({"findings": [asdict(finding) for finding in findings]})
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("area", "question", "", "evidence"):
        table.add_column(heading, overflow="fold")
    for finding in findings:
        verdict = "[green]pass[/green]" if finding.passed else "[red]fail[/red]"
        verdict = verdict if finding.needed else "[dim]not needed[/dim]"
        table.add_row(finding.area, finding.name, verdict, escape(finding.evidence))
    _out.print(table)


def show_keys(keys: Sequence[str], *, as_json: bool) -> None:
    """Keys, one a line."""
    if as_json:
        _json({"keys": list(keys)})
    else:
        print("\n".join(keys))


def show_deleted(key: str, rows: int, *, as_json: bool) -> None:
    """What a deletion took away."""
    if as_json:
        _json({"key": key, "rows_deleted": rows})
    else:
        _out.print(f"Deleted {key} and its {rows} rows.")


def show_exports(variables: Mapping[str, str]) -> None:
    """Shell exports, quoted; on a terminal, where people look on, without passwords."""
    from shlex import quote

    shown = sys.stdout.isatty()
    for name, value in variables.items():
        print(f"export {name}={quote(without_password(value) if shown else value)}")


def without_password(url: str) -> str:
    """The same URL with `***` for a password; anything else as it is."""
    masked = re.sub(r"(?<=://)([^:/@?#]*):[^/?#]*@", r"\1:***@", url)
    return re.sub(r"(?<=[?&])password=[^&]*", "password=***", masked)


def _reason(document: Mapping[str, Any]) -> str:
    """Why something is missing, and when it is taken up again."""
    reason: str = (document["error"] or {}).get("message", "")
    at: str | None = document["next_attempt_at"]
    if at is None or document["state"] not in ("deferred", "failed"):
        return reason
    return f"{reason} Next try: {datetime.fromisoformat(at).astimezone(UTC):%d %b %H:%M} UTC."


def _name(path: str | None, key: str) -> str:
    if path is None:
        return key
    return "".join(character if character.isprintable() else "?" for character in PurePath(path).name)


def _json(value: object) -> None:
    print(json.dumps(value, ensure_ascii=False))
