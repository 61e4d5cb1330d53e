"""Whether the wall clock was set: it is compared with one that nobody sets."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from logmedic.core.clockset import SET_FROM
from logmedic.ports import Clock

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class ClockWatch:
    def __init__(self, clock: Clock, steady: Callable[[], float] | None) -> None:
        """`steady`: seconds of a clock that nobody sets; None: the wall clock is never set."""
        self._clock = clock
        self._steady = steady
        self._ahead = self._now_ahead()

    def set_by(self) -> timedelta:
        """How far ahead the wall clock was set since the last look, negative: back; zero when it was not."""
        ahead = self._now_ahead()
        by = ahead - self._ahead
        if abs(by) < SET_FROM:
            return timedelta()
        self._ahead = ahead
        return by

    def as_looked_at(self) -> datetime:
        """Now, by the wall clock as it was at the last look: a time that moves with all others when the next look finds
        that it was set."""
        return self._clock.now() - (self._now_ahead() - self._ahead)

    def _now_ahead(self) -> timedelta:
        """Of the steady clock; what counts is how it changes."""
        if self._steady is None:
            return timedelta()
        return self._clock.now() - EPOCH - timedelta(seconds=self._steady())
