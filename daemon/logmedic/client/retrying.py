"""Try again, with exponential waits and jitter.

    @retry(on=(ConnectionError, TimeoutError))
    def fetch(order: str) -> bytes: ...

The first call is a plain call. When it fails, stamina goes on with it as its first attempt; what stamina is told
(`set_active`, `set_testing`) holds here too, and its hooks, which log each retry, are called, but are not shown the
arguments of the call."""

from __future__ import annotations

import math
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from functools import wraps
from types import TracebackType
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

from logmedic.client.breaker import CircuitOpen
from logmedic.client.calls import layers
from logmedic.client.calls.causes import Causes, Named, named
from logmedic.client.calls.wrapped import is_async, name_of

if TYPE_CHECKING:
    from logmedic.client.client import Client, Impact

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Backoff:
    """The wait after the n-th attempt: base * factor ** (n - 1) seconds plus 0 to `jitter`, at most `cap` in all.
    `timeout`: once so many seconds have passed since the call began, a failure is final; no call is cut off."""

    attempts: int
    base: float
    cap: float
    factor: float
    jitter: float
    timeout: float | None

    def __post_init__(self) -> None:
        if self.attempts < 1:
            raise ValueError(f"attempts={self.attempts!r} is not 1 or more")
        for name in ("base", "cap", "factor", "jitter"):
            value = getattr(self, name)
            if not 0 <= value < math.inf:
                raise ValueError(f"{name}={value!r} is not a number of 0 or more")
        if self.timeout is not None and not 0 < self.timeout < math.inf:
            raise ValueError(f"timeout={self.timeout!r} is not above 0; leave it out for none")

    @property
    def words(self) -> str:
        wait = f"exponential from {self.base:g} s by {self.factor:g} to {self.cap:g} s, jitter {self.jitter:g} s"
        limit = "" if self.timeout is None else f", within {self.timeout:g} s"
        return f"{wait}, {self.attempts} attempts{limit}"


