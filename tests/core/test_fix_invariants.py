"""Whatever happens in whatever order, healing stays bounded: random histories of two rules that share a target."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import NamedTuple

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from builders import FIX, RULE, STEP, Bench, match, observed, policy
from logmedic.core.targets import fingerprint
from logmedic.core.trust import level_of
from logmedic.model.changeset import (
    Approve,
    Changeset,
    CheckPurpose,
    ChecksFinished,
    Input,
    PauseFixes,
    ProbesFinished,
    Reloaded,
    ResetBreaker,
    ResumeFixes,
    RunChecks,
    RunProbes,
    RunStep,
    SetTrust,
    Started,
    StepFinished,
    Tick,
)
from logmedic.model.circuit import BreakerSpec, BreakerStatus
from logmedic.model.fix import AttemptStatus, FixResult, ProbeResult
from logmedic.model.issue import UNDER_WAY, HoldReason, IncidentStatus
from logmedic.model.policy import Policy
from logmedic.model.probe import DiskProbe, TcpProbe
from logmedic.model.rule import Limits, Mode, Rule, Verify
from logmedic.model.step import Command, Retry, Step
from logmedic.model.trust import PauseOrigin

PER_HOUR, HOST_TEN_MINUTES, RUNNING = 4, 3, 1
OPEN_FOR = timedelta(minutes=5)
LIMITS = Limits(cooldown=timedelta(seconds=20), max_per_hour=PER_HOUR, one_at_a_time="app.service")
STEPS = (
    replace(STEP, retry=Retry(attempts=2), expect=(DiskProbe("/", percent=1),)),
    replace(STEP, name="second", rollback=Step("undo it", Command(("/usr/bin/undo",)))),
)
BREAKER = BreakerSpec(failures=2, open_for=OPEN_FOR, successes=2)
AUTO = replace(RULE, fix=replace(FIX, steps=STEPS, limits=LIMITS, breaker=BREAKER, guard=(TcpProbe("127.0.0.1:1"),)))
ASKING = replace(AUTO, id="db-down", fix=replace(AUTO.fix, mode=Mode.APPROVE))  # type: ignore[type-var]
SHORTER = replace(AUTO, fix=replace(AUTO.fix, steps=STEPS[:1]))  # type: ignore[type-var]
OTHERWISE = replace(AUTO, fix=replace(AUTO.fix, steps=STEPS[::-1], verify=Verify((), timedelta(seconds=30))))  # type: ignore[type-var]
WATCHING = replace(AUTO, fix=replace(AUTO.fix, mode=Mode.OBSERVE))  # type: ignore[type-var]
FILES = ((AUTO, ASKING), (SHORTER, ASKING), (OTHERWISE, ASKING), (WATCHING, ASKING), (ASKING,), (AUTO,))
"""What rule files may say."""
RESULTS = st.sampled_from(
    [
        FixResult(0, 0.1),
        FixResult(1, 0.1),
        FixResult(None, 1.0, detail="killed after 1 s"),
        FixResult(None, 0.0, detail="no program", started=False),
    ]
)
SAID = st.sampled_from([True, False, None])


class Asked(NamedTuple):
    """What a runner or prober was given: of an attempt (or of an incident, where it is checks), and its answer."""

    of: str
    kind: type
    answer: Callable[[FixResult, bool | None], Input]


_RUNNERS = {IncidentStatus.FIXING: RunStep, IncidentStatus.VERIFYING: RunProbes, IncidentStatus.CHECKING: RunChecks}
"""Who is asked in the meantime."""


class Healing(RuleBasedStateMachine):
    """Runners answer late, in any order, or never, because the daemon was killed. Files change at any time."""

    def __init__(self) -> None:
        super().__init__()
        self.bench = Bench(self.under(AUTO, ASKING))
        self.waiting: list[Asked] = []
        self.approvals = 0
        """Given, and not used yet."""

    @staticmethod
    def under(*rules: Rule) -> Policy:
        return policy(*rules, host_max_per_ten_minutes=HOST_TEN_MINUTES, host_max_per_hour=8, max_running=RUNNING)

    def give(self, given: Input, after: float = 0.0) -> None:
        at = self.bench.now + timedelta(seconds=after)
        paused = any(each.on and (each.until is None or at < each.until) for each in self.bench.state.pauses.values())
        breakers = dict(self.bench.state.breakers)
        changeset = self.bench.give(given, after)
        assert not (paused and not isinstance(given, ResumeFixes) and self.steps(changeset)), "a step while paused"
        for step in self.steps(changeset):
            assert step.attempt in changeset.attempts, "a step whose attempt is not committed with it"
            self.allowed(step, breakers)
            self.wanted(step)
        for intent in changeset.intents:
            self.take(intent)

    @staticmethod
    def steps(changeset: Changeset) -> list[RunStep]:
        return [each for each in changeset.intents if isinstance(each, RunStep)]

    def allowed(self, step: RunStep, before: dict[tuple[str, str, str], object]) -> None:
        was = before.get((step.attempt.rule_id, step.attempt.fix, step.attempt.target))
        status = getattr(was, "status", BreakerStatus.CLOSED)
        until = getattr(was, "open_until", None)
        assert status is not BreakerStatus.OPEN or (until is not None and until <= self.bench.now), "an open breaker"

    def wanted(self, step: RunStep) -> None:
        """By the files and the trust of now, and by a person where one has to be asked."""
        attempt = step.attempt
        rule = self.bench.policy.rules[attempt.rule_id]
        assert rule.fix is not None
        assert attempt.fix == fingerprint(rule.fix), "a step of a fix that is not in force"
        level = level_of(rule, self.bench.state.trust.get(rule.id), self.bench.policy)
        assert level.mode is not Mode.OBSERVE, "a step of a fix that is only observed"
        if attempt.first and level.mode is Mode.APPROVE:
            self.approvals -= 1
            assert self.approvals >= 0, "an execution that nobody approved"

    def take(self, intent: object) -> None:
        match intent:
            case RunStep(attempt):
                self.ask(attempt.id, intent, lambda result, _: StepFinished(attempt.id, result))
            case RunProbes(attempt_id):
                self.ask(attempt_id, intent, lambda _, said: ProbesFinished(attempt_id, ProbeResult(said, "x")))
            case RunChecks(incident_id, checks):
                purposes: list[CheckPurpose] = [purpose for purpose, _ in checks]
                self.ask(
                    incident_id,
                    intent,
                    lambda _, said: ChecksFinished(
                        incident_id, tuple((each, ProbeResult(said, "x")) for each in purposes)
                    ),
                )

    def ask(self, of: str, intent: object, answer: Callable[[FixResult, bool | None], Input]) -> None:
        self.waiting.append(Asked(of, type(intent), answer))

    @rule(which=st.sampled_from([AUTO, ASKING]), group=st.sampled_from("ab"), after=st.floats(0, 200))
    def matched(self, which: Rule, group: str, after: float) -> None:
        at = self.bench.now + timedelta(seconds=after)
        self.give(observed(match(which, at, group)), after)

    @rule(which=st.integers(0, 9), result=RESULTS, said=SAID, after=st.floats(0, 30))
    def answered(self, which: int, result: FixResult, said: bool | None, after: float) -> None:
        if self.waiting:
            self.give(self.waiting.pop(which % len(self.waiting)).answer(result, said), after)

    @rule(after=st.floats(0, 4000))
    def waited(self, after: float) -> None:
        self.give(Tick(), after)

    @rule()
    def killed_and_started(self) -> None:
        self.waiting.clear()
        self.give(Started(), 1)

    @rule(files=st.sampled_from(FILES))
    def reloaded(self, files: tuple[Rule, ...]) -> None:
        self.bench.policy = self.under(*files)
        self.give(Reloaded())

    @rule(level=st.sampled_from(Mode), of=st.sampled_from([AUTO.id, ASKING.id]))
    def trusted(self, level: Mode, of: str) -> None:
        self.give(SetTrust(of, level, "ann", "so"))

    @rule(by=st.sampled_from(PauseOrigin), until=st.none() | st.floats(1, 900), stop=st.booleans())
    def paused(self, by: PauseOrigin, until: float | None, stop: bool) -> None:
        ends = None if until is None else self.bench.now + timedelta(seconds=until)
        self.give(PauseFixes(by, "ann", until=ends, stop=stop))

    @rule(by=st.sampled_from(PauseOrigin))
    def resumed(self, by: PauseOrigin) -> None:
        self.give(ResumeFixes(by, "ann"))

    @rule()
    def approved(self) -> None:
        for incident in list(self.bench.state.incidents.values()):
            self.approvals += incident.hold is HoldReason.AWAITING_APPROVAL
            self.give(Approve(incident.id, "ann"))

    @rule()
    def reset(self) -> None:
        for key in list(self.bench.state.breakers):
            self.give(ResetBreaker(key, "ann"))

    @invariant()
    def one_fix_at_a_time_a_target(self) -> None:
        under_way = [each for each in self.bench.state.attempts.values() if each.status is not AttemptStatus.FINISHED]
        assert len(under_way) <= 1
        assert len(self.bench.state.under_way) <= 1

    @invariant()
    def budgets_hold(self) -> None:
        now, first = self.bench.now, [each for each in self.bench.state.attempts.values() if each.first]
        recent = [each for each in first if now - each.started_at < timedelta(minutes=10)]
        assert len(recent) <= HOST_TEN_MINUTES
        for which in (AUTO, ASKING):
            mine = [each for each in first if each.rule_id == which.id]
            assert len([each for each in mine if now - each.started_at < timedelta(hours=1)]) <= PER_HOUR

    @invariant()
    def whatever_does_not_run_says_why(self) -> None:
        for incident in self.bench.state.incidents.values():
            if incident.status in (IncidentStatus.OPEN, IncidentStatus.FAILED):
                assert incident.hold is not None
                assert incident.hold_detail
            else:
                assert incident.status in UNDER_WAY
                assert incident.hold is None

    @invariant()
    def whatever_is_under_way_goes_on(self) -> None:
        asked = {(each.kind, each.of) for each in self.waiting}
        for incident in self.bench.state.under_way.values():
            runner = _RUNNERS.get(incident.status)
            of = incident.id if runner is RunChecks else incident.attempt_id
            assert (runner, of) in asked or (runner is None and incident.due_at is not None), incident.status

    @invariant()
    def no_attempt_is_unfinished_but_of_what_is_under_way(self) -> None:
        under_way = {each.attempt_id for each in self.bench.state.under_way.values()}
        for attempt in self.bench.state.attempts.values():
            assert attempt.status is AttemptStatus.FINISHED or attempt.id in under_way

    @invariant()
    def what_a_pause_holds_is_looked_at_when_it_ends(self) -> None:
        pauses = [each for each in self.bench.state.pauses.values() if each.on]
        on = [each for each in pauses if each.until is None or self.bench.now < each.until]
        if on and all(each.until is not None for each in on):
            for incident in self.bench.state.incidents.values():
                in_force = incident.rule_id in self.bench.policy.rules
                assert not in_force or incident.hold is not HoldReason.PAUSED or incident.due_at is not None

    @invariant()
    def no_trial_without_an_incident_that_climbs(self) -> None:
        climbing = {(each.rule_id, each.fix, each.target) for each in self.bench.state.under_way.values()}
        assert {each.key for each in self.bench.state.breakers.values() if each.trial} <= climbing

    @invariant()
    def what_is_stored_is_what_is_known(self) -> None:
        assert {each.id for each in self.bench.state.under_way.values()} == {
            each.id for each in self.bench.state.incidents.values() if each.status in UNDER_WAY
        }


TestHealing = Healing.TestCase
TestHealing.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


# -- a storm of targets ------------------------------------------------------------------------------------------------

MANY = replace(
    RULE,
    fix=replace(
        FIX,
        steps=(replace(STEPS[0], action=Command(("/usr/bin/mend", "{upstream}"))), STEPS[1]),
        limits=Limits(cooldown=timedelta(0), max_per_hour=PER_HOUR),
    ),
)


class Storm(RuleBasedStateMachine):
    """Many targets of one rule at once, with checks before the first step."""

    def __init__(self) -> None:
        super().__init__()
        self.bench = Bench(policy(MANY, host_max_per_ten_minutes=HOST_TEN_MINUTES, max_running=2))

    @rule(first=st.integers(0, 20), n=st.integers(1, 8))
    def matched(self, first: int, n: int) -> None:
        for upstream in map(str, range(first, first + n)):
            self.bench.give(observed(match(MANY, self.bench.now, upstream, upstream=upstream)))

    @rule(said=st.sampled_from([True, True, False]), after=st.floats(0, 60))
    def checked(self, said: bool, after: float) -> None:
        for each in list(self.bench.state.under_way.values()):
            if each.status is IncidentStatus.CHECKING:
                self.bench.give(ChecksFinished(each.id, ((CheckPurpose.EXPECT, ProbeResult(said, "x")),)), after)

    @rule(result=RESULTS, said=SAID)
    def ended(self, result: FixResult, said: bool | None) -> None:
        for each in list(self.bench.state.attempts.values()):
            if each.status is AttemptStatus.RUNNING:
                self.bench.give(StepFinished(each.id, result), 1)
            elif each.status is AttemptStatus.VERIFYING:
                self.bench.give(ProbesFinished(each.id, ProbeResult(said, "x")), 1)

    @rule(after=st.floats(0, 400))
    def waited(self, after: float) -> None:
        self.bench.give(Tick(), after)

    @rule()
    def killed_and_started(self) -> None:
        self.bench.give(Started(), 1)

    @invariant()
    def budgets_hold(self) -> None:
        now, first = self.bench.now, [each for each in self.bench.state.attempts.values() if each.first]
        assert len([each for each in first if now - each.started_at < timedelta(minutes=10)]) <= HOST_TEN_MINUTES
        assert len([each for each in first if now - each.started_at < timedelta(hours=1)]) <= PER_HOUR


TestStorm = Storm.TestCase
TestStorm.settings = settings(max_examples=30, stateful_step_count=30, deadline=None)
