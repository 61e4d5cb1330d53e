"""Incidents as matches of other rules: a rule can build on what others found."""

from __future__ import annotations

from logmedic.core import incidents
from logmedic.core.captures import accept
from logmedic.core.draft import Draft
from logmedic.core.matcher import group_of
from logmedic.model.issue import Incident
from logmedic.model.match import IncidentStage
from logmedic.model.record import Match, Record
from logmedic.model.rule import Rule

MAX_CARRIED = 1000
"""In one decision, or so many as CARRIED_EACH for each incident that the decision itself tells of, if that is more: a
storm of ends loses nothing. Circles of rules do not load; this bounds what is left."""
CARRIED_EACH = 20
SOURCE = "incidents"
"""The source name of such records."""


def carry(draft: Draft) -> None:
    """Tell the rules that listen of all that was announced, and of what that announces in turn."""
    announced = draft.announced()
    left = max(MAX_CARRIED, CARRIED_EACH * len(announced))
    while announced:
        for incident, stage in announced:
            for rule, part in draft.policy.listeners.get((incident.rule_id, stage), ()):
                left -= 1
                if left < 0:
                    draft.tally("synthetic_dropped")
                elif (match := match_of(incident, stage, rule, part)) is not None:
                    incidents.on_news(draft, match)
        announced = draft.announced()


def match_of(incident: Incident, stage: IncidentStage, rule: Rule, part: str) -> Match | None:
    """None when the incident lacks a capture that `rule` wants of it, or has it in another form."""
    spec = dict(rule.parts)[part]
    captures = {
        name: value
        for name, capture in spec.captures.items()
        if (value := accept(incident.captures.get(name, ""), capture)) is not None
    }
    if len(captures) < len(spec.captures):
        return None
    at = incident.last_match_at if stage is IncidentStage.OPENED else incident.resolved_at or incident.last_match_at
    fields = {"rule": incident.rule_id, "incident": incident.id, "stage": stage.value, "severity": incident.severity}
    text = f"{incident.rule_id} {stage}: {incident.title}"
    place = list(IncidentStage).index(stage)  # the stages of an incident are records of their own
    record = Record(SOURCE, incident.id, text, place, place, at, fields)
    return Match(rule.id, record, captures, group_of(rule, captures), part)
