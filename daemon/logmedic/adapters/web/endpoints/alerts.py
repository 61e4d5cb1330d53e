"""Alerts: messages, receivers, silences."""

from __future__ import annotations

from typing import Any

from logmedic.adapters.web import bodies, queries, shapes
from logmedic.adapters.web.bodies import FOR, LONGEST_NAME, LONGEST_NOTE, UNTIL
from logmedic.adapters.web.endpoint import Asked, Endpoint
from logmedic.adapters.web.endpoints.incidents import TOLD
from logmedic.adapters.web.endpoints.shown import ALERT, RECEIVER, SUBJECT_ID
from logmedic.adapters.web.parameters import BadRequest
from logmedic.adapters.web.queries import CURSOR
from logmedic.adapters.web.shapes import FLAG, NUMBER, TEXT, TIME, WHOLE, by_name, listed, maybe, named, record
from logmedic.core.alerting.untold import Stage
from logmedic.model.alert import AlertStatus
from logmedic.model.alertevent import AlertEvent
from logmedic.model.notice import Silence
from logmedic.model.severity import Severity
from logmedic.ports import Control

WAITING = "waiting"
"""Of alerts: whatever is still to be told."""


async def alerts(control: Control, asked: Asked) -> Any:
    names = ("status", "receiver", "since", "event", "incident", "limit", "cursor")
    return await control.ask("alerts", **asked.given(*names))


async def why_untold(control: Control, asked: Asked) -> Any:
    return await control.why_alert(asked.id)


async def receivers(control: Control, _: Asked) -> Any:
    return await control.receivers()


async def silences(control: Control, asked: Asked) -> Any:
    return await control.silences(asked.query["all"])


async def add_silence(control: Control, asked: Asked) -> Any:
    body = asked.body
    until = bodies.ends(body, body["from"] or asked.now)
    if until is None:
        raise BadRequest("a silence has an end", 'send {"for": "2h"} or {"until": "2026-12-01T08:00:00Z"}')
    return await control.add_silence(
        asked.by,
        body["why"],
        until,
        starts_at=body["from"],
        severities=tuple(map(Severity, body["severity"])),
        tags=body["tag"],
        labels=body["labels"],
        incident=body["incident"],
        everything=body["everything"],
        rehearse=body["dry_run"],
    )


async def end_silence(control: Control, asked: Asked) -> Any:
    return await control.end_silence(asked.id, asked.by)


async def preview(control: Control, asked: Asked) -> Any:
    return await control.preview(asked.body["incident"], asked.body["event"], asked.body["receiver"])


async def resend(control: Control, asked: Asked) -> Any:
    ids, dead = asked.body["ids"], asked.body["dead"]
    if bool(ids) == dead:
        raise BadRequest("name messages, or all that were given up", 'send {"ids": ["..."]} or {"dead": true}')
    return await control.resend(None if dead else list(ids), asked.by)


async def test_alert(control: Control, asked: Asked) -> Any:
    return await control.test_alert(asked.body["route"], asked.body["receiver"])


async def route(control: Control, asked: Asked) -> Any:
    query = asked.query
    pairs = [each.partition("=") for each in query["label"]]
    if not all(name and equals for name, equals, _ in pairs):
        raise BadRequest("`label` is no NAME=VALUE", "label=upstream=10.0.0.12")
    names = ("severity", "event", "rule", "source", "service", "incident", "at")
    labels = {name: value for name, _, value in pairs}
    return await control.route_of(**asked.given(*names, tags="tag"), labels=labels)


_SILENCE = shapes.row(
    Silence,
    state={"type": "string", "enum": ["in force", "to come", "over"]},
    covers=listed(record(subject=TEXT, title=TEXT, severity=shapes.choice(Severity))),
    covers_total=WHOLE,
)
_PREVIEW = named(
    "Preview",
    receiver=TEXT,
    scheme=TEXT,
    route=TEXT,
    event=TEXT,
    format=TEXT,
    title=TEXT,
    body=TEXT,
    files=listed(TEXT),
    held=TEXT,
)
_TESTED = named("Tested", receiver=TEXT, scheme=TEXT, route=TEXT, status=TEXT, last_error=TEXT, took_s=maybe(NUMBER))
_TOLD_AT = record(receiver=TEXT, scheme=TEXT, at=TIME, waits_for=TEXT)
_ROUTED = named(
    "Routed",
    "`steps`: the places that were asked, in order. `silenced`: why nobody is told now; else empty.",
    at=TIME,
    severity=shapes.choice(Severity),
    event=shapes.choice(AlertEvent),
    tags=listed(TEXT),
    labels=by_name(TEXT),
    steps=listed(record(place=TEXT, taken=FLAG, why=TEXT, routes=listed(TEXT))),
    missing=listed(TEXT),
    routes=listed(
        record(
            route=TEXT,
            group=by_name(TEXT),
            group_wait_s=NUMBER,
            group_interval_s=NUMBER,
            told=listed(_TOLD_AT),
            fallback=listed(TEXT),
            escalate=listed(record(after_s=NUMBER, told=listed(_TOLD_AT))),
            reminders_s=listed(NUMBER),
        )
    ),
    silenced=TEXT,
    silenced_until=maybe(TIME),
)
_SAY_WHY = "say why: it is recorded with your name"

