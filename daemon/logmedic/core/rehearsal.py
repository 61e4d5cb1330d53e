"""The daemon's own decisions on a virtual clock: for the tests inside rules, and for backtests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count

from logmedic.core import synthetic
from logmedic.core.decide import decide, due, due_of
from logmedic.core.draft import Draft
from logmedic.model.alert import Alert, AlertStatus, Delivery
from logmedic.model.changeset import (
    Changeset,
    CheckPurpose,
    ChecksFinished,
    Delivered,
    Input,
    Observed,
    ProbesFinished,
    RunChecks,
    RunProbes,
    RunStep,
    Send,
    StepFinished,
    TellNow,
    Tick,
)
from logmedic.model.fix import FixResult, ProbeResult
from logmedic.model.issue import Incident, IncidentStatus
from logmedic.model.match import IncidentStage
from logmedic.model.policy import Policy
from logmedic.model.record import Findings, Match
from logmedic.model.severity import Severity
from logmedic.model.state import EngineState

MAX_TICKS = 100_000
"""Between two inputs: what is due again and again must not hold up the clock."""

_REHEARSED = {
    CheckPurpose.UPTIME: True,
    CheckPurpose.STILL_THERE: False,
    CheckPurpose.EXPECT: True,
    CheckPurpose.GUARD: True,
    CheckPurpose.WORSE: True,
    CheckPurpose.WARRANTED: None,
    CheckPurpose.RECOVERED: None,
}
"""So that each step is tried, and nobody can say whether one that is observed would have been needed."""
WINDOWS_TIDIED = 10_000
"""With more windows than this, those that nothing can come of are dropped, as the daemon does."""


@dataclass(slots=True)
class Rehearsal:
    """`seen` is given every changeset, in order, with its time. Steps and probes that would be run succeed at once:
    what a fix would have changed is not known. Messages arrive at once. `now` only goes forward."""

    policy: Policy
    now: datetime
    seen: Callable[[Changeset, datetime], None]
    state: EngineState = field(default_factory=EngineState)
    _ids: Iterator[int] = field(default_factory=lambda: count(1))
    _due: datetime | None = None
    """Nothing is due before; what is due may have moved to a later time since."""
    _tidy_from: int = WINDOWS_TIDIED

    def match(self, match: Match, at: datetime) -> None:
        """A line that is read at `at`; the clock goes there first."""
        self.wait(at)
        self._give(Observed(match.record.source, match.record.origin, Findings(matches=(match,)), None))
        if len(self.state.windows) > self._tidy_from:
            self._give(Tick())
            self._tidy_from = max(WINDOWS_TIDIED, 2 * len(self.state.windows))

    def incident(self, rule_id: str, stage: IncidentStage, captures: dict[str, str], at: datetime) -> None:
        """An incident of a rule that is not here comes to `stage` at `at`."""
        self.wait(at)
        draft = Draft(self.state, self.policy, self.now, self._mint)
        group = "\x1f".join(captures.values())
        known = draft.open_incident(rule_id, group)
        status = {
            IncidentStage.OPENED: IncidentStatus.OPEN,
            IncidentStage.FAILED: IncidentStatus.FAILED,
            IncidentStage.RESOLVED: IncidentStatus.RESOLVED,
        }[stage]
        incident = Incident(
            known.id if known else self._mint(),
            "",
            rule_id,
            group,
            rule_id,
            Severity.MEDIUM,
            self.now,
            self.now,
            captures,
            status=status,
            resolved_at=self.now if stage is IncidentStage.RESOLVED else None,
        )
        draft.put_incident(incident)
        draft.announce(incident, stage)
        synthetic.carry(draft)
        self._take(draft.changeset())

    def wait(self, until: datetime) -> None:
        """What is due before `until` happens, each at its time."""
        for _ in range(MAX_TICKS):
            if self._due is None or self._due > until:
                break
            at = self._due = due(self.state, self.policy)
            if at is None or at > until:
                break
            before = self.now
            self.now = max(self.now, at)
            if self._give(Tick()).empty and self.now == before:
                break  # it is due, and nothing comes of it
        self.now = max(self.now, until)

    def end(self) -> list[Alert]:
        """Nothing more comes: people are told of what waits for others of its group. Answers what is still to be sent,
        one after the other."""
        self._give(TellNow())
        self.wait(self.now)
        return [each for each in self.state.alerts.values() if each.status is AlertStatus.PENDING]

    def _give(self, given: Input) -> Changeset:
        changeset = decide(self.state, self.policy, given, self.now, self._mint)
        self._take(changeset)
        return changeset

    def _take(self, changeset: Changeset) -> None:
        self.state.apply(changeset)
        self._due = min(filter(None, (self._due, due_of(changeset, self.policy, self.state))), default=None)
        self.seen(changeset, self.now)
        self.state.forget_old(self.now)
        for intent in changeset.intents:
            match intent:
                case RunStep(attempt):
                    self._give(StepFinished(attempt.id, FixResult(0, 0.0, detail="rehearsed")))
                case RunChecks(incident_id, checks):
                    results = tuple((purpose, ProbeResult(_REHEARSED[purpose], "rehearsed")) for purpose, _ in checks)
                    self._give(ChecksFinished(incident_id, results))
                case RunProbes(attempt_id):
                    self._give(ProbesFinished(attempt_id, ProbeResult(True, "rehearsed")))
                case Send(alert):
                    self._give(Delivered(alert.id, Delivery(True)))

    def _mint(self) -> str:
        return f"{next(self._ids):012d}"
