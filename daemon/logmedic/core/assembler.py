"""Keeps a stack trace whole across blocks."""

from __future__ import annotations

from dataclasses import replace

from logmedic.core.framing import TRACES, Framing
from logmedic.core.position import TAIL_BYTES, tail_hash
from logmedic.model.record import Block

MAX_HELD_BYTES = 256 * 1024


class Assembler:
    """One for each origin. Holds back a block's last record while it may still grow; the checkpoint of what it hands on
    stays before what it holds, so that a crash reads that again (F30). The caller flushes when nothing follows."""

    def __init__(self, framing: Framing = TRACES) -> None:
        self._framing = framing
        self._held: Block | None = None
        self._before = b""
        """The last bytes before the next one expected: in the file (device, inode) and at the offset of `_next`."""
        self._next = (0, 0, -1)

    @property
    def pending(self) -> bool:
        """Something is held back."""
        return self._held is not None

    def push(self, block: Block) -> Block | None:
        """What can be matched now; None when all of it is held back."""
        held, self._held = self._held, None
        adjacent = not block.gaps and self._next == _place(block)
        if not adjacent:
            self._before = b""
        whole = block if held is None else _joined(held, block, adjacent)
        # The position before what is held can be told only of bytes that follow one another.
        movable = (adjacent or held is None) and block.checkpoint.offset == block.start + len(block.data)
        self._next = (*_place(block)[:2], block.start + len(block.data))
        cut = self._cut(whole) if movable and not block.complete else None
        if cut is None:
            self._before = self._last_bytes((whole if adjacent else block).data)
            return whole
        return self._hold(whole, cut)

    def flush(self) -> Block | None:
        """What is held, with its own checkpoint."""
        held, self._held = self._held, None
        if held is not None:
            self._before = self._last_bytes(held.data)
        return held

    def _last_bytes(self, follows: bytes) -> bytes:
        """Of what was before and what follows it."""
        return (self._before + follows[-TAIL_BYTES:])[-TAIL_BYTES:]

    def _cut(self, block: Block) -> int | None:
        """Where what is held back begins; None: nothing is."""
        at = self._framing.open_tail(block.data, block.followed)
        return None if at is None or len(block.data) - at > MAX_HELD_BYTES else at

    def _hold(self, whole: Block, cut: int) -> Block | None:
        """Keep what begins at `cut`, hand on the rest."""
        ready, kept = whole.data[:cut], whole.data[cut:]
        if not ready:
            self._held = whole
            return None
        self._held = replace(whole, data=kept, start=whole.start + cut, gaps=())
        self._before = self._last_bytes(ready)
        offset = whole.checkpoint.offset - len(kept)
        checkpoint = replace(whole.checkpoint, offset=offset, tail_hash=tail_hash(self._before))
        return replace(whole, data=ready, checkpoint=checkpoint)


def _joined(held: Block, block: Block, adjacent: bool) -> Block:
    start = held.start if adjacent else max(block.start - len(held.data), 0)
    return replace(block, data=held.data + block.data, start=start, gaps=held.gaps + block.gaps)


def _place(block: Block) -> tuple[int, int, int]:
    return block.checkpoint.device, block.checkpoint.inode, block.start
