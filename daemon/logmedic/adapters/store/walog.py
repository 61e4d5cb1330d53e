"""DuckDB's write-ahead log, as far as it must be understood to notice that some of it would get lost.

DuckDB takes an entry without a length, or one that reaches past the end, for the torn end of an unfinished transaction,
and leaves out everything from there on without a word. For a torn end that is right. In the middle it drops changes
that were durable: so the log is followed here before DuckDB opens it, and ends of transactions behind such a place
are damage.
"""

from __future__ import annotations

import mmap
import re
import struct
from dataclasses import dataclass
from pathlib import Path

_HEADER = re.compile(
    rb"\A\x64\x00\x62\x65\x00\x02"
    rb"(?:\x66\x00\x10(?:[\x80-\xff]?[\x00-\x7f]){16}\x67\x00[\x80-\xff]*[\x00-\x7f])?\xff\xff",
    re.DOTALL,
)
"""Version 2, the 16 numbers that name the database, the number of the checkpoint. A file that DuckDB 1.5 made has no
name; its log has neither of the two, whichever DuckDB writes it."""
_COMMITTED = bytes.fromhex("0500000000000000 e7fe7d722fed3d5e 640064ffff")
"""The entry that ends a transaction: length, checksum, content; always the same. It is no UTF-8, so no text holds it.
In a log of another version it does not occur, and nothing is taken for damage."""
_ENTRY = struct.Struct("<QQ")


@dataclass(frozen=True, slots=True)
class Gap:
    """Nothing can be followed from byte `at` on, and `changes` transactions that were finished lie behind it."""

    at: int
    changes: int

    def __str__(self) -> str:
        return f"its write-ahead log cannot be followed from byte {self.at} on, with {self.changes} changes behind"


def wal_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.wal")


def find_gap(wal: Path) -> Gap | None:
    """None for a log that is whole, torn at its end, missing or empty."""
    if not wal.exists() or not wal.stat().st_size:
        return None
    with wal.open("rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as log:
        at = _followed(log)
        changes = _ends_behind(log, at)
    return Gap(at, changes) if changes else None


def _followed(log: mmap.mmap) -> int:
    """Where the first entry starts that does not fit; the length of the log when all do."""
    header = _HEADER.match(log)
    at = header.end() if header else 0
    while header and at + _ENTRY.size <= len(log):
        length, _ = _ENTRY.unpack_from(log, at)
        if not 0 < length <= len(log) - at - _ENTRY.size:
            break
        at += _ENTRY.size + length
    return at


def _ends_behind(log: mmap.mmap, at: int) -> int:
    changes = 0
    while (at := log.find(_COMMITTED, at)) >= 0:
        at += len(_COMMITTED)
        changes += 1
    return changes
