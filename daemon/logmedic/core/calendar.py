"""By which time things are old (F33). What left the store for its age does not come back when a clock that was set far
ahead, by somebody or by a board without a battery, is righted: such a clock is believed once it has stood for a day."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from logmedic.model.retention import Calendar

DAY = timedelta(days=1)
WEEK = timedelta(days=7)
BELIEVED_AFTER = DAY
"""Of the daemon's running, over restarts."""
COUNTS_AT_MOST = timedelta(hours=2)
"""Of the time between two looks, which are an hour apart: in the rest the host was suspended, or its disk hung."""


def step_of(kept: Iterable[timedelta]) -> timedelta:
    """How far from what it should say a clock is believed at once: a host was off for the holidays. What is kept for
    `kept` may leave so much too early, so it is no more than a quarter of the shortest."""
    return max(DAY, min(WEEK, min(kept) / 4))


def looked_at(known: Calendar | None, now: datetime, passed: timedelta, step: timedelta) -> Calendar:
    """The clock says `now`; `passed`: since the last look, as far as the daemon ran. `known` is None where there is
    nothing to compare with."""
    if known is None:
        return Calendar(now, now)
    at = known.at + passed
    if abs(now - at) <= step:
        return Calendar(now, now)
    doubted_for = timedelta()
    if known.doubted_for is not None and abs(now - (known.says + passed)) <= step:  # the same as at the last look
        doubted_for = known.doubted_for + min(passed, COUNTS_AT_MOST)
    return Calendar(now, now) if doubted_for >= BELIEVED_AFTER else Calendar(at, now, doubted_for)
