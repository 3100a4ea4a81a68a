"""TLS to a PostgreSQL on another machine: asked for unasked, and verified.

The server of the wheel was built without TLS, so a front of this test's speaks PostgreSQL's own way into TLS before it, and hands
on what is inside. The client is the real one.
"""

from __future__ import annotations

import select
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict
from pydantic import SecretStr

from tvdb_pipeline.database.pools import Database, database_url
from tvdb_pipeline.database.tls import other_machine, verified
from tvdb_pipeline.errors import TvdbError
from tvdb_pipeline.operations.readiness import rights
from tvdb_pipeline.orchestration.home import dagster_environment
from tvdb_pipeline.settings import Settings

HERE = [
    "postgresql://u@/x?host=/run/postgresql",
    "postgresql://u@/x",
    "postgresql://u@localhost/x",
    "postgresql://u@127.8.9.10:5433/x",
    "postgresql://u@[::1]/x",
    "postgresql://u@/x?hostaddr=127.0.0.1",
]
ELSEWHERE = [
    "postgresql://u:p@db.example/x",
    "postgresql://u@10.0.0.5/x?application_name=a",
    "postgresql://u@localhost,db.example/x",
    "postgresql://u@/x?host=db.example&hostaddr=127.0.0.1",
    "postgresql://u@localhost/x?hostaddr=10.0.0.5",
    "postgresql:///x?service=main",
    "host=db.example dbname=x",
]
SSL_REQUEST = bytes.fromhex("0000000804d2162f")


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing of libpq's own in the environment, and no certificate in the home folder."""
    for name in ("PGHOST", "PGHOSTADDR", "PGSERVICE", "PGSSLMODE", "PGSSLROOTCERT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.mark.parametrize("url", HERE)
def test_this_machine_is_left_as_it_is(url: str) -> None:
    assert other_machine(url) is None
    assert verified(url, "verified") == url


@pytest.mark.parametrize("url", ELSEWHERE)
def test_another_machine_is_verified_without_being_asked_to(url: str) -> None:
    given = conninfo_to_dict(verified(url, "verified"))
    assert given["sslmode"] == "verify-full"
    assert given["sslrootcert"] == "system" or Path(str(given["sslrootcert"])).is_file()
    assert {name: value for name, value in given.items() if not name.startswith("ssl")} == conninfo_to_dict(url)
    assert verified(url, "trusted_network") == url


@pytest.mark.parametrize("mode", ["disable", "allow", "prefer", "require", "verify-ca"])
def test_a_url_that_asks_for_less_is_refused_by_the_names_of_the_settings(mode: str) -> None:
    url = f"postgresql://u:hunter2@db.example/x?sslmode={mode}"
    with pytest.raises(TvdbError) as refused:
        verified(url, "verified")
    assert refused.value.code == "bad_setting"
    assert "TVDB_DATABASE_URL" in refused.value.message
    assert "TVDB_DATABASE_TLS" in refused.value.message
    assert "hunter2" not in refused.value.message
    assert verified(url, "trusted_network") == url


def test_an_authority_that_is_named_stays(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    url = "postgresql://u@db.example/x?sslrootcert=/etc/ours.crt"
    assert verified(url, "verified") == f"{url}&sslmode=verify-full"
    assert verified(f"{url}&sslmode=verify-full", "verified") == f"{url}&sslmode=verify-full"
    bare = "postgresql://u@db.example/x"
    (tmp_path / ".postgresql").mkdir()
    (tmp_path / ".postgresql" / "root.crt").touch()
    assert verified(bare, "verified") == f"{bare}?sslmode=verify-full"
    (tmp_path / ".postgresql" / "root.crt").unlink()
    monkeypatch.setenv("PGSSLROOTCERT", "/etc/ours.crt")
    assert verified(bare, "verified") == f"{bare}?sslmode=verify-full"


def test_dagster_is_given_the_verified_url(settings: Settings) -> None:
    remote = settings.model_copy(update={"database_url": SecretStr("postgresql://u:p@db.example/x")})
    variables = dagster_environment(remote, database_url(remote))
    assert "sslmode=verify-full" in variables["TVDB_DAGSTER_DATABASE_URL"]
    assert "sslmode=verify-full" in variables["TVDB_DATABASE_URL"]


Certify = Callable[[str], Path]


@pytest.fixture(scope="module")
def certify(tmp_path_factory: pytest.TempPathFactory) -> Certify:
    """Makes an authority and, by it, a certificate for db.example: a folder with ca.crt, server.crt and server.key."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not on this machine")

    def make(name: str) -> Path:
        folder = tmp_path_factory.mktemp(name)
        key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
        for command in (
            ["req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.crt", "-subj", f"/CN={name}"],
            ["req", "-x509", *key, "-keyout", "server.key", "-out", "server.crt", "-subj", "/CN=db.example",
             "-addext", "subjectAltName=DNS:db.example", "-addext", "basicConstraints=critical,CA:FALSE",
             "-CA", "ca.crt", "-CAkey", "ca.key"],
        ):  # fmt: skip
            subprocess.run(["openssl", *command], cwd=folder, check=True, capture_output=True)
        return folder

    return make


@pytest.fixture(scope="module")
def front(server_url: str, certify: Certify) -> Iterator[tuple[int, Path]]:
    """A port of 127.0.0.1 that speaks TLS and is the embedded server inside, and the folder of its authority."""
    folder = certify("ours")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.crt", folder / "server.key")
    path = Path(str(conninfo_to_dict(server_url)["host"])) / ".s.PGSQL.5432"
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    threading.Thread(target=answer, args=(listening.accept()[0],), daemon=True).start()

        def answer(client: socket.socket) -> None:
            with suppress(OSError), client, socket.socket(socket.AF_UNIX) as server:
                server.connect(str(path))
                first = client.recv(8)
                if first == SSL_REQUEST:
                    client.sendall(b"S")
                    with context.wrap_socket(client, server_side=True) as inside:
                        hand_on(inside, server)
                else:
                    server.sendall(first)
                    hand_on(client, server)

        threading.Thread(target=serve, daemon=True).start()
        yield listening.getsockname()[1], folder
        listening.shutdown(socket.SHUT_RDWR)


def hand_on(client: socket.socket, server: socket.socket) -> None:
    """Both ways, until one of them ends."""
    while True:
        waiting = isinstance(client, ssl.SSLSocket) and client.pending()
        for source in [client] if waiting else select.select([client, server], [], [])[0]:
            data = source.recv(65536)
            if not data:
                return
            (server if source is client else client).sendall(data)


def remote(front: tuple[int, Path], settings: Settings, **more: str) -> Settings:
    """The test's database, reached through the front under the name of another machine."""
    assert settings.database_url is not None
    name = settings.database_url.get_secret_value().partition("?")[0].rpartition("/")[2]
    given = {"host": "db.example", "hostaddr": "127.0.0.1", "port": str(front[0]), "gssencmode": "disable", **more}
    url = f"postgresql://postgres:@/{name}?" + "&".join(f"{key}={value}" for key, value in given.items())
    return settings.model_copy(update={"database_url": SecretStr(url)})


def encrypted(settings: Settings) -> tuple[bool, bool, str]:
    """The row of the checklist: needed, passed, evidence."""
    url = database_url(settings)
    with psycopg.connect(url, autocommit=True) as conn:
        row = next(row for row in rights.rows(settings, conn, url) if row.name == "encrypted")
    return row.needed, row.passed, row.evidence


def test_a_server_certified_by_our_authority_is_reached(front: tuple[int, Path], settings: Settings) -> None:
    needed, passed, evidence = encrypted(remote(front, settings, sslrootcert=str(front[1] / "ca.crt")))
    assert (needed, passed) == (True, True)
    assert "verified" in evidence


def test_a_server_certified_by_another_authority_is_not(
    front: tuple[int, Path], settings: Settings, certify: Certify
) -> None:
    for authority in (str(certify("theirs") / "ca.crt"), None):
        url = database_url(remote(front, settings, **({"sslrootcert": authority} if authority else {})))
        with pytest.raises(psycopg.OperationalError, match=r"certificate verify failed|self-signed|unable to get"):
            psycopg.connect(url)
        with pytest.raises(TvdbError) as refused:
            Database(url).open()
        assert (refused.value.code, "sslrootcert" in refused.value.message) == ("database_unverified", True)


def test_a_server_that_shows_the_certificate_of_another_name_is_not(
    front: tuple[int, Path], settings: Settings
) -> None:
    url = database_url(remote(front, settings, sslrootcert=str(front[1] / "ca.crt"), host="db2.example"))
    with pytest.raises(psycopg.OperationalError, match=r"db2\.example"):
        psycopg.connect(url)


def test_the_checklist_is_red_where_another_machine_is_reached_in_clear(
    front: tuple[int, Path], settings: Settings
) -> None:
    trusting = settings.model_copy(update={"database_tls": "trusted_network"})
    needed, passed, evidence = encrypted(remote(front, trusting, sslmode="disable"))
    assert (needed, passed) == (True, False)
    assert "in clear" in evidence
    assert encrypted(settings)[0] is False, "the embedded server is on this machine"
