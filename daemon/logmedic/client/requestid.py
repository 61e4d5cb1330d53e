"""The id of the request (the task, the job) that runs now: the same in the application's log, in the report, in the
incident and in the alert. It follows a context (`contextvars`): tasks and `asyncio.to_thread` inherit it, a thread of
your own does not."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar

_CURRENT: ContextVar[str] = ContextVar("logmedic_request_id", default="")
_WELL_FORMED = re.compile(r"[A-Za-z0-9._:/=+@-]{1,128}", re.ASCII)


def current() -> str:
    """Empty outside of any request."""
    return _CURRENT.get()


def new() -> str:
    """32 hexadecimal digits."""
    return uuid.uuid4().hex


def accepted(header: str) -> str:
    """What a caller says its request's id is, or a new one: whatever could end a line of a log, or fill it, is not
    taken over."""
    return header if _WELL_FORMED.fullmatch(header) else new()


@contextmanager
def bound(request_id: str) -> Iterator[str]:
    """`current()` is `request_id` inside, and what it was before afterwards."""
    token = _CURRENT.set(request_id)
    try:
        yield request_id
    finally:
        with suppress(ValueError):  # a coroutine that is thrown away may end in another context, which was never set
            _CURRENT.reset(token)
