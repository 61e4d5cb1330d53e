"""The past: the six metrics, activity, and SQL."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from logmedic.adapters.web import bodies, queries
from logmedic.adapters.web.endpoint import Asked, Endpoint
from logmedic.adapters.web.endpoints.fixes import span_of
from logmedic.adapters.web.endpoints.shown import STATS
from logmedic.adapters.web.fields import Field
from logmedic.adapters.web.parameters import BadRequest
from logmedic.adapters.web.queries import SINCE, UNTIL
from logmedic.adapters.web.shapes import ANYTHING, NUMBER, TEXT, TIME, WHOLE, by_name, listed, maybe, named
from logmedic.model.query import ROWS, ROWS_MAX, SQL_MAX, TIME_MAX_S, TIME_S, Limits
from logmedic.ports import Control

USUAL = timedelta(days=30)
"""When no time is named."""
LONGEST = timedelta(days=3660)
ACTIVITY_USUAL = timedelta(hours=24)
MOST_RULES = 200
"""Of sparks."""


async def stats(control: Control, asked: Asked) -> Any:
    return await control.ask("stats", **asked.given("since"))


async def trends(control: Control, asked: Asked) -> Any:
    since, until = span_of(asked, USUAL)
    if until - since > LONGEST:
        raise BadRequest("`since` is too long before `until`", "since=30d")
    return await control.ask("trends", since=since, until=until)


async def activity(control: Control, asked: Asked) -> Any:
    since, until = span_of(asked, ACTIVITY_USUAL)
    return await control.ask("activity", since=since, until=until, slots=asked.query["slots"])


async def sparks(control: Control, asked: Asked) -> Any:
    since, until = span_of(asked, ACTIVITY_USUAL)
    rules = list(dict.fromkeys(asked.query["rules"]))
    if len(rules) > MOST_RULES:
        raise BadRequest(f"`rules` names {len(rules)}", f"{MOST_RULES} at most")
    return await control.ask("sparks", rules=rules, since=since, until=until, slots=asked.query["slots"])


async def query(control: Control, asked: Asked) -> Any:
    """For everybody who may look: SQL does not fit into an address."""
    limits = Limits(asked.body["limit"], asked.body["time_s"])
    answer = await _unless_gone(asked.request, control.query(asked.body["sql"], limits))
    return Response(answer, media_type="application/json")


async def _unless_gone(request: Request, answering: Coroutine[Any, Any, bytes]) -> bytes:
    """The answer; who asked may leave before it is there, and then nobody works on it any more. A body was read."""
    answer, gone = asyncio.ensure_future(answering), asyncio.ensure_future(request.receive())
    try:
        await asyncio.wait({answer, gone}, return_when=asyncio.FIRST_COMPLETED)
        return await answer if answer.done() else b""
    finally:
        gone.cancel()
        answer.cancel()
        await asyncio.gather(answer, gone, return_exceptions=True)


def _sql(name: str, sent: Any) -> str:
    if not isinstance(sent, str) or not sent.strip():
        raise BadRequest("there is no `sql`", _SQL.needed)
    return sent


def _rows(name: str, sent: Any) -> int:
    told = bodies.whole(sent)
    if told is None or not 1 <= told <= ROWS_MAX:
        raise BadRequest("`limit` is no number of rows", f"a whole number from 1 to {ROWS_MAX}")
    return told


def _time(name: str, sent: Any) -> float:
    if type(sent) not in (int, float) or not 0 < sent <= TIME_MAX_S:
        raise BadRequest("`time_s` is no time", f"seconds, at most {TIME_MAX_S:g}")
    return float(sent)


_EXAMPLE = "SELECT title FROM v_incidents"
_SQL = Field(
    "sql",
    "One SELECT over the views of docs/questions.md.",
    {"type": "string", "pattern": r"\S", "maxLength": SQL_MAX},
    _sql,
    example=_EXAMPLE,
    needed=f'send {{"sql": "{_EXAMPLE}"}}',
)
_LIMIT = Field(
    "limit",
    "Rows at most.",
    {"type": "integer", "minimum": 1, "maximum": ROWS_MAX, "default": ROWS},
    _rows,
    ROWS,
    100,
)
_TIME = Field(
    "time_s",
    "Seconds that it may take.",
    {"type": "number", "exclusiveMinimum": 0, "maximum": TIME_MAX_S, "default": TIME_S},
    _time,
    TIME_S,
    5,
)
_SLOTS = "Into how many slots the time is divided; none is shorter than a minute."
_SPAN = (SINCE, UNTIL)

ENDPOINTS = (
    Endpoint("GET", "/v1/stats", "The six metrics", stats, STATS, query=(SINCE,)),
    Endpoint(
        "GET",
        "/v1/trends",
        "How the six metrics went, by day",
        trends,
        named(
            "Trends",
            "`before`: over as long a time before it. Days are UTC, oldest first.",
            since=TIME,
            until=TIME,
            known_since=maybe(TIME),
            metrics=STATS,
            before=STATS,
            days=listed(by_name(ANYTHING)),
        ),
        about="Without a time: of the last 30 days.",
        query=_SPAN,
    ),
    Endpoint(
        "GET",
        "/v1/activity",
        "How much happened, slot by slot",
        activity,
        named("Activity", since=TIME, until=TIME, step_s=NUMBER, series=by_name(listed(WHOLE))),
        about="Lines, matches, incidents, fixes, messages and more. Without a time: of the last day.",
        query=(*_SPAN, queries.whole("slots", _SLOTS, 60, 1, 1000)),
    ),
    Endpoint(
        "GET",
        "/v1/sparks",
        "Incidents opened, slot by slot, of some rules",
        sparks,
        by_name(listed(WHOLE)),
        query=(
            queries.several("rules", "Of these: `a,b`, or named again.", example="nginx-upstream-down"),
            *_SPAN,
            queries.whole("slots", _SLOTS, 24, 1, 1000),
        ),
    ),
    Endpoint(
        "POST",
        "/v1/query",
        "Ask the past in SQL",
        query,
        named(
            "QueryAnswer",
            '`cut`: "rows" or "bytes" when there are more.',
            columns=listed(TEXT),
            types=listed(TEXT),
            rows=listed(listed(ANYTHING)),
            cut=TEXT,
        ),
        about="A question, for everybody who may look. Nothing is changed.",
        body=(_SQL, _LIMIT, _TIME),
    ),
)
