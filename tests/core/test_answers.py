"""What the sender of a report is told."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import permutations

import pytest

import builders as make
from logmedic.core.answers import Case, answer_of, late
from logmedic.core.reports import answer_line
from logmedic.core.targets import fingerprint
from logmedic.model.fix import AttemptStatus, FixAttempt, Verdict
from logmedic.model.issue import HoldReason, Incident, IncidentStatus, Resolution
from logmedic.model.report import AnswerState, Placed
from logmedic.model.rule import Rule, Verify

UNTIL = make.START + timedelta(seconds=10)
SOON, LATER = make.START + timedelta(seconds=5), make.START + timedelta(minutes=5)
SILENT = replace(make.FIX, verify=Verify(quiet=timedelta(minutes=1)))
"""A fix that nothing but silence proves."""
RULES = {
    "web-down": make.RULE,
    "silent": replace(make.RULE, id="silent", fix=SILENT),
    "no-fix": replace(make.RULE, id="no-fix", fix=None),
}
EVERY = tuple(AnswerState)


def incident(status: IncidentStatus, hold: HoldReason | None = None, **changes: object) -> Incident:
    made = Incident(
        id="i1",
        issue_id="k1",
        rule_id="web-down",
        group_key="",
        title="web is down",
        severity=make.RULE.severity,
        opened_at=make.START,
        last_match_at=make.START,
        status=status,
        hold=hold,
        fix=fingerprint(make.FIX),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def attempt(verdict: Verdict | None) -> FixAttempt:
    status = AttemptStatus.FINISHED if verdict is not None else AttemptStatus.RUNNING
    return FixAttempt(
        "a1", "i1", "web-down", "", "", 0, "restart it", 1, ("/bin/x",), make.START, status=status, verdict=verdict
    )


def told(of: Incident, *attempts: FixAttempt, rule: Rule | None = make.RULE) -> tuple[AnswerState, bool, str]:
    placed = Placed("1000:r1", of.rule_id, of.id)
    answer = answer_of("r1", (placed,), {of.id: Case(of, rule, attempts)}, UNTIL)
    assert (answer.report_id, answer.incident, answer.issue, answer.rule) == ("r1", "i1", "k1", of.rule_id)
    assert answer.detail
    return answer.state, answer.final, answer.hold


UNDER_WAY = {
    "its checks before a step run": incident(IncidentStatus.CHECKING),
    "a step runs": incident(IncidentStatus.FIXING),
    "it is tried again": incident(IncidentStatus.RETRYING, due_at=LATER),
    "its checks run": incident(IncidentStatus.VERIFYING),
    "whether its fix runs is decided now": incident(IncidentStatus.OPEN),
}


@pytest.mark.parametrize("of", UNDER_WAY.values(), ids=UNDER_WAY.keys())
def test_what_is_under_way_is_no_last_word(of: Incident) -> None:
    assert told(of, attempt(None)) == (AnswerState.FIXING, False, "")


OUTCOMES = {
    "resolved by its fix": (
        incident(IncidentStatus.RESOLVED, resolution=Resolution.FIXED, resolved_at=SOON),
        Verdict.FIXED,
        AnswerState.FIXED,
    ),
    "the checks passed, and it has to stay quiet": (
        incident(IncidentStatus.SETTLING, due_at=LATER),
        None,
        AnswerState.FIXED,
    ),
    "quiet by itself": (
        incident(IncidentStatus.RESOLVED, resolution=Resolution.QUIET, resolved_at=SOON),
        None,
        AnswerState.UNPROVEN,
    ),
    "closed by hand": (
        incident(IncidentStatus.RESOLVED, resolution=Resolution.BY_HAND, resolved_at=SOON),
        None,
        AnswerState.UNPROVEN,
    ),
    "its fix did not work": (
        incident(IncidentStatus.FAILED, HoldReason.COOLDOWN, due_at=SOON),
        Verdict.NOT_FIXED,
        AnswerState.NOT_FIXED,
    ),
    "its fix did not work, once too often": (
        incident(IncidentStatus.FAILED, HoldReason.BREAKER_OPEN, due_at=LATER),
        Verdict.NOT_FIXED,
        AnswerState.NOT_FIXED,
    ),
    "nobody can say whether it worked": (
        incident(IncidentStatus.FAILED, HoldReason.COOLDOWN, due_at=LATER),
        Verdict.UNKNOWN,
        AnswerState.UNPROVEN,
    ),
}


@pytest.mark.parametrize(("of", "verdict", "wanted"), OUTCOMES.values(), ids=OUTCOMES.keys())
def test_an_outcome_is_the_last_word(of: Incident, verdict: Verdict | None, wanted: AnswerState) -> None:
    state, final, _ = told(of, attempt(verdict))
    assert (state, final) == (wanted, True)


def test_a_failure_of_which_no_step_is_known_any_more_is_not_fixed() -> None:
    assert told(incident(IncidentStatus.FAILED, HoldReason.COOLDOWN))[0] is AnswerState.NOT_FIXED


def test_silence_proves_nothing_before_it_is_over() -> None:
    of = incident(IncidentStatus.SETTLING, rule_id="silent", fix=fingerprint(SILENT), due_at=LATER)
    assert told(of, attempt(None), rule=RULES["silent"])[:2] == (AnswerState.FIXING, False)


def test_checks_of_a_fix_that_is_another_one_by_now_prove_nothing() -> None:
    assert told(incident(IncidentStatus.SETTLING, fix="of before"), attempt(None))[0] is AnswerState.FIXING


@pytest.mark.parametrize("hold", [each for each in HoldReason if each is not HoldReason.NO_FIX])
def test_a_hold_is_told_with_its_reason(hold: HoldReason) -> None:
    assert told(incident(IncidentStatus.OPEN, hold, hold_detail="so it is")) == (AnswerState.HELD, True, hold.value)


@pytest.mark.parametrize("hold", [HoldReason.PAUSED, HoldReason.OBSERVE, HoldReason.DISARMED, HoldReason.BUDGET])
def test_what_is_held_after_a_failure_is_told_as_held(hold: HoldReason) -> None:
    assert told(incident(IncidentStatus.FAILED, hold), attempt(Verdict.NOT_FIXED))[0] is AnswerState.HELD


def test_a_hold_that_ends_while_its_sender_waits_is_none_to_them() -> None:
    waits = incident(IncidentStatus.OPEN, HoldReason.BUSY, due_at=SOON)
    assert told(waits) == (AnswerState.FIXING, False, "busy")
    assert told(replace(waits, due_at=LATER)) == (AnswerState.HELD, True, "busy")


def test_nobody_waits_for_an_approval() -> None:
    """Its time is when the request for it expires."""
    asked = incident(IncidentStatus.OPEN, HoldReason.AWAITING_APPROVAL, due_at=SOON)
    assert told(asked) == (AnswerState.HELD, True, "awaiting_approval")


def test_who_paused_fixes_and_why_is_not_for_whoever_may_report() -> None:
    paused = incident(IncidentStatus.OPEN, HoldReason.PAUSED, hold_detail="all fixes are paused by ann: secret plans")
    answer = answer_of("r1", (Placed("1000:r1", "web-down", "i1"),), {"i1": Case(paused, make.RULE)}, UNTIL)
    assert answer.detail == "fixes are paused"


def test_what_a_hold_says_is_one_line_without_secrets() -> None:
    held = incident(IncidentStatus.OPEN, HoldReason.DISARMED, hold_detail="no\x1b[31m way\npassword=hunter22222 here")
    answer = answer_of("r1", (Placed("1000:r1", "web-down", "i1"),), {"i1": Case(held, make.RULE)}, UNTIL)
    assert "\n" not in answer.detail
    assert "\x1b" not in answer.detail
    assert "hunter22222" not in answer.detail


def test_a_rule_without_a_fix_knows_it_and_no_more() -> None:
    of = incident(IncidentStatus.OPEN, HoldReason.NO_FIX, rule_id="no-fix")
    assert told(of, rule=RULES["no-fix"]) == (AnswerState.KNOWN, True, "no_fix")


def test_of_a_rule_that_a_reload_took_away_nothing_is_to_be_expected() -> None:
    assert told(incident(IncidentStatus.OPEN, HoldReason.NO_FIX), rule=None) == (AnswerState.KNOWN, True, "no_fix")


def test_what_was_fixed_stays_so_when_its_rule_goes() -> None:
    over = incident(IncidentStatus.RESOLVED, resolution=Resolution.FIXED, resolved_at=SOON)
    assert told(over, rule=None)[:2] == (AnswerState.FIXED, True)


def test_a_trigger_that_is_not_reached_is_known() -> None:
    answer = answer_of("r1", (Placed("1000:r1", "web-down"),), {}, UNTIL)
    assert (answer.state, answer.final, answer.rule, answer.incident) == (AnswerState.KNOWN, True, "web-down", "")


@pytest.mark.parametrize("placed", [(), (Placed("1000:r1", issue_id="k7"),)], ids=["nowhere", "with a learned issue"])
def test_what_no_rule_knows_is_unknown(placed: tuple[Placed, ...]) -> None:
    answer = answer_of("r1", placed, {}, UNTIL)
    assert (answer.state, answer.final, answer.rule) == (AnswerState.UNKNOWN, True, "")
    assert answer.issue == (placed[0].issue_id if placed else "")


def test_what_was_mended_while_it_was_reported_is_fixed_and_names_its_incident() -> None:
    answer = answer_of("r1", (Placed("1000:r1", "web-down", "i1", mended=True),), {}, UNTIL)
    assert (answer.state, answer.final, answer.incident) == (AnswerState.FIXED, True, "i1")
    assert answer.detail == "its fix worked a moment ago"


OF_STATE = {
    AnswerState.FIXED: incident(IncidentStatus.RESOLVED, resolution=Resolution.FIXED, resolved_at=SOON),
    AnswerState.FIXING: incident(IncidentStatus.FIXING),
    AnswerState.HELD: incident(IncidentStatus.OPEN, HoldReason.PAUSED),
    AnswerState.NOT_FIXED: incident(IncidentStatus.FAILED),
    AnswerState.UNPROVEN: incident(IncidentStatus.RESOLVED, resolution=Resolution.QUIET, resolved_at=SOON),
    AnswerState.KNOWN: incident(IncidentStatus.OPEN, HoldReason.NO_FIX),
}
"""The best first."""


@pytest.mark.parametrize(("one", "other"), list(permutations(OF_STATE, 2)))
def test_of_several_rules_the_best_that_one_of_them_can_say_is_told(one: AnswerState, other: AnswerState) -> None:
    pairs = [replace(OF_STATE[state], id=f"i-{state}", rule_id=f"rule-{state}") for state in (one, other)]
    placed = tuple(Placed("1000:r1", each.rule_id, each.id) for each in pairs)
    answer = answer_of("r1", placed, {each.id: Case(each, make.RULE) for each in pairs}, UNTIL)
    best = min(one, other, key=list(OF_STATE).index)
    assert (answer.state, answer.rule, answer.incident) == (best, f"rule-{best}", f"i-{best}")


def test_every_state_has_its_way_into_an_answer() -> None:
    assert {*OF_STATE, AnswerState.UNKNOWN, AnswerState.LATE} == set(EVERY)


def test_who_is_late_hears_how_it_stood() -> None:
    last = answer_of(
        "r1", (Placed("1000:r1", "web-down", "i1"),), {"i1": Case(OF_STATE[AnswerState.FIXING], make.RULE)}, UNTIL
    )
    answer = late("r1", last)
    assert (answer.state, answer.final, answer.incident) == (AnswerState.LATE, True, "i1")
    assert answer.detail == "the wait is over: the fix is running"


def test_who_was_told_nothing_is_late_as_well() -> None:
    answer = late("r1", None)
    assert (answer.report_id, answer.state, answer.final) == ("r1", AnswerState.LATE, True)
    assert answer_line(answer)["state"] == "late"
