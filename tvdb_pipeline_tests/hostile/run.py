"""Every hostile file through the whole pipeline, a good document between every two: `python -m tvdb_pipeline_tests.hostile.run`.

Belongs here: the run, what must hold after it, and the table. Does not: the files (`catalogue`) or the watching (`watch`).
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tvdb_pipeline.database.pools import Database
from tvdb_pipeline.documents import registry
from tvdb_pipeline.documents.identity import identity
from tvdb_pipeline.embedding.mock import MockClient
from tvdb_pipeline.ingest.planning import come_to_light, make_plan
from tvdb_pipeline.ingest.walk import walk
from tvdb_pipeline.ingest.workshop import Workshop, build_workshop
from tvdb_pipeline.settings import Settings
from tvdb_pipeline_tests.hostile.cases import Case, Make
from tvdb_pipeline_tests.hostile.catalogue import CASES, write
from tvdb_pipeline_tests.hostile.file_system import put_strange_things
from tvdb_pipeline_tests.hostile.watch import Beacon, Canary, descendants, escaped, parsers_left, remote_ends
from tvdb_pipeline_tests.pdf_writer import flowing_pdf

CORPUS: Final = Path(os.environ.get("TVDB_CORPUS") or Path(__file__).parents[3] / "shared" / "corpus") / "hostile"
LIMITS: Final = {
    "parse_timeout_seconds": 20.0,
    "page_timeout_seconds": 5.0,
    "parse_memory_mb": 1500,
    "parse_workers": 2,
}
BATCH: Final = 60
_GRACE_SECONDS: Final = 180.0
"""Between two outcomes, where several files in a row take all the time they may."""
_GOOD = "Good document number {} is covered for hail up to $900."
_NAMED = ("ready", "partial", "rejected", "failed")


@dataclass(slots=True)
class Figures:
    """ends: (family, state, code) -> how many; slowest: (seconds, name); good, good_ready: documents between the hostile ones,
    and those of them that ended as they do alone; broken: promises that were broken, in words."""

    ends: Counter[tuple[str, str, str]] = field(default_factory=Counter[tuple[str, str, str]])
    slowest: list[tuple[float, str]] = field(default_factory=list[tuple[float, str]])
    good: int = 0
    good_ready: int = 0
    broken: list[str] = field(default_factory=list[str])


def run(settings: Settings, cases: Sequence[Case], more: Sequence[Path] = (), *, alone_here: bool = False) -> Figures:
    """All of it. more: files on disk besides the cases; settings: with an upload folder that is there, empty; alone_here: nobody
    else works in the folders and with the processes that are watched."""
    assert settings.database_url is not None
    figures, beacon = Figures(), Beacon()
    uploads = settings.upload_dir
    before = Canary(uploads.parent), descendants(os.getpid()), parsers_left(), remote_ends()
    database = Database(settings.database_url.get_secret_value()).open()
    try:
        shop = build_workshop(settings.model_copy(update=LIMITS), database, MockClient())
        alone, told = _alone(shop), 0
        strange = put_strange_things(uploads)
        listed = {entry.name for entry in uploads.iterdir()}
        hostile = [*cases, *(Case("corpus", path.name, frozenset(), _bytes_of(path)) for path in more)]
        for number, start in enumerate(range(0, len(hostile), BATCH)):
            batch = hostile[start : start + BATCH]
            goods = [f"good-{start + index:04}.pdf" for index in range(len(batch) + 1)]
            write(batch, uploads, beacon.url)
            for index, name in enumerate(goods):
                (uploads / name).write_bytes(flowing_pdf([_GOOD.format(start + index)]))
            _walk(shop, figures)
            _judge(shop, figures, batch, goods, alone)
            listed |= {case.name for case in batch} | set(goods)
            print(
                f"batch {number + 1}: {len(batch)} hostile files",
                *figures.broken[told:],
                sep="\n  ",
                file=sys.stderr,
                flush=True,
            )
            told = len(figures.broken)
        _strange(shop, figures, strange)
        if beacon.calls:
            figures.broken.append(f"{beacon.calls} connections to the planted URL")
        if alone_here:
            _watch(figures, before, {entry.name for entry in uploads.iterdir()} - listed)
    finally:
        beacon.close()
        database.close()
    return figures


def _bytes_of(path: Path) -> Make:
    return lambda _: path.read_bytes()


def _alone(shop: Workshop) -> list[tuple[str, int]]:
    """The rows of a good document that nothing hostile is near."""
    file = shop.settings.upload_dir / "good-alone.pdf"
    file.write_bytes(flowing_pdf([_GOOD.format(0)]))
    plan = make_plan(shop, [file])
    list(walk(shop, plan.stale))
    return _rows(shop, plan.keys[0])


def _rows(shop: Workshop, key: str) -> list[tuple[str, int]]:
    return shop.database.fetch(
        "SELECT text, page_start FROM tvdb.vector_rows WHERE document_key = %s ORDER BY chunk_index", (key,)
    )


def _walk(shop: Workshop, figures: Figures) -> None:
    plan = make_plan(shop, [shop.settings.upload_dir])
    due, last = plan.stale, time.monotonic()
    while due:
        for outcome in walk(shop, due):
            now = time.monotonic()
            if now - last > _GRACE_SECONDS:
                figures.broken.append(f"nothing happened for {now - last:.0f} s before {outcome.key}")
            last = now
        due = come_to_light(shop, plan)


def _judge(
    shop: Workshop, figures: Figures, batch: Sequence[Case], goods: Sequence[str], alone: list[tuple[str, int]]
) -> None:
    documents = {Path(document.path).name: document for document in registry.load(shop.database)}
    for case in batch:
        name = identity(shop.settings.upload_dir / case.name, shop.settings.upload_dir)
        document = documents.get(name)
        if document is None:
            figures.broken.append(f"{case.name!r} is no document")
            continue
        code = str(document.error["code"]) if document.error else ""
        figures.slowest.append((document.seconds.get("parse", 0.0), case.name))
        figures.ends[case.family, document.state, code] += 1
        if document.state not in _NAMED or (document.state in ("rejected", "failed") and not code):
            figures.broken.append(f"{case.name!r} ended {document.state} {code}")
        if document.state in ("ready", "partial") and not document.chunks:
            figures.broken.append(f"{case.name!r} is {document.state} with nothing in it")
        end = code if document.state in ("rejected", "failed") else document.state
        if case.ends and end not in case.ends:
            figures.broken.append(f"{case.name!r} ended {end}, not {', '.join(sorted(case.ends))}")
    expected = [text.partition("number")[0] for text, _ in alone]
    for name in goods:
        document = documents[name]
        found = _rows(shop, document.key)
        as_alone = document.state == "ready" and [text.partition("number")[0] for text, _ in found] == expected
        figures.good, figures.good_ready = figures.good + 1, figures.good_ready + as_alone
        if not as_alone:
            figures.broken.append(f"{name} ended {document.state} with {len(found)} rows")


def _strange(shop: Workshop, figures: Figures, names: Sequence[str]) -> None:
    known = {Path(document.path).name for document in registry.load(shop.database)}
    figures.broken += [f"{name} became a document" for name in names if name in known]


def _watch(figures: Figures, before: tuple[Canary, set[int], set[int], set[str]], uploads: set[str]) -> None:
    canary, children, parsers, remote = before
    broken = {
        "connections elsewhere": sorted(remote_ends() - remote),
        "files written outside": [*canary.new(), *escaped()],
        "files written to the upload folder": sorted(uploads),
        "processes left": [str(process) for process in descendants(os.getpid()) - children],
        "orphans left": [str(process) for process in parsers_left() - parsers],
    }
    figures.broken += [f"{what}: {', '.join(found)}" for what, found in broken.items() if found]


def table(figures: Figures) -> Iterator[str]:
    """The figures as lines to print."""
    yield f"{'family':12} {'state':10} {'code':18} files"
    for (family, state, code), count in sorted(figures.ends.items()):
        yield f"{family:12} {state:10} {code:18} {count:5}"
    yield f"{sum(figures.ends.values())} hostile files; the slowest:"
    yield from (f"{seconds:7.1f} s  {name}" for seconds, name in sorted(figures.slowest, reverse=True)[:10])
    yield from (f"BROKEN: {words}" for words in figures.broken)
    yield "no promise broken" if not figures.broken else f"{len(figures.broken)} promises broken"


def recorded(figures: Figures, seconds: float) -> dict[str, Any]:
    """The figures as they are kept: counts, and no name of a file."""
    states: Counter[str] = Counter()
    for (_, state, _), count in figures.ends.items():
        states[state] += count
    return {
        "files": sum(figures.ends.values()),
        "seconds": round(seconds, 1),
        "good": figures.good,
        "good_ready": figures.good_ready,
        "slowest_seconds": round(max((seconds for seconds, _ in figures.slowest), default=0.0), 1),
        "broken": figures.broken,
        "states": dict(states.most_common()),
        "rows": [
            {"family": family, "state": state, "code": code, "files": count}
            for (family, state, code), count in sorted(figures.ends.items())
        ],
    }


def main() -> None:
    """Run everything, print the table and keep it if nothing was left out; exit code 1 where a promise is broken."""
    from benchmarks import recording
    from tvdb_pipeline.database.server import start_server, stop_server

    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--only", default="", help="family to run, e.g. archive")
    only = arguments.parse_args().only
    cases = [case for case in CASES if only in ("", case.family)]
    more = sorted(CORPUS.iterdir()) if CORPUS.is_dir() and only in ("", "corpus") else []
    if not more:
        print(f"no corpus of hostile files at {CORPUS}: the generated ones only")
    started = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="tvdb-hostile-"))
    try:
        for name in ("uploads", "home", "temporary", "working"):
            (folder / name).mkdir()
        url = start_server(folder / "server", leave_running=True)
        # Folders of their own, so that nothing others do on this machine is taken for a file that got out.
        tempfile.tempdir = os.environ["TMPDIR"] = str(folder / "temporary")
        os.chdir(folder / "working")
        settings = Settings(
            home=folder / "home", upload_dir=folder / "uploads", database_url=url, service_mode="MOCK",
            hourly_request_limit=100_000,
        )  # pyright: ignore  # fmt: skip
        figures = run(settings, cases, more, alone_here=True)
    finally:
        tempfile.tempdir = None
        os.environ.pop("TMPDIR", None)
        stop_server(folder / "server")
        shutil.rmtree(folder, ignore_errors=True)
    print("\n".join(table(figures)))
    seconds = time.monotonic() - started
    print(f"{seconds:.0f} s")
    if not only:
        recording.keep("hostile", "make hostile", recorded(figures, seconds))
    sys.exit(1 if figures.broken else 0)


if __name__ == "__main__":
    main()
