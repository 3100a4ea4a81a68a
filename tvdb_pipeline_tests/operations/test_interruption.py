"""Ctrl-C is answered with one sentence, and the next command goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

from tvdb_pipeline.database.pools import Database
from tvdb_pipeline.operations.overview import overview
from tvdb_pipeline.settings import Settings
from tvdb_pipeline_tests.fake_openai.server import FakeOpenAI


def test_an_interrupted_ingest_says_so_and_the_next_one_goes_on(settings: Settings, database: Database) -> None:
    (settings.upload_dir / "policy.txt").write_text(
        "Hail damage to the roof is covered after a deductible of 500 dollars."
    )
    assert settings.database_url is not None
    with FakeOpenAI(latency=5.0) as server:
        environment = os.environ | {
            "TVDB_HOME": str(settings.home),
            "TVDB_DATABASE_URL": settings.database_url.get_secret_value(),
            "TVDB_SERVICE_MODE": "REAL",
            "TVDB_PROVIDER_AGREEMENT": "synthetic",
            "OPENAI_API_KEY": "sk-test",
            "OPENAI_BASE_URL": server.url,
        }
        command = [sys.executable, "-m", "tvdb_pipeline.cli", "ingest", str(settings.upload_dir)]
        with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
            end = time.monotonic() + 60
            while not server.attempts and process.poll() is None and time.monotonic() < end:
                time.sleep(0.05)
            assert server.attempts == 1
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=60)
        assert process.returncode == 1
        assert said.splitlines()[-1].startswith("tvdb: Interrupted; nothing half-done was kept")
        server.latency = 0.0
        again = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert again.returncode == 0, again.stderr
    assert [document["state"] for document in overview(database)] == ["ready"]
