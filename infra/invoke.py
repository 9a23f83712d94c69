"""`make invoke FN=chat`: one function of the running `make dev` answers one event.

    make invoke FN=chat EVENT=tests/events/chat_message.json AS=anjali@example.com
    make invoke FN=dispatch EVENT=tests/events/dispatch_wake_up.json

AS signs in as a demo patient (an e-mail) or as staff (a user name) and puts the token into the event.
"""

from __future__ import annotations

import argparse
import json
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from infra.local.settings import PROJECT, StackError, StackSettings, load_settings

EVENTS = PROJECT / "tests" / "events"
_DEMO_PASSWORDS = {"admin": "nexus2026", "pharmacist": "pharma123"}  # of the laptop's seed alone
_PATIENTS_PASSWORD = "nexus-demo-2026"  # noqa: S105
_SECONDS = 330
"""Somewhat longer than the longest timeout of a function."""


def main() -> int:
    options = _options()
    settings = load_settings()
    try:
        event = read_event(_event_path(options.function, options.event))
        if options.sign_in_as:
            event = signed_in(event, _token(settings, options.sign_in_as))
        answer = _post(
            f"http://127.0.0.1:{settings.lambda_api.number}/2015-03-31/functions/"
            f"nexus-pharmacy-local-{options.function}/invocations",
            event,
        )
    except StackError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(json.dumps(_readable(answer), indent=2, ensure_ascii=False))
    return 1 if isinstance(answer, dict) and "errorMessage" in answer else 0


def read_event(path: Path) -> dict[str, Any]:
    """Raises StackError for a file that is not there or holds no JSON object."""
    try:
        event = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise StackError(f"{path} is no event: {error}") from None
    if not isinstance(event, dict):
        raise StackError(f"{path} is no event: a JSON object was expected")
    return event


def signed_in(event: dict[str, Any], token: str) -> dict[str, Any]:
    """The same request with a token in it. Raises StackError for an event that is no request."""
    if "requestContext" not in event:
        raise StackError("AS is for requests; this event comes from a queue or a schedule.")
    return {**event, "headers": {**event.get("headers", {}), "authorization": f"Bearer {token}"}}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m infra.invoke",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    functions = sorted(path.parent.name for path in PROJECT.glob("functions/*/handler.py"))
    parser.add_argument("function", choices=functions)
    parser.add_argument("event", nargs="?", type=Path, help="default: the function's first in tests/events")
    parser.add_argument(
        "--as", dest="sign_in_as", metavar="WHO", help="a demo patient's e-mail, or a user name"
    )
    return parser.parse_args()


def _event_path(function: str, named: Path | None) -> Path:
    if named is not None:
        return named
    first = min(EVENTS.glob(f"{function}*.json"), default=None)
    if first is None:
        raise StackError(f"There is no sample event for {function} in {EVENTS}: name one.")
    return first


def _token(settings: StackSettings, who: str) -> str:
    if "@" in who:
        path, credentials = "/api/auth/login", {"email": who, "password": _PATIENTS_PASSWORD}
    else:
        path, credentials = "/api/admin/login", {"username": who, "password": _DEMO_PASSWORDS.get(who, "")}
    answer = _post(settings.api_url + path, credentials)
    return str(answer["token"])


def _post(url: str, body: dict[str, Any]) -> Any:
    request = urllib.request.Request(url, json.dumps(body).encode(), {"content-type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=_SECONDS) as response:
            content = response.read()
    except urllib.error.HTTPError as error:
        raise StackError(f"{url} answered {error.code}: {error.read().decode(errors='replace')}") from None
    except OSError as error:
        raise StackError(f"{url} cannot be reached ({error}). Is `make dev` running?") from None
    return json.loads(content) if content else None


def _readable(answer: Any) -> Any:
    """A JSON body as what it says, not as a string of it."""
    if isinstance(answer, dict) and isinstance(answer.get("body"), str):
        try:
            return {**answer, "body": json.loads(answer["body"])}
        except ValueError:
            return answer
    return answer


if __name__ == "__main__":
    sys.exit(main())
