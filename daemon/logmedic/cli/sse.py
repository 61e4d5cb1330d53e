"""Reads text/event-stream (the HTML standard, 9.2.6) as it comes, wherever its bytes are cut."""

from __future__ import annotations

import re
from dataclasses import dataclass

LINE_MAX = 4 << 20
"""Bytes of a line: the daemon's are below 100 KiB."""
_END = re.compile(rb"\r\n|\n|\r")
_BOM = "\ufeff"


class NoEventStream(ValueError):
    """A line longer than LINE_MAX."""


@dataclass(frozen=True, slots=True)
class Message:
    """`event`: its name, "message" when it has none."""

    event: str
    data: str


class EventStream:
    """`feed` it what was received, in any pieces. `last_id`: what to resume behind."""

    def __init__(self, last_id: str = "") -> None:
        self.last_id = last_id
        self._rest = b""
        self._after_cr = False
        self._first = True
        self._id = last_id
        self._event, self._data = "", list[str]()

    def feed(self, received: bytes) -> list[Message]:
        """What is whole by now. Raises NoEventStream."""
        if not received:
            return []
        if self._after_cr and received.startswith(b"\n"):  # the second half of a line's end
            received = received[1:]
            self._after_cr = False
        if received:
            self._after_cr = received.endswith(b"\r")
        *lines, self._rest = _END.split(self._rest + received)
        if len(self._rest) > LINE_MAX:
            raise NoEventStream(f"a line is longer than {LINE_MAX >> 20} MiB")
        return [message for line in lines if (message := self._take(line.decode("utf-8", "replace"))) is not None]

    def _take(self, line: str) -> Message | None:
        if self._first:
            line, self._first = line.removeprefix(_BOM), False
        if not line:
            return self._dispatch()
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        match name:
            case "data":
                self._data.append(value)
            case "event":
                self._event = value
            case "id" if "\0" not in value:
                self._id = value
        return None

    def _dispatch(self) -> Message | None:
        self.last_id = self._id
        event, data = self._event or "message", self._data
        self._event, self._data = "", []
        return Message(event, "\n".join(data)) if data else None
