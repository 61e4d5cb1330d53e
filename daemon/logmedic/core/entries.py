"""Records of a block whose origin knows its entries: each entry is one, whatever newlines it holds."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator

from logmedic.model.record import Block, Entry


class Entries:
    """Those of one block."""

    def __init__(self, block: Block) -> None:
        self._entries = block.entries
        self._starts = [entry.start for entry in block.entries]
        self._size = len(block.data)

    def spans(self, _: bytes = b"") -> list[tuple[int, int]]:
        """(start, end) of every entry."""
        return list(zip(self._starts, [*self._starts[1:], self._size], strict=True))

    def cut(self, hits: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int, list[int]]]:
        """As core.records.cut."""
        found: dict[int, set[int]] = {}
        for index, behind in hits:
            found.setdefault(self._index(max(behind - 1, 0)), set()).add(index)
        spans = self.spans()
        for number in sorted(found):
            yield *spans[number], sorted(found[number])

    def at(self, start: int) -> Entry:
        """The entry that holds byte `start`."""
        return self._entries[self._index(start)]

    def span_at(self, start: int) -> tuple[int, int]:
        """(start, end) of that entry."""
        return self.spans()[self._index(start)]

    def _index(self, at: int) -> int:
        return max(0, bisect_right(self._starts, at) - 1)
