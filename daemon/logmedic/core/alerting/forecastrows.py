"""Where news would go, as rows."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from logmedic.core.alerting.forecast import Forecast, Leg, Told
from logmedic.core.explainrows import iso
from logmedic.model.notice import Notice
from logmedic.model.policy import Policy


def row_of(policy: Policy, notice: Notice, found: Forecast, now: datetime) -> dict[str, Any]:
    """Keys: at, severity, event, tags, labels, steps (in the order in which places were asked: place, taken, why,
    routes), missing (routes that do not exist), routes (where it would go: route, group, group_wait_s,
    group_interval_s, told, fallback, escalate, reminders_s), silenced (why nobody is told; else empty),
    silenced_until."""
    return {
        "at": iso(now),
        "severity": notice.severity.value,
        "event": notice.event.value,
        "tags": list(notice.tags),
        "labels": dict(notice.labels),
        "steps": [
            {"place": each.place, "taken": each.taken, "why": each.why, "routes": list(each.routes)}
            for each in found.way.steps
        ],
        "missing": list(found.way.missing),
        "routes": [_leg_row(policy, each) for each in found.legs],
        "silenced": found.silenced,
        "silenced_until": iso(found.silenced_until) if found.silenced_until is not None else None,
    }


def _leg_row(policy: Policy, leg: Leg) -> dict[str, Any]:
    return {
        "route": leg.route.name,
        "group": dict(leg.group),
        "group_wait_s": leg.route.group_wait.total_seconds(),
        "group_interval_s": leg.route.group_interval.total_seconds(),
        "told": [_told_row(policy, each) for each in leg.told],
        "fallback": list(leg.route.fallback),
        "escalate": [
            {"after_s": call.after.total_seconds(), "told": [_told_row(policy, each) for each in call.told]}
            for call in leg.calls
        ],
        "reminders_s": [each.total_seconds() for each in leg.reminders],
    }


def _told_row(policy: Policy, each: Told) -> dict[str, Any]:
    scheme = policy.alerts.receiver(each.receiver).scheme
    return {"receiver": each.receiver, "scheme": scheme, "at": iso(each.at), "waits_for": each.why}
