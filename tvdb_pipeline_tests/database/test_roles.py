"""Each role can do its work, and what it must not do is tried and refused."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from pydantic import SecretStr

from tvdb_pipeline.database import grants
from tvdb_pipeline.database.grants import ROLES, TABLES, VERBS
from tvdb_pipeline.database.migrations import migrations
from tvdb_pipeline.database.pools import Database
from tvdb_pipeline.embedding.mock import MockClient
from tvdb_pipeline.embedding.models import MOCK_MODEL
from tvdb_pipeline.errors import TvdbError
from tvdb_pipeline.ingest.planning import make_plan
from tvdb_pipeline.ingest.sweeping import tidy
from tvdb_pipeline.ingest.walk import walk
from tvdb_pipeline.ingest.workshop import Workshop, build_workshop
from tvdb_pipeline.operations import audit
from tvdb_pipeline.operations.backup.copying import back_up
from tvdb_pipeline.operations.backup.restoring import restore
from tvdb_pipeline.operations.ingestion import delete_document
from tvdb_pipeline.operations.metrics import endpoint
from tvdb_pipeline.operations.overview import budget_overview, overview
from tvdb_pipeline.operations.preparing import prepare
from tvdb_pipeline.orchestration.home import open_instance
from tvdb_pipeline.settings import Settings, project_root
from tvdb_pipeline.vectorstore.indexes import COLUMNS, GRAPHS, ensure_index, index_name, kind_of_index
from tvdb_pipeline.vectorstore.search import search
from tvdb_pipeline_tests.prose import paragraphs

LOGINS = ("tvdb_owner", "tvdb_app", "tvdb_reader", "tvdb_dump")
"""As deploy/roles.sql makes them, in the order of ROLES."""
ALL_VERBS = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")
INDEXED = ("text-embedding-3-small", "Org/Model.A:1", 'it\'s "odd"; --', "x" * 80, "-_-", MOCK_MODEL)


@dataclass(frozen=True)
class Place:
    """A database under roles: the URL of its administrator, settings, and where uploads lie."""

    url: str
    settings: Settings

    def url_of(self, login: str) -> str:
        return self.url.replace("postgres:@", f"{login}:@", 1)

    def settings_of(self, login: str) -> Settings:
        return self.settings.model_copy(update={"database_url": SecretStr(self.url_of(login))})


def new_database(server_url: str, owner: str = "postgres") -> str:
    """Its URL, for an administrator."""
    name = f"r_{uuid4().hex[:12]}"
    with psycopg.connect(server_url, autocommit=True) as conn:
        conn.execute(f"CREATE DATABASE {name} OWNER {owner}")  # pyright: ignore
    return server_url.replace("/postgres?", f"/{name}?", 1)


def drop_database(server_url: str, url: str) -> None:
    name = url.partition("?")[0].rpartition("/")[2]
    with psycopg.connect(server_url, autocommit=True) as conn:
        conn.execute(f"DROP DATABASE {name} WITH (FORCE)")  # pyright: ignore


@pytest.fixture(scope="module")
def place(server_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """As docs/deployment.md says: the administrator runs deploy/roles.sql, then the owner's login `tvdb migrate`."""
    folder, url = tmp_path_factory.mktemp("place"), new_database(server_url)
    (folder / "uploads").mkdir()
    with psycopg.connect(url, autocommit=True) as conn:
        for _ in range(2):
            conn.execute((project_root() / "deploy" / "roles.sql").read_text())  # pyright: ignore
    settings = Settings(
        home=folder / "home", upload_dir=folder / "uploads", database_url=url, service_mode="MOCK", parse_workers=1
    )  # pyright: ignore
    found, before = Place(url, settings), dict(os.environ)
    done = prepare(found.settings_of("tvdb_owner"))
    # Dagster's instance sets variables that are of this database.
    os.environ.clear()
    os.environ.update(before)
    assert done.migrations == [migration.name for migration in migrations()]
    yield found
    drop_database(server_url, url)


def look(url: str, query: str, *params: object) -> list[tuple[object, ...]]:
    with psycopg.connect(url, autocommit=True) as conn:
        return conn.execute(query, params).fetchall()  # pyright: ignore


