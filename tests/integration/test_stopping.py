"""However `make dev` ends, nothing of it stays behind."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

PROJECT = Path(__file__).parents[2]
PARTS = ("POSTGRES", "SUPABASE")


def free_ports(count: int) -> list[int]:
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]
    finally:
        for probe in probes:
            probe.close()


def start(data: Path) -> subprocess.Popen[bytes]:
    """Database and Supabase Lite on ports of their own; returns once they are ready."""
    ports = {f"NEXUS_{part}_PORT": str(port) for part, port in zip(PARTS, free_ports(2), strict=True)}
    log = data / "log"
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # under nohup the stack would rightly ignore it
    with log.open("wb") as output:
        supervisor = subprocess.Popen(
            [sys.executable, "-m", "infra.local.dev", "--until", "supabase"],
            env={**os.environ, "NEXUS_DATA_DIR": str(data), **ports},
            cwd=PROJECT,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    deadline = time.monotonic() + 60
    while "Nexus is ready" not in log.read_text():
        assert supervisor.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.05)
    return supervisor


def left_behind(processes: list[psutil.Process]) -> list[psutil.Process]:
    """Those that still run after a moment; zombies do not count, as a container may collect none."""
    _, alive = psutil.wait_procs(processes, timeout=10)
    return [process for process in alive if process.status() != psutil.STATUS_ZOMBIE]


@pytest.fixture(scope="module")
def data() -> Path:
    """One data directory for all starts: each must find it fit for use after the end before.

    Not a temporary directory of pytest's, which every other pytest on the machine closes to Postgres' user.
    """
    folder = PROJECT / ".local" / "test" / "stopping"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_every_process_ends_with_the_supervisor(data: Path, how: signal.Signals) -> None:
    if how == signal.SIGKILL and not sys.platform.startswith("linux"):
        pytest.skip("only Linux ends Postgres with a killed supervisor; elsewhere the next start does")
    supervisor = start(data)
    processes = psutil.Process(supervisor.pid).children(recursive=True)
    assert any("postgres" in process.name() for process in processes)

    supervisor.send_signal(how)
    code = supervisor.wait(timeout=60)

    assert left_behind(processes) == []
    assert code == (-signal.SIGKILL if how == signal.SIGKILL else 0)


def test_a_dead_part_ends_the_rest_with_the_end_of_its_log(data: Path) -> None:
    supervisor = start(data)
    processes = psutil.Process(supervisor.pid).children(recursive=True)
    (lite,) = [process for process in processes if "keep_running.mjs" in " ".join(process.cmdline())]

    lite.kill()
    code = supervisor.wait(timeout=60)

    assert code == 1
    assert "Supabase Lite stopped unexpectedly" in (data / "log").read_text()
    assert left_behind(processes) == []


def test_a_second_start_on_the_same_data_is_refused(data: Path) -> None:
    first = start(data)
    try:
        ports = {f"NEXUS_{part}_PORT": str(port) for part, port in zip(PARTS, free_ports(2), strict=True)}
        second = subprocess.run(
            [sys.executable, "-m", "infra.local.dev", "--until", "supabase"],
            env={**os.environ, "NEXUS_DATA_DIR": str(data), **ports},
            cwd=PROJECT,
            capture_output=True,
            text=True,
            timeout=30,
        )
        assert second.returncode == 1
        assert f"already running on {data} (process {first.pid})" in second.stderr
        assert first.poll() is None
    finally:
        first.terminate()
        first.wait(timeout=60)
