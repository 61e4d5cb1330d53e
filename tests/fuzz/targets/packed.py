"""Packed logs: what unpacks is text of a log, what does not is said, and a bomb is not unpacked."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import sys
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC
from pathlib import Path

from fuzz.target import Attempt, Target, claim
from fuzz.targets import by_name, words
from logmedic.adapters.sources.packed import MAX_RATIO, OPENERS, unpack_all
from logmedic.adapters.sources.past import PastLog
from logmedic.core.framing import TRACES
from logmedic.model.errors import PermanentError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

LOG = b"".join(b"Nov 26 15:00:%02d web1 app[12]: ERROR job %d failed\n" % (n % 60, n) for n in range(60))
ZEROS = bytes(2 * 1024 * 1024)
MAGIC = {b"\x1f\x8b": ".gz", b"BZh": ".bz2", b"\xfd7zXZ": ".xz", b"\x28\xb5\x2f\xfd": ".zst"}


@contextmanager
def _packed(room: Path) -> Iterator[Attempt]:
    """By the suffix that its first bytes say, else by the first byte."""

    def attempt(given: bytes) -> None:
        by_chance = sorted(OPENERS)[given[0] % len(OPENERS)] if given else ".gz"
        path = room / f"app.log.1{next((each for start, each in MAGIC.items() if given.startswith(start)), by_chance)}"
        path.write_bytes(given)
        try:
            _read_past(path, len(given))
            _unpacked(path, len(given))
        finally:
            path.unlink()

    yield attempt


def _read_past(path: Path, size: int) -> None:
    past, read = PastLog(str(path), "app", framing=TRACES, zone=UTC), 0
    try:
        while (block := past.next_block()) is not None:
            read = max(read, block.start + len(block.data))
            claim(bool(block.data), "a block of nothing")
    finally:
        past.close()
    claim(read <= size * MAX_RATIO + 1024 * 1024, f"{size} bytes gave {read}")


def _unpacked(path: Path, size: int) -> None:
    answer = unpack_all([str(path)])
    for file in answer.files:
        try:
            claim(os.fstat(file.fd).st_size <= size * MAX_RATIO, "a bomb was unpacked")
        finally:
            file.close()
    claim(bool(answer.files or answer.complaints), "it is neither unpacked nor complained of")


def _greedy(packed: bytes) -> bytes:
    """An .xz whose header asks for a dictionary of 1.5 GiB (the file format of XZ, 3.1 and 5.3.1)."""
    size = (packed[12] + 1) * 4
    header = bytearray(packed[12 : 12 + size - 4])
    header[header.index(b"\x21\x01") + 2] = 37
    return packed[:12] + bytes(header) + zlib.crc32(header).to_bytes(4, "little") + packed[12 + size :]


def _archives() -> Iterable[bytes]:
    for content in (LOG, b"", ZEROS, LOG[:-1], b"\xff\xfe" + LOG.decode().encode("utf-16-le")):
        yield gzip.compress(content, mtime=0)
        yield bz2.compress(content)
        yield lzma.compress(content)
        yield zstd.compress(content)
    yield gzip.compress(LOG, mtime=0) + gzip.compress(LOG, mtime=0)
    yield zstd.compress(LOG) + b"\x50\x2a\x4d\x18\x04\x00\x00\x00skip" + zstd.compress(LOG)
    yield lzma.compress(LOG) + bytes(4)
    yield _greedy(lzma.compress(LOG))
    yield lzma.compress(LOG, format=lzma.FORMAT_ALONE)


_TOKENS = words("packed")
TARGETS = by_name(Target("packed", _packed, _archives, _TOKENS, (PermanentError,), memory=512 * 1024 * 1024))
