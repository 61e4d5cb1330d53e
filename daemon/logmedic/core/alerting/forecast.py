"""What would become of a piece of news: the way that it takes, and when each receiver would hear of it. For people who
want to know before it happens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from logmedic.core import deferring
from logmedic.core.alerting import silences
from logmedic.core.alerting.routes import Way, way_of
from logmedic.core.alerting.selecting import facts_of, means
from logmedic.core.draft import Draft
from logmedic.model.alert import Alert, Route
from logmedic.model.notice import Notice, Silence
from logmedic.model.policy import Policy
from logmedic.model.state import EngineState

REMINDERS_TOLD = 4


@dataclass(frozen=True, slots=True)
class Told:
    """`at`: as soon as it can be. `why`: what it waits for then; empty: for nothing."""

    receiver: str
    at: datetime
    why: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """A link of a chain: who is called as well, so long after the first message, when nobody acknowledges."""

    after: timedelta
    told: tuple[Told, ...]


@dataclass(frozen=True, slots=True)
class Leg:
    """One route. `group`: the labels by which it is told together, with their values; empty: it is told alone.
    `reminders`: when those of `told` would be told again, counted from the first message; the first few."""

    route: Route
    group: Mapping[str, str]
    told: tuple[Told, ...]
    calls: tuple[Call, ...]
    reminders: tuple[timedelta, ...]


@dataclass(frozen=True, slots=True)
class Forecast:
    """`silenced`: why nobody is told, for people; empty: no silence means it."""

    way: Way
    legs: tuple[Leg, ...]
    silenced: str = ""
    silenced_until: datetime | None = None


def forecast(
    policy: Policy,
    notice: Notice,
    now: datetime,
    *,
    named: Sequence[str] = (),
    group_by: Sequence[str] = (),
    silent: Sequence[Silence] = (),
) -> Forecast:
    """`named`, `group_by`: as its rule says. `silent`: silences that are known. What only a running daemon knows, how
    receivers do and what else is open, is left out."""
    draft = _draft(policy, notice, now)
    way = way_of(policy.alerts, facts_of(notice), named, now)
    silenced = silences.silenced(draft, [each for each in silent if now < each.until], notice)
    why, until = silenced or ("", None)
    legs = tuple(_leg(policy, policy.alerts.routes[name], notice, group_by, now) for name in way.routes)
    return Forecast(way, legs, why, until)


def _leg(policy: Policy, route: Route, notice: Notice, group_by: Sequence[str], now: datetime) -> Leg:
    names = ("rule", *group_by) if group_by else route.group_by
    group = {name: notice.labels.get(name, "") for name in names}
    first = now + route.group_wait
    return Leg(
        route=route,
        group=group if any(group.values()) else {},
        told=tuple(_told(policy, name, notice, first) for name in route.to),
        calls=tuple(
            Call(each.after, tuple(_told(policy, name, notice, first + each.after) for name in each.to))
            for each in route.escalate
        ),
        reminders=_reminders(route, notice),
    )


def _reminders(route: Route, notice: Notice) -> tuple[timedelta, ...]:
    """As core/alerting/chain.py counts them."""
    own = timedelta(seconds=notice.repeat_s) if notice.repeat_s is not None else route.repeat_every
    found: list[timedelta] = []
    wait = own or timedelta(0)
    longest = max(wait, route.repeat_max)
    while wait and len(found) < REMINDERS_TOLD:
        found.append((found[-1] if found else timedelta(0)) + min(wait, longest))
        wait = min(2 * wait, longest)
    return tuple(found)


def _told(policy: Policy, receiver: str, notice: Notice, at: datetime) -> Told:
    """When it would be told what is ready at `at`, in the order of its own stages."""
    plan, draft = policy.alerts.receiver(receiver), _draft(policy, notice, at)
    if plan.digest is not None and means(plan.digest.of, facts_of(notice), at):
        return Told(receiver, deferring.next_digest(plan.digest, at), "its digest")
    until = deferring.quiet_until(draft, _alert(receiver, notice, at))
    return Told(receiver, at) if until is None else Told(receiver, until, "the end of its quiet hours")


def _draft(policy: Policy, notice: Notice, now: datetime) -> Draft:
    draft = Draft(EngineState(), policy, now, lambda: "")
    draft.put_notice(notice)
    return draft


def _alert(receiver: str, notice: Notice, at: datetime) -> Alert:
    return Alert("", "", notice.event, notice.severity, "", receiver, "", "", at, at, tells=(notice.subject,))