class Retry:
    """A decorator for functions, sync and async; `call` and `call_async` for a call alone. The final failure is
    reported once and raised as it is, with its own traceback. What `on` does not name comes through at once."""

    def __init__(
        self,
        named: Named,
        backoff: Backoff,
        *,
        component: str = "",
        action: str = "",
        impact: Impact = "medium",
        client: Client | None = None,
    ) -> None:
        self._named = named
        self._caught = named.types
        self._backoff = backoff
        self._timed = backoff.timeout is not None
        self._action = action
        self._client = client
        self._facts = {"component": component, "impact": impact, "strategy": backoff.words}

    def __call__(self, fn: Callable[P, R]) -> Callable[P, R]:
        """Raises TypeError for generators."""
        if is_async(fn, "retry"):
            return cast(Callable[P, R], wraps(fn)(self._around_async(cast(Callable[P, Awaitable[Any]], fn))))
        return wraps(fn)(self._around(fn))

    def call(self, fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        return self._around(fn)(*args, **kwargs)

    def call_async(self, fn: Callable[P, Awaitable[R]], /, *args: P.args, **kwargs: P.kwargs) -> Coroutine[Any, Any, R]:
        return self._around_async(fn)(*args, **kwargs)

    def _around(self, fn: Callable[P, R]) -> Callable[P, R]:
        def retried(*args: P.args, **kwargs: P.kwargs) -> R:
            began = time.monotonic() if self._timed else 0.0
            try:
                return fn(*args, **kwargs)
            except self._caught as error:
                if not self._goes_on(error):
                    raise
                tries = _Tries(error)
            # Out here, so that a later error has no other behind it.
            return cast(R, self._again(tries, began, fn, args, kwargs))

        return retried

    def _around_async(self, fn: Callable[P, Awaitable[R]]) -> Callable[P, Coroutine[Any, Any, R]]:
        async def retried(*args: P.args, **kwargs: P.kwargs) -> R:
            began = time.monotonic() if self._timed else 0.0
            try:
                return await fn(*args, **kwargs)
            except self._caught as error:
                if not self._goes_on(error):
                    raise
                tries = _Tries(error)
            return cast(R, await self._again_async(tries, began, fn, args, kwargs))

        return retried

    def _goes_on(self, error: BaseException) -> bool:
        """Not with an open breaker, which would only be asked again before its time."""
        return self._named.has(error) and not isinstance(error, CircuitOpen)

    def _again(self, tries: _Tries, began: float, fn: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        @wraps(fn)
        def resumed() -> Any:
            tries.begin()
            try:
                return fn(*args, **kwargs)
            except BaseException as error:
                tries.failed(error)
                raise

        try:
            return self._loop(tries, began)(resumed)()
        except self._caught as error:
            self._finally(tries, error, fn)
            # Without stamina's frames; by way of the base, as not every exception lets its attributes be set.
            BaseException.with_traceback(error, tries.traceback)
            raise

    async def _again_async(self, tries: _Tries, began: float, fn: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        @wraps(fn)
        async def resumed() -> Any:
            tries.begin()
            try:
                return await fn(*args, **kwargs)
            except BaseException as error:
                tries.failed(error)
                raise

        try:
            return await self._loop(tries, began)(resumed)()
        except self._caught as error:
            self._finally(tries, error, fn)
            BaseException.with_traceback(error, tries.traceback)
            raise

    def _loop(self, tries: _Tries, began: float) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """stamina's, for what is left of the time. It is loaded here: most processes never need it, and the 60 ms of it
        and tenacity are a start-up's worth."""
        backoff, left = self._backoff, None
        if backoff.timeout is not None:
            left = backoff.timeout - (time.monotonic() - began)
        if backoff.attempts == 1 or (left is not None and left <= 0):
            return _once
        try:
            import stamina
        except (ImportError, OSError):  # no descriptors left, for one: the error that is there says more
            return _once
        return stamina.retry(
            on=lambda error: tries.goes_on(error, self._goes_on),
            attempts=backoff.attempts,
            timeout=left,
            wait_initial=backoff.base,
            wait_max=backoff.cap,
            wait_exp_base=backoff.factor,
            wait_jitter=backoff.jitter,
        )

    def _finally(self, tries: _Tries, error: BaseException, fn: Callable[..., Any]) -> None:
        if tries.named:
            action = self._action or name_of(fn)
            layers.report_once(self._client, error, action=action, attempts=tries.made, **self._facts)


class _Tries:
    """The attempts of one call. The first failure is there already: it is raised in place of the first call.

    `named`: the last failure is one that is tried again. `traceback`: of the last failure, as it left the function."""

    __slots__ = ("_first", "_pending", "made", "named", "traceback")

    def __init__(self, first: BaseException) -> None:
        self._first = first
        self._pending = True
        self.made = 1
        self.named = True
        self.traceback: TracebackType | None = first.__traceback__

    def begin(self) -> None:
        if self._pending:
            self._pending = False
            raise self._first
        self.made += 1

    def failed(self, error: BaseException) -> None:
        self.traceback = error.__traceback__

    def goes_on(self, error: BaseException, asks: Callable[[BaseException], bool]) -> bool:
        if self.made > 1:  # of the first one it was asked before
            self.named = asks(error)
        return self.named


def _once(resumed: Callable[..., Any]) -> Callable[..., Any]:
    return resumed


def retry(
    on: Causes,
    *,
    attempts: int = 3,
    base: float = 1.0,
    cap: float = 10.0,
    factor: float = 2.0,
    jitter: float = 1.0,
    timeout: float | None = None,
    component: str = "",
    action: str = "",
    impact: Impact = "medium",
    client: Client | None = None,
) -> Retry:
    """`on`: which exceptions are worth another attempt, always said; never CircuitOpen, nor what ends a task or the
    program. `attempts`: the first one included. Seconds all; `Backoff` has their meaning. `action`: in the report, the
    function's name by default. Raises ValueError, TypeError for what makes no sense."""
    backoff = Backoff(attempts, base, cap, factor, jitter, timeout)
    return Retry(named(on), backoff, component=component, action=action, impact=impact, client=client)
