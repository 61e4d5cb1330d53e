"""How the daemon logs: to stderr, readable on a terminal, logfmt elsewhere; the journal is told priorities."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Mapping
from typing import Any

import structlog

PRIORITIES = {"critical": 2, "error": 3, "warning": 4, "info": 6, "debug": 7}
"""sd-daemon(3): what journalctl -p asks for."""


def configure(*, verbose: int, quiet: bool) -> None:
    """`quiet`: warnings and worse."""
    level = logging.DEBUG if verbose else logging.WARNING if quiet else logging.INFO
    terminal = sys.stderr.isatty()
    stamp = structlog.processors.TimeStamper(fmt="%H:%M:%S" if terminal else "iso", utc=not terminal)
    render = (
        structlog.dev.ConsoleRenderer()
        if terminal
        else structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"])
    )
    structlog.configure(
        processors=[structlog.processors.add_log_level, stamp, render, *([with_priority] if is_journal() else [])],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(name)s: %(message)s")


def is_journal(descriptor: int = 2, env: Mapping[str, str] = os.environ) -> bool:
    """Whether what is written there goes to the journal, as systemd.exec(5) says of $JOURNAL_STREAM."""
    seen = os.fstat(descriptor)
    return env.get("JOURNAL_STREAM") == f"{seen.st_dev}:{seen.st_ino}"


def with_priority(_: Any, method: str, line: Any) -> str:
    """The last of the processors: the journal takes the number in front for the line's priority."""
    return f"<{PRIORITIES.get(method, 6)}>{line}"
