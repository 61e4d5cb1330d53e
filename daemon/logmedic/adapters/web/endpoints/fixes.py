"""Fixes: attempts, breakers, trust, dry runs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from logmedic.adapters.web import bodies, queries, shapes
from logmedic.adapters.web.bodies import LONGEST_NAME, LONGEST_NOTE
from logmedic.adapters.web.endpoint import Asked, Endpoint
from logmedic.adapters.web.endpoints.shown import (
    ATTEMPT_LISTED,
    BREAKER,
    RULE_ID,
    STEP_RANK,
    TRUST,
    TRUST_CHANGE,
)
from logmedic.adapters.web.parameters import BadRequest
from logmedic.adapters.web.queries import CURSOR, SINCE, UNTIL
from logmedic.adapters.web.shapes import FLAG, NUMBER, TEXT, TIME, WHOLE, by_name, listed, maybe, named
from logmedic.model.fix import Verdict
from logmedic.model.issue import HoldReason
from logmedic.model.rule import Mode
from logmedic.ports import Control

LANES_SHOWN = timedelta(days=1)
"""When no time is named."""
_RULE = queries.text("rule", "Of this rule.", example="nginx-upstream-down")
_SAY_WHY = "say why: it is recorded with your name"


async def fixes(control: Control, asked: Asked) -> Any:
    names = ("since", "rule", "verdict", "target", "incident", "limit", "cursor")
    return await control.ask("fixes", **asked.given(*names))


async def lanes(control: Control, asked: Asked) -> Any:
    since, until = span_of(asked, LANES_SHOWN)
    return await control.ask("lanes", since=since, until=until, limit=asked.query["limit"])


def span_of(asked: Asked, usual: timedelta) -> tuple[datetime, datetime]:
    """`since` and `until` of a query. Raises BadRequest."""
    until = asked.query["until"] or datetime.now(UTC)
    since = asked.query["since"] or until - usual
    if not since < until:
        raise BadRequest("`since` is not before `until`", "since=24h")
    return since, until


async def breakers(control: Control, _: Asked) -> Any:
    return await control.ask("breakers")


async def reset_breakers(control: Control, asked: Asked) -> Any:
    return await control.reset_breaker(asked.body["rule"], asked.by, asked.body["target"])


async def trust(control: Control, _: Asked) -> Any:
    return await control.trust()


async def trust_of(control: Control, asked: Asked) -> Any:
    return await control.trust_of(asked.id)


async def set_trust(control: Control, asked: Asked) -> Any:
    return await control.set_trust(asked.id, Mode(asked.body["level"]), asked.by, asked.body["why"])


async def trust_changes(control: Control, asked: Asked) -> Any:
    return await control.ask("trust_changes", **asked.given("rule", "limit", "cursor"))


async def rehearse(control: Control, asked: Asked) -> Any:
    return await control.rehearse(asked.id, asked.body["captures"])


_LANE = named(
    "Lane",
    "A fix that ran (`ran`), or that would have (`would`: its rule only observes).",
    kind={"type": "string", "enum": ["ran", "would"]},
    target=TEXT,
    rule_id=TEXT,
    incident_id=TEXT,
    title=TEXT,
    step_name=TEXT,
    started_at=TIME,
    finished_at=maybe(TIME),
    verdict=maybe(shapes.choice(Verdict)),
    hold=maybe(shapes.choice(HoldReason)),
)
_TRUST_STORY = {
    **TRUST,
    "title": "TrustStory",
    "properties": {**TRUST["properties"], "steps": listed(STEP_RANK), "changes": listed(TRUST_CHANGE)},
    "required": sorted((*TRUST["required"], "steps", "changes")),
}
_REHEARSED = named(
    "Rehearsed",
    step=TEXT,
    rung=WHOLE,
    argv=listed(TEXT),
    ok=FLAG,
    started=FLAG,
    exit_code=maybe(WHOLE),
    duration_s=NUMBER,
    sandbox=TEXT,
    output=TEXT,
    detail=TEXT,
)

ENDPOINTS = (
    Endpoint(
        "GET",
        "/v1/fixes",
        "What was tried, newest first",
        fixes,
        listed(ATTEMPT_LISTED),
        query=(
            queries.moment("since", "Begun since then: a duration (24h, 7d) or a time."),
            _RULE,
            queries.choice("verdict", "With this outcome.", Verdict, example="fixed"),
            queries.text("target", "Done to this.", example="app.service"),
            queries.text("incident", "Of this incident: its whole id."),
            queries.limit(100),
            CURSOR,
        ),
        pages="fixes",
    ),
    Endpoint(
        "GET",
        "/v1/lanes",
        "Fixes by what they are done to",
        lanes,
        listed(_LANE),
        about="Those that ran, and those that would have run. Without a time: of the last day.",
        query=(SINCE, UNTIL, queries.limit(500)),
    ),
    Endpoint("GET", "/v1/breakers", "What holds fixes back after failures", breakers, listed(BREAKER)),
    Endpoint(
        "POST",
        "/v1/breakers/reset",
        "Close the breakers of a rule",
        reset_breakers,
        listed(BREAKER),
        body=(
            bodies.text(
                "rule",
                "The rule whose breakers are meant.",
                LONGEST_NAME,
                needed='send {"rule": "the id of a rule"}',
                example="nginx-upstream-down",
            ),
            bodies.text("target", "Only that of this target.", LONGEST_NOTE, example="app.service"),
        ),
        acts=True,
        refused=(404, 409),
    ),
    Endpoint("GET", "/v1/trust", "How far each fix is trusted", trust, listed(TRUST)),
    Endpoint(
        "GET",
        "/v1/trust/{id}",
        "The same of one rule, with its past",
        trust_of,
        _TRUST_STORY,
        subject=RULE_ID,
        example="nginx-upstream-down",
        refused=(409,),
    ),
    Endpoint(
        "POST",
        "/v1/trust/{id}",
        "Raise or lower it",
        set_trust,
        _TRUST_STORY,
        about="The level that it has already turns a proposal down.",
        subject=RULE_ID,
        example="nginx-upstream-down",
        body=(
            bodies.choice(
                "level", "How far it may go.", Mode, needed="name a level: observe, approve or auto", example="approve"
            ),
            bodies.text("why", "It is recorded with your name.", LONGEST_NOTE, needed=_SAY_WHY, example="it held"),
        ),
        acts=True,
        refused=(409,),
    ),
    Endpoint(
        "GET",
        "/v1/trust_changes",
        "Who changed trust, and why",
        trust_changes,
        listed(TRUST_CHANGE),
        query=(_RULE, queries.limit(100), CURSOR),
        pages="trust_changes",
    ),
    Endpoint(
        "POST",
        "/v1/rules/{id}/rehearse",
        "A dry run of its fix",
        rehearse,
        named("Rehearsal", rule=TEXT, captures=by_name(TEXT), steps=listed(_REHEARSED)),
        about="Every step, one after the other, in its sandbox. Nothing is changed.",
        subject=RULE_ID,
        example="nginx-upstream-down",
        body=(bodies.texts("captures", "As a line would give them.", example={"client": "192.0.2.7"}),),
        acts=True,
        refused=(409,),
    ),
)
