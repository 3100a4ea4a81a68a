"""Alerts reach people once, whoever watches and whatever fails in between."""

from __future__ import annotations

import logging
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from pydantic import SecretStr

from tvdb_pipeline.database.pools import Database
from tvdb_pipeline.operations.alerts.alarms import Alarm, Happening
from tvdb_pipeline.operations.alerts.channels import Mail, NotSent, channels, probe
from tvdb_pipeline.operations.alerts.rounds import Watcher
from tvdb_pipeline.settings import Settings
from tvdb_pipeline_tests.operations.alerts.conftest import Mails, Receiver


def open_breaker(database: Database, code: str = "quota") -> None:
    database.run("UPDATE tvdb.breaker SET state = 'open', code = %s, retry_at = now()", (code,))


def close_breaker(database: Database) -> None:
    database.run("UPDATE tvdb.breaker SET state = 'closed', code = NULL, retry_at = NULL")


def test_an_alert_is_told_once_while_it_fires_and_once_when_it_is_over(
    telling: Settings, database: Database, receiver: Receiver
) -> None:
    watcher = Watcher(telling)
    open_breaker(database)
    for _ in range(3):
        watcher.round()
    close_breaker(database)
    for _ in range(3):
        watcher.round()
    assert receiver.named("breaker_open") == [
        "[tvdb development] CRITICAL breaker_open",
        "[tvdb development] OVER breaker_open",
    ]
    assert "What to do:" in receiver.texts[0]
    rows = database.fetch("SELECT resolved_at > since, sent_at >= since FROM tvdb.alerts WHERE name = 'breaker_open'")
    assert rows == [(True, True)]


def test_it_is_repeated_while_it_fires_only_after_the_time_set(
    telling: Settings, database: Database, receiver: Receiver
) -> None:
    open_breaker(database)
    watcher = Watcher(telling)
    watcher.round()
    database.run("UPDATE tvdb.alert_deliveries SET told_at = told_at - interval '4 hours'")
    watcher.round()
    watcher.round()
    assert len(receiver.named("breaker_open")) == 2
    assert "Still: " in receiver.texts[-1]


def test_what_grows_worse_is_told_anew_and_what_eases_is_not(
    telling: Settings, database: Database, receiver: Receiver
) -> None:
    said: list[int] = []
    for spent in (0.5, 0.6, 0.8, 1.0, 0.9, 1.0, 0.1):
        nano = int(spent * telling.daily_limit_nano)
        database.run(
            """INSERT INTO tvdb.dollar_windows (starts, spent_nano, held_nano, capacity_nano)
               VALUES (date_trunc('day', now(), 'UTC'), %(n)s, 0, %(c)s)
               ON CONFLICT (starts) DO UPDATE SET spent_nano = %(n)s""",
            {"n": nano, "c": telling.daily_limit_nano},
        )
        Watcher(telling).round()
        said.append(len(receiver.named("budget_day")))
    assert said == [1, 1, 2, 3, 3, 3, 4]
    words = [head.split()[2] for head in receiver.named("budget_day")]
    assert words == ["INFO", "WARNING", "CRITICAL", "OVER"]


def test_many_watchers_at_the_same_time_send_each_message_once(
    telling: Settings, database: Database, receiver: Receiver
) -> None:
    watchers = [Watcher(telling) for _ in range(4)]

    def all_at_once() -> None:
        start = threading.Barrier(len(watchers))

        def look(watcher: Watcher) -> None:
            start.wait()
            for _ in range(3):
                watcher.round()

        with ThreadPoolExecutor(len(watchers)) as pool:
            list(pool.map(look, watchers))

    open_breaker(database)
    database.run(
        """INSERT INTO tvdb.documents (key, path, state, attempts, error)
           SELECT 'doc-' || n, n || '.pdf', 'failed', 5, '{"code": "crashed"}' FROM generate_series(1, 7) n"""
    )
    all_at_once()
    close_breaker(database)
    database.run("UPDATE tvdb.documents SET state = 'ready', attempts = 0")
    all_at_once()
    assert len(receiver.named("breaker_open")) == 2
    lines = [line for text in receiver.texts if "document_failed" in text for line in text.splitlines()[1:]]
    for number in range(1, 8):
        assert len([line for line in lines if f"doc-{number} failed" in line]) == 2
    assert database.fetch("SELECT count(*) FROM tvdb.alerts WHERE resolved_at IS NULL") == [(0,)]


