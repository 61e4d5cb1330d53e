"""One HTTP/1.1 request, bounded in time and size; no redirects, no proxies."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

import h11

BODY_LIMIT = 64 * 1024
"""Bytes of an answer that are read."""


class NoAnswer(Exception):
    """The text says why. `late`: it was not there in time."""

    def __init__(self, text: str, *, late: bool = False) -> None:
        super().__init__(text)
        self.late = late


@dataclass(frozen=True, slots=True)
class Answer:
    """`body`: the first BODY_LIMIT bytes."""

    status: int
    body: bytes


async def ask(method: str, url: str, body: str = "", *, within_s: float) -> Answer:
    """All of it inside `within_s`. Raises NoAnswer."""
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        raise NoAnswer("no address") from None
    try:
        async with asyncio.timeout(within_s):
            return await _asked(method, parts, port, body.encode())
    except TimeoutError:
        raise NoAnswer("no answer in time", late=True) from None
    except UnicodeError:
        raise NoAnswer("no address") from None
    except (OSError, h11.ProtocolError, OverflowError) as error:
        raise NoAnswer(reason(error)) from None


def reason(error: Exception) -> str:
    """For people."""
    match error:
        case ConnectionRefusedError():
            return "connection refused"
        case ssl.SSLError():
            return f"TLS: {error.reason or error}"
        case h11.ProtocolError():
            return f"no HTTP: {error}"
        case OSError() if error.strerror:
            return error.strerror
    return str(error) or type(error).__name__


async def _asked(method: str, parts: SplitResult, port: int, body: bytes) -> Answer:
    secure = ssl.create_default_context() if parts.scheme == "https" else None
    reader, writer = await asyncio.open_connection(parts.hostname or "", port, ssl=secure)
    try:
        connection = h11.Connection(h11.CLIENT)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        writer.write(connection.send(h11.Request(method=method, target=target, headers=_headers(method, parts, body))))
        if body:
            writer.write(connection.send(h11.Data(data=body)))
        writer.write(connection.send(h11.EndOfMessage()))
        await writer.drain()
        return await _answer(connection, reader)
    finally:
        writer.close()


def _headers(method: str, parts: SplitResult, body: bytes) -> list[tuple[str, str]]:
    """A body that looks like JSON is called so: many servers refuse it otherwise."""
    always = [
        ("Host", parts.netloc.rpartition("@")[2]),
        ("Connection", "close"),
        ("User-Agent", "logmedic"),
        ("Accept", "*/*"),
    ]
    if body:
        kind = "application/json" if body.lstrip()[:1] in (b"{", b"[") else "text/plain; charset=utf-8"
        return [*always, ("Content-Length", str(len(body))), ("Content-Type", kind)]
    return [*always, ("Content-Length", "0")] if method in ("POST", "PUT") else always


async def _answer(connection: h11.Connection, reader: asyncio.StreamReader) -> Answer:
    status, body = 0, bytearray()
    while True:
        match connection.next_event():
            case h11.NEED_DATA:
                connection.receive_data(await reader.read(65536))
            case h11.Response(status_code=code):
                status = code
            case h11.Data(data=chunk):
                body += chunk
                if len(body) >= BODY_LIMIT:
                    return Answer(status, bytes(body[:BODY_LIMIT]))
            case h11.EndOfMessage() | h11.ConnectionClosed():
                return Answer(status, bytes(body))
