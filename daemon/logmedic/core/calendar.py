"""By which time things are old (F33). What left the store for its age does not come back when a clock is righted that
was far ahead, by somebody's mistake or on a board without a battery: it is believed once it has said so for a day."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from logmedic.model.retention import Calendar

DAY = timedelta(days=1)
WEEKEND = timedelta(days=3)
WEEK = timedelta(days=7)
BELIEVED_AFTER = DAY
"""Of the daemon's running, over restarts."""
COUNTS_AT_MOST = timedelta(hours=2)
"""Of the time between two looks, which are an hour apart: in the rest the host was suspended, or its disk hung."""


def step_of(kept: Iterable[timedelta]) -> timedelta:
    """How far from what it should say a clock is believed at once: a host was off for a week. What is kept for `kept`
    may leave so much too early, so it is no more than a quarter of the shortest; or a weekend."""
    return max(WEEKEND, min(WEEK, min(kept) / 4))


def looked_at(known: Calendar | None, now: datetime, passed: timedelta, step: timedelta) -> Calendar:
    """The clock says `now`; `passed`: since the last look, as far as the daemon ran. `known` is None where there is
    nothing to compare with.

    A clock that is far ahead is believed no further than the earliest that it said in that day. So a year that is
    mistyped in it is not believed, and on a host that is off for weeks, and runs for hours, the time comes ever
    nearer."""
    if known is None:
        return Calendar(now, now)
    at, counts = known.at + passed, min(passed, COUNTS_AT_MOST)
    claim = known.claim + passed if known.claim is not None else None
    if abs(now - at) <= step:  # a board that boots at the same time each time may say so for a moment
        said_for = max(timedelta(), known.said_for - counts)
        return Calendar(now, now, claim if said_for else None, said_for)
    if now < at:
        behind_for = known.behind_for + counts
        is_right = behind_for >= BELIEVED_AFTER
        return Calendar(now, now) if is_right else Calendar(at, now, claim, known.said_for, behind_for)
    if claim is None:
        return Calendar(at, now, now)
    earliest, said_for = min(claim, now), known.said_for + counts
    if said_for < BELIEVED_AFTER:
        return Calendar(at, now, earliest, said_for)
    return Calendar(now, now) if now - earliest <= step else Calendar(earliest, now, now)