def test_a_watcher_with_older_facts_does_not_undo_what_another_found_since(
    telling: Settings, database: Database, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tvdb_pipeline.operations.alerts import rounds

    slow, fast = Watcher(telling), Watcher(telling)
    judged = rounds.judge

    def overtaken(*given: object) -> object:
        monkeypatch.setattr(rounds, "judge", judged)
        verdict = judged(*given)  # pyright: ignore[reportArgumentType]
        fast.round()
        close_breaker(database)
        fast.round()
        return verdict

    open_breaker(database)
    monkeypatch.setattr(rounds, "judge", overtaken)
    slow.round()
    assert len(receiver.named("breaker_open")) == 2


def test_a_message_that_could_not_be_sent_is_sent_in_a_later_round(
    telling: Settings, database: Database, receiver: Receiver
) -> None:
    open_breaker(database)
    receiver.status = lambda _: 500
    watcher = Watcher(telling)
    assert watcher.round().unsent == 1
    assert watcher.round().unsent == 1
    receiver.status = lambda _: 204
    watcher.round()
    watcher.round()
    assert receiver.named("breaker_open") == ["[tvdb development] CRITICAL breaker_open"]


def test_a_message_a_channel_refuses_does_not_keep_others_from_being_sent(
    telling: Settings, database: Database, receiver: Receiver
) -> None:
    open_breaker(database)
    receiver.status = lambda text: 400 if "breaker_open" in text else 200
    watcher = Watcher(telling)
    watcher.round()
    happening = Happening(Alarm("run_failed", "r1", "warning", "Run r1 failed."), "r1", datetime.now(UTC))
    watcher.happened([happening])
    assert len(receiver.named("run_failed")) == 1


def test_what_began_and_ended_unheard_is_told_in_one_message(
    telling: Settings, database: Database, receiver: Receiver
) -> None:
    watcher = Watcher(telling)
    receiver.status = lambda _: 503
    open_breaker(database)
    watcher.round()
    close_breaker(database)
    watcher.round()
    receiver.status = lambda _: 200
    watcher.round()
    watcher.round()
    assert receiver.named("breaker_open") == ["[tvdb development] OVER breaker_open"]


def test_what_happened_is_told_once_however_often_it_is_reported_and_has_no_end(
    telling: Settings, database: Database, receiver: Receiver
) -> None:
    at = datetime.now(UTC)
    watcher = Watcher(telling)
    for _ in range(3):
        watcher.happened([Happening(Alarm("check_failed", "doc-1", "info", "A check of doc-1."), "17", at)])
        watcher.round()
    assert receiver.named("check_failed") == ["[tvdb development] INFO check_failed"]


def test_what_happened_long_ago_is_kept_and_not_told(telling: Settings, database: Database, receiver: Receiver) -> None:
    at = datetime.now(UTC) - timedelta(days=2)
    Watcher(telling).happened([Happening(Alarm("check_failed", "doc-1", "info", "A check of doc-1."), "17", at)])
    Watcher(telling).round()
    assert receiver.named("check_failed") == []
    assert database.fetch("SELECT subject FROM tvdb.alerts WHERE name = 'check_failed'") == [("doc-1",)]


def test_alerts_are_kept_where_nobody_is_to_be_told(settings: Settings, database: Database) -> None:
    said: list[str] = []

    def note(sentence: str, event: str, **fields: object) -> None:
        said.append(f"{event}, {sentence}")

    open_breaker(database)
    watcher = Watcher(settings, note=note)
    watcher.round()
    close_breaker(database)
    watcher.round()
    rows = database.fetch("SELECT sent_at, resolved_at IS NULL FROM tvdb.alerts WHERE name = 'breaker_open'")
    assert rows == [(None, False)]
    assert [line for line in said if "breaker_open" in line] == [
        "alert_fires, critical: breaker_open", "alert_over, over: breaker_open",
    ]  # fmt: skip


def test_mail_and_webhook_are_independent(
    telling: Settings, database: Database, receiver: Receiver, mail_server: tuple[Mails, str]
) -> None:
    mails, url = mail_server
    both = telling.model_copy(
        update={
            "alert_smtp_url": SecretStr(url),
            "alert_mail_from": "tvdb@example.org",
            "alert_mail_to": "a@example.org, b@example.org",
        }
    )
    open_breaker(database)
    mails.refusing = True
    watcher = Watcher(both)
    watcher.round()
    assert (len(receiver.named("breaker_open")), len(mails.envelopes)) == (1, 0)
    mails.refusing = False
    watcher.round()
    watcher.round()
    heads = [message_from_bytes(envelope.original_content or b"")["Subject"] for envelope in mails.envelopes]
    assert heads.count("[tvdb development] CRITICAL breaker_open") == 1
    assert mails.envelopes[0].rcpt_tos == ["a@example.org", "b@example.org"]
    assert len(receiver.named("breaker_open")) == 1


def test_channels_answer_a_probe_without_anything_being_sent(
    telling: Settings, receiver: Receiver, mail_server: tuple[Mails, str]
) -> None:
    mails, url = mail_server
    names = {"alert_smtp_url": SecretStr(url), "alert_mail_from": "a@example.org", "alert_mail_to": "b@example.org"}
    answers = probe(telling.model_copy(update=names))
    assert [(answer.channel, answer.passed) for answer in answers] == [("webhook", True), ("mail", True)]
    assert (receiver.requests, mails.envelopes) == ([], [])


def test_channels_that_do_not_answer_say_what_kind_of_failure_it_was_and_no_secret(settings: Settings) -> None:
    changes = {
        "alert_webhook_url": SecretStr("http://127.0.0.1:9/services/secretpath"),
        "alert_smtp_url": SecretStr("smtp://user:secretword@127.0.0.1:9"),
        "alert_mail_from": "a@example.org",
        "alert_mail_to": "b@example.org",
    }
    answers = probe(settings.model_copy(update=changes))
    assert [(answer.channel, answer.passed, answer.evidence) for answer in answers] == [
        ("webhook", False, "ConnectError"),
        ("mail", False, "ConnectionRefusedError"),
    ]


@pytest.mark.parametrize("url", ["http://[bad", "mail.example.org", "http://mail.example.org", "smtp://"])
def test_an_address_that_is_none_is_a_channel_that_does_not_answer(settings: Settings, url: str) -> None:
    changes = {"alert_smtp_url": SecretStr(url), "alert_mail_from": "a@b.org", "alert_mail_to": "c@d.org"}
    assert [answer.passed for answer in probe(settings.model_copy(update=changes))] == [False]


def test_mail_without_a_sender_is_a_channel_that_does_not_answer(settings: Settings) -> None:
    changed = settings.model_copy(update={"alert_smtp_url": SecretStr("smtp://127.0.0.1:9")})
    assert "TVDB_ALERT_MAIL_FROM" in probe(changed)[0].evidence


def test_the_webhook_url_is_not_logged(telling: Settings, receiver: Receiver, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for channel in channels(telling):
        channel.send("head", "head\nline")
    assert receiver.requests == [("POST", "/services/T0/B0/secretpath")]
    assert "secretpath" not in caplog.text


def certificate(folder: Path) -> Path:
    """A certificate of 127.0.0.1 that signs itself, with its key, in one file."""
    file = folder / "server.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1",
         "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", file, "-out", folder / "crt"],
        check=True, capture_output=True,
    )  # fmt: skip
    file.write_text(file.read_text() + (folder / "crt").read_text())
    return file


