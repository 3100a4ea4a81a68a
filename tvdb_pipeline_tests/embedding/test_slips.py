"""Slips: what stands on disk of an answer, for whom, and when it is left behind."""

from __future__ import annotations

import json
import os
import resource
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from tvdb_pipeline import waypoints
from tvdb_pipeline.database.pools import Database
from tvdb_pipeline.embedding.openai_client import OpenAIClient
from tvdb_pipeline.embedding.service import EmbeddingService
from tvdb_pipeline.embedding.slips import Label, Slips
from tvdb_pipeline_tests.embedding.provider import TEXTS, each_has_its_own_vector, states, wanted
from tvdb_pipeline_tests.fake_openai import faults
from tvdb_pipeline_tests.fake_openai.faults import Fault, in_turn
from tvdb_pipeline_tests.fake_openai.server import FakeOpenAI

Make = Callable[..., EmbeddingService]
LABEL = Label("key", 1, "text-embedding-3-small", "owner", ["a" * 64, "b" * 64])


@pytest.fixture
def at_waypoints() -> Iterator[Callable[[Callable[[str], None]], None]]:
    """Says who hears of every waypoint until the test is over."""
    yield waypoints.listen
    waypoints.listen(None)


@contextmanager
def full_disk(after: int) -> Iterator[None]:
    """No file may grow beyond so many bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (after, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def left(slips: Slips) -> list[tuple[Label, bytes]]:
    return [(label, body) for label, body, _ in slips.left_behind()]


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_what_was_written_is_found_by_whoever_comes_after(slips: Slips, slips_folder: Path) -> None:
    slip = slips.open(LABEL)
    for piece in (b"half", b"\n", b"", b"rest"):
        slip.write(piece)
    slip.leave()
    assert left(slips) == [(LABEL, b"half\nrest")]
    assert left(slips) == [(LABEL, b"half\nrest")], "it is left until it is dropped"
    for _, _, found in slips.left_behind():
        found.drop()
    assert (left(slips), list(slips_folder.iterdir())) == ([], [])


def test_nobody_else_may_read_it(slips: Slips, slips_folder: Path) -> None:
    before = os.umask(0)
    try:
        slips.open(LABEL).leave()
    finally:
        os.umask(before)
    (path,) = slips_folder.iterdir()
    assert (mode(slips_folder), mode(path)) == (0o700, 0o600)


def test_a_slip_holds_no_text_and_no_name(slips: Slips, slips_folder: Path) -> None:
    slips.open(LABEL).leave()
    (path,) = slips_folder.iterdir()
    assert path.name == "key-1.slip"
    assert json.loads(path.read_bytes()) == asdict(LABEL)


def test_a_slip_that_is_being_written_is_left_alone(slips: Slips) -> None:
    writing = slips.open(LABEL)
    writing.write(b"half")
    slips.open(replace(LABEL, attempt=2)).leave()
    assert [label.attempt for label, _ in left(slips)] == [2]
    writing.write(b", whole")
    writing.leave()
    assert [body for _, body in left(slips)] == [b"half, whole", b""]


def test_a_slip_one_takes_in_is_left_alone_by_the_others(slips: Slips) -> None:
    slips.open(LABEL).leave()
    for _ in slips.left_behind():
        assert left(slips) == []


def test_a_slip_whose_first_line_was_never_finished_is_removed(slips: Slips, slips_folder: Path) -> None:
    slips_folder.mkdir()
    for number, start in enumerate([b"", b'{"request_key": "k', b"[]\n", b'{"request_key": "k"}\n', b"\xff\n"]):
        (slips_folder / f"{number}.slip").write_bytes(start)
    slips.open(LABEL).leave()
    assert [label for label, _ in left(slips)] == [LABEL]
    assert len(list(slips_folder.iterdir())) == 1


def test_no_folder_is_no_slips(slips: Slips, slips_folder: Path) -> None:
    assert left(slips) == []
    assert not slips_folder.exists()


def test_other_files_are_none_of_its_business(slips: Slips, slips_folder: Path) -> None:
    slips_folder.mkdir()
    (slips_folder / "notes.txt").write_text("mine")
    assert left(slips) == []
    assert (slips_folder / "notes.txt").exists()


def test_a_slip_used_after_its_end_does_nothing(slips: Slips) -> None:
    slip = slips.open(LABEL)
    slip.drop()
    slip.write(b"late")
    slip.drop()
    slip.leave()
    assert left(slips) == []


def test_a_full_disk_costs_the_safety_and_never_the_answer(
    database: Database, make_service: Make, provider: OpenAIClient, slips_folder: Path
) -> None:
    with full_disk(after=5_000):
        purchase = make_service(provider).buy(wanted(*TEXTS))
    assert purchase.failure is None
    assert each_has_its_own_vector(database, TEXTS)
    assert list(slips_folder.iterdir()) == []


def test_a_half_that_the_disk_had_room_for_is_not_kept(slips: Slips, slips_folder: Path) -> None:
    slip = slips.open(LABEL)
    with full_disk(after=5_000):
        slip.write(b"x" * 10_000)
    slip.write(b"more")
    slip.leave()
    assert list(slips_folder.iterdir()) == []


def test_a_folder_that_cannot_be_written_costs_the_safety_and_never_the_answer(
    database: Database, make_service: Make, provider: OpenAIClient, slips_folder: Path
) -> None:
    slips_folder.write_text("a file where the folder should be")
    service = make_service(provider)
    assert service.buy(wanted(*TEXTS)).failure is None
    assert each_has_its_own_vector(database, TEXTS)
    service.recover()


def test_a_slip_stands_until_the_answer_is_kept_and_no_longer(
    database: Database, make_service: Make, provider: OpenAIClient, slips_folder: Path,
    at_waypoints: Callable[[Callable[[str], None]], None],
) -> None:  # fmt: skip
    stands = dict[str, bool]()
    at_waypoints(lambda name: stands.update({name: any(slips_folder.glob("*.slip"))}))
    make_service(provider).buy(wanted(*TEXTS))
    safe = ["slip.opened", "provider.asked", "provider.answering", "provider.answered", "cache.put_uncommitted"]
    assert [stands[name] for name in [*safe, "ledger.settled_uncommitted", "cache.kept"]] == [True] * 7
    assert not stands["slip.dropped"]


@pytest.mark.parametrize("fault", [faults.invalid_key(), faults.Truncate(), faults.Short(), faults.Reset(charged=True)])
def test_an_answer_that_is_worth_nothing_leaves_no_slip(
    database: Database,
    make_service: Make,
    provider: OpenAIClient,
    fake_openai: FakeOpenAI,
    slips_folder: Path,
    fault: Fault,
) -> None:
    fake_openai.script = in_turn(then=fault)
    make_service(provider).buy(wanted(*TEXTS))
    assert states(database)
    assert list(slips_folder.iterdir()) == []
