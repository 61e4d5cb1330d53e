"""By which time things in the store are old (F33): looked at before anything leaves, and written down beside the store,
for the next life compares its clock with it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import structlog

from logmedic.adapters.store.connection import calendar_of
from logmedic.adapters.store.copies import make_durable
from logmedic.core.calendar import BELIEVED_AFTER, looked_at, old_by
from logmedic.model.retention import Calendar

log = structlog.get_logger("logmedic.store")

MAX_BYTES = 4096


class Aging:
    """Of the store at `store`. `steady`: seconds of a clock that nobody sets."""

    def __init__(self, store: Path, steady: Callable[[], float]) -> None:
        self._file = calendar_of(store)
        self._steady = steady
        self._looked_s = steady()
        self._calendar = read(self._file)

    def old_by(self, now: datetime) -> datetime:
        return old_by(self._calendar, now)

    def look(self, now: datetime) -> datetime:
        """As `old_by`, after a look at the clock, which says `now`. Waits for the disk."""
        steady_s, before = self._steady(), self._calendar
        passed = timedelta(seconds=max(0.0, steady_s - self._looked_s))
        self._looked_s, self._calendar = steady_s, looked_at(before, now, passed)
        was, doubted = before is not None and before.doubted, self._calendar.doubted
        if doubted and not was:
            log.warning("clock_doubted", says=_iso(now), expected=_iso(self._calendar.at))
        elif was and not doubted:
            log.info("clock_believed", says=_iso(now))
        try:
            write(self._file, self._calendar)
        except OSError as error:  # people are told of a disk that takes nothing by who watches it
            log.warning("calendar_not_written", error=str(error))
        return self.old_by(now)

    def row(self, now: datetime) -> dict[str, Any] | None:
        """Of a clock that is not believed: says, expected, believed_in_s. None of one that is."""
        known = self._calendar
        if known is None or not known.doubted:
            return None
        left = BELIEVED_AFTER - known.doubted_for
        return {"says": _iso(now), "expected": _iso(known.at), "believed_in_s": left.total_seconds()}


def read(file: Path) -> Calendar | None:
    """None where there is none, or none that makes sense."""
    try:
        with file.open("rb") as there:
            row = json.loads(there.read(MAX_BYTES))
        at, doubted_for = datetime.fromisoformat(row["at"]), timedelta(seconds=float(row["doubted_for_s"]))
        return Calendar(at.astimezone(UTC), max(doubted_for, timedelta()))
    except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return None


def write(file: Path, calendar: Calendar) -> None:
    """Raises OSError; then the one of before is there."""
    row = {"at": calendar.at.isoformat(), "doubted_for_s": calendar.doubted_for.total_seconds()}
    new = file.with_name(f"{file.name}.new")
    new.write_text(json.dumps(row) + "\n")
    new.chmod(0o600)
    make_durable(new)
    new.replace(file)


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
