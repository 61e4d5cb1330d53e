"""What was refused: counted by reason, and told of as a gap, folded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta

from logmedic.model.gap import Gap, SourceEventKind

FOLD_S = 30.0
"""Refusals of so long are told together."""
LASTS = timedelta(seconds=60)
"""So long after the last one the socket's problem says so."""
MOST_USERS = 256
OTHERS = "other users"
RATE, BUSY, CROWD = "rate", "busy", "crowd"
"""CROWD: a connection, and no report, was one too many."""
WHAT = {
    RATE: ("report", "refused: more than the limit a second"),
    BUSY: ("report", "refused: too much at once"),
    CROWD: ("connection", "turned away: too many at once"),
}


class Refusals:
    """What the form of a report was wrong in is its sender's affair, and only counted; what was refused for the
    daemon's sake is a loss, and told (I5)."""

    def __init__(self) -> None:
        self.by_reason: Counter[str] = Counter()
        self._folded: Counter[tuple[str, str]] = Counter()
        """By user and reason, since the last gaps."""
        self._last: dict[tuple[str, str], datetime] = {}

    def note(self, reason: str, user: str, now: datetime) -> None:
        """`reason`: of WHAT, or form or size."""
        self.by_reason[reason] += 1
        if reason not in WHAT:
            return
        key = (user, reason)
        if key not in self._last and len(self._last) >= MOST_USERS:
            self._last = {each: at for each, at in self._last.items() if now - at < LASTS}
            key = key if len(self._last) < MOST_USERS else (OTHERS, reason)
        self._last[key] = now
        self._folded[key] += 1

    @property
    def untold(self) -> bool:
        return bool(self._folded)

    def gaps(self) -> tuple[Gap, ...]:
        """Of what was refused since the last call."""
        folded, self._folded = self._folded, Counter()
        return tuple(Gap(SourceEventKind.MISSED, 0, text) for text in self._told(folded))

    def problem(self, now: datetime) -> str:
        """What is refused at present, or empty."""
        lasting = [key for key, at in self._last.items() if now - at < LASTS]
        if not lasting:
            return ""
        user, reason = lasting[-1]
        what, why = WHAT[reason]
        more = f" (and {len(lasting) - 1} more such)" if len(lasting) > 1 else ""
        return f"{what}s of {user} are {why}{more}"

    def _told(self, folded: Counter[tuple[str, str]]) -> Iterator[str]:
        for (user, reason), times in folded.items():
            what, why = WHAT[reason]
            yield f"{times} {what}{'' if times == 1 else 's'} of {user} {why}"
