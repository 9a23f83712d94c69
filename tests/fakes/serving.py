"""A small HTTP server on a port of its own, in a thread: what the fakes have in common."""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Request:
    """One request as it came over the wire, and the means to answer it."""

    def __init__(self, handler: BaseHTTPRequestHandler) -> None:
        self._handler = handler
        self.path = handler.path
        self.headers = {name.lower(): value for name, value in handler.headers.items()}
        self.body = handler.rfile.read(int(handler.headers.get("content-length", 0)))

    def answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.start(status, len(body), headers)
        self.write(body)

    def start(self, status: int, length: int, headers: dict[str, str] | None = None) -> None:
        self._handler.send_response(status)
        known = {"content-type": "application/json", "content-length": str(length)}
        for name, value in (known | (headers or {})).items():
            self._handler.send_header(name, value)
        self._handler.end_headers()

    def write(self, body: bytes) -> None:
        self._handler.wfile.write(body)
        self._handler.wfile.flush()


@contextmanager
def serving(answer: Callable[[Request], None], *, port: int = 0) -> Iterator[str]:
    """The server's URL while it runs; `answer` is called for every request. A client that leaves is no error.

    At the end every connection is cut: a client that still waits for an answer would wait for ever, and its
    thread would keep the test run from ending.
    """
    connections: list[socket.socket] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            super().setup()
            connections.append(self.connection)

        def do_POST(self) -> None:
            try:
                answer(Request(self))
            except OSError:
                self.close_connection = True

        def do_GET(self) -> None:
            self.do_POST()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (http.server's name)
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            if not isinstance(sys.exc_info()[1], OSError):
                super().handle_error(request, client_address)  # type: ignore[arg-type]

    server = Server(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        for connection in connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
