"""The whole service for one test session: `tvdb dev` on a folder of its own, and the fake provider.

Belongs here: starting, ending, and its folders. Does not: the browser.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from types import TracebackType

from tvdb_pipeline_tests.fake_openai.process import CHECKOUT, ServerProcess

SECONDS_TO_START, SECONDS_TO_END = 300, 60


class Service:
    """Use as a context manager. url: of the UI; uploads: the folder the sensor watches."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="tvdb-ui-"))
        self.uploads = self._folder / "uploads"
        self.uploads.mkdir()
        self._provider = ServerProcess(self._folder / "charges.jsonl", cheap_vectors=False)
        port = _free_port()
        self.url = f"http://127.0.0.1:{port}"
        self._command = [str(Path(sys.executable).with_name("tvdb")), "dev", "--port", str(port)]

    def __enter__(self) -> Service:
        self._provider.__enter__()
        self._environment = {
            **os.environ,
            "TVDB_HOME": str(self._folder / "home"),
            "TVDB_UPLOAD_DIR": str(self.uploads),
            "TVDB_SERVICE_MODE": "REAL",
            "OPENAI_API_KEY": "sk-test",
            "OPENAI_BASE_URL": self._provider.url,
            "TVDB_PROVIDER_AGREEMENT": "synthetic",
            "TVDB_SENSOR_INTERVAL_SECONDS": "5",
            "TVDB_DOCUMENTS_PER_RUN": "4",
        }
        self._log = (self._folder / "dev.log").open("wb")
        self._process = subprocess.Popen(
            self._command, env=self._environment, cwd=CHECKOUT, stdout=self._log, stderr=subprocess.STDOUT,
            start_new_session=True,
        )  # fmt: skip
        try:
            self._wait_until_up()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self._log.close()
        subprocess.run(
            [self._command[0], "stop"], env=self._environment, cwd=CHECKOUT, check=False, capture_output=True
        )
        self._provider.__exit__(None, None, None)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _wait_until_up(self) -> None:
        deadline = time.monotonic() + SECONDS_TO_START
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                break
            try:
                with urllib.request.urlopen(f"{self.url}/server_info", timeout=5):
                    return
            except OSError:
                time.sleep(1)
        raise RuntimeError(f"tvdb dev did not start:\n{(self._folder / 'dev.log').read_text()[-3000:]}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
