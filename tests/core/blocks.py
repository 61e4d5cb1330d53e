"""Lines as they come from a source: in blocks, cut anywhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from hypothesis import strategies as st

from logmedic.core.assembler import Assembler
from logmedic.model.record import Block, Checkpoint

NOW = datetime(2026, 11, 24, 3, 30, tzinfo=UTC)


def cuts_of(content: bytes, data: st.DataObject) -> list[int]:
    """Numbers of lines: some, or all."""
    lines = content.count(b"\n")
    return sorted(data.draw(st.lists(st.integers(0, lines), max_size=6) | st.just(list(range(lines)))))


def block_of(content: bytes, at: int, *, followed: bool = False) -> Block:
    return Block(
        "app", "a.log", content, at, Checkpoint("a.log", "app", at + len(content), NOW), NOW, followed=followed
    )


def handed_on(assembler: Assembler, content: bytes, cuts: Sequence[int], followed: bool) -> Iterator[Block]:
    """What an assembler hands on of lines that come in blocks."""
    lines, at = content.splitlines(keepends=True), 0
    for first, last in zip([0, *cuts], [*cuts, len(lines)], strict=True):
        piece = b"".join(lines[first:last])
        yield from assembler.push(block_of(piece, at, followed=followed and last < len(lines)))
        at += len(piece)
    if (last_one := assembler.flush()) is not None:
        yield last_one
