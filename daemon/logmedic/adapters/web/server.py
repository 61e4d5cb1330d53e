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
from uvicorn.protocols.http.h11_impl import H11Protocol

from logmedic.adapters.web.routes import make_app
from logmedic.adapters.web.serving import serve
from logmedic.model.errors import PermanentError
from logmedic.ports import Control

log = structlog.get_logger("logmedic.web")

MODE = 0o660
CONNECTIONS = 128
"""More than may listen to live events at once (64): whoever asks something is answered beside them."""
_CREDENTIALS = struct.Struct("3i")


class ControlServer:
    """Serves `control` at `socket_path` until `serve` is cancelled; the file is removed then."""

    def __init__(self, control: Control, socket_path: Path, group: str) -> None:
        self._app = make_app(control)
        self._path = socket_path
        self._group = group

    async def serve(self) -> None:
        """Raises PermanentError when another process answers there, or the socket cannot be made."""
        listener = bind(self._path, self._group)
        try:
            await serve(self._app, listener, protocol=_PeerProtocol, connections=CONNECTIONS)
        finally:
            self._path.unlink(missing_ok=True)


class _PeerProtocol(H11Protocol):
    """Tells each request the user id of its process, as `request.state.peer_uid`."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        connection = transport.get_extra_info("socket")
        self.app_state = {**self.app_state, "peer_uid": _peer_uid(connection)}


def _peer_uid(connection: Any) -> int | None:
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    _, uid, _ = _CREDENTIALS.unpack(raw)
    return int(uid)


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
