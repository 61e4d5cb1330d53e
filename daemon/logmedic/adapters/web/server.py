"""HTTP on a Unix socket: its file decides who may connect, the kernel's word on the peer who may act."""

from __future__ import annotations

import asyncio
import grp
import os
import socket
import struct
from pathlib import Path
from typing import Any

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from logmedic.adapters.web.callers import Caller
from logmedic.adapters.web.doors import Doors
from logmedic.adapters.web.guard import Guard
from logmedic.adapters.web.operators import Operators, Peer, is_own
from logmedic.adapters.web.serving import PatientProtocol, serve
from logmedic.model.errors import PermanentError

log = structlog.get_logger("logmedic.web")

MODE = 0o660
CONNECTIONS = 128
"""More than may listen to live events at once (64): whoever asks something is answered beside them."""
ONE_USER, TOLD = 32, 8
"""Of these, for a user who is neither root nor the daemon's own; and so many more are told that this is too much.
Nobody keeps the others from the kill switch."""
_CREDENTIALS = struct.Struct("3i")


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
            await serve(self._app, listener, protocol=_PeerProtocol, connections=CONNECTIONS)
        finally:
            self._path.unlink(missing_ok=True)


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
        peer = _peer(transport.get_extra_info("socket"))
        many = 0 if is_own(peer) else self._beside(peer)
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


def _peer(connection: Any) -> Peer:
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    _, uid, gid = _CREDENTIALS.unpack(raw)
    return Peer(int(uid), int(gid))


def bind(path: Path, group: str) -> socket.socket:
    """A listening socket, for its owner and `group` alone. One that a killed daemon left behind is replaced. Raises
    PermanentError."""
    if _answers(path):
        raise PermanentError(f"another process answers at {path}", "stop it first, or name another web.socket")
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        _bind(listener, path)
    except OSError as error:
        listener.close()
        raise PermanentError(f"cannot make the socket {path}: {error.strerror or error}", "set web.socket") from None
    _give_to(path, group)
    listener.setblocking(False)
    return listener


def _bind(listener: socket.socket, path: Path) -> None:
    """The file has its mode from its first moment on."""
    before = os.umask(0o777 & ~MODE)
    try:
        listener.bind(str(path))
    finally:
        os.umask(before)


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(2)
        try:
            probe.connect(str(path))
        except (FileNotFoundError, ConnectionRefusedError, NotADirectoryError):
            return False
        except OSError:
            return path.is_socket()
    return True


def _give_to(path: Path, group: str) -> None:
    """Where there is no such group, or we may not, the socket stays ours alone."""
    try:
        os.chown(path, -1, grp.getgrnam(group).gr_gid)
    except (KeyError, PermissionError):
        log.info("socket_group_not_set", group=group, path=str(path))
