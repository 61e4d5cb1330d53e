"""Which exceptions a retry, a breaker or a fallback is about: a type, several, or a question."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

Causes = type[BaseException] | tuple[type[BaseException], ...] | Callable[[BaseException], bool]


@dataclass(frozen=True, slots=True)
class Named:
    """`types`: what an `except` has to catch to see them all. `_asks`: None where the types say it already."""

    types: tuple[type[BaseException], ...]
    _asks: Callable[[BaseException], bool] | None

    def has(self, error: BaseException) -> bool:
        """Never one that ends a task or the program (asyncio.CancelledError, GeneratorExit, KeyboardInterrupt,
        SystemExit: none of them is an Exception). What the question raises comes through."""
        if not isinstance(error, Exception):
            return False
        return isinstance(error, self.types) if self._asks is None else bool(self._asks(error))


def named(on: Causes) -> Named:
    """Raises TypeError for what names no exceptions."""
    each = on if isinstance(on, tuple) else (on,)
    if each and all(isinstance(one, type) and issubclass(one, BaseException) for one in each):
        return Named(each, None)  # type: ignore[arg-type]
    if callable(on) and not isinstance(on, type):
        return Named((Exception,), on)
    raise TypeError(f"on={on!r} names no exceptions; say a type, a tuple of types, or a function of the exception")
