"""What is stored of what happened, as live events."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from logmedic.core.happenings import happening, incident_of
from logmedic.model.alert import Alert
from logmedic.model.alertevent import AlertEvent
from logmedic.model.gap import SourceEvent, SourceEventKind
from logmedic.model.issue import Incident, IncidentEvent, Learning, PatternType
from logmedic.model.live import LiveEvent
from logmedic.model.rule import Mode
from logmedic.model.severity import Severity
from logmedic.model.trust import TrustChange, TrustChangeKind

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
INCIDENT = Incident("i1", "s1", "web-down", "g", "the web is down", Severity.HIGH, NOW, NOW)
ENTRY = IncidentEvent("e1", "i1", NOW, "opened", "seen 5 times")
ALERT = Alert("m1", "i1", AlertEvent.FIX_FAILED, Severity.HIGH, "oncall", "chat", "[fix failed] web", "b", NOW, NOW)
LESSON = Learning("l1", PatternType.REGRESSION, "it came back", 1.0, NOW, {"issue": "s1", "title": "web"})


def test_an_entry_of_a_timeline_has_the_title_and_severity_of_its_incident() -> None:
    wanted = LiveEvent("e1", NOW, "opened", "incidents", "incident:i1", "the web is down", "high", "seen 5 times")
    assert happening(ENTRY, INCIDENT) == wanted
    assert happening(ENTRY) == replace(wanted, title="", severity="")


@pytest.mark.parametrize(
    ("kind", "topic"),
    [("held", "incidents"), ("resolved", "incidents"), ("fix_failed", "fixes"), ("would_run", "fixes")],
)
def test_what_a_fix_does_is_of_fixes(kind: str, topic: str) -> None:
    assert happening(replace(ENTRY, kind=kind), INCIDENT).topic == topic


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (
            SourceEvent("g1", NOW, "web", "/x.log", SourceEventKind.TRUNCATED, 4096, "emptied"),
            "/x.log: emptied, 4,096 bytes lost",
        ),
        (SourceEvent("g1", NOW, "web", "", SourceEventKind.QUIET, 0, "silent for 5m"), "web: silent for 5m"),
        (SourceEvent("g1", NOW, "web", "", SourceEventKind.SPEAKING), "web"),
    ],
    ids=["lost", "quiet", "bare"],
)
def test_a_gap_says_where_and_how_much(event: SourceEvent, text: str) -> None:
    told = happening(event)
    assert (told.kind, told.topic, told.subject, told.text) == (event.kind.value, "sources", "source:web", text)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (
            TrustChange("t1", "r", NOW, TrustChangeKind.RAISED, Mode.APPROVE, Mode.AUTO, "ops", "it held"),
            "its fix: approve to auto, by ops: it held",
        ),
        (
            TrustChange("t1", "r", NOW, TrustChangeKind.PROPOSED, Mode.APPROVE, Mode.AUTO, "logmedic", ""),
            "its fix: approve to auto is proposed, by logmedic",
        ),
    ],
    ids=["raised", "proposed"],
)
def test_a_change_of_trust_says_who_and_why(change: TrustChange, text: str) -> None:
    told = happening(change)
    assert (told.kind, told.topic, told.subject, told.text) == (change.kind.value, "rules", "rule:r", text)


@pytest.mark.parametrize(
    ("incident", "tells", "subject"),
    [
        ("i1", ("issue:s2",), "incident:i1"),
        ("", ("issue:s2", "incident:i9"), "issue:s2"),
        ("", ("trust:web-down",), "rule:web-down"),
        ("", ("warning:s2",), "issue:s2"),
        ("", ("source:web",), "source:web"),
        ("", ("daemon:store",), "daemon"),
        ("", ("receiver:chat",), "daemon"),
        ("", (), "daemon"),
    ],
)
def test_a_message_is_about_what_it_tells_of_first(incident: str, tells: tuple[str, ...], subject: str) -> None:
    told = happening(replace(ALERT, incident_id=incident, tells=tells))
    assert (told.kind, told.topic, told.subject) == ("alert", "alerts", subject)
    assert (told.title, told.severity, told.text) == ("[fix failed] web", "high", "fix failed, for chat")


@pytest.mark.parametrize(
    ("context", "subject"),
    [
        ({"issue": "s1", "incident": "i1", "rule": "r"}, "issue:s1"),
        ({"incident": "i1", "rule": "r"}, "incident:i1"),
        ({"rule": "r", "issue": ""}, "rule:r"),
        ({}, "daemon"),
    ],
    ids=["issue", "incident", "rule", "nothing"],
)
def test_a_lesson_is_about_what_it_was_learned_from(context: dict[str, str], subject: str) -> None:
    told = happening(replace(LESSON, context=context, updated_at=NOW.replace(year=2027)))
    assert (told.at, told.kind, told.topic, told.subject) == (NOW, "regression", "issues", subject)


def test_only_timelines_need_to_know_an_incident() -> None:
    assert [incident_of(each) for each in (ENTRY, ALERT, LESSON)] == ["i1", "", ""]
