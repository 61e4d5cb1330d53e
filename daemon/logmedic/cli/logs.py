"""How the daemon logs: entries of the journal under systemd, readable on a terminal, JSON lines elsewhere."""

from __future__ import annotations

import logging
import math
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, MutableMapping
from pathlib import Path
from typing import Any, TextIO

import structlog

from logmedic.cli.journald import PRIORITIES, SOCKET, entry, send, serialised
from logmedic.cli.output import visible
from logmedic.core.ownline import own_line, told

Fields = MutableMapping[str, Any]
LEFT_ALONE_S = 30.0
"""A journald that hung: a burst of entries must not wait for it one by one, or the watchdog ends the daemon."""

REPEATED_S = 30.0
REMEMBERED = 256
"""Different things that libraries said."""


def configure(*, verbose: int, quiet: bool, stream: TextIO | None = None, journal: Path = SOCKET) -> None:
    """`quiet`: warnings and worse. `stream`: where it is written, by default the standard error. `journal`: the socket
    of journald, used when that is what `stream` leads to."""
    out = stream or sys.stderr
    level = logging.DEBUG if verbose else logging.WARNING if quiet else logging.INFO
    lines = Lines(out)
    structlog.configure(
        processors=[_tell, structlog.processors.add_log_level, *_form(out, journal)],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: lines,
        cache_logger_on_first_use=True,
    )
    logging.getLogger().handlers[:] = [Libraries(logging.WARNING)]


def _form(out: TextIO, journal: Path) -> list[Any]:
    if out.isatty():
        stamp = structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=False)
        return [_show, stamp, structlog.dev.ConsoleRenderer(colors="NO_COLOR" not in os.environ)]
    if is_journal(out.fileno()):  # which has its own time of each entry
        return [ToJournal(journal)]
    return [structlog.processors.TimeStamper(fmt="iso", utc=True), lambda _, __, fields: own_line(fields)]


def is_journal(descriptor: int = 2, env: Mapping[str, str] = os.environ) -> bool:
    """Whether what is written there goes to the journal, as systemd.exec(5) says of $JOURNAL_STREAM."""
    seen = os.fstat(descriptor)
    return env.get("JOURNAL_STREAM") == f"{seen.st_dev}:{seen.st_ino}"


class Lines:
    """Writes what the processors made, a line at once. What cannot be written (a full disk, a reader that is gone) is
    counted, and told with the next line that can: whoever logs has other work to do (F48)."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._lost = 0
        self._torn = False

    def msg(self, message: str) -> None:
        try:
            self._write(f"{message}\n".encode("utf-8", "backslashreplace"))
        except OSError:
            self._lost += 1
            return
        lost, self._lost = self._lost, 0
        if lost:
            log = structlog.get_logger("logmedic.logs")
            log.warning("own_lines_lost", lines=lost)

    debug = info = warning = error = critical = msg

    def _write(self, content: bytes) -> None:
        """Past the stream's buffer, which would fail at any time later. Raises OSError."""
        rest = b"\n" + content if self._torn else content
        while rest:
            written = os.write(self._out.fileno(), rest)
            rest = rest[written:]
            self._torn = bool(rest)


def _tell(_: Any, __: str, fields: Fields) -> Fields:
    return told(fields)


def _show(_: Any, __: str, fields: Fields) -> Fields:
    """What is quoted steers no terminal."""
    return {name: visible(value) if isinstance(value, str) else value for name, value in fields.items()}


class ToJournal:
    """The last of the processors: sends the entry. What journald does not take goes to the standard error, where the
    journal takes the number in front for its priority. One that hangs is left alone for a while: whoever logs waits."""

    def __init__(self, socket: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._socket = socket
        self._clock = clock
        self._not_before = 0.0

    def __call__(self, _: Any, method: str, fields: Fields) -> str:
        line = own_line(fields)
        if self._sent(serialised(entry(method, line, fields))):
            raise structlog.DropEvent
        return with_priority(method, line)

    def _sent(self, content: bytes) -> bool:
        if self._clock() < self._not_before:
            return False
        try:
            send(content, self._socket)
        except TimeoutError:
            self._not_before = self._clock() + LEFT_ALONE_S
            return False
        except OSError:
            return False
        return True


def with_priority(method: str, line: str) -> str:
    return f"<{PRIORITIES.get(method, 6)}>{line}"


class Libraries(logging.Handler):
    """What the libraries say, in the daemon's own form: their traces would be lines of their own. The same again is
    told once in REPEATED_S, with how many `times` it was said meanwhile: without descriptors asyncio says so a thousand
    times a second while somebody wants to connect (F40)."""

    def __init__(self, level: int, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(level)
        self._clock = clock
        self._next: dict[tuple[str, str], float] = {}
        """By who said what: when it is told again."""
        self._untold: Counter[tuple[str, str]] = Counter()

    def emit(self, record: logging.LogRecord) -> None:
        key = record.name, str(record.msg).partition("\n")[0]
        if self._clock() < self._next.get(key, -math.inf):
            self._untold[key] += 1
            return
        times = self._untold.pop(key, 0) + 1
        if len(self._next) >= REMEMBERED:
            self._next.clear()
            self._untold.clear()
        self._next[key] = self._clock() + REPEATED_S
        log = structlog.get_logger("logmedic.libraries")
        if times > 1:
            log = log.bind(times=times)
        if record.levelno >= logging.ERROR:
            log.error("library_said", library=record.name, said=self.format(record))
        else:
            log.warning("library_said", library=record.name, said=self.format(record))
