"""Where news would go, in words."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from logmedic.core.alerting.forecast import Forecast, Leg, Told
from logmedic.core.alerting.routes import Step
from logmedic.core.durations import duration_text
from logmedic.model.notice import Notice
from logmedic.model.policy import Policy


def told(policy: Policy, notice: Notice, found: Forecast, now: datetime) -> Iterator[str]:
    tags = f", tags {', '.join(notice.tags)}" if notice.tags else ""
    yield f"{notice.event.value.replace('_', ' ')}, {notice.severity}{tags}, at {now:%Y-%m-%d %H:%M:%S} UTC"
    yield "  " + ", ".join(f"{name} = {value}" for name, value in sorted(notice.labels.items()) if value)
    yield ""
    yield "how it is routed"
    width = max((len(step.place) for step in found.way.steps), default=0)
    yield from (_step(step, width) for step in found.way.steps)
    for leg in found.legs:
        yield ""
        yield from _leg(policy, leg, now)
    yield ""
    if found.silenced:
        yield f"✗ nobody is told now: {found.silenced}"
    elif not found.legs:
        yield "✗ nobody would be told: no route takes it"
    else:
        names = dict.fromkeys(each.receiver for leg in found.legs for each in leg.told)
        yield f"✓ told: {', '.join(names)}"


def _step(step: Step, width: int) -> str:
    routes = f" -> {', '.join(step.routes)}" if step.routes else ""
    return f"  {'✓' if step.taken else '✗'} {step.place:<{width}}  {step.why}{routes}"


def _leg(policy: Policy, leg: Leg, now: datetime) -> Iterator[str]:
    route = leg.route
    yield f"route {route.name}"
    group = ", ".join(f"{name} {value or '(none)'}" for name, value in leg.group.items())
    together = f"together with other news of {group}" if group else "each by itself"
    wait, interval = duration_text(route.group_wait), duration_text(route.group_interval)
    yield f"  told {together}: {wait} after the first, then every {interval} at most"
    width = max((len(name) for name in policy.alerts.receivers), default=8)
    yield from (f"    {_receiver(policy, each, now, width)}" for each in leg.told)
    if route.fallback:
        yield f"  when one of them is down: {', '.join(route.fallback)}"
    if leg.calls:
        yield "  when nobody acknowledges"
        for call in leg.calls:
            for each in call.told:
                yield f"    after {duration_text(call.after):<5} {_receiver(policy, each, now, width)}"
    if leg.reminders:
        yield f"  reminders while it is open: after {', '.join(map(duration_text, leg.reminders))}, ..."
    else:
        yield "  no reminders"


def _receiver(policy: Policy, each: Told, now: datetime, width: int) -> str:
    plan = policy.alerts.receiver(each.receiver)
    return f"{each.receiver:<{width}}  {plan.scheme:<8}  {_when(each, now, plan.zone)}".rstrip()


def _when(each: Told, now: datetime, zone: Any) -> str:
    from logmedic.core.moments import moment_text

    return f"waits for {each.why}: {moment_text(each.at, zone)}" if each.why else "at once"
