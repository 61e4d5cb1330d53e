"""What the daemon wrote itself, and somebody or a bad disk changed: letters, cursors, notes, spools."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fuzz.target import Attempt, Target, claim
from fuzz.targets import by_name, words
from logmedic.adapters.alerts.samples import SAMPLES
from logmedic.adapters.store.walog import find_gap
from logmedic.adapters.web.sessions import Sessions, _session
from logmedic.client.sending.spool import Spool
from logmedic.core.letters import pack, pack_story, unpack, unpack_story
from logmedic.core.links import LinkExpired, LinkForged, verify
from logmedic.core.moments import moment_text
from logmedic.core.paging import ORDERS, place_of
from logmedic.model.errors import BadCursor
from logmedic.runtime import lastwords
from logmedic.runtime.pausefile import reason_in

NOW = datetime(2026, 11, 26, 15, 0, tzinfo=UTC)
KEY = bytes(range(32))


@contextmanager
def _stored(room: Path) -> Iterator[Attempt]:
    """The first byte says what it is."""
    readers: tuple[Callable[[Path, bytes], Any], ...] = (
        *(_letter, _story, _place, _last_words, _pause, _log_of_the_store, _spooled, _cookie, _signed_cookie, _link),
    )

    def attempt(given: bytes) -> None:
        readers[given[0] % len(readers) if given else 0](room, given[1:])

    yield attempt


def _text(given: bytes) -> str:
    return given.decode("utf-8", "replace")


def _letter(_: Path, given: bytes) -> None:
    with suppress(ValueError):
        message = unpack(_text(given))
        claim(unpack(pack(message)) == message, "a letter comes back as another")


def _story(_: Path, given: bytes) -> None:
    with suppress(ValueError):
        story = unpack_story(_text(given))
        claim(unpack_story(pack_story(story)) == story, "a story comes back as another")


def _place(_: Path, given: bytes) -> None:
    for question in ORDERS:
        with suppress(BadCursor):
            for each in place_of(question, _text(given)):
                if isinstance(each, datetime):
                    moment_text(each)


def _last_words(room: Path, given: bytes) -> None:
    (room / lastwords.NAME).write_bytes(given)
    repr(lastwords.told(room)).encode()
    lastwords.keep(room, "what", ["ops"])
    claim(bool(lastwords.told(room)), "what was kept is not told")


def _pause(room: Path, given: bytes) -> None:
    (room / "paused").write_bytes(given)
    reason = reason_in(room / "paused")
    claim(reason is not None and (reason.isprintable() or not reason), f"the reason is {reason!r}")


def _log_of_the_store(room: Path, given: bytes) -> None:
    (room / "store.wal").write_bytes(given)
    gap = find_gap(room / "store.wal")
    claim(gap is None or 0 <= gap.at <= len(given), f"a gap at {gap}")


def _spooled(room: Path, given: bytes) -> None:
    directory = room / "spool"
    directory.mkdir(exist_ok=True)
    (directory / "a-1.reports").write_bytes(given)
    spool = Spool(directory, "fuzz")
    try:
        while batch := spool.batch(50):
            claim(all(id and begun for id, begun in batch), "a report of nothing")
    finally:
        spool.close()


def _cookie(_: Path, given: bytes) -> None:
    claim(Sessions(KEY).read(_text(given), NOW) is None, "a cookie that we did not write opens the door")


def _signed_cookie(_: Path, given: bytes) -> None:
    _session(_text(given))


def _link(_: Path, given: bytes) -> None:
    with suppress(LinkForged, LinkExpired):
        verify(KEY, _text(given), NOW)
        claim(False, "a link that we did not sign is taken")


def _kept() -> Iterable[bytes]:
    for sample in SAMPLES[:3]:
        yield b"\x00" + pack(sample).encode()
    yield b"\x01" + pack_story(SAMPLES[0].stories[0]).encode()
    yield b"\x02WyJpc3N1ZXMiLCIyMDI2LTExLTI2VDE1OjAwOjAwKzAwOjAwIiwieCJd"
    yield b"\x02WyJpbmNpZGVudHMiLCIwMTkzYjBjNCJd"
    yield b'\x03{"what": "the store is locked", "told": ["ops", "oncall"]}'
    yield b"\x04maintenance until noon\nby alice\n"
    header = bytes.fromhex("64006265000266001000") + bytes(15) + bytes.fromhex("670001ffff")
    yield (
        b"\x05"
        + header
        + (18).to_bytes(8, "little")
        + bytes(8)
        + bytes(18)
        + bytes.fromhex("0500000000000000e7fe7d722fed3d5e640064ffff")
    )
    yield b'\x06{"type":"report","id":"r1","component":"a","error":"E"}\n{"type":"report","id":"r2","component":"a"}\n'
    cookie = Sessions(KEY).written(Sessions(KEY).begin("alice", True, "token:x", datetime(1970, 1, 2, tzinfo=UTC)))
    yield b"\x07" + cookie.encode()
    yield b"\x08" + cookie.partition(".")[0].encode()
    yield b"\x09eyJ2IjoxfQ.abc"


_TOKENS = (*words("stored"), b"[" * 3000, b'{"a":' * 1500, b"W1tbW1tbW1tbW1s" * 40)
TARGETS = by_name(Target("stored", _stored, _kept, _TOKENS))
