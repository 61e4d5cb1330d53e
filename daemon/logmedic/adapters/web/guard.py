"""What every request passes on its way in, and every answer on its way out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from logmedic.adapters.web.callers import Caller
from logmedic.adapters.web.serving import HEAD_BYTES
from logmedic.adapters.web.troubles import told, trouble
from logmedic.model.errors import LogmedicError

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""Nothing but our own files is loaded, and nothing that stands in a page runs, whatever a log line brings along."""
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # "no-referrer" would make browsers send our own forms with `Origin: null`, as those of other sites
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
    "X-Robots-Tag": "noindex, nofollow",
}
CROWDED = "crowded"
"""In the state of a request: as many connections are open as may be, and this one is too much."""


class Door(Protocol):
    """One way in."""

    def check(self, request: Request) -> None:
        """Host and origin. Raises Forbidden."""

    async def admit(self, request: Request) -> Caller | Response:
        """Who it is; or what they are answered instead. Raises Unauthorized, Forbidden, TooOften."""


class Guard:
    """`app` behind `door`: whoever comes in is `request.state.caller` to it; `request.state.again()` asks whether they
    would come in now."""

    def __init__(self, app: ASGIApp, door: Door) -> None:
        self._app = app
        self._door = door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        outward = _with_headers(send)
        answer = await self._admitted(request)
        if isinstance(answer, Response):
            await answer(scope, receive, outward)
            return
        scope["state"]["caller"] = answer
        scope["state"]["again"] = lambda: self._admitted(request)
        await self._app(scope, receive, outward)

    async def _admitted(self, request: Request) -> Caller | Response:
        if getattr(request.state, CROWDED, False):
            return told(request, 503, "too many connections are open", "try again", {"Connection": "close"})
        if (status := _too_long(request.scope)) is not None:
            return told(request, status, "the address, or the head of the request, is too long", "send less of it")
        try:
            self._door.check(request)
            return await self._door.admit(request)
        except LogmedicError as error:
            return trouble(request, error)


def _too_long(scope: Scope) -> int | None:
    """414 or 431: what came at once is not looked at before it is whole."""
    line = len(scope["raw_path"]) + len(scope["query_string"])
    if line > HEAD_BYTES // 2:
        return 414
    return 431 if sum(len(name) + len(value) for name, value in scope["headers"]) > HEAD_BYTES else None


def _with_headers(send: Send) -> Callable[[Message], Awaitable[None]]:
    """Ours on whatever is answered; what it says of its own caching stays."""

    async def outward(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers.setdefault("Cache-Control", "no-store")
            for name, value in HEADERS.items():
                headers[name] = value
        await send(message)

    return outward
