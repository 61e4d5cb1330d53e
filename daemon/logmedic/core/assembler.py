"""Keeps a stack trace whole across blocks."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from logmedic.core.framing import TRACES, Framing
from logmedic.core.position import TAIL_BYTES, tail_hash
from logmedic.model.record import Block

MAX_HELD_BYTES = 256 * 1024
GROWS = timedelta(seconds=5)
"""So long after its beginning was read a record may get lines: whoever writes a trace does not pause."""
MAX_TOLD_BYTES = 16 * 1024
"""Of a record that was handed on and may still get lines; one is kept for each origin. A longer one is over."""


class Assembler:
    """One for each origin. Holds back a block's last record while it is not whole; the checkpoint of what it hands on
    stays before what it holds, so that a crash reads that again (F30). The caller flushes when nothing follows.

    Programs write line by line, so what looks whole may be the first line of a stack trace. It is handed on as the
    block's record that `grows`, and kept: lines that go on with it are handed on together with it, as `told`. Whoever
    cannot tell what it means before those lines are there gives it back (`take_back`), and then it is held."""

    def __init__(self, framing: Framing = TRACES) -> None:
        self._framing = framing
        self._held: Block | None = None
        self._told, self._told_at = b"", datetime.min.replace(tzinfo=UTC)
        """The record that was handed on last, while it may grow; and when it was read."""
        self._before = self._before_last = b""
        """The last bytes before what is held, else before `_next`; and before the block that was handed on last."""
        self._next = (0, 0, -1)
        """Where the next block begins: in the file (device, inode) and at the offset."""

    @property
    def pending(self) -> bool:
        """Something is held back."""
        return self._held is not None

    def push(self, block: Block) -> tuple[Block, ...]:
        """What can be matched now, in order. What is held goes on in the block that follows it byte for byte, also in a
        copy of its file; behind a gap, and in the next file after a rotation, begins another record."""
        goes_on = not block.gaps and block.start == self._next[2]
        ended = None if goes_on else self.flush()
        ready = self._pushed(block, goes_on and self._next == _place(block))
        return tuple(each for each in (ended, ready) if each is not None)

    def flush(self) -> Block | None:
        """What is held, with its own checkpoint."""
        held, self._held = self._held, None
        if held is not None:
            self._before = _last_bytes(self._before, held)
        return held

    def take_back(self, block: Block) -> Block | None:
        """Hold the record of `block` that grows. `block` is the last one handed on; answers what is left of it."""
        assert block.grows is not None, "no record of the block grows"  # noqa: S101
        self._before, self._told = self._before_last, b""
        return self._hold(block, block.grows)

    def _pushed(self, block: Block, adjacent: bool) -> Block | None:
        held, self._held = self._held, None
        told, self._told = self._told, b""
        if not adjacent:
            self._before = b""
        whole = block
        if held is not None:
            whole = replace(block, data=held.data + block.data, start=held.start, gaps=held.gaps, told=held.told)
        elif told and adjacent and self._is_soon(block) and self._framing.may_continue(block.data):
            whole = replace(block, data=told + block.data, start=block.start - len(told), told=len(told))
        self._next = (*_place(block)[:2], block.start + len(block.data))
        # The position before what is held can be told only of bytes that follow one another.
        movable = (adjacent or held is None) and block.checkpoint.offset == self._next[2] and not block.complete
        cut = self._cut(whole) if movable else None
        return self._hold(whole, cut) if cut is not None else self._handed_on(whole, movable)

    def _is_soon(self, block: Block) -> bool:
        return abs(block.read_at - self._told_at) <= GROWS

    def _cut(self, block: Block) -> int | None:
        """Where what is held back begins; None: nothing is."""
        at = self._framing.open_tail(block.data, block.followed)
        return None if at is None or len(block.data) - at > MAX_HELD_BYTES else at

    def _hold(self, whole: Block, cut: int) -> Block | None:
        """Keep what begins at `cut`, hand on the rest."""
        if not cut:
            self._held = replace(whole, grows=None)
            return None
        ready = replace(whole, data=whole.data[:cut], grows=None)
        self._held = replace(whole, data=whole.data[cut:], start=whole.start + cut, gaps=(), told=0, grows=None)
        self._before = _last_bytes(self._before, ready)
        offset = whole.checkpoint.offset - len(self._held.data)
        checkpoint = replace(whole.checkpoint, offset=offset, tail_hash=tail_hash(self._before))
        return replace(ready, checkpoint=checkpoint)

    def _handed_on(self, whole: Block, movable: bool) -> Block:
        self._before_last, self._before = self._before, _last_bytes(self._before, whole)
        at = self._framing.last_record(whole.data) if movable else None
        if at is None or len(whole.data) - at > MAX_TOLD_BYTES:
            return whole
        self._told, self._told_at = whole.data[at:], whole.read_at
        return replace(whole, grows=at)


def _last_bytes(before: bytes, block: Block) -> bytes:
    """Of `before` and what is new in the block behind it."""
    return (before + block.data[max(block.told, len(block.data) - TAIL_BYTES) :])[-TAIL_BYTES:]


def _place(block: Block) -> tuple[int, int, int]:
    return block.checkpoint.device, block.checkpoint.inode, block.start
