"""HTTP on a TCP port, for links of messages and nothing else: looking changes nothing, sending the form does."""

from __future__ import annotations

import asyncio
import logging
import socket
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from logmedic.adapters.web import linkpages
from logmedic.adapters.web.doors import Doors, listen_address, typed_name
from logmedic.adapters.web.parameters import BadRequest, Forbidden
from logmedic.adapters.web.serving import serve
from logmedic.core.links import PATH, Claims, LinkExpired, LinkForged, Purpose, verify
from logmedic.model.errors import LogmedicError, NotFound, OrderRefused, PermanentError, TransientError
from logmedic.ports import Clock, LinkDesk

log = structlog.get_logger("logmedic.links")

CONNECTIONS = 64
CONNECTIONS_OF_ONE = 16
"""From one address, so that nobody takes them all; a proxy on this host speaks for many."""
LONGEST_S = 15.0
"""From the first byte to the last of a connection, whoever is slow. It is for one request."""
BODY_BYTES = 8 * 1024
FIELDS = 8
ACK_LASTS = {"over": None, "4h": timedelta(hours=4)}
SILENCE_LASTS = {"1h": timedelta(hours=1), "4h": timedelta(hours=4), "24h": timedelta(hours=24)}

_HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": linkpages.POLICY,
    # "no-referrer" would make browsers send their own form with `Origin: null`, as those of other sites
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "x-robots-tag": "noindex, nofollow, noarchive, nosnippet",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=()",
    "connection": "close",
}


class _NoSuchPage(LogmedicError):
    """Whatever is no link."""


class LinkServer:
    """Serves the pages behind links until `serve` is cancelled."""

    def __init__(
        self, desk: LinkDesk, *, key: bytes, clock: Clock, listen: str, url: str, user_header: str = ""
    ) -> None:
        """`key`, `url`: as of LinkPlan. `listen`: HOST:PORT; port 0 is any free one."""
        self._desk = desk
        self._key = key
        self._clock = clock
        self._listen = listen
        self._url = url
        self._user_header = user_header
        self.doors = Doors("", 0, url, user_header)

    async def serve(self) -> None:
        """Raises PermanentError when it cannot listen there."""
        listener = _bind(self._listen)
        host, port = listener.getsockname()[:2]
        self.doors = Doors(host, port, self._url, self._user_header)
        log.info("links_served", listen=f"{host}:{port}", url=self._url)
        await serve(self._answer, listener, protocol=_BoundedProtocol, connections=CONNECTIONS + 1)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            status, page = await self._page(request)
        except LogmedicError as error:
            status, page = _status_of(error), linkpages.trouble(error.text, error.hint)
        more = {"allow": "GET, HEAD, POST"} if status == 405 else {}
        response = Response(page, status, {**_HEADERS, **more}, "text/html")
        await response(scope, receive, send)

    async def _page(self, request: Request) -> tuple[int, str]:
        self.doors.check_host(request)
        claims = verify(self._key, _token_of(request), self._clock.now())
        signed_in = self.doors.signed_in(request)
        match request.method:
            case "GET" | "HEAD":
                return 200, linkpages.page(await self._desk.view(claims), signed_in)
            case "POST":
                self.doors.check_origin(request)
                return await self._act(request, claims, signed_in)
        return 405, linkpages.trouble("a link is opened, or its form is sent", "open it in a browser")

    async def _act(self, request: Request, claims: Claims, signed_in: str) -> tuple[int, str]:
        form = await _form(request)
        try:
            asked = _asked(form)
            name = signed_in or typed_name(form.get("name", ""))
        except BadRequest as error:
            row = await self._desk.view(claims)
            return 400, linkpages.page(row, signed_in, form=form, problem=error.text)
        seen = "signed in, " if signed_in else ""
        by = f"{name} ({seen}link sent to {claims.receiver}, from {self.doors.address(request)})"
        row = await self._desk.act(claims, asked, by, lasts=_lasts(asked, form), why=form.get("why", ""))
        return 200 if row["outcome"]["done"] else 409, linkpages.page(row, signed_in)


