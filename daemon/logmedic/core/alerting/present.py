"""What there is to say of an incident now, from everything that is known of it."""

from __future__ import annotations

from dataclasses import replace
from operator import attrgetter

from logmedic.core import history, letters
from logmedic.core.alerting.inhibition import INCIDENT
from logmedic.core.draft import Draft
from logmedic.core.stories import of_incident
from logmedic.core.targets import would_run
from logmedic.model.issue import Incident, IncidentStatus
from logmedic.model.message import Story
from logmedic.model.notice import Notice
from logmedic.model.rule import AlertEvent, Rule

_NOT_RUN = frozenset({AlertEvent.HELD, AlertEvent.APPROVAL_NEEDED})


def story_of(draft: Draft, incident: Incident, rule: Rule, event: AlertEvent) -> Story:
    of_group = draft.attempts.of_group(incident.rule_id, incident.group_key)
    attempts = sorted((each for each in of_group if each.incident_id == incident.id), key=attrgetter("id"))
    past = history.of_incident(draft, draft.issue_of_id(incident.issue_id))
    would = tuple(would_run(rule, incident.captures)) if event in _NOT_RUN else ()
    return of_incident(incident, rule, event, attempts, past, would, effects_of(draft, f"{INCIDENT}{incident.id}"))


def effects_of(draft: Draft, subject: str) -> int:
    """How many are not told because it is."""
    return sum(1 for each in draft.inhibited() if each.suppressed_by == subject)


def story_now(draft: Draft, notice: Notice) -> Story:
    """As it is by now: an incident goes on while its message waits."""
    known = letters.unpack_story(notice.story)
    if not notice.over and notice.subject.startswith(INCIDENT):
        incident = draft.incident(notice.subject.removeprefix(INCIDENT))
        rule = draft.policy.rules.get(incident.rule_id) if incident is not None else None
        if incident is not None and rule is not None and incident.status is not IncidentStatus.RESOLVED:
            return story_of(draft, incident, rule, notice.event)
    return replace(known, effects=effects_of(draft, notice.subject))
