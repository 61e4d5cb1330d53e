"""Short ways to the values that tests are about."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from itertools import count

from logmedic.core.clockset import set_ahead
from logmedic.core.decide import decide
from logmedic.core.mining.masks import shape_of
from logmedic.core.reports import entry_of
from logmedic.model.alert import Alert, AlertPlan, AlertStatus, Delivery, Route
from logmedic.model.changeset import (
    Changeset,
    ClockSet,
    Delivered,
    Input,
    Intent,
    Observed,
    ProbesFinished,
    RunStep,
    StepFinished,
    Tick,
)
from logmedic.model.circuit import BreakerSpec
from logmedic.model.fix import Arming, Breaker, FixAttempt, FixResult, ProbeResult
from logmedic.model.issue import Incident
from logmedic.model.match import MatchSpec
from logmedic.model.policy import LearningPolicy, Policy
from logmedic.model.probe import HttpProbe
from logmedic.model.record import Checkpoint, Findings, Match, Record, UnknownError
from logmedic.model.report import Report, Sender
from logmedic.model.rule import Fix, Limits, Mode, Rule, Verify
from logmedic.model.severity import Severity
from logmedic.model.shape import text_of
from logmedic.model.state import EngineState
from logmedic.model.step import Command, Retry, Step
from logmedic.model.when import Threshold, When

START = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
PROBE = HttpProbe("http://127.0.0.1:1/healthz")
STEP = Step("restart it", Command(("/usr/bin/true",)), retry=Retry(attempts=1))
FIX = Fix(
    Mode.AUTO,
    (STEP,),
    Verify((PROBE,)),
    Limits(cooldown=timedelta(seconds=10)),
    BreakerSpec(failures=2, open_for=timedelta(minutes=30)),
)
RULE = Rule("web-down", "web is down", MatchSpec(("down",)), Severity.MEDIUM, fix=FIX)
OK = FixResult(0, 0.1, sandbox="bubblewrap")
PASSED, FAILED = ProbeResult(True, "well"), ProbeResult(False, "ill")
AT_ONCE = Route(
    "oncall",
    ("chat",),
    ("mail",),
    group_by=("incident",),
    group_wait=timedelta(0),
    group_interval=timedelta(0),
    repeat_every=None,
)
ONCALL = AlertPlan({"oncall": AT_ONCE}, "oncall")
"""Each incident for itself, and at once: what grouping does is tested where it is decided."""


def with_fix(rule: Rule = RULE, **changes: object) -> Rule:
    return replace(rule, fix=replace(FIX, **changes))  # type: ignore[arg-type]


def policy(*rules: Rule, **changes: object) -> Policy:
    """Armed, auto, one route."""
    made = Policy(
        mode=Mode.AUTO,
        started_at=START - timedelta(hours=1),
        alerts=ONCALL,
        hostname="db1",
    ).with_rules(rules or (RULE,), Arming(True, "bubblewrap"))
    return replace(made, **changes)  # type: ignore[arg-type]


def record(text: str = "down", at: datetime = START, origin: str = "a.log", offset: int = 0) -> Record:
    return Record("web", origin, text, offset, offset + len(text), at)


def match(rule: Rule = RULE, at: datetime = START, group: str = "", **captures: str) -> Match:
    return Match(rule.id, record(at=at), captures, group)


def unknown(
    at: datetime = START,
    text: str = "ERROR boom 1",
    *,
    trace: bool = False,
    critical: bool = False,
    fingerprint: str = "f" * 16,
) -> UnknownError:
    shape = shape_of(text)
    return UnknownError(record(text, at), "shop", text_of(shape), fingerprint, trace, critical, shape=shape)


SENDER = Sender(1000, 1000, 4711, "shop")


def report(report_id: str = "r1", **changes: object) -> Report:
    """Of the component `checkout`, for which its sender waits 10 s to hear more."""
    made = Report(
        report_id,
        "checkout",
        "TimeoutError",
        "the gateway did not answer",
        SENDER,
        action="charge",
        request_id=f"req-{report_id}",
        wait=timedelta(seconds=10),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def report_record(told: Report, at: datetime = START) -> Record:
    """As the source of reports makes it."""
    text, entry = entry_of(told, 0, "db1", at)
    return Record("reports", "reports", text.decode().rstrip("\n"), 0, len(text), at, entry.fields, told)


def reported(told: Report, at: datetime = START, rule: Rule = RULE, group: str = "") -> Match:
    """A report that `rule` matches."""
    return Match(rule.id, report_record(told, at), {}, group)


def checkpoint(offset: int = 1, origin: str = "a.log") -> Checkpoint:
    return Checkpoint(origin, "web", offset, START)


def observed(*found: Match | UnknownError, at: Checkpoint | None = None) -> Observed:
    matches = tuple(each for each in found if isinstance(each, Match))
    errors = tuple(each for each in found if isinstance(each, UnknownError))
    return Observed("web", "a.log", Findings(matches, errors, lines=len(found)), at)


def breaker_of(state: EngineState, rule_id: str = RULE.id) -> Breaker:
    """The only one of the rule."""
    (found,) = (each for each in state.breakers.values() if each.rule_id == rule_id)
    return found


_LISTS = [each for each in fields(Changeset) if each.name != "precursors"]


class Bench:
    """An engine state on a virtual clock, with what was decided last. The store and the runners are left out: what is
    under test are decisions."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.state = EngineState()
        self.now = START
        self.all: list[Changeset] = []
        self.new: list[Alert] = []
        """What the last `give` put into the outbox."""
        ids = count(1)
        self.mint: Callable[[], str] = lambda: f"{next(ids):08d}"

    def give(self, given: Input, after: float = 0.0) -> Changeset:
        """Decide `given`, `after` seconds later, and apply it; with the Tick for the messages that are due at once."""
        self.now += timedelta(seconds=after)
        known = {each.id for each in self.messages}
        changeset = self._given(given)
        self.new = [each for each in self.messages if each.id not in known]
        return changeset

    def _given(self, given: Input) -> Changeset:
        changeset = self._decide(given)
        if any(each.due_at is not None and each.due_at <= self.now for each in changeset.groups if not each.done):
            ticked = self._decide(Tick())
            return replace(
                ticked, **{each.name: getattr(changeset, each.name) + getattr(ticked, each.name) for each in _LISTS}
            )
        return changeset

    def _decide(self, given: Input) -> Changeset:
        changeset = decide(self.state, self.policy, given, self.now, self.mint)
        self.state.apply(changeset)
        self.all.append(changeset)
        return changeset

    def set_clock(self, by: float) -> None:
        """By so many seconds, as the engine notices it: before anything else is decided."""
        set_by = timedelta(seconds=by)
        self.now += set_by
        self.state.set_since_start += set_by
        self.state.set_ahead = set_ahead(self.state.set_ahead, self.now, set_by)
        self.give(ClockSet(set_by))

    def deliver(self) -> None:
        """Everything that was handed to a sender arrives."""
        for alert in [each for each in self.state.alerts.values() if each.status is AlertStatus.SENDING]:
            self.give(Delivered(alert.id, Delivery(True)))

    def matched(self, after: float = 0.0, rule: Rule = RULE, group: str = "") -> Changeset:
        return self.give(observed(match(rule, self.now + timedelta(seconds=after), group)), after)

    def finish(self, result: FixResult = OK, after: float = 0.0) -> Changeset:
        """The newest step ends so."""
        return self.give(StepFinished(self.attempt_id, result), after)

    def probed(self, result: ProbeResult = PASSED) -> Changeset:
        """The probes of the newest step say so."""
        return self.give(ProbesFinished(self.attempt_id, result))

    def fixed(self, after: float = 0.0) -> None:
        self.finish(after=after)
        self.probed()

    @property
    def attempts(self) -> list[FixAttempt]:
        """Those of the steps that began, in order."""
        return [each.attempt for each in self.intents if isinstance(each, RunStep)]

    @property
    def attempt_id(self) -> str:
        """Of the newest step."""
        return self.attempts[-1].id

    @property
    def ran(self) -> list[str]:
        """The names of the steps that began, in order."""
        return [each.step_name for each in self.attempts]

    @property
    def intents(self) -> list[Intent]:
        return [intent for changeset in self.all for intent in changeset.intents]

    @property
    def messages(self) -> list[Alert]:
        """As they came into the outbox, in order."""
        first: dict[str, Alert] = {}
        for changeset in self.all:
            for each in changeset.alerts:
                first.setdefault(each.id, each)
        return list(first.values())

    def incident(self) -> Incident:
        """The newest version of the newest incident."""
        return [each for changeset in self.all for each in changeset.incidents][-1]

    def tally(self, kind: str) -> int:
        return sum(each.n for changeset in self.all for each in changeset.tallies if each.kind == kind)


def threshold(count: int, seconds: float = 60) -> When:
    return When(Threshold(count, timedelta(seconds=seconds)))


def learning(**changes: object) -> LearningPolicy:
    return replace(LearningPolicy(), **changes)  # type: ignore[arg-type]