class _BoundedProtocol(H11Protocol):
    """One request a connection, inside a time, and so many connections."""

    _deadline: asyncio.TimerHandle | None = None

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.logger = _QUIET  # what strangers send wrong is no news, and there may be much of it

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        others = [each for each in self.connections if each is not self and isinstance(each, _BoundedProtocol)]
        peer = _peer(self)
        of_peer = sum(1 for each in others if _peer(each) == peer)
        if len(others) >= CONNECTIONS or (of_peer >= CONNECTIONS_OF_ONE and peer not in _THIS_HOST):
            transport.abort()
        else:
            self._deadline = self.loop.call_later(LONGEST_S, transport.abort)

    def send_400_response(self, msg: str) -> None:
        """In the middle of a body too: then, for the app, the client is gone. Inside an answer nothing can be said."""
        if self.cycle is not None:
            if self.cycle.response_started and not self.cycle.response_complete:
                self.transport.abort()
                return
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        super().send_400_response(msg)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        super().connection_lost(exc)


_THIS_HOST = ("127.0.0.1", "::1")


def _peer(connection: H11Protocol) -> str:
    return connection.client[0] if connection.client else ""


_QUIET = logging.getLogger("logmedic.links.http")
_QUIET.setLevel(logging.ERROR)


def _bind(listen: str) -> socket.socket:
    host, port = listen_address(listen)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=CONNECTIONS)
    except OSError as error:
        raise PermanentError(f"cannot listen on {listen}: {error.strerror or error}", "set web.listen") from None
    listener.setblocking(False)
    return listener


def _token_of(request: Request) -> str:
    """What may be one: it has no slash. Raises _NoSuchPage."""
    path = str(request.scope["path"])
    token = path.removeprefix(PATH)
    if not path.startswith(PATH) or not token or "/" in token:
        raise _NoSuchPage("there is nothing here", "links of messages begin with /a/; the API is on the Unix socket")
    return token


async def _form(request: Request) -> dict[str, str]:
    """The first value of each field. Raises BadRequest."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise BadRequest("this is no form", "open the link in a browser")
    content = bytearray()
    try:
        async for chunk in request.stream():
            content += chunk
            if len(content) > BODY_BYTES:
                raise BadRequest(f"the form is larger than {BODY_BYTES} bytes", "write less")
    except ClientDisconnect:  # or each would be an error in the log, at a stranger's will
        raise BadRequest("the form did not come to its end", "send it again") from None
    try:
        found = parse_qs(content.decode(), keep_blank_values=True, max_num_fields=FIELDS)
    except ValueError:
        raise BadRequest("this form cannot be read", "open the link in a browser") from None
    return {name: values[0] for name, values in found.items()}


def _asked(form: dict[str, str]) -> Purpose:
    """What the form asks for, checked. Raises BadRequest."""
    told = form.get("do", "")
    if told not in set(Purpose) - {Purpose.VIEW}:
        raise BadRequest("press one of the buttons")
    asked = Purpose(told)
    if asked is Purpose.SILENCE and not form.get("why", "").strip():
        raise BadRequest("write why: others will wonder why nothing is told")
    if len(form.get("why", "")) > linkpages.LONGEST_WHY:
        raise BadRequest(f"write why in at most {linkpages.LONGEST_WHY} characters")
    known = {Purpose.ACK: tuple(ACK_LASTS), Purpose.SILENCE: tuple(SILENCE_LASTS)}.get(asked)
    if known is not None and form.get("for") not in known:
        raise BadRequest("choose for how long")
    return asked


def _lasts(asked: Purpose, form: dict[str, str]) -> timedelta | None:
    match asked:
        case Purpose.ACK:
            return ACK_LASTS[form["for"]]
        case Purpose.SILENCE:
            return SILENCE_LASTS[form["for"]]
    return None


def _status_of(error: LogmedicError) -> int:
    match error:
        case _NoSuchPage() | LinkForged() | NotFound():
            return 404
        case LinkExpired():
            return 410
        case BadRequest():
            return 400
        case Forbidden():
            return 403
        case OrderRefused():
            return 409
        case TransientError():
            return 503
    return 500
