"""On an error: report it, ask the daemon whether a fix for it is armed, wait for its verified outcome, and run the call
once more where that was declared safe. Else the error is raised, as it is."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

from logmedic.client import requestid
from logmedic.client.answers import Answer, State
from logmedic.client.breaker import CircuitOpen
from logmedic.client.calls import telling
from logmedic.client.calls.layers import Layer, taken
from logmedic.client.calls.wrapped import is_async, name_of

if TYPE_CHECKING:
    from logmedic.client.breaker import CircuitBreaker
    from logmedic.client.client import Client, Impact
    from logmedic.client.retrying import Retry

P = ParamSpec("P")
R = TypeVar("R")
SOON_S = 1
UNDER_WAY_S = 5
LATER_S = 30
"""Seconds after which it makes sense to come back: mended; being mended; nobody is at it."""
LONGEST_S = 600.0
"""The daemon refuses longer waits."""


@dataclass(frozen=True, slots=True)
class Failure:
    """What to do about an error. `repeat`: run the call once more. `retry_after`: seconds, at least 1, for those who
    are sent away. `handled_before`: it is not counted or asked about again: an inner layer has reported it, or a
    breaker rejected the call. `report_id`: empty where nothing was reported."""

    request_id: str
    report_id: str
    answer: Answer
    repeat: bool
    retry_after: int
    handled_before: bool


class Healing:
    """What the decorator and the middleware share. `failed` and `failed_async` never raise (but for a cancel), and are
    asked inside of the `Layer` that was around the call, so that its report is one with a retry's.

    `wait`: seconds that an answer may take, at most 600; without `auto_fix` nobody is asked."""

    def __init__(
        self,
        component: str,
        *,
        auto_fix: bool = True,
        wait: float = 10.0,
        impact: Impact = "medium",
        environment: str = "",
        client: Client | None = None,
    ) -> None:
        if not 0 <= wait <= LONGEST_S:
            raise ValueError(f"wait={wait!r} is not 0 to {LONGEST_S:.0f} seconds")
        self._client = client
        self._wait = wait if auto_fix else 0.0
        self._facts = {"component": component, "impact": impact, "environment": environment}

    def failed(self, error: BaseException, *, action: str, request_id: str, may_repeat: bool) -> Failure:
        """Blocks for `wait` at most, and for longer than about a second only while a fix is under way. In a thread that
        runs an event loop nobody is asked."""
        known = self._known(error, request_id)
        if known is not None:
            return known
        facts = self._told(error, action, request_id)
        if not self._wait or _on_a_loop():
            return self._only_reported(error, facts)
        answer = telling.ask(self._client, error, wait=self._wait, **facts)
        return self._asked(error, answer, request_id, may_repeat)

    async def failed_async(self, error: BaseException, *, action: str, request_id: str, may_repeat: bool) -> Failure:
        """A cancel takes the question back."""
        known = self._known(error, request_id)
        if known is not None:
            return known
        facts = self._told(error, action, request_id)
        if not self._wait:
            return self._only_reported(error, facts)
        answer = await telling.ask_async(self._client, error, wait=self._wait, **facts)
        return self._asked(error, answer, request_id, may_repeat)

    def _known(self, error: BaseException, request_id: str) -> Failure | None:
        """Where there is nothing to report: an open breaker was reported when it opened, and rejects at once; what ends
        a task or the program is no error."""
        if isinstance(error, CircuitOpen):
            return Failure(request_id, "", telling.AWAY, False, max(SOON_S, math.ceil(error.retry_after)), True)
        if not isinstance(error, Exception):
            return Failure(request_id, "", telling.AWAY, False, LATER_S, False)
        mark = telling.reported(error, request_id)
        if mark is None:
            return None
        answer = mark.answer or replace(telling.AWAY, report_id=mark.report_id)
        return Failure(request_id, mark.report_id, answer, False, _retry_after(answer), True)

    def _told(self, error: BaseException, action: str, request_id: str) -> dict[str, Any]:
        """What inner layers know beside our own facts, which say where it happened."""
        inner = {key: value for key, value in taken(error).items() if key in ("attempts", "strategy", "context")}
        return {**inner, **self._facts, "action": action, "request_id": request_id}

    def _only_reported(self, error: BaseException, facts: dict[str, Any]) -> Failure:
        report_id, request_id = telling.report(self._client, error, **facts), facts["request_id"]
        telling.mark(error, report_id, request_id)
        return Failure(request_id, report_id, replace(telling.AWAY, report_id=report_id), False, LATER_S, False)

    def _asked(self, error: BaseException, answer: Answer, request_id: str, may_repeat: bool) -> Failure:
        telling.mark(error, answer.report_id, request_id, answer)
        repeat = may_repeat and answer.fixed
        return Failure(request_id, answer.report_id, answer, repeat, _retry_after(answer), False)


def _retry_after(answer: Answer) -> int:
    if answer.fixed:
        return SOON_S
    return UNDER_WAY_S if answer.state in (State.FIXING, State.LATE, State.UNPROVEN) else LATER_S


@dataclass(frozen=True, slots=True)
class _Wrapper:
    """`asking`: about the first error. `telling`: of the second, after which nothing is asked or repeated."""

    asking: Healing
    telling: Healing
    repeat: bool
    action: str

    def call(self, fn: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        with requestid.bound(requestid.current() or requestid.new()) as request_id, Layer():
            try:
                return fn(*args, **kwargs)
            except Exception as error:
                failed = self.asking.failed(error, action=self.action, request_id=request_id, may_repeat=self.repeat)
                if not failed.repeat:
                    raise
            try:
                return fn(*args, **kwargs)
            except Exception as error:
                self.telling.failed(error, action=self.action, request_id=request_id, may_repeat=False)
                raise

    async def call_async(self, fn: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        with requestid.bound(requestid.current() or requestid.new()) as request_id, Layer():
            try:
                return await fn(*args, **kwargs)
            except Exception as error:
                failed = await self.asking.failed_async(
                    error, action=self.action, request_id=request_id, may_repeat=self.repeat
                )
                if not failed.repeat:
                    raise
            try:
                return await fn(*args, **kwargs)
            except Exception as error:
                await self.telling.failed_async(error, action=self.action, request_id=request_id, may_repeat=False)
                raise


def self_healing(
    component: str,
    *,
    retry: Retry | None = None,
    breaker: CircuitBreaker | None = None,
    auto_fix: bool = True,
    wait: float = 10.0,
    repeat: bool = False,
    action: str = "",
    impact: Impact = "medium",
    environment: str = "",
    client: Client | None = None,
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """A decorator for functions, sync and async. Inside of it is `retry`, and inside of that `breaker`.

    `repeat`: it is safe to run the call once more after it failed. `wait`: seconds for a fix at most. `action`: the
    function's name by default. A call outside of any request gets a request id of its own while it runs. Raises
    TypeError for generators, and without a component."""
    if not isinstance(component, str):
        raise TypeError('self_healing needs a component: @self_healing("shop")')
    asking = Healing(component, auto_fix=auto_fix, wait=wait, impact=impact, environment=environment, client=client)
    only_telling = Healing(component, auto_fix=False, impact=impact, environment=environment, client=client)

    def decorate(fn: Callable[P, R]) -> Callable[P, R]:
        awaited = is_async(fn, "self_healing")
        inner = fn if breaker is None else breaker(fn)
        inner = inner if retry is None else retry(inner)
        wrapper = _Wrapper(asking, only_telling, repeat, action or name_of(fn))

        @wraps(fn)
        def healed(*args: P.args, **kwargs: P.kwargs) -> R:
            return cast(R, wrapper.call(inner, args, kwargs))

        @wraps(fn)
        async def healed_async(*args: P.args, **kwargs: P.kwargs) -> Any:
            return await wrapper.call_async(inner, args, kwargs)

        return cast(Callable[P, R], healed_async) if awaited else healed

    return decorate


def _on_a_loop() -> bool:
    """Whether this thread runs an event loop, which nobody may keep waiting."""
    events = sys.modules.get("asyncio.events")
    return events is not None and events._get_running_loop() is not None
