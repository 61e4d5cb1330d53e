"""A listener for syslog messages: UDP, TCP and a Unix datagram socket."""

from __future__ import annotations

import asyncio
import os
import socket
import stat
import struct
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import structlog

from logmedic.adapters.sources.syslogformat import parse_syslog
from logmedic.model.gap import Gap, SourceEventKind, with_gap
from logmedic.model.record import Block, Checkpoint, Entry
from logmedic.ports import Clock

MAX_MESSAGE = 64 * 1024
"""Bytes of one message; the rest of a longer one is passed over, and told."""
BUDGET = 4 * 1024 * 1024
"""Bytes that wait to be taken. Above, nothing is read: senders over TCP and Unix sockets wait, the kernel drops what
comes over UDP, and counts it."""
BATCH = 256
BACKLOG = 64
CONNECTIONS = 256
RECEIVE_BUFFER = 4 * 1024 * 1024
SO_RXQ_OVFL = 40
"""From Linux's asm/socket.h: with each datagram comes the number of those dropped before it."""

log = structlog.get_logger("logmedic.sources")


@dataclass(slots=True)
class _Ear:
    """One place that messages come to."""

    origin: str
    offset: int = 0
    last_read_at: datetime | None = None
    problem: str = ""
    waiting: list[bytes] = field(default_factory=list)
    gaps: tuple[Gap, ...] = ()
    dropped: int = 0
    resuming: asyncio.Task[None] | None = None


