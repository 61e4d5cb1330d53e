"""What the demo prints: one line that moves on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import threading
import time

from logmedic.demo.receivers import Arrived

_SPIN = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
BODY_LINES = 4
"""Lines of an alert that are printed: what broke, its evidence, what was tried, what happens next."""


class Progress:
    """Used from several threads; one writes at a time."""

    def __init__(self) -> None:
        self._terminal = sys.stdout.isatty()
        self._started = time.monotonic()
        self._lock = threading.Lock()
        self._last = ""
        self._turns = 0

    def _stamp(self) -> str:
        return f"{time.monotonic() - self._started:5.1f} s"

    def say(self, text: str) -> None:
        with self._lock:
            self._wipe()
            print(f"{self._stamp()}  {text}" if text else "", flush=True)

    def line(self, text: str) -> None:
        """The progress line: redrawn on a terminal, printed when it changed elsewhere."""
        with self._lock:
            self._turns += 1
            if self._terminal:
                spin = _SPIN[self._turns % len(_SPIN)]
                print(f"\r\x1b[K{spin} {self._stamp()}  {text}", end="", flush=True)
            elif text != self._last:
                print(f"{self._stamp()}  {text}", flush=True)
            self._last = text

    def clear(self) -> None:
        with self._lock:
            self._wipe()

    def message(self, message: Arrived) -> None:
        with self._lock:
            self._wipe()
            print(f"{self._stamp()}  -> {message.channel}: {message.title}", flush=True)
            for row in message.text.strip().splitlines()[:BODY_LINES]:
                print(f"            | {row}", flush=True)

    def _wipe(self) -> None:
        if self._terminal:
            print("\r\x1b[K", end="")
