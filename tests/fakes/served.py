"""The real server on a real Unix socket, in a thread of its own, over a canned control."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fakes.canned_control import CannedControl
from fakes.memory_store import MemoryStore
from logmedic.adapters.web.routes import make_app
from logmedic.adapters.web.server import ControlServer
from logmedic.model.changeset import Changeset


def answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as wire:
        try:
            wire.connect(str(path))
        except OSError:
            return False
        return True


@contextmanager
def serving(path: Path, *changesets: Changeset) -> Iterator[CannedControl]:
    control = CannedControl(MemoryStore(changesets))
    ready = threading.Event()
    stop: list[tuple[asyncio.AbstractEventLoop, asyncio.Task[None]]] = []

    async def serve() -> None:
        task = asyncio.create_task(ControlServer(make_app(control), path, "no-such-group").serve())
        control.loop = asyncio.get_running_loop()
        stop.append((control.loop, task))
        while not answers(path):
            await asyncio.sleep(0.01)
        ready.set()
        await asyncio.gather(task, return_exceptions=True)

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert ready.wait(10), "the server does not start"
    try:
        yield control
    finally:
        loop, task = stop[0]
        loop.call_soon_threadsafe(control.feed.close)
        loop.call_soon_threadsafe(task.cancel)
        thread.join(10)
        assert not thread.is_alive(), "the server does not stop"
