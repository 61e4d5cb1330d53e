"""HTTP: raw bytes to the real servers, over the Unix socket and to the dashboard's port; and to the port of links."""

from __future__ import annotations

import asyncio
import logging
import re
import zlib
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from contracts.test_store_contract import EVERYTHING
from fakes.canned_control import CannedControl
from fakes.memory_store import MemoryStore
from fakes.served import ACTS, KEY, READS, TOKENS
from fakes.served_links import host as links_host
from fuzz.target import MIB, Attempt, Target, claim
from fuzz.targets import by_name, words
from logmedic.adapters.web.dashboard import DashboardServer
from logmedic.adapters.web.endpoints import ENDPOINTS
from logmedic.adapters.web.entrance import make_entrance
from logmedic.adapters.web.operators import Operators
from logmedic.adapters.web.pages import site
from logmedic.adapters.web.pages.action import Field
from logmedic.adapters.web.pages.actions import ACTIONS
from logmedic.adapters.web.routes import make_app
from logmedic.adapters.web.server import ControlServer
from logmedic.adapters.web.serving import Patience
from logmedic.core.links import Purpose

HURRIED = Patience(head_s=0.05, body_s=0.05)
WITHIN_S = 25.0
SILENCE_S = 0.03
"""A stream of events goes on for ever: it is left then."""
_STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) [^\r\n]*\r\n")
Connect = Callable[[], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]


