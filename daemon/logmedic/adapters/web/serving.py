"""What every listener of the daemon has in common: one app on one socket, until it is cancelled."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, ClassVar

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

STOP_S = 3.0
"""How long requests under way may take once the daemon stops."""
HEAD_BYTES = 16 * 1024
"""Of a request: its line and its headers."""
DATE_S = 1.0
"""The Date header has whole seconds."""
LEAVE_S = 1.0
"""For what a client still sends while it is told that this is too much."""
CROWD = 32
"""Connections beyond the limit that are still told so."""


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds until a whole head is there, after the connection or its first byte; and its body, after that; and until
    any more of an answer is taken. Who takes longer is slow on purpose."""

    head_s: float = 10.0
    body_s: float = 20.0
    send_s: float = 30.0


async def serve(app: Any, listener: socket.socket, *, protocol: type[H11Protocol], connections: int) -> None:
    """Serve `app` until this is cancelled. Closes `listener`. Nothing that a client says of another address or scheme
    is believed, and signals are left to the app."""
    if (
        listener.family != socket.AF_UNIX
    ):  # connections inherit it; without it an answer waits 40 ms for the client's ACK
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
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
        server.end()
        with contextlib.suppress(asyncio.TimeoutError):
            async with asyncio.timeout(STOP_S + 1):
                await running
        listener.close()


class _State(ServerState):
    """`ends`: whoever is accepted from now on is let go at once. uvicorn tells those to go that it knows as it stops;
    one that was accepted in that moment would be waited for (STOP_S)."""

    ends = False


class _Server(uvicorn.Server):
    """uvicorn looks ten times a second whether it should end: an idle daemon would wake up for that, and a stop wait
    for it. What it does besides is the Date header."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.server_state = self._state = _State()
        self._ends = asyncio.Event()

    def end(self) -> None:
        self.should_exit = self._state.ends = True
        self._ends.set()

    async def main_loop(self) -> None:
        while not await self.on_tick(0):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(DATE_S):
                    await self._ends.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """What asyncio accepted by now has a server still: of one that is closed it would stay open, and nobody's."""
        for each in sockets or ():
            asyncio.get_running_loop().remove_reader(each)
        await asyncio.sleep(0)
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are the app's."""
        yield


