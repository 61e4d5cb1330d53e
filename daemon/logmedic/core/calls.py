"""Calling people about an incident: who, how often, and what that changes."""

from __future__ import annotations

from dataclasses import replace
from operator import attrgetter

from logmedic.core import history, issues, outbox
from logmedic.core.draft import Draft
from logmedic.core.messages import of_incident, of_test
from logmedic.core.targets import would_run
from logmedic.model.issue import HoldReason, Incident, IssueStatus
from logmedic.model.rule import AlertEvent, Rule
from logmedic.model.severity import Severity

ESCALATIONS = frozenset({AlertEvent.FIX_FAILED, AlertEvent.BREAKER_OPEN})
"""What calls people to act on an incident, as against telling them of it: once an incident."""


_HELD_ALERTS = {
    HoldReason.NO_FIX: AlertEvent.OPENED,
    HoldReason.OBSERVE: AlertEvent.HELD,
    HoldReason.DISARMED: AlertEvent.HELD,
    HoldReason.BUDGET: AlertEvent.HELD,
    HoldReason.PAUSED: AlertEvent.HELD,
    HoldReason.OWN_CAUSE: AlertEvent.HELD,
    HoldReason.AWAITING_APPROVAL: AlertEvent.APPROVAL_NEEDED,
}
"""The holds that people must hear of; the others end by themselves, or were told already."""
_NOT_RUN = frozenset({AlertEvent.HELD, AlertEvent.APPROVAL_NEEDED})


def tell(draft: Draft, incident: Incident, rule: Rule, event: AlertEvent, *, again: bool = False) -> Incident:
    """Tell the rule's routes of `event`, once an incident unless `again`. An escalation is recorded even when there is
    nobody to tell. Answers the incident as it is then (already put)."""
    if event in incident.told and not again:
        return incident
    issue = draft.issue_of_id(incident.issue_id)
    muted = issue is not None and issue.status is IssueStatus.MUTED
    if muted and event is not AlertEvent.RECOVERED:  # whoever was told before is told of its end (F75)
        draft.tally("alerts_muted")
        return _recorded(draft, incident, rule, event)
    incident = _recorded(draft, incident, rule, event)
    told = _told(draft, incident, rule, event) if event in rule.alert.on else incident
    draft.put_incident(told)
    return told


def _recorded(draft: Draft, incident: Incident, rule: Rule, event: AlertEvent) -> Incident:
    if event in ESCALATIONS and not incident.escalated:
        issue = issues.of_rule(draft, rule, draft.now)
        issues.escalate(draft, issue, f"{event.value.replace('_', ' ')}: {incident.title}")
        incident = replace(incident, severity=incident.severity.at_least(Severity.HIGH), escalated=True)
        draft.put_incident(incident)
    return incident


def tell_held(draft: Draft, incident: Incident, rule: Rule, *, again: bool = False) -> None:
    """Of the hold that it has, where people must hear of that."""
    if incident.hold is not None and (event := _HELD_ALERTS.get(incident.hold)) is not None:
        tell(draft, incident, rule, event, again=again)


def tell_recovered(draft: Draft, incident: Incident, rule: Rule) -> None:
    """Whoever was told of a problem is told of its end (F75)."""
    if incident.told:
        tell(draft, incident, rule, AlertEvent.RECOVERED)


def _told(draft: Draft, incident: Incident, rule: Rule, event: AlertEvent) -> Incident:
    default = draft.policy.alerts.default_route
    routes = rule.alert.routes or ((default,) if default else ())
    of_group = draft.attempts.of_group(incident.rule_id, incident.group_key)
    story = sorted((each for each in of_group if each.incident_id == incident.id), key=attrgetter("id"))
    past = history.of_incident(draft, draft.issue_of_id(incident.issue_id))
    would = tuple(would_run(rule, incident.captures)) if event in _NOT_RUN else ()
    message = of_incident(incident, rule, event, story, draft.policy.hostname, past, would)
    reached = outbox.post(
        draft, message, routes=routes, event=event, severity=incident.severity, incident_id=incident.id
    )
    if reached:
        draft.event(incident.id, "alerted", f"{event.value.replace('_', ' ')} told to {', '.join(reached)}")
    told = tuple(dict.fromkeys((*incident.told, event.value)))
    return replace(incident, told=told, told_at=draft.now)


def test_alert(draft: Draft, route: str) -> None:
    names = (route,) if route else tuple(draft.policy.alerts.routes)
    outbox.post(
        draft,
        of_test(draft.policy.hostname),
        routes=names,
        event=AlertEvent.TEST,
        severity=Severity.LOW,
        incident_id="",
    )
