"""By which time things in the store are old (F33): looked at before anything leaves, and written down beside the store,
for the next life compares its clock with it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import structlog

from logmedic.adapters.store.backups import half_made, put
from logmedic.adapters.store.connection import calendar_of
from logmedic.adapters.store.rows import utc
from logmedic.core.calendar import BELIEVED_AFTER, looked_at
from logmedic.model.retention import Calendar

log = structlog.get_logger("logmedic.store")

MAX_BYTES = 4096
LATEST = datetime(9000, 1, 1, tzinfo=UTC)
"""What is written down of a later time is damage."""
_NEWEST = (
    'SELECT max(t) FROM (SELECT max("at") AS t FROM checkpoints WHERE "at" < $before '
    "UNION ALL SELECT max(minute) FROM tallies WHERE minute < $before)"
)


class Aging:
    """Of the store at `store`. `steady`: seconds of a clock that nobody sets. `step`: how far off a clock is believed
    at once."""

    def __init__(self, store: Path, steady: Callable[[], float], step: timedelta) -> None:
        self._file = calendar_of(store)
        self._steady = steady
        self._step = step
        self._looked_s = steady()
        self._known = read(self._file)

    @property
    def is_unknown(self) -> bool:
        """There is nothing that its clock could be compared with."""
        return self._known is None

    def assume(self, at: datetime) -> None:
        """It was that time at the last look."""
        self._known = Calendar(at, at)

    def as_of(self, now: datetime) -> Calendar:
        """What a look would find, while the clock says `now`."""
        passed = timedelta(seconds=max(0.0, self._steady() - self._looked_s))
        return looked_at(self._known, now, passed, self._step)

    def look(self, now: datetime) -> Calendar:
        """As `as_of`; it is told and written down. Waits for the disk."""
        known = self.as_of(now)
        was_ahead = self._known is not None and self._known.is_ahead
        self._looked_s, self._known = self._steady(), known
        if known.is_ahead and not was_ahead:
            log.warning("clock_doubted", says=_iso(now), expected=_iso(known.at))
        elif was_ahead and not known.is_ahead:
            log.info("clock_believed", says=_iso(now))
        try:
            write(self._file, known)
        except OSError as error:  # people are told of a disk that takes nothing by who watches it
            log.warning("calendar_not_written", error=str(error))
        return known


def row(known: Calendar) -> dict[str, Any] | None:
    """Of a clock that is ahead and not believed: says, expected, believed_in_s. None of any other."""
    if not known.is_ahead:
        return None
    left = BELIEVED_AFTER - known.said_for
    return {"says": _iso(known.says), "expected": _iso(known.at), "believed_in_s": left.total_seconds()}


def newest(connection: duckdb.DuckDBPyConnection, before: datetime) -> datetime | None:
    """The last time before `before` that the store knows. Raises duckdb.Error."""
    found = connection.execute(_NEWEST, {"before": utc(before)}).fetchone()
    return found[0].replace(tzinfo=UTC) if found and found[0] is not None else None


def read(file: Path) -> Calendar | None:
    """None where there is none, or none that makes sense."""
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(descriptor, "rb") as there:
            return _calendar(json.loads(there.read(MAX_BYTES)))
    except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return None


def _calendar(row: Mapping[str, Any]) -> Calendar | None:
    at, says, claim = (None if row[name] is None else _moment(row[name]) for name in ("at", "says", "claim"))
    said_for, behind_for = (timedelta(seconds=float(row[name])) for name in ("said_for_s", "behind_for_s"))
    if at is None or says is None or max(at, says, claim or at) >= LATEST:
        return None
    makes_sense = all(timedelta() <= each < BELIEVED_AFTER for each in (said_for, behind_for))
    return Calendar(at, says, claim, said_for, behind_for) if makes_sense else None


def _moment(text: Any) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def write(file: Path, known: Calendar) -> None:
    """Raises OSError; then the one of before is there."""
    row = {
        "at": known.at.isoformat(),
        "says": known.says.isoformat(),
        "claim": known.claim.isoformat() if known.claim is not None else None,
        "said_for_s": known.said_for.total_seconds(),
        "behind_for_s": known.behind_for.total_seconds(),
    }
    new = half_made(file)
    with suppress(FileNotFoundError):
        new.unlink()
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with open(descriptor, "w") as there:
        there.write(json.dumps(row) + "\n")
    put(new, file)


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
