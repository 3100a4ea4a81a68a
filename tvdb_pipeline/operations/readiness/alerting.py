"""Whether somebody would hear of it.

Belongs here: asking the alert channels. Does not: sending alerts.
"""

from __future__ import annotations

from collections.abc import Iterator

from tvdb_pipeline.operations.readiness.finding import Finding, not_needed
from tvdb_pipeline.settings import Settings

_AREA = "alerts"


def rows(settings: Settings) -> Iterator[Finding]:
    """Each channel that is set answers, and at least one is; in development none need be."""
    if settings.alert_webhook_url is None and settings.alert_smtp_url is None:
        missing = "neither TVDB_ALERT_WEBHOOK_URL nor TVDB_ALERT_SMTP_URL is set"
        development = settings.env == "development"
        yield not_needed(_AREA, "channel", missing) if development else Finding(_AREA, "channel", False, missing)
        return
    from tvdb_pipeline.operations.alerts.channels import probe

    for answer in probe(settings):
        yield Finding(_AREA, answer.channel, answer.passed, answer.evidence)
