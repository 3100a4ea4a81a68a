"""The whole life of documents, failures and kills included, leaves none of their words where none may stand.

Words stand in texts, file names, titles, mail and its attachments, spreadsheets, and files that cannot be read. Afterwards every
column of the database, every file, and everything that was said is searched for them. PLANTED_KILLS=3 (`make planted-words`)
kills at every third waypoint, not at one.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from tvdb_pipeline.settings import Settings
from tvdb_pipeline.waypoints import WAYPOINTS
from tvdb_pipeline_tests.driven import Driven
from tvdb_pipeline_tests.fake_openai.faults import Arrival, Fault, Refuse, bad_input
from tvdb_pipeline_tests.fake_openai.server import FakeOpenAI
from tvdb_pipeline_tests.operations.alerts.conftest import Receiver
from tvdb_pipeline_tests.planted import hits
from tvdb_pipeline_tests.planting import Planting, planting

KEY = "sk-qsecretkeyofours"
HOOK = "secretpath"
"""Of the receiver's address."""
PLACES = ("tvdb.documents.path", "tvdb.observations.path", "tvdb.vector_rows.")
"""Columns that hold names and words because they are what the product is for."""
KILLS = WAYPOINTS[:: int(os.environ["PLANTED_KILLS"])] if "PLANTED_KILLS" in os.environ else ("parsed_text.parsed",)


@dataclass
class World:
    """A deployment's folders, and what it talks to. said: stdout and stderr of all commands; told: files of other witnesses."""

    root: Path
    url: str
    uploads: Path
    planting: Planting
    provider: FakeOpenAI
    receiver: Receiver

    def __post_init__(self) -> None:
        for folder in (self.said, self.told, self.temporary, self.reports / "data"):
            folder.mkdir(parents=True)

    @property
    def home(self) -> Path:
        return self.root / "home"

    @property
    def said(self) -> Path:
        return self.root / "said"

    @property
    def told(self) -> Path:
        return self.root / "told"

    @property
    def temporary(self) -> Path:
        return self.root / "tmp"

    @property
    def reports(self) -> Path:
        return self.root / "reports"

    def driven(self) -> Driven:
        variables = {
            "TVDB_HOME": str(self.home), "TVDB_UPLOAD_DIR": str(self.uploads), "TVDB_DATABASE_URL": self.url,
            "TVDB_KEY_STYLE": "opaque", "TVDB_SERVICE_MODE": "REAL", "TVDB_PROVIDER_AGREEMENT": "synthetic",
            "OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": self.provider.url, "TVDB_ALERT_WEBHOOK_URL": self.receiver.url,
            "TVDB_PARSE_WORKERS": "1", "TVDB_CLAIM_LEASE_SECONDS": "1", "TVDB_RETRY_FIRST_WAIT_SECONDS": "0.01",
            "TVDB_RESERVATION_LEASE_SECONDS": "1", "TVDB_REQUEST_TIMEOUT_SECONDS": "5",
            "TVDB_ALERT_WAITING_SECONDS": "0.01", "TMPDIR": str(self.temporary),
        }  # fmt: skip
        return Driven(os.environ | variables, self.said)

    def leaks(self) -> list[str]:
        """Where a planted word, the key or the webhook's path stands that may not."""
        shown = {path for name in ("search", "status") for path in self.said.glob(f"*-{name}.out")}
        everywhere = (self.home, self.temporary, self.said, self.told, self.reports)
        found = hits(self.url, everywhere, [*self.planting.words, KEY, HOOK], without={self.home / "artifacts", *shown})
        return [place for place in found if not place.startswith(PLACES)]

    def words_in(self, *folders: Path) -> dict[str, set[str]]:
        """Words by the place they are found at, in the database and in these folders."""
        found: dict[str, set[str]] = {}
        for hit in hits(self.url, folders, self.planting.words):
            place, _, word = hit.rpartition(": ")
            found.setdefault(place, set()).add(word)
        return found


@pytest.fixture
def world(settings: Settings, database_url: str, tmp_path: Path) -> Iterator[World]:
    """Documents in their folder, a provider that quotes what it refuses, and somebody who is told of alerts."""
    planted = planting()
    receiver = Receiver()

    def refuse(inputs: list[str]) -> Refuse | None:
        return bad_input(" ".join(inputs)) if any(planted.refused in text for text in inputs) else None

    def first_fails(arrival: Arrival) -> Fault | None:
        return Refuse(500, "server_error", " ".join(arrival.inputs)) if arrival.number == 1 else None

    with FakeOpenAI(refuse=refuse, script=first_fails) as provider:
        yield World(tmp_path / "world", database_url, settings.upload_dir, planted, provider, receiver)
    receiver.close()


