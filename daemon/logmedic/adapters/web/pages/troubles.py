"""What cannot be shown, as a page that says so."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from logmedic.adapters.web.pages import layout
from logmedic.adapters.web.refusals import status_of
from logmedic.model.errors import LogmedicError

Respond = Callable[[Request], Awaitable[Response]]


def shown(answer: Respond) -> Respond:
    async def respond(request: Request) -> Response:
        try:
            return await answer(request)
        except LogmedicError as error:
            return trouble(error)

    return respond


def trouble(error: LogmedicError) -> Response:
    return Response(layout.trouble(error.text, error.hint), status_of(error), media_type="text/html")
