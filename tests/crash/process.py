"""The real daemon as a process: started, asked, killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from logmedic.cli.client import Client
from logmedic.model.errors import LogmedicError

START_S = 90.0
SETTLE_S = 180.0
STOP_S = 60.0
LOOK_S = 0.1
SAME = 25
"""So many looks with the same counts: longer than a held trace and the engine's flush together."""


class Daemon:
    """One after another in one home: `logmedic.yaml`, the store and the socket in `state`, what it says in
    `daemon.log`."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.config = home / "logmedic.yaml"
        self.store = home / "state" / "logmedic.duckdb"
        self._socket = home / "state" / "logmedic.sock"
        self._said = home / "daemon.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *command: str) -> None:
        """`command`: another program than the daemon itself."""
        words = command or (sys.executable, "-m", "logmedic", "-c", str(self.config), "run")
        self._socket.unlink(missing_ok=True)  # what answers from now on is the new one
        with self._said.open("ab") as out:
            self._process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=out, stderr=out)

    def kill(self) -> None:
        """-9. It must not have ended by itself before that."""
        self._live().kill()
        self.ended(-signal.SIGKILL, 30)

    def stop(self) -> None:
        """As the service manager does."""
        self._live().send_signal(signal.SIGTERM)
        self.ended(0, STOP_S)

    def ended(self, wanted: int, limit_s: float) -> None:
        """Wait until it has ended with that status."""
        status = self._live().wait(limit_s)
        self._process = None
        assert status == wanted, f"it ended with {status}\n{self.said()}"

    def put_down(self) -> None:
        """Whatever its state, nothing of it stays."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def ask(self, what: str, wait_s: float = 10) -> Any:
        """None while nobody answers."""
        try:
            return Client(self._socket, wait_s=wait_s).get(what)
        except LogmedicError:
            return None

    def answers(self, limit_s: float = START_S) -> None:
        """Wait until it does."""
        until(lambda: self.ask("status") is not None, limit_s, self.said)

    def settle(self, logs: Iterable[Path], limit_s: float = SETTLE_S) -> None:
        """Wait until `logs`, which nobody writes to any more, are read to their end, and nothing is under way."""
        wanted = {str(path): (path.stat().st_size, 0) for path in logs}
        seen: list[Any] = []

        def is_over() -> bool:
            status = self.ask("status")
            if status is None:  # nobody answers yet, or any more: that is no end
                seen.append("no answer")
                return False
            lines = (row for row in status["sources"] if row["origin"].startswith("/"))  # files
            read = {row["origin"]: (row["offset"], row["lag_bytes"]) for row in lines}
            idle = all(row["status"] in ("open", "failed") for row in status["open_incidents"])
            seen.append(("read", status["counts"]) if idle and read == wanted else read)
            return len(seen) > SAME and all(each == ("read", status["counts"]) for each in seen[-SAME:])

        until(is_over, limit_s, lambda: f"{seen[-1]} should be {wanted}\n{self.said()}")

    def spoke_of(self, words: str) -> int:
        """In how many lines."""
        return sum(words in line for line in self._said.read_text(errors="replace").splitlines())

    def said(self) -> str:
        """The end of it."""
        return self._said.read_text(errors="replace")[-4000:]

    @property
    def runs(self) -> bool:
        """Started, and not ended by us."""
        return self._process is not None

    def is_alive(self) -> bool:
        return self._live().poll() is None

    @property
    def pid(self) -> int:
        return self._live().pid

    def largest_rss_kib(self) -> int:
        """Of the running process, since its start; 0 when that is over."""
        words = self._proc("status").partition("VmHWM:")[2].split()
        return int(words[0]) if words else 0

    def descriptors(self) -> int:
        return len(os.listdir(f"/proc/{self._live().pid}/fd"))

    def _proc(self, name: str) -> str:
        process = self._process
        try:
            return Path(f"/proc/{process.pid}/{name}").read_text() if process else ""
        except (FileNotFoundError, ProcessLookupError):
            return ""

    def _live(self) -> subprocess.Popen[bytes]:
        assert self._process is not None, "it runs"
        return self._process


def until(condition: Callable[[], bool], limit_s: float, what: Callable[[], str]) -> None:
    """Look every LOOK_S; fails with `what` after `limit_s`."""
    ends, pause = time.monotonic() + limit_s, threading.Event()
    while not condition():
        assert time.monotonic() < ends, f"not within {limit_s:g} s: {what()}"
        pause.wait(LOOK_S)


def is_gone(pid: int) -> bool:
    """Or dead, and not reaped yet. What was killed is not gone at once: to be asked by `until`."""
    try:
        return ") Z " in Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return True
