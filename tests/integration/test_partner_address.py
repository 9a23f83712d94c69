"""To which address a webhook really goes, over real sockets and TLS."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from functions.dispatch.events import Attempt
from functions.dispatch.partner import Partner
from shared.webhooks import Signatures
from tests.unit.dispatch.events import event

NAME = "partner.example"
SIGNATURES = Signatures([f"whsec_{'A' * 32}"])


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate of the partner's name, with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "partner.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + signed.public_bytes(serialization.Encoding.PEM)
    )
    return path


class Heard:
    def __init__(self) -> None:
        self.hosts: list[str] = []
        self.server_names: list[str | None] = []
        self.port = 0


@pytest.fixture
def https(certificate: Path) -> Iterator[Heard]:
    """A partner on this machine that only its name's certificate identifies."""
    heard = Heard()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            heard.hosts.append(self.headers["host"])
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            pass  # clients that do not like our certificate

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    context.sni_callback = lambda _socket, name, _context: heard.server_names.append(name)
    server = Server(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    heard.port = server.server_port
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield heard
    server.shutdown()
    server.server_close()


def deliver(
    url: str, *answers: str, authorities: Path | None = None, on_laptop: bool = True
) -> tuple[Attempt, int]:
    """How a delivery ends when the name resolves to these addresses, one look-up after the other; and how
    often it was looked up.
    """
    asked = 0

    async def resolver(_host: str, _port: int) -> list[str]:
        nonlocal asked
        asked += 1
        return [answers[min(asked, len(answers)) - 1]]

    trusted = ssl.create_default_context(cafile=str(authorities)) if authorities else None
    partner = Partner(
        url=url,
        signatures=SIGNATURES,
        timeout_seconds=3,
        on_laptop=on_laptop,
        authorities=trusted,
        resolver=resolver,
    )
    return asyncio.run(partner.deliver(event())), asked


def test_the_connection_goes_to_the_checked_address_and_the_name_is_what_tls_checks(
    https: Heard, certificate: Path
) -> None:
    attempt, asked = deliver(f"https://{NAME}:{https.port}/x", "127.0.0.1", authorities=certificate)

    assert attempt.delivered, attempt
    assert asked == 1
    assert https.hosts == [f"{NAME}:{https.port}"]
    assert https.server_names == [NAME]


def test_a_name_that_means_something_else_the_second_time_is_asked_once(
    https: Heard, certificate: Path
) -> None:
    """DNS rebinding: public for the check, inside for the connection."""
    attempt, asked = deliver(
        f"https://{NAME}:{https.port}/x", "192.0.2.1", "127.0.0.1", authorities=certificate
    )

    assert (attempt.error, asked) == ("forbidden address", 1)
    assert https.hosts == []


@pytest.mark.parametrize("url", ["https://partner.example:{port}/x", "https://other.example:{port}/x"])
def test_a_certificate_that_nobody_vouches_for_or_of_another_name_is_refused(
    https: Heard, certificate: Path, url: str
) -> None:
    vouched = None if NAME in url else certificate

    attempt, _ = deliver(url.format(port=https.port), "127.0.0.1", authorities=vouched)

    assert (attempt.delivered, attempt.error) == (False, "ConnectError")
    assert https.hosts == []


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1:{port}/x",
        "https://localhost:{port}/x",
        "https://[::1]:{port}/x",
        "https://[::ffff:127.0.0.1]:{port}/x",
        "https://2130706433:{port}/x",
        "https://0x7f.1:{port}/x",
    ],
)
def test_once_deployed_no_way_of_writing_this_machine_reaches_it(https: Heard, url: str) -> None:
    partner = Partner(
        url=url.format(port=https.port), signatures=SIGNATURES, timeout_seconds=3, on_laptop=False
    )

    attempt = asyncio.run(partner.deliver(event()))

    assert attempt.error == "forbidden address"
    assert https.hosts == []


def test_once_deployed_plain_http_is_no_way_at_all() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        listener.settimeout(0.1)

        attempt, asked = deliver(f"http://{NAME}:{port}/x", "93.184.216.34", on_laptop=False)

        assert (attempt.error, asked) == ("forbidden address", 0)


def test_the_resolver_of_this_machine_is_asked_for_addresses() -> None:
    from functions.dispatch.addresses import resolve

    found = asyncio.run(resolve("localhost", 80))

    assert found
    assert all(ipaddress.ip_address(address).is_loopback for address in found)
