"""The processor time that turns take, wherever it is spent. Unlike time on the clock it hardly depends on
what else the machine is busy with.
"""

from __future__ import annotations

from collections.abc import Iterable

import psutil
import psycopg


class Work:
    """Of this process, and of others with their children."""

    def __init__(self, others: Iterable[psutil.Process]) -> None:
        self._roots = [psutil.Process(), *others]

    def so_far(self) -> float:
        """Milliseconds until now."""
        processes = {
            process.pid: process
            for root in self._roots
            for process in (root, *(root.children(recursive=True) if root.pid != self._roots[0].pid else ()))
        }
        spent = [_spent(process) for process in processes.values()]
        return sum(spent) * 1000


def server_of(connection: psycopg.Connection) -> psutil.Process:
    """The Postgres server, of which every connection is a child."""
    server = psutil.Process(connection.info.backend_pid).parent()
    assert server is not None
    return server


def _spent(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system)
