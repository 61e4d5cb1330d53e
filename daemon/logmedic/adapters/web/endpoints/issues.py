"""Known issues, and what is learned of errors that no rule knows."""

from __future__ import annotations

from typing import Any

from logmedic.adapters.web import bodies, queries, shapes
from logmedic.adapters.web.bodies import FOR, LONGEST_NAME, LONGEST_NOTE, ONE_END, UNTIL
from logmedic.adapters.web.endpoint import Asked, Endpoint
from logmedic.adapters.web.endpoints.shown import (
    INCIDENT,
    ISSUE,
    LEARNING,
    ONSET,
    SUBJECT_ID,
    TEMPLATE,
)
from logmedic.adapters.web.queries import CURSOR
from logmedic.adapters.web.shapes import TEXT, listed, maybe, named
from logmedic.model.diagnosis import Diagnosis
from logmedic.model.issue import IssueSource, IssueStatus, KnownIssue, PatternType
from logmedic.model.learned import FixedBefore
from logmedic.model.precursor import Precursor
from logmedic.model.severity import Severity
from logmedic.ports import Control


async def issues(control: Control, asked: Asked) -> Any:
    names = ("source", "status", "component", "severity", "text", "limit", "cursor")
    return await control.ask("issues", **asked.given(*names))


async def issue(control: Control, asked: Asked) -> Any:
    return await control.issue(asked.id)


async def templates(control: Control, asked: Asked) -> Any:
    return await control.ask("templates", **asked.given("component", "limit", "cursor"))


async def learnings(control: Control, asked: Asked) -> Any:
    return await control.ask("learnings", **asked.given("kind", "min_confidence", "limit", "cursor"))


async def learned(control: Control, asked: Asked) -> Any:
    return await control.ask("learned", issue_id=asked.id)


async def precursors(control: Control, asked: Asked) -> Any:
    return await control.precursors(asked.query["issue_id"])


async def mute(control: Control, asked: Asked) -> Any:
    until, body = bodies.ends(asked.body, asked.now), asked.body
    return await control.mute_issue(
        asked.id, asked.by, until=until, count=body["count"], next_version=body["next_version"]
    )


async def unmute(control: Control, asked: Asked) -> Any:
    return await control.unmute_issue(asked.id, asked.by)


async def resolve(control: Control, asked: Asked) -> Any:
    notes, version = asked.body["because"], asked.body["in_version"]
    return await control.resolve_issue(asked.id, asked.by, notes=notes, version=version)


async def merge(control: Control, asked: Asked) -> Any:
    return await control.merge_issue(asked.id, asked.body["into"], asked.by)


_PRECURSOR = shapes.row(Precursor, before_title=TEXT, after_title=TEXT, sentence=TEXT)
_STORY = shapes.row(
    KnownIssue,
    called="IssueStory",
    templates=listed(TEMPLATE),
    merged=listed(ISSUE),
    onsets=listed(ONSET),
    incidents=listed(INCIDENT),
    learnings=listed(LEARNING),
    diagnoses=listed(shapes.row(Diagnosis)),
    precursors=listed(_PRECURSOR),
)
_DECIDED = shapes.row(
    KnownIssue,
    called="IssueDecided",
    templates=listed(TEMPLATE),
    merged=listed(ISSUE),
    onsets=listed(ONSET),
    incidents=listed(INCIDENT),
    learnings=listed(LEARNING),
    diagnoses=listed(shapes.row(Diagnosis)),
)
_FIXED_BEFORE = shapes.row(FixedBefore)
_COMPONENT = queries.text("component", "Of this component.", example="shop")

ENDPOINTS = (
    Endpoint(
        "GET",
        "/v1/issues",
        "Known issues, last seen first",
        issues,
        listed(ISSUE),
        query=(
            queries.choice("source", "That come from there.", IssueSource, example="learned"),
            queries.choice("status", "In this state.", IssueStatus, example="ongoing"),
            _COMPONENT,
            queries.choice("severity", "Of this severity.", Severity, example="high"),
            queries.text("text", "With this in its title or description, in whatever case.", example="timeout"),
            queries.limit(100),
            CURSOR,
        ),
        pages="issues",
    ),
    Endpoint(
        "GET",
        "/v1/issues/{id}",
        "All that is known of one",
        issue,
        _STORY,
        about="With what it was learned from, what is part of it, its last onsets, incidents and lessons.",
        subject=SUBJECT_ID,
    ),
    Endpoint(
        "GET",
        "/v1/templates",
        "Unknown errors that are no known issue yet",
        templates,
        listed(TEMPLATE),
        query=(_COMPONENT, queries.limit(100), CURSOR),
        pages="templates",
    ),
    Endpoint(
        "GET",
        "/v1/learnings",
        "What was learned, last written first",
        learnings,
        listed(LEARNING),
        query=(
            queries.choice("kind", "Of this kind.", PatternType, example="auto_fix_success"),
            queries.share("min_confidence", "At least so sure, from 0 to 1."),
            queries.limit(100),
            CURSOR,
        ),
        pages="learnings",
    ),
    Endpoint(
        "GET",
        "/v1/learned/{id}",
        "What a rule can be drafted from",
        learned,
        named(
            "Learned",
            issue=ISSUE,
            template=maybe(TEMPLATE),
            samples=listed(TEXT),
            ordinary=listed(TEXT),
            onsets=listed(ONSET),
            fixed_before=listed(_FIXED_BEFORE),
            similar=listed(_FIXED_BEFORE),
        ),
        subject=SUBJECT_ID,
    ),
    Endpoint(
        "GET",
        "/v1/precursors",
        "Which issue tends to begin before which",
        precursors,
        listed(_PRECURSOR),
        query=(queries.text("issue_id", "Of this one: its id, or a unique end of it."),),
        refused=(404,),
    ),
    Endpoint(
        "POST",
        "/v1/issues/{id}/mute",
        "Call nobody for it",
        mute,
        _DECIDED,
        about="Until the first of what the body names; without any, until /unmute.",
        subject=SUBJECT_ID,
        body=(
            FOR,
            UNTIL,
            bodies.count("count", "Until it occurred so often more."),
            bodies.flag("next_version", "Until a newer version of its program runs."),
        ),
        together=ONE_END,
        acts=True,
        refused=(409,),
    ),
    Endpoint(
        "POST",
        "/v1/issues/{id}/unmute",
        "Call people for it again",
        unmute,
        _DECIDED,
        subject=SUBJECT_ID,
        body=(),
        acts=True,
        refused=(409,),
    ),
    Endpoint(
        "POST",
        "/v1/issues/{id}/resolve",
        "Say that it is over",
        resolve,
        _DECIDED,
        subject=SUBJECT_ID,
        body=(
            bodies.text("because", "Why; it is recorded with your name.", LONGEST_NOTE, example="disk replaced"),
            bodies.text("in_version", "The version that it is gone in.", LONGEST_NAME, example="2.4.1"),
        ),
        acts=True,
        refused=(409,),
    ),
    Endpoint(
        "POST",
        "/v1/issues/{id}/merge",
        "It is part of another one",
        merge,
        _DECIDED,
        about="Both were learned, of one component. Answers the one that it is part of now.",
        subject=SUBJECT_ID,
        body=(
            bodies.text(
                "into",
                "The issue that it becomes part of: its id, or a unique end of it.",
                LONGEST_NAME,
                needed='send {"into": "the end of the id of an issue"}',
                example="4f1c",
            ),
        ),
        acts=True,
        refused=(409,),
    ),
)
