"""The `tvdb` command as a program: its JSON, its exit codes, what it prints where."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tvdb_pipeline.settings import Settings
from tvdb_pipeline_tests.pdf_writer import flowing_pdf
from tvdb_pipeline_tests.prose import paragraphs

Run = Callable[..., subprocess.CompletedProcess[str]]
TVDB = str(Path(sys.executable).with_name("tvdb"))


@pytest.fixture
def tvdb(settings: Settings) -> Run:
    """Runs the installed command with the test's settings."""
    assert settings.database_url is not None
    variables = {
        **os.environ,
        "TVDB_HOME": str(settings.home),
        "TVDB_UPLOAD_DIR": str(settings.upload_dir),
        "TVDB_DATABASE_URL": settings.database_url.get_secret_value(),
        "TVDB_SERVICE_MODE": "MOCK",
        "TVDB_PARSE_WORKERS": "1",
    }

    def run(*arguments: str, **changes: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([TVDB, *arguments], env=variables | changes, capture_output=True, text=True, timeout=180)

    return run


def answer(done: subprocess.CompletedProcess[str]) -> Any:
    return json.loads(done.stdout)


def test_the_life_of_a_document_on_the_command_line(tvdb: Run, settings: Settings) -> None:
    folder = settings.upload_dir
    (folder / "policy.pdf").write_bytes(flowing_pdf([*paragraphs(12), "The zephyr rider covers hot air balloons."]))

    quoted = tvdb("quote", str(folder), "--json")
    assert quoted.returncode == 0, quoted.stderr
    assert answer(quoted)["cost_usd"] == 0

    first = tvdb("ingest", str(folder), "--json")
    assert first.returncode == 0, first.stderr
    body = answer(first)
    [document] = body["documents"]
    assert document["state"] == "ready"
    assert document["stage"] == "vector_rows"
    assert document["chunks"] == document["vectors"] == body["texts_sent"] == answer(quoted)["texts"]
    assert len(body["run_ids"]) == 1
    assert set(document) == {
        "key", "path", "parent", "state", "stage", "error", "next_attempt_at", "pages", "page_coverage", "chunks", "vectors",
        "provisional_vectors", "tokens", "requests", "cost_usd", "seconds", "content_sha256", "embedding_model", "bytes",
    }  # fmt: skip

    again = answer(tvdb("ingest", str(folder), "--json"))
    assert (again["run_ids"], again["texts_sent"]) == ([], 0)

    found = answer(tvdb("search", "hot air balloons", "-k", "2", "--json"))
    assert found["mode"] == "fused"
    assert found["results"][0]["key"] == document["key"]
    assert "zephyr" in found["results"][0]["text"]
    assert set(found["results"][0]) == {"key", "path", "page", "text", "score", "embedding_model"}

    budget = answer(tvdb("budget", "--json"))
    assert budget["day"] == {"limit_usd": 5.0, "spent_usd": 0.0, "held_usd": 0.0}
    assert (budget["hour"]["limit_requests"], budget["hour"]["used_requests"]) == (100, 0)

    assert tvdb("status", document["key"], "--json").returncode == 0
    assert answer(tvdb("delete", document["key"], "--json"))["rows_deleted"] == document["chunks"]
    assert answer(tvdb("status", "--json")) == {"documents": []}


def test_a_finished_document_is_archived_found_and_taken_up_again_when_it_changes(
    tvdb: Run, settings: Settings
) -> None:
    folder = settings.upload_dir
    (folder / "rider.txt").write_text("The zephyr rider covers hot air balloons.")
    assert tvdb("ingest", str(folder)).returncode == 0
    kept = tvdb("archive", "--json")
    assert answer(kept) == {"documents": 0, "runs": 0, "busy": 0, "partitions": 1}
    assert answer(tvdb("archive", "--days", "0", "--json")) == {"documents": 1, "runs": 1, "busy": 0, "partitions": 0}
    assert answer(tvdb("search", "hot air balloons", "--json"))["results"]
    assert answer(tvdb("ingest", str(folder), "--json"))["run_ids"] == []
    (folder / "rider.txt").write_text("The zephyr rider covers gliders.")
    again = answer(tvdb("ingest", str(folder), "--json"))
    assert (len(again["run_ids"]), again["documents"][0]["state"]) == (1, "ready")
    assert answer(tvdb("archive", "--json"))["partitions"] == 1


def test_an_unfit_document_ends_the_command_with_3_and_its_reason(tvdb: Run, settings: Settings) -> None:
    (settings.upload_dir / "empty.pdf").touch()
    done = tvdb("ingest", str(settings.upload_dir))
    assert done.returncode == 3
    assert "rejected" in done.stdout
    assert "The file is empty" in done.stdout.replace("\n", " ")


@pytest.mark.parametrize(
    ("arguments", "changes", "code", "sentence"),
    [
        (["ingest", "/no/such/path"], {}, 1, "The path does not exist"),
        (["status", "no-such-key"], {}, 1, "No document has this key"),
        (["search", "x", "--mode", "magic"], {}, 2, "fused, vector or lexical"),
        (["nonsense"], {}, 2, "No such command"),
        (["status"], {"TVDB_DOCUMENTS_PER_RUN": "many"}, 1, "Setting"),
        (["status"], {"TVDB_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"}, 1, "PostgreSQL cannot be reached"),
    ],
)
def test_a_refusal_is_one_sentence_on_stderr_and_never_a_traceback(
    tvdb: Run, arguments: list[str], changes: dict[str, str], code: int, sentence: str
) -> None:
    done = tvdb(*arguments, **changes)
    assert done.returncode == code
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_a_provider_that_cannot_be_reached_leaves_stdout_to_the_answer(tvdb: Run, settings: Settings) -> None:
    (settings.upload_dir / "a [draft] [red].pdf").write_bytes(flowing_pdf(["The zephyr rider."]))
    real = {
        "TVDB_SERVICE_MODE": "REAL",
        "OPENAI_API_KEY": "sk-test",
        "OPENAI_BASE_URL": "http://127.0.0.1:9/v1",
        "TVDB_PROVIDER_AGREEMENT": "synthetic",
    }
    done = tvdb("ingest", str(settings.upload_dir), "--json", **real)
    assert done.returncode == 3
    body = answer(done)
    assert body["documents"][0]["state"] == "deferred"
    assert (body["texts_sent"], body["cost_usd"]) == (0, 0)
    assert "a [draft] [red].pdf" in tvdb("status").stdout
