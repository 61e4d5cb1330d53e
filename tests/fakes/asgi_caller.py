"""An ASGI server with one caller: what it sends, what it gets, and when it leaves."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from dataclasses import dataclass, field
from typing import Any

Message = dict[str, Any]


@dataclass
class Caller:
    """`body`: its parts. `leaves`: as soon as it has sent them."""

    method: str = "GET"
    path: str = "/pay"
    headers: tuple[tuple[bytes, bytes], ...] = ()
    body: tuple[bytes, ...] = (b"",)
    leaves: bool = False
    got: list[Message] = field(default_factory=list)
    state: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        last = len(self.body) - 1
        parts = ({"type": "http.request", "body": each, "more_body": n < last} for n, each in enumerate(self.body))
        self._parts = deque[Message](parts)
        self._gone = asyncio.Event()
        if self.leaves:
            self._gone.set()

    @property
    def scope(self) -> Message:
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "method": self.method,
            "scheme": "http",
            "path": self.path,
            "raw_path": self.path.encode(),
            "query_string": b"",
            "root_path": "",
            "headers": list(self.headers),
            "server": ("127.0.0.1", 80),
            "client": ("127.0.0.1", 5),
            "state": self.state,
        }

    async def receive(self) -> Message:
        if self._parts:
            return self._parts.popleft()
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        assert message["type"] != "http.response.start" or not self.got, "an answer begins once"
        if self._gone.is_set():
            raise OSError("the caller has gone")
        self.got.append(message)

    def leave(self) -> None:
        self._gone.set()

    async def call(self, app: Any) -> Caller:
        await app(self.scope, self.receive, self.send)
        return self

    @property
    def status(self) -> int:
        return int(self.got[0]["status"])

    @property
    def answered(self) -> dict[str, str]:
        """The headers."""
        return {name.decode(): value.decode() for name, value in self.got[0]["headers"]}

    @property
    def text(self) -> bytes:
        return b"".join(each.get("body", b"") for each in self.got[1:])

    @property
    def said(self) -> Any:
        return json.loads(self.text)
