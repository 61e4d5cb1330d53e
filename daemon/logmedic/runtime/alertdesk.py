"""What people ask about alerts, and what they decide about them: acknowledged, silenced, sent again, tried."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

import structlog

from logmedic.core.stories import short
from logmedic.model.alert import AlertStatus, Receiver, Selector
from logmedic.model.alertevent import AlertEvent
from logmedic.model.changeset import Acknowledge, AddSilence, EndSilence, Resend, TestAlert
from logmedic.model.errors import NotFound, OrderRefused
from logmedic.model.notice import Notice
from logmedic.model.policy import Policy
from logmedic.model.severity import Severity
from logmedic.ports import Clock, Sender, Store
from logmedic.runtime import alertrows, alertwhy, previews
from logmedic.runtime.alertroute import route_row
from logmedic.runtime.engine import Engine
from logmedic.runtime.fixrows import Row
from logmedic.runtime.previews import as_pattern

log = structlog.get_logger("logmedic.alerts")

TEST_WAIT_S = 40.0
"""Longer than a sender's total deadline of 30 s."""
TEST_LOOK_S = 0.2
MOST_RESENT = 500
"""At once."""
INCIDENT, ISSUE, ALERT = "incident:", "issue:", "alert:"
_TEST = AlertEvent.TEST.value
RESERVED = frozenset({"host", "rule", "source", "service", "severity", "event", "incident", "issue"})
"""Labels that no capture gives."""
_ALONE = frozenset({"rules"})
"""Subjects without a name."""


