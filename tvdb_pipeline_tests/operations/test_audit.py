"""Who did what is on record, and nobody can take it back without it being seen."""

from __future__ import annotations

import json
import os
import pwd
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner

from tvdb_pipeline.cli import app
from tvdb_pipeline.database import audit_trail
from tvdb_pipeline.database.migrations import migrations
from tvdb_pipeline.database.pools import Database
from tvdb_pipeline.documents import registry
from tvdb_pipeline.ingest import terms
from tvdb_pipeline.ingest.planning import make_plan
from tvdb_pipeline.ingest.querying import answer
from tvdb_pipeline.ingest.quoting import quote_places
from tvdb_pipeline.ingest.removal import remove
from tvdb_pipeline.ingest.walk import walk
from tvdb_pipeline.ingest.watching import remove_gone
from tvdb_pipeline.ingest.workshop import Workshop
from tvdb_pipeline.operations import audit
from tvdb_pipeline.operations.backup.copying import note
from tvdb_pipeline.settings import Settings
from tvdb_pipeline_tests.prose import paragraphs

QUERY = "zephyr rider of the hot air balloon"
USER = pwd.getpwuid(os.getuid()).pw_name


def ingest(shop: Workshop, *names: str, run_id: str | None = None) -> list[str]:
    for number, name in enumerate(names):
        (shop.settings.upload_dir / name).write_text("\n\n".join([*paragraphs(4, seed=number), QUERY]))
    plan = make_plan(shop, [shop.settings.upload_dir])
    list(walk(shop, plan.stale, run_id=run_id))
    return plan.keys


def told(database: Database, *actions: str) -> list[dict[str, Any]]:
    return [entry for entry in audit.entries(database, limit=0) if entry["action"] in actions]


def without_guard(url: str, *statements: str) -> None:
    """What a superuser can do who means to leave no trace."""
    with psycopg.connect(url) as conn:
        conn.execute("ALTER TABLE tvdb.audit DISABLE TRIGGER ALL")
        for statement in statements:
            conn.execute(statement)  # pyright: ignore
        conn.execute("ALTER TABLE tvdb.audit ENABLE ALWAYS TRIGGER audit_kept")
        conn.execute("ALTER TABLE tvdb.audit ENABLE ALWAYS TRIGGER audit_chained")


def filled(database: Database, count: int = 6) -> list[int]:
    """Ids of some entries."""
    for number in range(count):
        with database.connection() as conn:
            audit_trail.add(conn, "quoted", {"documents": number})
    return [entry["id"] for entry in audit.entries(database, limit=count)]


def test_who_brought_a_document_in_and_what_became_of_it_is_on_record(shop: Workshop) -> None:
    (shop.settings.upload_dir / "broken.pdf").write_bytes(b"%PDF-1.7\nnothing that follows")
    keys = set(ingest(shop, "a.txt", run_id="run-1"))
    registered, ingested = told(shop.database, "registered"), told(shop.database, "ingested")
    assert {entry["subject"] for entry in registered} == {entry["subject"] for entry in ingested} == keys
    by = (USER, audit_trail.process(sys.argv), "run-1")
    assert {(entry["actor"], entry["process"], entry["run_id"]) for entry in ingested} == {by}
    assert {entry["role"] for entry in ingested} == {"postgres"}
    states = {entry["figures"]["state"]: entry["figures"] for entry in ingested}
    assert states["ready"]["chunks"] == states["ready"]["vectors"] > 0
    assert states["rejected"]["code"]
    assert audit.verify(shop.database).passed


def test_each_walk_is_an_entry_and_one_that_finds_nothing_to_do_is_none(shop: Workshop) -> None:
    ingest(shop, "a.txt")
    ingest(shop)
    assert len(told(shop.database, "ingested")) == 1
    (shop.settings.upload_dir / "a.txt").write_text("Something else entirely.")
    ingest(shop)
    assert len(told(shop.database, "ingested")) == 2


