"""Why people were not told of something: every stage that a piece of news passes, and every one that a message to one
receiver passes, asked as the pipeline asks it (core/alerting/flush.py, core/outbox.py). Nothing is decided."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from logmedic.core import deferring, receivers
from logmedic.core.alerting import chain, paging, silences
from logmedic.core.alerting.inhibition import INCIDENT, Inhibitors
from logmedic.core.alerting.routes import way_of
from logmedic.core.alerting.selecting import facts_of, means
from logmedic.core.draft import Draft
from logmedic.model.alert import UNDELIVERED, Alert, AlertStatus, Route
from logmedic.model.notice import AlertGroup, Notice

_SHORT = 8
"""Characters of an id's end, as people type it."""


@dataclass(frozen=True, slots=True)
class Stage:
    """`ok`: it holds nothing back. `until`: when that ends by itself. `command`: what ends it sooner, or shows more."""

    name: str
    ok: bool
    detail: str
    until: datetime | None = None
    command: str = ""


def of_notice(draft: Draft, notice: Notice) -> tuple[Stage, ...]:
    """In the order of the pipeline. `draft` is only read."""
    name = notice.subject.removeprefix(INCIDENT)[-_SHORT:] if notice.subject.startswith(INCIDENT) else notice.subject
    return (
        _route(draft, notice, name),
        _silence(draft, notice),
        _inhibition(draft, notice),
        _page_after(draft, notice, name),
        _ack(draft, notice, name),
        *of_groups(draft, notice),
    )


def of_groups(draft: Draft, notice: Notice) -> tuple[Stage, ...]:
    """By route: its group, its receivers, and when people are told again."""
    return tuple(stage for key in notice.groups for stage in _of_group(draft, notice, key))


def _route(draft: Draft, notice: Notice, name: str) -> Stage:
    names = [group.route for key in notice.groups if (group := draft.group(key)) is not None]
    if not names:
        names = list(way_of(draft.policy.alerts, facts_of(notice), (), draft.now).routes)
    if not names:
        return Stage("route", False, "no route takes it", command=f"logmedic alerts route --incident {name}")
    return Stage("route", True, ", ".join(dict.fromkeys(names)))


def _silence(draft: Draft, notice: Notice) -> Stage:
    found = silences.silenced(draft, draft.silences(), notice)
    if found is None:
        return Stage("silence", True, "none means it")
    return Stage("silence", False, found[0], found[1], "logmedic silence list")


def _inhibition(draft: Draft, notice: Notice) -> Stage:
    found = Inhibitors(draft).of(notice)
    if found is None:
        return Stage("inhibition", True, "nothing is told instead of it")
    by, why = found
    shown = by.removeprefix(INCIDENT)[-_SHORT:]
    return Stage("inhibition", False, why, command=f"logmedic show {shown}" if by.startswith(INCIDENT) else "")


def _page_after(draft: Draft, notice: Notice, name: str) -> Stage:
    held = paging.held(draft, notice)
    if held is None:
        return Stage("page_after", True, "no fix is given time first")
    return Stage("page_after", False, held[0], held[1], f"logmedic show {name}")


def _ack(draft: Draft, notice: Notice, name: str) -> Stage:
    if not chain.is_acked(notice, draft.now):
        return Stage("ack", True, "nobody acknowledged it")
    detail = f"acknowledged by {notice.acked_by}: no reminder, and nobody else is called"
    return Stage("ack", False, detail, notice.acked_until, f"logmedic ack {name} --undo")


# -- one route ---------------------------------------------------------------------------------------------------------


def _of_group(draft: Draft, notice: Notice, key: str) -> Iterator[Stage]:
    group = draft.group(key)
    route = draft.policy.alerts.routes.get(group.route) if group is not None else None
    if group is None or route is None:
        return
    own = list(dict.fromkeys((*route.to, *chain.called(route, group.level))))
    news = [name for name in own if notice.told.get(name, 0) < notice.version]
    yield _group(draft, notice, group, route, news)
    for name in own:
        yield _receiver(draft, notice, name)
    yield from _later(draft, notice, group, route)


def _group(draft: Draft, notice: Notice, group: AlertGroup, route: Route, news: Sequence[str]) -> Stage:
    """`news`: receivers who do not know the last of it."""
    if not news or notice.suppressed or group.due_at is None or group.due_at <= draft.now:
        return Stage(f"group of {route.name}", True, "it does not wait for others of its group")
    if group.sent_at is None:
        waits = f"what else comes of its group is told with it (group_wait {_span(route.group_wait.total_seconds())})"
        return Stage("group_wait", False, waits, group.due_at)
    waits = f"its group was told already (group_interval {_span(route.group_interval.total_seconds())})"
    return Stage("group_interval", False, waits, group.due_at)


def _receiver(draft: Draft, notice: Notice, name: str) -> Stage:
    stage = f"receiver {name}"
    waiting = [
        each
        for each in draft.alerts()
        if each.receiver == name and each.status in UNDELIVERED and notice.subject in each.tells
    ]
    if waiting:
        found = of_alert(draft, max(waiting, key=lambda each: (each.created_at, each.id)))[-1]
        return Stage(stage, found.ok, f"{found.name}: {found.detail}", found.until, found.command)
    dead = [each for each in draft.state.dead.values() if each.receiver == name and notice.subject in each.tells]
    if dead:
        last = max(dead, key=lambda each: (each.created_at, each.id))
        return Stage(
            stage, False, f"given up: {last.last_error}", command=f"logmedic alerts resend {last.id[-_SHORT:]}"
        )
    told = notice.told.get(name, 0)
    if not told:
        return Stage(stage, False, "not told of it yet")
    return Stage(stage, True, "told" if told >= notice.version else "told of it, and not of the last news")


