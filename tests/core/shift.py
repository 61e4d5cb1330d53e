"""A shift on call: decisions on a virtual clock, receivers that work or not, and a log of every message."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from heapq import heappop, heappush
from itertools import count

from logmedic.core import letters
from logmedic.core.decide import decide, due
from logmedic.model.alert import Alert, AlertStatus, Delivery
from logmedic.model.changeset import (
    Changeset,
    ChecksFinished,
    Delivered,
    Input,
    ProbesFinished,
    RunChecks,
    RunProbes,
    RunStep,
    Send,
    StepFinished,
    Tick,
)
from logmedic.model.fix import FixResult, ProbeResult
from logmedic.model.policy import Policy
from logmedic.model.state import EngineState

TAKES = timedelta(seconds=1)
"""A message, a probe."""
MAX_TICKS = 10_000
"""At one instant: what is due again and again would hold up the clock for ever."""


@dataclass(frozen=True, slots=True)
class Sent:
    """One try to send one message."""

    at: datetime
    alert: Alert
    arrived: bool

    def __str__(self) -> str:
        kind = letters.unpack(self.alert.content).kind
        arrived = "" if self.arrived else "  NOT DELIVERED"
        return f"{self.at:%H:%M:%S} {self.alert.receiver:<6} {kind:<10} {self.alert.title}{arrived}"


@dataclass
class Shift:
    """`reachable`: whether a receiver takes messages at a time; `mends`: whether the probes of a rule pass after its
    step, which takes `step_takes`."""

    policy: Policy
    now: datetime
    reachable: Callable[[str, datetime], Delivery] = lambda receiver, at: Delivery(True)
    mends: Callable[[str], bool | None] = lambda rule_id: True
    step_takes: timedelta = timedelta(seconds=20)
    state: EngineState = field(default_factory=EngineState)
    sent: list[Sent] = field(default_factory=list)
    all: list[Changeset] = field(default_factory=list)
    alerts: dict[str, Alert] = field(default_factory=dict)
    """Every one there was, in its last state."""
    _agenda: list[tuple[datetime, int, Input | Callable[[Shift], Input | None]]] = field(default_factory=list)
    _order: count[int] = field(default_factory=count)
    _ids: count[int] = field(default_factory=lambda: count(1))

    def at(self, when: datetime, given: Input | Callable[[Shift], Input | None]) -> None:
        """An input, or what makes one from what is known by then."""
        heappush(self._agenda, (when, next(self._order), given))

    def run(self, until: datetime) -> None:
        """Everything that is to happen by then, each at its time."""
        ticks = 0
        while True:
            planned = self._agenda[0][0] if self._agenda else None
            wanted = due(self.state, self.policy)
            times = [at for at in (planned, wanted) if at is not None and at <= until]
            if not times:
                break
            at = max(self.now, min(times))
            ticks = ticks + 1 if at == self.now else 0
            assert ticks < MAX_TICKS, "something is due again and again"
            self.now = at
            if planned is not None and planned <= self.now:
                given = heappop(self._agenda)[2]
                made = given(self) if callable(given) else given
                if made is not None:
                    self.give(made)
            else:
                self.give(Tick())
        self.now = until

    def give(self, given: Input) -> Changeset:
        changeset = decide(self.state, self.policy, given, self.now, lambda: f"{next(self._ids):08d}")
        self.state.apply(changeset)
        self.state.forget_old(self.now)
        self.all.append(changeset)
        self.alerts.update((each.id, each) for each in changeset.alerts)
        for intent in changeset.intents:
            self._carry_out(intent)
        return changeset

    def _carry_out(self, intent: object) -> None:
        match intent:
            case Send(alert):
                delivery = self.reachable(alert.receiver, self.now)
                self.sent.append(Sent(self.now, alert, delivery.delivered))
                self.at(self.now + TAKES, Delivered(alert.id, delivery))
            case RunStep(attempt):
                result = FixResult(0, self.step_takes.total_seconds())
                self.at(self.now + self.step_takes, StepFinished(attempt.id, result))
            case RunProbes(attempt_id):
                attempt = self.state.attempts[attempt_id]
                passed = self.mends(attempt.rule_id)
                said = {True: "200", False: "503", None: "cannot be asked"}[passed]
                self.at(self.now + TAKES, ProbesFinished(attempt_id, ProbeResult(passed, said)))
            case RunChecks(incident_id, checks, after):
                results = tuple((purpose, ProbeResult(None, "not asked")) for purpose, _ in checks)
                self.at(self.now + after + TAKES, ChecksFinished(incident_id, results))

    @property
    def arrived(self) -> list[Sent]:
        return [each for each in self.sent if each.arrived]

    def titles(self, receiver: str = "") -> list[str]:
        """Of what arrived, in order."""
        return [each.alert.title for each in self.arrived if receiver in ("", each.alert.receiver)]

    def tally(self, kind: str) -> int:
        return sum(each.n for changeset in self.all for each in changeset.tallies if each.kind == kind)

    def events(self, kind: str) -> list[str]:
        """Texts of the timelines' entries of that kind."""
        return [each.text for changeset in self.all for each in changeset.events if each.kind == kind]

    def lost(self) -> list[Alert]:
        """What ended neither in a message that arrived, nor in the list of dead letters."""
        over = (AlertStatus.SENT, AlertStatus.FOLDED, AlertStatus.DEAD)
        return [each for each in self.alerts.values() if each.status not in over]
