"""Real servers on the loopback that answer as a test says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter, bytes], Awaitable[None]]
"""With the head of the request."""


@asynccontextmanager
async def serving(talk: Talk) -> AsyncIterator[int]:
    """The port."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await talk(reader, writer, await reader.readuntil(b"\r\n\r\n"))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


def answering(*statuses: int, body: str = "", head: str = "") -> Talk:
    """Each in turn, the last one for ever."""
    left = list(statuses)

    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> None:
        status = left.pop(0) if len(left) > 1 else left[0]
        writer.write(f"HTTP/1.1 {status} X\r\n{head}Content-Length: {len(body)}\r\n\r\n{body}".encode())
        await writer.drain()

    return talk


async def dripping(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> None:
    """Never comes to an end, and never stops."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    while not reader.at_eof():
        writer.write(b"x")
        with suppress(TimeoutError):
            async with asyncio.timeout(0.01):
                await reader.read(1)


async def rude(_: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> None:
    writer.close()


async def strange(_: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> None:
    writer.write(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")
    await writer.drain()
