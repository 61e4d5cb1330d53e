"""What the links of messages show and do: each does its own thing, once, and whoever used it is recorded."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta, tzinfo
from typing import Any, Protocol

import structlog

from logmedic.core.links import ALLOWED, Claims, Purpose
from logmedic.core.moments import moment_text
from logmedic.core.shellwords import command, short
from logmedic.model.errors import OrderRefused
from logmedic.model.issue import UNDER_WAY
from logmedic.model.policy import Policy
from logmedic.model.rule import Rule
from logmedic.ports import Clock, Store
from logmedic.runtime.engine import Engine
from logmedic.runtime.linkrows import Refusal, Row, acknowledged, answer_to, over, page_row, said, unanswerable

log = structlog.get_logger("logmedic.links")

_WORDS = {
    Purpose.VIEW: "looking at an incident",
    Purpose.APPROVE: "approving or rejecting a fix",
    Purpose.REJECT: "rejecting a fix",
    Purpose.ACK: "acknowledging an incident",
    Purpose.SILENCE: "silencing an incident",
}
_COMMANDS = {
    Purpose.VIEW: ("show",),
    Purpose.APPROVE: ("approve",),
    Purpose.REJECT: ("reject",),
    Purpose.ACK: ("ack",),
    Purpose.SILENCE: ("show",),
}


class Fixes(Protocol):
    """The part of ports.Control that links need of fixes, for one request (`ask`: see core/links.py)."""

    async def approve(self, incident_id: str, by: str, ask: str) -> dict[str, Any]: ...

    async def reject(self, incident_id: str, by: str, ask: str) -> dict[str, Any]: ...


class Alerts(Protocol):
    """The part of ports.Control that links need of alerts."""

    async def acknowledge(self, subject: str, by: str, until: datetime | None = None) -> dict[str, Any]: ...

    async def add_silence(self, by: str, why: str, until: datetime, *, incident: str = "") -> dict[str, Any]: ...


class IncidentLinks:
    """Implements ports.LinkDesk."""

    def __init__(
        self,
        *,
        engine: Engine,
        store: Store,
        policy: Callable[[], Policy],
        fixes: Fixes,
        alerts: Alerts,
        clock: Clock,
    ) -> None:
        """`policy`: the one in force."""
        self._engine = engine
        self._store = store
        self._policy = policy
        self._fixes = fixes
        self._alerts = alerts
        self._clock = clock
        self._acting = asyncio.Lock()  # two clicks at once: the second one sees what the first one did

    async def view(self, claims: Claims) -> Row:
        row = await self._row(claims)
        policy, now = self._policy(), self._clock.now()
        refusals = {each: self._refusal(claims, each, row) for each in Purpose if each in ALLOWED[claims.purpose]}
        refused = next((each for each in refusals.values() if each is not None), None)
        page = page_row(
            claims,
            row,
            self._rule_of(row),
            host=policy.hostname,
            zone=self._zone(claims),
            now=now,
            command_words=command(*_COMMANDS[claims.purpose], short(row["id"])),
        )
        return {
            **page,
            "allowed": [each.value for each, why in refusals.items() if why is None],
            "refused": self._said(claims, refused) if refused is not None else None,
        }

    async def act(
        self, claims: Claims, asked: Purpose, by: str, *, lasts: timedelta | None = None, why: str = ""
    ) -> Row:
        if asked not in ALLOWED[claims.purpose]:
            raise OrderRefused(
                f"this link is for {_WORDS[claims.purpose]}", "open the link of the message that is meant"
            )
        async with self._acting:
            row = await self._row(claims)
            refused = self._refusal(claims, asked, row) or await self._carried_out(claims, asked, by, row, lasts, why)
        page = await self.view(claims)
        if refused is not None:
            return {**page, "outcome": {"done": False, **self._said(claims, refused)}}
        log.info("link_used", purpose=asked.value, incident=short(row["id"]), by=by)
        return {**page, "outcome": {"done": True, **self._said(claims, self._done(asked, page, claims, lasts))}}

    async def _carried_out(
        self, claims: Claims, asked: Purpose, by: str, row: Row, lasts: timedelta | None, why: str
    ) -> Refusal | None:
        """None: it is done, and committed."""
        until = self._clock.now() + lasts if lasts is not None else None
        try:
            match asked:
                case Purpose.APPROVE:
                    await self._fixes.approve(row["id"], by, claims.ask)
                    return await self._not_taken(claims, "approved", by, row)
                case Purpose.REJECT:
                    await self._fixes.reject(row["id"], by, claims.ask)
                    return await self._not_taken(claims, "rejected", by, row)
                case Purpose.ACK:
                    await self._alerts.acknowledge(f"incident:{row['id']}", by, until)
                case Purpose.SILENCE if until is not None:
                    if (before := self._silenced(by, why)) is not None:
                        return before
                    await self._alerts.add_silence(by, why, until, incident=row["id"])
        except OrderRefused as error:
            return Refusal(error.text, error.hint)
        return None

    async def _not_taken(self, claims: Claims, kind: str, by: str, before: Row) -> Refusal | None:
        """Between the look and the decision another answer, a match or a reload may have come."""
        after = await self._row(claims)
        known, last = answer_to(before, kind), answer_to(after, kind)
        if last is not None and last["text"] == f"{kind} by {by}" and (known is None or last["id"] != known["id"]):
            return None
        why = self._refusal(claims, Purpose.APPROVE, after)
        return why or Refusal("it was not taken", "look at what it says now, and decide again")

    def _refusal(self, claims: Claims, asked: Purpose, row: Row) -> Refusal | None:
        match asked:
            case Purpose.APPROVE | Purpose.REJECT:
                incident = self._engine.state.incidents.get(row["id"])
                return unanswerable(claims, row, incident, self._rule_of(row))
            case Purpose.ACK:
                return over(row) or acknowledged(row, self._clock.now())
            case Purpose.SILENCE:
                return over(row)
        return None

    def _silenced(self, by: str, why: str) -> Refusal | None:
        """The same form was sent before."""
        now = self._clock.now()
        for each in self._engine.state.silences.values():
            if (each.by, each.why) == (by, why) and now < each.until:
                return Refusal(f"already silenced by {by}, until {moment_text(each.until)}", "nothing is needed")
        return None

    def _done(self, asked: Purpose, page: Row, claims: Claims, lasts: timedelta | None) -> Refusal:
        until = f"until {moment_text(self._clock.now() + lasts)}" if lasts is not None else "until it is over"
        match asked:
            case Purpose.APPROVE:
                incident = self._engine.state.incidents.get(claims.incident_id)
                runs = incident is not None and incident.status in UNDER_WAY
                begins = "its fix begins now" if runs else f"{page['state'][:1].lower()}{page['state'][1:]}"
                return Refusal(f"approved: {begins}", "this page shows how it goes; nothing else is needed")
            case Purpose.REJECT:
                return Refusal("rejected: its fix does not run", "repair it by hand; the next match asks again")
            case Purpose.ACK:
                return Refusal(f"acknowledged {until}: nobody is reminded, and nobody else is called", "now repair it")
        return Refusal(f"silenced {until}: nobody is told of it", "fixes go on as before; see: logmedic silence list")

    async def _row(self, claims: Claims) -> Row:
        row: Row = await self._store.ask("incident", incident_id=claims.incident_id)
        return row

    def _rule_of(self, row: Row) -> Rule | None:
        return self._policy().rules.get(row["rule_id"])

    def _said(self, claims: Claims, refusal: Refusal) -> Row:
        return said(refusal, self._zone(claims))

    def _zone(self, claims: Claims) -> tzinfo | None:
        return self._policy().alerts.receiver(claims.receiver).zone
