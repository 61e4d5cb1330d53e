"""What cannot be shown is said, as the one who asks reads it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from logmedic.adapters.web.troubles import trouble
from logmedic.model.errors import LogmedicError

Respond = Callable[[Request], Awaitable[Response]]


def shown(answer: Respond) -> Respond:
    """With what `answer` raises as its answer."""

    async def respond(request: Request) -> Response:
        try:
            return await answer(request)
        except LogmedicError as error:
            return trouble(request, error)

    return respond