def write(world: World, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        (world.uploads / name).write_bytes(content)


def refuse_a_row(world: World) -> None:
    """Have the database quote a row it refuses, as its own errors do."""
    with psycopg.connect(world.url, autocommit=True) as conn:
        conn.execute(
            """CREATE FUNCTION refuse_row() RETURNS trigger LANGUAGE plpgsql AS $$
               BEGIN RAISE EXCEPTION 'no room for %', NEW.text USING DETAIL = NEW.text; END $$"""
        )
        # The statement takes no parameters.
        pattern = sql.Literal(f"%{world.planting.unstorable}%")
        trigger = """CREATE TRIGGER refuse BEFORE INSERT ON tvdb.vector_rows FOR EACH ROW WHEN (NEW.text LIKE {})
                     EXECUTE FUNCTION refuse_row()"""
        conn.execute(sql.SQL(trigger).format(pattern))


def accept_rows(world: World) -> None:
    with psycopg.connect(world.url, autocommit=True) as conn:
        conn.execute("DROP TRIGGER refuse ON tvdb.vector_rows")


def stored_errors(world: World) -> str:
    with psycopg.connect(world.url) as conn:
        rows = conn.execute("SELECT event FROM dagster.event_logs WHERE dagster_event_type = 'STEP_FAILURE'").fetchall()
    return "".join(row[0] for row in rows)


def age_scratch_folders(world: World) -> int:
    """Make what killed processes left behind two minutes old; how many folders there are."""
    left = list(world.temporary.glob("tvdb-parse-*"))
    then = time.time() - 120
    for folder in left:
        os.utime(folder, (then, then))
    return len(left)


def test_no_planted_word_stands_where_none_may(world: World) -> None:
    write(world, world.planting.files)
    uploads, refused = str(world.uploads), world.planting.unstorable
    with world.driven() as driven:
        keys = json.loads(driven.run("register", uploads, "--json")[1])["keys"]
        driven.run("quote", uploads, "--json", kill_parser=str(world.told / "parser"))
        driven.run("ingest", uploads, kill_at=KILLS[0])
    assert age_scratch_folders(world) > 0
    for point in KILLS[1:]:
        with world.driven() as driven:
            driven.run("ingest", uploads, kill_at=point)
    age_scratch_folders(world)

    refuse_a_row(world)
    # It may have been stored before a later kill.
    write(world, {name: old + b" And again." for name, old in world.planting.files.items() if refused.encode() in old})
    with world.driven() as driven:
        assert driven.job(keys) == 1
        assert "RaiseException at tvdb_pipeline." in stored_errors(world)
        assert driven.run("watch", "--once")[0] == 3
        accept_rows(world)
        assert driven.run("ingest", uploads)[0] == 3
        write(world, world.planting.changed)
        _, printed = driven.run("ingest", uploads, "--json")
        documents = json.loads(printed)["documents"]
        assert {document["path"] for document in documents} == {None}
        assert {"ready", "partial", "rejected"} <= {document["state"] for document in documents}

        _, shown = driven.run("status", "--json")
        assert all(word in shown for word in world.planting.names)
        _, found = driven.run("search", f"What was reported of {world.planting.texts[-1]}?", "--json")
        assert world.planting.texts[-1] in json.loads(found)["results"][0]["text"]
        assert json.loads(found)["results"][0]["path"] is None
        for command in ("metrics --once", "doctor --json", "budget --json", "alerts --all --json", "audit --json"):
            assert driven.run(*command.split())[0] in (0, 3), command
        assert driven.report(world.reports) == 0

        assert world.receiver.texts
        (world.told / "alerts").write_text("\n".join(world.receiver.texts))
        assert_planted(world)
        assert world.leaks() == []

        for document in documents:
            if document["parent"] is None:
                assert driven.run("delete", document["key"])[0] == 0
    assert world.leaks() == []
    assert list(world.temporary.glob("tvdb-parse-*")) == []


def assert_planted(world: World) -> None:
    """The words are where they belong: otherwise finding none elsewhere would show nothing."""
    found = world.words_in(world.home / "artifacts")
    assert found["tvdb.documents.path"] == set(world.planting.names)
    gone = set(world.planting.texts) - found["tvdb.vector_rows.text"]
    [changed] = world.planting.changed
    assert all(word.encode() in world.planting.files[changed] for word in gone)
    kept = {word for place, words in found.items() if place.startswith(str(world.home)) for word in words}
    assert set(world.planting.hidden) <= kept
