"""Where faults end: what an application hands over may raise, hang or be without end, and the client may have faults
of its own; the application hears of neither. The one module of the client that catches everything."""

from __future__ import annotations

import _thread
import contextvars
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from types import WrapperDescriptorType
from typing import Final, TypeVar

T = TypeVar("T")
SECONDS: Final = 0.1
"""So long the text of an object that writes it by Python code is waited for. A switch of threads under load takes up to
some 10 ms."""
MOST_HUNG: Final = 2
"""So many may be left behind at work; as long as they are, no other object is asked for its text."""
PLAIN: Final = (str, int, float, bool, type(None))
PLAIN_BYTES: Final = 100_000
_hung: set[object] = set()
_speaking: set[int] = set()
"""Threads that write into the log just now."""


def quietly(call: Callable[[], T], instead: T) -> T:
    """What `call` returns, or `instead` when it raises. An interrupt and an exit go through: they are for the
    application."""
    try:
        return call()
    except Exception:
        return instead


async def quietly_async(call: Callable[[], Awaitable[T]], instead: T) -> T:
    """As `quietly`; a cancel goes through as well."""
    try:
        return await call()
    except Exception:
        return instead


def silently(call: Callable[[], object]) -> bool:
    """Whether it came to its end. For the client's own thread: nothing goes through."""
    try:
        call()
    except BaseException:
        return False
    return True


def text_of(value: object, longest: int) -> str:
    """`str(value)`, cut to `longest` characters; words in parentheses where it raises or takes too long."""
    if type(value) is str:
        return value if len(value) <= longest else value[:longest]
    if type(value) in PLAIN or (isinstance(value, BaseException) and quietly(lambda: _is_plain(value), False)):
        return quietly(lambda: str(value)[:longest], f"({type(value).__name__} without a text)")
    return in_time(lambda: str.__str__(str(value))[:longest])[:longest]


def in_time(write: Callable[[], str]) -> str:
    """What `write` returns, which runs in a thread and context of its own, or words for why there is nothing."""
    if len(_hung) >= MOST_HUNG:
        return "(its text is not asked for: others never came to an end)"
    written: list[str] = []
    done = _thread.allocate_lock()
    done.acquire()
    context = contextvars.copy_context()

    def run() -> None:
        if not silently(lambda: written.append(context.run(write))):
            written.append("(its text could not be made)")
        done.release()
        _hung.discard(done)

    if not silently(lambda: _thread.start_new_thread(run, ())):
        return "(no thread could be started for its text)"
    if not done.acquire(timeout=SECONDS):
        _hung.add(done)
        if not written:
            return "(its text took too long)"
        _hung.discard(done)  # it came to its end just now
    return written[0]


@contextmanager
def speaking() -> Iterator[None]:
    """What the client's thread logs inside is not reported in turn."""
    _speaking.add(_thread.get_ident())
    try:
        yield
    finally:
        _speaking.discard(_thread.get_ident())


def is_speaking() -> bool:
    """Whether the caller was called by what the client logs."""
    return _thread.get_ident() in _speaking


def forked() -> None:
    """In a child: the threads that hung are not there."""
    _hung.clear()
    _speaking.clear()


def _is_plain(error: BaseException) -> bool:
    """Whether only C code writes its text, over little."""
    told = (*error.args, getattr(error, "filename", None) if isinstance(error, OSError) else None)
    if type(type(error).__str__) is not WrapperDescriptorType or not all(type(each) in PLAIN for each in told):
        return False
    return sum(len(each) for each in told if isinstance(each, str)) < PLAIN_BYTES
