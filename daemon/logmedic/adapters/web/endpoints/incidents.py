"""Incidents: lists, the whole story of one, and what people decide about it."""

from __future__ import annotations

from typing import Any

from logmedic.adapters.web import bodies, queries, shapes
from logmedic.adapters.web.bodies import FOR, ONE_END, UNTIL
from logmedic.adapters.web.endpoint import Asked, Endpoint
from logmedic.adapters.web.endpoints.shown import ALERT, ATTEMPT, INCIDENT, ISSUE, NOTICE, SUBJECT_ID
from logmedic.adapters.web.parameters import BadRequest
from logmedic.adapters.web.queries import CURSOR
from logmedic.adapters.web.shapes import FLAG, NUMBER, TEXT, TIME, listed, maybe, named, record
from logmedic.model.issue import HoldReason, Incident, IncidentEvent, IncidentStatus
from logmedic.model.notice import Notice
from logmedic.model.severity import Severity
from logmedic.ports import Control

FILTERS = (
    queries.flag("all", "Also those that are over."),
    queries.choice("status", "In this state; `resolved` asks for those that are over.", IncidentStatus, example="open"),
    queries.choice("severity", "Of this severity.", Severity, example="high"),
    queries.text("rule", "Of this rule.", example="nginx-upstream-down"),
    queries.text("source", "Of this source.", example="nginx"),
    queries.text("issue", "Of this known issue: its whole id."),
    queries.text("group", "Of this group."),
    queries.choice("hold", "Whose fix is held for this reason.", HoldReason, example="awaiting_approval"),
    queries.text("text", "With this in its title or its evidence, in whatever case.", example="refused"),
    queries.text(
        "request",
        "With this request of an application among those that failed of it; also those that are over.",
        example="8f3c2b1e4d5a46c7b8d9e0f1a2b3c4d5",
    ),
    queries.moment("since", "Opened since then: a duration (24h, 7d) or a time."),
    queries.moment("until", "Opened before then.", example="1h"),
)
_NAMES = tuple(each.name for each in FILTERS if each.name != "all")


async def incidents(control: Control, asked: Asked) -> Any:
    return await control.ask("incidents", **asked.given(*_NAMES, "limit", "cursor", everything="all"))


async def incident(control: Control, asked: Asked) -> Any:
    return await control.ask("incident", incident_id=asked.id)


async def why_held(control: Control, asked: Asked) -> Any:
    return await control.why(asked.id)


async def similar(control: Control, asked: Asked) -> Any:
    return await control.ask("similar", incident_id=asked.id, limit=asked.query["limit"])


async def approve(control: Control, asked: Asked) -> Any:
    return await control.approve(asked.id, asked.by)


async def reject(control: Control, asked: Asked) -> Any:
    return await control.reject(asked.id, asked.by)


async def acknowledge(control: Control, asked: Asked) -> Any:
    until = bodies.ends(asked.body, asked.now)
    if not asked.body["undo"]:
        return await control.acknowledge(asked.id, asked.by, until)
    if until is not None:
        raise BadRequest("`undo` takes no time", "leave out `for` and `until`")
    return await control.unacknowledge(asked.id, asked.by)


_STORY = shapes.row(
    Incident,
    called="IncidentStory",
    events=listed(shapes.row(IncidentEvent)),
    attempts=listed(ATTEMPT),
    alerts=listed(ALERT),
    issue=maybe(ISSUE),
    notice=maybe(NOTICE),
)
_CHECK = named(
    "Check",
    "Something that is asked before a fix runs.",
    name=TEXT,
    ok=FLAG,
    reason=maybe(shapes.choice(HoldReason)),
    detail=TEXT,
    until=maybe(TIME),
)
_FIXED_BY = record(rule_id=TEXT, step_name=TEXT, argv=listed(TEXT), duration_s=maybe(NUMBER))
_SIMILAR = shapes.row(Incident, called="SimilarIncident", fixed_by=maybe(_FIXED_BY), took_s=maybe(NUMBER))
TOLD = shapes.row(Notice, *("story", "version", "lasting", "groups", "repeat_s", "done"), called="Acknowledged")
_NO_TIME = {"properties": {"for": False, "until": False}}
_UNDO = bodies.flag("undo", "Take it back: people are reminded of it again.")

ENDPOINTS = (
    Endpoint(
        "GET",
        "/v1/incidents",
        "Incidents, newest first",
        incidents,
        listed(INCIDENT),
        about="Those that are open, unless `all`, a `status` or a `request` asks for more.",
        query=(*FILTERS, queries.limit(50), CURSOR),
        pages="incidents",
    ),
    Endpoint(
        "GET",
        "/v1/incidents/{id}",
        "The whole story of one",
        incident,
        _STORY,
        about="With its timeline, each attempt to fix it, the messages about it (oldest first) and its known issue.",
        subject=SUBJECT_ID,
    ),
    Endpoint(
        "GET",
        "/v1/incidents/{id}/why",
        "What holds its fix",
        why_held,
        named("WhyHeld", incident=_STORY, note=TEXT, checks=listed(_CHECK)),
        about="All that is asked before its fix runs, in that order, and what each says now.",
        subject=SUBJECT_ID,
    ),
    Endpoint(
        "GET",
        "/v1/incidents/{id}/similar",
        "Earlier ones like it, and what fixed them",
        similar,
        listed(_SIMILAR),
        about="Of the same issue or rule; those of the same group first, then newest first.",
        subject=SUBJECT_ID,
        query=(queries.whole("limit", "How many at most.", 5, 1, 100),),
    ),
    Endpoint(
        "POST",
        "/v1/incidents/{id}/approve",
        "Run the fix that waits",
        approve,
        _STORY,
        about="It is checked against the present again before it runs, and runs once.",
        subject=SUBJECT_ID,
        body=(),
        acts=True,
        refused=(409,),
    ),
    Endpoint(
        "POST",
        "/v1/incidents/{id}/reject",
        "Do not run the fix that waits",
        reject,
        _STORY,
        subject=SUBJECT_ID,
        body=(),
        acts=True,
        refused=(409,),
    ),
    Endpoint(
        "POST",
        "/v1/incidents/{id}/ack",
        "You take care of it",
        acknowledge,
        TOLD,
        about="Nobody is reminded, and nobody else is called, until it is over, or as long as `for` or `until` say.",
        subject=f"{SUBJECT_ID} `issue:ID`, `source:NAME` and `rule:ID` work as well.",
        body=(FOR, UNTIL, _UNDO),
        together={"anyOf": [{**ONE_END, "properties": {"undo": {"const": False}}}, _NO_TIME]},
        acts=True,
        refused=(409,),
    ),
)
