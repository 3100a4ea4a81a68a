"""The ways to people: a webhook, and mail.

Belongs here: sending a message, and asking whether a channel answers without sending one. Does not: what is said (`messages`), or
when. An address of this kind is a secret: errors and evidence name the kind of failure only.
"""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from ipaddress import ip_address
from typing import Final, Literal, Protocol
from urllib.parse import unquote, urlsplit

from tvdb_pipeline.operations.alerts.quiet import quiet
from tvdb_pipeline.settings import Settings

ChannelName = Literal["webhook", "mail"]
TIMEOUT_SECONDS: Final = 10.0
_DOWN = frozenset({502, 503, 504})


class NotSent(Exception):
    """A channel did not take a message. reason: what kind of failure; down: it takes no other at this moment either."""

    def __init__(self, reason: str, *, down: bool) -> None:
        super().__init__(reason)
        self.reason, self.down = reason, down


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether a channel answers. evidence: what it said, or what kind of failure it was."""

    channel: ChannelName
    passed: bool
    evidence: str


class Channel(Protocol):
    """A way to people."""

    name: ChannelName

    def send(self, subject: str, text: str) -> None:
        """Deliver one message. Raises NotSent."""
        ...

    def probe(self) -> str:
        """Reach it without sending anything; evidence. Raises NotSent."""
        ...


def channels(settings: Settings) -> list[Channel]:
    """Those that are set."""
    found: list[Channel] = []
    if settings.alert_webhook_url is not None:
        found.append(Webhook(settings.alert_webhook_url.get_secret_value()))
    if settings.alert_smtp_url is not None:
        addresses = [part.strip() for part in settings.alert_mail_to.split(",") if part.strip()]
        found.append(Mail(settings.alert_smtp_url.get_secret_value(), settings.alert_mail_from.strip(), addresses))
    return found


def probe(settings: Settings) -> list[Answer]:
    """Of each channel that is set, whether it answers; nothing is sent to anybody."""
    answers: list[Answer] = []
    for channel in channels(settings):
        try:
            answers.append(Answer(channel.name, True, channel.probe()))
        except NotSent as error:
            answers.append(Answer(channel.name, False, error.reason))
    return answers


class Webhook:
    """A URL that takes Slack's incoming-webhook form: POST of {"text": ...} as JSON, answered with 2xx."""

    name: ChannelName = "webhook"

    def __init__(self, url: str) -> None:
        self._url = url

    def send(self, subject: str, text: str) -> None:
        """Deliver one message; the subject is its first line already. Raises NotSent."""
        status = self._request("POST", {"text": text})
        if not 200 <= status < 300:
            raise NotSent(f"HTTP {status}", down=status >= 500 or status == 429)

    def probe(self) -> str:
        """HEAD: whatever it answers, it is there, unless what answers is a gateway that does not reach it."""
        status = self._request("HEAD", None)
        if status in _DOWN:
            raise NotSent(f"HTTP {status}", down=True)
        return f"answers (HTTP {status} to HEAD)"

    def _request(self, method: str, body: dict[str, str] | None) -> int:
        import httpx2

        try:
            with quiet("httpx2"), httpx2.Client(timeout=TIMEOUT_SECONDS) as client:
                return client.request(method, self._url, json=body).status_code
        except (httpx2.HTTPError, httpx2.InvalidURL, ValueError) as error:
            # Their messages may quote the URL.
            raise NotSent(type(error).__name__, down=True) from None


class Mail:
    """A mail server: smtp:// (STARTTLS where it is offered) or smtps://, `user:password@` in it if it asks for that."""

    name: ChannelName = "mail"

    def __init__(self, url: str, sender: str, addresses: Sequence[str]) -> None:
        self._url, self._sender, self._addresses = url, sender, list(addresses)

    def send(self, subject: str, text: str) -> None:
        """Deliver one message to all addresses. Raises NotSent."""
        if not self._sender or not self._addresses:
            raise NotSent("TVDB_ALERT_MAIL_FROM and TVDB_ALERT_MAIL_TO are not both set", down=True)
        try:
            mail = EmailMessage()
            mail["Subject"], mail["From"], mail["To"] = subject, self._sender, ", ".join(self._addresses)
            mail["Date"], mail["Message-ID"] = formatdate(), make_msgid(domain="tvdb.invalid")
            mail.set_content(text)
        except ValueError:
            raise NotSent("TVDB_ALERT_MAIL_FROM or TVDB_ALERT_MAIL_TO is no address", down=True) from None
        self._with_server(lambda server: server.send_message(mail, self._sender, self._addresses))

    def probe(self) -> str:
        """EHLO, STARTTLS and log-in as for a message, then NOOP."""
        if not self._sender or not self._addresses:
            raise NotSent("TVDB_ALERT_MAIL_FROM and TVDB_ALERT_MAIL_TO are not both set", down=True)
        self._with_server(lambda server: server.noop())
        return "answers (EHLO, NOOP)"

    def _with_server(self, use: _Use) -> None:
        try:
            with self._server() as server:
                use(server)
        except (smtplib.SMTPServerDisconnected, smtplib.SMTPConnectError, smtplib.SMTPAuthenticationError) as error:
            raise NotSent(type(error).__name__, down=True) from None
        except smtplib.SMTPException as error:
            raise NotSent(type(error).__name__, down=False) from None
        except (OSError, ValueError) as error:
            raise NotSent(type(error).__name__, down=True) from None

    def _server(self) -> smtplib.SMTP:
        """Connected, greeted, encrypted if possible, and logged in. Raises NotSent, SMTPException, OSError, ValueError."""
        place = urlsplit(self._url)
        user, password = unquote(place.username or ""), unquote(place.password or "")
        if place.scheme not in ("smtp", "smtps") or not place.hostname:
            raise NotSent("TVDB_ALERT_SMTP_URL must be smtp://host or smtps://host", down=True)
        # What smtplib says for itself where a machine has no full name, without asking the name service first.
        me, context = "[127.0.0.1]", ssl.create_default_context()
        if place.scheme == "smtps":
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                place.hostname, place.port or 465, me, timeout=TIMEOUT_SECONDS, context=context
            )
        else:
            server = smtplib.SMTP(place.hostname, place.port or (587 if user else 25), me, timeout=TIMEOUT_SECONDS)
        try:
            server.ehlo()
            if place.scheme == "smtp" and server.has_extn("starttls"):
                server.starttls(context=context)
                server.ehlo()
            elif place.scheme == "smtp" and user and not _here(place.hostname):
                raise NotSent("the server offers no STARTTLS, and a password is not sent in the clear", down=True)
            if user:
                server.login(user, password)
        except BaseException:
            server.close()
            raise
        return server


class _Use(Protocol):
    def __call__(self, server: smtplib.SMTP, /) -> object: ...


def _here(name: str) -> bool:
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"
