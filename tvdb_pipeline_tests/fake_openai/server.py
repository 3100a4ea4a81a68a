"""The fake provider: what it answers to each request, and what it has charged.

Belongs here: putting protocol, faults, charge log and HTTP server together. Does not: judging our ledger by them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType

from tvdb_pipeline_tests.fake_openai import answers, protocol
from tvdb_pipeline_tests.fake_openai.answers import Answer
from tvdb_pipeline_tests.fake_openai.charges import NANO_DOLLARS_A_TOKEN, Charge, ChargeLog, Entry, busiest
from tvdb_pipeline_tests.fake_openai.faults import Arrival, Fault, Refuse, Script, Spoiled, bad_input
from tvdb_pipeline_tests.fake_openai.faults import Refuse as Refusal
from tvdb_pipeline_tests.fake_openai.listener import Listener
from tvdb_pipeline_tests.fake_openai.protocol import Asked

__all__ = ["FakeOpenAI", "Refusal"]


@dataclass
class FakeOpenAI:
    """Use as a context manager. Everything but the last four may be changed while it runs.

    latency: seconds before each answer; refuse: asked about the inputs of each valid request, may return a Refusal; script:
    asked about each request, may return a fault; poison: a request holding such an input is refused; limits_left: more
    headers for each answer; cheap_vectors: see `vectors`; file, remember: see `ChargeLog`; port: 0 is a free one.

    What is refused is not charged: a fault that is charged, or lies in the vectors, gives way to a refusal, any other comes
    before it. A charge is in the bill as soon as its request has been read: before the latency, and before any byte of the
    answer.
    """

    latency: float = 0.0
    refuse: Callable[[list[str]], Refuse | None] = lambda _: None
    script: Script = lambda _: None
    poison: Callable[[str], bool] = lambda _: False
    limits_left: Callable[[], dict[str, str]] = dict
    cheap_vectors: bool = False
    file: Path | None = None
    remember: bool = True
    port: int = 0

    def __post_init__(self) -> None:
        self._book = ChargeLog(self.file, self.remember)
        self._closing = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.server_port}/v1"

    @property
    def log(self) -> list[Entry]:
        """Every request that arrived, in order."""
        return self._book.entries

    @property
    def charges(self) -> list[Charge]:
        """What was billed, in order; the bill is their sum, so clearing them begins a new one."""
        return self._book.charges

    @property
    def attempts(self) -> int:
        """How many requests arrived at all."""
        return self._book.attempts

    @property
    def keys(self) -> set[str]:
        """The API keys they carried."""
        return self._book.keys

    @property
    def texts(self) -> list[str]:
        """Every text that was billed, in order."""
        return [text for charge in self.charges for text in charge.inputs]

    @property
    def bill_nano(self) -> int:
        """What the provider charges, in nano-dollars."""
        return sum(charge.tokens for charge in self.charges) * NANO_DOLLARS_A_TOKEN

    def busiest(self, seconds: float) -> int:
        """The largest number of arrivals within any window of that length."""
        return busiest((entry.arrived for entry in self.log), seconds)

    def __enter__(self) -> FakeOpenAI:
        self._listener = Listener(self.port, self._respond, self._closing)
        self._listener.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.stop()
        self._book.close()

    def _respond(self, body: bytes, request_id: str, key: str) -> tuple[Answer, Fault | None]:
        """The answer to one request, and the fault that spoils its sending; both are in the book when this returns."""
        entry = self._book.arrive(request_id, key)
        asked = protocol.read(body)
        inputs, tokens = (asked.inputs, asked.tokens) if isinstance(asked, Asked) else ([], 0)
        fault = self.script(Arrival(entry.number, inputs, request_id, key))
        refusal = asked if isinstance(asked, Refuse) else self._refusal(inputs)
        if refusal is not None and (fault is None or fault.charged or isinstance(fault, Spoiled)):
            fault = refusal
        charged, outcome = (True, "answered") if fault is None else (fault.charged, fault.outcome)
        self._book.book(entry, inputs, tokens, charged=charged, outcome=outcome)
        self._closing.wait(self.latency)
        answer = self._answer(asked, fault, entry.number)
        self._book.finish(entry, silent=fault is not None and fault.silent)
        return answer, fault

    def _refusal(self, inputs: list[str]) -> Refuse | None:
        return bad_input() if any(map(self.poison, inputs)) else self.refuse(inputs)

    def _answer(self, asked: Asked | Refuse, fault: Fault | None, number: int) -> Answer:
        if isinstance(fault, Refuse):
            answer = answers.refusal(fault)
        elif isinstance(asked, Refuse):
            answer = answers.refusal(asked)
        else:
            answer = answers.embeddings(asked, fault, number, cheap=self.cheap_vectors)
        return replace(answer, headers={**answer.headers, "x-request-id": f"req_{number}", **self.limits_left()})
