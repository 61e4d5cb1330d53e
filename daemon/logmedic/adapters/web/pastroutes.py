"""The part of the API that asks the past: metrics by day, and SQL."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from logmedic.adapters.web import parameters
from logmedic.adapters.web.parameters import BadRequest
from logmedic.model.query import ROWS, ROWS_MAX, TIME_MAX_S, TIME_S, Limits
from logmedic.ports import Control

USUAL = timedelta(days=30)
"""When no time is named."""
LONGEST = timedelta(days=3660)

Answers = dict[str, Callable[[Request], Awaitable[Any]]]
"""By path."""


def reads(control: Control) -> Answers:
    async def stats(request: Request) -> Any:
        return await control.ask("stats", since=parameters.since(request))

    async def trends(request: Request) -> Any:
        until = parameters.moment(request, "until") or datetime.now(UTC)
        since = parameters.since(request) or until - USUAL
        if not until - LONGEST <= since < until:
            raise BadRequest("`since` is not before `until`, or too long before it", "since=30d")
        return await control.ask("trends", since=since, until=until)

    return {"/v1/stats": stats, "/v1/trends": trends}


def asks(control: Control) -> Answers:
    """Reads as well, for everybody who can connect: SQL does not fit into an address."""

    async def query(request: Request) -> Any:
        sql, limits = _asked(await parameters.body(request))
        return Response(await _unless_gone(request, control.query(sql, limits)), media_type="application/json")

    return {"/v1/query": query}


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


def _asked(body: dict[str, Any]) -> tuple[str, Limits]:
    """Raises BadRequest."""
    sql, rows, time_s = body.get("sql"), body.get("limit", ROWS), body.get("time_s", TIME_S)
    if not isinstance(sql, str) or not sql.strip():
        raise BadRequest("there is no `sql`", '{"sql": "SELECT title FROM v_incidents"}')
    if type(rows) is not int or not 1 <= rows <= ROWS_MAX:
        raise BadRequest("`limit` is no number of rows", f"a whole number from 1 to {ROWS_MAX}")
    if type(time_s) not in (int, float) or not 0 < time_s <= TIME_MAX_S:
        raise BadRequest("`time_s` is no time", f"seconds, at most {TIME_MAX_S:g}")
    return sql, Limits(rows, float(time_s))
