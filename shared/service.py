"""For the functions without a user: webhooks, dispatch, refill scan and retention. They hold the service key.

Kept apart from `shared.settings`, so that a function that answers users can neither read the key by accident
nor be deployed with it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.database import Database, Gateway


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
    supabase_secret_key: SecretStr
    database_timeout_seconds: float = Field(default=10, gt=0, le=60)

    @field_validator("supabase_url", mode="after")
    @classmethod
    def _without_trailing_slash(cls, url: str) -> str:
        if not url.startswith(("http://", "https://")):
            raise ValueError("must start with http:// or https://")
        return url.rstrip("/")

    @property
    def deployed(self) -> bool:
        return self.stage != "local"


@lru_cache(maxsize=1)
def get_service_settings() -> ServiceSettings:
    """Raises pydantic.ValidationError, naming each variable, when one is missing or not allowed."""
    return ServiceSettings.model_validate({})  # reads the environment


@lru_cache(maxsize=1)
def service_gateway() -> Gateway:
    """The database as the service sees it: past row-level security, within what is granted to it."""
    settings = get_service_settings()
    key = settings.supabase_secret_key.get_secret_value()
    database = Database(
        url=settings.supabase_url,
        publishable_key=key,
        timeout_seconds=settings.database_timeout_seconds,
    )
    return database.acting_as(key)
