"""Layers of protection around one call, and one report of one error.

A retry reports its final failure, a logging.Handler what is logged. Inside of a wrapper that asks the daemon about the
error they leave that to the wrapper, which says the same and asks in one report; an error that does not get that far is
reported when the wrapper is left, or when the next one is left to it. Whoever has reported an error marks it."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import suppress
from contextvars import ContextVar, Token
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any

from logmedic.client import requestid
from logmedic.client.calls import telling

if TYPE_CHECKING:
    from logmedic.client.client import Client

_LAYER: ContextVar[Layer | None] = ContextVar("logmedic_layer", default=None)


@dataclass(frozen=True, slots=True)
class Left:
    """A report that is not sent yet. `facts`: keywords of Client.report."""

    error: BaseException
    client: Client | None
    facts: Mapping[str, Any]


class Layer:
    """Around one call whose error will be asked about, inside of the same context (the request's id is bound before).
    Threads and tasks that inherited the context leave their failures here as well; to one that has been left nothing is
    left any more."""

    __slots__ = ("_left", "_lock", "_over", "_token")

    def __init__(self) -> None:
        self._lock = threading.RLock()  # reentrant: what is collected meanwhile may log an error
        self._left: Left | None = None
        self._over = False
        self._token: Token[Layer | None] | None = None

    def __enter__(self) -> Layer:
        self._token = _LAYER.set(self)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if self._token is not None:
            with suppress(ValueError):  # a coroutine that is thrown away may end in another context
                _LAYER.reset(self._token)
        with self._lock:
            self._over = True
            left, self._left = self._left, None
        if left is not None:
            _send(left)

    def leave(self, left: Left) -> None:
        """Of one error, several may know something: a retry its attempts, a logging.Handler its words."""
        with self._lock:
            out = left if self._over else self._keep(left)
        if out is not None:
            _send(out)

    def take(self, error: BaseException) -> Mapping[str, Any]:
        """What an inner layer knew of `error`; nothing of any other."""
        with self._lock:
            left = self._left
            if left is None or left.error is not error:
                return {}
            self._left = None
        return left.facts

    def _keep(self, left: Left) -> Left | None:
        """The one that has to go instead. The lock is held."""
        before, self._left = self._left, left
        if before is not None and before.error is left.error:
            self._left = Left(left.error, left.client, {**before.facts, **left.facts})
            return None
        return before


def taken(error: BaseException) -> Mapping[str, Any]:
    """What inner layers knew of `error`; from now on it is the caller's to report."""
    layer = _LAYER.get()
    return {} if layer is None else layer.take(error)


def report_once(client: Client | None, error: BaseException, **facts: Any) -> None:
    """Report `error`, or leave it to the layer around, unless it has been reported in this request. Never raises.
    `client`: None for the process's default."""
    request_id = facts.setdefault("request_id", requestid.current())
    if telling.reported(error, request_id):
        return
    layer = _LAYER.get()
    left = Left(error, client, facts)
    if layer is None:
        _send(left)
    else:
        layer.leave(left)


def _send(left: Left) -> None:
    telling.mark(left.error, telling.report(left.client, left.error, **left.facts), left.facts.get("request_id", ""))
