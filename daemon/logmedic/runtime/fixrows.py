"""How fixes stand, as rows: how far each is trusted and what it earned, what holds all of them, what holds one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, fields, replace
from datetime import datetime
from enum import Enum
from typing import Any

from logmedic.core import maintenance, trust
from logmedic.core.draft import Draft
from logmedic.core.earned import plan
from logmedic.core.holds import Check, every_hold
from logmedic.core.ladder import ranked
from logmedic.core.targets import fingerprint
from logmedic.model.fix import Breaker
from logmedic.model.issue import HoldReason, Incident
from logmedic.model.need import Need
from logmedic.model.notice import Silence
from logmedic.model.policy import MaintenanceWindow, Policy
from logmedic.model.rule import Mode, Rule
from logmedic.model.state import EngineState
from logmedic.model.trust import Pause, Trust

Row = dict[str, Any]


def iso(at: datetime | None) -> str | None:
    return at.isoformat().replace("+00:00", "Z") if at else None


def row_of(entity: Breaker | Trust | Pause | Silence | Need) -> Row:
    """Its fields, JSON-ready."""
    return {each.name: _plain(getattr(entity, each.name)) for each in fields(entity)}


def _plain(value: Any) -> Any:
    match value:
        case datetime():
            return iso(value)
        case Enum():
            return value.value
        case tuple():
            return list(value)
    return value


def trust_rows(state: EngineState, policy: Policy, now: datetime) -> list[Row]:
    """As ports.Control.trust."""
    fixed = {rule_id: rule for rule_id, rule in policy.rules.items() if rule.fix is not None}
    names = sorted({*fixed, *state.trust})
    return [trust_row(state, policy, now, rule_id) for rule_id in names]


def trust_row(state: EngineState, policy: Policy, now: datetime, rule_id: str) -> Row:
    """Of a rule that is in force and has a fix, or that something is remembered of."""
    known, rule = state.trust.get(rule_id), policy.rules.get(rule_id)
    if rule is None or rule.fix is None:
        assert known is not None  # noqa: S101  see above
        return {**row_of(known), "mode": None, "whose": "", "graduate_after": 0, "in_force": False}
    fix = rule.fix
    level = trust.level_of(rule, known, policy)
    free = trust.level_of(rule, known, replace(policy, mode=Mode.AUTO))
    row = row_of(known or Trust(rule_id, fix.mode, fix.mode, now, fix=fingerprint(fix)))
    if known is None:
        row["since"] = None
    elif known.fix != fingerprint(fix):
        row |= {"wins": 0, "losses": 0, "streak": 0, "recent": [], "proposed": None}
    return {
        **row,
        "level": free.mode.value,
        "given": fix.mode.value,
        "mode": level.mode.value,
        "whose": level.whose,
        "graduate_after": fix.graduate_after,
        "in_force": True,
    }


def rank_rows(state: EngineState, policy: Policy, rule: Rule, now: datetime) -> list[Row]:
    """Of the steps of its fix, in the order in which they would be tried; every field of core.earned.Rank, and `rung`
    and `choice` (whether it is one of several)."""
    if rule.fix is None:
        return []
    found = ranked(_asking(state, policy, now), rule)
    rungs = [each.rung for each in rule.fix.steps]
    return [
        {**asdict(found[step]), "rung": rungs[step], "choice": rungs.count(rungs[step]) > 1}
        for step in plan(rule.fix, found)
    ]


def breaker_rows(breakers: Iterable[Breaker]) -> list[Row]:
    return [row_of(each) for each in sorted(breakers, key=lambda each: each.key)]


def pauses_on(state: EngineState, now: datetime) -> list[Pause]:
    return [each for each in state.pauses.values() if each.on and (each.until is None or now < each.until)]


def open_windows(policy: Policy, now: datetime) -> list[Row]:
    """Maintenance windows that are open: name, until, rules, tags."""
    anything = next(iter(policy.rules.values()), None)
    if anything is None:
        return []
    rows = []
    for each in policy.maintenance:
        found = maintenance.open_window([_of_every_rule(each)], anything, now)
        if found is not None:
            rows.append({"name": each.name, "until": iso(found[1]), "rules": list(each.rules), "tags": list(each.tags)})
    return rows


def _of_every_rule(window: MaintenanceWindow) -> MaintenanceWindow:
    return replace(window, rules=(), tags=())


def check_rows(state: EngineState, policy: Policy, incident: Incident, rule: Rule, now: datetime) -> list[Row]:
    """What the governor says of the fix of `incident` now. Nothing comes of it. Keys: name, ok, reason (None when it is
    no obstacle), detail, until."""
    rows = [_check_row(each) for each in every_hold(_asking(state, policy, now), incident, rule)]
    return [_unasked(row, incident) if row["reason"] == HoldReason.AWAITING_APPROVAL.value else row for row in rows]


def _unasked(row: Row, incident: Incident) -> Row:
    """The governor tells until when one would have to answer. Nobody is asked once it was rejected, and nobody yet
    while something else holds it."""
    if incident.hold is HoldReason.AWAITING_APPROVAL:
        return row
    if incident.hold is HoldReason.REJECTED:
        return {**row, "reason": HoldReason.REJECTED.value, "detail": incident.hold_detail, "until": None}
    return {**row, "detail": "nobody was asked yet", "until": None}


def _asking(state: EngineState, policy: Policy, now: datetime) -> Draft:
    """Nothing is written to it."""
    return Draft(state, policy, now, lambda: "")


def _check_row(check: Check) -> Row:
    held = check.held
    return {
        "name": check.name,
        "ok": held is None,
        "reason": held.reason.value if held is not None else None,
        "detail": check.detail,
        "until": iso(held.until) if held is not None else None,
    }
