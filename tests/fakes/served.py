"""The real servers on a real Unix socket and a real TCP port, in a thread of their own, over a control."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fakes.canned_control import CannedControl
from fakes.memory_store import MemoryStore
from logmedic.adapters.web.dashboard import DashboardServer
from logmedic.adapters.web.entrance import Entrance, make_entrance
from logmedic.adapters.web.operators import Operators
from logmedic.adapters.web.routes import make_app
from logmedic.adapters.web.server import ControlServer
from logmedic.adapters.web.serving import Patience
from logmedic.adapters.web.tokens import Token, hashed
from logmedic.model.changeset import Changeset
from logmedic.ports import Control

KEY = bytes(range(32))
READS, ACTS = "lm_of-a-program-that-looks", "lm_of-a-person-who-acts"
TOKENS = (Token("grafana", False, hashed(READS)), Token("alice", True, hashed(ACTS)))


def answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as wire:
        try:
            wire.connect(str(path))
        except OSError:
            return False
        return True


def listens(port: int) -> bool:
    with socket.socket() as wire:
        return port > 0 and wire.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def serving(path: Path, *changesets: Changeset, operators: Operators | None = None) -> Iterator[CannedControl]:
    control = CannedControl(MemoryStore(changesets))
    with _running(
        control,
        lambda: answers(path),
        lambda: [ControlServer(make_app(control), path, "no-such-group", operators)],
    ):
        yield control


@dataclass(slots=True)
class Dashboard:
    """`url`: without a slash at the end. `acts`, `reads`: tokens."""

    entrance: Entrance
    acts: str = ACTS
    reads: str = READS

    @property
    def url(self) -> str:
        return self.entrance.doors.url

    @property
    def port(self) -> int:
        return self.entrance.doors.port

    @property
    def netloc(self) -> str:
        return f"127.0.0.1:{self.port}"


@contextmanager
def serving_dashboard(
    control: Control,
    *,
    path: Path | None = None,
    tokens: Sequence[Token] = TOKENS,
    url: str = "",
    port: int = 0,
    key: bytes = KEY,
    patience: Patience | None = None,
) -> Iterator[Dashboard]:
    """`control` on any free port of 127.0.0.1; with a `path` over a Unix socket, too."""
    operators = Operators()
    entrance = make_entrance(key, tokens, operators, listen=f"127.0.0.1:{port}", url=url)
    app = make_app(control, entrance)

    def servers() -> list[Any]:
        over_socket = [ControlServer(app, path, "no-such-group", operators)] if path is not None else []
        return [DashboardServer(app, entrance, patience), *over_socket]

    with _running(control, lambda: listens(entrance.doors.port) and (path is None or answers(path)), servers):
        yield Dashboard(entrance)


@contextmanager
def _running(control: Any, up: Callable[[], bool], servers: Callable[[], Sequence[Any]]) -> Iterator[None]:
    ready = threading.Event()
    stop: list[tuple[asyncio.AbstractEventLoop, list[asyncio.Task[None]]]] = []

    async def serve() -> None:
        tasks = [asyncio.create_task(each.serve()) for each in servers()]
        control.loop = asyncio.get_running_loop()
        stop.append((control.loop, tasks))
        while not up() and not any(each.done() for each in tasks):
            await asyncio.sleep(0.01)
        ready.set()
        await asyncio.gather(*tasks, return_exceptions=True)

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert ready.wait(10), "the server does not start"
    try:
        yield
    finally:
        loop, tasks = stop[0]
        if hasattr(control, "feed"):
            loop.call_soon_threadsafe(control.feed.close)
        for each in tasks:
            loop.call_soon_threadsafe(each.cancel)
        thread.join(10)
        assert not thread.is_alive(), "the server does not stop"
