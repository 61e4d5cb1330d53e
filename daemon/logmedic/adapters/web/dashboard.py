"""HTTP on a loopback TCP port: the pages for browsers, the API and the metrics for programs that have a token."""

from __future__ import annotations

import socket
from dataclasses import replace

import structlog
from starlette.types import ASGIApp

from logmedic.adapters.web.doors import Doors
from logmedic.adapters.web.entrance import Entrance
from logmedic.adapters.web.guard import Guard
from logmedic.adapters.web.serving import Patience, protocol_of, serve
from logmedic.model.errors import PermanentError

log = structlog.get_logger("logmedic.web")

CONNECTIONS = 128


class DashboardServer:
    """Serves `app` behind `entrance` until `serve` is cancelled. Port 0 is any free one."""

    def __init__(self, app: ASGIApp, entrance: Entrance, patience: Patience | None = None) -> None:
        self._app = Guard(app, entrance)
        self._entrance = entrance
        self._protocol = protocol_of(patience or Patience())

    async def serve(self) -> None:
        """Raises PermanentError when it cannot listen there."""
        listener = _bind(self._entrance.doors.host, self._entrance.doors.port)
        self._entrance.doors = _found(self._entrance, listener)
        log.info("dashboard_served", **self._entrance.row())
        await serve(self._app, listener, protocol=self._protocol, connections=CONNECTIONS)


def _found(entrance: Entrance, listener: socket.socket) -> Doors:
    """With the port that was free, where any was asked for."""
    doors, port = entrance.doors, listener.getsockname()[1]
    return doors if doors.port else replace(doors, port=port, url=doors.url.replace(":0", f":{port}"))


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=CONNECTIONS)
    except OSError as error:
        raise PermanentError(
            f"cannot listen on {host}:{port}: {error.strerror or error}", "set web.dashboard to another port"
        ) from None
    listener.setblocking(False)
    return listener
