"""Ordinary lines: a small sample of what each source says when nothing is wrong, for patterns that must match none."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

from logmedic.core.records import decode
from logmedic.model.learned import OrdinaryLine
from logmedic.model.record import Block

SLOTS = 64
"""Lines that are kept of one source."""
MAX_LENGTH = 500
"""Characters of a line; what is longer is cut."""
MAX_BYTES = 4 * MAX_LENGTH
TRIES = 100
"""Lines and records of one block that are looked at, at most."""


@dataclass(frozen=True, slots=True)
class Draw:
    """A block is to give a line for place `slot`: the one at byte `at`, modulo its size, or the next one."""

    slot: int
    at: int


def drawn(source: str, n: int) -> Draw | None:
    """Whether block `n` (from 1) of `source` gives a line: the first SLOTS do, later ones with probability SLOTS / n,
    each in a place that chance names: so every block so far is as likely to be there (Vitter 1985, algorithm R). The
    same for the same arguments."""
    chance = blake2b(f"{source}\0{n}".encode("utf-8", "replace"), digest_size=16).digest()
    slot = n - 1 if n <= SLOTS else int.from_bytes(chance[:8], "big") % n
    return Draw(slot, int.from_bytes(chance[8:], "big")) if slot < SLOTS else None


def ordinary_line(block: Block, hits: Sequence[tuple[int, int]], draw: Draw) -> OrdinaryLine | None:
    """A line that lies in no record with a hit; None where there is none, or none near. `hits`: (start, end) of the
    records that have one, in order."""
    size = len(block.data)
    if not size:
        return None
    starts = [start for start, _ in hits]
    at = block.data.rfind(b"\n", 0, draw.at % size) + 1
    for _ in range(TRIES):
        end = block.data.find(b"\n", at, size) + 1 or size
        last = bisect_left(starts, end) - 1
        if last >= 0 and hits[last][1] > at:
            end = hits[last][1]
        elif text := _text(block.data, at, end):
            return OrdinaryLine(block.source, draw.slot, text)
        at = end if end < size else 0
    return None


def may_go_on(block: Block, line: OrdinaryLine) -> bool:
    """Whether `line`, of `block`, lies in the record that grows: its next line may say that it is an error."""
    return block.grows is not None and line.text in decode(block.data, block.grows, len(block.data))


def _text(content: bytes, start: int, end: int) -> str:
    """Empty for a blank line."""
    text = decode(content, start, min(end, start + MAX_BYTES)).strip("\r\n")[:MAX_LENGTH]
    return "" if text.isspace() else text
