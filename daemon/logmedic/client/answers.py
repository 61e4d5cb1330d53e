"""What the daemon says becomes of a report, and the wait for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from logmedic.client import guarded

MAX_WAIT_S = 600.0
"""The daemon follows no question for longer."""
CONNECT_S = 0.25
"""So long a first connection may take to come about before the daemon counts as away."""


class State(StrEnum):
    """AWAY: no daemon says anything. UNKNOWN: no rule knows the error; it is learned. KNOWN: a rule does, and has no
    fix, or is not triggered yet. HELD: its fix does not run now. FIXING: it is under way. FIXED: its checks passed.
    NOT_FIXED: it did not work. UNPROVEN: nobody can say what came of it. LATE: the wait is over."""

    AWAY = "away"
    UNKNOWN = "unknown"
    KNOWN = "known"
    HELD = "held"
    FIXING = "fixing"
    FIXED = "fixed"
    NOT_FIXED = "not_fixed"
    UNPROVEN = "unproven"
    LATE = "late"


@dataclass(frozen=True, slots=True)
class Answer:
    """`issue`, `incident`, `rule`: ids, as far as there are any. `hold`: why a fix does not run. `detail`: words for
    people."""

    state: State
    issue: str = ""
    incident: str = ""
    rule: str = ""
    hold: str = ""
    detail: str = ""
    report_id: str = ""

    @property
    def fixed(self) -> bool:
        """A fix ran, and the checks after it passed."""
        return self.state is State.FIXED

    @property
    def known(self) -> bool:
        """A rule knows the error."""
        return bool(self.rule) or self.state not in (State.AWAY, State.UNKNOWN, State.LATE)


class Question:
    """One report whose sender waits. The client's thread tells it, the asker looks at it. Times are seconds of
    `time.monotonic`. Within `known_within` the daemon has to say whether it knows the error; then it has
    until `wait` is over."""

    __slots__ = ("_began", "_final", "_known_within", "_latest", "_left", "_wait", "report_id", "wake")

    def __init__(self, began: float, wait: float, known_within: float) -> None:
        self._began = began
        self._wait = min(wait, MAX_WAIT_S) if wait > 0 else 0.0
        self._known_within = min(known_within, self._wait) if known_within > 0 else 0.0
        self._latest: Answer | None = None
        self._final = False
        self._left = False
        self.report_id = ""
        self.wake: Callable[[], object] = _nobody

    def told(self, answer: Answer, final: bool) -> None:
        """Nothing after what is final counts. Wakes the asker."""
        if not self._final:
            self._latest, self._final = answer, final
            guarded.silently(self.wake)  # the loop of the asker may have ended

    def away(self, detail: str) -> None:
        """Nobody will say more; what is known of the incident stays."""
        known = self._latest or Answer(State.AWAY, report_id=self.report_id)
        self.told(replace(known, state=State.AWAY, detail=detail), final=True)

    def leave(self) -> None:
        """The asker does not wait any more."""
        self._left = True

    def remaining(self, now: float) -> float:
        """Seconds that somebody waits for an answer yet; 0: nobody does."""
        return 0.0 if self._left or self._final else max(0.0, self._began + self._wait - now)

    def look(self, now: float, connected: bool) -> Answer | float:
        """The answer, or in how many seconds (> 0) to look again at the latest."""
        latest = self._latest
        if self._final and latest is not None:
            return latest
        if latest is not None:
            left = self._began + self._wait - now
            return left if left > 0 else replace(latest, state=State.LATE)
        due = self._known_within if connected else min(self._known_within, CONNECT_S)
        left = self._began + due - now
        if left > 0:
            return left
        detail = "the daemon says nothing" if connected else "there is no connection yet"
        return Answer(State.AWAY, detail=detail, report_id=self.report_id)


def _nobody() -> None:
    """Before the asker waits."""
