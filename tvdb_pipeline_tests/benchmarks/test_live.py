"""The comparison with a live provider, against the fake one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tvdb_pipeline_tests.fake_openai.faults import Arrival, Fault, invalid_key
from tvdb_pipeline_tests.fake_openai.server import FakeOpenAI

CHECKOUT = Path(__file__).parents[2]


def live(**variables: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("OPENAI_", "TVDB_"))}
    command = [sys.executable, "benchmarks/live.py"]
    return subprocess.run(command, cwd=CHECKOUT, env=kept | variables, capture_output=True, text=True, timeout=120)


def test_without_a_key_it_says_so_and_does_nothing() -> None:
    done = live()
    assert (done.returncode, done.stderr) == (0, "")
    assert "OPENAI_API_KEY is not set: nothing was sent" in done.stdout


def test_ledger_and_provider_agree_and_a_bad_key_is_told_apart(fake_openai: FakeOpenAI) -> None:
    def guard(arrival: Arrival) -> Fault | None:
        return None if arrival.key == "sk-good" else invalid_key()

    fake_openai.script = guard
    done = live(OPENAI_API_KEY="sk-good", OPENAI_BASE_URL=fake_openai.url)
    assert done.returncode == 0, done.stdout + done.stderr
    tokens = sum(charge.tokens for charge in fake_openai.charges)
    assert f"tokens by the provider's usage {tokens}, by the ledger {tokens}" in done.stdout
    assert "an invalid key is classified as: auth" in done.stdout
    assert "sk-good" not in done.stdout + done.stderr
