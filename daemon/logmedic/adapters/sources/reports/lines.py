"""What one connection sends, cut into lines."""

from __future__ import annotations

from collections.abc import Iterator

from logmedic.core.reports import MAX_LINE

TOO_LONG = None
"""Stands for a line that was longer, and is passed over up to its newline."""


class Lines:
    """Memory: one line of `longest` bytes, its newline included."""

    def __init__(self, longest: int = MAX_LINE) -> None:
        self._longest = longest
        self._held = bytearray()
        self._skipping = False

    def take(self, fresh: bytes) -> Iterator[bytes | None]:
        """Every line that is whole now, without its newline; empty ones are left out. A line is TOO_LONG as soon as it
        is."""
        *whole, rest = fresh.split(b"\n")
        for part in whole:
            line = self._ended(part)
            if line is TOO_LONG or line.strip():
                yield line
        if self._skipping:
            return
        self._held += rest
        if len(self._held) >= self._longest:
            self._held.clear()
            self._skipping = True
            yield TOO_LONG

    def end(self) -> bytes:
        """The last line, which has no newline; empty when there is none."""
        rest = bytes(self._held)
        self._held.clear()
        return rest.strip()

    def _ended(self, part: bytes) -> bytes | None:
        """Empty: the end of one that was told already."""
        if self._skipping:
            self._skipping = False
            return b""
        line = bytes(self._held) + part
        self._held.clear()
        return line if len(line) < self._longest else TOO_LONG
