"""The circuit breaker of calls: core.breaker's state machine, under a lock, in front of a dependency.

    payments = CircuitBreaker("payments", on=(ConnectionError, TimeoutError))

    @payments
    def charge(order: Order) -> Receipt: ...

What counts as a failure is what `on` names. Any other exception says nothing of the dependency: it leaves the failures
in a row as they are, and a trial that ends so (cancelled, for one) is given back for the next call. A trial lasts as
long as its call does, so give your calls timeouts. Generators are refused."""

from __future__ import annotations

import os
import sys
import threading
import time
import weakref
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import wraps
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

from logmedic.client.calls.breakernews import BreakerNews
from logmedic.client.calls.causes import Causes, named
from logmedic.client.calls.entered import Entered
from logmedic.client.calls.wrapped import is_async
from logmedic.core import breaker as machine
from logmedic.model.circuit import BreakerSpec, BreakerStatus, Circuit

if TYPE_CHECKING:
    from logmedic.client.client import Client

P = ParamSpec("P")
R = TypeVar("R")
EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
"""Where the clock's 0 is put; any moment would do, as only differences are looked at."""
LONGEST_S = 30 * 86_400.0
TRIAL_S = 1.0
"""`retry_after` while a trial is under way: how it ends is known soon, and when nobody can say."""


class CircuitOpen(Exception):
    """The call was not made. `retry_after`: seconds until a trial is due."""

    def __init__(self, name: str, retry_after: float) -> None:
        super().__init__(name, retry_after)
        self.name = name
        self.retry_after = retry_after

    def __str__(self) -> str:
        return f"the circuit breaker {self.name} is open; try again in {self.retry_after:.1f} s"


