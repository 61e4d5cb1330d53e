"""What was not delivered: counted, and said in the application's log once a minute."""

from __future__ import annotations

from logmedic.client import guarded

EVERY_S = 60.0


class Losses:
    """`dropped` is written by all threads, and about right. `target`: where reports should have gone."""

    def __init__(self, target: str) -> None:
        self._target = target
        self._said = 0
        self._said_at = float("-inf")
        self.dropped = 0
        self.refused = 0
        self.why = ""

    def drop(self, why: str) -> None:
        self.dropped += 1
        self.why = why

    def refuse(self, why: str) -> None:
        self.refused += 1
        self.why = why

    def due_in(self, now: float) -> float:
        """Seconds; infinite where there is nothing to say."""
        return max(0.0, self._said_at + EVERY_S - now) if self._untold else float("inf")

    def say(self, now: float) -> None:
        """A warning of the logger `logmedic.client`, when it is time. What the log does with it may take its time."""
        if self.due_in(now) <= 0:
            self._said_at = now
            self.say_now()

    def say_now(self) -> None:
        """The last word."""
        count = self._untold
        if count <= 0:
            return
        self._said += count
        import logging  # only who loses something needs it

        reports = "report was" if count == 1 else "reports were"
        words = f"%d {reports} not delivered to the daemon at %s: %s"
        with guarded.speaking():
            guarded.silently(lambda: logging.getLogger("logmedic.client").warning(words, count, self._target, self.why))

    @property
    def _untold(self) -> int:
        return self.dropped + self.refused - self._said