def _later(draft: Draft, notice: Notice, group: AlertGroup, route: Route) -> Iterator[Stage]:
    """When people are told again, and who is called next: of what somebody was told of, and nobody takes care of."""
    needing = chain.needs_people([notice], draft.now)
    if not needing:
        return
    reminds = chain.reminds_at(route, group, needing)
    if reminds is None:
        yield Stage("repeat", False, f"{route.name} does not tell it again (repeat_every)")
    elif reminds > draft.now:
        yield Stage("repeat", False, "told already; not again before repeat_every is over", reminds)
    calls = chain.next_call(route, group)
    if calls is not None and calls > draft.now:
        whom = ", ".join(route.escalate[group.level].to)
        yield Stage("escalation", False, f"{whom} is called when nobody acknowledged by then", calls)


# -- one message -------------------------------------------------------------------------------------------------------


def of_alert(draft: Draft, alert: Alert) -> tuple[Stage, ...]:
    """The stages of its receiver, the one that holds it back last; of what is over only that."""
    name = alert.id[-_SHORT:]
    match alert.status:
        case AlertStatus.SENT:
            again = f" after {alert.tries} tries" if alert.tries > 1 else ""
            return (Stage("sent", True, f"it arrived{again}"),)
        case AlertStatus.FOLDED:
            into = alert.folded_into[-_SHORT:]
            return (Stage("digest", True, f"it was told in {into}", command=f"logmedic why {into}"),)
        case AlertStatus.DEAD:
            detail = f"given up after {alert.tries} tries: {alert.last_error}" if alert.tries else alert.last_error
            return (Stage("dead", False, detail, command=f"logmedic alerts resend {name}"),)
        case AlertStatus.SENDING:
            return (Stage("sending", True, "it is on its way"),)
    return _waits(draft, alert)


def _waits(draft: Draft, alert: Alert) -> tuple[Stage, ...]:
    stages = [*_deferring(draft, alert), *_outbox(draft, alert)]
    held = [each for each in stages if not each.ok]
    free = [each for each in stages if each.ok]
    last = held[:1] or [Stage("turn", True, "nothing holds it: it is sent next")]
    return (*free, *held[1:], *last)


def _deferring(draft: Draft, alert: Alert) -> Iterator[Stage]:
    """As core/deferring.py asks."""
    plan = draft.policy.alerts.receiver(alert.receiver)
    if plan.digest is not None and alert.status is AlertStatus.DEFERRED and _is_for_digest(draft, alert):
        yield Stage("digest", False, f"{alert.receiver} gets it in its digest", alert.next_at)
    quiet = deferring.quiet_until(draft, alert)
    if quiet is not None:
        yield Stage("quiet hours", False, f"{alert.receiver} has quiet hours", quiet)
    room = deferring.no_room_until(draft, plan)
    if room is not None:
        yield Stage("limit", False, f"{alert.receiver} was told {plan.max_per_hour} times in an hour", room)


def _is_for_digest(draft: Draft, alert: Alert) -> bool:
    digest = draft.policy.alerts.receiver(alert.receiver).digest
    notices = [notice for subject in alert.tells if (notice := draft.notice(subject)) is not None]
    return digest is not None and all(means(digest.of, facts_of(each), draft.now) for each in notices)


def _outbox(draft: Draft, alert: Alert) -> Iterator[Stage]:
    """As core/outbox.py asks."""
    state, name = draft.receiver_state(alert.receiver), alert.receiver
    if receivers.is_gone(draft.policy.alerts, name):
        yield Stage("receiver", False, f"the configuration has no {name}", command="logmedic alerts receivers")
    if state.disabled:
        yield Stage("receiver", False, f"{name} refuses: {state.disabled}", command=f"logmedic alerts test {name}")
    if state.open_until is not None:
        detail = f"{name} failed {state.failures} times in a row: {state.last_error}"
        until = state.open_until if state.open_until > draft.now else None  # a trial is due
        yield Stage("breaker", False, detail, until, f"logmedic alerts test {name}")
    if state.wait_until is not None and state.wait_until > draft.now:
        yield Stage("receiver", False, f"{name} asked to be left alone (Retry-After)", state.wait_until)
    if alert.tries and alert.next_at > draft.now:
        yield Stage("retry", False, f"it failed {alert.tries} times: {alert.last_error}", alert.next_at)
    others = (each for each in draft.alerts() if each.receiver == name and each.status is AlertStatus.SENDING)
    if (other := next(others, None)) is not None:
        yield Stage("turn", False, f"{other.id[-_SHORT:]} is on its way to {name}, one at a time")
    if alert.status is AlertStatus.DEFERRED and alert.next_at > draft.now:
        yield Stage("digest", False, "it is told together with others", alert.next_at)


def _span(seconds: float) -> str:
    return f"{seconds:g} s" if seconds < 120 else f"{seconds / 60:g} min"