class PatientProtocol(H11Protocol):
    """Waits for a client, but not for ever: for a head and for a body there is a time. Answers may last, while they are
    taken. What cannot be read as HTTP is told so in the words of the API."""

    patience: ClassVar[Patience] = Patience()
    _deadline: asyncio.TimerHandle | None = None
    _untaken: asyncio.TimerHandle | None = None
    _since: float = 0.0
    _waits_for: object = None
    _leaving: bool = False

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.logger = _QUIET  # what strangers send wrong is no news, and there may be much of it

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        if isinstance(self.server_state, _State) and self.server_state.ends:
            self.transport = transport
            transport.abort()
            return
        super().connection_made(transport)
        transport.set_write_buffer_limits(high=0)  # it tells us as soon as the client does not take what is sent
        self._since = self.loop.time()
        limit = self.limit_concurrency
        self.limit_concurrency = None  # uvicorn's own refusal is no JSON
        crowd = self._beyond(limit) if limit is not None else 0
        if crowd > CROWD:
            transport.abort()
            return
        self.app_state = {**self.app_state, "crowded": crowd > 0, "abort": transport.abort, "kept": {}}
        self._watch()

    def _beyond(self, limit: int) -> int:
        """How many are too many, this one among them. The one that waits longest gives way to it: whoever only holds
        connections keeps nobody out."""
        there = [each for each in self.connections if isinstance(each, PatientProtocol) and each.is_there]
        waiting = [each for each in there if each.waits and each is not self]
        if len(there) > limit and waiting:
            min(waiting, key=lambda each: each._since).transport.abort()
            return len(there) - limit - 1
        return len(there) - limit

    @property
    def is_there(self) -> bool:
        return not self.transport.is_closing()

    @property
    def waits(self) -> bool:
        """Nothing is done for it: it asks nothing, or does not take what it is told."""
        return self.cycle is None or self.cycle.response_complete or self._untaken is not None

    def connection_lost(self, exc: Exception | None) -> None:
        self._no_deadline()
        self._taken()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._wait_for_taking(self.transport.get_write_buffer_size())

    def resume_writing(self) -> None:
        self._taken()
        super().resume_writing()

    def _wait_for_taking(self, left: int) -> None:
        self._untaken = self.loop.call_later(self.patience.send_s, self._look, left)

    def _look(self, before: int) -> None:
        """Also when it is closed already: what is not taken would keep its place for ever."""
        left = self.transport.get_write_buffer_size()
        if left < before:
            self._wait_for_taking(left)
        else:
            self.transport.abort()

    def _taken(self) -> None:
        if self._untaken is not None:
            self._untaken.cancel()
        self._untaken = None

    def data_received(self, data: bytes) -> None:
        if self._leaving:
            return
        super().data_received(data)
        if not self._leaving:
            self._watch()

    def eof_received(self) -> None:
        if self._leaving:
            self.transport.close()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._watch(between=True)

    def _watch(self, between: bool = False) -> None:
        """`between` requests, the keep-alive's time is what counts, until the next one begins."""
        state = self.conn.their_state
        if state not in (h11.IDLE, h11.SEND_BODY) or between:
            self._no_deadline()
        elif self._waits_for is not state and not self.transport.is_closing():
            self._no_deadline()
            self._waits_for = state
            seconds = self.patience.head_s if state is h11.IDLE else self.patience.body_s
            self._deadline = self.loop.call_later(seconds, self._too_slow)

    def _no_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = self._waits_for = None

    def _too_slow(self) -> None:
        """Once an answer has begun, nothing can be said any more."""
        if self.conn.our_state is h11.IDLE or (self.cycle is not None and not self.cycle.response_started):
            self._say(HTTPStatus.REQUEST_TIMEOUT, "the request did not come in time", "send it at once")
        else:
            self.transport.abort()

    def send_400_response(self, msg: str) -> None:
        """Called while the error is handled that says what is wrong. Inside an answer nothing else can be said."""
        if self.cycle is not None and self.cycle.response_started and not self.cycle.response_complete:
            self.transport.abort()
            return
        error = sys.exc_info()[1]
        status = HTTPStatus(getattr(error, "error_status_hint", 400))
        text, hint = "this is no HTTP request", "see docs/api.md"
        if status is HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE:
            in_line = b"\n" not in self.conn.trailing_data[0]
            status = HTTPStatus.REQUEST_URI_TOO_LONG if in_line else status
            text, hint = f"the head of the request is larger than {HEAD_BYTES} bytes", "send less of it"
        self._say(status, text, hint)

    def _say(self, status: HTTPStatus, error: str, hint: str) -> None:
        """Past the app: for it, the client is gone."""
        if self.cycle is not None:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        body = json.dumps({"error": error, "hint": hint}).encode()
        head = (
            f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: application/json\r\nCache-Control: no-store\r\n"
            f"X-Content-Type-Options: nosniff\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        self.transport.write(head.encode("ascii") + body)
        self._leave()

    def _leave(self) -> None:
        """What was said is read before the end is seen: closing while there is more to read takes it back (TCP)."""
        self._no_deadline()
        self._leaving = True
        try:
            if self.transport.can_write_eof():
                self.transport.write_eof()
        except OSError:  # it is gone (ENOTCONN), and was not seen to go
            self.transport.abort()
            return
        self.transport.resume_reading()
        self._deadline = self.loop.call_later(LEAVE_S, self.transport.abort)


def protocol_of(patience: Patience) -> type[PatientProtocol]:
    return type("PatientProtocol", (PatientProtocol,), {"patience": patience})


_QUIET = logging.getLogger("logmedic.web.http")
_QUIET.setLevel(logging.ERROR)
