"""Files: one private bucket of Supabase Storage, reached as whoever is calling, so that its policies decide.

As for the database, one HTTP client per process keeps connections warm and holds no session.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Protocol

import httpx
from storage3 import SyncStorageClient
from storage3.exceptions import StorageApiError
from storage3.utils import StorageException

from shared import deadline
from shared.circuit import Circuit, CircuitOpen
from shared.database import REST_SECONDS
from shared.errors import Conflict, Forbidden, NexusError, NotFound, PayloadTooLarge, Unavailable
from shared.settings import get_settings
from shared.tls import verification

BUCKET = "prescriptions"


class Files(Protocol):
    """What a service needs of a bucket. Every call raises Unavailable (`storage_unavailable`) when Storage
    does not answer, Forbidden or NotFound when the caller's rights do not suffice.
    """

    def put(self, path: str, data: bytes, content_type: str) -> None:
        """Store a new file. Raises Conflict when the place is taken."""

    def get(self, path: str, *, most_bytes: int) -> bytes:
        """The whole file. Raises PayloadTooLarge, having read no more than that, when it is larger."""

    def link(self, path: str, *, seconds: int) -> str:
        """An address that shows the file to whoever has it, until it expires."""

    def upload_link(self, path: str) -> str:
        """An address that takes the file by PUT, once, for two hours. Raises Conflict when it is there."""

    def remove(self, paths: Sequence[str]) -> None:
        """Remove what the caller may remove; what is not there or may not be removed is passed over."""


class Storage:
    """Warm connections to Storage, shared by all calls of this process."""

    def __init__(
        self,
        *,
        url: str,
        publishable_key: str,
        bucket: str,
        timeout_seconds: float,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._url = f"{url}/storage/v1/"
        self._key = publishable_key
        self._bucket = bucket
        self.circuit = Circuit("storage", rest_seconds=REST_SECONDS)
        self._client = httpx.Client(
            transport=transport,
            timeout=httpx.Timeout(timeout_seconds, connect=min(3.0, timeout_seconds)),
            event_hooks={"request": [deadline.shorten]},
            verify=verification(url),
        )

    def acting_as(self, token: str) -> Files:
        """The bucket as the holder of `token` may use it."""
        headers = {"apikey": self._key, "Authorization": f"Bearer {token}"}
        return _Bucket(self._client, self._url, self._bucket, headers, self.circuit)

    def close(self) -> None:
        self._client.close()


class _Bucket:
    def __init__(
        self, client: httpx.Client, url: str, bucket: str, headers: dict[str, str], circuit: Circuit
    ) -> None:
        self._client = client
        self._url = f"{url}object/{bucket}/"
        self._headers = headers
        self._circuit = circuit
        self._files = SyncStorageClient(url, headers, http_client=client).from_(bucket)

    def put(self, path: str, data: bytes, content_type: str) -> None:
        with self._asking():
            self._files.upload(path, data, {"content-type": content_type, "cache-control": "0"})

    def get(self, path: str, *, most_bytes: int) -> bytes:
        # The library would read a file of any size.
        reading = self._client.stream("GET", self._url + path, headers=self._headers)
        with self._asking(), reading as answer:
            if answer.status_code in (400, 403, 404):
                raise NotFound("The file is not there.", code="file_missing")
            answer.raise_for_status()
            found = bytearray()
            for chunk in answer.iter_bytes():
                found += chunk
                if len(found) > most_bytes:
                    raise PayloadTooLarge()
            return bytes(found)

    def link(self, path: str, *, seconds: int) -> str:
        with self._asking():
            return str(self._files.create_signed_url(path, seconds)["signedURL"])

    def upload_link(self, path: str) -> str:
        with self._asking():
            return str(self._files.create_signed_upload_url(path)["signed_url"])

    def remove(self, paths: Sequence[str]) -> None:
        with self._asking():
            self._files.remove(list(paths))

    @contextmanager
    def _asking(self) -> Iterator[None]:
        try:
            with self._circuit.guard(Unavailable), _as_nexus_errors():
                yield
        except CircuitOpen as error:
            raise _unavailable() from error


@lru_cache(maxsize=1)
def get_storage() -> Storage:
    settings = get_settings()
    return Storage(
        url=settings.supabase_url,
        publishable_key=settings.supabase_publishable_key,
        bucket=BUCKET,
        timeout_seconds=settings.database_timeout_seconds,
    )


@contextmanager
def _as_nexus_errors() -> Iterator[None]:
    try:
        yield
    except StorageApiError as error:
        raise _meaning_of(error) from error
    except (httpx.HTTPError, StorageException, KeyError, TypeError, ValueError) as error:
        # The library reads any answer that came with a good status as the one it waits for.
        raise _unavailable() from error


def _meaning_of(error: StorageApiError) -> NexusError:
    match str(error.status):
        case "401" | "403":
            return Forbidden()
        case "404":
            return NotFound("The file is not there.", code="file_missing")
        case "409":
            return Conflict("There is a file in this place already.", code="file_exists")
        case "413":
            return PayloadTooLarge()
        case status if status.startswith("4"):
            return NexusError()
        case _:
            return _unavailable()


def _unavailable() -> Unavailable:
    return Unavailable("Files cannot be stored or read right now.", code="storage_unavailable")
