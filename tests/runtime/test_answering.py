"""Who waits to hear what becomes of their report: told in time, once it is committed, and never forgotten."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import builders as make
from fakes.virtual_loop import BEGAN, VirtualClock, VirtualLoop
from logmedic.core.decide import decide
from logmedic.model.changeset import (
    Changeset,
    Input,
    PauseFixes,
    ProbesFinished,
    RunProbes,
    RunStep,
    StepFinished,
    Tick,
)
from logmedic.model.fix import FixResult, ProbeResult
from logmedic.model.policy import Policy
from logmedic.model.report import Answer, AnswerState, Placed, Report
from logmedic.model.rule import Verify
from logmedic.model.trust import PauseOrigin
from logmedic.runtime.answering import QUESTIONS_MAX, Answering

FIXED, FIXING, LATE = AnswerState.FIXED, AnswerState.FIXING, AnswerState.LATE


class Daemon(make.Bench):
    """Decides, commits, tells whoever waits, and only then knows it: as the engine does."""

    def __init__(self, policy: Policy, loop: VirtualLoop) -> None:
        super().__init__(replace(policy, started_at=BEGAN - timedelta(hours=1)))
        self.clock = VirtualClock(loop)
        self.answering = Answering(state=self.state, policy=lambda: self.policy, clock=self.clock)
        self.heard: dict[str, list[Answer]] = {}

    def _decide(self, given: Input) -> Changeset:
        self.now = self.clock.now()
        changeset = decide(self.state, self.policy, given, self.now, self.mint)
        self.answering.noted(changeset)
        self.state.apply(changeset)
        self.all.append(changeset)
        return changeset

    def ask(self, report: Report) -> Callable[[], None]:
        return self.answering.ask(report, self.heard.setdefault(report.key, []).append)

    def report(self, told: Report, *rules: str) -> None:
        """Committed, as what those rules match; then it is acknowledged."""
        found = [make.reported(told, self.clock.now(), self.policy.rules[each]) for each in rules]
        if found:
            self.give(make.observed(*found))
        self.answering.settled([told])

    def step_ends(self, exit_code: int = 0) -> None:
        (step,) = [each for each in self.intents if isinstance(each, RunStep)][-1:]
        self.give(StepFinished(step.attempt.id, FixResult(exit_code, 0.5)))

    def probes_say(self, passed: bool | None) -> None:
        (probes,) = [each for each in self.intents if isinstance(each, RunProbes)][-1:]
        self.give(ProbesFinished(probes.attempt_id, ProbeResult(passed, "it was asked")))

    def states(self, report_id: str = "r1", uid: int = 1000) -> list[AnswerState]:
        return [each.state for each in self.heard[f"{uid}:{report_id}"]]


Scenario = Callable[[Daemon], Awaitable[None]]


def play(scenario: Scenario, policy: Policy | None = None) -> None:
    loop = VirtualLoop()
    try:
        daemon = Daemon(policy or make.policy(), loop)
        loop.run_until_complete(scenario(daemon))
        daemon.answering.close()
    finally:
        loop.close()


def test_a_fix_is_followed_to_its_outcome() -> None:
    async def scenario(daemon: Daemon) -> None:
        daemon.ask(make.report())
        daemon.report(make.report(), "web-down")
        assert daemon.states() == [FIXING]
        daemon.step_ends()
        daemon.probes_say(True)
        assert set(daemon.states()[:-1]) == {FIXING}
        assert daemon.states()[-1] is FIXED
        first, *_, last = daemon.heard["1000:r1"]
        assert (first.final, last.final) == (False, True)
        assert last.incident == daemon.incident().id
        assert daemon.answering.open == 0

    play(scenario)


def test_it_is_fixed_from_its_checks_on_and_does_not_wait_for_the_quiet_time() -> None:
    async def scenario(daemon: Daemon) -> None:
        daemon.ask(make.report())
        daemon.report(make.report(), "web-down")
        daemon.step_ends()
        daemon.probes_say(True)
        assert daemon.states()[-1] is FIXED
        assert daemon.incident().status == "settling"

    quiet = replace(make.FIX, verify=Verify((make.PROBE,), timedelta(minutes=1)))
    play(scenario, make.policy(replace(make.RULE, fix=quiet)))


@pytest.mark.parametrize(
    ("passed", "wanted"), [(False, AnswerState.NOT_FIXED), (None, AnswerState.UNPROVEN)], ids=["no", "nobody knows"]
)
def test_a_fix_that_did_not_work_is_told_too(passed: bool | None, wanted: AnswerState) -> None:
    async def scenario(daemon: Daemon) -> None:
        daemon.ask(make.report())
        daemon.report(make.report(), "web-down")
        daemon.step_ends()
        daemon.probes_say(passed)
        assert daemon.states()[-1] is wanted

    play(scenario)


def test_what_holds_the_fix_is_told_at_once() -> None:
    async def scenario(daemon: Daemon) -> None:
        daemon.give(PauseFixes(PauseOrigin.OPERATOR, "ann"))
        daemon.ask(make.report())
        daemon.report(make.report(), "web-down")
        (answer,) = daemon.heard["1000:r1"]
        assert (answer.state, answer.hold, answer.final) == (AnswerState.HELD, "paused", True)

    play(scenario)


def test_a_report_that_is_committed_without_a_place_is_unknown() -> None:
    async def scenario(daemon: Daemon) -> None:
        daemon.ask(make.report())
        daemon.report(make.report())
        assert daemon.states() == [AnswerState.UNKNOWN]
        assert daemon.answering.open == 0

    play(scenario)


def test_an_unknown_error_names_the_issue_that_it_was_learned_as() -> None:
    async def scenario(daemon: Daemon) -> None:
        daemon.ask(make.report())
        daemon.answering.noted(Changeset(placed=(Placed("1000:r1", issue_id="k1"),)))
        (answer,) = daemon.heard["1000:r1"]
        assert (answer.state, answer.issue) == (AnswerState.UNKNOWN, "k1")

    play(scenario)


def test_being_acknowledged_says_nothing_new_of_what_has_a_place() -> None:
    async def scenario(daemon: Daemon) -> None:
        daemon.ask(make.report())
        daemon.report(make.report(), "web-down")
        told = daemon.states()
        daemon.answering.settled([make.report(), make.report("of nobody")])
        assert daemon.states() == told

    play(scenario)


def test_several_rules_are_one_answer_that_gets_better() -> None:
    async def scenario(daemon: Daemon) -> None:
        daemon.ask(make.report())
        daemon.report(make.report(), "no-fix", "web-down")
        assert daemon.states() == [FIXING]
        daemon.step_ends()
        daemon.probes_say(True)
        assert (daemon.states()[-1], daemon.heard["1000:r1"][-1].rule) == (FIXED, "web-down")

    play(scenario, make.policy(make.RULE, replace(make.RULE, id="no-fix", fix=None)))


def test_a_trigger_that_is_not_reached_is_known() -> None:
    async def scenario(daemon: Daemon) -> None:
        daemon.ask(make.report())
        daemon.report(make.report(), "web-down")
        assert daemon.states() == [AnswerState.KNOWN]

    play(scenario, make.policy(replace(make.RULE, when=make.threshold(3))))


def test_whoever_comes_later_is_told_how_it_stands() -> None:
    async def scenario(daemon: Daemon) -> None:
        daemon.report(make.report("r0"), "web-down")
        daemon.step_ends()
        daemon.ask(make.report())
        daemon.report(make.report(), "web-down")
        assert daemon.states() == [FIXING]
        assert daemon.heard["1000:r1"][0].detail == "the fix is checked"
        daemon.probes_say(True)
        assert daemon.states()[-1] is FIXED

    play(scenario)


def test_the_wait_ends_at_its_time_with_how_it_stood() -> None:
    async def scenario(daemon: Daemon) -> None:
        daemon.ask(make.report(wait=timedelta(seconds=10)))
        daemon.report(make.report(), "web-down")
        await asyncio.sleep(9.9)
        assert daemon.states() == [FIXING]
        await asyncio.sleep(0.2)
        assert daemon.states() == [FIXING, LATE]
        daemon.step_ends()
        daemon.probes_say(True)
        assert daemon.states() == [FIXING, LATE]
        assert daemon.answering.open == 0

    play(scenario)


def test_a_report_that_is_never_committed_is_late() -> None:
    async def scenario(daemon: Daemon) -> None:
        daemon.ask(make.report(wait=timedelta(seconds=1)))
        await asyncio.sleep(1.1)
        assert daemon.states() == [LATE]

    play(scenario)


def test_a_question_that_is_taken_back_is_not_answered() -> None:
    async def scenario(daemon: Daemon) -> None:
        take_back = daemon.ask(make.report())
        daemon.report(make.report(), "web-down")
        take_back()
        take_back()
        daemon.step_ends()
        await asyncio.sleep(20)
        assert daemon.states() == [FIXING]
        assert daemon.answering.open == 0

    play(scenario)


def test_a_storm_of_matches_is_told_once() -> None:
    async def scenario(daemon: Daemon) -> None:
        daemon.ask(make.report())
        daemon.report(make.report(), "web-down")
        for number in range(50):
            daemon.report(make.report(f"s{number}", wait=timedelta()), "web-down")
        assert daemon.states() == [FIXING]

    play(scenario)


def test_the_same_id_of_another_user_is_another_report() -> None:
    """Ids are chosen by who sends them: nobody is answered what belongs to somebody else."""

    async def scenario(daemon: Daemon) -> None:
        mine, theirs = make.report(), make.report(sender=replace(make.SENDER, uid=33, user="www-data"))
        daemon.ask(mine)
        daemon.ask(theirs)
        daemon.report(theirs, "web-down")
        assert daemon.states(uid=33) == [FIXING]
        assert daemon.states() == []

    play(scenario)


def test_who_asks_again_is_told_there_and_not_at_the_old_place() -> None:
    async def scenario(daemon: Daemon) -> None:
        old: list[Answer] = []
        take_back = daemon.answering.ask(make.report(), old.append)
        daemon.ask(make.report())
        take_back()
        daemon.report(make.report(), "web-down")
        assert (daemon.states(), old) == ([FIXING], [])

    play(scenario)


def test_more_than_may_wait_are_told_so_and_not_followed() -> None:
    async def scenario(daemon: Daemon) -> None:
        for number in range(QUESTIONS_MAX):
            daemon.ask(make.report(f"q{number}"))
        taken_back = daemon.ask(make.report("one too many"))
        taken_back()
        daemon.ask(make.report("another"))
        assert daemon.heard["1000:another"] == []  # not before `ask` has answered
        await asyncio.sleep(0.1)
        assert daemon.states("another") == [LATE]
        assert daemon.states("one too many") == []
        assert daemon.answering.open == QUESTIONS_MAX

    play(scenario)


def test_one_that_cannot_be_told_keeps_nobody_else_from_hearing() -> None:
    def broken(answer: Answer) -> None:
        raise ConnectionResetError(answer.report_id)

    async def scenario(daemon: Daemon) -> None:
        daemon.answering.ask(make.report("r0"), broken)
        daemon.ask(make.report())
        one, other = make.reported(make.report("r0"), BEGAN), make.reported(make.report(), BEGAN)
        daemon.give(make.observed(one, other))
        assert daemon.states() == [FIXING]

    play(scenario)


def test_a_daemon_that_stops_answers_nobody() -> None:
    async def scenario(daemon: Daemon) -> None:
        daemon.ask(make.report())
        daemon.report(make.report(), "web-down")
        daemon.answering.close()
        daemon.step_ends()
        daemon.ask(make.report("r2"))
        await asyncio.sleep(20)
        assert daemon.states() == [FIXING]
        assert daemon.states("r2") == []
        assert daemon.answering.open == 0

    play(scenario)


MOVES = ("ask", "report", "take back", "step", "probes", "settle", "wait")


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(MOVES), st.integers(0, 4)), max_size=40))
def test_whatever_happens_each_question_has_at_most_one_last_word_and_none_is_left(
    moves: list[tuple[str, int]],
) -> None:
    async def scenario(daemon: Daemon) -> None:
        back: dict[int, Callable[[], None]] = {}
        for move, number in moves:
            told = make.report(f"r{number}")
            if move == "ask":
                daemon.heard[told.key] = []
                back[number] = daemon.ask(told)
            elif move == "report":
                daemon.give(make.observed(make.reported(told, daemon.clock.now())))
            elif move == "take back" and number in back:
                back[number]()
            elif move == "step" and any(isinstance(each, RunStep) for each in daemon.intents):
                daemon.step_ends(exit_code=number % 2)
            elif move == "probes" and any(isinstance(each, RunProbes) for each in daemon.intents):
                daemon.probes_say(passed=bool(number % 2))
            elif move == "settle":
                daemon.answering.settled([told])
            elif move == "wait":
                await asyncio.sleep(number * 3)
                daemon.give(Tick())
        await asyncio.sleep(11)
        assert daemon.answering.open == 0
        for answers in daemon.heard.values():
            assert [each.final for each in answers[:-1]] == [False] * len(answers[:-1])

    play(scenario)
