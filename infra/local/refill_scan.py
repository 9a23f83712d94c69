"""`make refill-scan`: what the schedule does, at once, on the stack that is running."""

from __future__ import annotations

import json
import sys
import urllib.error
import urllib.request

from dotenv import load_dotenv

from infra.local.settings import PROJECT, StackError, load_settings

FUNCTION = "nexus-pharmacy-local-refill_scan"
SUMMARY = "{scanned} patients, {alerts_created} new alerts, {alerts_closed} closed, {reminders} reminders"


def main() -> int:
    load_dotenv(PROJECT / ".env")
    try:
        settings = load_settings()
    except StackError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    endpoint = f"http://127.0.0.1:{settings.lambda_api.number}/2015-03-31/functions/{FUNCTION}/invocations"
    state: object = "running"
    while state == "running":
        request = urllib.request.Request(endpoint, data=b'{"start": "now"}', method="POST")
        try:
            with urllib.request.urlopen(request, timeout=310) as response:
                progress = json.load(response)
            state = progress["state"]
        except (urllib.error.HTTPError, ValueError, KeyError, TypeError):
            print(f"error: the scan failed; its log is in {settings.logs}", file=sys.stderr)
            return 1
        except OSError:
            where = f"port {settings.lambda_api.number}"
            print(f"error: nothing answers on {where}: start `make dev` first", file=sys.stderr)
            return 1
        print(SUMMARY.format(**progress))
    return 0


if __name__ == "__main__":
    sys.exit(main())
