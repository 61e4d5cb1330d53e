"""ASGI: an answer of 500 or more is held back until the application has returned or raised.

What wraps a whole Starlette application comes too late else: its ServerErrorMiddleware sends "Internal Server Error"
and raises afterwards. Held are 64 KiB, for half a second: what is longer, or takes longer, goes out as it comes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from logmedic.client.http.keptbody import Message

Send = Callable[[Message], Awaitable[None]]
MOST_BYTES = 64 * 1024
LONGEST_S = 0.5


class HeldResponse:
    """Stands between the application's `send` and a server's; every answer carries the request's id.

    `begun`: something of it has left, and it cannot be taken back. `lost`: the server's error when the caller had
    gone. One task at a time sends: the application's, or the timer's."""

    def __init__(self, send: Send, header: bytes, request_id: bytes) -> None:
        self._send = send
        self._header = (header.lower(), request_id)
        self._order = asyncio.Lock()
        self._held: list[Message] = []
        self._size = 0
        self._timer: asyncio.TimerHandle | None = None
        self._late: asyncio.Task[None] | None = None
        self._over = False
        self.status = 0
        self.begun = False
        self.lost: OSError | None = None

    async def send(self, message: Message) -> None:
        async with self._order:
            if self._over:
                raise OSError("this attempt of the request is over")
            if message["type"] == "http.response.start":
                message = self._with_id(message)
            if self._keeps(message):
                return
            await self._let_go()
            await self._pass(message)

    async def release(self) -> None:
        """What is held goes out. Raises what the server raises (OSError: the caller has gone)."""
        async with self._order:
            await self._let_go()

    async def settle(self) -> bool:
        """Drops what is held, unless its time was over; whether another answer can take its place. Then nothing more is
        sent by this one, whatever the application has left running."""
        async with self._order:
            self.stop_timer()
            self._held = []
            self._over = not self.begun
            return self._over

    def _keeps(self, message: Message) -> bool:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        if message["type"] == "http.response.start" and self.status >= 500 and not self.begun:
            self._timer = asyncio.get_running_loop().call_later(LONGEST_S, self._expire)
            self._held = [message]
            return True
        self._size += len(message.get("body", b""))
        if not self._held or message["type"] != "http.response.body" or self._size > MOST_BYTES:
            return False
        self._held.append(message)
        return True

    def _expire(self) -> None:
        self._late = asyncio.get_running_loop().create_task(self._release_late())

    async def _release_late(self) -> None:
        try:
            await self.release()
        except OSError as error:
            self.lost = error

    async def _let_go(self) -> None:
        self.stop_timer()
        held, self._held = self._held, []
        for message in held:
            await self._pass(message)

    async def _pass(self, message: Message) -> None:
        self.begun = self.begun or message["type"] == "http.response.start"
        try:
            await self._send(message)
        except OSError as error:
            self.lost = error
            raise

    def stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _with_id(self, message: Message) -> Message:
        """With the header, unless the application has set it itself."""
        before = list(message.get("headers", ()))
        if any(bytes(name).lower() == self._header[0] for name, _ in before):
            return message
        return {**message, "headers": [*before, self._header]}