def tables(url: str, schema: str) -> set[str]:
    query = """SELECT relname FROM pg_class WHERE relnamespace = %s::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'f')"""
    return {f"{schema}.{name}" for (name,) in look(url, query, schema)}


def test_every_table_of_ours_has_its_line(place: Place) -> None:
    assert tables(place.url, "tvdb") == {name for name in TABLES if name.startswith("tvdb.")}


@pytest.mark.parametrize("role", ROLES[1:])
def test_every_role_has_on_every_table_the_verbs_of_its_line_and_no_other(place: Place, role: grants.Role) -> None:
    for table in tables(place.url, "tvdb") | tables(place.url, "dagster"):
        listed = grants.listed_for("table", table)[ROLES.index(role) - 1]
        wanted = {VERBS[letter] for letter in listed}
        held = look(
            place.url, "SELECT verb FROM unnest(%s::text[]) verb WHERE has_table_privilege(%s, %s, verb)",
            list(ALL_VERBS), role, table,
        )  # fmt: skip
        assert {verb for (verb,) in held} == wanted, (role, table)


def test_nothing_differs_from_the_table_and_doing_it_again_changes_nothing(place: Place) -> None:
    with psycopg.connect(place.url_of("tvdb_owner"), autocommit=True) as conn:
        assert grants.differences(conn) == []
    done = prepare(place.settings_of("tvdb_owner"))
    assert (done.migrations, done.roles, done.handed_over, done.rights) == ([], [], 0, 0)
    assert done.index == index_name(MOCK_MODEL)


def test_rights_that_were_given_and_taken_behind_its_back_are_mended(place: Place) -> None:
    spoilt = (
        "GRANT ALL ON tvdb.audit TO tvdb_application",
        "GRANT SELECT ON tvdb.alerts TO tvdb_read_only WITH GRANT OPTION",
        "GRANT SELECT ON tvdb.vector_rows TO PUBLIC",
        "GRANT EXECUTE ON FUNCTION tvdb.make_vector_index TO PUBLIC",
        "GRANT SELECT ON tvdb.documents TO tvdb_dump",
        "REVOKE SELECT ON ALL SEQUENCES IN SCHEMA dagster FROM tvdb_backup",
        "GRANT CREATE ON SCHEMA public TO PUBLIC",
    )
    with psycopg.connect(place.url_of("tvdb_owner"), autocommit=True) as conn:
        for statement in spoilt:
            conn.execute(statement)
            assert grants.differences(conn), statement
        assert grants.apply(conn) > len(spoilt)
        assert grants.differences(conn) == []


def test_the_documents_table_is_the_one_of_the_program() -> None:
    text = (project_root() / "docs" / "security" / "roles.md").read_text()
    listed = {
        name: tuple(cell.replace(" ", "").replace("-", "") for cell in cells.split("|"))
        for name, cells in re.findall(
            r"^\| `((?:tvdb|dagster)\.[a-z_*]+)` \|([^|]*\|[^|]*\|[^|]*)\|$", text, re.MULTILINE
        )
    }
    functions = {f"{name}()": letters for name, letters in grants.FUNCTIONS.items()}
    assert listed == TABLES
    for name, letters in functions.items():
        assert f"| `{name}` | {' | '.join(letter or '-' for letter in letters)} |" in text


def test_the_migration_role_owns_everything_and_the_others_nothing(place: Place) -> None:
    owners = """SELECT DISTINCT pg_get_userbyid(owner) FROM (
                    SELECT relowner FROM pg_class WHERE relnamespace IN ('tvdb'::regnamespace, 'dagster'::regnamespace)
                    UNION SELECT proowner FROM pg_proc WHERE pronamespace IN ('tvdb'::regnamespace, 'dagster'::regnamespace)
                    UNION SELECT nspowner FROM pg_namespace WHERE nspname IN ('tvdb', 'dagster')
                    UNION SELECT datdba FROM pg_database WHERE datname = current_database()) AS everything (owner)"""
    assert look(place.url, owners) == [("tvdb_migration",)]


