"""Where a chunk of a file is cut. Pure: bytes in, a decision out."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto


class Cut(Enum):
    """LINES: whole lines. REST: everything, for no more will follow. LONG: the beginning of a line over the limit.
    WIDER: no newline in the chunk, a longer one is needed. HOLD: nothing yet but an unfinished line, or nothing."""

    LINES = auto()
    REST = auto()
    LONG = auto()
    WIDER = auto()
    HOLD = auto()


@dataclass(frozen=True, slots=True)
class Chunk:
    """What a read gave. `asked`: how many bytes it could have been; fewer means the end of the file. `ending`: nothing
    will be added to the file. `overdue`: the unfinished line at the end has waited long enough."""

    content: bytes
    asked: int
    max_line: int
    ending: bool = False
    overdue: bool = False

    @property
    def at_end(self) -> bool:
        return len(self.content) < self.asked


def cut(chunk: Chunk) -> tuple[Cut, bytes]:
    """How the chunk is cut, and the bytes that leave. An unfinished line is not kept in memory: it is read again."""
    content = chunk.content
    if chunk.at_end and content and (chunk.ending or chunk.overdue):
        return Cut.REST, content
    end = content.rfind(b"\n") + 1
    if end:
        return Cut.LINES, content[:end] if end < len(content) else content
    if chunk.at_end:
        return Cut.HOLD, b""
    if chunk.asked < chunk.max_line:
        return Cut.WIDER, b""
    return Cut.LONG, content