class _Noted(logging.Handler):
    """Exceptions that a server logs, and asyncio."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.errors: list[BaseException] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info and record.exc_info[1] is not None:
            self.errors.append(record.exc_info[1])


class _Door:
    """A server on a loop of its own, which runs while an input is read. `fill`: what stands for words of an input that
    are known only here."""

    def __init__(self, fill: dict[bytes, bytes]) -> None:
        self.loop = asyncio.new_event_loop()
        self.stack = AsyncExitStack()
        self._noted = _Noted()
        self._fill = fill
        self._troubles: list[Any] = []
        self.loop.set_exception_handler(lambda _, context: self._troubles.append(context))
        logging.getLogger().addHandler(self._noted)
        self._tasks: list[asyncio.Task[None]] = []

    def serve(self, serving: Awaitable[None]) -> None:
        self._tasks.append(self.loop.create_task(serving))  # type: ignore[arg-type]

    def until(self, holds: Callable[[], bool]) -> None:
        async def wait() -> None:
            while not holds():
                claim(not any(each.done() for each in self._tasks), "the server ended")
                await asyncio.sleep(0.001)

        self.loop.run_until_complete(asyncio.wait_for(wait(), WITHIN_S))

    def attempt(self, given: bytes, connect: Connect) -> None:
        chosen = zlib.crc32(given) % 4
        for name, value in self._fill.items():
            given = given.replace(name, value)
        if chosen:
            given = _well_formed(given)
        answer = self.loop.run_until_complete(asyncio.wait_for(self._answer(given, connect), WITHIN_S))
        if self._noted.errors:
            raise self._noted.errors.pop()
        claim(not self._troubles, f"the loop tells of {self._troubles}")
        claim(not any(each.done() for each in self._tasks), "the server ended")
        claim(not answer or _STATUS.match(answer) is not None, f"this is no answer: {answer[:100]!r}")
        for status in _STATUS.findall(answer):
            claim(status != b"500", "it failed over it (500)")

    async def _answer(self, given: bytes, connect: Connect, silence_s: float = SILENCE_S) -> bytes:
        """To the end of the connection, or the first silence."""
        reader, writer = await connect()
        answer = bytearray()
        try:
            writer.write(given)
            await writer.drain()
            while piece := await asyncio.wait_for(reader.read(65536), silence_s):
                answer += piece
        except (ConnectionError, TimeoutError):
            pass
        finally:
            writer.transport.abort()
            await asyncio.sleep(0)
        return bytes(answer)

    def close(self) -> None:
        logging.getLogger().removeHandler(self._noted)
        for each in self._tasks:
            each.cancel()
        try:
            self.loop.run_until_complete(asyncio.gather(*self._tasks, return_exceptions=True))
            self.loop.run_until_complete(self.stack.aclose())
        finally:
            self.loop.close()


def _well_formed(given: bytes) -> bytes:
    """So that what was changed inside of it gets past the reader of HTTP: an address without raw bytes, and a length of
    the body that is right. Most inputs are read so, and a quarter as they are."""
    head, gap, body = given.partition(b"\r\n\r\n")
    line, end, headers = head.partition(b"\r\n")
    method, _, rest = line.partition(b" ")
    address, _, version = rest.rpartition(b" ")
    address = quote(address, safe="/?&=%:;,+@!$'()*~").encode()
    headers = re.sub(rb"(?i)(content-length:) *[^\r\n]*", rb"\1 %d" % len(body), headers)
    return method + b" " + address + b" " + version + end + headers + gap + body


def _control() -> CannedControl:
    return CannedControl(MemoryStore((EVERYTHING,)))


def _forget(control: CannedControl) -> None:
    control.did.clear()
    control.pauses.clear()


@contextmanager
def _socket(room: Path) -> Iterator[Attempt]:
    path, control = room / "logmedic.sock", _control()
    door = _Door({b"@HOST": b"localhost"})
    control.loop = door.loop

    def attempt(given: bytes) -> None:
        door.attempt(given, lambda: asyncio.open_unix_connection(str(path)))
        _forget(control)

    try:
        door.serve(ControlServer(make_app(control), path, "no-such-group", Operators()).serve())
        door.until(path.exists)
        yield attempt
    finally:
        control.feed.close()
        door.close()


@contextmanager
def _dashboard(room: Path) -> Iterator[Attempt]:
    control = _control()
    entrance = make_entrance(KEY, TOKENS, Operators(), listen="127.0.0.1:0", url="")
    fill = {b"@ACTS": ACTS.encode(), b"@READS": READS.encode()}
    door = _Door(fill)
    control.loop = door.loop

    def attempt(given: bytes) -> None:
        door.attempt(given, lambda: asyncio.open_connection("127.0.0.1", entrance.doors.port))
        _forget(control)

    try:
        door.serve(DashboardServer(make_app(control, entrance), entrance, HURRIED).serve())
        door.until(lambda: entrance.doors.port > 0)
        fill[b"@HOST"] = f"127.0.0.1:{entrance.doors.port}".encode()
        fill.update(_signed_in(door, entrance.doors.port))
        yield attempt
    finally:
        control.feed.close()
        door.close()


def _signed_in(door: _Door, port: int) -> dict[bytes, bytes]:
    """A cookie, and what its forms bring back."""
    host = f"127.0.0.1:{port}"

    def asked(text: str) -> str:
        connect = lambda: asyncio.open_connection("127.0.0.1", port)  # noqa: E731
        return door.loop.run_until_complete(door._answer(text.encode(), connect, WITHIN_S)).decode()

    form = f"token={ACTS}"
    head = f"POST /sign-in HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    answer = asked(f"{head}Content-Length: {len(form)}\r\nConnection: close\r\n\r\n{form}")
    cookie = re.search(r"set-cookie: ([^;\r]+)", answer, re.IGNORECASE)
    claim(cookie is not None, f"nobody comes in: {answer[:300]}")
    assert cookie is not None
    page = asked(f"GET / HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie[1]}\r\nConnection: close\r\n\r\n")
    csrf = re.search(r'name="csrf" value="([^"]+)"', page)
    return {b"@COOKIE": cookie[1].encode(), b"@CSRF": (csrf[1] if csrf else "none").encode()}


@contextmanager
def _links(room: Path) -> Iterator[Attempt]:
    """The only door that strangers may be let to."""
    fill: dict[bytes, bytes] = {}
    door = _Door(fill)
    behind = door.loop.run_until_complete(door.stack.enter_async_context(links_host()))

    def attempt(given: bytes) -> None:
        door.attempt(given, lambda: asyncio.open_connection("127.0.0.1", behind.server.doors.port))
        behind.alerts.did.clear()

    try:
        door.serve(behind.server.serve())
        door.until(lambda: behind.server.doors.port > 0)
        fill[b"@HOST"] = f"127.0.0.1:{behind.server.doors.port}".encode()
        for name, purpose in ((b"@VIEW", Purpose.VIEW), (b"@ACK", Purpose.ACK), (b"@SILENCE", Purpose.SILENCE)):
            fill[name] = behind.path(purpose).encode()
        yield attempt
    finally:
        door.close()


# -- requests --------------------------------------------------------------------------------------------------------


def _request(line: str, *headers: str, body: str = "") -> bytes:
    length = [f"Content-Length: {len(body.encode())}"] if body else []
    return "\r\n".join([f"{line} HTTP/1.1", "Host: @HOST", *headers, *length, "Connection: close", "", body]).encode()


def _api(*headers: str) -> Iterable[bytes]:
    for each in ENDPOINTS:
        path = each.path.replace("{id}", "0193b0c4")
        if each.method == "GET":
            query = "&".join(f"{one.name}={_example(one)}" for one in each.query[:4])
            yield _request(f"GET {path}?{query}", *headers)
        else:
            told = {one.name: one.example for one in each.body or () if one.example is not None}
            yield _request(f"{each.method} {path}", "Content-Type: application/json", *headers, body=_json(told))
    yield _request("GET /metrics", "Accept: application/openmetrics-text", *headers)
    yield _request(
        "GET /v1/events/stream?kinds=opened", "Last-Event-ID: 0193b0c4-1111-7abc-8abc-0123456789ab", *headers
    )
    yield (
        _request("POST /v1/pause", "Transfer-Encoding: chunked", "Content-Type: application/json", *headers)
        + b'5\r\n{"why\r\n6;x=y\r\n": "x"\r\n1\r\n}\r\n0\r\nT: x\r\n\r\n'
    )


def _json(told: dict[str, Any]) -> str:
    import json

    return json.dumps(told, default=str)


def _example(field: Any) -> str:
    return str(field.example if field.example is not None else "1").strip("[]'")


def _to_socket() -> Iterable[bytes]:
    yield from _api()
    yield _request("GET /v1/status") * 2


def _to_dashboard() -> Iterable[bytes]:
    yield from list(_api("Authorization: Bearer @ACTS"))[::3]
    for page in site.PAGES:
        yield _request(f"GET {page.path.replace('{id}', '0193b0c4')}", "Cookie: @COOKIE", "Accept: text/html")
    for action in ACTIONS:
        path = action.path.replace("{id}", "0193b0c4").replace("{", "").replace("}", "")
        filled = "".join(f"&{each.name}={_value(each)}" for each in action.fields)
        yield _request(f"GET {path}", "Cookie: @COOKIE")
        yield _form(path, f"csrf=@CSRF&ask={'a' * 24}{filled}")
    for path in ("/sign-in", "/sign-out"):
        yield _form(path, "csrf=@CSRF&token=@READS&next=/rules")
    yield _request("GET /sign-in?next=//evil.example/&ticket=abc", "Accept-Language: de")


def _form(path: str, body: str) -> bytes:
    return _request(
        f"POST {path}",
        "Cookie: @COOKIE",
        "Content-Type: application/x-www-form-urlencoded",
        "Origin: http://@HOST",
        body=body,
    )


def _value(field: Field) -> str:
    return field.options[0][0] if field.options else "1h"


def _to_links() -> Iterable[bytes]:
    for name in ("@VIEW", "@ACK", "@SILENCE"):
        yield _request(f"GET {name}", "Accept: text/html")
        form = "do=acknowledge&for=4h&why=maintenance"
        yield _request(f"POST {name}", "Content-Type: application/x-www-form-urlencoded", body=form)
        yield _request(
            f"POST {name}", "Content-Type: application/x-www-form-urlencoded", body="do=silence&for=1h&why=x"
        )


_TOKENS = (*words("http"), b"[" * 3000, b"A" * 70_000)
TARGETS = by_name(
    Target("socket", _socket, _to_socket, _TOKENS, most_bytes=200_000, cpu_s=6.0, memory=4096 * MIB),
    Target("dashboard", _dashboard, _to_dashboard, _TOKENS, most_bytes=200_000, cpu_s=6.0, memory=4096 * MIB),
    Target("links", _links, _to_links, _TOKENS, most_bytes=200_000, cpu_s=6.0, memory=4096 * MIB),
)
