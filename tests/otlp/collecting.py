"""A collector on the loopback that takes OTLP over HTTP, and answers as a test says."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def saying(status: int, *headers: str, body: str = "") -> Answer:
    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines = (f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", *headers)
        writer.write(f"{chr(13) + chr(10)}".join((*lines, "", body)).encode())
        await writer.drain()

    return answer


async def hanging(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    """Never answers; until the other side goes."""
    await reader.read()


async def dripping(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A header that never ends, faster than any wait for the next byte."""
    writer.write(b"HTTP/1.1 200 OK\r\nX-Long: ")
    while not reader.at_eof():
        writer.write(b"x")
        try:
            async with asyncio.timeout(0.02):
                await reader.read(1)
        except TimeoutError:
            continue


@dataclass
class Collecting:
    """`answers`: in turn, the last one for ever. `taken`: what was pushed; `heads`: the request as it was written."""

    answers: list[Answer] = field(default_factory=lambda: [saying(200)])
    taken: list[ExportMetricsServiceRequest] = field(default_factory=list)
    heads: list[str] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1/metrics"

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            length = next(int(line[15:]) for line in head.splitlines() if line.lower().startswith("content-length:"))
            body = await reader.readexactly(length)
            self.heads.append(head)
            self.taken.append(ExportMetricsServiceRequest.FromString(gzip.decompress(body)))
            answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
            await answer(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def collecting(*answers: Answer) -> AsyncIterator[Collecting]:
    collector = Collecting(list(answers) or [saying(200)])
    server = await asyncio.start_server(collector.take, "127.0.0.1", 0)
    collector.port = server.sockets[0].getsockname()[1]
    try:
        yield collector
    finally:
        server.close()
