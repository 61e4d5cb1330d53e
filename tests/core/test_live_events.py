"""What a changeset is to those who follow: its live events, and the topics that are worth another look."""

from __future__ import annotations

import pytest

import builders as make
from contracts.test_store_contract import EVERYTHING, INCIDENT, NEWS
from logmedic.core.feed import event_of, events_of, row_of, topics_of
from logmedic.model.changeset import Changeset
from logmedic.model.live import Topic


def nobody(_: str) -> None:
    """Knows no incident."""


@pytest.mark.parametrize(
    ("changeset", "topics"),
    [
        (Changeset(), set()),
        (Changeset(checkpoints=(make.checkpoint(),)), set()),
        (Changeset(tallies=EVERYTHING.tallies, windows=EVERYTHING.windows), set()),
        (Changeset(incidents=(INCIDENT,)), {Topic.INCIDENTS}),
        (Changeset(attempts=EVERYTHING.attempts), {Topic.FIXES}),
        (Changeset(breakers=EVERYTHING.breakers), {Topic.FIXES, Topic.STATUS}),
        (Changeset(alerts=EVERYTHING.alerts), {Topic.ALERTS}),
        (Changeset(silences=NEWS.silences), {Topic.ALERTS}),
        (Changeset(templates=EVERYTHING.templates), {Topic.ISSUES}),
        (Changeset(forgotten_templates=("f" * 16,)), {Topic.ISSUES}),
        (Changeset(trust=EVERYTHING.trust), {Topic.RULES}),
        (Changeset(source_events=EVERYTHING.source_events), {Topic.SOURCES}),
        (Changeset(pauses=EVERYTHING.pauses), {Topic.STATUS, Topic.FIXES}),
        (EVERYTHING, set(Topic)),
    ],
)
def test_topics_of_a_changeset(changeset: Changeset, topics: set[Topic]) -> None:
    assert topics_of(changeset) == topics


def test_everything_that_happened_is_told_in_the_order_of_its_ids() -> None:
    events = events_of(EVERYTHING, nobody)
    assert events is not None
    assert [each.id for each in events] == ["e1", "g1", "g2", "l1", "m1", "t1"]
    assert [each.topic for each in events] == ["incidents", "sources", "sources", "issues", "alerts", "rules"]


def test_an_event_has_the_title_of_its_incident_from_the_same_changeset_or_from_before() -> None:
    alone = Changeset(events=EVERYTHING.events)
    told, known = events_of(EVERYTHING, nobody), events_of(alone, lambda _: INCIDENT)
    assert told is not None
    assert known is not None
    assert told[0] == known[0]
    assert (known[0].title, known[0].severity) == (INCIDENT.title, "critical")


def test_of_an_incident_that_nobody_remembers_the_store_has_to_be_asked() -> None:
    assert events_of(Changeset(events=EVERYTHING.events), nobody) is None


def test_an_event_is_the_same_once_it_was_a_row() -> None:
    for event in events_of(EVERYTHING, nobody) or ():
        assert event_of(row_of(event)) == event
