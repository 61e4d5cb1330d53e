"""What comes over the socket and is no event ends `logmedic events -f` with a word, not with a traceback."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from logmedic.cli.following import SHOWN, follow
from logmedic.cli.sse import LINE_MAX
from logmedic.model.errors import PermanentError

ROW = dict.fromkeys(SHOWN, "x") | {"at": "2026-11-26T15:00:00Z"}


class Wire:
    """Stands for cli.client.Client: it answers `told`, once."""

    def __init__(self, told: bytes) -> None:
        self._told = told

    def waiting(self, wait_s: float) -> Wire:
        return self

    @contextmanager
    def receiving(self, path: str, headers: Mapping[str, str], **_: Any) -> Iterator[Callable[[], bytes]]:
        pieces = iter([self._told])
        yield lambda: next(pieces, b"")


def first(told: bytes) -> dict[str, Any]:
    return next(follow(Wire(told), "", {}, tell=print, pause=lambda _: None))  # type: ignore[arg-type]


def entry(row: object) -> bytes:
    return b"event: entry\ndata: " + json.dumps(row).encode() + b"\n\n"


def test_a_newer_daemon_may_tell_more() -> None:
    assert first(entry({**ROW, "more": [1]})) == {**ROW, "more": [1]}


@pytest.mark.parametrize(
    "told",
    [
        b"event: entry\ndata: no json\n\n",
        b"event: entry\ndata: " + b"[" * 100_000 + b"\n\n",
        entry([]),
        entry({**ROW, "at": "yesterday"}),
        *(entry({each: ROW[each] for each in ROW if each != name}) for name in SHOWN),
        b"data: " + b"x" * (LINE_MAX + 1),
    ],
)
def test_what_is_no_event_is_said(told: bytes) -> None:
    with pytest.raises(PermanentError, match="is no event") as error:
        first(told)
    assert error.value.hint
