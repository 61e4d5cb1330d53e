"""One connection with the daemon. It never waits: what cannot be sent now is held."""

from __future__ import annotations

import select
import socket
from collections.abc import Iterator

from logmedic.client.sending.wire import Lines, Message, message_of

HELLO_S = 5.0
"""So long the daemon may take for its first line."""
STALLED_S = 10.0
"""So long it may take nothing of what it is sent."""
MAX_HELD = 128 * 1024
"""Bytes that wait to be sent."""
MAX_READ_A_SECOND = 1024 * 1024
"""Bytes. An answer has a few hundred; what floods its listener costs the application its processor."""
MAX_UNKNOWN = 1000
"""Lines of one connection that are no message."""
_AT_ONCE = 64 * 1024


class LinkLost(OSError):
    """The connection is over, or of no use."""


class Link:
    """Raises OSError when it does not come about. Times are seconds of `time.monotonic`. Whoever makes it closes it."""

    def __init__(self, path: str, now: float) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._held = bytearray()
        self._lines = Lines()
        self.began = self._moved = self._counted_from = now
        self._count = self._unknown = 0
        self.greeted = False
        try:
            self._socket.setblocking(False)
            self._socket.connect(path)
        except BaseException:
            self._socket.close()
            raise

    @property
    def number(self) -> int:
        return self._socket.fileno()

    @property
    def events(self) -> int:
        return select.POLLIN | (select.POLLOUT if self._held else 0)

    @property
    def has_room(self) -> bool:
        return len(self._held) < MAX_HELD

    def close(self) -> None:
        """In a child of the process that made it, the connection goes on."""
        self._socket.close()

    def send(self, line: bytes, now: float) -> None:
        if not self._held:
            self._moved = now
        self._held += line

    def read(self, now: float) -> Iterator[Message]:
        """What came. Raises LinkLost."""
        try:
            fresh = self._socket.recv(_AT_ONCE)
        except (BlockingIOError, InterruptedError):
            return
        if not fresh:
            raise LinkLost("the daemon ended the connection")
        self._bound(len(fresh), now)
        for line in self._lines.take(fresh):
            message = message_of(line)
            if message is not None:
                yield message
                continue
            self._unknown += 1
            if self._unknown > MAX_UNKNOWN:
                raise LinkLost("what comes is not of the protocol")

    def write(self, now: float) -> None:
        """What the socket takes at present. Raises OSError."""
        while self._held:
            try:
                sent = self._socket.send(memoryview(self._held)[:_AT_ONCE])
            except (BlockingIOError, InterruptedError):
                return
            del self._held[:sent]
            self._moved = now

    def left(self, now: float) -> float:
        """Seconds until something has to move. Raises LinkLost when they are over."""
        if not self.greeted:
            left = self.began + HELLO_S - now
        elif self._held:
            left = self._moved + STALLED_S - now
        else:
            return float("inf")
        if left <= 0:
            raise LinkLost("the daemon does not say anything" if not self.greeted else "the daemon does not read")
        return left

    def _bound(self, fresh: int, now: float) -> None:
        if now - self._counted_from >= 1.0:
            self._count, self._counted_from = 0, now
        self._count += fresh
        if self._count > MAX_READ_A_SECOND:
            raise LinkLost("too much comes at once")
