"""The API on its paths: JSON in and out, errors as {"error", "hint"}."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from difflib import get_close_matches
from typing import Any

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from logmedic.adapters.web import metrics, openapi, signing
from logmedic.adapters.web.callers import Caller
from logmedic.adapters.web.endpoint import Endpoint, answer
from logmedic.adapters.web.endpoints import ENDPOINTS
from logmedic.adapters.web.entrance import Entrance
from logmedic.adapters.web.pages import site
from logmedic.adapters.web.refusals import refusal
from logmedic.adapters.web.troubles import told
from logmedic.core.evidence import clean
from logmedic.model.errors import LogmedicError
from logmedic.ports import Control

log = structlog.get_logger("logmedic.web")

ROWS_AT_ONCE = 200

Respond = Callable[[Request], Awaitable[Response]]


def make_app(control: Control, entrance: Entrance | None = None) -> Starlette:
    """The API, the metrics and the pages, for all doors. Who calls is in `request.state.caller` already: reading is for
    everybody who came in, acting for who may. `entrance`: the TCP door, where there is one."""
    api = (_route(control, path, at) for path, at in _by_path(ENDPOINTS).items())
    own = (Route("/metrics", metrics.endpoint(control), methods=["GET"]), Route("/v1/openapi.json", _document))
    routes = [*own, *api, *signing.routes(), *site.routes(control)]
    app = Starlette(routes=routes, exception_handlers={HTTPException: _unanswered, Exception: _failed})
    app.router.redirect_slashes = False
    app.state.entrance = entrance
    return app


def _by_path(endpoints: Iterable[Endpoint]) -> dict[str, dict[str, Endpoint]]:
    """By path, and then by method. Those without a name in them come first: `{id}` would take them along."""
    found: dict[str, dict[str, Endpoint]] = {}
    for each in sorted(endpoints, key=lambda each: "{" in each.path):
        found.setdefault(each.path, {})[each.method] = each
    return found


def _route(control: Control, path: str, at: Mapping[str, Endpoint]) -> Route:
    heads = ["HEAD"] if "GET" in at else []
    methods = sorted([*at, *heads, "OPTIONS"])

    async def respond(request: Request) -> Response:
        if request.method == "OPTIONS":
            return Response(status_code=204, headers={"Allow": ", ".join(methods)})
        return await _answered(at["GET" if request.method == "HEAD" else request.method], control, request)

    return Route(path, respond, methods=methods)


async def _answered(endpoint: Endpoint, control: Control, request: Request) -> Response:
    if request.method == "HEAD" and endpoint.media != "application/json":
        return Response(media_type=endpoint.media)  # it would have no end
    try:
        found = await answer(endpoint, control, request)
    except LogmedicError as error:
        return refusal(error)
    except ClientDisconnect:
        return Response(status_code=400)  # nobody is there to read it
    if endpoint.acts:  # whatever it leaves in the store, the log says who, and through which door
        caller: Caller = request.state.caller
        log.info("acted", by=caller.name, door=caller.door, what=clean(f"POST {request.url.path}", 200, keep=""))
    if isinstance(found.content, Response):
        return found.content
    headers = {"Link": f'<{found.more}>; rel="next"'} if found.more else None
    if isinstance(found.content, list) and len(found.content) > ROWS_AT_ONCE:
        return StreamingResponse(_in_parts(found.content), media_type="application/json", headers=headers)
    return JSONResponse(found.content, headers=headers)


async def _document(_: Request) -> Response:
    return JSONResponse(openapi.document())


async def _in_parts(rows: list[Any]) -> AsyncIterator[bytes]:
    """A list as JSON; the loop's other tasks get their turn between its parts."""
    for at in range(0, len(rows), ROWS_AT_ONCE):
        part = json.dumps(rows[at : at + ROWS_AT_ONCE], ensure_ascii=False, separators=(",", ":"))[1:-1]
        yield f"{',' if at else '['}{part}".encode("utf-8", "replace")
        await asyncio.sleep(0)
    yield b"]"


async def _unanswered(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101  it is registered for these alone
    if error.status_code == 405:
        allowed = ", ".join(sorted((error.headers or {}).get("Allow", "").split(", ")))
        error_text = f"{request.method} is nothing that {_shown(request)} takes"
        return told(request, 405, error_text, f"it takes {allowed}", {"Allow": allowed})
    if error.status_code == 404:
        return told(request, 404, f"not found: {_shown(request)}", _nearest(request.url.path))
    return told(request, error.status_code, error.detail.lower(), "", error.headers)


def _shown(request: Request) -> str:
    return request.url.path[:100]


def _nearest(path: str) -> str:
    known = {each.path for each in ENDPOINTS} | {"/metrics", "/v1/openapi.json"}
    bare = path.rstrip("/")
    if bare in known:
        return f"leave out the slash at the end: {bare}"
    close = get_close_matches(path, known, n=1)
    return f"did you mean {close[0]}?" if close else "GET /v1/openapi.json lists what there is"


async def _failed(request: Request, _: Exception) -> Response:
    """The traceback goes to the log."""
    return told(request, 500, "the daemon failed over this", "its log says why: journalctl -u logmedic")