REFUSED = {
    "tvdb_app": [
        "DROP TABLE tvdb.alerts",
        "DROP SCHEMA tvdb CASCADE",
        "ALTER TABLE tvdb.documents ADD COLUMN more int",
        "ALTER TABLE tvdb.audit DISABLE TRIGGER ALL",
        "ALTER FUNCTION tvdb.keep_audit() RENAME TO keep_nothing",
        "TRUNCATE tvdb.vector_rows",
        "CREATE TABLE tvdb.more ()",
        "CREATE TABLE dagster.more ()",
        "CREATE TABLE public.more ()",
        "CREATE SCHEMA more",
        "CREATE ROLE more",
        "CREATE INDEX ON tvdb.vector_rows (tokens)",
        "CREATE TRIGGER more BEFORE INSERT ON tvdb.audit FOR EACH ROW EXECUTE FUNCTION tvdb.keep_audit()",
        "SET ROLE tvdb_migration",
        "SET session_replication_role = replica",
        "GRANT tvdb_migration TO tvdb_app",
        "UPDATE tvdb.audit SET actor = 'nobody'",
        "DELETE FROM tvdb.audit",
        "UPDATE tvdb.journal SET state = 'ready'",
        "DELETE FROM tvdb.journal",
        "DELETE FROM tvdb.requests",
        "UPDATE tvdb.request_shares SET tokens = 0",
        "INSERT INTO tvdb.safekeeping (kind, passed) VALUES ('backup', true)",
        "DELETE FROM tvdb.schema_migrations",
        "UPDATE dagster.alembic_version SET version_num = ''",
        "SELECT nextval('tvdb.requests_id_seq')",
        "SELECT tvdb.chain_audit()",
        "COPY tvdb.documents TO PROGRAM 'cat'",
        "SELECT pg_read_file('/etc/passwd')",
    ],
    "tvdb_reader": [
        "INSERT INTO tvdb.documents (key, path) VALUES ('a', 'a')",
        "UPDATE tvdb.documents SET state = 'ready'",
        "DELETE FROM tvdb.vector_rows",
        "INSERT INTO tvdb.audit (action) VALUES ('searched')",
        "UPDATE tvdb.breaker SET state = 'closed'",
        "SELECT FROM tvdb.document_texts",
        "SELECT FROM dagster.runs",
        "SELECT tvdb.make_vector_index('text-embedding-3-small')",
        "CREATE TEMPORARY TABLE more ()",
        "CREATE TABLE tvdb.more ()",
        "SELECT FROM tvdb.documents FOR UPDATE",
    ],
    "tvdb_dump": [
        "INSERT INTO tvdb.documents (key, path) VALUES ('a', 'a')",
        "UPDATE tvdb.documents SET state = 'ready'",
        "DELETE FROM tvdb.vector_rows",
        "DELETE FROM tvdb.safekeeping",
        "UPDATE tvdb.safekeeping SET passed = true",
        "INSERT INTO tvdb.audit (action) VALUES ('searched')",
        "DELETE FROM dagster.runs",
        "SELECT nextval('tvdb.requests_id_seq')",
        "SELECT tvdb.make_vector_index('text-embedding-3-small')",
        "CREATE TEMPORARY TABLE more ()",
        "CREATE TABLE dagster.more ()",
    ],
}


def refused(conn: psycopg.Connection[tuple[object, ...]], statement: str) -> bool:
    try:
        conn.execute(statement)  # pyright: ignore
    except psycopg.errors.InsufficientPrivilege:
        return True
    return False


@pytest.mark.parametrize("login", REFUSED)
def test_what_a_role_must_not_do_is_refused(place: Place, login: str) -> None:
    with psycopg.connect(place.url_of(login), autocommit=True) as conn:
        for statement in REFUSED[login]:
            assert refused(conn, statement), statement


