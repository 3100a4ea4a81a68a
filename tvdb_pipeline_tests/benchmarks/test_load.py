"""The load test and the soak: their documents, their provider, their samples and their verdicts."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pypdfium2
import pytest

from benchmarks.load import documents, promises, watching
from benchmarks.load.judging import judge
from benchmarks.load.progress import percentile
from benchmarks.load.promises import Ended, repeated
from benchmarks.load.provider import RateLimit
from benchmarks.load.traffic import FEWEST, MOST, Traffic
from tvdb_pipeline_tests.fake_openai.faults import Refuse, server_error
from tvdb_pipeline_tests.resilience.storm_figures import Figures

MONEY = Figures(
    attempts=20, admitted=20, kills=0, seconds=1.0, server_tokens=9, ledger_tokens=9, worst_window_use=0.97, busiest=4,
    window_requests=4, over_dollar_limit=0, below_bill=0, unmatched=0, stuck=0, unknown=0,
)  # fmt: skip
GOOD = Ended({"ready": 50, "partial": 1}, 0, 0, {"answered": 16, "429 rate_limit_exceeded": 4}, 9, MONEY)


def pages_of(data: bytes) -> int:
    return len(pypdfium2.PdfDocument(data))


def samples(**figures: list[float]) -> list[dict[str, float]]:
    return [dict(zip(figures, values, strict=True)) for values in zip(*figures.values(), strict=True)]


@pytest.mark.parametrize("pages", [1, 2, 12, 50])
def test_a_drawn_document_has_exactly_the_pages_asked_for(pages: int) -> None:
    assert pages_of(documents.drawn(pages, seed=3)) == pages


def test_the_mix_is_fifty_documents_of_1_to_230_pages_mostly_small_and_none_twice(tmp_path: Path) -> None:
    files = documents.write_mix(tmp_path)
    assert len(files) == len({file.read_bytes() for file in files}) == 50
    drawn = [file for file in files if "-pages" in file.name]
    assert sorted(int(file.stem.split("-")[1]) for file in drawn) == sorted([*documents.SHORT, *documents.LONG])
    assert (min(documents.SHORT), max(documents.LONG), min(documents.LONG)) == (1, 230, 50)
    assert {file.parent.name for file in files} == set(documents.PARTS)
    assert {".docx", ".eml", ".html", ".png", ".txt"} <= {file.suffix for file in files}


def test_the_provider_refuses_what_comes_too_fast_and_says_when_to_come_again() -> None:
    limit = RateLimit(2, 1.0, failing={})
    assert [limit.at(0.0), limit.at(0.5)] == [None, None]
    refused = limit.at(0.75)
    assert isinstance(refused, Refuse)
    assert (refused.status, refused.retry_after) == (429, 0.25)
    assert limit.at(1.0) is None
    assert limit.at(1.25) is not None


def test_the_provider_fails_at_the_requests_it_let_through() -> None:
    limit = RateLimit(1, 1.0, failing={2: server_error()})
    outcomes = [fault.outcome if (fault := limit.at(second)) else "answered" for second in (0.0, 0.1, 1.0, 2.0)]
    assert outcomes == ["answered", "429 rate_limit_exceeded", "500 server_error", "answered"]


def test_growth_is_the_last_quarter_against_the_second() -> None:
    steady = [500.0] * 4 + [100.0] * 12
    rising = [1.0] * 12 + [2.0] * 4
    rss, descriptors = judge(samples(rss=steady, descriptors=rising), ["rss"], ["descriptors"])
    assert (rss.early, rss.late, rss.grew) == (100.0, 100.0, False)
    assert (descriptors.early, descriptors.late, descriptors.grew) == (1.0, 2.0, True)


@pytest.mark.parametrize(
    ("early", "late", "grew"), [(100, 119, False), (100, 121, True), (1000, 1049, False), (1000, 1051, True)]
)
def test_memory_may_grow_by_twenty_megabytes_or_five_percent(early: float, late: float, grew: bool) -> None:
    (judged,) = judge(samples(rss=[early] * 8 + [late] * 8), ["rss"], [])
    assert judged.grew is grew


def test_one_busy_minute_is_no_growth() -> None:
    (judged,) = judge(samples(children=[0.0] * 14 + [7.0, 0.0]), [], ["children"])
    assert not judged.grew


def test_too_few_samples_are_not_judged() -> None:
    with pytest.raises(ValueError, match="7 samples"):
        judge(samples(rss=[1.0] * 7), ["rss"], [])


def test_a_load_that_kept_every_promise_has_no_faults() -> None:
    assert promises.faults_of(GOOD) == []


@pytest.mark.parametrize(
    ("ended", "words"),
    [
        (replace(GOOD, states={"ready": 50, "deferred": 1}), "documents ended as"),
        (replace(GOOD, wrong_rows=2), "2 documents whose rows"),
        (replace(GOOD, bought_twice=3), "3 texts bought twice"),
        (replace(GOOD, outcomes={"answered": 9}), "nobody was refused"),
        (replace(GOOD, deferred=0), "no document had to wait"),
        (replace(GOOD, money=replace(MONEY, busiest=5)), "more requests in a rolling window"),
        (replace(GOOD, money=replace(MONEY, below_bill=1)), "the ledger below the bill"),
        (replace(GOOD, money=replace(MONEY, ledger_tokens=10)), "ledger and bill differ"),
    ],
)
def test_each_broken_promise_is_named(ended: Ended, words: str) -> None:
    (fault,) = promises.faults_of(ended)
    assert fault.startswith(words)


def test_what_was_charged_for_want_of_knowledge_may_exceed_the_bill() -> None:
    assert promises.faults_of(replace(GOOD, money=replace(MONEY, ledger_tokens=10, unknown=1))) == []


def test_texts_bought_again_are_counted() -> None:
    assert repeated(["a", "b", "a", "a"]) == 2


def test_percentiles_lie_between_neighbours() -> None:
    assert percentile([0.0, 10.0, 20.0], 50) == 10.0
    assert percentile(list(range(101)), 95) == 95.0
    with pytest.raises(ValueError, match="two values"):
        percentile([1.0], 50)


def test_children_of_children_are_seen_and_those_left_out_are_not(tmp_path: Path) -> None:
    script = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'input()', sys.argv[1]])"
    command = [sys.executable, "-c", script, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as child:
        while not (grandchildren := watching.descendants(child.pid)):
            threading.Event().wait(0.01)
        family = {child.pid, *grandchildren}
        assert len(family) == 2
        assert family <= set(watching.descendants(os.getpid()))
        assert not family & set(watching.descendants(os.getpid(), without={child.pid}))
        assert watching.resident(child.pid) > watching.MB
        assert child.pid in watching.naming(tmp_path)
        child.communicate(b"\n")
    assert watching.naming(tmp_path) == []
    assert watching.resident(child.pid) == 0


def test_open_files_and_threads_are_counted(tmp_path: Path) -> None:
    own, stop = os.getpid(), threading.Event()
    files, tasks = watching.descriptors(own), watching.threads(own)
    thread = threading.Thread(target=stop.wait)
    thread.start()
    with (tmp_path / "file").open("w"):
        assert (watching.descriptors(own), watching.threads(own)) == (files + 1, tasks + 1)
    stop.set()
    thread.join()
    assert watching.descriptors(own) == files


def test_peaks_are_kept_until_they_are_taken() -> None:
    values = iter([1.0, 5.0, 2.0])
    seen = threading.Event()

    def look() -> dict[str, float]:
        value = next(values, None)
        if value is None:
            seen.set()
            return {}
        return {"all": value}

    with watching.Peaks(look, 0.001) as peaks:
        assert seen.wait(30)
        assert peaks.take() == {"all": 5.0}
        assert peaks.take() == {}


def test_traffic_fills_the_folder_and_then_keeps_its_size(tmp_path: Path) -> None:
    traffic = Traffic(tmp_path)
    for _ in range(FEWEST):
        traffic.act()
    for _ in range(60):
        traffic.act()
        assert FEWEST - 1 <= len(list(tmp_path.iterdir())) <= MOST
    assert all(traffic.acts.values())
    assert sum(traffic.acts.values()) == FEWEST + 60


def test_traffic_is_the_same_for_the_same_seed(tmp_path: Path) -> None:
    contents: list[dict[str, bytes]] = []
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        traffic = Traffic(folder, seed=5)
        for _ in range(30):
            traffic.act()
        contents.append({file.name: file.read_bytes() for file in folder.iterdir() if file.suffix != ".eml"})
    assert contents[0] == contents[1]
