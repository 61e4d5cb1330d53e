"""The traceback of an exception: taken down where it was caught, without its frames (they would keep alive whatever the
application had in hand), and written out in the client's thread, where the source is read.

The text is the interpreter's own, but for suggestions of names ("Did you mean"), for the calls of this package around
the application's, and for what is left out of very long ones."""

from __future__ import annotations

import linecache
import traceback
from collections import deque
from itertools import islice
from pathlib import Path
from types import CodeType, TracebackType
from typing import NamedTuple

from logmedic.client import guarded
from logmedic.client.sending.wire import MAX_MESSAGE, MAX_TRACEBACK, MAX_WORDS

MAX_CHAIN, MAX_NOTES = 8, 8
FIRST, LAST = 20, 60
"""Frames of one exception."""
BYTES_A_FRAME = 120
"""About, as text."""
OWN = f"{Path(__file__).parents[1]}/"
_CAUSE = "\nThe above exception was the direct cause of the following exception:\n\n"
_CONTEXT = "\nDuring handling of the above exception, another exception occurred:\n\n"


class Place(NamedTuple):
    """A line that was under way; `instruction`: the byte of its code."""

    code: CodeType
    line: int
    instruction: int


class Raised(NamedTuple):
    """One exception of a chain. `first` and `last`: its places, outermost first; `left_out`: how many are between.
    `then`: the words that lead over to the next one."""

    name: str
    message: str
    notes: tuple[str, ...]
    first: tuple[Place, ...]
    left_out: int
    last: tuple[Place, ...]
    then: str


Captured = tuple[Raised, ...] | str
"""A chain, the oldest first; or the text, where it could not be taken down otherwise."""


def name_of(error: BaseException) -> str:
    """As tracebacks name it: with its module, unless that is `builtins` or the program itself."""
    kind = type(error)
    name, module = kind.__qualname__, kind.__module__
    full = name if module in ("builtins", "__main__") or not isinstance(module, str) else f"{module}.{name}"
    return full[:MAX_WORDS]


def taken_down(error: BaseException, message: str) -> Captured:
    """`message`: of `error` itself, which is not asked for it twice. Empty where nothing was raised anywhere."""
    chain: list[Raised] = []
    seen: set[int] = set()
    current, then = error, ""
    while id(current) not in seen and len(chain) < MAX_CHAIN:
        if isinstance(current, (BaseExceptionGroup, SyntaxError)):
            return guarded.in_time(lambda: _at_once(error))
        seen.add(id(current))
        words = message if current is error else guarded.text_of(current, MAX_MESSAGE)
        chain.append(Raised(name_of(current), words, _notes(current), *_places(current.__traceback__), then))
        older, then = _before(current)
        if older is None:
            break
        current = older
    return tuple(reversed(chain)) if any(each.first for each in chain) else ()


def weight(captured: Captured) -> int:
    """Bytes, about."""
    if isinstance(captured, str):
        return len(captured)
    return sum(len(each.message) + BYTES_A_FRAME * (len(each.first) + len(each.last)) for each in captured)


def written(captured: Captured) -> str:
    """The text, without a newline at its end, at most MAX_TRACEBACK characters."""
    if isinstance(captured, str):
        return cut(captured.rstrip("\n"), MAX_TRACEBACK)
    return cut("".join(part for each in captured for part in _parts(each)).rstrip("\n"), MAX_TRACEBACK)


def cut(text: str, longest: int) -> str:
    """Without its middle where it is too long: its end says what a traceback was, its beginning where it began."""
    if len(text) <= longest:
        return text
    mark = "\n  [cut]\n"
    if longest <= len(mark):
        return text[:longest]
    head = (longest - len(mark)) // 4
    return text[:head] + mark + text[len(text) - (longest - len(mark) - head) :]


def _before(error: BaseException) -> tuple[BaseException | None, str]:
    if error.__cause__ is not None:
        return error.__cause__, _CAUSE
    return (None, "") if error.__suppress_context__ else (error.__context__, _CONTEXT)


def _notes(error: BaseException) -> tuple[str, ...]:
    notes = getattr(error, "__notes__", None)
    return tuple(guarded.text_of(each, MAX_MESSAGE) for each in notes[:MAX_NOTES]) if isinstance(notes, list) else ()


def _places(trace: TracebackType | None) -> tuple[tuple[Place, ...], int, tuple[Place, ...]]:
    first: list[Place] = []
    last: deque[Place] = deque(maxlen=LAST)
    count = 0
    while trace is not None:
        code = trace.tb_frame.f_code
        if trace.tb_next is not None and code.co_filename.startswith(OWN):
            trace = trace.tb_next
            continue
        if code.co_filename not in linecache.cache:  # where the source is no file, only these globals know who has it
            linecache.lazycache(code.co_filename, trace.tb_frame.f_globals)
        (first if count < FIRST else last).append(Place(code, trace.tb_lineno, trace.tb_lasti))
        count += 1
        trace = trace.tb_next
    return tuple(first), count - len(first) - len(last), tuple(last)


def _parts(raised: Raised) -> list[str]:
    parts = ["Traceback (most recent call last):\n"] if raised.first else []
    if raised.left_out:
        parts += [*_lines(raised.first), f"  [{raised.left_out} more calls]\n", *_lines(raised.last)]
    else:
        parts += _lines(raised.first + raised.last)
    parts.append(f"{raised.name}: {raised.message}\n" if raised.message else f"{raised.name}\n")
    parts += (f"{line}\n" for note in raised.notes for line in note.split("\n"))
    return [*parts, raised.then] if raised.then else parts


def _lines(places: tuple[Place, ...]) -> list[str]:
    for name in {each.code.co_filename for each in places}:
        linecache.checkcache(name)
    return traceback.StackSummary.from_list(map(_summary, places)).format()


def _summary(place: Place) -> traceback.FrameSummary:
    code, line, instruction = place
    spans = islice(code.co_positions(), instruction // 2, None) if instruction >= 0 else iter(())
    _, end_line, column, end_column = next(spans, (None, None, None, None))
    return traceback.FrameSummary(
        code.co_filename,
        line,
        code.co_name,
        lookup_line=False,
        end_lineno=end_line,
        colno=column,
        end_colno=end_column,
    )


def _at_once(error: BaseException) -> str:
    """As the interpreter writes it; groups are trees, and errors of syntax point at a line of theirs."""
    return "".join(traceback.TracebackException.from_exception(error, compact=True).format())[: 4 * MAX_TRACEBACK]
