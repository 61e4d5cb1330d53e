"""Whatever happens in whatever order, healing stays bounded: random histories of two rules that share a target."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from builders import FIX, RULE, STEP, Bench, match, observed, policy
from logmedic.model.changeset import (
    Approve,
    Changeset,
    CheckPurpose,
    ChecksFinished,
    Input,
    PauseFixes,
    ProbesFinished,
    ResetBreaker,
    ResumeFixes,
    RunChecks,
    RunProbes,
    RunStep,
    Started,
    StepFinished,
    Tick,
)
from logmedic.model.fix import AttemptStatus, BreakerStatus, FixResult, ProbeResult
from logmedic.model.issue import UNDER_WAY, IncidentStatus
from logmedic.model.probe import DiskProbe, TcpProbe
from logmedic.model.rule import BreakerSpec, Limits, Mode, Rule
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
RESULTS = st.sampled_from(
    [
        FixResult(0, 0.1),
        FixResult(1, 0.1),
        FixResult(None, 1.0, detail="killed after 1 s"),
        FixResult(None, 0.0, detail="no program", started=False),
    ]
)
SAID = st.sampled_from([True, False, None])


class Healing(RuleBasedStateMachine):
    """Runners answer late, in any order, or never, because the daemon was killed."""

    def __init__(self) -> None:
        super().__init__()
        self.bench = Bench(
            policy(AUTO, ASKING, host_max_per_ten_minutes=HOST_TEN_MINUTES, host_max_per_hour=8, max_running=RUNNING)
        )
        self.waiting: list[Callable[[FixResult, bool | None], Input]] = []

    def give(self, given: Input, after: float = 0.0) -> None:
        at = self.bench.now + timedelta(seconds=after)
        paused = any(each.on and (each.until is None or at < each.until) for each in self.bench.state.pauses.values())
        breakers = dict(self.bench.state.breakers)
        changeset = self.bench.give(given, after)
        assert not (paused and not isinstance(given, ResumeFixes) and self.steps(changeset)), "a step while paused"
        for step in self.steps(changeset):
            assert step.attempt in changeset.attempts, "a step whose attempt is not committed with it"
            self.allowed(step, breakers)
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

    def take(self, intent: object) -> None:
        match intent:
            case RunStep(attempt):
                self.waiting.append(lambda result, _: StepFinished(attempt.id, result))
            case RunProbes(attempt_id):
                self.waiting.append(lambda _, said: ProbesFinished(attempt_id, ProbeResult(said, "x")))
            case RunChecks(incident_id, checks):
                purposes: list[CheckPurpose] = [purpose for purpose, _ in checks]
                self.waiting.append(
                    lambda _, said: ChecksFinished(
                        incident_id, tuple((each, ProbeResult(said, "x")) for each in purposes)
                    )
                )

    @rule(which=st.sampled_from([AUTO, ASKING]), group=st.sampled_from("ab"), after=st.floats(0, 200))
    def matched(self, which: Rule, group: str, after: float) -> None:
        at = self.bench.now + timedelta(seconds=after)
        self.give(observed(match(which, at, group)), after)

    @rule(which=st.integers(0, 9), result=RESULTS, said=SAID, after=st.floats(0, 30))
    def answered(self, which: int, result: FixResult, said: bool | None, after: float) -> None:
        if self.waiting:
            self.give(self.waiting.pop(which % len(self.waiting))(result, said), after)

    @rule(after=st.floats(0, 4000))
    def waited(self, after: float) -> None:
        self.give(Tick(), after)

    @rule()
    def killed_and_started(self) -> None:
        self.waiting.clear()
        self.give(Started(), 1)

    @rule(until=st.none() | st.floats(1, 900), stop=st.booleans())
    def paused(self, until: float | None, stop: bool) -> None:
        ends = None if until is None else self.bench.now + timedelta(seconds=until)
        self.give(PauseFixes(PauseOrigin.OPERATOR, "ann", until=ends, stop=stop))

    @rule()
    def resumed(self) -> None:
        self.give(ResumeFixes(PauseOrigin.OPERATOR, "ann"))

    @rule()
    def approved(self) -> None:
        for incident in list(self.bench.state.incidents.values()):
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
    def no_trial_without_an_incident_that_climbs(self) -> None:
        trials = [each for each in self.bench.state.breakers.values() if each.trial]
        assert len(trials) <= len(self.bench.state.under_way)

    @invariant()
    def what_is_stored_is_what_is_known(self) -> None:
        assert {each.id for each in self.bench.state.under_way.values()} == {
            each.id for each in self.bench.state.incidents.values() if each.status in UNDER_WAY
        }


TestHealing = Healing.TestCase
TestHealing.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
