"""How people and programs come in over TCP: with a token, or with a session that a token or a ticket began."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from logmedic.adapters.web.callers import Caller
from logmedic.adapters.web.doors import Doors
from logmedic.adapters.web.loopback import user_of
from logmedic.adapters.web.operators import Operators
from logmedic.adapters.web.parameters import Forbidden, Unauthorized
from logmedic.adapters.web.sessions import LASTS, Session, Sessions, Tickets, session_key
from logmedic.adapters.web.tokens import Token, Tokens
from logmedic.adapters.web.troubles import is_of_api
from logmedic.core.evidence import clean
from logmedic.model.errors import NotFound
from logmedic.unixsocket.peers import Peer

READS = ("GET", "HEAD", "OPTIONS")
SIGN_IN, SIGN_OUT = "/sign-in", "/sign-out"
_BEARER = "bearer "
SWITCH_ON = 'write web: { dashboard: "127.0.0.1:8632" } into the config, and restart the daemon'
NOBODY = Caller("nobody", False, "none")
_HOW = "Authorization: Bearer TOKEN; logmedic token new NAME makes one"


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True)
class Entrance:
    """The TCP door. `doors`: where it listens, and what browsers call it; set once it does. `user_of`: who may act
    over the socket may act in a session that a ticket from there began, for as long as that is so."""

    tokens: Tokens
    sessions: Sessions
    operators: Operators
    doors: Doors
    clock: Callable[[], datetime] = utc_now
    tickets: Tickets = field(default_factory=Tickets)
    user_at: Callable[[Request], Awaitable[int | None]] = user_of

    @property
    def cookie(self) -> str:
        """Browsers do not tell ports of one host apart: its name does."""
        return f"logmedic-{self.doors.port}"

    def check(self, request: Request) -> None:
        self.doors.check_host(request)
        if request.method not in READS:
            self.doors.check_origin(request)

    async def admit(self, request: Request) -> Caller | Response:
        if "authorization" in request.headers:
            return self._by_token(request)
        path = request.url.path
        if path.startswith("/static/"):
            return NOBODY
        session = await self.session_of(request)
        if session is not None:
            if request.method not in READS and path.startswith("/v1/"):
                raise Forbidden("a browser's session opens pages, and sends nothing to the API", f"send {_HOW}")
            return Caller(session.name, session.may_act, "session", self.sessions.csrf(session))
        if path == SIGN_IN:
            return NOBODY
        if is_of_api(path) or request.method not in READS:
            raise Unauthorized("you are not signed in", f"send {_HOW}")
        return RedirectResponse(f"{SIGN_IN}?{urlencode({'next': asked_for(request)})}", 303)

    def _by_token(self, request: Request) -> Caller:
        told = request.headers.getlist("authorization")
        if len(told) != 1 or not told[0].lower().startswith(_BEARER):
            raise Unauthorized("this is no way to come in", f"send {_HOW}")
        token = self.tokens.of(told[0][len(_BEARER) :].strip(), self.clock())
        return Caller(name_of(token), token.may_act, "token")

    async def session_of(self, request: Request) -> Session | None:
        """With the right that it has now: none that was taken away since it began. None as well when a process of
        another user of this host brings its cookie."""
        session = self.sessions.read(request.cookies.get(self.cookie, ""), self.clock())
        if session is None or session.at not in (None, await self._at(request, session.at)):
            return None
        kind, _, rest = session.of.partition(":")
        if kind == "token":
            return session if self.tokens.marked(rest, self.clock()) is not None else None
        uid, _, gid = rest.partition(":")
        user = await self.operators.caller(Peer(int(uid), int(gid)))
        return replace(session, may_act=session.may_act and user.may_act)

    async def _at(self, request: Request, usual: int | None) -> int | None:
        """`usual` where nobody knows."""
        found = await self.user_at(request)
        return usual if found is None else found

    async def by_token(self, sent: str, request: Request) -> Session:
        """Raises Unauthorized, TooOften."""
        token, at = self.tokens.of(sent, self.clock()), await self.user_at(request)
        return self.sessions.begin(name_of(token), token.may_act, f"token:{token.mark}", self.clock(), at)

    async def by_ticket(self, secret: str, request: Request) -> Session:
        """Raises Unauthorized."""
        ticket = self.tickets.take(secret, self.clock())
        if ticket is None:
            raise Unauthorized("this link was used, or is older than a minute", "logmedic dashboard makes another")
        at = await self.user_at(request)
        return self.sessions.begin(ticket.name, ticket.may_act, ticket.of, self.clock(), at)

    def ticket(self, request: Request) -> dict[str, Any]:
        """A link that signs the caller in, once. Raises Forbidden."""
        caller: Caller = request.state.caller
        if caller.door != "socket":
            raise Forbidden("links that sign in are made over the Unix socket alone", "logmedic dashboard")
        peer: Peer = request.state.peer
        secret, ticket = self.tickets.issue(caller.name, caller.may_act, f"user:{peer.uid}:{peer.gid}", self.clock())
        expires = ticket.until.isoformat(timespec="seconds").replace("+00:00", "Z")
        return {"url": f"{self.doors.url}{SIGN_IN}?{urlencode({'ticket': secret})}", "expires": expires}

    def row(self) -> dict[str, Any]:
        """For `status`."""
        return {"listen": f"{self.doors.host}:{self.doors.port}", "url": self.doors.url}

    def with_cookie(self, response: Response, session: Session | None) -> Response:
        """None: it is taken away."""
        response.set_cookie(
            self.cookie,
            self.sessions.written(session) if session is not None else "",
            max_age=int(LASTS.total_seconds()) if session is not None else 0,
            httponly=True,
            samesite="strict",
            secure=self.doors.url.startswith("https:"),
        )
        return response


def make_entrance(key: bytes, tokens: Sequence[Token], operators: Operators, *, listen: str, url: str) -> Entrance:
    """`key`: that of the state directory. `listen`: HOST:PORT. `url`: what browsers call it; empty: http:// and
    `listen`."""
    host, _, port = listen.rpartition(":")
    doors = Doors(host.strip("[]"), int(port), url or f"http://{listen}", any_port=True)
    return Entrance(Tokens(tokens), Sessions(session_key(key)), operators, doors)


def name_of(token: Token) -> str:
    """As it is recorded: no token is taken for a user of its name."""
    return f"{token.name} (token)"


def asked_for(request: Request) -> str:
    query = f"?{request.url.query}" if request.url.query else ""
    return local_path(f"{request.url.path}{query}")


def local_path(told: str) -> str:
    """A path of this daemon, or its first page: nobody is sent elsewhere, and nothing gets into a header."""
    plain = told.isascii() and told.isprintable() and "\\" not in told
    ours = told.startswith("/") and not told.startswith("//") and not told.startswith((SIGN_IN, SIGN_OUT))
    return told if plain and ours and clean(told, 2000) == told else "/"


def entrance_of(request: Request) -> Entrance:
    """Raises NotFound where there is no TCP door."""
    found: Entrance | None = request.app.state.entrance
    if found is None:
        raise NotFound("the dashboard is switched off", SWITCH_ON)
    return found
