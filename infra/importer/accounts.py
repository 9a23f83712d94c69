"""Demo identities for a laptop: every imported patient and two members of staff can sign in.

The passwords are public, so this refuses to run against anything but a loopback database and Auth service.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx
from psycopg import Connection, ProgrammingError, conninfo
from pydantic import ValidationError

from infra.importer.database import NOT_AN_ADDRESS
from infra.importer.outcome import Outcome
from infra.importer.problems import ImportRefused
from shared.settings import get_settings

PATIENT_PASSWORD = "nexus-demo-2026"  # noqa: S105 - the README prints it
_SIGN_UPS_AT_ONCE = 4
_TIMEOUT_SECONDS = 30


@dataclass(frozen=True)
class DemoStaff:
    username: str
    password: str
    name: str
    role: str


STAFF = (
    DemoStaff("admin", "nexus2026", "Demo Admin", "admin"),
    DemoStaff("pharmacist", "pharma123", "Demo Pharmacist", "pharmacist"),
)


@dataclass(frozen=True)
class Auth:
    """Supabase Auth on this machine."""

    url: str
    publishable_key: str
    staff_domain: str

    def staff_email(self, staff: DemoStaff) -> str:
        return f"{staff.username}@{self.staff_domain}"


def laptop_auth(database_url: str) -> Auth:
    """The Auth service of the environment.

    Raises ImportRefused unless the stage is local and both services are on this machine.
    """
    try:
        settings = get_settings()
    except ValidationError as error:
        names = ", ".join(str(detail["loc"][0]).upper() for detail in error.errors() if detail["loc"])
        raise ImportRefused(f"--demo-accounts needs a valid environment, see {names or error}.") from None
    if settings.deployed:
        raise ImportRefused(
            f"--demo-accounts is for STAGE=local, not {settings.stage}: the passwords are public."
        )
    for name, hosts in (
        ("DATABASE_URL", _database_hosts(database_url)),
        ("SUPABASE_URL", [urlsplit(settings.supabase_url).hostname or ""]),
    ):
        if not all(map(_is_loopback, hosts)):
            raise ImportRefused(f"--demo-accounts is for a laptop: {name} is not on this machine.")
    return Auth(settings.supabase_url, settings.supabase_publishable_key, settings.staff_email_domain)


def _database_hosts(database_url: str) -> list[str]:
    """Where libpq would connect to; without a host that is PGHOST or else a Unix socket."""
    try:
        parameters = conninfo.conninfo_to_dict(database_url)
    except ProgrammingError:
        raise ImportRefused(NOT_AN_ADDRESS) from None
    if "service" in parameters or "PGSERVICE" in os.environ:
        return ["named by a service file"]
    hosts = [
        host
        for keyword, variable in (("host", "PGHOST"), ("hostaddr", "PGHOSTADDR"))
        for host in str(parameters.get(keyword) or os.environ.get(variable, "")).split(",")
        if host
    ]
    return hosts or ["/"]


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.startswith("/"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def create_demo_accounts(connection: Connection, auth: Auth, patient_emails: Iterable[str]) -> Outcome:
    """Sign up and link whoever of the patients and the demo staff has no account yet.

    Raises ImportRefused when the Auth service cannot be reached or refuses.
    """
    passwords = dict.fromkeys(patient_emails, PATIENT_PASSWORD)
    passwords |= {auth.staff_email(staff): staff.password for staff in STAFF}
    linked = _linked(connection, auth, list(passwords))
    missing = {email: password for email, password in passwords.items() if email not in linked}
    if missing:
        signed_up = connection.execute("select email from auth.users where email = any (%s)", [list(missing)])
        known = {email for (email,) in signed_up}
        _sign_up(auth, {email: password for email, password in missing.items() if email not in known})
        _link(connection, auth, list(missing))
    return Outcome("demo accounts", len(passwords), added=len(missing))


def _linked(connection: Connection, auth: Auth, emails: list[str]) -> set[str]:
    """E-mails of the patients and staff that have their account."""
    patients = connection.execute(
        "select email from public.patients where user_id is not null and email = any (%s)", [emails]
    )
    staff = connection.execute("select username from public.staff")
    return {email for (email,) in patients} | {f"{username}@{auth.staff_domain}" for (username,) in staff}


def _sign_up(auth: Auth, passwords: dict[str, str]) -> None:
    headers = {"apikey": auth.publishable_key}
    with httpx.Client(
        base_url=auth.url, headers=headers, timeout=_TIMEOUT_SECONDS, trust_env=False
    ) as client:

        def sign_up(account: tuple[str, str]) -> httpx.Response:
            email, password = account
            return client.post("/auth/v1/signup", json={"email": email, "password": password})

        try:
            with ThreadPoolExecutor(_SIGN_UPS_AT_ONCE) as pool:
                responses = list(pool.map(sign_up, passwords.items()))
        except httpx.HTTPError as error:
            raise ImportRefused(f"Supabase Auth at {auth.url} cannot be reached: {error}.") from None
    for email, response in zip(passwords, responses, strict=True):
        if response.is_error:
            raise ImportRefused(
                f"Supabase Auth refused to sign up {email}: {response.status_code} {response.text[:200]}"
            )


def _link(connection: Connection, auth: Auth, emails: list[str]) -> None:
    """Accounts belong to who has their e-mail; those that are linked already stay with whom they are."""
    connection.execute(
        """
        update public.patients as p set user_id = u.id
        from auth.users as u
        where u.email = p.email and p.user_id is null and p.email = any (%s)
        """,
        [emails],
    )
    for staff in STAFF:
        connection.execute(
            """
            insert into public.staff (user_id, username, name, role)
            select id, %s, %s, %s from auth.users where email = %s
            on conflict do nothing
            """,
            [staff.username, staff.name, staff.role, auth.staff_email(staff)],
        )
