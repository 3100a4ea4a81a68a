"""Every setting of the project, validated once. The only reader of the environment.

Belongs here: names, defaults, ranges and meanings of settings. Does not: anything that acts on them.
Order of precedence: the real environment, then `.env.<TVDB_ENV>`, then `.env.base`, then the defaults below.
"""

from __future__ import annotations

import os
from decimal import Decimal
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from tvdb_pipeline.errors import TvdbError

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
    database_url: SecretStr | None = None

    service_mode: ServiceMode = "MOCK"
    provider_agreement: Literal["covered", "synthetic"] | None = None
    openai_api_key: SecretStr | None = Field(default=None, validation_alias="OPENAI_API_KEY")
    openai_base_url: str | None = Field(default=None, validation_alias="OPENAI_BASE_URL")
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
    backfill_policy: Literal["multi", "single"] = "multi"
    key_style: Literal["slug", "opaque"] = "slug"
    remove_missing: bool = True
    sensor_interval_seconds: int = Field(default=15, ge=1)

    pdf_engine: Literal["pdfium", "fast", "ocr_only", "hi_res"] = "pdfium"
    ocr_engine: Literal["rapidocr", "tesseract"] = "rapidocr"
    parse_workers: int = Field(default=0, ge=0)
    parse_timeout_seconds: float = Field(default=900.0, gt=0)
    page_timeout_seconds: float = Field(default=120.0, gt=0)
    parse_memory_mb: int = Field(default=4096, ge=256)
    max_document_mb: int = Field(default=200, ge=1)
    max_pages: int = Field(default=5000, ge=1)

    @field_validator("home", "upload_dir", mode="after")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return (project_root() / value.expanduser()).resolve()

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
    """Read the environment files and the environment. Raises TvdbError(`bad_setting`) naming the setting at fault."""
    root = project_root()
    env = os.environ.get("TVDB_ENV") or "development"
    files = tuple(str(root / name) for name in (".env.base", f".env.{env}"))
    try:
        return Settings(_env_file=files)  # pyright: ignore[reportCallIssue]
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        name = ".".join(str(part) for part in first["loc"])
        raise TvdbError(
            "bad_setting", f"Setting {name} is not valid: {first['msg']}. Correct it and try again."
        ) from None
