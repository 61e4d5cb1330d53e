"""The API: /v1, JSON in and out, errors as {"error", "hint"}."""

from __future__ import annotations

import asyncio
import json
import os
import pwd
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from logmedic.model.errors import LogmedicError, NotFound, TransientError
from logmedic.ports import Control
from logmedic.yamldoc import moment

BODY_LIMIT = 64 * 1024
LIMIT_MAX = 10_000
ROWS_AT_ONCE = 200

Answer = Callable[[Request], Awaitable[Any]]


class BadRequest(LogmedicError):
    """The request does not say what is wanted."""


class Forbidden(LogmedicError):
    """The peer may read, and not act."""


def make_app(control: Control) -> Starlette:
    """Reading is for everybody who can connect; acting for root and the daemon's own user."""

    async def status(_: Request) -> Any:
        return await control.status()

    async def sources(request: Request) -> Any:
        return await control.sources(request.query_params.get("source", ""))

    async def incidents(request: Request) -> Any:
        everything = _flag(request, "all")
        return await control.ask("incidents", everything=everything, limit=_limit(request, 50))

    async def incident(request: Request) -> Any:
        return await control.ask("incident", incident_id=request.path_params["id"])

    async def rule_costs(_: Request) -> Any:
        return await control.rule_costs()

    async def rule(request: Request) -> Any:
        return await control.rule(request.path_params["id"], _match(request))

    def listing(question: str) -> Answer:
        async def answer(request: Request) -> Any:
            return await control.ask(question, limit=_limit(request, 100))

        return answer

    async def breakers(_: Request) -> Any:
        return await control.ask("breakers")

    async def counts(_: Request) -> Any:
        return await control.ask("counts")

    async def gaps(request: Request) -> Any:
        return await control.ask("gaps", source=request.query_params.get("source", ""), limit=_limit(request, 100))

    async def stats(request: Request) -> Any:
        return await control.ask("stats", since=_since(request))

    async def approve(request: Request) -> Any:
        return await control.approve(request.path_params["id"], _actor(request))

    async def reject(request: Request) -> Any:
        return await control.reject(request.path_params["id"], _actor(request))

    async def reload(request: Request) -> Any:
        _actor(request)
        return await control.reload()

    async def test_alert(request: Request) -> Any:
        _actor(request)
        return await control.test_alert(str((await _body(request)).get("route", "")))

    reads = {
        "/v1/status": status,
        "/v1/sources": sources,
        "/v1/incidents": incidents,
        "/v1/incidents/{id}": incident,
        "/v1/rules": rule_costs,
        "/v1/rules/{id}": rule,
        "/v1/issues": listing("issues"),
        "/v1/learnings": listing("learnings"),
        "/v1/alerts": listing("alerts"),
        "/v1/breakers": breakers,
        "/v1/counts": counts,
        "/v1/gaps": gaps,
        "/v1/stats": stats,
    }
    acts = {
        "/v1/incidents/{id}/approve": approve,
        "/v1/incidents/{id}/reject": reject,
        "/v1/reload": reload,
        "/v1/alerts/test": test_alert,
    }
    return Starlette(
        routes=[
            *(Route(path, _as_json(answer), methods=["POST"]) for path, answer in acts.items()),
            *(Route(path, _as_json(answer), methods=["GET"]) for path, answer in reads.items()),
        ],
        exception_handlers={HTTPException: _unknown},
    )


def _as_json(answer: Answer) -> Callable[[Request], Awaitable[Response]]:
    async def respond(request: Request) -> Response:
        try:
            given = await answer(request)
            long = isinstance(given, list) and len(given) > ROWS_AT_ONCE
            return StreamingResponse(_in_parts(given), media_type="application/json") if long else JSONResponse(given)
        except LogmedicError as error:
            return JSONResponse({"error": error.text, "hint": error.hint}, _status_of(error))

    return respond


async def _in_parts(rows: list[Any]) -> AsyncIterator[bytes]:
    """A list as JSON; the loop's other tasks get their turn between its parts."""
    for at in range(0, len(rows), ROWS_AT_ONCE):
        part = json.dumps(rows[at : at + ROWS_AT_ONCE], ensure_ascii=False, separators=(",", ":"))[1:-1]
        yield f"{',' if at else '['}{part}".encode("utf-8", "replace")
        await asyncio.sleep(0)
    yield b"]"


def _status_of(error: LogmedicError) -> int:
    match error:
        case NotFound():
            return 404
        case BadRequest():
            return 400
        case Forbidden():
            return 403
        case TransientError():
            return 503
    return 500


async def _unknown(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101  it is registered for these alone
    return JSONResponse(
        {"error": error.detail.lower(), "hint": "see docs/cli.md for what can be asked"}, error.status_code
    )


def _actor(request: Request) -> str:
    """The name of whom the peer's process belongs to. Raises Forbidden."""
    uid = request.state.peer_uid
    if uid not in (0, os.geteuid()):
        raise Forbidden("this user may look, and not act", "use sudo, or become the daemon's user")
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"


async def _body(request: Request) -> dict[str, Any]:
    """Raises BadRequest."""
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > BODY_LIMIT:
            raise BadRequest(f"the body is larger than {BODY_LIMIT} bytes")
    try:
        body = json.loads(content or b"{}")
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise BadRequest("the body is no JSON object", 'send {"route": "name"}, or nothing')
    return body


def _match(request: Request) -> dict[str, Any] | None:
    """The match that is asked about; None when none is. Raises BadRequest."""
    query = request.query_params
    if "captures" not in query:
        return None
    try:
        captures = json.loads(query["captures"])
    except ValueError:
        captures = None
    if not isinstance(captures, dict) or not all(isinstance(each, str) for each in captures.values()):
        raise BadRequest("`captures` is no JSON object of texts", 'captures={"client": "192.0.2.7"}, or captures={}')
    return {
        "captures": captures,
        "part": query.get("part", ""),
        "source": query.get("source", ""),
        "at": _moment(request, "at"),
    }


def _flag(request: Request, name: str) -> bool:
    text = request.query_params.get(name, "false")
    if text not in ("true", "false"):
        raise BadRequest(f"`{name}` is `{text[:40]}`", f"{name}=true or {name}=false")
    return text == "true"


def _limit(request: Request, default: int) -> int:
    text = request.query_params.get("limit", str(default))
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= LIMIT_MAX:
        raise BadRequest(f"`limit` is `{text[:40]}`", f"a whole number from 1 to {LIMIT_MAX}")
    return int(text)


def _since(request: Request) -> datetime | None:
    return _moment(request, "since")


def _moment(request: Request, name: str) -> datetime | None:
    """From a duration (24h), or from a time (ISO 8601, UTC unless it says otherwise)."""
    text = request.query_params.get(name)
    if not text:
        return None
    try:
        return moment(text, datetime.now(UTC))
    except ValueError as error:
        words, _, hint = str(error).partition("; ")
        raise BadRequest(f"`{name}`: {words}", hint) from None
