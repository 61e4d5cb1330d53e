"""When the next connection is tried."""

from __future__ import annotations

from datetime import timedelta

from logmedic.core.backoff import exponential, jittered

BASE, LIMIT = timedelta(seconds=0.1), timedelta(seconds=5)
"""A try costs a system call."""
EARLIEST_S = 1.0
"""New work hastens a try, but not more often than so."""


class Tries:
    """Times are seconds of any clock that only goes on. `seed`: spreads those of many processes."""

    def __init__(self, seed: str) -> None:
        self._seed = seed
        self._failed = 0
        self._last = self._due = float("-inf")

    @property
    def failed_last(self) -> bool:
        return self._failed > 0

    def due_in(self, now: float) -> float:
        """Seconds; 0: now."""
        return max(0.0, self._due - now)

    def failed(self, now: float) -> None:
        """It did not come about, or it ended before it was of any use."""
        self._failed += 1
        wait = jittered(exponential(self._failed, BASE, LIMIT), f"{self._seed}:{self._failed}")
        self._last, self._due = now, now + wait.total_seconds()

    def worked(self) -> None:
        """Something was taken."""
        self._failed = 0
        self._due = float("-inf")

    def hasten(self) -> None:
        """There is something new to send."""
        self._due = min(self._due, self._last + EARLIEST_S)
