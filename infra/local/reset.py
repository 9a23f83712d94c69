"""`make reset`: delete the laptop stack's data, so that the next start creates and seeds it anew."""

from __future__ import annotations

import shutil
import sys

from infra.local.postgres import stop_stale_server
from infra.local.settings import StackError, StackSettings, load_settings
from infra.local.stack import hold_data, holder


def delete_data(settings: StackSettings) -> None:
    """Delete the stack's own folders, nothing else. Raises StackError while a stack uses them."""
    lock = hold_data(settings)
    if lock is None:
        raise StackError(
            f"A stack is running on {settings.data_dir}{holder(settings)}: stop it first, with Ctrl-C in its"
            " terminal. Nothing was deleted."
        )
    with lock:
        stop_stale_server(settings.data_dir / "postgres")
        for name in ("postgres", "lite", "keys", "logs", "test"):
            shutil.rmtree(settings.data_dir / name, ignore_errors=True)
        (settings.data_dir / "partner.sqlite3").unlink(missing_ok=True)


def main() -> int:
    try:
        settings = load_settings()
        delete_data(settings)
    except StackError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"Deleted the data in {settings.data_dir}.")
    if settings.external_database_url:
        print("DATABASE_URL names a database of your own: that one was left alone.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
