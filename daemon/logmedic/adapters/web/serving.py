"""What every listener of the daemon has in common: one app on one socket, until it is cancelled."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

STOP_S = 3.0
"""How long requests under way may take once the daemon stops."""
HEAD_BYTES = 16 * 1024
"""Of a request: its line and its headers."""


async def serve(app: Any, listener: socket.socket, *, protocol: type[H11Protocol], connections: int) -> None:
    """Serve `app` until this is cancelled. Closes `listener`. Nothing that a client says of another address or scheme
    is believed, and signals are left to the app."""
    server = _Server(
        uvicorn.Config(
            app,
            http=protocol,
            ws="none",
            interface="asgi3",
            lifespan="off",
            access_log=False,
            log_config=None,
            proxy_headers=False,
            server_header=False,
            h11_max_incomplete_event_size=HEAD_BYTES,
            limit_concurrency=connections,
            timeout_keep_alive=5,
            timeout_graceful_shutdown=int(STOP_S),
        )
    )
    running = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        await asyncio.shield(running)
    finally:
        server.should_exit = True
        with contextlib.suppress(asyncio.TimeoutError):
            async with asyncio.timeout(STOP_S + 1):
                await running
        listener.close()


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are the app's."""
        yield