def test_a_stranger_is_not_let_into_the_database(place: Place) -> None:
    with psycopg.connect(place.url, autocommit=True) as conn:
        conn.execute("CREATE ROLE stranger LOGIN")
    try:
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            psycopg.connect(place.url_of("stranger"))
        with psycopg.connect(place.url, autocommit=True) as conn:
            conn.execute(f"GRANT CONNECT ON DATABASE {conn.info.dbname} TO stranger")  # pyright: ignore
        with pytest.raises(TvdbError) as refused:
            Database(place.url_of("stranger")).open()
        assert refused.value.code == "not_permitted"
        with pytest.raises(TvdbError) as refused:
            prepare(place.settings_of("stranger"))
        assert refused.value.code == "no_roles"
        assert "deploy/roles.sql" in refused.value.message
    finally:
        with psycopg.connect(place.url, autocommit=True) as conn:
            conn.execute("DROP OWNED BY stranger")
            conn.execute("DROP ROLE stranger")


@pytest.fixture(scope="module")
def filled(place: Place) -> Iterator[Workshop]:
    """Two documents, ingested by the application, with Dagster's instance opened by it."""
    uploads = place.settings.upload_dir
    for number in range(2):
        (uploads / f"{number}.txt").write_text("\n\n".join(paragraphs(4, seed=number)))
    settings = place.settings_of("tvdb_app")
    database = Database(place.url_of("tvdb_app")).open()
    shop = build_workshop(settings, database, MockClient())
    list(walk(shop, make_plan(shop, [uploads]).stale))
    yield shop
    database.close()


def test_the_application_ingests_searches_and_keeps_dagsters_records(filled: Workshop, place: Place) -> None:
    assert [document["state"] for document in overview(filled.database)] == ["ready", "ready"]
    vector = MockClient().embed(["hot air balloons"]).vectors[0]
    assert search(filled.database, "hot air balloons", {MOCK_MODEL: vector}, 3, mode="fused")
    with open_instance(filled.settings, place.url_of("tvdb_app")) as instance:
        instance.add_dynamic_partitions("documents", ["doc-1"])
        assert instance.get_dynamic_partitions("documents") == ["doc-1"]
        instance.delete_dynamic_partition("documents", "doc-1")


def test_who_may_only_read_sees_documents_figures_words_and_the_record(filled: Workshop, place: Place) -> None:
    reader = Database(place.url_of("tvdb_reader")).open()
    shop = build_workshop(place.settings_of("tvdb_reader"), reader, MockClient())
    assert len(overview(reader)) == 2
    assert budget_overview(shop.ledger, shop.embedding.breaker, reader)
    assert search(reader, paragraphs(1, seed=0)[0], {}, 3, mode="lexical")
    assert {"registered", "ingested"} <= {entry["action"] for entry in audit.entries(reader)}
    reader.close()
    text, up = endpoint.exposition(place.settings_of("tvdb_reader"))
    assert up
    assert "tvdb_documents" in text


def test_a_backup_by_its_role_is_restored_by_the_owner_with_all_rights_as_they_are_listed(
    filled: Workshop, place: Place, server_url: str, tmp_path: Path
) -> None:
    Database(place.url_of("tvdb_dump")).open().close()
    done = back_up(place.settings_of("tvdb_dump"), place.url_of("tvdb_dump"), tmp_path / "backups")
    assert done.documents == 2
    assert look(place.url, "SELECT kind, passed FROM tvdb.safekeeping") == [("backup", True)]
    assert look(place.url, "SELECT role FROM tvdb.audit WHERE action = 'backed_up'") == [("tvdb_dump",)]
    url = new_database(server_url, "tvdb_migration")
    try:
        with psycopg.connect(url, autocommit=True) as conn:
            conn.execute("CREATE EXTENSION vector")
        owner = url.replace("postgres:@", "tvdb_owner:@", 1)
        changed = {"home": tmp_path / "home", "database_url": SecretStr(owner)}
        restored = restore(place.settings.model_copy(update=changed), owner, tmp_path / "backups")
        assert restored.documents == 2
        with psycopg.connect(url, autocommit=True) as conn:
            assert grants.differences(conn) == []
        application = Database(url.replace("postgres:@", "tvdb_app:@", 1)).open()
        assert [document["state"] for document in overview(application)] == ["ready", "ready"]
        application.close()
    finally:
        drop_database(server_url, url)


