"""A command in a real terminal: what is typed into it, and what it shows, by an emulator of one."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Callable, Iterator

import pyte

from cli.surroundings import ENVIRONMENT

PATIENCE_S = 20.0


class Terminal:
    """Made by `running`. `raw`: all that was written to it."""

    def __init__(self, pid: int, fd: int, columns: int, rows: int) -> None:
        self.pid, self.fd = pid, fd
        self.raw = b""
        self._before = termios.tcgetattr(fd)
        self.code: int | None = None
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)

    @property
    def lines(self) -> list[str]:
        return [line.rstrip() for line in self._screen.display]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    @property
    def has_its_settings(self) -> bool:
        """As before the command began."""
        return bool(termios.tcgetattr(self.fd) == self._before)

    def signal(self, number: int) -> None:
        """To the command."""
        os.killpg(os.tcgetpgrp(self.fd), number)

    def type(self, keys: str) -> None:
        os.write(self.fd, keys.encode())

    def resize(self, columns: int, rows: int) -> None:
        self._screen.resize(rows, columns)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def until(self, holds: Callable[[], bool], what: str) -> None:
        """Read what it shows until that holds."""
        ends = time.monotonic() + PATIENCE_S
        while not holds():
            assert time.monotonic() < ends, f"{what}; it shows:\n{self.text}"
            if not self._read(0.05) and self.code is not None:
                assert holds(), f"{what}; it ended ({self.code}) and shows:\n{self.text}"
                return

    def shows(self, told: str) -> None:
        self.until(lambda: told in self.text, f"it does not show {told!r}")

    def ended(self) -> int:
        """Its exit code, or minus the signal that ended it."""
        self.until(lambda: self.code is not None, "it does not end")
        while self._read(0.0):
            pass
        assert self.code is not None
        return self.code

    def _read(self, wait_s: float) -> bool:
        ready, _, _ = select.select([self.fd], [], [], wait_s)
        try:
            received = os.read(self.fd, 1 << 16) if ready else b""
        except OSError:  # EIO: nobody has the other end any more
            received = b""
        self.raw += received
        self._stream.feed(received)
        self._look()
        return bool(received)

    def _look(self) -> None:
        if self.code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self.code = os.waitstatus_to_exitcode(status) if pid else None


@contextlib.contextmanager
def running(*arguments: str, columns: int = 80, rows: int = 24, **environment: str) -> Iterator[Terminal]:
    """`python -m logmedic ...`; whatever is left of it is killed."""
    command = (sys.executable, "-m", "logmedic", *arguments)
    with programme(*command, columns=columns, rows=rows, **environment) as terminal:
        yield terminal


@contextlib.contextmanager
def programme(*argv: str, columns: int = 80, rows: int = 24, **environment: str) -> Iterator[Terminal]:
    """The same of any."""
    main, other = pty.openpty()
    fcntl.ioctl(main, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    pid = os.posix_spawn(
        sys.executable,
        [sys.executable, "-c", _AS_OF_A_SHELL, os.ttyname(other), *argv],
        {**ENVIRONMENT, "TERM": "xterm-256color", **environment},
    )
    terminal = Terminal(pid, main, columns, rows)
    try:
        yield terminal
    finally:
        if terminal.code is None:
            terminal.signal(signal.SIGKILL)
            os.waitpid(pid, 0)
        os.close(main)
        os.close(other)


_AS_OF_A_SHELL = """
import os, signal, sys
os.setsid()
tty = os.open(sys.argv[1], os.O_RDWR)  # the first one that a session opens is its terminal
for fd in (0, 1, 2):
    os.dup2(tty, fd)
child = os.fork()
if child:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) % 256)
os.setpgid(0, 0)
signal.signal(signal.SIGTTOU, signal.SIG_IGN)
os.tcsetpgrp(0, os.getpid())
signal.signal(signal.SIGTTOU, signal.SIG_DFL)
os.execv(sys.argv[2], sys.argv[2:])
"""
"""What would stop it does so only where somebody of its session could let it go on: it needs a parent there."""
