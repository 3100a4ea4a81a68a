"""Changed files of every format through admission and the parsing processes: `python -m tvdb_pipeline_tests.hostile.fuzz`.

Belongs here: the runs, and what came of them. Does not: the files (`seeds`) or the changes (`mutation`).
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Final

from tvdb_pipeline.documents.admission import HEAD_BYTES, admit
from tvdb_pipeline.errors import TvdbError
from tvdb_pipeline.parsing.parse import ParseOptions
from tvdb_pipeline.parsing.parsed import ParsedDocument
from tvdb_pipeline.parsing.pool import ParseJob, ParserPool
from tvdb_pipeline_tests.hostile.mutation import mutated
from tvdb_pipeline_tests.hostile.seeds import seeds

NOTED: Final = frozenset(
    {"parser_crashed", "parse_timeout", "out_of_memory", "parser_error", "parser_failed", "parser_answer"}
)
"""Ends that are typed, but say that a decoder was not up to the file."""
_MOST_BYTES: Final = 2_000_000
_ROUND: Final = 250


@dataclass(slots=True)
class Ends:
    """codes: end -> how often; noted: (number of the run, seed file, end, seconds) of those in NOTED; untyped: what broke the
    promise."""

    runs: int = 0
    codes: Counter[str] = field(default_factory=Counter[str])
    noted: list[tuple[int, str, str, float]] = field(default_factory=list[tuple[int, str, str, float]])
    untyped: list[str] = field(default_factory=list[str])


def changed_file(seed: int, number: int) -> tuple[str, bytes]:
    """The name and bytes of one run; the same for the same seed and number."""
    random = Random(f"{seed}/{number}")
    files = seeds()
    name, data = random.choice(files)
    return name, mutated(data, random.choice(files)[1], random)[:_MOST_BYTES]


def fuzz(runs: int, seed: int, minutes: float, *, workers: int = 2, timeout: float = 10.0, first: int = 0) -> Ends:
    """So many runs, or as many as the time allows. first: number of the first."""
    ends, deadline = Ends(), time.monotonic() + minutes * 60
    with (
        tempfile.TemporaryDirectory(prefix="tvdb-fuzz-") as folder,
        ParserPool(workers, ParseOptions(), timeout, 1500, timeout) as pool,
    ):
        for start in range(first, first + runs, _ROUND):
            if time.monotonic() > deadline:
                break
            _round(ends, pool, Path(folder), seed, range(start, min(start + _ROUND, first + runs)))
    return ends


def _round(ends: Ends, pool: ParserPool, folder: Path, seed: int, numbers: range) -> None:
    names: dict[str, str] = {}
    for result in pool.parse(list(_jobs(ends, folder, seed, numbers, names))):
        end = _end(ends, f"run {result.key} ({names[result.key]})", result.parsed)
        ends.codes[end] += 1
        if end in NOTED:
            ends.noted.append((int(result.key), names[result.key], end, result.seconds))
        (folder / result.key).unlink()
    ends.runs += len(numbers)


def _jobs(ends: Ends, folder: Path, seed: int, numbers: range, names: dict[str, str]) -> Iterator[ParseJob]:
    for number in numbers:
        name, data = changed_file(seed, number)
        try:
            media_type = admit(data[:HEAD_BYTES], len(data), name, 200 << 20)
        except TvdbError as refusal:
            ends.codes[refusal.code] += 1
            continue
        names[str(number)] = name
        (folder / str(number)).write_bytes(data)
        yield ParseJob(str(number), folder / str(number), media_type)


def _end(ends: Ends, where: str, parsed: bytes | TvdbError) -> str:
    if isinstance(parsed, TvdbError):
        return parsed.code
    try:
        document = ParsedDocument.from_json(parsed)
    except Exception as error:
        ends.untyped.append(f"{where}: {type(error).__name__}")
        return "unreadable result"
    if not any(element.text.strip() for element in document.elements):
        ends.untyped.append(f"{where}: nothing in it")
    return "partial" if document.missing or any(page.note for page in document.pages) else "read"


def main() -> None:
    """Run, print what came of it and keep it; exit code 1 where a run ended without a type."""
    from benchmarks import recording

    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--runs", type=int, default=20_000)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--minutes", type=float, default=30.0)
    arguments.add_argument("--show", type=int, help="write the file of this run to standard output instead")
    given = arguments.parse_args()
    if given.show is not None:
        sys.stdout.buffer.write(changed_file(given.seed, given.show)[1])
        return
    started = time.monotonic()
    ends = fuzz(given.runs, given.seed, given.minutes)
    seconds = time.monotonic() - started
    print(f"seed {given.seed}: {ends.runs} runs in {seconds:.0f} s")
    for code, count in ends.codes.most_common():
        print(f"{count:7} {code}")
    for number, name, end, seconds in ends.noted:
        print(
            f"{end}: run {number} (a changed {name}) after {seconds:.1f} s; --seed {given.seed} --show {number} writes it"
        )
    for words in ends.untyped:
        print(f"BROKEN: {words}")
    figures = {
        "seed": given.seed,
        "runs": ends.runs,
        "seconds": round(seconds, 1),
        "decoder_not_up_to_it": len(ends.noted),
        "untyped": ends.untyped,
        "codes": dict(ends.codes.most_common()),
    }
    recording.keep(
        "fuzz", f"python -m tvdb_pipeline_tests.hostile.fuzz --runs {given.runs} --seed {given.seed}", figures
    )
    sys.exit(1 if ends.untyped else 0)


if __name__ == "__main__":
    main()
