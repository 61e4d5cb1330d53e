"""HTTP on a Unix socket: its file decides who may connect, the kernel's word on the peer who may act."""

from __future__ import annotations

import asyncio
from pathlib import Path

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from logmedic.adapters.web.callers import Caller
from logmedic.adapters.web.doors import Doors
from logmedic.adapters.web.guard import Guard
from logmedic.adapters.web.operators import Operators
from logmedic.adapters.web.serving import PatientProtocol, serve
from logmedic.unixsocket.listening import Listener, listen
from logmedic.unixsocket.peers import Peer, is_own, peer_of

log = structlog.get_logger("logmedic.web")

MODE = 0o660
CONNECTIONS = 128
"""More than may listen to live events at once (64): whoever asks something is answered beside them."""
ONE_USER, TOLD = 32, 8
"""Of these, for a user who is neither root nor the daemon's own; and so many more are told that this is too much.
Nobody keeps the others from the kill switch."""


class ControlServer:
    """Serves `app` at `socket_path` until `serve` is cancelled; the file is removed then."""

    def __init__(self, app: ASGIApp, socket_path: Path, group: str, operators: Operators | None = None) -> None:
        self._app = Guard(app, SocketDoor(operators or Operators()))
        self._path = socket_path
        self._group = group

    async def serve(self) -> None:
        """Raises PermanentError when another process answers there, or the socket cannot be made."""
        listener = bind(self._path, self._group)
        try:
            await serve(self._app, listener.socket, protocol=_PeerProtocol, connections=CONNECTIONS)
        finally:
            listener.close()


class SocketDoor:
    """The kernel says who is there. A browser may be at the other end all the same (`ssh -L 8632:/run/...`): so the
    names that it can call us by are few, and forms of other sites are refused."""

    def __init__(self, operators: Operators) -> None:
        self._operators = operators
        self._doors = Doors("localhost", 80, "http://logmedic", any_port=True)

    def check(self, request: Request) -> None:
        self._doors.check_host(request)
        if request.method not in ("GET", "HEAD", "OPTIONS"):
            self._doors.check_origin(request)

    async def admit(self, request: Request) -> Caller | Response:
        return await self._operators.caller(request.state.peer)


class _PeerProtocol(PatientProtocol):
    """Tells each request of the process at the other end, as `request.state.peer`."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        peer = peer_of(transport.get_extra_info("socket"))
        many = 0 if is_own(peer.uid) else self._beside(peer)
        if many >= ONE_USER + TOLD:
            self.transport = transport  # and it is not counted
            transport.abort()
            return
        super().connection_made(transport)
        crowded = self.app_state.get("crowded", False) or many >= ONE_USER
        self.app_state = {**self.app_state, "peer": peer, "crowded": crowded}

    def _beside(self, peer: Peer) -> int:
        """Connections of this user."""
        others = (each.app_state.get("peer") for each in self.connections)
        return sum(isinstance(each, Peer) and each.uid == peer.uid for each in others)


def bind(path: Path, group: str) -> Listener:
    """For its owner and `group` alone. Raises PermanentError."""
    listener = listen(path, MODE, group=group, setting="web.socket")
    if not listener.grouped:
        log.info("socket_group_not_set", group=group, path=str(path))
    return listener
