"""A fix that works gets its time before people are called."""

from __future__ import annotations

from datetime import datetime, timedelta

from logmedic.core.alerting.inhibition import INCIDENT
from logmedic.core.draft import Draft
from logmedic.model.alertevent import AlertEvent
from logmedic.model.issue import UNDER_WAY, Incident
from logmedic.model.notice import Notice
from logmedic.model.policy import Policy
from logmedic.model.rule import Rule


def page_after(policy: Policy, rule: Rule | None) -> timedelta:
    own = rule.alert.page_after if rule is not None else None
    return policy.alerts.page_after if own is None else own


def held(draft: Draft, notice: Notice) -> tuple[str, datetime] | None:
    """Of an incident that nobody was told of yet: its verdict is near. Why, and until when."""
    if notice.told or not notice.subject.startswith(INCIDENT):
        return None
    incident = draft.incident(notice.subject.removeprefix(INCIDENT))
    if incident is None or incident.status not in UNDER_WAY:
        return None
    until = incident.opened_at + page_after(draft.policy, draft.policy.rules.get(incident.rule_id))
    return ("its fix works on it", until) if draft.now < until else None


def late_at(policy: Policy, incident: Incident) -> datetime | None:
    """When people hear of an open incident of which there was no news for them so far; None: they heard, or its rule
    wants them not to."""
    rule = policy.rules.get(incident.rule_id)
    if incident.told or rule is None or AlertEvent.STILL_OPEN not in rule.alert.on:
        return None
    return incident.opened_at + page_after(policy, rule)
