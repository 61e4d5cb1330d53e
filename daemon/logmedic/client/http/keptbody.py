"""The body of a request, kept while an application reads it, so that the request can be run once more."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from io import BytesIO
from typing import Any, Protocol

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]


class KeptBody:
    """ASGI: stands between a server's `receive` and the application's. `limit`: bytes kept at most; below 0: none.

    `whole`: all that was read can be read again. `gone`: the caller has left."""

    def __init__(self, receive: Receive, limit: int) -> None:
        self._receive = receive
        self._limit = limit
        self._kept: list[Message] = []
        self._size = 0
        self._again: deque[Message] = deque()
        self.whole = limit >= 0
        self.gone = False

    async def receive(self) -> Message:
        return self._again.popleft() if self._again else await self._read()

    def rewind(self) -> None:
        """The next `receive` begins with the first message again."""
        self._again = deque(self._kept)

    async def left(self) -> None:
        """Until the caller has left. What comes of the body in the meantime is kept as well. A cancel loses nothing
        that the server did not lose."""
        while not self.gone:
            await self._read()

    async def _read(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            self._keep(message)
        elif message["type"] == "http.disconnect":
            self.gone = True
        return message

    def _keep(self, message: Message) -> None:
        self._size += len(message.get("body", b""))
        self.whole = self.whole and self._size <= self._limit
        if self.whole:
            self._kept.append(message)
        else:
            self._kept.clear()


class Input(Protocol):
    """`wsgi.input`, as PEP 3333 has it."""

    def read(self, size: int = -1, /) -> bytes: ...
    def readline(self, size: int = -1, /) -> bytes: ...


class KeptInput:
    """WSGI: stands between a server's `wsgi.input` and the application's; `limit` and `whole` as of KeptBody.
    `lost`: the server's error when the caller had gone.

    Never reads on its own: servers may have an input without an end, of which an application reads CONTENT_LENGTH."""

    def __init__(self, source: Input, limit: int) -> None:
        self._source = source
        self._limit = limit
        self._kept = bytearray()
        self._again = BytesIO()
        self.whole = limit >= 0
        self.lost: OSError | None = None

    def read(self, size: int | None = -1) -> bytes:
        wanted = -1 if size is None else size
        begin = self._again.read(wanted)
        if len(begin) == wanted:
            return begin
        return begin + self._fresh(self._source.read, wanted - len(begin) if wanted > 0 else -1)

    def readline(self, size: int | None = -1) -> bytes:
        wanted = -1 if size is None else size
        begin = self._again.readline(wanted)
        if begin.endswith(b"\n") or len(begin) == wanted:
            return begin
        return begin + self._fresh(self._source.readline, wanted - len(begin) if wanted > 0 else -1)

    def readlines(self, hint: int | None = -1) -> list[bytes]:
        """Whole lines; no more once they come to `hint` bytes."""
        lines: list[bytes] = []
        size = 0
        for line in self:
            lines.append(line)
            size += len(line)
            if hint is not None and 0 < hint <= size:
                break
        return lines

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.readline, b"")

    def rewind(self) -> None:
        """The next read begins with the first byte again."""
        self._again = BytesIO(bytes(self._kept))

    def _fresh(self, reads: Callable[[int], bytes], size: int) -> bytes:
        try:
            read = reads(size)
        except OSError as error:
            self.lost = error
            raise
        self.whole = self.whole and len(self._kept) + len(read) <= self._limit
        if self.whole:
            self._kept += read
        else:
            self._kept.clear()
        return read