def test_a_search_is_on_record_with_what_it_showed_and_without_what_was_asked(shop: Workshop) -> None:
    keys = ingest(shop, "a.txt", "b.txt")
    found = answer(shop, QUERY, 4, "fused")
    (entry,) = told(shop.database, "searched")
    assert entry["figures"] == {
        "mode": "fused",
        "passages": len(found.passages),
        "documents": sorted({passage.key for passage in found.passages}),
    }
    assert [entry["action"] for entry in audit.entries(shop.database, key=keys[0])] == [
        "registered",
        "ingested",
        "searched",
    ]
    whole = shop.database.fetch("SELECT string_agg(a::text, ' ') FROM tvdb.audit a")[0][0]
    assert "zephyr" not in whole
    assert str(shop.settings.upload_dir) not in whole


def test_a_search_that_cannot_be_put_on_record_shows_nothing(shop: Workshop) -> None:
    ingest(shop, "a.txt")
    shop.database.run("ALTER TABLE tvdb.audit ADD CHECK (action <> 'searched')")
    with pytest.raises(psycopg.Error):
        answer(shop, QUERY, 4, "fused")


def test_a_change_that_cannot_be_put_on_record_is_not_made(shop: Workshop) -> None:
    (key,) = ingest(shop, "a.txt")
    shop.database.run("ALTER TABLE tvdb.audit ADD CHECK (action <> 'deleted')")
    with pytest.raises(psycopg.Error):
        remove(shop, [key], "command")
    assert [document.state for document in registry.load(shop.database)] == ["ready"]
    assert answer(shop, QUERY, 1, "lexical").passages


def test_what_somebody_deleted_is_told_from_what_vanished(shop: Workshop) -> None:
    first, second = ingest(shop, "a.txt", "b.txt")
    remove(shop, [first], "command")
    remove_gone(shop, [second])
    removals = told(shop.database, "deleted", "vanished")
    assert [(entry["action"], entry["subject"]) for entry in removals] == [("deleted", first), ("vanished", second)]
    assert all(entry["figures"]["chunks"] > 0 for entry in removals)


def test_a_backup_and_a_migration_are_on_record(database: Database) -> None:
    note(database.url, "backup", passed=True, figures={"documents": 3})
    (entry,) = told(database, "backed_up")
    assert (entry["actor"], entry["figures"]) == (USER, {"documents": 3, "passed": True})
    newest = told(database, "migrated")[-1]
    assert (newest["process"], newest["figures"]["number"]) == (audit_trail.process(sys.argv), migrations()[-1].number)


def test_a_quote_is_on_record(shop: Workshop) -> None:
    (shop.settings.upload_dir / "a.txt").write_text("Some words.")
    quote_places(shop, [shop.settings.upload_dir])
    (entry,) = told(shop.database, "quoted")
    assert (entry["figures"]["documents"], entry["figures"]["texts"]) == (1, 1)


def test_a_changed_limit_is_on_record_with_both_values_and_an_unchanged_one_is_not(
    make_shop: Callable[..., Workshop], database: Database
) -> None:
    make_shop()
    first = told(database, "limit_changed", "agreement_changed", "redaction_changed")
    make_shop()
    assert first == told(database, "limit_changed", "agreement_changed", "redaction_changed")
    make_shop(daily_cost_limit_usd=7, provider_agreement="covered")
    make_shop(daily_cost_limit_usd=7, provider_agreement="covered")
    later = told(database, "limit_changed", "agreement_changed", "redaction_changed")[len(first) :]
    assert [(entry["action"], entry["figures"]) for entry in later] == [
        ("limit_changed", {"setting": "TVDB_DAILY_COST_LIMIT_USD", "before": "5", "after": "7"}),
        ("agreement_changed", {"setting": "TVDB_PROVIDER_AGREEMENT", "before": None, "after": "covered"}),
    ]


