"""Positions behind blocks without findings wait for a common commit: reading those lines again is harmless."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from logmedic.model.changeset import Advanced, Observed
from logmedic.model.record import Checkpoint

FLUSH_EVERY = timedelta(seconds=1)
"""How long they wait."""
FLUSH_SHARE = 10
"""Of the time, one part in so many goes into that at most: the positions of 10,000 busy files take half a second."""


class PlainLines:
    def __init__(self) -> None:
        self.due_at: datetime | None = None
        """When they are to be committed; None: nothing waits, or it was just taken."""
        self._behind: dict[tuple[str, str], tuple[Checkpoint | None, int]] = {}
        """By source and origin: the position, and the number of lines."""
        self._took = timedelta()

    def remember(self, observed: Observed, now: datetime) -> None:
        self._behind[observed.source, observed.origin] = (observed.checkpoint, observed.findings.lines)
        self.due_at = self.due_at or now + max(FLUSH_EVERY, FLUSH_SHARE * self._took)

    def joined(self, observed: Observed) -> Observed:
        """With the lines that are remembered of its origin: its position covers them, so they are committed with it."""
        _, lines = self._behind.pop((observed.source, observed.origin), (None, 0))
        return replace(observed, findings=replace(observed.findings, lines=observed.findings.lines + lines))

    def take(self) -> Advanced | None:
        """All of them, which are forgotten here; None when there are none."""
        self.due_at = None
        if not self._behind:
            return None
        positions = tuple(each for each, _ in self._behind.values() if each is not None)
        taken = Advanced(positions, sum(lines for _, lines in self._behind.values()))
        self._behind = {}
        return taken

    def took(self, seconds: float) -> None:
        """So long their last commit took."""
        self._took = timedelta(seconds=seconds)

    def move(self, by: timedelta) -> None:
        """The clock was set."""
        self.due_at = self.due_at and self.due_at + by
