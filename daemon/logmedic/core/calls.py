"""Calling people about an incident: of what, how often, and what that changes."""

from __future__ import annotations

from dataclasses import replace

from logmedic.core import issues, letters, outbox
from logmedic.core.alerting import news
from logmedic.core.alerting.inhibition import INCIDENT
from logmedic.core.alerting.present import over_by_now, story_of
from logmedic.core.alerting.writing import write
from logmedic.core.draft import Draft
from logmedic.core.ownstories import of_test
from logmedic.model.alertevent import AlertEvent
from logmedic.model.issue import HoldReason, Incident, IssueStatus
from logmedic.model.rule import Rule
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
"""The holds that people must hear of at once; the others end by themselves, or were told already. What is still open
after `page_after` they hear of all the same."""


def tell(draft: Draft, incident: Incident, rule: Rule, event: AlertEvent, *, again: bool = False) -> Incident:
    """Of `event`, once an incident unless `again`. An escalation is recorded even when there is nobody to tell. Answers
    the incident as it is then (already put)."""
    if event in incident.told and not again:
        return incident
    incident = _recorded(draft, incident, rule, event)
    issue = draft.issue_of_id(incident.issue_id)
    if issue is not None and issue.status is IssueStatus.MUTED:
        draft.tally("alerts_muted")
    elif event in rule.alert.on:
        raise_news(draft, incident, rule, event)
    told = replace(incident, told=tuple(dict.fromkeys((*incident.told, event.value))))
    draft.put_incident(told)
    return told


def _recorded(draft: Draft, incident: Incident, rule: Rule, event: AlertEvent) -> Incident:
    if event in ESCALATIONS and not incident.escalated:
        issue = issues.of_rule(draft, rule, draft.now)
        issues.escalate(draft, issue, f"{event.value.replace('_', ' ')}: {incident.title}")
        incident = replace(incident, severity=incident.severity.at_least(Severity.HIGH), escalated=True)
        draft.put_incident(incident)
    return incident


def raise_news(draft: Draft, incident: Incident, rule: Rule, event: AlertEvent) -> None:
    news.raise_(
        draft,
        story_of(draft, incident, rule, event),
        title=incident.title,
        tags=rule.tags,
        labels={
            **incident.captures,
            "rule": rule.id,
            "source": incident.source,
            "service": rule.service,
            "issue": incident.issue_id,
        },
        routes=rule.alert.routes,
        group_by=rule.alert.group_by,
        repeat_s=rule.alert.repeat_every.total_seconds() if rule.alert.repeat_every is not None else None,
    )


def tell_held(draft: Draft, incident: Incident, rule: Rule, *, again: bool = False) -> None:
    """Of the hold that it has, where people must hear of that."""
    event = _HELD_ALERTS.get(incident.hold) if incident.hold is not None else None
    if event is not None:
        tell(draft, incident, rule, event, again=again)


def tell_unheard(draft: Draft, incident: Incident) -> None:
    """At a start: of what is open, and of which nothing is kept that people could be told by. A version before this one
    told them, who are to hear of the end as well; or there was nobody to tell, and now there may be."""
    rule = draft.policy.rules.get(incident.rule_id)
    wanted = [AlertEvent(each) for each in incident.told if rule is not None and each in rule.alert.on]
    if rule is not None and wanted and draft.notice(f"{INCIDENT}{incident.id}") is None:
        tell(draft, incident, rule, wanted[-1], again=True)


def event_of(incident: Incident) -> AlertEvent:
    """What its hold is to people; where that is nothing, it is just open."""
    held = _HELD_ALERTS.get(incident.hold) if incident.hold is not None else None
    return held or AlertEvent.STILL_OPEN


def tell_recovered(draft: Draft, incident: Incident, rule: Rule | None) -> None:
    """Whoever was told of a problem is told of its end (F75), also when its issue is muted by now, or its rule gone."""
    subject = f"{INCIDENT}{incident.id}"
    notice = draft.notice(subject)
    if rule is None:
        if notice is not None:
            news.end(draft, subject, over_by_now(letters.unpack_story(notice.story)))
    elif AlertEvent.RECOVERED in rule.alert.on:
        if notice is not None:
            news.end(draft, subject, story_of(draft, incident, rule, AlertEvent.RECOVERED))
    else:
        news.forget(draft, subject)
    news.look_again(draft)


def test_alert(draft: Draft, receivers: tuple[str, ...]) -> None:
    """Past everything that holds messages back: somebody wants to know whether they arrive."""
    for receiver in receivers:
        subject = f"[logmedic] {draft.policy.hostname}: test"
        alert = write(draft, [of_test(draft.now)], receiver=receiver, route="", thread="", subject=subject)
        outbox.send_test(draft, alert)
