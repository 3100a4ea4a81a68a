"""The fake provider as a child process, for load from many client processes.

Belongs here: starting it, ending it, and reading its log. Does not: serving.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from tvdb_pipeline_tests.fake_openai.charges import NANO_DOLLARS_A_TOKEN, Entry, busiest

CHECKOUT = Path(__file__).parents[2]
SECONDS_TO_END = 20


@dataclass
class ServerProcess:
    """Use as a context manager. log: the file its charge log is appended to; latency: seconds; cheap_vectors: see `vectors`."""

    log: Path
    latency: float = 0.0
    cheap_vectors: bool = True

    def __enter__(self) -> ServerProcess:
        command = [sys.executable, "-m", "tvdb_pipeline_tests.fake_openai"]
        command += ["--log", str(self.log.absolute()), "--latency", str(self.latency)]
        command += ["--cheap-vectors"] if self.cheap_vectors else []
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=CHECKOUT)
        assert self._process.stdout is not None
        self.url = self._process.stdout.readline().strip()
        if not self.url:
            raise RuntimeError(f"the fake provider did not start: exit code {self._process.wait()}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        try:
            self.exit_code = self._process.wait(SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self.exit_code = self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def entries(self) -> list[Entry]:
        """What has been written down so far, in the order it was answered."""
        if not self.log.exists():
            return []
        return [Entry(**json.loads(line)) for line in self.log.read_text().splitlines()]

    @property
    def bill_nano(self) -> int:
        """What the provider charges, in nano-dollars."""
        return sum(entry.tokens for entry in self.entries() if entry.charged) * NANO_DOLLARS_A_TOKEN

    def busiest(self, seconds: float) -> int:
        """The largest number of arrivals within any window of that length."""
        return busiest((entry.arrived for entry in self.entries()), seconds)
