"""By which time things are old (F33). What left the store for its age does not come back when a clock that was set far
ahead, by somebody or by a board without a battery, is righted: such a clock is believed once it has stood for a day."""

from __future__ import annotations

from datetime import datetime, timedelta

from logmedic.model.retention import Calendar

STEP = timedelta(days=7)
"""A clock up to so far from what it should say is believed at once: a host was off for the holidays. What leaves a week
early was kept for weeks."""
BELIEVED_AFTER = timedelta(days=1)
"""Of the daemon's running, over restarts."""


def looked_at(known: Calendar | None, now: datetime, passed: timedelta) -> Calendar:
    """The clock says `now`; `passed`: since the last look, as far as the daemon ran. `known` is None where nobody has
    looked before: there is nothing to compare it with."""
    if known is None:
        return Calendar(now)
    at = known.at + passed
    doubted_for = known.doubted_for + passed
    if abs(now - at) <= STEP or doubted_for >= BELIEVED_AFTER:
        return Calendar(now)
    return Calendar(at, doubted_for)


def old_by(calendar: Calendar | None, now: datetime) -> datetime:
    """What things are old by: never later than the clock says, nor than it should say."""
    return now if calendar is None else min(calendar.at, now)