ENDPOINTS = (
    Endpoint(
        "GET",
        "/v1/alerts",
        "Messages to people, newest first",
        alerts,
        listed(ALERT),
        query=(
            queries.choice(
                "status", "In this state; `waiting`: still to be told.", (WAITING, *AlertStatus), example="dead"
            ),
            queries.text("receiver", "To this receiver.", example="oncall-mail"),
            queries.moment("since", "Made since then: a duration (24h, 7d) or a time."),
            queries.choice("event", "Of this kind.", AlertEvent, example="fix_failed"),
            queries.text("incident", "That tell of this incident: its whole id."),
            queries.limit(100),
            CURSOR,
        ),
        pages="alerts",
    ),
    Endpoint(
        "GET",
        "/v1/alerts/{id}/why",
        "Why people were not told",
        why_untold,
        named(
            "WhyNotTold",
            subject=TEXT,
            alert=maybe(ALERT),
            notice=maybe(TOLD),
            note=TEXT,
            stages=listed(shapes.row(Stage)),
        ),
        about="Each stage that holds it back, with its end and what to type.",
        subject=f"A message: its id, or a unique end of it. {SUBJECT_ID} `issue:ID`, `source:NAME` and `rule:ID`, too.",
    ),
    Endpoint(
        "GET",
        "/v1/alerts/route",
        "Where news would go, and why",
        route,
        _ROUTED,
        about="By the config and the silences in force. What is not said is as the rule or the incident has it.",
        query=(
            queries.choice("severity", "As grave as this.", Severity, example="critical"),
            queries.choice("event", "Of this kind; else opened.", AlertEvent, example="fix_failed"),
            queries.text("rule", "Of this rule: its severity, tags and routes count as well.", longest=LONGEST_NAME),
            queries.text("source", "From this source.", longest=LONGEST_NAME),
            queries.text("service", "Of this service.", longest=LONGEST_NAME),
            queries.several("tag", "With these tags.", example="web"),
            queries.several("label", "With these labels: NAME=VALUE.", example="zone=eu", pattern="^[^=,]+=[^,]*$"),
            queries.text("incident", "As this incident; what else is said counts instead.", longest=LONGEST_NAME),
            queries.moment("at", "As if it came then.", example="2026-11-24T03:00:00Z"),
        ),
        refused=(404,),
    ),
    Endpoint("GET", "/v1/receivers", "Who is told, and whether it arrives", receivers, listed(RECEIVER)),
    Endpoint(
        "POST",
        "/v1/alerts/preview",
        "The messages of an incident, not sent",
        preview,
        listed(_PREVIEW),
        about="A question, for everybody who may look: nothing is sent, and the links in it open nothing.",
        body=(
            bodies.text(
                "incident",
                SUBJECT_ID,
                LONGEST_NAME,
                needed='send {"incident": "the end of the id of an incident"}',
                example="4f1c",
            ),
            bodies.choice("event", "As if that were the news; else its last.", AlertEvent, example="fix_failed"),
            bodies.text("receiver", "Only that of this receiver.", LONGEST_NAME, example="oncall-mail"),
        ),
        refused=(404, 409),
    ),
    Endpoint(
        "POST",
        "/v1/alerts/resend",
        "Send what was given up again",
        resend,
        listed(ALERT),
        body=(
            bodies.words("ids", "Messages: their ids, or unique ends of them.", example=["4f1c"]),
            bodies.flag("dead", "All that were given up."),
        ),
        together={
            "oneOf": [
                {"required": ["ids"], "properties": {"ids": {"minItems": 1}, "dead": {"const": False}}},
                {
                    "required": ["dead"],
                    "properties": {"ids": {"maxItems": 0, "type": "array"}, "dead": {"const": True}},
                },
            ]
        },
        acts=True,
        refused=(404, 409),
    ),
    Endpoint(
        "POST",
        "/v1/alerts/test",
        "Send a real test message",
        test_alert,
        listed(_TESTED),
        about="To one receiver, to all that a route may reach, or to everybody. It waits up to 40 s until it arrived.",
        body=(
            bodies.text("route", "All that this route may reach.", LONGEST_NOTE, example="oncall"),
            bodies.text("receiver", "This one.", LONGEST_NOTE, example="oncall-mail"),
        ),
        acts=True,
        refused=(404, 409),
    ),
    Endpoint(
        "GET",
        "/v1/silences",
        "What is kept quiet, newest first",
        silences,
        listed(_SILENCE),
        query=(queries.flag("all", "Also those that are over."),),
    ),
    Endpoint(
        "POST",
        "/v1/silences",
        "Tell nobody of something for a while",
        add_silence,
        _SILENCE,
        about="Of what fits all that is named. With `dry_run` it only says what it would cover.",
        body=(
            FOR,
            UNTIL,
            bodies.moment("from", "From then on; else from now on.", example="2026-12-01T06:00:00Z"),
            bodies.text("why", "It is recorded with your name.", LONGEST_NOTE, needed=_SAY_WHY, example="new release"),
            bodies.words("severity", "One of these.", Severity, example=["low"]),
            bodies.words("tag", "With one of these tags.", example=["web"]),
            bodies.texts("labels", "A pattern for each label.", example={"rule": "pg-*"}),
            bodies.text(
                "incident", f"This incident, and those like it that follow. {SUBJECT_ID}", LONGEST_NAME, example="4f1c"
            ),
            bodies.flag("everything", "It may keep everything quiet."),
            bodies.flag("dry_run", "Only say what it would cover."),
        ),
        together={"oneOf": [{"required": ["for"]}, {"required": ["until"]}]},
        acts=True,
        refused=(404, 409),
    ),
    Endpoint(
        "POST",
        "/v1/silences/{id}/end",
        "End a silence",
        end_silence,
        _SILENCE,
        about="People are told of what is still open.",
        subject=SUBJECT_ID,
        body=(),
        acts=True,
        refused=(409,),
    ),
)
