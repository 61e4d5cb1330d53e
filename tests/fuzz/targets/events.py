"""Live events, as the command line reads them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fuzz.target import Attempt, Target, claim
from fuzz.targets import by_name, words
from logmedic.cli.eventlines import line_of
from logmedic.cli.following import follow
from logmedic.cli.sse import EventStream
from logmedic.model.errors import LogmedicError

_LIVES = 3
"""Connections that end before it is given up here."""


class _Ended(Exception):
    """The pause that is one too many."""


class _Wire:
    """Stands for cli.client.Client: every connection brings the same bytes, in other pieces."""

    def __init__(self, given: bytes) -> None:
        self._given = given
        self._lives = 0

    def waiting(self, wait_s: float) -> _Wire:
        return self

    @contextmanager
    def receiving(self, path: str, headers: Mapping[str, str], **_: Any) -> Iterator[Callable[[], bytes]]:
        self._lives += 1
        size = 1 + len(self._given) // self._lives
        pieces = iter([self._given[at : at + size] for at in range(0, len(self._given), size)])
        yield lambda: next(pieces, b"")

    def pause(self, seconds: float) -> None:
        if self._lives >= _LIVES:
            raise _Ended


@contextmanager
def _events(room: Path) -> Iterator[Attempt]:
    """Cut anywhere, the messages are the same; and what `logmedic events -f` makes of it can be written."""

    def attempt(given: bytes) -> None:
        whole, pieced = EventStream(), EventStream()
        messages = whole.feed(given)
        size = 1 + len(given) // 97
        parts = [each for at in range(0, len(given), size) for each in pieced.feed(given[at : at + size])]
        claim(parts == messages and pieced.last_id == whole.last_id, "messages depend on where they are cut")
        wire = _Wire(given)
        try:
            for row in follow(wire, "", {}, tell=lambda _: None, pause=wire.pause):  # type: ignore[arg-type]
                line_of(row, width=100).encode()
                json.dumps(row)
        except _Ended:
            pass

    yield attempt


def _streams() -> Iterable[bytes]:
    row = {
        "id": "0193b0c4-1111-7abc-8abc-0123456789ab",
        "at": "2026-11-26T15:00:00Z",
        "kind": "opened",
        "severity": "high",
        "title": "the disk is full",
        "text": "on /var",
        "subject": "incident:0193b0c4",
        "source": "app",
        "topic": "incidents",
    }
    entry = b"id: 7\nevent: entry\ndata: " + json.dumps(row).encode() + b"\n\n"
    yield b"retry: 1000\n\nevent: began\ndata: {}\n\n" + entry * 2 + b"event: alive\ndata: {}\n\n: a comment\n"
    yield (
        b"\xef\xbb\xbf"
        + entry.replace(b"\n", b"\r\n")
        + b"event: reset\rdata: {}\r\r"
        + entry.replace(b"data: ", b"data:\ndata:")
    )


_TOKENS = (*words("events"), b"[" * 3000)
TARGETS = by_name(Target("events", _events, _streams, _TOKENS, (LogmedicError,), most_bytes=60_000))
