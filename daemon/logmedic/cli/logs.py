"""How the daemon logs: entries of the journal under systemd, readable on a terminal, JSON lines elsewhere."""

from __future__ import annotations

import logging
import os
import sys
import time
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


def configure(*, verbose: int, quiet: bool, stream: TextIO | None = None, journal: Path = SOCKET) -> None:
    """`quiet`: warnings and worse. `stream`: where it is written, by default the standard error. `journal`: the socket
    of journald, used when that is what `stream` leads to."""
    out = stream or sys.stderr
    level = logging.DEBUG if verbose else logging.WARNING if quiet else logging.INFO
    structlog.configure(
        processors=[_tell, structlog.processors.add_log_level, *_form(out, journal)],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(out),
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
    """What the libraries say, in the daemon's own form: their traces would be lines of their own."""

    def emit(self, record: logging.LogRecord) -> None:
        log = structlog.get_logger("logmedic.libraries")
        said = self.format(record)
        if record.levelno >= logging.ERROR:
            log.error("library_said", library=record.name, said=said)
        else:
            log.warning("library_said", library=record.name, said=said)
