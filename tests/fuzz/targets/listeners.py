"""Syslog, by the three ways that it comes, to a listener on real sockets."""

from __future__ import annotations

import asyncio
import socket
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC
from pathlib import Path

from fuzz.target import Attempt, Target, claim
from fuzz.targets import by_name, words
from fuzz.targets.lines import shipped
from logmedic.adapters.sources.syslog import MAX_MESSAGE, SyslogSource
from logmedic.core.matcher import Matcher
from logmedic.model.record import Block
from tail.collector import SystemClock

END = b"<11>Nov 26 15:00:00 web1 fuzz: the end of input %d\n"
WITHIN_S = 25.0


class _Listener:
    """On a loop of its own, which runs while an input is read. What it yields is looked at as it comes."""

    def __init__(self, room: Path, matcher: Matcher) -> None:
        self._loop = asyncio.new_event_loop()
        self._troubles: list[str] = []
        self._loop.set_exception_handler(lambda _, context: self._troubles.append(str(context)))
        self._path = room / "log"
        self._source = SyslogSource("app", clock=SystemClock(), udp=0, tcp=0, unix=self._path)
        self._matcher = matcher
        self._heard = b""
        self._offsets: dict[str, int] = {}
        self._number = 0
        self._task = self._loop.create_task(self._listen())

    def wait(self) -> None:
        """Until it listens."""
        self._run(self._until(lambda: len(self._source.ports) == 2))

    def _run(self, what: object) -> None:
        self._loop.run_until_complete(asyncio.wait_for(what, WITHIN_S))  # type: ignore[arg-type]

    async def _listen(self) -> None:
        async for block in self._source.blocks({}):
            self._look(block)

    def _look(self, block: Block) -> None:
        claim(block.start == self._offsets.get(block.origin, 0), "offsets do not follow one another")
        self._offsets[block.origin] = block.start + len(block.data)
        starts = [each.start for each in block.entries]
        claim(starts == sorted(set(starts)) and all(each < len(block.data) for each in starts), "entries do not ascend")
        self._matcher.find(block)
        self._heard = (self._heard + block.data)[-4 * MAX_MESSAGE :]

    async def _until(self, holds: object) -> None:
        while not holds():  # type: ignore[operator]
            claim(not self._task.done(), "the listener ended")
            await asyncio.sleep(0)

    def attempt(self, given: bytes) -> None:
        self._number += 1
        last = END % self._number
        [self._stream, self._datagrams][given[:1] == b"<"](given, last)
        self._run(self._until(lambda: self._task.done() or last.partition(b": ")[2] in self._heard))
        claim(not self._troubles, f"the loop tells of {self._troubles}")

    def _stream(self, given: bytes, last: bytes) -> None:
        """In pieces of a size that the input chooses; the end comes over a second connection."""
        with socket.create_connection(("127.0.0.1", self._source.ports["tcp"])) as wire:
            size = 1 + zlib.crc32(given) % 3000
            for at in range(0, len(given), size):
                wire.sendall(given[at : at + size])
                self._loop.run_until_complete(asyncio.sleep(0))
        with socket.create_connection(("127.0.0.1", self._source.ports["tcp"])) as wire:
            wire.sendall(last)

    def _datagrams(self, given: bytes, last: bytes) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
            wire.sendto(given[:60_000], ("127.0.0.1", self._source.ports["udp"]))
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as wire:
            wire.connect(str(self._path))
            wire.send(given)
            wire.send(last)

    def close(self) -> None:
        self._task.cancel()
        self._loop.run_until_complete(asyncio.gather(self._task, return_exceptions=True))
        self._loop.close()


@contextmanager
def _syslog(room: Path) -> Iterator[Attempt]:
    listener = _Listener(room, Matcher(shipped(), zone=UTC, any_source=frozenset({"app"})))
    try:
        listener.wait()
        yield listener.attempt
    finally:
        listener.close()


def _messages() -> Iterable[bytes]:
    yield b'<34>1 2026-11-26T15:00:00Z web1 su 12 ID47 [x@1 a="b" c="d\\]"][y@2 e=""] \xef\xbb\xbfit failed'
    yield b"<165>1 0001-01-01T00:00:00+23:59 - - - - - error: the beginning of time"
    yield b"<13>Nov 26 15:00:00 web1 app[12]: ERROR: no space left on device\n"
    yield b"75 <13>Nov 26 15:00:00 web1 app[12]: ERROR: counted, with a newline\n inside it\n\n20 <3>kernel: oops there"
    yield b"Nov 26 15:00:00 web1 app: one\n<14>two\r\n\0<999>three\n" * 5
    yield b"\xff\xfe\0\0\n\n\n12345678 <1>x\n0 <1>\n7 <1>\n"


_TOKENS = (*words("syslog"), b"x" * 70_000)
TARGETS = by_name(Target("syslog", _syslog, _messages, _TOKENS, most_bytes=100_000))
