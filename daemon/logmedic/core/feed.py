"""What a changeset is to those who follow what happens: its live events, and what is worth asking for again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any

from logmedic.core.happenings import Happened, happening, incident_of
from logmedic.model.changeset import Changeset
from logmedic.model.issue import Incident
from logmedic.model.live import LiveEvent, Topic

Titles = Callable[[str], Incident | None]
"""An incident by its id, as it is known; None for what is over and forgotten."""

_TOPICS: Mapping[str, tuple[Topic, ...]] = {
    "issues": (Topic.ISSUES,),
    "incidents": (Topic.INCIDENTS,),
    "events": (Topic.INCIDENTS,),
    "learnings": (Topic.ISSUES,),
    "templates": (Topic.ISSUES,),
    "forgotten_templates": (Topic.ISSUES,),
    "attempts": (Topic.FIXES,),
    "breakers": (Topic.FIXES, Topic.STATUS),
    "alerts": (Topic.ALERTS,),
    "source_events": (Topic.SOURCES,),
    "releases": (Topic.SOURCES,),
    "diagnoses": (Topic.ISSUES,),
    "trust": (Topic.RULES,),
    "trust_changes": (Topic.RULES,),
    "earned": (Topic.RULES,),
    "pauses": (Topic.STATUS, Topic.FIXES),
    "notices": (Topic.ALERTS,),
    "silences": (Topic.ALERTS,),
    "receivers": (Topic.ALERTS, Topic.STATUS),
    "precursors": (Topic.ISSUES,),
}
"""By field of a changeset. What is not named is nothing that people look at: positions, windows, counts of lines."""


def topics_of(changeset: Changeset) -> frozenset[Topic]:
    return frozenset(topic for name, topics in _TOPICS.items() if getattr(changeset, name) for topic in topics)


def events_of(changeset: Changeset, titles: Titles) -> tuple[LiveEvent, ...] | None:
    """In the order of their ids; messages and lessons that are only told anew are among them, with the ids that they
    always had. None: one is about an incident that `titles` do not know, and the store has to be asked."""
    known = {each.id: each for each in changeset.incidents}
    told: list[LiveEvent] = []
    for happened in _happened(changeset):
        about = incident_of(happened)
        incident = (known.get(about) or titles(about)) if about else None
        if about and incident is None:
            return None
        told.append(happening(happened, incident))
    return tuple(sorted(told, key=attrgetter("id")))


def _happened(changeset: Changeset) -> Iterator[Happened]:
    yield from changeset.events
    yield from changeset.source_events
    yield from changeset.trust_changes
    yield from changeset.alerts
    yield from changeset.learnings


def row_of(event: LiveEvent) -> dict[str, Any]:
    """As it is answered."""
    at = event.at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return {each.name: at if each.name == "at" else getattr(event, each.name) for each in fields(event)}


def event_of(row: Mapping[str, Any]) -> LiveEvent:
    """The other way round."""
    return LiveEvent(**{**row, "at": datetime.fromisoformat(row["at"])})
