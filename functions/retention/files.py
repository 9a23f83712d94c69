"""The bucket of uploads as the service may use it: any file may go."""

from __future__ import annotations

from functools import lru_cache

from shared.service import get_service_settings
from shared.storage import BUCKET, Files, Storage


@lru_cache(maxsize=1)
def service_files() -> Files:
    settings = get_service_settings()
    key = settings.supabase_secret_key.get_secret_value()
    storage = Storage(
        url=settings.supabase_url,
        publishable_key=key,
        bucket=BUCKET,
        timeout_seconds=settings.database_timeout_seconds,
    )
    return storage.acting_as(key)
