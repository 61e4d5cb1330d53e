"""What would be sent of an incident now: decided, written, and thrown away."""

from __future__ import annotations

from collections.abc import Iterator

from logmedic.core import calls
from logmedic.core.alerting import chain
from logmedic.core.alerting.flush import Stages
from logmedic.core.alerting.inhibition import INCIDENT
from logmedic.core.alerting.present import story_of
from logmedic.core.alerting.writing import write
from logmedic.core.draft import Draft
from logmedic.model.alert import Alert
from logmedic.model.alertevent import AlertEvent
from logmedic.model.issue import Incident, IncidentStatus
from logmedic.model.notice import AlertGroup, Notice
from logmedic.model.rule import Rule


def preview(draft: Draft, incident: Incident, rule: Rule, event: AlertEvent | None) -> tuple[Alert, ...]:
    """One message for each receiver that it would take, those of escalation chains too, whatever holds it back now.
    `draft` is of no use afterwards. `event` None: the last of what people were to be told of it, or what its state asks
    for."""
    draft.put_incident(incident)
    event = event or _usual(incident)
    notice = _notice(draft, incident, rule, event)
    if notice is None:
        return ()
    story, alerts = story_of(draft, incident, rule, event), dict[str, Alert]()
    for receiver, group in _receivers(draft, notice):
        if receiver not in alerts:
            alerts[receiver] = write(
                draft, [story], receiver=receiver, route=group.route, thread=group.id, subject=group.title
            )
    return tuple(alerts.values())


def held_back(draft: Draft, incident: Incident, rule: Rule, event: AlertEvent | None) -> str:
    """Why nobody would be told of it now, for people; empty: nothing holds it."""
    draft.put_incident(incident)
    event = event or _usual(incident)
    if event not in rule.alert.on:
        return f"the rule wants nobody told of {event.value.replace('_', ' ')} (alert.on)"
    notice = _notice(draft, incident, rule, event)
    return Stages(draft).pass_(notice)[0].suppressed if notice is not None else "no route takes it"


def _usual(incident: Incident) -> AlertEvent:
    if incident.status is IncidentStatus.RESOLVED:
        return AlertEvent.RECOVERED
    if incident.told:
        return AlertEvent(incident.told[-1])
    return calls.event_of(incident)


def _notice(draft: Draft, incident: Incident, rule: Rule, event: AlertEvent) -> Notice | None:
    calls.raise_news(draft, incident, rule, event)
    return draft.notice(f"{INCIDENT}{incident.id}")


def _receivers(draft: Draft, notice: Notice) -> Iterator[tuple[str, AlertGroup]]:
    for key in notice.groups:
        group = draft.group(key)
        route = draft.policy.alerts.routes.get(group.route) if group is not None else None
        if group is not None and route is not None:
            yield from ((name, group) for name in (*route.to, *chain.called(route, len(route.escalate))))
