"""A group's time has come: its news goes through the stages, and what is left becomes one message a receiver.

The order: what is over and was told of to nobody is dropped; silence; inhibition; a fix that still works; the
escalation chain; what each receiver was told already; reminders. Digests, quiet hours, limits and breakers are each
receiver's own, and come behind (core/outbox.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property

from logmedic.core import outbox
from logmedic.core.alerting import chain, groups, paging, silences
from logmedic.core.alerting.inhibition import INCIDENT, Inhibitors
from logmedic.core.alerting.present import stories_now
from logmedic.core.alerting.routes import way_of
from logmedic.core.alerting.selecting import facts_of
from logmedic.core.alerting.writing import write
from logmedic.core.draft import Draft
from logmedic.core.durations import duration_text
from logmedic.model.alert import Route
from logmedic.model.message import MessageKind
from logmedic.model.notice import AlertGroup, Notice, Silence

AT_ONCE = 500
"""Notices that one Tick looks at, in whole groups."""


def flush_due(draft: Draft, *, reminds: bool = True) -> None:
    """The longest due first. Without `reminds` nobody is reminded, and nobody else called: what looks open may be over
    already, and only be ended with the next Tick."""
    due = sorted((each.due_at, each.key) for each in draft.groups() if each.due_at and each.due_at <= draft.now)
    stages, looked_at = Stages(draft), 0
    for _, key in due:
        group = draft.group(key)
        if group is None or looked_at >= AT_ONCE:
            continue
        looked_at += 1 + len(draft.state.members.get(key, ()))
        _flush(draft, group, stages, reminds=reminds)


@dataclass
class Stages:
    """What keeps people from being told of a notice now; looked for once a decision."""

    draft: Draft
    inhibitors: Inhibitors = field(init=False)

    def __post_init__(self) -> None:
        self.inhibitors = Inhibitors(self.draft)

    @cached_property
    def silences(self) -> list[Silence]:
        return self.draft.silences()

    def pass_(self, notice: Notice) -> tuple[Notice, datetime | None]:
        """The notice as the stages leave it (already put), and when to look at it again; None: nothing that the clock
        alone ends holds it."""
        why, by, until = "", "", None
        if (silenced := silences.silenced(self.draft, self.silences, notice)) is not None:
            why, until = silenced
        elif (found := self.inhibitors.of(notice)) is not None:
            by, why = found
        elif (held := paging.held(self.draft, notice)) is not None:
            why, until = held
        if (why, by) == (notice.suppressed, notice.suppressed_by):
            return notice, until
        passed = replace(notice, suppressed=why, suppressed_by=by)
        self.draft.put_notice(passed)
        if why:
            self.draft.tally("alerts_suppressed")
            _note(self.draft, notice, "not_told", f"{notice.event.value.replace('_', ' ')} is not told now: {why}")
        return passed, until


def _flush(draft: Draft, group: AlertGroup, stages: Stages, *, reminds: bool) -> None:
    route = draft.policy.alerts.routes.get(group.route)
    if route is None:
        _move(draft, group)
        return
    again: list[datetime] = []
    active: list[Notice] = []
    for member in draft.members(group.key):
        notice = _unacked(draft, member)
        passed, until = (notice, None) if notice.over else stages.pass_(notice)
        again += [until] if until is not None else []
        active += [] if passed.suppressed else [passed]
    round_ = _Round(draft, route, group, active)
    round_.send(chain.needs_people(active, draft.now) if reminds else [])
    _finish(draft, round_.group, route, again)


def _unacked(draft: Draft, notice: Notice) -> Notice:
    """Once an acknowledgement is over that was for a while, what is still open is news again."""
    if notice.over or not notice.acked_by or chain.is_acked(notice, draft.now):
        return notice
    _note(draft, notice, "ack_over", f"the acknowledgement of {notice.acked_by} is over, and it is still open")
    news = replace(notice, acked_by="", acked_at=None, acked_until=None, version=notice.version + 1)
    draft.put_notice(news)
    return news


def _move(draft: Draft, group: AlertGroup) -> None:
    """Its route is gone with another config: its news takes the way that it would take now."""
    plan = draft.policy.alerts
    draft.put_group(replace(group, done=True))
    for notice in draft.members(group.key):
        left = tuple(key for key in notice.groups if key != group.key)
        way = way_of(plan, facts_of(notice), (), draft.now)
        keys = [groups.key_of(plan.routes[name], notice, ()) for name in way.routes]
        moved = replace(notice, groups=tuple(dict.fromkeys((*left, *keys))), done=not left and not keys)
        draft.put_notice(moved)
        for name, key in zip(way.routes, keys, strict=True):
            groups.join(draft, plan.routes[name], key, group.title)


class _Round:
    """One look at one group: who is told of what."""

    def __init__(self, draft: Draft, route: Route, group: AlertGroup, active: Sequence[Notice]) -> None:
        self.draft = draft
        self.route = route
        self.group = group
        self.active = list(active)
        self.level_before = group.level

    def send(self, needing: Sequence[Notice]) -> None:
        """`needing`: those of which people are reminded, or for which others are called, when it is time."""
        now = self.draft.now
        remind_at = chain.reminds_at(self.route, self.group, needing)
        if needing:
            self.group = replace(self.group, level=chain.level_by(self.route, self.group, now))
        reminded = remind_at is not None and remind_at <= now
        told_anybody = on_its_way = False
        own = list(dict.fromkeys((*self.route.to, *chain.called(self.route, self.group.level))))
        for receiver in (*own, *self._others(own)):
            fresh = self._fresh(receiver, is_own=receiver in own)
            again = [each for each in needing if receiver in each.told] if reminded and receiver in own else []
            if not fresh and not again:
                continue
            on_its_way |= self._tell(receiver, fresh, again)
            told_anybody = True
        if told_anybody:
            self._told(on_its_way=on_its_way, is_reminder=reminded)

    def _others(self, own: Sequence[str]) -> list[str]:
        """Who was told through a fallback, or before the config changed: of its end alone, and once."""
        routes = self.draft.policy.alerts.routes
        found: dict[str, None] = {}
        for notice in self.active:
            elsewhere = [
                name
                for key in notice.groups
                if key != self.group.key and (other := self.draft.group(key)) is not None and other.route in routes
                for name in (*routes[other.route].to, *chain.called(routes[other.route], other.level))
            ]
            found.update((name, None) for name in notice.told if notice.over and name not in (*own, *elsewhere))
        return list(found)

    def _fresh(self, receiver: str, *, is_own: bool) -> list[Notice]:
        """What it was not told yet; of what is over only what it was told of (F75)."""
        return [
            each
            for each in self.active
            if (each.over and each.told.get(receiver, each.version) < each.version)
            or (not each.over and is_own and each.told.get(receiver, 0) < each.version)
        ]

    def _tell(self, receiver: str, fresh: Sequence[Notice], again: Sequence[Notice]) -> bool:
        """Whether it is on its way: else it waits for a digest."""
        draft, kind, note = self.draft, MessageKind.NEWS, ""
        called = chain.called(self.route, self.group.level)
        if receiver in called[len(chain.called(self.route, self.level_before)) :] and receiver not in self.route.to:
            kind = MessageKind.ESCALATION
            after = self.route.escalate[self.group.level - 1].after
            note = f"nobody acknowledged within {duration_text(after)}"
        elif not fresh:
            kind = MessageKind.REMINDER
            note = f"still open, and nobody acknowledged: reminder {self.group.reminders + 1}"
        shown = list(dict.fromkeys(each.subject for each in (*fresh, *again)))
        told = [each for each in self.active if each.subject in set(shown)]
        still_open = sum(1 for each in self.active if not each.over) - sum(1 for each in told if not each.over)
        alert = write(
            draft,
            stories_now(draft, told),
            receiver=receiver,
            route=self.route.name,
            thread=self.group.id,
            subject=self.group.title,
            kind=kind,
            still_open=still_open,
            note=note,
        )
        self._mark(receiver, told)
        on_its_way = outbox.hand_over(draft, alert)
        self.active = [draft.notice(each.subject) or each for each in self.active]  # a fallback may know it by now
        return on_its_way

    def _mark(self, receiver: str, told: Sequence[Notice]) -> None:
        told_now = {each.subject: replace(each, told={**each.told, receiver: each.version}) for each in told}
        for notice in told_now.values():
            self.draft.put_notice(notice)
            _note(self.draft, notice, "alerted", f"{notice.event.value.replace('_', ' ')} told to {receiver}")
        self.active = [told_now.get(each.subject, each) for each in self.active]

    def _told(self, *, on_its_way: bool, is_reminder: bool) -> None:
        now = self.draft.now
        called_at = self.group.called_at
        if on_its_way and called_at is None:
            called_at = now
        reminders = self.group.reminders + 1 if is_reminder else 0
        self.group = replace(self.group, sent_at=now, called_at=called_at, reminders=reminders)


def _finish(draft: Draft, group: AlertGroup, route: Route, again: list[datetime]) -> None:
    """What is over and told leaves; when the group is looked at next."""
    for notice in draft.members(group.key):
        if _is_done(notice):
            draft.put_notice(replace(notice, done=True))
    members = draft.members(group.key)
    needing = chain.needs_people(members, draft.now)
    if not needing:
        group = replace(group, level=0, called_at=None, reminders=0)
    else:
        known = (chain.next_call(route, group), chain.reminds_at(route, group, needing))
        again += [at for at in known if at is not None]
    again += [each.acked_until for each in members if each.acked_until is not None and each.acked_until > draft.now]
    if not members:
        ends = group.sent_at + route.group_interval if group.sent_at is not None else draft.now
        draft.put_group(replace(group, due_at=ends, done=ends <= draft.now))
        return
    draft.put_group(replace(group, due_at=min(again, default=None)))


def _is_done(notice: Notice) -> bool:
    """Nothing more is to be told: it is over, or was news that has no end, and whoever hears of it has heard."""
    if notice.suppressed:
        return False
    told_all = bool(notice.told) and all(version == notice.version for version in notice.told.values())
    return (notice.over and (told_all or not notice.told)) or (not notice.lasting and told_all)


def _note(draft: Draft, notice: Notice, kind: str, text: str) -> None:
    if notice.subject.startswith(INCIDENT):
        draft.event(notice.subject.removeprefix(INCIDENT), kind, text)
