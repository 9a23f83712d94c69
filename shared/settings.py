"""Configuration from the environment, read once per process and frozen.

The service-role key is deliberately absent: functions that answer users act with the user's own token.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Literal, Self, TypeVar
from uuid import UUID

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from shared.parameters import Secret

_Kind = TypeVar("_Kind", bound=BaseSettings)


class Settings(BaseSettings):
    """Environment variables of the same names in capitals; an empty variable counts as unset."""

    model_config = SettingsConfigDict(
        frozen=True,
        env_ignore_empty=True,
        extra="ignore",
        hide_input_in_errors=True,  # an error is logged, and the input may be a secret with a slip in it
    )

    stage: Literal["local", "dev", "prod"] = "local"
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    supabase_url: str
    supabase_publishable_key: str
    supabase_jwt_secret: Secret | None = None
    """Set for a project that signs tokens with HS256; without it only its published keys (JWKS) count."""
    database_timeout_seconds: float = Field(default=10, gt=0, le=29)

    allowed_origins: Annotated[tuple[str, ...], NoDecode] = ()
    """Origins of the frontends, comma-separated: `https://nexus.example,http://localhost:3001`."""
    staff_email_domain: str = "staff.nexus.example"
    """Staff sign in with a username; Supabase Auth knows them as username@this-domain."""

    accounts_key: Secret | None = None
    """Shows the database that the accounts function is asking; no other function has it."""

    outbox_queue_url: str | None = None
    aws_endpoint_url_sqs: str | None = None

    nlu_mode: Literal["auto", "lexical", "gemini"] = "auto"
    gemini_api_key: Secret | None = None
    """Without it every message is understood lexically, whatever NLU_MODE says."""
    gemini_model: str = "gemini-3.5-flash-lite"
    gemini_base_url: str = "https://generativelanguage.googleapis.com"
    gemini_timeout_seconds: float = Field(default=4, gt=0, le=10)
    """For all of what one message may wait for the model, a second attempt included."""
    gemini_picture_timeout_seconds: float = Field(default=12, gt=0, le=20)
    """The same, for reading the photo of a prescription."""

    langfuse_public_key: Secret | None = None
    langfuse_secret_key: Secret | None = None
    """Turns are traced when both keys are there."""
    langfuse_base_url: str = "https://cloud.langfuse.com"

    demo_identity: bool = False
    demo_patients: dict[str, UUID] = {}
    """As whom guests may act with DEMO_IDENTITY: patient ids, and the accounts behind them."""
    rate_limits: Literal["on", "off"] = "on"

    @field_validator("supabase_url", "gemini_base_url", "langfuse_base_url", mode="after")
    @classmethod
    def _without_trailing_slash(cls, url: str) -> str:
        if not url.startswith(("http://", "https://")):
            raise ValueError("must start with http:// or https://")
        return url.rstrip("/")

    @field_validator("allowed_origins", mode="before")
    @classmethod
    def _split_at_commas(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return tuple(origin.strip().rstrip("/") for origin in value.split(",") if origin.strip())

    @field_validator("allowed_origins", mode="after")
    @classmethod
    def _no_wildcard(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        if "*" in origins:
            raise ValueError("must list origins: browsers refuse * together with cookies")
        return origins

    @model_validator(mode="after")
    def _laptop_switches_stay_on_the_laptop(self) -> Self:
        if self.stage != "local" and (self.demo_identity or self.demo_patients or self.rate_limits == "off"):
            raise ValueError(f"DEMO_IDENTITY and RATE_LIMITS=off are for STAGE=local, not {self.stage}")
        return self

    @model_validator(mode="after")
    def _laptop_addresses_stay_on_the_laptop(self) -> Self:
        if not self.deployed:
            return self
        for name in ("supabase_url", "gemini_base_url", "langfuse_base_url"):
            require_https(getattr(self, name), name, self.stage)
        if self.aws_endpoint_url_sqs:
            raise ValueError(f"AWS_ENDPOINT_URL_SQS is for STAGE=local, not {self.stage}")
        if self.stage == "prod" and any(not origin.startswith("https://") for origin in self.allowed_origins):
            raise ValueError("ALLOWED_ORIGINS must be https on STAGE=prod")
        return self

    @property
    def deployed(self) -> bool:
        return self.stage != "local"


def require_https(url: str, name: str, stage: str) -> None:
    """Raises ValueError for an address that what we send would travel to in the clear."""
    if not url.startswith("https://"):
        raise ValueError(f"{name.upper()} must be https on STAGE={stage}")


def from_environment(kind: type[_Kind]) -> _Kind:
    """The process's settings. A deployed function does not start with a secret itself among its variables,
    where many can read it.

    Raises pydantic.ValidationError, naming each variable, when one is missing or not allowed.
    """
    settings = kind.model_validate({})  # reads the environment, as kind() does
    for name in kind.model_fields:
        value = getattr(settings, name)
        if (
            getattr(settings, "stage", "local") != "local"
            and isinstance(value, Secret)
            and not value.is_reference
        ):
            raise ValueError(f"{name.upper()} must name a parameter (ssm:/...) on a deployed stage")
    return settings


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """The process's settings.

    Raises pydantic.ValidationError, naming each variable, when one is missing or not allowed: a
    function with a wrong configuration must not start.
    """
    return from_environment(Settings)
