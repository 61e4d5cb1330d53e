"""The API: /v1, JSON in and out, errors as {"error", "hint"}."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from logmedic.adapters.web import alertroutes, figures, fixroutes, issueroutes, metrics, parameters, pastroutes, stream
from logmedic.adapters.web.refusals import status_of
from logmedic.model.errors import LogmedicError
from logmedic.ports import Control

ROWS_AT_ONCE = 200

Answer = Callable[[Request], Awaitable[Any]]


def make_app(control: Control) -> Starlette:
    """Reading is for everybody who can connect; acting for root and the daemon's own user."""

    async def status(_: Request) -> Any:
        return await control.status()

    async def sources(request: Request) -> Any:
        return await control.sources(request.query_params.get("source", ""))

    async def incidents(request: Request) -> Any:
        everything = parameters.flag(request, "all")
        return await control.ask("incidents", everything=everything, limit=parameters.limit(request, 50))

    async def incident(request: Request) -> Any:
        return await control.ask("incident", incident_id=request.path_params["id"])

    async def rule_costs(_: Request) -> Any:
        return await control.rule_costs()

    async def rule(request: Request) -> Any:
        return await control.rule(request.path_params["id"], parameters.match(request))

    async def counts(_: Request) -> Any:
        return await control.ask("counts")

    async def all_figures(_: Request) -> Any:
        return await figures.rows(control)

    async def gaps(request: Request) -> Any:
        return await control.ask(
            "gaps", source=request.query_params.get("source", ""), limit=parameters.limit(request, 100)
        )

    async def reload(request: Request) -> Any:
        parameters.actor(request)
        return await control.reload()

    async def storage(_: Request) -> Any:
        return await control.storage()

    async def backup(request: Request) -> Any:
        parameters.actor(request)
        return await control.backup()

    reads = {
        "/v1/status": status,
        "/v1/sources": sources,
        "/v1/incidents": incidents,
        "/v1/incidents/{id}": incident,
        "/v1/rules": rule_costs,
        "/v1/rules/{id}": rule,
        **issueroutes.reads(control),
        **alertroutes.reads(control),
        **fixroutes.reads(control),
        "/v1/counts": counts,
        "/v1/figures": all_figures,
        "/v1/gaps": gaps,
        **pastroutes.reads(control),
        "/v1/storage": storage,
    }
    acts = {
        **fixroutes.acts(control),
        **issueroutes.acts(control),
        "/v1/reload": reload,
        **alertroutes.acts(control),
        "/v1/backup": backup,
    }
    posts = {**acts, **pastroutes.asks(control), **alertroutes.asks(control)}
    return Starlette(
        routes=[
            *(Route(path, _as_json(answer), methods=["POST"]) for path, answer in posts.items()),
            *(Route(path, _as_json(answer), methods=["GET"]) for path, answer in reads.items()),
            Route("/v1/events/stream", stream.endpoint(control), methods=["GET"]),
            Route("/metrics", metrics.endpoint(control), methods=["GET"]),
        ],
        exception_handlers={HTTPException: _unknown},
    )


def _as_json(answer: Answer) -> Callable[[Request], Awaitable[Response]]:
    async def respond(request: Request) -> Response:
        try:
            given = await answer(request)
            if isinstance(given, Response):
                return given
            long = isinstance(given, list) and len(given) > ROWS_AT_ONCE
            return StreamingResponse(_in_parts(given), media_type="application/json") if long else JSONResponse(given)
        except LogmedicError as error:
            return JSONResponse({"error": error.text, "hint": error.hint}, status_of(error))

    return respond


async def _in_parts(rows: list[Any]) -> AsyncIterator[bytes]:
    """A list as JSON; the loop's other tasks get their turn between its parts."""
    for at in range(0, len(rows), ROWS_AT_ONCE):
        part = json.dumps(rows[at : at + ROWS_AT_ONCE], ensure_ascii=False, separators=(",", ":"))[1:-1]
        yield f"{',' if at else '['}{part}".encode("utf-8", "replace")
        await asyncio.sleep(0)
    yield b"]"


async def _unknown(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101  it is registered for these alone
    return JSONResponse(
        {"error": error.detail.lower(), "hint": "see docs/cli.md for what can be asked"}, error.status_code
    )
