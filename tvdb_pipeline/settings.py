"""Every setting of the project, validated once. The only reader of the environment.

Belongs here: names, defaults, ranges and meanings of settings. Does not: anything that acts on them.
Order of precedence: the real environment, then `.env.<TVDB_ENV>`, then `.env.base`, then the defaults below.
"""

from __future__ import annotations

import os
from decimal import Decimal
from pathlib import Path
from typing import Literal

from dotenv import dotenv_values
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from tvdb_pipeline import start_up
from tvdb_pipeline.storage.urls import is_url

ServiceMode = Literal["MOCK", "REAL", "HYBRID"]
_CHECKOUT = Path(__file__).resolve().parents[1]
NANO_DOLLARS = 1_000_000_000


def project_root() -> Path:
    """The folder relative settings are relative to: the checkout, or the working directory for an installed package."""
    return _CHECKOUT if (_CHECKOUT / ".env.base").exists() else Path.cwd()


class Settings(BaseSettings):
    """All settings. Field `daily_cost_limit_usd` is the environment's `TVDB_DAILY_COST_LIMIT_USD`, and so on."""

    model_config = SettingsConfigDict(
        env_prefix="TVDB_", env_ignore_empty=True, extra="ignore", frozen=True, populate_by_name=True
    )

    env: str = Field(default="development", pattern=r"^[a-z0-9_-]+$")
    home: Path = Path(".tvdb")
    upload_dir: Path = Path("data/uploads")
    upload_url: str | None = None
    artifact_url: str | None = None
    storage_allow_http: bool = False
    database_url: SecretStr | None = None
    database_tls: Literal["verified", "trusted_network"] = "verified"

    service_mode: ServiceMode = "MOCK"
    provider_agreement: Literal["covered", "synthetic"] | None = None
    redact_before_embedding: bool = False
    openai_api_key: SecretStr | None = Field(default=None, validation_alias="OPENAI_API_KEY")
    openai_base_url: str | None = Field(default=None, validation_alias="OPENAI_BASE_URL", repr=False)
    embedding_model: str = Field(default="text-embedding-3-small", pattern=r"^[A-Za-z0-9._:/-]{1,80}$")
    request_timeout_seconds: float = Field(default=60.0, gt=0)

    daily_cost_limit_usd: Decimal = Field(default=Decimal("5.00"), ge=0)
    hourly_request_limit: int = Field(default=100, ge=0)
    document_cost_limit_usd: Decimal = Field(default=Decimal("0.50"), ge=0)
    request_window_seconds: float = Field(default=3600.0, gt=0)
    cost_window_seconds: float = Field(default=86_400.0, gt=0)
    retry_share: float = Field(default=0.1, ge=0, le=1)
    retry_floor: int = Field(default=5, ge=0)
    retry_first_wait_seconds: float = Field(default=0.5, ge=0)
    retry_longest_wait_seconds: float = Field(default=20.0, ge=0)
    breaker_threshold: int = Field(default=5, ge=1)
    breaker_cooldown_seconds: float = Field(default=30.0, gt=0)
    breaker_longest_cooldown_seconds: float = Field(default=900.0, gt=0)
    reservation_lease_seconds: float = Field(default=60.0, gt=0)
    claim_lease_seconds: float = Field(default=60.0, gt=0)

    documents_per_run: int = Field(default=50, ge=1, le=1000)
    pages_per_run: int = Field(default=1000, ge=1)
    run_launcher: Literal["local", "ray"] = "local"
    concurrent_runs: int = Field(default=2, ge=1)
    ray_head: str = Field(default="127.0.0.2:6379", pattern=r"^[0-9.]+:[0-9]+$")
    ray_address: str = Field(default="http://127.0.0.1:8265", pattern=r"^https?://[^@]+$")
    ray_worker_address: str | None = Field(default=None, pattern=r"^[0-9.]+$")
    ray_worker_runs: int = Field(default=1, ge=1)
    backfill_policy: Literal["multi", "single"] = "multi"
    key_style: Literal["slug", "opaque"] = "slug"
    remove_missing: bool = True
    sensor_interval_seconds: int = Field(default=15, ge=1)

    webserver_host: str = "127.0.0.1"
    webserver_port: int = Field(default=3000, ge=1, le=65535)
    code_server_port: int = Field(default=4266, ge=1, le=65535)
    metrics_host: str = "127.0.0.1"
    metrics_port: int = Field(default=9477, ge=1, le=65535)
    alert_webhook_url: SecretStr | None = None
    alert_smtp_url: SecretStr | None = None
    alert_mail_from: str = ""
    alert_mail_to: str = ""
    alert_interval_seconds: float = Field(default=15.0, gt=0)
    alert_repeat_seconds: float = Field(default=14_400.0, gt=0)
    alert_waiting_seconds: float = Field(default=3600.0, gt=0)
    alert_window_seconds: float = Field(default=900.0, gt=0)
    alert_error_share: float = Field(default=0.5, gt=0, le=1)
    backup_dir: Path | None = None
    backup_max_age_hours: float = Field(default=26.0, gt=0)
    drill_max_age_days: float = Field(default=92.0, gt=0)

    pdf_engine: Literal["pdfium", "fast", "ocr_only", "hi_res"] = "pdfium"
    ocr_engine: Literal["rapidocr", "tesseract"] = "rapidocr"
    parse_workers: int = Field(default=0, ge=0)
    parse_timeout_seconds: float = Field(default=900.0, gt=0)
    page_timeout_seconds: float = Field(default=120.0, gt=0)
    parse_memory_mb: int = Field(default=4096, ge=256)
    max_document_mb: int = Field(default=200, ge=1)
    max_pages: int = Field(default=5000, ge=1)

    @field_validator("home", "upload_dir", "backup_dir", mode="after")
    @classmethod
    def _absolute(cls, value: Path | None) -> Path | None:
        return None if value is None else (project_root() / value.expanduser()).resolve()

    @field_validator("upload_url", "artifact_url", mode="after")
    @classmethod
    def _storage_url(cls, value: str | None) -> str | None:
        if value is not None and (not is_url(value) or "@" in value):
            raise ValueError("like s3://bucket/folder, gs:// or az://, without credentials")
        return value and value.rstrip("/")

    @field_validator("service_mode", mode="before")
    @classmethod
    def _upper(cls, value: object) -> object:
        return value.upper() if isinstance(value, str) else value

    @property
    def daily_limit_nano(self) -> int:
        """The daily limit in nano-dollars."""
        return int(self.daily_cost_limit_usd * NANO_DOLLARS)

    @property
    def document_limit_nano(self) -> int:
        """The limit for one document in nano-dollars."""
        return int(self.document_cost_limit_usd * NANO_DOLLARS)

    @property
    def sent_lease_seconds(self) -> float:
        """How long an attempt can be on its way: the timeout holds between two pieces of an answer and for the whole."""
        return 2 * self.request_timeout_seconds + self.reservation_lease_seconds / 2

    @property
    def worker_count(self) -> int:
        """Parsing processes side by side: as set, else one for each core this process may use."""
        return self.parse_workers or len(os.sched_getaffinity(0))


