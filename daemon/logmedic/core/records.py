"""What belongs together in a block of lines: a record is a line, or a line with its stack trace.

Records are cut only where something was found. The cut is the same as if the block were cut from its start: a line that
can continue nothing begins a record whatever stands before it, so looking back to such a line is enough.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from enum import Enum
from operator import itemgetter

MAX_RECORD_BYTES = 64 * 1024
MAX_RECORD_LINES = 500

_HEADER = b"Traceback (most recent call last):"
# Whoever writes a log chooses the lines: a word of 64 KiB must not be tried from each of its letters. So words are
# taken whole (`*+`), which changes nothing: what may follow them is no letter. Only words: a group that is taken whole
# forgets to step back in Python before 3.11.5 (gh-106052), and no name without a dot would be found.
_EXCEPTION = rb"(?:[A-Za-z_]\w*+\.)*(?:[A-Z_](?=[A-Z0-9_]*+[a-z])\w*+|timeout|error)(?::[ \t]|:?\r?$)"
_THROWABLE = rb"[a-z][\w$]*(?:\.[\w$]+)*\.[\w$]*(?:Exception|Error|Throwable)(?::[ \t]|:?\r?$)"
_CHAIN = (
    rb"During handling of the above exception, another exception occurred:"
    rb"|The above exception was the direct cause of the following exception:"
)
_KINDS = re.compile(
    rb"(?m)(?P<indented>[ \t]+[^ \t\r\n])|(?P<blank>[ \t]*\r?$)"
    rb"|(?P<header>Traceback \(most recent call last\):)|(?P<chain>" + _CHAIN + rb")"
    rb"|(?P<frame>(?:Caused by|Suppressed): |at [\w$.<>/@]+\(|\.\.\. \d+ (?:more|common frames)"
    rb"|(?:PHP )?Stack trace:|(?:PHP {2,}\d+\. |#\d+ )[\w/{\[\\.]|note: (?:run with|[Ss]ome details)|stack backtrace:)"
    rb"|(?P<go>panic: |fatal error: |\[signal |goroutine \d+ \[|created by |exit status \d+\r?$"
    rb"|[\w./*()\-][\w./*)\-]*+\([^ \n]*(?:, [^ \n]+)*\)\r?$)"
    rb"|(?P<closing>[}\])]+[,;]?\r?$)"
    rb"|(?P<throwable>" + _THROWABLE + rb")|(?P<exception>" + _EXCEPTION + rb")"
)
_RUST = b"panicked at "
"""The line below says what happened, in any words."""
_GO_BEGINS = re.compile(rb"panic: |fatal error: |goroutine \d+ \[")
_TROUBLE = re.compile(rb"\b(?:ERROR|CRITICAL|FATAL|SEVERE|WARN|WARNING|[Ee]rror|[Ee]xception|[Ff]ail(?:ed|ure)?)\b")


RecordAt = Callable[[bytes, int, int], tuple[int, int]]
"""(block, a byte in it, a record's start at or before that byte) -> (start, end)."""


class _State(Enum):
    """Where a record stands. OPEN: an ordinary line. FRAMES: lines of a trace were last. IN_TRACE: below a Python
    header, its last line is still to come. DONE: that line was there; a chained trace may follow. CHAINED: the words
    between two traces were there. GO: inside a panic of Go. GO_GAP: an empty line was there, more may follow.
    PANICKED: the line of a Rust panic was there; the next one belongs to it."""

    OPEN = 1
    FRAMES = 2
    IN_TRACE = 3
    DONE = 4
    CHAINED = 5
    GO = 6
    GO_GAP = 7
    PANICKED = 8


_WAITING = (_State.CHAINED, _State.GO_GAP)
"""What was last counts only once more follows."""
_WHOLE = (_State.OPEN, _State.DONE)
"""Nothing need follow, though it may."""


def cut(
    block: bytes, hits: Iterable[tuple[int, int]], record_at: RecordAt | None = None
) -> Iterator[tuple[int, int, list[int]]]:
    """(start, end, sorted pattern indices) of every record with a hit, in order; `end` is behind its newline. `hits` as
    a scanner gives them, in any order. `record_at`: finds the record that holds a byte; stack traces when None."""
    find = record_at or _record_at
    found: list[int] = []
    start = end = 0
    for index, behind in sorted(hits, key=_by_offset):
        at = behind - 1 if behind else 0
        if at < end:
            found.append(index)
            continue
        if found:
            yield start, end, _ascending(found)
        found = [index]
        floor = end
        start = block.rfind(b"\n", floor, at) + 1 or floor
        end = block.find(b"\n", at) + 1 or len(block)
        if record_at is not None or not _stands_alone(block, start, end):
            start, end = find(block, at, floor)
    if found:
        yield start, end, _ascending(found)


def _stands_alone(block: bytes, start: int, end: int) -> bool:
    """Whether a line is a record of its own, as most are: neither it nor the next one can continue anything."""
    if _KINDS.match(block, start) is not None or _KINDS.match(block, end) is not None:
        return False
    before = block.rfind(b"\n", 0, start - 1) + 1 if start else 0
    return block.find(_RUST, before, end) < 0


def _ascending(found: list[int]) -> list[int]:
    return found if len(found) == 1 else sorted(set(found))


def spans(block: bytes) -> Iterator[tuple[int, int]]:
    """(start, end) of every record."""
    start = 0
    while start < len(block):
        end, _ = _extend(block, start)
        yield start, end
        start = end


def open_tail(block: bytes, followed: bool = False) -> int | None:
    """Where the last record starts when it is not whole: its last line is inside an unfinished trace, or more is there
    already (`followed`), of which nobody knows yet whether it belongs to it."""
    start, state = _last(block)
    return start if state is not None and (followed or state not in _WHOLE) else None


def last_record(block: bytes) -> int | None:
    """Where the last record starts; None when its last line has no newline."""
    start, state = _last(block)
    return start if state is not None else None


def may_continue(block: bytes) -> bool:
    """Whether its first line may belong to a record before it."""
    return _kind(block, 0) is not None


def decode(block: bytes, start: int, end: int) -> str:
    """The text of a record: no trailing newline, one CR less before each newline, invalid UTF-8 replaced."""
    raw = block[start:end].removesuffix(b"\n").removesuffix(b"\r")
    if b"\r\n" in raw:
        raw = raw.replace(b"\r\n", b"\n")
    return raw.decode("utf-8", "replace")


_by_offset = itemgetter(1)


def _last(block: bytes) -> tuple[int, _State | None]:
    """Where the last record starts, and where it stands; None when its last line has no newline."""
    if not block.endswith(b"\n"):
        return len(block), None
    at = len(block) - 1
    start, end = _line(block, at)
    if _kind(block, start) is None and not _announces(block, start, end) and not _follows_panic(block, start):
        return start, _State.OPEN
    start = _surely_begins(block, at, 0)
    while True:
        end, state = _extend(block, start)
        if end >= len(block) or state in _WAITING:
            return start, state
        start = end


def _line(block: bytes, at: int) -> tuple[int, int]:
    """The line that holds byte `at`, with its newline."""
    end = block.find(b"\n", at) + 1
    return block.rfind(b"\n", 0, at) + 1, end or len(block)


def _kind(block: bytes, start: int) -> str | None:
    """How the line that starts there may continue the one before; None: it cannot."""
    found = _KINDS.match(block, start)
    return found.lastgroup if found else None


def _record_at(block: bytes, at: int, floor: int) -> tuple[int, int]:
    """The record that holds byte `at`; `floor` is a record's start at or before it."""
    start = _surely_begins(block, at, floor)
    while True:
        end, _ = _extend(block, start)
        if at < end or end >= len(block):
            return start, end
        start = end


def _surely_begins(block: bytes, at: int, floor: int) -> int:
    """The nearest line at or before byte `at` that begins a record whatever stands before it, or `floor`."""
    start = block.rfind(b"\n", 0, at) + 1
    while start > floor:
        kind = _kind(block, start)
        before = block.rfind(b"\n", 0, start - 1) + 1
        leads = _leads_to_exception(block, before, start)
        if not _follows_panic(block, start) and (kind is None or (kind == "exception" and not leads)):
            return start
        start = before
    return max(start, floor)


def _leads_to_exception(block: bytes, start: int, end: int) -> bool:
    return _kind(block, start) in ("indented", "frame") or block.find(_HEADER, start, end) >= 0


def _extend(block: bytes, start: int) -> tuple[int, _State]:
    """The end of the record that starts there, and where it stands. Lines between two traces count once the second
    trace begins; until then a record that ends the block with them is CHAINED."""
    end = position = _line(block, start)[1]
    state = _first_state(block, start, end)
    line = start
    size = len(block)
    lines = 1
    while position < size and lines < MAX_RECORD_LINES:
        kind = _kind(block, position)
        if kind is None and state is not _State.PANICKED:
            return end, state if position == end else _State.DONE
        after = _next(block, line, position, state, kind)
        next_end = _line(block, position)[1]
        if after is None or next_end - start > MAX_RECORD_BYTES:
            return end, state if position == end else _State.DONE
        line, position, state, lines = position, next_end, after, lines + 1
        if state not in _WAITING:
            end = position
    return end, state


def _first_state(block: bytes, start: int, end: int) -> _State:
    if block.find(_HEADER, start, end) >= 0:
        return _State.IN_TRACE
    if block.find(_RUST, start, end) >= 0:
        return _State.PANICKED
    if _GO_BEGINS.match(block, start):
        return _State.GO
    kind = _kind(block, start)
    return _State.FRAMES if kind in ("indented", "frame") else _State.OPEN


def _next(block: bytes, line: int, start: int, state: _State, kind: str | None) -> _State | None:
    """What the record becomes with the line at `start`, of that kind, behind the one at `line`; None: it is over."""
    if state is _State.PANICKED:
        return _State.FRAMES
    if state in (_State.GO, _State.GO_GAP):
        return _next_of_go(kind, state)
    if kind == "closing":
        return state if state is _State.FRAMES else None
    if kind == "go":
        return None
    if kind in ("indented", "frame"):
        return {_State.OPEN: _State.FRAMES, _State.CHAINED: None}.get(state, state)
    if kind == "header":
        follows = state is _State.CHAINED or (state is _State.OPEN and _is_trouble(block, line, start))
        return _State.IN_TRACE if follows else None
    if kind == "throwable":
        if state is _State.IN_TRACE:
            return _State.DONE
        return _State.FRAMES if state is _State.OPEN and _is_trouble(block, line, start) else None
    if kind == "exception":
        return _State.DONE if state is _State.IN_TRACE else None
    return _State.CHAINED if state in (_State.DONE, _State.CHAINED) else None  # blank, chain


def _next_of_go(kind: str | None, state: _State) -> _State | None:
    if kind == "blank":
        return _State.GO_GAP
    if kind == "go" or (kind == "indented" and state is _State.GO):
        return _State.GO
    return None


def _announces(block: bytes, start: int, end: int) -> bool:
    """More is to come below the line, whatever that line's kind."""
    return block.find(_HEADER, start, end) >= 0 or block.find(_RUST, start, end) >= 0


def _follows_panic(block: bytes, start: int) -> bool:
    """Whether the line above is that of a Rust panic."""
    if start == 0:
        return False
    before = block.rfind(b"\n", 0, start - 1) + 1
    return block.find(_RUST, before, start) >= 0


def _is_trouble(block: bytes, start: int, end: int) -> bool:
    return _TROUBLE.search(block, start, end) is not None
