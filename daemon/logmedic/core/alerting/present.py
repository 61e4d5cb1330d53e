"""What there is to say of an incident now, from everything that is known of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from operator import attrgetter

from logmedic.core import history, letters
from logmedic.core.alerting.inhibition import INCIDENT
from logmedic.core.compose import STORIES_SHOWN, urgency
from logmedic.core.draft import Draft
from logmedic.core.stories import of_incident
from logmedic.core.targets import would_run
from logmedic.model.alertevent import AlertEvent
from logmedic.model.issue import Incident, IncidentStatus
from logmedic.model.message import Story
from logmedic.model.notice import Notice
from logmedic.model.rule import Rule

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


def over_by_now(story: Story) -> Story:
    """That it is over, where nobody can say more of its end: its rule is gone, or others were told of it already."""
    over = replace(story, event=AlertEvent.RECOVERED, outcome="over by now", need="", would=(), over=True)
    return replace(over, following="Nothing, it is over.", to_do="Nothing.")


def stories_now(draft: Draft, notices: Sequence[Notice]) -> list[Story]:
    """As it is by now: incidents go on while their message waits. Those that a message shows are told in full; of the
    others it only counts what they are, and there may be thousands."""
    brief = {each.subject: _brief(draft, each) for each in notices}
    shown = {each.subject for each in sorted(brief.values(), key=urgency)[:STORIES_SHOWN]}
    return [_whole(draft, each) if each.subject in shown else brief[each.subject] for each in notices]


def _brief(draft: Draft, notice: Notice) -> Story:
    incident = None if notice.over else _incident(draft, notice)
    if incident is None:
        return letters.unpack_story(notice.story)
    return Story(
        subject=notice.subject,
        event=notice.event,
        severity=incident.severity,
        symptom=notice.title,
        outcome="",
        need="",
        broke="",
        tried="",
        following="",
        to_do="",
        since=incident.opened_at,
        occurrences=incident.occurrences,
        rule=incident.rule_id,
        incident=incident.id,
    )


def _whole(draft: Draft, notice: Notice) -> Story:
    incident = None if notice.over else _incident(draft, notice)
    rule = draft.policy.rules.get(incident.rule_id) if incident is not None else None
    if incident is not None and rule is not None:
        return story_of(draft, incident, rule, notice.event)
    return replace(letters.unpack_story(notice.story), effects=effects_of(draft, notice.subject))


def _incident(draft: Draft, notice: Notice) -> Incident | None:
    """None: it is about none, or that is over."""
    known = draft.incident(notice.subject.removeprefix(INCIDENT)) if notice.subject.startswith(INCIDENT) else None
    return None if known is None or known.status is IncidentStatus.RESOLVED else known
