"""Positions behind blocks without findings wait for a common commit: reading those lines again is harmless."""

from __future__ import annotations

from dataclasses import replace

from logmedic.model.changeset import Advanced, Observed
from logmedic.model.record import Checkpoint

FLUSH_EVERY_S = 1.0
"""How long they wait."""
FLUSH_SHARE = 10
"""Of the time, one part in so many goes into that at most: the positions of 10,000 busy files take half a second."""


class PlainLines:
    def __init__(self) -> None:
        self.due_at: float | None = None
        """When they are to be committed, in seconds of the loop: where the wall clock was set, and nobody had looked at
        it yet, they would wait for as long as it was set by. None: nothing waits, or it was just taken."""
        self._behind: dict[tuple[str, str], tuple[Checkpoint | None, int]] = {}
        """By source and origin: the position, and the number of lines."""
        self._took_s = 0.0

    def remember(self, observed: Observed, now: float) -> None:
        self._behind[observed.source, observed.origin] = (observed.checkpoint, observed.findings.lines)
        if self.due_at is None:
            self.due_at = now + max(FLUSH_EVERY_S, FLUSH_SHARE * self._took_s)

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
        self._took_s = seconds
