"""Inputs that are decided together are one changeset: whoever is told that no fix starts sees none start of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import FIX, RULE, START, STEP, Bench, match, observed, policy, unknown, with_fix
from logmedic.core.decide import decide_in
from logmedic.core.draft import Draft
from logmedic.model.changeset import (
    Changeset,
    Input,
    PauseFixes,
    Quiet,
    ResumeFixes,
    RunStep,
    SetTrust,
    Speaking,
    StepFinished,
    Tick,
)
from logmedic.model.fix import AttemptKind, AttemptStatus, FixResult, Verdict
from logmedic.model.issue import HoldReason
from logmedic.model.rule import Limits, Mode, Rule
from logmedic.model.state import EngineState
from logmedic.model.step import Command, Step
from logmedic.model.trust import PauseOrigin

PAUSE = PauseFixes(PauseOrigin.OPERATOR, "ann", "looking into it")
AT_ONCE = with_fix(limits=Limits(cooldown=timedelta(0)))
RESUME = ResumeFixes(PauseOrigin.OPERATOR, "ann")


def together(bench: Bench, *inputs: Input) -> Changeset:
    draft = Draft(bench.state, bench.policy, bench.now, bench.mint)
    for each in inputs:
        decide_in(draft, each)
    changeset = draft.changeset()
    bench.state.apply(changeset)
    bench.all.append(changeset)
    return changeset


NO_FIX = Rule("seen", "it was seen", RULE.match)
INPUTS: Mapping[str, Callable[[], Input]] = {
    "match": lambda: observed(match(NO_FIX)),
    "unknown": lambda: observed(unknown()),
    "pause": lambda: PAUSE,
    "resume": lambda: RESUME,
    "quiet": lambda: Quiet("web", START),
    "speaking": lambda: Speaking("web"),
    "tick": Tick,
}


def lower(level: Mode, rule: Rule = RULE) -> SetTrust:
    return SetTrust(rule.id, level, "ann", "not now")


@pytest.mark.parametrize(
    ("order", "hold"),
    [
        (PAUSE, HoldReason.PAUSED),
        (lower(Mode.OBSERVE), HoldReason.OBSERVE),
        (lower(Mode.APPROVE), HoldReason.AWAITING_APPROVAL),
    ],
    ids=["pause", "observe", "approve"],
)
def test_i8_a_step_that_was_decided_in_the_same_moment_does_not_begin(order: Input, hold: HoldReason) -> None:
    bench = Bench(policy(AT_ONCE))
    changeset = together(bench, observed(match()), order)
    assert bench.attempts == []
    (attempt,) = changeset.attempts
    assert (attempt.status, attempt.verdict) == (AttemptStatus.FINISHED, Verdict.UNKNOWN)
    assert "in the same moment" in attempt.detail
    assert bench.incident().hold is hold
    assert [each.kind for each in changeset.events][-3:] == ["not_begun", "held", "would_run"]


def test_what_was_paused_in_the_same_moment_begins_once_it_is_resumed() -> None:
    bench = Bench(policy(AT_ONCE))
    together(bench, observed(match()), PAUSE)
    bench.give(RESUME, 60)
    bench.fixed()
    assert bench.ran == [STEP.name]


def test_a_pause_that_ends_in_the_same_moment_keeps_nothing_from_beginning_once() -> None:
    bench = Bench(policy(AT_ONCE))
    together(bench, observed(match()), PAUSE, RESUME)
    assert bench.ran == [STEP.name]


def test_trust_that_comes_back_in_the_same_moment_keeps_nothing_from_beginning_once() -> None:
    bench = Bench(policy(AT_ONCE))
    together(bench, lower(Mode.OBSERVE), observed(match()), lower(Mode.AUTO))
    assert bench.ran == [STEP.name]


def test_a_rule_that_is_trusted_less_holds_up_no_other() -> None:
    other = Rule("db-down", "db is down", RULE.match, fix=FIX)
    bench = Bench(policy(RULE, other))
    together(bench, observed(match(), match(other)), lower(Mode.OBSERVE))
    assert [each.rule_id for each in bench.attempts] == [other.id]


def test_what_undoes_a_step_is_not_held_up() -> None:
    undone = replace(STEP, name="move it", rollback=Step("move it back", Command(("/usr/bin/undo",))))
    bench = Bench(policy(with_fix(steps=(undone, STEP))))
    bench.matched()
    changeset = together(bench, StepFinished(bench.attempt_id, FixResult(1, 0.1)), PAUSE)
    assert [each.attempt.kind for each in changeset.intents if isinstance(each, RunStep)] == [AttemptKind.ROLLBACK]


def known(state: EngineState) -> dict[str, object]:
    return {
        "pauses": state.pauses,
        "quiet": state.quiet_sources,
        "incidents": sorted((each.rule_id, each.status, str(each.hold)) for each in state.incidents.values()),
        "issues": {key: each.occurrences for key, each in state.issues.items()},
        "news": {each.subject: each.over for each in state.notices.values()},
    }


@given(st.lists(st.sampled_from(sorted(INPUTS)), max_size=8))
def test_what_is_decided_together_is_what_would_be_decided_one_by_one(names: list[str]) -> None:
    at_once, one_by_one = Bench(policy(NO_FIX)), Bench(policy(NO_FIX))
    together(at_once, *(INPUTS[each]() for each in names))
    for each in names:
        together(one_by_one, INPUTS[each]())
    assert known(at_once.state) == known(one_by_one.state)