def test_the_application_is_told_who_makes_what_is_missing_and_does_not_try(place: Place) -> None:
    last = migrations()[-1]
    with psycopg.connect(place.url, autocommit=True) as conn:
        conn.execute("DELETE FROM tvdb.schema_migrations WHERE number = %s", (last.number,))
    try:
        for login in LOGINS[1:]:
            with pytest.raises(TvdbError) as refused:
                Database(place.url_of(login)).open()
            assert refused.value.code == "not_migrated"
            assert "tvdb migrate" in refused.value.message
    finally:
        with psycopg.connect(place.url, autocommit=True) as conn:
            conn.execute("INSERT INTO tvdb.schema_migrations (number, name) VALUES (%s, %s)", last[:2])
    Database(place.url_of("tvdb_app")).open().close()


def test_a_database_its_one_role_owned_is_handed_over_with_what_is_in_it(
    place: Place, server_url: str, tmp_path: Path
) -> None:
    with psycopg.connect(server_url, autocommit=True) as conn:
        conn.execute("CREATE ROLE alone LOGIN")
    url = new_database(server_url, "alone")
    alone = url.replace("postgres:@", "alone:@", 1)
    try:
        with psycopg.connect(url, autocommit=True) as conn:
            conn.execute("CREATE EXTENSION vector")
        former = Database(alone).open()
        former.run("INSERT INTO tvdb.documents (key, path) VALUES ('a', 'a.pdf')")
        former.close()
        with psycopg.connect(url, autocommit=True) as conn:
            conn.execute("GRANT tvdb_migration TO alone")
        settings = place.settings.model_copy(update={"home": tmp_path / "home", "database_url": SecretStr(alone)})
        assert prepare(settings).handed_over > len(TABLES)
        application = Database(url.replace("postgres:@", "tvdb_app:@", 1)).open()
        assert [document["key"] for document in overview(application)] == ["a"]
        application.close()
        with psycopg.connect(alone, autocommit=True) as conn:
            assert grants.differences(conn) == []
    finally:
        drop_database(server_url, url)
        with psycopg.connect(server_url, autocommit=True) as conn:
            conn.execute("DROP ROLE alone")


def test_the_application_gets_the_index_of_each_model_as_it_is_described(place: Place) -> None:
    application = Database(place.url_of("tvdb_app"), size=2).open()
    names = {model: ensure_index(application, model) for model in INDEXED}
    assert names == {model: index_name(model) for model in INDEXED}
    for refused in ("", "x" * 81, "é", None):
        with pytest.raises(psycopg.errors.InvalidParameterValue):
            application.fetch("SELECT tvdb.make_vector_index(%s)", (refused,))
    application.close()
    definition = "SELECT pg_get_indexdef(%s::regclass)"
    with psycopg.connect(place.url, autocommit=True) as conn:
        for model, name in names.items():
            kind = kind_of_index(model)
            made = conn.execute(definition, (f"tvdb.{name}",)).fetchone()
            conn.execute(f"DROP INDEX tvdb.{name}")  # pyright: ignore
            literal = model.replace("'", "''")
            conn.execute(
                f"CREATE INDEX {name} ON tvdb.vector_rows USING hnsw ({COLUMNS[kind].as_string(conn)})"  # pyright: ignore
                f" WITH ({GRAPHS[kind].as_string(conn)}) WHERE embedding_model = '{literal}'"
            )
            assert conn.execute(definition, (f"tvdb.{name}",)).fetchone() == made
            # Left behind, it would be the administrator's.
            conn.execute(f"DROP INDEX tvdb.{name}")  # pyright: ignore


def test_the_application_erases_a_document_that_has_changed(filled: Workshop) -> None:
    file = filled.settings.upload_dir / "erased.txt"
    for seed in (7, 8):
        file.write_text("\n\n".join(paragraphs(2, seed=seed)))
        (key,) = make_plan(filled, [file]).stale
        list(walk(filled, [key]))
    assert delete_document(filled, key) > 0
    tidy(filled)
    assert filled.database.fetch("SELECT document_key FROM tvdb.tombstones") == [(key,)]
