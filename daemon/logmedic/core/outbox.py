"""The outbox: who is told, again when it failed, and through whom else."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from logmedic.core.backoff import exponential, jittered
from logmedic.core.draft import Draft
from logmedic.core.messages import Message
from logmedic.model.alert import Alert, AlertStatus, Delivery, Route
from logmedic.model.changeset import Send
from logmedic.model.issue import PatternType
from logmedic.model.rule import AlertEvent
from logmedic.model.severity import Severity

RETRY_BASE = timedelta(seconds=2)
RETRY_MAX = timedelta(minutes=10)
FALLBACK_AFTER = 2
"""Failed tries after which the next in line is used: one more than a hiccup."""
GIVE_UP_AFTER = timedelta(hours=24)
MAX_PENDING = 500
"""Undelivered alerts a receiver (I6): more would only bury people once it is back."""


def post(
    draft: Draft, message: Message, *, routes: tuple[str, ...], event: AlertEvent, severity: Severity, incident_id: str
) -> tuple[str, ...]:
    """Put `message` into the outbox for every receiver of `routes`. Answers the routes that exist."""
    known = [draft.policy.alerts.routes[name] for name in routes if name in draft.policy.alerts.routes]
    for route in known:
        for receiver in route.to:
            draft_alert = _alert(draft, message, route, receiver, event, severity, incident_id)
            _hand_over(draft, draft_alert)
    if not known:
        draft.tally("alerts_without_receiver")
    return tuple(route.name for route in known)


def _alert(
    draft: Draft,
    message: Message,
    route: Route,
    receiver: str,
    event: AlertEvent,
    severity: Severity,
    incident_id: str,
) -> Alert:
    alert_id = draft.mint()
    return Alert(
        id=alert_id,
        incident_id=incident_id,
        event=event,
        severity=severity,
        route=route.name,
        receiver=receiver,
        title=message.title,
        body=f"{message.body}\nalert {alert_id}",
        created_at=draft.now,
        next_at=draft.now,
    )


def post_to_default(draft: Draft, message: Message, event: AlertEvent, severity: Severity) -> None:
    """What is about no incident, and no rule names a route for."""
    default = draft.policy.alerts.default_route
    post(draft, message, routes=(default,) if default else (), event=event, severity=severity, incident_id="")


def _hand_over(draft: Draft, alert: Alert) -> None:
    if sum(1 for each in draft.alerts() if each.receiver == alert.receiver) >= MAX_PENDING:
        draft.tally("alerts_dropped")
        return
    sending = replace(alert, status=AlertStatus.SENDING)
    draft.put_alert(sending)
    draft.intend(Send(sending))


def on_delivery(draft: Draft, alert_id: str, delivery: Delivery) -> None:
    alert = draft.alert(alert_id)
    if alert is None:
        return
    tried = replace(alert, tries=alert.tries + 1)
    if delivery.delivered:
        draft.put_alert(replace(tried, status=AlertStatus.SENT, sent_at=draft.now, last_error=""))
        draft.tally("alerts_sent")
        return
    failed = _after_failure(draft, tried, delivery)
    draft.put_alert(failed)
    draft.tally("alert_failures")
    if failed.status is AlertStatus.DEAD or failed.tries == FALLBACK_AFTER:
        _fall_back(draft, failed)


def _after_failure(draft: Draft, alert: Alert, delivery: Delivery) -> Alert:
    if delivery.permanent or draft.now - alert.created_at > GIVE_UP_AFTER:
        draft.tally("alerts_dead")
        return replace(alert, status=AlertStatus.DEAD, last_error=delivery.detail)
    wait = jittered(exponential(alert.tries, RETRY_BASE, RETRY_MAX), f"{alert.id}:{alert.tries}")
    if delivery.retry_after_s is not None:
        wait = max(wait, timedelta(seconds=min(delivery.retry_after_s, RETRY_MAX.total_seconds())))
    return replace(alert, status=AlertStatus.PENDING, next_at=draft.now + wait, last_error=delivery.detail)


def _fall_back(draft: Draft, alert: Alert) -> None:
    """Use the next in line for an alert whose receiver is down, once per alert."""
    route = draft.policy.alerts.routes.get(alert.route)
    following = _next_in_line(route, alert.receiver) if route else None
    if following is None or (alert.status is AlertStatus.DEAD and alert.tries > FALLBACK_AFTER):
        return
    _hand_over(
        draft,
        replace(
            alert,
            id=draft.mint(),
            receiver=following,
            created_at=draft.now,
            next_at=draft.now,
            tries=0,
            last_error="",
            fallback_of=alert.id,
        ),
    )
    draft.learn(
        PatternType.GRACEFUL_DEGRADATION,
        f"{alert.receiver} could not be reached; {following} was used instead",
        1.0,
        receiver=alert.receiver,
        fallback=following,
        error=alert.last_error,
    )


def _next_in_line(route: Route, receiver: str) -> str | None:
    position = route.fallback.index(receiver) + 1 if receiver in route.fallback else 0
    return route.fallback[position] if position < len(route.fallback) else None


def send_due(draft: Draft) -> None:
    for alert in draft.alerts():
        if alert.status is AlertStatus.PENDING and alert.next_at <= draft.now:
            sending = replace(alert, status=AlertStatus.SENDING)
            draft.put_alert(sending)
            draft.intend(Send(sending))


def resend_interrupted(draft: Draft) -> None:
    """At a start: what was being sent may or may not have arrived. It is sent again, with the same id (F71)."""
    for alert in draft.alerts():
        if alert.status is AlertStatus.SENDING:
            draft.intend(Send(alert))
