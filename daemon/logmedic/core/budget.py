"""What patterns cost, and which rules are not heard for an hour because they cost too much (F43)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from threading import Lock

QUARANTINE_AFTER = 5
"""Times that a rule ran into the limit of one record."""
SLOW_S = 0.005
"""A record that takes a rule so long is slow: a thousand times the usual."""
SLOW_S_PER_CHARACTER = 50e-9
"""More for a long record: ten times what a pattern needs that goes through it once."""
ALLOWED_S = 2.0
"""Slow records may take so much time together, beside the share below."""
SHARE = 0.01
"""Of a core: what slow records may take for good."""
RETRY_S = 3600.0
"""Then a quarantined rule is heard again: nobody silences it for good with a few odd lines."""

Timer = Callable[[], float]
"""Seconds of a clock that only goes forward."""


def no_time() -> float:
    return 0.0


def is_slow(spent_s: float, length: int) -> bool:
    """`length`: of the record, in characters."""
    return spent_s >= SLOW_S + length * SLOW_S_PER_CHARACTER


@dataclass(slots=True)
class Use:
    """Of one rule since it was loaded: records it was asked of, those that matched, seconds that they took, times that
    it ran into the limit; how many `strikes` of these since it was heard again; of slow records, what is over the
    allowed share, as of `slow_at`; and when it was quarantined last. Times are the timer's."""

    asked: int = 0
    matched: int = 0
    spent_s: float = 0.0
    overruns: int = 0
    strikes: int = 0
    slow_s: float = 0.0
    slow_at: float = 0.0
    quarantined_at: float = 0.0

    def take(self, spent_s: float, *, matched: bool) -> None:
        """One more record, which took no time to speak of."""
        self.asked += 1
        self.spent_s += spent_s
        if matched:
            self.matched += 1


class Budget:
    """May be charged from any thread. `quarantined`: why, by rule id; swapped as a whole, never changed."""

    def __init__(self, rule_ids: Iterable[str], timer: Timer = no_time) -> None:
        self.timer = timer
        self.quarantined: dict[str, str] = {}
        self.uses = {rule_id: Use() for rule_id in rule_ids}
        self._lock = Lock()  # blocks are searched in several threads

    def carry_over(self, before: Budget, rule_ids: Iterable[str]) -> None:
        """What was counted of rules that are still what they were."""
        kept = [rule_id for rule_id in rule_ids if rule_id in before.uses]
        self.uses.update((rule_id, before.uses[rule_id]) for rule_id in kept)
        reasons = before.quarantined
        self.quarantined = {rule_id: reasons[rule_id] for rule_id in kept if rule_id in reasons}

    def charge(self, rule_id: str, spent_s: float, length: int = 0, *, matched: bool, timed_out: bool) -> bool:
        """Whether the rule is quarantined by this: at once, not at the end of a block, which may hold thousands of such
        records. `spent_s`: of work, without waiting for a processor; `length`: of the record, in characters."""
        use = self.uses[rule_id]
        use.asked += 1
        use.matched += matched
        use.spent_s += spent_s
        if not timed_out and not is_slow(spent_s, length):
            return False
        with self._lock:
            now = self.timer()
            why = _overrun(use, timed_out) or _slow(use, spent_s, now)
            if not why or rule_id in self.quarantined:
                return False
            use.quarantined_at = now
            self.quarantined = {**self.quarantined, rule_id: why}
            return True

    def set_free(self) -> bool:
        """Whether rules are heard again by this: those that were not for so long as RETRY_S. They start afresh."""
        now = self.timer()
        with self._lock:
            free = [each for each in self.quarantined if now - self.uses[each].quarantined_at >= RETRY_S]
            for rule_id in free:
                self.uses[rule_id].strikes = 0
                self.uses[rule_id].slow_s = 0.0
            if free:
                self.quarantined = {each: why for each, why in self.quarantined.items() if each not in free}
        return bool(free)


def _overrun(use: Use, timed_out: bool) -> str:
    use.overruns += timed_out
    use.strikes += timed_out
    return f"{use.strikes} records took longer than they may" if use.strikes >= QUARANTINE_AFTER else ""


def _slow(use: Use, spent_s: float, now: float) -> str:
    use.slow_s = max(0.0, use.slow_s - SHARE * (now - use.slow_at)) + spent_s
    use.slow_at = now
    if use.slow_s <= ALLOWED_S:
        return ""
    return f"records that take it more than {SLOW_S * 1000:g} ms took {use.slow_s:.1f} s in all"
