"""Graceful degradation: when the first way fails, a second one, and a report that says so."""

from __future__ import annotations

import inspect
import os
import threading
import time
import weakref
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

from logmedic.client import requestid
from logmedic.client.calls import telling
from logmedic.client.calls.causes import Causes, named
from logmedic.client.calls.wrapped import is_async

if TYPE_CHECKING:
    from logmedic.client.client import Client

P = ParamSpec("P")
R = TypeVar("R")
EVERY_S = 10.0
"""A feature that is degraded for each of a thousand requests a second is one piece of news."""


def fallback(
    primary: Callable[P, R],
    fallback: Callable[P, R],
    *,
    feature: str,
    component: str = "",
    on: Causes = Exception,
    client: Client | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Callable[P, R]:
    """`primary`, and when that raises what `on` names, `fallback` with the same arguments (sync, or async like
    `primary`). What `fallback` raises comes through, with the first error as its context.

    The first use of the fallback is reported at once, later ones every 10 seconds with their number. Raises TypeError
    for generators, and for an async fallback of a sync function."""
    awaited, awaits = is_async(primary, "fallback"), is_async(fallback, "fallback")
    if awaits and not awaited:
        raise TypeError(f"fallback of the feature {feature}: an async fallback needs an async primary")
    counted = named(on)
    degradation = _Degradation(feature, component, client, clock)

    @wraps(primary)
    def degrading(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return primary(*args, **kwargs)
        except counted.types as error:
            if not counted.has(error):
                raise
            degradation.happened(error)
            return fallback(*args, **kwargs)

    @wraps(primary)
    async def degrading_async(*args: P.args, **kwargs: P.kwargs) -> Any:
        try:
            return await cast(Any, primary)(*args, **kwargs)
        except counted.types as error:
            if not counted.has(error):
                raise
            degradation.happened(error)
            second: Any = fallback(*args, **kwargs)
            return await second if inspect.isawaitable(second) else second

    return cast(Callable[P, R], degrading_async) if awaited else degrading


class _Degradation:
    """Of one feature. All threads count together."""

    def __init__(self, feature: str, component: str, client: Client | None, clock: Callable[[], float]) -> None:
        self._feature = feature
        self._component = component
        self._client = client
        self._clock = clock
        self._lock = threading.RLock()  # reentrant: a signal's handler, or a destructor, may fall back meanwhile
        self._uses = 0
        self._next = -float("inf")
        _ALL.add(self)

    def happened(self, error: BaseException) -> None:
        with self._lock:
            self._uses += 1
            now = self._clock()
            if now < self._next:
                return
            uses, self._uses, self._next = self._uses, 0, now + EVERY_S
        telling.report(
            self._client,
            error,
            kind="graceful_degradation",
            component=self._component,
            impact="low",
            request_id=requestid.current(),
            name=self._feature,
            context={"uses": str(uses)},
        )

    def forked(self) -> None:
        """In the child: the lock may be held by a thread that is not there."""
        self._lock = threading.RLock()


_ALL: weakref.WeakSet[_Degradation] = weakref.WeakSet()


def _after_fork() -> None:
    for each in list(_ALL):
        each.forked()


os.register_at_fork(after_in_child=_after_fork)
