"""What is logged, by us and by libraries: names, numbers and codes, and nothing anybody wrote."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tvdb_pipeline.errors import TvdbError
from tvdb_pipeline.privacy import libraries, logs
from tvdb_pipeline.privacy.faults import Fault, described, shielded
from tvdb_pipeline.privacy.modes import private_folder

SECRET = "diagnosis of zebulon"


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """What is set for a whole process is taken back."""
    factory, warned, strict = logging.getLogRecordFactory(), warnings.showwarning, logs.strict
    yield
    logging.setLogRecordFactory(factory)
    warnings.showwarning, logs.strict = warned, strict


def said(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    [line] = capsys.readouterr().err.splitlines()
    return json.loads(line)


def test_an_event_is_one_line_of_json_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    logs.log("stage_failed", key="doc-0123456789abcdef", stage="parsed_text", code="encrypted", attempts=2, seconds=0.5)
    assert said(capsys).items() >= {
        "event": "stage_failed", "key": "doc-0123456789abcdef", "stage": "parsed_text", "code": "encrypted", "attempts": 2,
        "seconds": 0.5,
    }.items()  # fmt: skip


def test_a_field_that_is_not_allowed_is_left_out_and_named(capsys: pytest.CaptureFixture[str]) -> None:
    logs.strict = False
    logs.log("found", **{"text": SECRET, "count": 1})  # pyright: ignore[reportArgumentType]
    line = said(capsys)
    assert (line["dropped"], line["count"]) == (["text"], 1)
    assert SECRET not in str(line)


def test_such_a_field_is_an_error_in_tests() -> None:
    logs.strict = True
    with pytest.raises(TypeError, match="text"):
        logs.line("found", **{"text": SECRET})  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("value", [SECRET, "Müller", "a" * 200, "two\nlines", b"bytes", ["list"]])
def test_a_value_that_is_no_name_is_withheld(value: Any, capsys: pytest.CaptureFixture[str]) -> None:
    logs.log("found", code=value)
    assert said(capsys)["code"] == "withheld"


def test_a_library_tells_its_name_its_level_and_what_kind_of_error_it_was(capsys: pytest.CaptureFixture[str]) -> None:
    libraries.withhold()
    kept = logging.StreamHandler(sys.stderr)
    logger = logging.getLogger("openai._base_client")
    logger.addHandler(kept)
    try:
        raise ValueError(SECRET)
    except ValueError:
        logger.exception("Request: %s", {"input": SECRET})
    logger.removeHandler(kept)
    line = said(capsys)
    assert (line["logger"], line["level"], line["error"]) == ("openai._base_client", "ERROR", "ValueError")
    assert SECRET not in str(line)


def test_dagsters_own_sentences_stay_and_its_tracebacks_go(capsys: pytest.CaptureFixture[str]) -> None:
    libraries.withhold()
    kept = logging.StreamHandler(sys.stderr)
    logger = logging.getLogger("dagster.daemon.test")
    logger.addHandler(kept)
    try:
        raise ValueError(SECRET)
    except ValueError:
        logger.exception("Sensor %s failed", "upload_folder_sensor")
    logger.removeHandler(kept)
    line = capsys.readouterr().err
    assert line.startswith("Sensor upload_folder_sensor failed (ValueError at ")
    assert SECRET not in line
    assert len(line.splitlines()) == 1


def test_a_warning_tells_its_kind_and_place(capsys: pytest.CaptureFixture[str]) -> None:
    libraries.withhold()
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.showwarning = libraries.warned
        warnings.warn(SECRET, RuntimeWarning, stacklevel=1)
    line = said(capsys)
    assert (line["event"], line["error"]) == ("warning", "RuntimeWarning")
    assert line["place"].startswith("test_logs:")


def quoting(error: Callable[[], Exception]) -> Callable[[], None]:
    def raises() -> None:
        raise error() from RuntimeError(SECRET)

    return raises


@pytest.mark.parametrize(
    "error",
    [
        lambda: psycopg.errors.RaiseException(f"no room for {SECRET}"),
        lambda: UnicodeDecodeError("utf-8", SECRET.encode(), 0, 1, "no such byte"),
        lambda: KeyError(SECRET),
        lambda: FileNotFoundError(2, "No such file", f"/uploads/{SECRET}.pdf"),
    ],
)
def test_an_unforeseen_exception_is_its_type_and_place_and_nothing_behind_it(error: Callable[[], Exception]) -> None:
    with pytest.raises(Fault) as caught:
        shielded(quoting(error))
    assert f"({type(error()).__name__} at " in caught.value.message
    assert SECRET not in caught.value.message
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)


def test_a_refusal_comes_through_as_it_is_without_what_led_to_it() -> None:
    refusal = TvdbError("disk", "Free space.")

    def refused() -> None:
        try:
            raise OSError(SECRET)
        except OSError as error:
            raise refusal from error

    with pytest.raises(TvdbError) as caught:
        shielded(refused)
    assert caught.value is refusal
    assert (refusal.__cause__, refusal.__context__) == (None, None)


def test_an_interrupt_comes_through_too() -> None:
    def interrupted() -> None:
        try:
            raise KeyError(SECRET)
        except KeyError:
            raise KeyboardInterrupt from None

    with pytest.raises(KeyboardInterrupt) as caught:
        shielded(interrupted)
    assert caught.value.__context__ is None


def test_the_place_is_where_this_package_was_left() -> None:
    with pytest.raises(NotADirectoryError) as caught:
        # Raised below, in the standard library.
        private_folder(Path("/dev/null/folder"))
    assert described(caught.value).startswith("NotADirectoryError at tvdb_pipeline.privacy.modes:")


UNCAUGHT = f"""
import logging, threading, warnings
from tvdb_pipeline.privacy.process import begin
begin()
def fails(): raise ValueError({SECRET!r})
thread = threading.Thread(target=fails)
thread.start(); thread.join()
class Unclean:
    def __del__(self): raise KeyError({SECRET!r})
Unclean()
warnings.warn({SECRET!r})
logging.getLogger("httpx").warning("POST %s", {SECRET!r})
fails()
"""


def test_a_process_of_ours_ends_of_an_exception_without_its_words() -> None:
    done = subprocess.run([sys.executable, "-c", UNCAUGHT], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert SECRET not in done.stderr + done.stdout
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert [line["event"] for line in lines] == [
        "uncaught_in_thread", "uncaught_in_cleanup", "warning", "library", "uncaught",
    ]  # fmt: skip
    assert [line.get("error") for line in lines] == ["ValueError", "KeyError", "UserWarning", None, "ValueError"]
