"""The embeddings provider: may we ask it, does it know our key and our model. Nothing is paid for.

Belongs here: those questions. Does not: buying anything, or the breaker (`tvdb budget`).
"""

from __future__ import annotations

from collections.abc import Iterator

from tvdb_pipeline.operations.readiness.finding import Finding, not_needed
from tvdb_pipeline.settings import Settings

_AREA = "provider"
_WITHIN_SECONDS = 15.0


def rows(settings: Settings) -> Iterator[Finding]:
    """Agreement and key; in MOCK neither is needed, in development's HYBRID only both together."""
    mode = settings.service_mode
    stated, key = settings.provider_agreement, settings.openai_api_key
    if mode == "MOCK" or (mode == "HYBRID" and settings.env == "development" and not (stated and key)):
        why = "MOCK asks nobody" if mode == "MOCK" else "without key and agreement the offline mock stands in"
        yield not_needed(_AREA, "agreement", why)
        yield not_needed(_AREA, "key", why)
        return
    evidence = (
        f"{stated} (TVDB_PROVIDER_AGREEMENT)" if stated else "TVDB_PROVIDER_AGREEMENT is not stated: nothing is sent"
    )
    yield Finding(_AREA, "agreement", stated is not None, evidence)
    if key is None:
        yield Finding(_AREA, "key", False, "OPENAI_API_KEY is not set: nothing is sent")
        return
    if stated is None:
        yield Finding(_AREA, "key", False, "not asked before TVDB_PROVIDER_AGREEMENT is stated")
        return
    refusal = _refusal(settings, key.get_secret_value())
    yield Finding(_AREA, "key", refusal is None, refusal or f"accepted for {settings.embedding_model}")


def _refusal(settings: Settings, key: str) -> str | None:
    """What keeps this key from this model, by asking for the model's description, which is free."""
    import openai

    # No redirects: the key is for the endpoint named, and nobody else.
    with (
        openai.DefaultHttpxClient(follow_redirects=False) as http,
        openai.OpenAI(
            api_key=key,
            base_url=settings.openai_base_url,
            timeout=_WITHIN_SECONDS,
            max_retries=0,
            http_client=http,
        ) as client,
    ):
        try:
            client.models.retrieve(settings.embedding_model)
        except (openai.AuthenticationError, openai.PermissionDeniedError):
            return "refused: correct OPENAI_API_KEY"
        except openai.NotFoundError:
            return "no such model there: correct TVDB_EMBEDDING_MODEL or OPENAI_BASE_URL"
        except openai.RateLimitError:
            return "not answered: too many requests, or no credit"
        except openai.APIConnectionError:
            return "the provider is not reached: look at the network and OPENAI_BASE_URL"
        except openai.OpenAIError as error:
            return f"not answered ({type(error).__name__})"
    return None