class CircuitBreaker:
    """Opens after `failure_threshold` failures in a row; `timeout` seconds later one call at a time is let through as a
    trial, and `success_threshold` of them that work, in a row, close it; one that fails opens it again at once.

    A decorator for functions, sync and async; `with` and `async with`; `call` and `call_async`. All threads and tasks
    of the process share it. A call that began before the breaker opened or closed changes nothing when it ends.
    `clock`: seconds, never backwards. `shared`: through the daemon with the breakers of the same name of all processes
    of this user on this host: they open together, and the first that closes closes all.

    Raises CircuitOpen in place of a call that is not let through."""

    def __init__(
        self,
        name: str,
        *,
        failure_threshold: int = 5,
        success_threshold: int = 2,
        timeout: float = 60.0,
        on: Causes = Exception,
        shared: bool = False,
        component: str = "",
        client: Client | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if not name or failure_threshold < 1 or success_threshold < 1:
            raise ValueError(f"a breaker has a name, and thresholds of 1 or more (of {name!r})")
        if not 0 < timeout <= LONGEST_S:
            raise ValueError(
                f"timeout={timeout!r} of the breaker {name} is not above 0, at most {LONGEST_S:.0f} seconds"
            )
        lasts = timedelta(seconds=timeout)
        self.name = name
        self._spec = BreakerSpec(failure_threshold, lasts, success_threshold, factor=1.0, open_max=lasts)
        self._timeout = timeout
        self._counted = named(on)
        self._news = BreakerNews(name, component, client, shared, timeout)
        self._clock = clock
        # Reentrant: a coroutine that is collected while its thread holds the lock gives its trial back.
        self._lock = threading.RLock()
        self._circuit = Circuit()
        self._turn = 0  # of the state: what began in an earlier one says nothing of this one
        self._followed = not shared
        self._calm = not shared  # closed without a failure, and followed: a call needs no lock
        self._entered = Entered()
        _ALL.add(self)

    @property
    def state(self) -> BreakerStatus:
        """An open one stays open until a call comes after its time."""
        return self._circuit.status

    def __call__(self, fn: Callable[P, R]) -> Callable[P, R]:
        """Raises TypeError for generators."""
        if is_async(fn, f"the breaker {self.name}"):
            return cast(Callable[P, R], wraps(fn)(self._around_async(cast(Callable[P, Awaitable[Any]], fn))))
        return wraps(fn)(self._around(fn))

    def call(self, fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        return self._around(fn)(*args, **kwargs)

    def call_async(self, fn: Callable[P, Awaitable[R]], /, *args: P.args, **kwargs: P.kwargs) -> Coroutine[Any, Any, R]:
        return self._around_async(fn)(*args, **kwargs)

    def _around(self, fn: Callable[P, R]) -> Callable[P, R]:
        def broken(*args: P.args, **kwargs: P.kwargs) -> R:
            turn = self._turn  # read first: when the breaker opens in between, this call is of the time before
            if not self._calm:
                turn = self._admitted()
            try:
                result = fn(*args, **kwargs)
            except BaseException as error:
                self._failed(turn, error)
                raise
            if not self._calm:
                self._worked(turn)
            return result

        return broken

    def _around_async(self, fn: Callable[P, Awaitable[R]]) -> Callable[P, Coroutine[Any, Any, R]]:
        async def broken(*args: P.args, **kwargs: P.kwargs) -> R:
            turn = self._turn
            if not self._calm:
                turn = self._admitted()
            try:
                result = await fn(*args, **kwargs)
            except BaseException as error:
                self._failed(turn, error)
                raise
            if not self._calm:
                self._worked(turn)
            return result

        return broken

    def __enter__(self) -> CircuitBreaker:
        self._entered.enter(sys._getframe(1), self._admitted())
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._left(sys._getframe(1), error)

    async def __aenter__(self) -> CircuitBreaker:
        self._entered.enter(sys._getframe(1), self._admitted())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self._left(sys._getframe(1), error)

    def reset(self) -> None:
        """Closed, as if it had never failed: somebody knows better. Calls under way change nothing when they end."""
        with self._lock:
            was_open = self._circuit.status is not BreakerStatus.CLOSED
            self._put(machine.reset(self._circuit, self._now()))
            self._turn += 1
        if was_open:
            self._news.closed("it was reset")

    def _left(self, frame: FrameType, error: BaseException | None) -> None:
        turn = self._entered.leave(frame)
        if turn is None:
            return
        if error is None:
            self._worked(turn)
        else:
            self._failed(turn, error)

    def _admitted(self) -> int:
        """The turn that a call belongs to, which may be made. A trial has one of its own."""
        if not self._followed:
            self._follow()
        with self._lock:
            now = self._now()
            if not machine.allows(self._circuit, now):
                raise CircuitOpen(self.name, self._due_in(now))
            if self._circuit.status is not BreakerStatus.CLOSED:
                self._put(machine.on_start(self._circuit))
                self._turn += 1
            return self._turn

    def _worked(self, turn: int) -> None:
        with self._lock:
            if turn != self._turn:
                return
            was_open = self._circuit.status is not BreakerStatus.CLOSED
            self._put(machine.on_success(self._circuit, self._spec, self._now()))
            closed = was_open and self._circuit.status is BreakerStatus.CLOSED
        if closed:
            self._news.closed(f"{self._spec.successes} in a row worked")

    def _failed(self, turn: int, error: BaseException) -> None:
        counts = False
        try:
            counts = self._counted.has(error)
        finally:
            opened = self._ended_badly(turn, counts)
        if opened:
            self._news.opened(error)

    def _ended_badly(self, turn: int, counts: bool) -> bool:
        """Whether it opened because of that."""
        with self._lock:
            if turn != self._turn:
                return False
            if not counts:
                self._put(machine.on_abandoned(self._circuit, self._now()))
                return False
            self._put(machine.on_failure(self._circuit, self._spec, self._now()))
            return self._circuit.status is BreakerStatus.OPEN

    def _put(self, circuit: Circuit) -> None:
        """The lock is held."""
        if circuit.status is not self._circuit.status:
            self._turn += 1
        self._circuit = circuit
        self._calm = self._followed and circuit.status is BreakerStatus.CLOSED and not circuit.failures

    def _follow(self) -> None:
        """At the first call, as that starts a thread."""
        with self._lock:
            if self._followed:
                return
            self._followed = True
            self._put(self._circuit)
        self._news.follow(self)

    def told(self, state: str, seconds: float) -> None:
        """What another process says, in the thread that hears it; it is not passed on. A trial of our own that is under
        way knows better than another's that failed. Nobody keeps us open for longer than we would ourselves."""
        with self._lock:
            now, circuit = self._now(), self._circuit
            if state == "closed" and circuit.status is not BreakerStatus.CLOSED:
                self._put(machine.reset(circuit, now))
            elif state == "open" and seconds > 0 and not circuit.trial:
                until = now + timedelta(seconds=min(seconds, self._timeout))
                began = circuit.opened_at or now
                opened = replace(circuit, status=BreakerStatus.OPEN, opened_at=began, open_until=until)
                self._put(replace(opened, failures=0, successes=0, closed_at=None))

    def _due_in(self, now: datetime) -> float:
        until = self._circuit.open_until
        if self._circuit.status is BreakerStatus.HALF_OPEN or until is None:
            return TRIAL_S
        return max(0.0, (until - now).total_seconds())

    def _now(self) -> datetime:
        return EPOCH + timedelta(seconds=self._clock())

    def _forked(self) -> None:
        """In the child, which has one thread: a lock may be held by one that is not there, and so may the trial."""
        self._lock = threading.RLock()
        self._put(machine.on_abandoned(self._circuit, self._now()))


_ALL: weakref.WeakSet[CircuitBreaker] = weakref.WeakSet()


def _after_fork() -> None:
    for each in list(_ALL):
        each._forked()


os.register_at_fork(after_in_child=_after_fork)
