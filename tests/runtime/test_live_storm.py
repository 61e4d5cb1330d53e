"""Live events for real: the engine, DuckDB and ten listeners on a socket, in a storm, beside one that does not read."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from starlette.applications import Starlette
from starlette.routing import Route

import builders as make
from logmedic.adapters.store.duck import DuckStore
from logmedic.adapters.web.serving import PatientProtocol, serve
from logmedic.adapters.web.stream import endpoint
from logmedic.cli.sse import EventStream
from logmedic.model.changeset import Changeset
from logmedic.model.policy import Policy
from logmedic.ports import Control
from logmedic.runtime.clock import SystemClock, Uuid7
from logmedic.runtime.engine import Engine
from logmedic.runtime.feed import BEGINNING, QUEUE, Feed

RULE = replace(make.RULE, fix=None)
MATCHES, PER_BLOCK, GROUPS = 10_000, 100, 400


class Host:
    """The engine over DuckDB, the feed, and its stream on a Unix socket. `most`: events that waited for one listener
    at any time."""

    def __init__(self, path: Path, store: DuckStore, policy: Policy) -> None:
        self.path = path
        self.store = store
        self.policy = policy
        self.clock = SystemClock()
        self.most = 0

    def live(self, after: str | None = None) -> Any:
        return self.feed.listen(after)

    def _noted(self, changeset: Changeset) -> None:
        self.feed.publish(changeset)
        self.most = max([self.most, *(len(each.waiting) for each in self.feed._listeners)])

    async def open(self) -> None:
        state = await self.store.open()
        self.feed = Feed(self.store.ask, clock=self.clock, titles=state.incidents.get)
        self.engine = Engine(
            state=state,
            store=self.store,
            clock=self.clock,
            mint=Uuid7(),
            policy=lambda: self.policy,
            carry_out=lambda _: None,
            alive=lambda: None,
            noted=self._noted,
        )

    async def serve(self) -> None:
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(self.path))
        listener.listen()
        listener.setblocking(False)
        app = Starlette(routes=[Route("/", endpoint(cast(Control, self)))])
        await serve(app, listener, protocol=PatientProtocol, connections=128)


@asynccontextmanager
async def hosted(room: Path) -> AsyncIterator[Host]:
    started = SystemClock().now() - timedelta(hours=1)
    host = Host(room / "live.sock", DuckStore(room / "state" / "x.duckdb"), make.policy(RULE, started_at=started))
    await host.open()
    tasks = [asyncio.create_task(each) for each in (host.engine.run(), host.serve(), host.feed.run())]
    try:
        yield host
    finally:
        for task in tasks[::-1]:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        await host.store.close()


async def connect(host: Host, last_id: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    while True:
        try:
            reader, writer = await asyncio.open_unix_connection(str(host.path))
        except OSError:
            await asyncio.sleep(0.01)
            continue
        writer.write(f"GET / HTTP/1.1\r\nHost: x\r\nLast-Event-ID: {last_id}\r\n\r\n".encode())
        return reader, writer


async def read_until(host: Host, end: asyncio.Future[str], pieces: int) -> list[str]:
    """Ids of the entries up to that one, while they come, over connections that are cut after so many pieces."""
    ids: list[str] = []
    resume = BEGINNING
    while not (end.done() and ids[-1:] == [end.result()]):
        reader, writer = await connect(host, resume)
        stream = EventStream(resume)
        await reader.readuntil(b"\r\n\r\n")
        for _ in range(pieces):
            size = int(await reader.readline(), 16)
            piece = await reader.readexactly(size + 2)
            ids += ids_in(stream, piece[:-2])
            if end.done() and ids[-1:] == [end.result()]:
                break
        resume = stream.last_id
        writer.close()
    return ids


def ids_in(stream: EventStream, piece: bytes) -> list[str]:
    return [json.loads(each.data)["id"] for each in stream.feed(piece) if each.event == "entry"]


@pytest.mark.slow
def test_in_a_storm_every_listener_is_told_everything_and_the_engine_waits_for_nobody(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with hosted(tmp_path) as host:
            _, asleep = await connect(host, BEGINNING)
            end: asyncio.Future[str] = asyncio.get_running_loop().create_future()
            patience = (3, 7, 20, 10**6, 10**6)
            listeners = [asyncio.create_task(read_until(host, end, each)) for each in patience * 2]
            for first in range(0, MATCHES, PER_BLOCK):
                await host.engine.submit(block(host, first))
            await host.engine.settled()
            everything = [row["id"] for row in await host.store.ask("events", limit=100_000)]
            assert len(everything) >= GROUPS
            assert (await host.store.ask("counts"))["matched"] == MATCHES
            end.set_result(everything[-1])
            assert all(ids == everything for ids in await asyncio.gather(*listeners))
            assert host.most <= QUEUE
            asleep.close()

    asyncio.run(scenario())


def block(host: Host, first: int) -> Any:
    at = host.clock.now()
    matches = [make.match(RULE, at, group=f"g{n % GROUPS}") for n in range(first, first + PER_BLOCK)]
    return make.observed(*matches)
