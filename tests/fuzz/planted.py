"""A reader with planted mistakes, to see that each kind is found."""

from __future__ import annotations

import ctypes
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from fuzz.target import MIB, Attempt, Open, Target, claim

ROOM = "fuzz.planted"
kept: list[bytes] = []


def _opened(read: Callable[[bytes], None]) -> Open:
    @contextmanager
    def opened(room: Path) -> Iterator[Attempt]:
        yield read

    return opened


def _seeds() -> Iterable[bytes]:
    return (b'{"name": "x", "size": 1}', b"[1, 2]")


def _well(given: bytes) -> None:
    json.loads(given)


def _raises(given: bytes) -> None:
    told = json.loads(given)
    if isinstance(told, dict):
        told["name"].strip()


def _promises(given: bytes) -> None:
    claim(b"2147483648" not in given, "no number is larger than a word")


def _hangs(given: bytes) -> None:
    while given.startswith(b"[[["):
        pass


def _dies(given: bytes) -> None:
    if b"\0" in given:
        ctypes.string_at(0)


def _eats(given: bytes) -> None:
    if b"null" in given:
        kept.append(b"x" * (200 * MIB))
        kept.clear()


def _leaks(given: bytes) -> None:
    kept.append(b"x" * 50_000)


def _target(name: str, read: Callable[[bytes], None], growth: int = 400 * MIB, hang_s: float = 30.0) -> Target:
    refusals = (ValueError, RecursionError)
    words = (b'"name"', b"{}", b"null")
    return Target(f"{ROOM}:{name}", _opened(read), _seeds, words, refusals, 4096, hang_s=hang_s, growth=growth)


TARGETS = {
    each.name: each
    for each in (
        _target("well", _well),
        _target("raises", _raises),
        _target("promises", _promises),
        _target("hangs", _hangs, hang_s=1.0),
        _target("dies", _dies),
        _target("eats", _eats),
        _target("leaks", _leaks, growth=20 * MIB),
    )
}
