"""Running sums of what was committed: figures that would be heavy questions, were they asked of the store each time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from logmedic.model.alert import UNDELIVERED, Alert
from logmedic.model.changeset import Changeset
from logmedic.model.fix import AttemptStatus, FixAttempt
from logmedic.model.issue import Incident, PatternType, Resolution
from logmedic.model.metric import Buckets, Names
from logmedic.model.state import EngineState

RULES, RECEIVERS = 200, 50
"""By name at most, then `other` (I6)."""
MINUTE, HOUR = 60.0, 3600.0
FIX_S = (0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE)
RECOVERY_S = (
    *(5.0, 15.0, 30.0, MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 30 * MINUTE),
    *(HOUR, 4 * HOUR),
)
DELIVERY_S = (0.5, 1.0, 2.5, 5.0, 10.0, 30.0, MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR)
"""Upper bounds of histograms, in seconds."""


@dataclass(slots=True)
class Sums:
    """Grows with each changeset, and never shrinks. `tallies`: by kind, ever. The rest is since the start: `lessons` by
    pattern type (without those that are written again); incidents `opened` by severity; `attempts` that are over by
    rule and verdict, `alerts` that are done with by receiver and status. Spreads, in seconds: how long steps took, from
    opened to fixed, from made to sent. `rules`, `receivers`: the names that have a place."""

    tallies: Counter[str] = field(default_factory=Counter)
    lessons: Counter[PatternType] = field(default_factory=Counter)
    opened: Counter[str] = field(default_factory=Counter)
    attempts: Counter[tuple[str, str]] = field(default_factory=Counter)
    alerts: Counter[tuple[str, str]] = field(default_factory=Counter)
    fix_s: Buckets = field(default_factory=lambda: Buckets(FIX_S))
    recovery_s: Buckets = field(default_factory=lambda: Buckets(RECOVERY_S))
    delivery_s: Buckets = field(default_factory=lambda: Buckets(DELIVERY_S))
    rules: Names = field(default_factory=lambda: Names(RULES))
    receivers: Names = field(default_factory=lambda: Names(RECEIVERS))

    @classmethod
    def since(cls, counts: Mapping[str, int]) -> Sums:
        """`counts`: what is stored of each kind of tally."""
        return cls(tallies=Counter(counts))

    def take(self, changeset: Changeset, before: EngineState) -> None:
        """What was committed, and the state that it has not changed yet."""
        for tally in changeset.tallies:
            self.tallies[tally.kind] += tally.n
        for lesson in changeset.learnings:
            self.lessons[lesson.pattern_type] += lesson.pattern_type is not PatternType.ERROR_PATTERN
        for incident in _told_of(changeset, "opened"):
            self.opened[incident.severity.value] += 1
        for incident in _told_of(changeset, "resolved"):
            if incident.resolution is Resolution.FIXED and incident.resolved_at is not None:
                self.recovery_s.take((incident.resolved_at - incident.opened_at).total_seconds())
        for attempt in changeset.attempts:
            self._attempt(attempt, before.attempts.get(attempt.id))
        for alert in changeset.alerts:
            self._alert(alert, before)

    def _attempt(self, attempt: FixAttempt, known: FixAttempt | None) -> None:
        was_over = known is not None and known.status is AttemptStatus.FINISHED
        if was_over or attempt.status is not AttemptStatus.FINISHED:
            return
        verdict = attempt.verdict.value if attempt.verdict is not None else attempt.kind.value
        self.attempts[self.rules.of(attempt.rule_id), verdict] += 1
        if attempt.duration_s is not None:
            self.fix_s.take(attempt.duration_s)

    def _alert(self, alert: Alert, before: EngineState) -> None:
        known = before.alerts.get(alert.id)
        is_done_now = alert.status not in UNDELIVERED and (known is not None or alert.id not in before.dead)
        if not is_done_now:
            return
        self.alerts[self.receivers.of(alert.receiver), alert.status.value] += 1
        if alert.sent_at is not None:
            self.delivery_s.take((alert.sent_at - alert.created_at).total_seconds())


def _told_of(changeset: Changeset, kind: str) -> Iterator[Incident]:
    """Incidents of which events of that kind are told."""
    if not changeset.events:
        return
    told = {event.incident_id for event in changeset.events if event.kind == kind}
    yield from (incident for incident in changeset.incidents if incident.id in told)
