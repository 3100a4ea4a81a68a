"""Every way a provider can fail us, classified once.

Belongs here: the table of codes with what each means for retries, breaker and user, and the error that carries it. Does not:
telling from an exception which code it is (`openai_client`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from tvdb_pipeline.errors import TvdbError

Billed = Literal["no", "unknown"]
Verdict = Literal["ignores", "counts", "trips"]


@dataclass(frozen=True, slots=True)
class Failure:
    """What one code means.

    advice: one sentence for people; again: whether another attempt within seconds may help; retryable: whether the same texts
    may succeed later, so that their document is deferred; breaker: whether it counts for the breaker, or trips it at once;
    billed: whether the attempt may have cost money all the same.
    """

    advice: str
    again: bool = False
    retryable: bool = True
    breaker: Verdict = "ignores"
    billed: Billed = "no"


FAILURES: Final[dict[str, Failure]] = {
    "auth": Failure("The provider refused the key; correct OPENAI_API_KEY.", breaker="trips"),
    "quota": Failure("The provider account has no credit left; add credit or raise its limit.", breaker="trips"),
    "wrong_model": Failure(
        "The provider knows no such model or path; correct TVDB_EMBEDDING_MODEL or OPENAI_BASE_URL.", breaker="trips"
    ),
    "rate_limit": Failure("The provider asks to slow down; it is asked again later.", again=True, breaker="counts"),
    "overload": Failure("The provider is failing; it is asked again later.", again=True, breaker="counts"),
    "timeout": Failure(
        "The provider did not answer in time; it is asked again later.", again=True, breaker="counts", billed="unknown"
    ),
    "connection": Failure(
        "The provider could not be reached; it is asked again later.", again=True, breaker="counts", billed="unknown"
    ),
    # Answers with status 200 were billed, whatever they held.
    "malformed_response": Failure(
        "The provider's answer cannot be used; it is asked again later.", again=True, breaker="counts", billed="unknown"
    ),
    "wrong_dimension": Failure(
        "The provider's vectors do not have 1536 dimensions; choose a model or endpoint that makes them.",
        breaker="trips",
        billed="unknown",
    ),
    "bad_request": Failure("The provider refused the request as it stands; see docs/operations.md.", retryable=False),
    "refused_input": Failure(
        "The provider refuses this text; the rest of its document is searchable.", retryable=False
    ),
    "late": Failure("The request was held up until its reservation had run out; it is made again.", again=True),
    "no_key": Failure("No key is set; set OPENAI_API_KEY, or use TVDB_SERVICE_MODE=MOCK."),
    "no_agreement": Failure(
        "Nothing is sent to a provider until TVDB_PROVIDER_AGREEMENT says `covered` (an agreement covers health data) or "
        "`synthetic` (the documents are not real)."
    ),
    "breaker_open": Failure("The provider is left alone for a while."),
    "resting": Failure("The provider asked to be left alone for a while."),
}


class ProviderError(TvdbError):
    """The provider did not answer with vectors.

    code: one of FAILURES; billed: as there, or better known; reached: whether the request arrived at all; retry_after: seconds
    the provider asks to wait; about_input: whether one of the inputs is at fault (None: it does not say).
    """

    def __init__(
        self,
        code: str,
        *,
        detail: str = "",
        billed: Billed | None = None,
        reached: bool = True,
        retry_after: float | None = None,
        about_input: bool | None = None,
        retry_at: datetime | None = None,
    ) -> None:
        self.failure = FAILURES[code]
        message = f"{self.failure.advice} {detail}".rstrip()
        super().__init__(code, message, kind="provider", retryable=self.failure.retryable, retry_at=retry_at)
        self.billed: Billed = billed or self.failure.billed
        self.reached = reached
        self.retry_after = retry_after
        self.about_input = about_input