class SyslogSource:
    """Implements ports.Source; the origins are `udp:HOST:PORT`, `tcp:HOST:PORT` and `unix:PATH`. What is sent while
    nobody listens is lost to everybody. A port of 0 takes any that is free (see `ports`)."""

    def __init__(
        self,
        name: str,
        *,
        clock: Clock,
        address: str = "127.0.0.1",
        udp: int | None = None,
        tcp: int | None = None,
        unix: Path | None = None,
        budget: int = BUDGET,
    ) -> None:
        self._name = name
        self._clock = clock
        self._address = address
        self._wanted = {"udp": udp, "tcp": tcp}
        self._unix = unix
        self._budget = budget
        self._ears: dict[str, _Ear] = {}
        self._size = 0
        self._news = asyncio.Event()
        self._space = asyncio.Event()
        self.ports: dict[str, int] = {}

    @property
    def name(self) -> str:
        return self._name

    def health(self) -> list[dict[str, Any]]:
        return [
            {
                "origin": ear.origin,
                "offset": ear.offset,
                "size": ear.offset + sum(map(len, ear.waiting)),
                "lag_bytes": sum(map(len, ear.waiting)),
                "last_read_at": ear.last_read_at.isoformat().replace("+00:00", "Z") if ear.last_read_at else None,
                "problem": ear.problem or ("more comes than is taken in: not read" if self._full else ""),
            }
            for ear in self._ears.values()
        ]

    @property
    def _full(self) -> bool:
        return self._size >= self._budget

    async def blocks(self, checkpoints: Mapping[str, Checkpoint]) -> AsyncGenerator[Block, None]:
        """`checkpoints` are ignored. Raises OSError when it cannot listen: the supervisor tries again."""
        self._ears, self._size = {}, 0
        async with AsyncExitStack() as stack:
            await self._listen(stack)
            while True:
                await self._news.wait()
                self._news.clear()
                for ear in self._ears.values():
                    while ear.waiting or ear.gaps:
                        yield self._block(ear)

    # -- listening ---------------------------------------------------------------------------------------------------

    async def _listen(self, stack: AsyncExitStack) -> None:
        loop = asyncio.get_running_loop()
        family = socket.AF_INET6 if ":" in self._address else socket.AF_INET
        if (port := self._wanted["udp"]) is not None:
            udp = stack.enter_context(socket.socket(family, socket.SOCK_DGRAM))
            udp.bind((self._address, port))
            self._hear_datagrams(udp, f"udp:{self._address}:{self._bound('udp', udp)}", stack)
        if self._unix is not None:
            self._hear_datagrams(_unix_socket(self._unix, stack), f"unix:{self._unix}", stack)
        if (port := self._wanted["tcp"]) is not None:
            tcp = stack.enter_context(socket.socket(family, socket.SOCK_STREAM))
            tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            tcp.bind((self._address, port))
            ear = self._ear(f"tcp:{self._address}:{self._bound('tcp', tcp)}")
            await self._hear_streams(tcp, ear, loop, stack)

    def _bound(self, kind: str, bound: socket.socket) -> int:
        self.ports[kind] = bound.getsockname()[1]
        return self.ports[kind]

    def _ear(self, origin: str) -> _Ear:
        self._ears[origin] = _Ear(origin)
        return self._ears[origin]

    def _hear_datagrams(self, heard: socket.socket, origin: str, stack: AsyncExitStack) -> None:
        ear, loop = self._ear(origin), asyncio.get_running_loop()
        heard.setblocking(False)
        heard.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        heard.setsockopt(socket.SOL_SOCKET, SO_RXQ_OVFL, 1)

        def readable() -> None:
            for _ in range(BATCH):
                if self._full:
                    loop.remove_reader(heard)
                    ear.resuming = loop.create_task(self._resume(heard, readable))
                    return
                try:
                    content, extras, flags, _ = heard.recvmsg(MAX_MESSAGE, socket.CMSG_SPACE(4))
                except BlockingIOError:
                    return
                except OSError as error:
                    ear.problem = error.strerror or str(error)
                    return
                self._note_dropped(ear, extras)
                self._hear(ear, content, cut=bool(flags & socket.MSG_TRUNC))

        def deaf() -> None:
            loop.remove_reader(heard)
            if ear.resuming is not None:
                ear.resuming.cancel()

        loop.add_reader(heard, readable)
        stack.callback(deaf)

    async def _resume(self, heard: socket.socket, readable: Any) -> None:
        await self._until_space()
        asyncio.get_running_loop().add_reader(heard, readable)
        readable()

    def _note_dropped(self, ear: _Ear, extras: list[tuple[int, int, bytes]]) -> None:
        for level, kind, content in extras:
            if (level, kind) == (socket.SOL_SOCKET, SO_RXQ_OVFL):
                (dropped,) = struct.unpack("I", content)
                missed, ear.dropped = (dropped - ear.dropped) % 2**32, dropped
                if missed:
                    told = f"the kernel dropped {missed} messages: they came faster than they could be taken in"
                    ear.gaps = (*ear.gaps, Gap(SourceEventKind.MISSED, 0, told))

    async def _hear_streams(
        self, tcp: socket.socket, ear: _Ear, loop: asyncio.AbstractEventLoop, stack: AsyncExitStack
    ) -> None:
        tasks: set[asyncio.Task[None]] = set()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            if task is not None:
                tasks.add(task)
            try:
                if len(tasks) > CONNECTIONS:
                    ear.problem = f"more than {CONNECTIONS} connections: the newest was closed"
                    return
                await self._read_messages(ear, reader)
            except (ConnectionError, TimeoutError):  # the sender's own affair
                return
            except asyncio.CancelledError:  # by `close`; asyncio's streams log it as an error when it goes on (3.11)
                return
            finally:
                writer.close()
                if task is not None:
                    tasks.discard(task)

        server = await asyncio.start_server(serve, sock=tcp, limit=MAX_MESSAGE, backlog=BACKLOG)

        async def close() -> None:
            server.close()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

        stack.push_async_callback(close)

    async def _read_messages(self, ear: _Ear, reader: asyncio.StreamReader) -> None:
        """Each message ends with a newline, or begins with its length and a space (RFC 6587)."""
        held = b""
        while True:
            await self._until_space()
            fresh = await reader.read(MAX_MESSAGE)
            held = self._split(ear, held + fresh, ended=not fresh)
            if not fresh:
                return

    def _split(self, ear: _Ear, held: bytes, *, ended: bool) -> bytes:
        """Hear every whole message; what is left."""
        while held:
            length, begins = _octets(held)
            if length is not None:
                if len(held) < begins + length and not ended:
                    return held
                end = begins + length
            else:
                newline = held.find(b"\n")
                if newline < 0 and not ended and len(held) < 2 * MAX_MESSAGE:
                    return held
                end = newline + 1 if newline >= 0 else len(held)
            message, held = held[begins:end], held[end:]
            self._hear(ear, message[:MAX_MESSAGE], cut=len(message) > MAX_MESSAGE)
        return held

    # -- what was heard ------------------------------------------------------------------------------------------------

    def _hear(self, ear: _Ear, message: bytes, *, cut: bool = False) -> None:
        if cut:
            ear.gaps = with_gap(ear.gaps, Gap(SourceEventKind.LONG_LINE, 0, "the end of an over-long message"))
        if message.strip(b"\r\n\0"):
            ear.waiting.append(message)
            self._size += len(message)
        self._news.set()

    async def _until_space(self) -> None:
        while self._full:
            self._space.clear()
            await self._space.wait()

    def _block(self, ear: _Ear) -> Block:
        taken, ear.waiting = ear.waiting[:BATCH], ear.waiting[BATCH:]
        self._size -= sum(map(len, taken))
        self._space.set()
        now = self._clock.now()
        data, entries = bytearray(), list[Entry]()
        for datagram in taken:
            message = parse_syslog(datagram)
            entries.append(Entry(len(data), message.at, message.fields, message.fields.get("app", "")))
            data += message.text.encode("utf-8", "replace") + b"\n"
        start, gaps = ear.offset, ear.gaps
        ear.offset += len(data)
        ear.gaps, ear.last_read_at = (), now
        mark = Checkpoint(ear.origin, self._name, ear.offset, now)
        return Block(
            self._name, ear.origin, bytes(data), start, mark, now, complete=True, gaps=gaps, entries=tuple(entries)
        )


def _octets(held: bytes) -> tuple[int | None, int]:
    """The length that a message begins with, and where the message begins; (None, 0) when it names none."""
    space = held[:7].find(b" ")
    counted = space > 0 and held[:space].isdigit() and held[:1] != b"0" and held[space + 1 : space + 2] == b"<"
    if counted and int(held[:space]) <= MAX_MESSAGE:
        return int(held[:space]), space + 1
    return None, 0


def _unix_socket(path: Path, stack: AsyncExitStack) -> socket.socket:
    """A datagram socket at `path`, which everybody on this host may write to, as /dev/log; gone on exit. Replaces a
    socket that an earlier run left. Raises OSError, also when something else is there."""
    with suppress(FileNotFoundError):
        if not stat.S_ISSOCK(path.lstat().st_mode):
            raise FileExistsError(17, f"{path} is there and is no socket")
        path.unlink()
    path.parent.mkdir(parents=True, exist_ok=True)
    made = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
    made.bind(str(path))
    os.chmod(path, 0o666)  # noqa: S103  as /dev/log: who logs is not known beforehand
    stack.callback(path.unlink, missing_ok=True)
    return made
