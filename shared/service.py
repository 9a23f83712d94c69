"""For the functions without a user: webhooks, dispatch, refill scan and retention. They hold the service key.

Kept apart from `shared.settings`, so that a function that answers users can neither read the key by accident
nor be deployed with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.database import Database, Gateway
from shared.parameters import Secret
from shared.settings import from_environment, require_https


class ServiceSettings(BaseSettings):
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
    supabase_secret_key: Secret
    database_timeout_seconds: float = Field(default=10, gt=0, le=60)

    @field_validator("supabase_url", mode="after")
    @classmethod
    def _without_trailing_slash(cls, url: str) -> str:
        if not url.startswith(("http://", "https://")):
            raise ValueError("must start with http:// or https://")
        return url.rstrip("/")

    @model_validator(mode="after")
    def _the_key_travels_encrypted(self) -> Self:
        if self.deployed:
            require_https(self.supabase_url, "supabase_url", self.stage)
        return self

    @property
    def deployed(self) -> bool:
        return self.stage != "local"


@lru_cache(maxsize=1)
def get_service_settings() -> ServiceSettings:
    """Raises pydantic.ValidationError, naming each variable, when one is missing or not allowed."""
    return from_environment(ServiceSettings)


@lru_cache(maxsize=1)
def service_gateway() -> Gateway:
    """The database as the service sees it: past row-level security, within what is granted to it."""
    return _ServiceGateway()


class _ServiceGateway:
    """Asks for the key with each call, so that a rotated one is used without a new process."""

    def rpc(self, name: str, arguments: Mapping[str, Any] | None = None) -> Any:
        return _with_key(get_service_settings().supabase_secret_key.get_secret_value()).rpc(name, arguments)


@lru_cache(maxsize=1)
def _with_key(key: str) -> Gateway:
    settings = get_service_settings()
    database = Database(
        url=settings.supabase_url,
        publishable_key=key,
        timeout_seconds=settings.database_timeout_seconds,
    )
    return database.acting_as(key)