@pytest.mark.parametrize(
    "statement", ["UPDATE tvdb.audit SET actor = 'nobody'", "DELETE FROM tvdb.audit", "TRUNCATE tvdb.audit"]
)
@pytest.mark.parametrize("mode", ["origin", "replica"])
def test_not_even_the_owner_changes_or_removes_an_entry(database: Database, statement: str, mode: str) -> None:
    filled(database, 1)
    with psycopg.connect(database.url) as conn:
        conn.execute(f"SET session_replication_role = {mode}")  # pyright: ignore
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="can be neither changed nor removed"):
            conn.execute(statement)  # pyright: ignore


def test_what_an_entry_says_of_who_and_when_is_the_databases_word(database: Database) -> None:
    forged = "INSERT INTO tvdb.audit (id, at, role, hash, action) VALUES (999, '2001-01-01', 'nobody', 'x', 'quoted')"
    database.run(forged)
    (entry,) = told(database, "quoted")
    assert (entry["role"], entry["at"] > "2026") == ("postgres", True)
    assert audit.verify(database).passed


def test_a_changed_entry_breaks_the_chain_where_it_is(database: Database) -> None:
    ids = filled(database)
    without_guard(database.url, f"UPDATE tvdb.audit SET actor = 'nobody' WHERE id = {ids[2]}")
    verified = audit.verify(database)
    assert (verified.passed, verified.broken, verified.off) == (False, [ids[2]], [])


def test_a_removed_entry_breaks_the_chain_at_the_next(database: Database) -> None:
    ids = filled(database)
    without_guard(database.url, f"DELETE FROM tvdb.audit WHERE id = {ids[2]}")
    assert audit.verify(database).broken == [ids[3]]


def test_an_entry_slipped_in_breaks_the_chain(database: Database) -> None:
    ids = filled(database)
    forged = (
        f"INSERT INTO tvdb.audit SELECT {ids[-1] + 1}, at, actor, role, process, action, subject, run_id, figures, hash"
    )
    without_guard(database.url, f"{forged} FROM tvdb.audit WHERE id = {ids[2]}")
    assert audit.verify(database).broken == [ids[-1] + 1]


def test_the_end_cut_off_shows_against_an_anchor_only(database: Database) -> None:
    ids = filled(database)
    anchor = audit.verify(database).last
    assert anchor is not None
    assert audit.verify(database, anchor).anchored
    without_guard(database.url, f"DELETE FROM tvdb.audit WHERE id = {ids[-1]}")
    assert audit.verify(database).passed
    assert not audit.verify(database, anchor).passed


def test_a_trigger_switched_off_is_named(database: Database) -> None:
    database.run("ALTER TABLE tvdb.documents DISABLE TRIGGER audit_changed")
    database.run("DROP TRIGGER audit_safekeeping ON tvdb.safekeeping")
    verified = audit.verify(database)
    assert (verified.passed, verified.off) == (False, ["audit_changed", "audit_safekeeping"])


def test_entries_of_many_at_once_make_one_chain_without_gaps(database: Database) -> None:
    def add() -> None:
        for _ in range(25):
            with database.connection() as conn:
                audit_trail.add(conn, "quoted", {})

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    verified = audit.verify(database)
    assert verified.passed
    assert verified.last is not None
    assert verified.entries == verified.last.id >= 100


def test_an_entry_taken_back_leaves_no_gap(database: Database) -> None:
    (before,) = filled(database, 1)
    with database.connection() as conn:
        audit_trail.add(conn, "quoted", {})
        conn.rollback()
    assert filled(database, 1) == [before + 1]


def test_one_who_looks_at_the_past_cannot_chain_to_it(database: Database) -> None:
    with psycopg.connect(database.url) as conn:
        conn.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        conn.execute("SELECT 1 FROM tvdb.audit LIMIT 1")
        filled(database, 1)
        with pytest.raises(psycopg.errors.UniqueViolation):
            audit_trail.add(conn, "quoted", {})
    assert audit.verify(database).passed


