"""Which lines belong together, as people say it for one source: by what begins a record, or by what continues one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from math import inf

import regex

from logmedic.core import records
from logmedic.core.records import MAX_RECORD_BYTES, MAX_RECORD_LINES
from logmedic.core.widening import LIGHT, weight

TIMEOUT_S = 0.05
"""For the pattern on one line; a line that takes longer begins a record."""
LOOKED_AT_BYTES = 4096
"""Of each line."""
_HUGE = regex.compile(r"(?<!\\)\{\d*,?\d{4,}")
"""A count of thousands, in a dialect whose weight is not known."""


@dataclass(frozen=True)
class Framing:
    """`start`: a line that matches begins a record, every other continues it. `continues`: a line that matches
    continues the one before. Neither: stack traces, as core.records knows them. At most MAX_RECORD_LINES and
    MAX_RECORD_BYTES a record: what is longer goes on as another one. Raises ValueError for both, or for no pattern."""

    start: str = ""
    continues: str = ""

    def __post_init__(self) -> None:
        if self.start and self.continues:
            raise ValueError("`start` and `continue` exclude each other: name one")
        pattern = self.start or self.continues
        if pattern and (LIGHT < weight(pattern) < inf or _HUGE.search(pattern)):
            raise ValueError(f"the pattern `{pattern}` counts too far: to compile it would take the memory of the host")
        try:
            _ = self._pattern
        except regex.error as error:
            raise ValueError(f"the pattern `{pattern}` does not compile: {error}") from None

    @cached_property
    def _pattern(self) -> regex.Pattern[bytes]:
        return regex.compile((self.start or self.continues).encode())

    @property
    def _of_traces(self) -> bool:
        return not (self.start or self.continues)

    def cut(self, block: bytes, hits: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int, list[int]]]:
        """As core.records.cut."""
        return records.cut(block, hits) if self._of_traces else records.cut(block, hits, self._record_at)

    def spans(self, block: bytes) -> Iterator[tuple[int, int]]:
        """(start, end) of every record."""
        if self._of_traces:
            yield from records.spans(block)
            return
        at = 0
        while at < len(block):
            end = self._end(block, at)
            yield at, end
            at = end

    def open_tail(self, block: bytes, followed: bool = False) -> int | None:
        """As core.records.open_tail."""
        if self._of_traces:
            return records.open_tail(block, followed)
        if not block.endswith(b"\n"):
            return None
        start, end = self._record_at(block, len(block) - 1, 0)
        return start if not self._is_full(block[start:end]) else None

    def last_record(self, block: bytes) -> int | None:
        """Where the last record starts when it looks whole, but may still get lines; None: it cannot."""
        return records.last_record(block) if self._of_traces else None

    def may_continue(self, block: bytes) -> bool:
        """Whether its first line may belong to a record that looked whole."""
        return self._of_traces and records.may_continue(block)

    def _record_at(self, block: bytes, at: int, floor: int) -> tuple[int, int]:
        """The record that holds byte `at`; `floor` is a record's start at or before it. Cut as from the nearest line
        that surely begins one: the same as from the block's start."""
        start = block.rfind(b"\n", 0, at) + 1
        while start > floor and not self._begins(block, start):
            start = block.rfind(b"\n", 0, start - 1) + 1
        start = max(start, floor)
        while True:
            end = self._end(block, start)
            if at < end or end >= len(block):
                return start, end
            start = end

    def _end(self, block: bytes, start: int) -> int:
        end, lines = _line_end(block, start), 1
        while end < len(block) and lines < MAX_RECORD_LINES and not self._begins(block, end):
            behind = _line_end(block, end)
            if behind - start > MAX_RECORD_BYTES:
                break
            end, lines = behind, lines + 1
        return end

    def _begins(self, block: bytes, start: int) -> bool:
        line = block[start : min(_line_end(block, start), start + LOOKED_AT_BYTES)].rstrip(b"\r\n")
        try:
            found = self._pattern.search(line, timeout=TIMEOUT_S, concurrent=False) is not None
        except TimeoutError:
            return True
        return found if self.start else not found

    def _is_full(self, record: bytes) -> bool:
        return len(record) >= MAX_RECORD_BYTES or record.count(b"\n") >= MAX_RECORD_LINES


TRACES = Framing()


def _line_end(block: bytes, at: int) -> int:
    return block.find(b"\n", at) + 1 or len(block)