def test_mail_goes_encrypted_where_the_server_offers_it_and_only_to_one_that_can_prove_who_it_is(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pem = certificate(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pem)
    seen: list[tuple[bytes, bytes]] = []

    def known(_: object, __: object, ___: object, ____: object, data: LoginPassword) -> AuthResult:
        seen.append((data.login, data.password))
        return AuthResult(success=True)

    mails = Mails()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(
        mails, hostname="127.0.0.1", port=port, tls_context=context, require_starttls=True, authenticator=known
    )
    controller.start()
    try:
        mail = Mail(f"smtp://us%40er:p%2Fw@127.0.0.1:{port}", "a@example.org", ["b@example.org"])
        with pytest.raises(NotSent, match="SSLCertVerificationError"):
            mail.send("head", "text")
        monkeypatch.setenv("SSL_CERT_FILE", str(pem))
        mail.send("head", "text")
    finally:
        controller.stop(no_assert=True)
    assert seen == [(b"us@er", b"p/w")]
    assert len(mails.envelopes) == 1


@pytest.fixture
def words_planted(database: Database) -> Callable[[], None]:
    """Documents in every state, with words in their names and errors that must not be told."""

    def plant() -> None:
        database.run(
            """INSERT INTO tvdb.documents (key, path, state, attempts, error, registered_at, updated_at)
               SELECT 'doc-' || state, 'Xanthippe-' || state || '.pdf', state, 5,
                      '{"code": "crashed", "message": "Zwetschge"}', now() - interval '3 days', now() - interval '3 days'
               FROM unnest('{registered,processing,deferred,failed,rejected}'::text[]) state"""
        )
        database.run("UPDATE tvdb.journal SET at = at - interval '3 days'")

    return plant


def test_no_file_name_and_no_text_is_told_or_kept(
    telling: Settings, database: Database, receiver: Receiver, words_planted: Callable[[], None]
) -> None:
    words_planted()
    (telling.upload_dir / "Xanthippe-upload.pdf").write_bytes(b"Zwetschge")
    Watcher(telling.model_copy(update={"alert_waiting_seconds": 1e-3})).round()
    told = "\n".join(receiver.texts)
    for name in ("document_failed", "documents_waiting", "ingest_stalled"):
        assert name in told
    kept = str(database.fetch("SELECT * FROM tvdb.alerts"))
    for word in ("Xanthippe", "Zwetschge"):
        assert word not in told
        assert word not in kept
