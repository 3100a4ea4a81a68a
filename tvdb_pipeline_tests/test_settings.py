"""Settings: where they come from, what is refused, and that secrets stay secret."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from tvdb_pipeline import settings as module
from tvdb_pipeline.errors import TvdbError
from tvdb_pipeline.settings import Settings, load_settings

SECRETS = {
    "OPENAI_API_KEY": "sk-live-0123456789",
    "TVDB_DATABASE_URL": "postgresql://tvdb:hunter2@db/tvdb",
}


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout of its own: an empty .env.base and nothing else."""
    monkeypatch.setattr(module, "_CHECKOUT", tmp_path)
    (tmp_path / ".env.base").write_text("")
    return tmp_path


def test_defaults_spend_nothing(root: Path) -> None:
    settings = load_settings()
    assert (settings.env, settings.service_mode, settings.provider_agreement) == ("development", "MOCK", None)
    assert (settings.daily_limit_nano, settings.hourly_request_limit) == (5_000_000_000, 100)
    assert settings.document_limit_nano == 500_000_000
    assert settings.embedding_model == "text-embedding-3-small"
    assert (settings.documents_per_run, settings.backfill_policy, settings.key_style) == (50, "multi", "slug")
    assert (settings.database_url, settings.openai_api_key, settings.openai_base_url) == (None, None, None)


def test_the_environments_file_overrides_the_base_and_the_environment_overrides_both(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (root / ".env.base").write_text("TVDB_KEY_STYLE=opaque\nTVDB_PARSE_WORKERS=1\nTVDB_HOURLY_REQUEST_LIMIT=1\n")
    (root / ".env.development").write_text("TVDB_PARSE_WORKERS=2\nTVDB_HOURLY_REQUEST_LIMIT=2\n")
    monkeypatch.setenv("TVDB_HOURLY_REQUEST_LIMIT", "3")
    settings = load_settings()
    assert (settings.key_style, settings.parse_workers, settings.hourly_request_limit) == ("opaque", 2, 3)


def test_the_environment_named_decides_which_file_is_read(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (root / ".env.development").write_text("TVDB_SERVICE_MODE=HYBRID\n")
    (root / ".env.staging").write_text("TVDB_SERVICE_MODE=REAL\n")
    assert load_settings().service_mode == "HYBRID"
    monkeypatch.setenv("TVDB_ENV", "staging")
    assert (load_settings().service_mode, load_settings().env) == ("REAL", "staging")


def test_development_does_without_a_file(root: Path) -> None:
    (root / ".env.base").write_text("TVDB_KEY_STYLE=opaque\n")
    assert load_settings().key_style == "opaque"


def test_an_empty_value_means_not_set(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TVDB_DATABASE_URL", "OPENAI_API_KEY", "TVDB_PROVIDER_AGREEMENT", "TVDB_DAILY_COST_LIMIT_USD"):
        monkeypatch.setenv(name, "")
    settings = load_settings()
    assert (settings.database_url, settings.openai_api_key, settings.provider_agreement) == (None, None, None)
    assert settings.daily_limit_nano == 5_000_000_000


def test_the_key_is_read_under_the_names_openai_uses(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-1")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    settings = load_settings()
    assert settings.openai_api_key is not None
    assert settings.openai_api_key.get_secret_value() == "sk-1"
    assert settings.openai_base_url == "http://127.0.0.1:9/v1"


@pytest.mark.parametrize("mode", ["mock", "Hybrid", "REAL"])
def test_the_mode_may_be_written_in_any_case(root: Path, monkeypatch: pytest.MonkeyPatch, mode: str) -> None:
    monkeypatch.setenv("TVDB_SERVICE_MODE", mode)
    assert load_settings().service_mode == mode.upper()


def test_relative_folders_are_below_the_checkout(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_settings().home == root / ".tvdb"
    assert load_settings().upload_dir == root / "data" / "uploads"
    monkeypatch.setenv("TVDB_HOME", "/var/lib/tvdb")
    assert load_settings().home == Path("/var/lib/tvdb")


def test_without_a_checkout_folders_are_below_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_CHECKOUT", tmp_path / "site-packages")
    monkeypatch.chdir(tmp_path)
    assert load_settings().home == tmp_path / ".tvdb"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TVDB_DAILY_COST_LIMIT_USD", "five"),
        ("TVDB_DAILY_COST_LIMIT_USD", "-1"),
        ("TVDB_DAILY_COST_LIMIT_USD", "NaN"),
        ("TVDB_DAILY_COST_LIMIT_USD", "Infinity"),
        ("TVDB_HOURLY_REQUEST_LIMIT", "1.5"),
        ("TVDB_DOCUMENT_COST_LIMIT_USD", "$1"),
        ("TVDB_SERVICE_MODE", "LIVE"),
        ("TVDB_PROVIDER_AGREEMENT", "yes"),
        ("TVDB_DOCUMENTS_PER_RUN", "0"),
        ("TVDB_BACKFILL_POLICY", "both"),
        ("TVDB_KEY_STYLE", "names"),
        ("TVDB_ENV", "../../etc/passwd"),
        ("TVDB_REMOVE_MISSING", "perhaps"),
        ("TVDB_PDF_ENGINE", "magic"),
    ],
)
def test_a_bad_value_is_one_sentence_that_names_the_setting(
    root: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(TvdbError) as refused:
        load_settings()
    assert refused.value.code == "bad_setting"
    assert name in refused.value.message
    assert "\n" not in refused.value.message
    assert refused.value.message.endswith(".")


def test_a_bad_setting_is_named_without_its_value(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TVDB_HOURLY_REQUEST_LIMIT", "sk-pasted-by-mistake")
    with pytest.raises(TvdbError) as refused:
        load_settings()
    assert "sk-pasted" not in str(refused.value)


def test_secrets_are_not_shown(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    settings = load_settings()
    assert settings.database_url is not None
    assert settings.database_url.get_secret_value() == SECRETS["TVDB_DATABASE_URL"]
    for shown in (repr(settings), str(settings), settings.model_dump_json(), f"{settings.__dict__}"):
        assert not any(value in shown for value in (*SECRETS.values(), "hunter2"))


def test_settings_do_not_change(root: Path) -> None:
    with pytest.raises(ValidationError):
        load_settings().parse_workers = 7


def test_parsing_uses_as_many_processes_as_cores_unless_told_otherwise(root: Path) -> None:
    assert Settings().worker_count >= 1
    assert Settings(parse_workers=3).worker_count == 3


def test_the_files_of_the_checkout_are_valid(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (*SECRETS.items(), ("TVDB_PROVIDER_AGREEMENT", "covered")):
        monkeypatch.setenv(name, value)
    for env, mode, style in (("development", "HYBRID", "slug"), ("production", "REAL", "opaque")):
        monkeypatch.setenv("TVDB_ENV", env)
        assert (load_settings().service_mode, load_settings().key_style) == (mode, style)
