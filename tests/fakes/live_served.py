"""Live events on a real Unix socket: the endpoint alone, in a thread of its own, which can be restarted."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from starlette.applications import Starlette
from starlette.routing import Route

from fakes.live_daemon import LiveDaemon
from logmedic.adapters.web.serving import PatientProtocol, serve
from logmedic.adapters.web.stream import endpoint
from logmedic.ports import Control
from logmedic.runtime.clock import SystemClock


class Served:
    """`start` and `stop` are the daemon's; `run` does something on its loop, and waits."""

    def __init__(self, path: Path, send_s: float) -> None:
        self.path = path
        self.send_s = send_s
        self.daemon = LiveDaemon(SystemClock())
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self) -> None:
        ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve(ready)))
        self._thread.start()
        assert ready.wait(10), "the server does not start"

    async def _serve(self, ready: threading.Event) -> None:
        self.daemon.restart()
        self._loop = asyncio.get_running_loop()
        self.path.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(self.path))
        listener.listen()
        listener.setblocking(False)
        app = Starlette(routes=[Route("/v1/events/stream", endpoint(cast(Control, self.daemon), self.send_s))])
        feeding = asyncio.create_task(self.daemon.feed.run())
        self._task = asyncio.create_task(serve(app, listener, protocol=PatientProtocol, connections=128))
        ready.set()
        await asyncio.gather(self._task, return_exceptions=True)
        feeding.cancel()
        await asyncio.gather(feeding, return_exceptions=True)

    def stop(self) -> None:
        def end() -> None:
            self.daemon.feed.close()
            self._task.cancel()

        assert self._loop is not None
        self._loop.call_soon_threadsafe(end)
        self._thread.join(10)
        assert not self._thread.is_alive(), "the server does not stop"

    def run(self, call: Callable[[], Any]) -> Any:
        async def called() -> Any:
            return call()

        assert self._loop is not None
        return asyncio.run_coroutine_threadsafe(called(), self._loop).result(10)


@contextmanager
def live_served(path: Path, send_s: float = 30.0) -> Iterator[Served]:
    """`send_s`: how long a client that takes nothing is waited for."""
    served = Served(path, send_s)
    served.start()
    try:
        yield served
    finally:
        served.stop()