class AlertDesk:
    """The part of ports.Control that is about alerts; its contracts are there."""

    def __init__(
        self,
        *,
        engine: Engine,
        store: Store,
        policy: Callable[[], Policy],
        clock: Clock,
        sender: Sender,
        receivers: Callable[[], Mapping[str, Receiver]],
        unusable: Mapping[str, str],
    ) -> None:
        """`policy`, `receivers`: those in force. `unusable`: why, by name."""
        self._engine = engine
        self._store = store
        self._policy = policy
        self._clock = clock
        self._sender = sender
        self._receivers = receivers
        self._unusable = unusable
        self._previewing = asyncio.Lock()

    async def row(self) -> Row:
        """The part of a status."""
        state, now = self._engine.state, self._clock.now()
        rows = await self.receivers()
        waiting = sum(1 for each in state.alerts.values() if each.status is not AlertStatus.DEFERRED)
        deliveries = await self._store.ask("deliveries", since=now - alertrows.DEAD_SHOWN)
        return {
            "pending": waiting,
            "deferred": len(state.alerts) - waiting,
            "dead": sum(each["n"] for each in deliveries if each["status"] == AlertStatus.DEAD.value),
            "receivers": [row for row in rows if row["state"] != alertrows.OK],
            "receivers_total": len(rows),
            "silences": sum(1 for each in state.silences.values() if each.starts_at <= now < each.until),
            "acked": sum(1 for _ in alertrows.acked(state, now)),
        }

    async def receivers(self) -> list[Row]:
        deliveries = await self._store.ask("deliveries", since=self._clock.now() - alertrows.DEAD_SHOWN)
        return alertrows.receiver_rows(
            self._engine.state, self._policy().alerts, self._receivers(), unusable=self._unusable, deliveries=deliveries
        )

    async def route_of(
        self,
        *,
        severity: str = "",
        event: str = "",
        rule: str = "",
        source: str = "",
        service: str = "",
        tags: Sequence[str] = (),
        labels: Mapping[str, str] | None = None,
        incident: str = "",
        at: datetime | None = None,
    ) -> Row:
        of = await self._store.ask("incident", incident_id=incident) if incident else {}
        meant = {"severity": severity, "event": event, "source": source, "service": service}
        silent = list(self._engine.state.silences.values())
        now = at or self._clock.now()
        return route_row(self._policy(), of, silent, now, rule=rule, tags=tags, labels=labels or {}, **meant)

    # -- acknowledging -------------------------------------------------------------------------------------------------

    async def acknowledge(self, subject: str, by: str, until: datetime | None = None) -> Row:
        found = await self._subject(subject)
        self._open(found)
        await self._engine.settled(Acknowledge(found, by, until))
        log.info("acknowledged", subject=found, by=by)
        return alertrows.notice_row(self._engine.state.notices.get(found) or self._open(found))

    async def unacknowledge(self, subject: str, by: str) -> Row:
        found = await self._subject(subject)
        if not self._open(found).acked_by:
            raise OrderRefused(f"nobody acknowledged {_named(found)}", "logmedic ack with the same acknowledges it")
        return await self.acknowledge(found, by, self._clock.now())

    async def _subject(self, asked: str) -> str:
        """Of the end of an id, or of a subject as Notice has them. Raises NotFound."""
        kind, colon, name = asked.partition(":")
        if asked in _ALONE or (colon and asked in self._engine.state.notices):
            return asked
        if colon and f"{kind}:" not in (INCIDENT, ISSUE):
            raise NotFound(f"there is no open news of {asked[:100]}", "logmedic status")
        if f"{kind}:" == ISSUE and colon:
            return ISSUE + str((await self._store.ask("issue", issue_id=name))["id"])
        try:
            return INCIDENT + str((await self._store.ask("incident", incident_id=name if colon else asked))["id"])
        except NotFound:
            if colon:
                raise
            found = [each for each in self._engine.state.notices if each.startswith(ISSUE) and each.endswith(asked)]
            if len(asked) < len(short("x" * 36)) // 2 or len(found) != 1:
                raise
            return found[0]

    def _open(self, subject: str) -> Notice:
        """What people can take care of. Raises OrderRefused."""
        notice = self._engine.state.notices.get(subject)
        if notice is not None and not notice.over:
            return notice
        if subject.startswith(INCIDENT) and subject.removeprefix(INCIDENT) in self._engine.state.incidents:
            raise OrderRefused(
                f"nobody is told of {_named(subject)}, so that there is nothing to acknowledge",
                f"logmedic show {short(subject)}",
            )
        raise OrderRefused(f"{_named(subject)} is over, or was no news", f"logmedic show {short(subject)}")

    # -- silences ------------------------------------------------------------------------------------------------------

    async def silences(self, everything: bool = False) -> list[Row]:
        now = self._clock.now()
        rows = await self._store.ask("silences", since=None if everything else now)
        return [alertrows.silence_row(row, self._engine.state.notices.values(), now) for row in rows]

    async def add_silence(
        self,
        by: str,
        why: str,
        until: datetime,
        *,
        starts_at: datetime | None = None,
        severities: Sequence[Severity] = (),
        tags: Sequence[str] = (),
        labels: Mapping[str, str] | None = None,
        incident: str = "",
        everything: bool = False,
        rehearse: bool = False,
    ) -> Row:
        now, state, policy = self._clock.now(), self._engine.state, self._policy()
        begins = max(starts_at or now, now)
        if until <= begins:
            raise OrderRefused(f"a silence until {until:%Y-%m-%d %H:%M:%S} UTC would be over as it begins", "--for 2h")
        asked = {**(await self._labels(incident) if incident else {}), **(labels or {})}
        given = AddSilence(by, why, until, begins, tuple(severities), tuple(tags), asked)
        selector = Selector(frozenset(severities), labels={name: (each,) for name, each in asked.items()})
        if not everything and not tags and alertrows.means_everything(selector, policy.alerts, policy.hostname):
            raise OrderRefused(
                "this silences everything that people could be told",
                "say what is meant (--rule, --source, --tag, --severity), or --everything",
            )
        row = previews.silence_of(given, now)
        if not rehearse:
            before = set(state.silences)
            await self._engine.settled(given)
            new = max(each for each in state.silences if each not in before)
            row = await self._store.ask("silence", silence_id=new)
            log.info("silence_added", silence=new, by=by, until=row["until"], why=why)
        return alertrows.silence_row(row, state.notices.values(), now)

    async def _labels(self, asked: str) -> dict[str, str]:
        """What news of that subject has. Of an incident: what the next one of the same trouble has as well, its rule
        and what its rule tells groups apart by; where labels cannot tell that, this incident alone."""
        subject = await self._subject(asked)
        kind, _, name = subject.partition(":")
        if f"{kind}:" != INCIDENT:
            return {kind: as_pattern(name or kind)}
        row = await self._store.ask("incident", incident_id=name)
        rule = self._policy().rules.get(row["rule_id"])
        by = rule.when.by if rule is not None else ()
        if rule is None or RESERVED.intersection(by) or not all(each in row["captures"] for each in by):
            return {"incident": as_pattern(row["id"])}
        return {"rule": as_pattern(rule.id), **{each: as_pattern(row["captures"][each]) for each in by}}

    async def end_silence(self, silence_id: str, by: str) -> Row:
        row = await self._store.ask("silence", silence_id=silence_id)
        now = self._clock.now()
        if datetime.fromisoformat(row["until"]) <= now:
            ended = f", ended by {row['ended_by']}" if row["ended_by"] else ""
            raise OrderRefused(f"silence {short(row['id'])} is over{ended}", "logmedic silence list")
        await self._engine.settled(EndSilence(row["id"], by))
        log.info("silence_ended", silence=row["id"], by=by)
        row = await self._store.ask("silence", silence_id=row["id"])
        return alertrows.silence_row(row, self._engine.state.notices.values(), now)

    # -- messages ------------------------------------------------------------------------------------------------------

    async def resend(self, ids: Sequence[str] | None, by: str) -> list[Row]:
        rows = await self._dead(ids)
        gone = sorted({row["receiver"] for row in rows} - set(self._receivers()))
        if gone and (ids is not None or len(gone) == len({row["receiver"] for row in rows})):
            raise OrderRefused(f"no receiver is called {', '.join(gone)} any more", "logmedic alerts receivers")
        chosen = tuple(row["id"] for row in rows if row["receiver"] not in gone)
        await self._engine.settled(Resend(chosen, by))
        log.info("alerts_resent", alerts=len(chosen), by=by)
        return [await self._store.ask("alert", alert_id=each) for each in chosen]

    async def _dead(self, ids: Sequence[str] | None) -> list[Row]:
        """Raises NotFound, OrderRefused."""
        if ids is None:
            rows: list[Row] = await self._store.ask("alerts", status=AlertStatus.DEAD.value, limit=MOST_RESENT)
            if not rows:
                raise OrderRefused("no message was given up", "logmedic alerts list")
            return rows
        rows = [await self._store.ask("alert", alert_id=each) for each in dict.fromkeys(ids)]
        for row in rows:
            if row["status"] != AlertStatus.DEAD.value:
                raise OrderRefused(
                    f"message {short(row['id'])} to {row['receiver']} was not given up: it is {row['status']}",
                    "logmedic alerts list --dead",
                )
        return rows

    async def preview(self, incident_id: str, event: str = "", receiver: str = "") -> list[Row]:
        row = await self._store.ask("incident", incident_id=incident_id)
        policy = previews.unsigned(self._policy())
        draft = previews.draft_of(self._engine.state, policy, self._clock.now())
        said = previews.said(draft, row, AlertEvent(event) if event else None)
        async with self._previewing:
            return await previews.rendered(draft, said, receiver, self._receivers(), self._sender)

    async def why_alert(self, asked: str) -> Row:
        draft = previews.draft_of(self._engine.state, self._policy(), self._clock.now())
        try:
            row = await self._store.ask("alert", alert_id=asked.removeprefix(ALERT))
        except NotFound:
            if asked.startswith(ALERT):
                raise
            try:
                subject = await self._subject(asked)
            except NotFound as unknown:
                raise NotFound(
                    unknown.text, "logmedic alerts list has messages, logmedic incidents --all incidents"
                ) from None
            return alertwhy.why_news(draft, subject, await self._messages_of(subject))
        return alertwhy.why_message(draft, row)

    async def _messages_of(self, subject: str) -> list[Row]:
        if not subject.startswith(INCIDENT):
            return []
        rows: list[Row] = await self._store.ask("alerts", incident=subject.removeprefix(INCIDENT))
        return rows

    async def test_alert(self, route: str = "", receiver: str = "") -> list[Row]:
        plan, before = self._policy().alerts, self._clock.now()
        names = previews.tested(plan, self._receivers(), route, receiver)
        if not names:
            return []
        await self._engine.settled(TestAlert(names))
        ends = asyncio.get_running_loop().time() + TEST_WAIT_S
        while True:
            rows = [row for row in await self._store.ask("alerts", since=before) if row["event"] == _TEST]
            tried = all(row["tries"] > 0 or row["status"] == AlertStatus.SENT.value for row in rows)
            if tried or asyncio.get_running_loop().time() > ends:
                return [_tested(row, plan.receiver(row["receiver"]).scheme) for row in reversed(rows)]
            await self._clock.sleep(TEST_LOOK_S)


def _tested(row: Row, scheme: str) -> Row:
    sent = datetime.fromisoformat(row["sent_at"]) if row["sent_at"] else None
    took = (sent - datetime.fromisoformat(row["created_at"])).total_seconds() if sent is not None else None
    told = {name: row[name] for name in ("receiver", "status", "last_error", "route")}
    return {**told, "scheme": scheme, "took_s": took}


def _named(subject: str) -> str:
    kind, _, name = subject.partition(":")
    return f"{kind} {short(name) if f'{kind}:' in (INCIDENT, ISSUE) else name}".strip()