def load_settings() -> Settings:
    """Read the environment files and the environment.

    Raises TvdbError (`bad_setting`, `missing_setting`), one sentence naming settings as the environment spells them.
    """
    env = os.environ.get("TVDB_ENV") or "development"
    files = (project_root() / ".env.base", project_root() / f".env.{env}")
    start_up.refuse_unknown_environment(env, files[1])
    names = {field: _environment_name(field) for field in Settings.model_fields}
    written = {name for file in files for name in dotenv_values(file)}
    start_up.refuse_misspelt(written | set(os.environ), set(names.values()))
    try:
        settings = Settings(_env_file=files)  # pyright: ignore[reportCallIssue]
    except ValidationError as error:
        raise start_up.invalid(error, names) from None
    if env == "production":
        start_up.refuse_incomplete(env, _missing(settings))
    return settings


def _environment_name(field: str) -> str:
    alias = Settings.model_fields[field].validation_alias
    return alias if isinstance(alias, str) else f"{start_up.PREFIX}{field.upper()}"


def _missing(settings: Settings) -> list[str]:
    """What a production would start without and then not do its work."""
    real = settings.service_mode == "REAL"
    wanted = {
        "database_url": settings.database_url is None,
        "openai_api_key": real and settings.openai_api_key is None,
        "provider_agreement": real and settings.provider_agreement is None,
    }
    return [_environment_name(field) for field, missing in wanted.items() if missing]
