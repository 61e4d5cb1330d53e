"""What the sender of a report is told: from where the report belongs, and how things stand there now.

Whoever may report hears it, so it has none of what a step wrote, and not who paused fixes or why.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property

from logmedic.core.phrases import said
from logmedic.core.standing import standing_of
from logmedic.core.tries import steps_of
from logmedic.core.verdicts import is_in_force
from logmedic.model.fix import FixAttempt, Verdict
from logmedic.model.issue import UNDER_WAY, HoldReason, Incident, IncidentStatus, Resolution
from logmedic.model.report import Answer, AnswerState, Placed
from logmedic.model.rule import Rule

_BEST_FIRST = (
    AnswerState.FIXED,
    AnswerState.FIXING,
    AnswerState.HELD,
    AnswerState.NOT_FIXED,
    AnswerState.UNPROVEN,
    AnswerState.KNOWN,
    AnswerState.UNKNOWN,
)
"""Of a report that several rules match: a call is worth its repetition as soon as one of them mended something, and
waiting is worth it while one of them may."""
_UNKNOWN = "no rule knows it; it is counted, and learned when it comes again"
_NOT_YET = "a rule knows it, and no incident of it is open: nothing is to be fixed yet"
_MENDED = "its fix worked a moment ago"
_RULE_GONE = "its rule is not in force any more"
_TOO_EARLY = "the wait was over before it was looked at"


@dataclass(frozen=True)
class Case:
    """An incident as it is now; its rule, None: a reload took it away; its attempts, oldest first."""

    incident: Incident
    rule: Rule | None
    attempts: Sequence[FixAttempt] = ()

    @cached_property
    def stands(self) -> str:
        """A few words. Thousands may wait for one incident: they are found once."""
        return standing_of(self.incident, self.rule, self.attempts).outcome if self.rule is not None else _RULE_GONE


@dataclass(frozen=True, slots=True)
class _Told:
    """As of Answer."""

    state: AnswerState
    detail: str
    hold: str = ""

    @property
    def final(self) -> bool:
        return self.state is not AnswerState.FIXING


def answer_of(report_id: str, placed: Sequence[Placed], cases: Mapping[str, Case], until: datetime) -> Answer:
    """`placed`: everywhere that it belongs, none: no rule knows it. `cases`: their incidents by id; one that is not in
    it is taken for one that is not there. `until`: when its sender stops waiting."""
    if not placed:
        return Answer(report_id, AnswerState.UNKNOWN, final=True, detail=_UNKNOWN)
    told = [_answer(report_id, each, cases.get(each.incident_id), until) for each in placed]
    return min(told, key=lambda each: _BEST_FIRST.index(each.state))


def late(report_id: str, last: Answer | None) -> Answer:
    """The wait is over. `last`: what was told until now, None: nothing."""
    if last is None:
        return Answer(report_id, AnswerState.LATE, final=True, detail=_TOO_EARLY)
    return replace(last, state=AnswerState.LATE, final=True, detail=f"the wait is over: {last.detail}")


def _answer(report_id: str, placed: Placed, case: Case | None, until: datetime) -> Answer:
    incident, issue = "", placed.issue_id
    if placed.mended:
        told, incident = _Told(AnswerState.FIXED, _MENDED), placed.incident_id
    elif case is not None:
        told, incident, issue = _of_incident(case, until), case.incident.id, case.incident.issue_id
    else:
        known = bool(placed.rule_id)
        told = _Told(AnswerState.KNOWN, _NOT_YET) if known else _Told(AnswerState.UNKNOWN, _UNKNOWN)
    return Answer(
        report_id,
        told.state,
        told.final,
        issue=issue,
        incident=incident,
        rule=placed.rule_id,
        hold=told.hold,
        detail=told.detail,
    )


def _of_incident(case: Case, until: datetime) -> _Told:
    incident, rule, stands = case.incident, case.rule, case.stands
    if incident.status is IncidentStatus.RESOLVED:
        well = incident.resolution is Resolution.FIXED
        return _Told(AnswerState.FIXED if well else AnswerState.UNPROVEN, stands)
    if rule is None:
        return _Told(AnswerState.KNOWN, stands, HoldReason.NO_FIX.value)
    if incident.status in UNDER_WAY:
        return _Told(AnswerState.FIXED if _passed(incident, rule) else AnswerState.FIXING, stands)
    if incident.status is IncidentStatus.FAILED and incident.hold in _OF_A_FAILURE:
        return _Told(_failed(case), stands)
    return _idle(incident, stands, until)


_OF_A_FAILURE = (None, HoldReason.COOLDOWN, HoldReason.BREAKER_OPEN)
"""Holds that come of the failure itself; any other says that its fix was asked for again since."""


def _passed(incident: Incident, rule: Rule) -> bool:
    """Its checks said that it is well, and it only has to stay so. Where nothing but silence proves a fix, nothing is
    proven before it is over."""
    checks = rule.fix is not None and bool(rule.fix.verify.probes) and is_in_force(incident.fix, rule)
    return incident.status is IncidentStatus.SETTLING and checks


def _failed(case: Case) -> AnswerState:
    steps = steps_of(case.attempts)
    unsure = bool(steps) and steps[-1].verdict is Verdict.UNKNOWN
    return AnswerState.UNPROVEN if unsure else AnswerState.NOT_FIXED


def _idle(incident: Incident, stands: str, until: datetime) -> _Told:
    """A hold that ends by itself while its sender still waits is none to them."""
    hold = incident.hold
    if hold is None:
        return _Told(AnswerState.FIXING, stands)
    if hold is HoldReason.NO_FIX:
        return _Told(AnswerState.KNOWN, stands, hold.value)
    detail = stands if hold is HoldReason.PAUSED else f"{stands}: {said(incident.hold_detail)}"
    asks_people = hold is HoldReason.AWAITING_APPROVAL
    in_time = incident.due_at is not None and incident.due_at <= until and not asks_people
    return _Told(AnswerState.FIXING if in_time else AnswerState.HELD, detail, hold.value)
