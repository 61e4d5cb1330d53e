"""What kind of function it is that is called for somebody."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any


def is_async(fn: Any, what: str) -> bool:
    """Whether its call is awaited. Raises TypeError, with `what` in its words, for what cannot be wrapped."""
    if not callable(fn):
        hint = f"; put {what} below @{type(fn).__name__}" if isinstance(fn, classmethod | property) else ""
        raise TypeError(f"{what} wraps a function, not {fn!r}{hint}")
    for each in (_bare(fn), type(fn).__call__):
        if inspect.isgeneratorfunction(each) or inspect.isasyncgenfunction(each):
            raise TypeError(
                f"{what} cannot wrap the generator {name_of(fn)}: its call has succeeded before its first value is"
                f" made; wrap the function that makes one value, or the one that uses them all"
            )
        if inspect.iscoroutinefunction(each):
            return True
    return False


def name_of(fn: Callable[..., Any]) -> str:
    """As it is written in its module; of a partial or an object that is called, of what is behind it."""
    bare = _bare(fn)
    return str(getattr(bare, "__qualname__", type(bare).__qualname__)).replace("<locals>.", "")


def _bare(fn: Any) -> Any:
    while isinstance(fn, functools.partial):
        fn = fn.func
    return fn
