"""What commands about logs of the past share: the times that are asked for, a bar, what is said of files."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING, Any

import click

from logmedic.cli.output import complain, several
from logmedic.model.errors import NotFound, PermanentError

if TYPE_CHECKING:
    from logmedic.core.backtest import Log
    from logmedic.pastlogs import Pulse

TERMINATED = 128 + signal.SIGTERM


def moment_of(text: str | None, option: str) -> datetime | None:
    from logmedic.yamldoc import moment

    try:
        return moment(text, datetime.now(UTC)) if text is not None else None
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint=option) from None


def zone_of(name: str | None) -> tzinfo:
    """The host's when none is named."""
    from zoneinfo import ZoneInfo

    from logmedic.runtime.clock import local_zone

    if name is None:
        return local_zone()
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # OSError: the name is that of a directory of zones
        raise click.BadParameter(
            f"`{name}` is no time zone; write one like Europe/Vienna, or UTC", param_hint="--zone"
        ) from None


def zone_name(zone: tzinfo, span: tuple[datetime, datetime] | None) -> str:
    """The host's own is known by its file alone; then what it calls itself at the end."""
    key = str(getattr(zone, "key", "/"))
    return key if not key.startswith("/") or not span else f"{span[1].astimezone(zone):%Z}"


def complain_of(logs: Sequence[Log], passed_by: Sequence[str]) -> None:
    """What was not read to its end. Raises NotFound when nothing was."""
    if not logs:
        hint = "every file is older than --since" if passed_by else "name the logs to read: /var/log/nginx/error.log*"
        raise NotFound("there is nothing to read", hint)
    for log in logs:
        if log.problem:
            read = f"; {several(log.lines, 'line')} before that were read" if log.lines else ""
            complain(f"{log.path}: {log.problem}{read}")
    if not any(log.lines or not log.problem for log in logs):
        raise NotFound("none of the files can be read")


@contextmanager
def search_of_files(what: str, *, less: str) -> Iterator[None]:
    """Failures of a search in many files, in words. `less`: what to name less of."""
    from concurrent.futures.process import BrokenProcessPool

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(TERMINATED))  # what is on disk is taken away again
    try:
        yield
    except OSError as error:
        hint = f"what is found is kept on disk: make room there, or name fewer {less}"
        raise PermanentError(f"{what} cannot go on: {error}", hint) from None
    except BrokenProcessPool:
        hint = f"see whether memory was short (dmesg), and name fewer {less}"
        raise PermanentError("a process that searched the files was killed", hint) from None


@contextmanager
def progress(wanted: bool) -> Iterator[Pulse]:
    """A bar on a terminal; elsewhere nothing."""
    if not (wanted and sys.stderr.isatty()):
        yield lambda what, done, total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns: list[Any] = [TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %")]
    bar = Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True)
    tasks = {}

    def pulse(what: str, done: int, total: int) -> None:
        if what not in tasks:
            tasks[what] = bar.add_task(what, total=total)
            bar.start()  # not before: it is a thread, and processes are forked until then
        bar.update(tasks[what], completed=done)

    try:
        yield pulse
    finally:
        bar.stop()


def file_row(log: Log) -> dict[str, Any]:
    return {
        "path": log.path,
        "source": log.source,
        "bytes": log.bytes,
        "lines": log.lines,
        "first": iso(log.first),
        "last": iso(log.last),
        "problem": log.problem,
    }


def iso(at: datetime | None) -> str | None:
    return at.isoformat().replace("+00:00", "Z") if at is not None else None
