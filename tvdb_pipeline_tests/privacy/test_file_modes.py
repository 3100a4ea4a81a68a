"""Who may read what is written, and what reaches a process that reads files of strangers."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict
from pydantic import SecretStr

from tvdb_pipeline.database.pools import Database
from tvdb_pipeline.documents.artifacts import ArtifactStore
from tvdb_pipeline.documents.page_shelf import PageShelf
from tvdb_pipeline.errors import TvdbError
from tvdb_pipeline.operations.readiness import state
from tvdb_pipeline.orchestration.home import dagster_environment, prepare_home
from tvdb_pipeline.parsing.process import ParserProcess
from tvdb_pipeline.presentation import without_password
from tvdb_pipeline.privacy.modes import private_folder, tighten
from tvdb_pipeline.settings import Settings
from tvdb_pipeline_tests.driven import parsers

PASSWORD = "qpasswordofours"


@pytest.fixture(autouse=True)
def careless_user() -> Iterator[None]:
    """Whatever is made without saying so, others may read."""
    before = os.umask(0o022)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_folders_of_ours_are_made_for_this_user_only(tmp_path: Path) -> None:
    private_folder(tmp_path / "home" / "artifacts" / "raw_file")
    made = (tmp_path / "home", tmp_path / "home" / "artifacts", tmp_path / "home" / "artifacts" / "raw_file")
    assert [mode(path) for path in made] == [0o700] * 3
    private_folder(tmp_path / "home")


def test_artifacts_pages_and_dagsters_home_are_for_this_user_only(settings: Settings, tmp_path: Path) -> None:
    store = ArtifactStore(settings.home / "artifacts")
    store.put("parsed_text", "ab" * 32, b"text")
    (tmp_path / "upload.txt").write_text("text")
    digest, _ = store.keep_file(tmp_path / "upload.txt")
    PageShelf(settings.home / "pages", "doc-1", "v").keep(2, {1: b"record"})
    prepare_home(settings)
    files = [store.path("parsed_text", "ab" * 32), store.path("raw_file", digest)]
    assert [mode(file) for file in files] == [0o600, 0o600]
    folders = [path for path in settings.home.rglob("*") if path.is_dir()]
    assert {mode(path) for path in (settings.home, *folders)} == {0o700}
    assert mode(tmp_path / "upload.txt") == 0o644


def test_what_was_made_wider_is_tightened_at_the_top(tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / "artifacts" / "raw_file").mkdir(parents=True)
    (home / "note.json").touch()
    (tmp_path / "elsewhere").touch()
    (home / "link").symlink_to(tmp_path / "elsewhere")
    tighten(home, tmp_path / "uploads")
    assert (mode(home), mode(home / "artifacts"), mode(home / "note.json")) == (0o710, 0o700, 0o600)
    assert mode(tmp_path / "elsewhere") == 0o644


def test_uploads_below_home_stay_as_their_owner_made_them(tmp_path: Path) -> None:
    home, uploads = tmp_path / "home", tmp_path / "home" / "data" / "uploads"
    uploads.mkdir(parents=True)
    (uploads / "policy.pdf").touch()
    (home / "artifacts").mkdir()
    tighten(home, uploads)
    found = (home, home / "data", uploads, uploads / "policy.pdf", home / "artifacts")
    assert [mode(path) for path in found] == [0o711, 0o755, 0o755, 0o644, 0o700]


def test_the_embedded_database_is_out_of_reach_and_keeps_no_value_in_its_log(server_url: str) -> None:
    data = Path(str(conninfo_to_dict(server_url)["host"]))
    assert mode(data) == 0o700
    assert mode(data.parent) & 0o067 == 0
    with psycopg.connect(server_url) as conn, pytest.raises(psycopg.errors.InvalidTextRepresentation):
        conn.execute("SELECT 'qzebulon'::integer")
    assert "qzebulon" not in (data / "log").read_text()
    if os.geteuid() == 0:
        nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "ls", str(data.parent)]
        assert subprocess.run(nobody, capture_output=True, check=False).returncode != 0


def test_a_parser_gets_no_secret_and_no_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-qsecret")
    monkeypatch.setenv("TVDB_DATABASE_URL", f"postgresql://tvdb:{PASSWORD}@localhost/tvdb")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "qsecret")
    before = set(parsers(os.getpid()))
    process = ParserProcess(1024, may_execute=False)
    try:
        [parser] = set(parsers(os.getpid())) - before
        names = {entry.partition("=")[0] for entry in (parser / "environ").read_text().split("\0") if entry}
        arguments = (parser / "cmdline").read_text().split("\0")
    finally:
        process.kill()
    assert names <= {
        "PATH", "PYTHONPATH", "HOME", "TMPDIR", "LANG", "DO_NOT_TRACK", "SCARF_NO_ANALYTICS", "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
    }  # fmt: skip
    assert arguments[1:4] == ["-P", "-m", "tvdb_pipeline.parsing.worker"]
    assert len(arguments[4:]) == 5


def test_settings_show_no_secret(settings: Settings) -> None:
    url = f"postgresql://tvdb:{PASSWORD}@localhost/tvdb"
    secret = Settings(
        home=settings.home, database_url=SecretStr(url), openai_api_key=SecretStr("sk-qsecret"),
        alert_webhook_url=SecretStr("https://hooks/qsecret"), alert_smtp_url=SecretStr("smtp://me:qsecret@host"),
    )  # pyright: ignore[reportCallIssue]  # fmt: skip
    assert "qsecret" not in repr(secret) + str(secret)
    assert PASSWORD not in repr(secret) + str(secret) + (prepare_home(secret) / "dagster.yaml").read_text()


@pytest.mark.parametrize(
    "url", [f"postgresql://tvdb:{PASSWORD}@127.0.0.1:1/none", f"postgresql://tvdb:{PASSWORD} x@[::1/none?nosuch=1"]
)
def test_a_database_that_cannot_be_reached_is_told_of_without_its_password(settings: Settings, url: str) -> None:
    with pytest.raises(TvdbError) as caught:
        Database(url).open()
    assert PASSWORD not in "".join(traceback.format_exception(caught.value))
    assert PASSWORD not in str([finding.evidence for finding in state.rows(settings, url)])


def test_exports_are_shown_on_a_terminal_without_passwords(settings: Settings) -> None:
    url = f"postgresql://tvdb:{PASSWORD}@localhost:5432/tvdb?sslmode=verify-full"
    shown = {name: without_password(value) for name, value in dagster_environment(settings, url).items()}
    assert PASSWORD not in str(shown)
    assert shown["TVDB_DATABASE_URL"] == "postgresql://tvdb:***@localhost:5432/tvdb?sslmode=verify-full"
    assert without_password(f"postgresql://host/db?user=a&password={PASSWORD}") == (
        "postgresql://host/db?user=a&password=***"
    )


COMMAND = "import os, resource, sys; sys.argv = ['tvdb', '--help']; from tvdb_pipeline.cli import main\n"
AFTER = "finally: print(oct(os.umask(0)), resource.getrlimit(resource.RLIMIT_CORE)[0], file=sys.stderr)"


def test_a_command_writes_for_this_user_only_and_leaves_no_core() -> None:
    code = f"{COMMAND}try: main()\n{AFTER}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.split() == ["0o77", "0"]
