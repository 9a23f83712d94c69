"""Where the laptop stack keeps its data and which ports it uses."""

from __future__ import annotations

import base64
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]

# The same role, password and database that the Supabase CLI uses for its local Postgres.
POSTGRES_USER = POSTGRES_PASSWORD = POSTGRES_DATABASE = "postgres"  # noqa: S105

OUTBOX_QUEUE = "nexus-outbox"
OUTBOX_DEAD_LETTER_QUEUE = "nexus-outbox-dlq"


class StackError(Exception):
    """Something a person can put right; the message says what and how, without a traceback."""


@dataclass(frozen=True)
class Port:
    """A TCP port on 127.0.0.1 and the environment variable that moves it."""

    number: int
    variable: str


@dataclass(frozen=True)
class StackSettings:
    """Everything that two stacks on one machine must not share."""

    data_dir: Path
    api: Port
    lambda_api: Port
    supabase: Port
    postgres: Port
    sqs: Port
    external_database_url: str | None
    durable: bool
    """False lets Postgres skip fsync: right for data that a test throws away."""
    partner: Port = Port(54326, "NEXUS_PARTNER_PORT")

    @property
    def api_url(self) -> str:
        return f"http://localhost:{self.api.number}"

    @property
    def supabase_url(self) -> str:
        return f"http://127.0.0.1:{self.supabase.number}"

    @property
    def sqs_url(self) -> str:
        return f"http://127.0.0.1:{self.sqs.number}"

    @property
    def database_url(self) -> str:
        if self.external_database_url:
            return self.external_database_url
        login = f"{POSTGRES_USER}:{POSTGRES_PASSWORD}"
        return f"postgresql://{login}@127.0.0.1:{self.postgres.number}/{POSTGRES_DATABASE}"

    @property
    def logs(self) -> Path:
        return self.data_dir / "logs"


def load_settings(environ: Mapping[str, str] = os.environ) -> StackSettings:
    """The settings of `make dev`.

    Raises StackError when a port is not a number between 1 and 65535 or two of them are the same.
    """
    settings = StackSettings(
        data_dir=(PROJECT / environ.get("NEXUS_DATA_DIR", ".local")).resolve(),
        api=_port(environ, "NEXUS_API_PORT", 3000),
        lambda_api=_port(environ, "NEXUS_LAMBDA_PORT", 3002),
        supabase=_port(environ, "NEXUS_SUPABASE_PORT", 54321),
        postgres=_port(environ, "NEXUS_POSTGRES_PORT", 54322),
        sqs=_port(environ, "NEXUS_SQS_PORT", 54324),
        external_database_url=environ.get("DATABASE_URL") or None,
        durable=True,
        partner=_port(environ, "NEXUS_PARTNER_PORT", 54326),
    )
    taken: dict[int, str] = {}
    ports = (settings.api, settings.lambda_api, settings.supabase, settings.postgres, settings.sqs)
    for port in (*ports, settings.partner):
        if other := taken.get(port.number):
            raise StackError(
                f"{other} and {port.variable} are both {port.number}: give them different ports."
            )
        taken[port.number] = port.variable
    return settings


def _port(environ: Mapping[str, str], variable: str, default: int) -> Port:
    text = environ.get(variable) or str(default)
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 65535:
        raise StackError(f"{variable} must be a port number between 1 and 65535, not {text!r}.")
    return Port(int(text), variable)


@dataclass(frozen=True)
class Keys:
    """Secrets of one laptop stack, made on its first start and kept in its data directory."""

    publishable: str
    secret: str
    jwt_secret: str
    partner_outgoing: str
    """Signs what we tell the partner."""
    partner_incoming: str
    """Signs what the partner tells us."""
    accounts: str
    """By which the accounts function shows the database that it is the one that counts sign-ins."""


def load_keys(data_dir: Path) -> Keys:
    """The stack's keys; a missing one is generated and stored readable by the owner only."""
    folder = data_dir / "keys"
    folder.mkdir(parents=True, exist_ok=True)
    return Keys(
        publishable=_kept(folder / "publishable", f"sb_publishable_{secrets.token_urlsafe(24)}"),
        secret=_kept(folder / "secret", f"sb_secret_{secrets.token_urlsafe(24)}"),
        jwt_secret=_kept(folder / "jwt_secret", secrets.token_urlsafe(48)),
        partner_outgoing=_kept(folder / "partner_outgoing", _webhook_secret()),
        partner_incoming=_kept(folder / "partner_incoming", _webhook_secret()),
        accounts=_kept(folder / "accounts", secrets.token_urlsafe(32)),
    )


def _webhook_secret() -> str:
    return f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}"


def _kept(path: Path, fresh: str) -> str:
    if path.exists() and (stored := path.read_text().strip()):
        return stored
    path.touch(mode=0o600)
    path.write_text(fresh + "\n")
    return fresh
