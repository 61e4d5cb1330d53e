"""What is served while the store does not open: to every question, why."""

from __future__ import annotations

from collections.abc import Callable

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from logmedic.adapters.web.refusals import told

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


def closed(why: Callable[[], tuple[str, str]]) -> Starlette:
    """`why`: the error, and what to type. 503 to everybody, as the API tells errors."""

    async def refuse(_: Request) -> Response:
        return told(503, *why())

    return Starlette(routes=[Route("/{path:path}", refuse, methods=METHODS)])
