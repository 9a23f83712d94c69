"""What integration tests know about the stack they run against."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import httpx

if TYPE_CHECKING:  # the unit tests come by here too and need none of it
    from infra.local.settings import Keys, StackSettings

DEMO_PASSWORD = "nexus-demo-2026"


@dataclass
class RunningStack:
    """Addresses and keys of a seeded stack, and signed-in demo people."""

    api_url: str
    supabase_url: str
    database_url: str
    publishable_key: str
    secret_key: str
    jwt_secret: str
    lambda_url: str
    sqs_url: str
    partner_port: int
    partner_outgoing: str
    partner_incoming: str
    _tokens: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, settings: StackSettings, keys: Keys) -> Self:
        return cls(
            api_url=settings.api_url,
            supabase_url=settings.supabase_url,
            database_url=settings.database_url,
            publishable_key=keys.publishable,
            secret_key=keys.secret,
            jwt_secret=keys.jwt_secret,
            lambda_url=f"http://127.0.0.1:{settings.lambda_api.number}",
            sqs_url=settings.sqs_url,
            partner_port=settings.partner.number,
            partner_outgoing=keys.partner_outgoing,
            partner_incoming=keys.partner_incoming,
        )

    def patient_token(self, email: str) -> str:
        """The access token of a demo patient, for example `anjali@example.com`; signed in once per run."""
        return self._signed_in(email, "/api/auth/login", {"email": email, "password": DEMO_PASSWORD})

    def staff_token(self, username: str, password: str) -> str:
        """The access token of `admin`/`nexus2026` or `pharmacist`/`pharma123`."""
        return self._signed_in(username, "/api/admin/login", {"username": username, "password": password})

    def api(self, token: str | None = None, *, timeout: float = 60) -> httpx.Client:
        """A client of the API: as the token's owner, or anonymous. Close it, or use it in a `with`."""
        return _client(self.api_url, _bearer(token), timeout=timeout)

    def as_patient(self, email: str) -> httpx.Client:
        return self.api(self.patient_token(email))

    def rest(self, token: str | None = None) -> httpx.Client:
        """A client of PostgREST itself, past the functions: the publishable key plus the token's rights."""
        return _client(
            f"{self.supabase_url}/rest/v1", {"apikey": self.publishable_key} | _bearer(token), timeout=60
        )

    def invoke(self, function: str, event: dict[str, Any]) -> Any:
        """What a function answers to an event that is no request: of a queue, a schedule, a person."""
        answer = httpx.post(
            f"{self.lambda_url}/2015-03-31/functions/nexus-pharmacy-local-{function}/invocations",
            json=event,
            timeout=60,
        )
        content = answer.json() if answer.content else None
        assert not (isinstance(content, dict) and "errorMessage" in content), content
        return content

    def _signed_in(self, who: str, path: str, credentials: dict[str, Any]) -> str:
        if who not in self._tokens:
            response = httpx.post(self.api_url + path, json=credentials, timeout=60)
            assert response.status_code == 200, response.text
            self._tokens[who] = response.json()["token"]
        return self._tokens[who]


def _client(base_url: str, headers: dict[str, str], *, timeout: float) -> httpx.Client:
    # There is no TLS on this machine; reading all certificates would cost a client more than its requests do.
    return httpx.Client(base_url=base_url, headers=headers, timeout=timeout, verify=False)


def _bearer(token: str | None) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"} if token else {}
