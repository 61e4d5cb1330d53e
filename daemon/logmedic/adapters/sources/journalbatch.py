"""Entries of the journal that leave together, so that the lines of one writer can be put together. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

from logmedic.adapters.sources.journalentry import JournalEntry, by_writer, message_of, parts_of
from logmedic.core.framing import Framing
from logmedic.core.records import MAX_RECORD_LINES

BATCH_S = 0.1
"""How long entries are gathered."""
BATCH_BYTES = 256 * 1024
RECENT_S = 0.02
"""Who wrote so shortly ago may be in the middle of a record, whatever it looks like."""
HOLD_S = 0.3
"""How long a record that may still grow waits for its next line."""
HOLD_MAX_S = 2.0
"""And how long in all, for what came after it waits too: the cursor behind a batch says that all before was read."""


class Batch:
    """`at` is loop time everywhere. Holds about BATCH_BYTES, and what is read at once, at most."""

    def __init__(self, framing: Framing) -> None:
        self._framing = framing
        self._entries: list[JournalEntry] = []
        self._came: list[float] = []
        """When each of them came."""
        self._size = 0
        self._since = 0.0

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, entries: Sequence[JournalEntry], at: float) -> None:
        if not self._entries:
            self._since = at
        self._entries += entries
        self._came += [at] * len(entries)
        self._size += _size(entries)

    def due_at(self) -> float:
        """When something may leave, unless it grows too large before."""
        return self._since + BATCH_S

    def is_due(self, at: float) -> bool:
        return bool(self._entries) and (self._size >= BATCH_BYTES or at >= self.due_at())

    def take(self, at: float, *, everything: bool = False) -> list[JournalEntry]:
        """What leaves now: `everything`, or what stands before the first record that may still grow."""
        end = len(self._entries) if everything else self._settled(at)
        if not end and self._entries and (self._size >= BATCH_BYTES or at - self._came[0] >= HOLD_MAX_S):
            end = len(self._entries)  # records of many writers, each across the next
        taken, self._entries, self._came = self._entries[:end], self._entries[end:], self._came[end:]
        self._since, self._size = at, _size(self._entries)
        return taken

    def _settled(self, at: float) -> int:
        """Where a cut goes through no record, and leaves behind it those that are worth waiting for."""
        writers = by_writer(self._entries)
        held = (self._held(indices[-MAX_RECORD_LINES:], at) for indices in writers)
        end = min((index for index in held if index is not None), default=len(self._entries))
        if end < len(self._entries):
            records = [each for indices in writers for each in parts_of(self._entries, indices, self._framing)]
            while through := [record[0] for record in records if record[0] < end <= record[-1]]:
                end = min(through)
        return end

    def _held(self, indices: Sequence[int], at: float) -> int | None:
        """Of one writer's entries, the one that begins a record which is worth waiting for; None: there is none."""
        silent_s = at - self._came[indices[-1]]
        if silent_s >= HOLD_S:
            return None
        opened = self._framing.open_tail(message_of(self._entries, indices), silent_s < RECENT_S)
        if opened is None:
            return None
        ends = list(accumulate(len(self._entries[index].message) for index in indices))
        first = indices[bisect_right(ends, opened)]
        return first if at - self._came[first] < HOLD_MAX_S else None


def _size(entries: Sequence[JournalEntry]) -> int:
    return sum(len(entry.message) for entry in entries)