def test_a_transaction_that_registers_documents_holds_up_nobody_before_it_ends(database: Database) -> None:
    with database.connection() as conn:
        registry.register(conn, [("a-1", "a", None)])
        with database.connection() as other:
            other.execute("SET LOCAL lock_timeout = '2s'")
            audit_trail.add(other, "quoted", {})
    assert [entry["action"] for entry in told(database, "quoted", "registered")] == ["quoted", "registered"]


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (["/opt/tvdb/.venv/bin/tvdb", "search", "a name"], "tvdb search"),
        (["/opt/tvdb/.venv/bin/tvdb"], "tvdb"),
        (["/bin/dagster", "api", "grpc"], "code-server"),
        (["/lib/dagster/__main__.py", "api", "grpc"], "code-server"),
        (["/bin/dagster-webserver", "-w", "x"], "webserver"),
        (["/opt/tvdb/tvdb_pipeline/orchestration/daemon.py", "run"], "daemon"),
        (["/bin/tvdb", "/home/somebody/claim.pdf"], "tvdb"),
        (["-c"], "python"),
        ([], "python"),
    ],
)
def test_a_process_is_named_without_its_arguments(arguments: list[str], name: str) -> None:
    assert audit_trail.process(arguments) == name


def test_whoever_logged_in_is_named_beside_the_user_of_the_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    login = tmp_path / "loginuid"
    monkeypatch.setattr(audit_trail, "_LOGIN", login)
    said: list[str] = []
    for uid in (2**32 - 1, os.getuid(), 54_321):
        login.write_text(str(uid))
        said.append(audit_trail.actor())
    assert said == [USER, USER, f"{USER} (login 54321)"]


def run(settings: Settings, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> tuple[int, str]:
    assert settings.database_url is not None
    monkeypatch.setenv("TVDB_HOME", str(settings.home))
    monkeypatch.setenv("TVDB_DATABASE_URL", settings.database_url.get_secret_value())
    done = CliRunner().invoke(app, ["audit", *arguments])
    return done.exit_code, done.stdout


def test_the_command_shows_the_newest_last_and_only_what_was_asked_for(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database.connection() as conn:
        registry.register(conn, [("a-1", "a", None), ("b-2", "b", None)])
    terms.put_on_record(settings.model_copy(update={"hourly_request_limit": 70}), database)
    ids = filled(database, 3)
    code, said = run(settings, monkeypatch, "--json", "--action", "quoted", "--limit", "2")
    found = json.loads(said)["entries"]
    assert (code, [entry["id"] for entry in found]) == (0, ids[-2:])
    assert set(found[0]) == {"id", "at", "actor", "role", "process", "action", "subject", "run_id", "figures"}
    assert [
        entry["subject"] for entry in json.loads(run(settings, monkeypatch, "--json", "--key", "b-2")[1])["entries"]
    ] == ["b-2"]
    assert json.loads(run(settings, monkeypatch, "--json", "--since", "2999-01-01")[1]) == {"entries": []}
    shown = run(settings, monkeypatch, "--since", "2001-01-01T00:00+01:00")[1]
    assert shown.index("registered") < shown.rindex("quoted")
    assert USER in shown
    assert "TVDB_HOURLY_REQUEST_LIMIT: none -> 70" in shown
    assert [
        run(settings, monkeypatch, *wrong)[0]
        for wrong in (["--action", "read"], ["--since", "then"], ["--anchor", "1"])
    ] == [2] * 3


def test_the_command_verifies_and_says_so_in_its_exit_code(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = filled(database)
    code, said = run(settings, monkeypatch, "--verify", "--json")
    last = json.loads(said)["last"]
    assert (code, last["id"]) == (0, ids[-1])
    assert run(settings, monkeypatch, "--verify", "--anchor", f"{last['id']}:{last['hash']}")[0] == 0
    without_guard(database.url, f"UPDATE tvdb.audit SET at = at - interval '1 day' WHERE id = {ids[0]}")
    code, said = run(settings, monkeypatch, "--verify")
    assert code == 3
    assert f"entries {ids[0]}." in said
