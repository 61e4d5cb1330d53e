"""A real server, and callers over real connections: one that leaves, one that waits, one that sends on."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import uvicorn

from fakes.asked_client import AskedClient, answering
from logmedic.client.answers import State
from logmedic.client.asgi import SelfHealing

PATIENCE_S = 20
Talk = Callable[[int, AskedClient], Awaitable[None]]


class Shop:
    """Reads all of a request's body, and fails until it is mended."""

    def __init__(self) -> None:
        self.broken = True
        self.bodies: list[bytes] = []

    def mend(self) -> None:
        self.broken = False

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message["body"], message["more_body"]
        self.bodies.append(body)
        if self.broken:
            raise ConnectionError("bank")
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"4")]})
        await send({"type": "http.response.body", "body": b"paid"})


def served(shop: Shop, talk: Talk, **options: Any) -> AskedClient:
    client = answering(State.FIXED, mends=shop.mend, holding=True)

    async def scene() -> None:
        app = SelfHealing(shop, "shop", client=client.real, **options)
        server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_config=None, access_log=False))
        with socket.create_server(("127.0.0.1", 0)) as listening:
            serving = asyncio.ensure_future(server.serve(sockets=[listening]))
            async with asyncio.timeout(PATIENCE_S):
                await until(lambda: server.started)
                await talk(listening.getsockname()[1], client)
            server.should_exit = True
            await serving

    asyncio.run(scene())
    return client


async def until(holds: Callable[[], bool]) -> None:
    while not holds():
        await asyncio.sleep(0)


async def sent(port: int, *parts: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for part in parts:
        writer.write(part)
        await writer.drain()
    return reader, writer


def test_a_caller_who_leaves_ends_the_wait(caplog: pytest.LogCaptureFixture) -> None:
    async def talk(port: int, client: AskedClient) -> None:
        _, writer = await sent(port, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        await until(lambda: client.waiting == 1)
        writer.close()
        await until(lambda: client.taken_back == 1)

    client = served(Shop(), talk)
    assert (client.waiting, len(client.told)) == (0, 1)
    assert {each.name for each in caplog.records if each.levelname == "ERROR"} == {"logmedic.client"}


def test_who_waits_gets_the_answer_on_the_same_connection_and_so_does_the_next_request() -> None:
    async def talk(port: int, client: AskedClient) -> None:
        ask = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
        reader, writer = await sent(port, ask)
        await until(lambda: client.waiting == 1)
        client.answer_all()
        assert (await reader.readuntil(b"paid")).startswith(b"HTTP/1.1 200 ")
        writer.write(ask)
        assert (await reader.readuntil(b"paid")).startswith(b"HTTP/1.1 200 ")
        writer.close()

    served(Shop(), talk)


def test_a_body_in_parts_is_there_again_when_it_was_declared_safe() -> None:
    shop = Shop()

    async def talk(port: int, client: AskedClient) -> None:
        reader, writer = await sent(port, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\nabc", b"def")
        await until(lambda: client.waiting == 1)
        client.answer_all()
        assert (await reader.readuntil(b"paid")).startswith(b"HTTP/1.1 200 ")
        writer.close()

    served(shop, talk, repeat=True)
    assert shop.bodies == [b"abcdef"] * 2


def test_head_is_refused_without_a_body() -> None:
    async def talk(port: int, client: AskedClient) -> None:
        client.answer_all()
        reader, writer = await sent(port, b"HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        await until(lambda: client.waiting == 1)
        client.answer_all()
        answered = await reader.read()
        assert answered.startswith(b"HTTP/1.1 503 ")
        assert answered.endswith(b"\r\n\r\n")
        writer.close()

    shop = Shop()
    shop.mend = lambda: None  # type: ignore[method-assign]
    served(shop, talk)
