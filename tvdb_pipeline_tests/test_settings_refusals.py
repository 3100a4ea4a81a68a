"""What keeps a process from starting: one sentence, naming settings as the environment spells them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tvdb_pipeline import settings as module
from tvdb_pipeline.errors import TvdbError
from tvdb_pipeline.settings import Settings, load_settings

WHOLE = {
    "TVDB_DATABASE_URL": "postgresql://tvdb:hunter2@db/tvdb",
    "OPENAI_API_KEY": "sk-live-0123456789",
    "TVDB_PROVIDER_AGREEMENT": "covered",
}


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout of its own, with a production in REAL."""
    monkeypatch.setattr(module, "_CHECKOUT", tmp_path)
    (tmp_path / ".env.base").write_text("")
    (tmp_path / ".env.production").write_text("TVDB_SERVICE_MODE=REAL\n")
    return tmp_path


def refusal() -> str:
    """The sentence load_settings refuses with."""
    with pytest.raises(TvdbError) as refused:
        load_settings()
    message = refused.value.message
    assert message.endswith(".")
    assert "\n" not in message
    assert message.count(". ") == 0, "one sentence"
    return message


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("TVDB_DAILY_COST_LIMT_USD", "TVDB_DAILY_COST_LIMIT_USD"),
        ("TVDB_DAILY_LIMIT_USD", "TVDB_DAILY_COST_LIMIT_USD"),
        ("TVDB_DAILY_COST_LIMIT", "TVDB_DAILY_COST_LIMIT_USD"),
        ("TVDB_HOURLY_LIMIT", "TVDB_HOURLY_REQUEST_LIMIT"),
        ("TVDB_HOURLY_REQUESTS_LIMIT", "TVDB_HOURLY_REQUEST_LIMIT"),
        ("TVDB_DATABASEURL", "TVDB_DATABASE_URL"),
        ("TVDB_SERVICEMODE", "TVDB_SERVICE_MODE"),
        ("TVDB_OPENAI_API_KEY", "OPENAI_API_KEY"),
        ("tvdb_upload_dirs", "TVDB_UPLOAD_DIR"),
    ],
)
def test_a_misspelt_setting_is_refused_with_the_one_meant(
    monkeypatch: pytest.MonkeyPatch, written: str, meant: str
) -> None:
    monkeypatch.setenv(written, "1")
    assert f"{written} ({meant}?)" in refusal()


def test_a_misspelt_setting_in_a_file_is_refused_too(root: Path) -> None:
    (root / ".env.base").write_text("TVDB_DOCUMENT_LIMIT_USD=1\n")
    assert "TVDB_DOCUMENT_LIMIT_USD (TVDB_DOCUMENT_COST_LIMIT_USD?)" in refusal()


@pytest.mark.parametrize(
    "name",
    [
        "TVDB_CORPUS",
        "TVDB_DAGSTER_DATABASE_URL",
        "TVDB_BENCH_STARTED",
        "TVDB_BENCH_SCALE",
        "TVDB_SERVICE_PORT",
        "TVDB_X",
    ],
)
def test_names_that_only_share_the_prefix_are_left_alone(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "1")
    load_settings()


def test_every_setting_can_be_set_under_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    for field, info in Settings.model_fields.items():
        name = info.validation_alias if isinstance(info.validation_alias, str) else f"TVDB_{field.upper()}"
        monkeypatch.setenv(name, "")
    load_settings()


def test_an_environment_without_its_file_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TVDB_ENV", "prodution")
    assert "TVDB_ENV" in refusal()


def test_every_wrong_value_is_named_and_none_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TVDB_DAILY_COST_LIMIT_USD", "sk-pasted")
    monkeypatch.setenv("TVDB_DOCUMENTS_PER_RUN", "0")
    message = refusal()
    assert "TVDB_DAILY_COST_LIMIT_USD" in message
    assert "TVDB_DOCUMENTS_PER_RUN" in message
    assert "sk-pasted" not in message


def test_production_starts_with_all_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (*WHOLE.items(), ("TVDB_ENV", "production")):
        monkeypatch.setenv(name, value)
    assert load_settings().service_mode == "REAL"


@pytest.mark.parametrize("name", WHOLE)
def test_production_names_what_is_missing(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    for given, value in (*WHOLE.items(), ("TVDB_ENV", "production")):
        monkeypatch.setenv(given, "" if given == name else value)
    message = refusal()
    assert name in message
    assert not any(other in message for other in WHOLE if other != name)


def test_production_names_everything_that_is_missing_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TVDB_ENV", "production")
    message = refusal()
    assert all(name in message for name in WHOLE)


def test_production_without_a_provider_needs_its_database_only(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("TVDB_ENV", "production"), ("TVDB_SERVICE_MODE", "MOCK")):
        monkeypatch.setenv(name, value)
    assert "OPENAI_API_KEY" not in refusal()
    monkeypatch.setenv("TVDB_DATABASE_URL", WHOLE["TVDB_DATABASE_URL"])
    assert load_settings().service_mode == "MOCK"
