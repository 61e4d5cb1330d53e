"""What people ask about fixes, and what they decide about them: breakers, trust, the kill switch, dry runs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime

import structlog

from logmedic.core.captures import accept
from logmedic.core.secrets import masked
from logmedic.core.stories import short
from logmedic.core.targets import argv_of, filled, used_captures
from logmedic.model.changeset import Approve, Input, PauseFixes, Reject, ResetBreaker, ResumeFixes, SetTrust
from logmedic.model.circuit import BreakerStatus
from logmedic.model.errors import NotFound, OrderRefused
from logmedic.model.fix import Breaker
from logmedic.model.issue import UNDER_WAY, HoldReason, Incident, IncidentStatus
from logmedic.model.match import Capture
from logmedic.model.policy import Policy
from logmedic.model.rule import Fix, Mode, Rule
from logmedic.model.step import Step
from logmedic.model.trust import PauseOrigin
from logmedic.ports import Clock, FixRunner, Store
from logmedic.runtime.engine import Engine
from logmedic.runtime.fixrows import (
    Row,
    breaker_rows,
    check_rows,
    iso,
    open_windows,
    pauses_on,
    rank_rows,
    row_of,
    trust_row,
    trust_rows,
)

log = structlog.get_logger("logmedic.fixes")

CHANGES_SHOWN = 20
"""Of the trust in one rule."""


class FixDesk:
    """The part of ports.Control that is about fixes; its contracts are there."""

    def __init__(
        self, *, engine: Engine, store: Store, policy: Callable[[], Policy], runner: FixRunner, clock: Clock
    ) -> None:
        """`policy`: the one in force."""
        self._engine = engine
        self._store = store
        self._policy = policy
        self._runner = runner
        self._clock = clock
        self._rehearsing = asyncio.Lock()

    def row(self) -> Row:
        """The part of a status: what holds every fix, and what waits for a decision."""
        state, policy, now = self._engine.state, self._policy(), self._clock.now()
        return {
            "pauses": [row_of(each) for each in pauses_on(state, now)],
            "maintenance": open_windows(policy, now),
            "proposals": [row for row in trust_rows(state, policy, now) if row["proposed"] and row["in_force"]],
        }

    async def approve(self, incident_id: str, by: str, ask: str = "") -> Row:
        return await self._answered(incident_id, lambda full: Approve(full, by, ask))

    async def reject(self, incident_id: str, by: str, ask: str = "") -> Row:
        return await self._answered(incident_id, lambda full: Reject(full, by, ask))

    async def _answered(self, incident_id: str, make: Callable[[str], Input]) -> Row:
        row: Row = await self._store.ask("incident", incident_id=incident_id)
        full = row["id"]
        if says := self._not_awaited(self._engine.state.incidents.get(full), row):
            raise OrderRefused(
                f"no fix of incident {short(full)} waits for approval: {says}", f"logmedic why {short(full)}"
            )
        await self._engine.settled(make(full))
        answered: Row = await self._store.ask("incident", incident_id=full)
        return answered

    def _not_awaited(self, incident: Incident | None, row: Row) -> str:
        """Why an answer would come to nothing. Empty: it is waited for."""
        if incident is None or incident.status is IncidentStatus.RESOLVED:
            return f"it is over ({row['resolution_notes']})"
        if incident.status in UNDER_WAY:
            return "it is under way"
        if incident.rule_id not in self._policy().rules:
            return f"rule {incident.rule_id} is not in force any more"
        if incident.hold is HoldReason.REJECTED:
            return _asked_again(incident)
        if incident.hold is not HoldReason.AWAITING_APPROVAL:
            return incident.hold_detail or _note_of(incident)
        late = incident.due_at is not None and self._clock.now() >= incident.due_at
        return "the approval expired; the next match asks again" if late else ""

    async def reset_breaker(self, rule_id: str, by: str, target: str = "") -> list[Row]:
        mine = self._breakers_of(rule_id, target)
        worn = [each for each in mine if each.status is not BreakerStatus.CLOSED or each.failures or each.streak]
        if not worn:
            raise OrderRefused(f"the breakers of {rule_id} are closed and count no failure", "logmedic breakers")
        for each in worn:
            await self._engine.settled(ResetBreaker(each.key, by))
        log.info("breaker_reset", rule=rule_id, by=by)
        return breaker_rows(self._breakers_of(rule_id, target))

    def _breakers_of(self, rule_id: str, target: str) -> list[Breaker]:
        """Raises NotFound."""
        mine = [each for each in self._engine.state.breakers.values() if each.rule_id == rule_id]
        if not mine:
            raise NotFound(f"rule {rule_id[:80]} has no breaker: nothing went wrong with its fix", "logmedic breakers")
        chosen = [each for each in mine if target in ("", each.target)]
        if not chosen:
            there = ", ".join(sorted({each.target for each in mine})[:5])
            raise NotFound(f"rule {rule_id} has no breaker of {target[:80]}", f"it has: {there}")
        return chosen

    def trust(self) -> list[Row]:
        return trust_rows(self._engine.state, self._policy(), self._clock.now())

    async def trust_of(self, rule_id: str) -> Row:
        state, policy, now = self._engine.state, self._policy(), self._clock.now()
        if rule_id not in state.trust:
            self._fix_of(rule_id)
        rule = policy.rules.get(rule_id)
        return {
            **trust_row(state, policy, now, rule_id),
            "steps": rank_rows(state, policy, rule, now) if rule is not None else [],
            "changes": await self._store.ask("trust_changes", rule=rule_id, limit=CHANGES_SHOWN),
        }

    async def set_trust(self, rule_id: str, level: Mode, by: str, why: str) -> Row:
        rule, fix = self._fix_of(rule_id)
        before = trust_row(self._engine.state, self._policy(), self._clock.now(), rule_id)
        if level.value == before["level"] and not before["proposed"]:
            raise OrderRefused(f"{rule_id} is trusted with {level} already", f"logmedic trust history {rule_id}")
        if level.rank > fix.mode.rank and not fix.graduate_after:
            raise OrderRefused(
                f"{rule_id} cannot be trusted with {level}: its file says mode: {fix.mode}, and not graduate_after",
                f"write graduate_after: 5, or mode: {level}, in {rule.file}:{rule.line}, then: logmedic reload",
            )
        await self._engine.settled(SetTrust(rule_id, level, by, why))
        log.info("trust_set", rule=rule_id, trust=level.value, by=by)  # `level` is that of the log
        return await self.trust_of(rule_id)

    async def pause(self, by: str, *, why: str = "", until: datetime | None = None, stop: bool = False) -> Row:
        await self._engine.settled(PauseFixes(PauseOrigin.OPERATOR, by, why, until, stop))
        log.info("fixes_paused", by=by, why=why, until=iso(until))
        return self._pauses()

    async def resume(self, by: str) -> Row:
        on = {each.origin: each for each in pauses_on(self._engine.state, self._clock.now())}
        if not on:
            raise OrderRefused("fixes are not paused", "logmedic status says whether they are armed")
        if PauseOrigin.OPERATOR not in on:
            path = on[PauseOrigin.FILE].by.removeprefix("file ")
            raise OrderRefused(f"fixes are paused by the file {path}", f"rm {path}")
        await self._engine.settled(ResumeFixes(PauseOrigin.OPERATOR, by))
        log.info("fixes_resumed", by=by)
        return self._pauses()

    def _pauses(self) -> Row:
        on = [row_of(each) for each in pauses_on(self._engine.state, self._clock.now())]
        return {"paused": bool(on), "pauses": on}

    async def why(self, incident_id: str) -> Row:
        row: Row = await self._store.ask("incident", incident_id=incident_id)
        state, policy = self._engine.state, self._policy()
        incident, rule = state.incidents.get(row["id"]), policy.rules.get(row["rule_id"])
        if incident is None or incident.status is IncidentStatus.RESOLVED:
            return {"incident": row, "note": "it is over", "checks": []}
        if rule is None:
            return {"incident": row, "note": f"rule {row['rule_id']} is not in force any more", "checks": []}
        checks = check_rows(state, policy, incident, rule, self._clock.now())
        return {"incident": row, "note": _note_of(incident), "checks": checks}

    async def rehearse(self, rule_id: str, captures: Mapping[str, str]) -> Row:
        rule, fix = self._fix_of(rule_id)
        given = _accepted(rule, fix, captures)
        async with self._rehearsing:
            rows = [await self._rehearsed(filled(step, given)) for step in fix.steps]
        return {"rule": rule_id, "captures": given, "steps": rows}

    async def _rehearsed(self, step: Step) -> Row:
        result = await self._runner.rehearse(step)
        return {
            "step": step.name,
            "rung": step.rung,
            "argv": list(argv_of(step.action)),
            "ok": result.ok,
            "started": result.started,
            "exit_code": result.exit_code,
            "duration_s": result.duration_s,
            "sandbox": result.sandbox,
            "output": masked(result.output),
            "detail": masked(result.detail),
        }

    def _fix_of(self, rule_id: str) -> tuple[Rule, Fix]:
        """Raises NotFound, OrderRefused."""
        rule = self._policy().rules.get(rule_id)
        if rule is None:
            raise NotFound(f"no rule that is in force is called {rule_id[:80]}", "logmedic rules list; logmedic reload")
        if rule.fix is None:
            raise OrderRefused(f"rule {rule_id} has no fix", "logmedic trust lists those that have one")
        return rule, rule.fix


def _note_of(incident: Incident) -> str:
    if incident.status in UNDER_WAY:
        return f"its fix is under way ({incident.status.value}); what is said below is about another one now"
    if incident.status is IncidentStatus.FAILED:
        return "its fix did not hold: people are needed"
    return _asked_again(incident) if incident.hold is HoldReason.REJECTED else ""


def _asked_again(incident: Incident) -> str:
    return f"{incident.hold_detail}; the next match asks again"


def _accepted(rule: Rule, fix: Fix, captures: Mapping[str, str]) -> dict[str, str]:
    """Those that a line of the rule could give (I7). Raises NotFound for one that it could not, OrderRefused when one
    is missing that the fix is filled with."""
    specs: dict[str, Capture] = {}
    for _, spec in rule.parts:
        specs.update(spec.captures)
    for name, value in captures.items():
        if name not in specs:
            known = ", ".join(specs) or "none"
            raise NotFound(f"rule {rule.id} has no capture `{name[:40]}`", f"it has: {known}")
        if accept(value, specs[name]) is None:
            raise NotFound(f"rule {rule.id} matches no line with such a `{name}`", "see: logmedic rules explain LINE")
    missing = [name for name in used_captures(fix) if name in specs and name not in captures]
    if missing:
        told = " ".join(f"--capture {name}=VALUE" for name in missing)
        raise OrderRefused(f"the fix of {rule.id} is filled with {', '.join(missing)}", f"give it: {told}")
    return dict(captures)
