"""Signs of life during a long import, on stderr: one line rewritten on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from typing import TextIO

_FIRST_AFTER_SECONDS = 1.0
_TERMINAL_EVERY_SECONDS = 0.2
_LOG_EVERY_SECONDS = 5.0


class Progress:
    """Silent for work that is done within a second."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._terminal = self._stream.isatty()
        self._every = _TERMINAL_EVERY_SECONDS if self._terminal else _LOG_EVERY_SECONDS
        self._next = time.monotonic() + _FIRST_AFTER_SECONDS
        self._shown = False

    def report(self, text: str) -> None:
        """Show `text` when enough time has passed since the last one."""
        now = time.monotonic()
        if now >= self._next:
            self._show(text)
            self._next = now + self._every

    def announce(self, text: str) -> None:
        """Show `text` at once in a long import: the work that follows is one statement and shows nothing."""
        if time.monotonic() >= self._next or self._shown:
            self._show(text)

    def clear(self) -> None:
        """Leave the line to what is printed next."""
        if self._terminal:
            self._stream.write("\r\033[K")
            self._stream.flush()

    def _show(self, text: str) -> None:
        self._shown = True
        self._stream.write(f"\r\033[K{text}" if self._terminal else f"{text}\n")
        self._stream.flush()
