"""The laptop's warehouse partner: takes signed orders, works for a while, and reports back, signed.

It can misbehave on purpose, as `Behaviour` says; each of its fields is an environment variable,
`NEXUS_PARTNER_FAILING=0.3` and so on. Run as a module, it is that server.
"""

from __future__ import annotations

import dataclasses
import json
import os
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random

import httpx

from infra.local.processes import Service
from infra.local.settings import PROJECT, Keys, StackSettings
from infra.local.warehouse import Behaviour, Report, Warehouse
from shared.webhooks import BadSignature, Signatures

PATH = "/webhooks"
_HANG_SECONDS = 20
_REPORTERS = 8


def partner_url(settings: StackSettings) -> str:
    return f"http://127.0.0.1:{settings.partner.number}{PATH}"


def start_partner(settings: StackSettings, keys: Keys) -> Service:
    log = settings.logs / "partner.log"
    service = Service(
        "The mock partner",
        [sys.executable, "-u", "-m", "infra.local.partner"],
        log=log,
        env={
            **os.environ,
            "NEXUS_PARTNER_PORT": str(settings.partner.number),
            "NEXUS_PARTNER_BOOKS": str(settings.data_dir / "partner.sqlite3"),
            "NEXUS_PARTNER_REPORTS_TO": f"{settings.api_url}/api/webhooks/fulfillment",
            "NEXUS_PARTNER_VERIFIES_WITH": keys.partner_outgoing,
            "NEXUS_PARTNER_SIGNS_WITH": keys.partner_incoming,
        },
        cwd=PROJECT,
    )
    try:
        service.wait_until(lambda: "partner is open" in log.read_text(errors="replace"), seconds=30)
    except BaseException:
        service.stop()
        raise
    return service


def read_behaviour(environ: Mapping[str, str]) -> Behaviour:
    """Raises ValueError for a value that is no number."""
    usual = dataclasses.asdict(Behaviour())
    given = {name: environ.get(f"NEXUS_PARTNER_{name.upper()}") or value for name, value in usual.items()}
    return Behaviour(**{name: type(usual[name])(value) for name, value in given.items()})


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that leaves in the middle is no error; one that is killed leaves so."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class Partner:
    """The server and its reporters. `warehouse` may be looked into while it runs."""

    def __init__(
        self,
        warehouse: Warehouse,
        behaviour: Behaviour,
        *,
        verifies: Signatures,
        signs: Signatures,
        reports_to: str,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._say = say
        self.warehouse = warehouse
        self._behaviour = behaviour
        self._random = Random(behaviour.seed)  # noqa: S311 - moods, not secrets
        self._verifies = verifies
        self._signs = signs
        self._reports_to = reports_to
        self._ended = threading.Event()

    @contextmanager
    def open(self, port: int) -> Iterator[str]:
        """Serve and report while the body runs; gives the URL of its webhooks."""
        server = _Server(("127.0.0.1", port), self._handler())
        threading.Thread(target=server.serve_forever, daemon=True).start()
        reporter = threading.Thread(target=self._report_until_the_end, daemon=True)
        reporter.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}{PATH}"
        finally:
            self._ended.set()
            server.shutdown()
            server.server_close()
            reporter.join(10)

    def answer(self, headers: Mapping[str, str], body: bytes) -> int:
        """What a request is answered with; None of its moods keeps it from checking the signature first."""
        try:
            webhook_id = self._verifies.verify(headers, body)
        except BadSignature:
            return 401
        mood, before = self._random.random(), self._random.random() < 0.5
        fails = mood < self._behaviour.failing
        hangs = not fails and mood < self._behaviour.failing + self._behaviour.hanging
        if fails and before:
            return 503
        if hangs and before:
            self._ended.wait(_HANG_SECONDS)
            return 503
        self.warehouse.take(webhook_id, json.loads(body), headers.get("x-request-id"))
        if hangs:
            self._ended.wait(_HANG_SECONDS)
        return 500 if fails else 200

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        partner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                headers = {name.lower(): value for name, value in self.headers.items()}
                status = partner.answer(headers, body) if self.path == PATH else 404
                try:
                    self._say(status, {})
                except OSError:
                    self.close_connection = True  # the client has not waited

            def do_GET(self) -> None:
                rows = partner.warehouse.rows("select order_id, state, tries from orders order by order_id")
                self._say(
                    200, {order_id: {"state": state, "tries": tries} for order_id, state, tries in rows}
                )

            def _say(self, status: int, content: object) -> None:
                body = json.dumps(content).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: object) -> None:
                partner._say(f"{self.command} {self.path} {args[2] if len(args) > 2 else ''}")

        return Handler

    def _report_until_the_end(self) -> None:
        with httpx.Client(timeout=30, trust_env=False) as client, ThreadPoolExecutor(_REPORTERS) as reporters:
            while not self._ended.wait(0.05):
                for report in self.warehouse.due(_REPORTERS * 2):
                    reporters.submit(self._report, client, report)

    def _report(self, client: httpx.Client, report: Report) -> None:
        """Tell of one step. What is not answered, or with an error of theirs, is told again later."""
        times = 2 if self._random.random() < self._behaviour.repeating else 1
        body = report.body.encode()
        request_id = {"x-request-id": report.request_id} if report.request_id else {}
        for _ in range(times):
            try:
                answer = client.post(
                    self._reports_to,
                    content=body,
                    headers={
                        "content-type": "application/json",
                        **request_id,
                        **self._signs.sign(report.webhook_id, datetime.now(UTC), body),
                    },
                )
            except httpx.HTTPError as error:
                self._say(f"no answer to {report.webhook_id}: {type(error).__name__}")
                return
            if answer.status_code < 500:
                self.warehouse.reported(report.webhook_id, answer.status_code)
            self._say(f"{report.webhook_id} {report.body} -> {answer.status_code}")


def main() -> None:
    environ = os.environ
    behaviour = read_behaviour(environ)
    warehouse = Warehouse(Path(environ["NEXUS_PARTNER_BOOKS"]), behaviour)
    partner = Partner(
        warehouse,
        behaviour,
        verifies=Signatures([environ["NEXUS_PARTNER_VERIFIES_WITH"]]),
        signs=Signatures([environ["NEXUS_PARTNER_SIGNS_WITH"]]),
        reports_to=environ["NEXUS_PARTNER_REPORTS_TO"],
        say=lambda words: print(words, flush=True),
    )
    with partner.open(int(environ["NEXUS_PARTNER_PORT"])):
        print("partner is open", flush=True)
        sys.stdin.read()  # ends when the supervisor does


if __name__ == "__main__":
    main()
