"""CircuitBreaker beside a model of it, whatever calls begin and end in whatever order.

The model is written from the words of its docstring, in whole seconds and plain names, with no part of its code."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, precondition, rule

from fakes.recording_client import RecordingClient
from logmedic.client.breaker import CircuitBreaker, CircuitOpen

TIMEOUT = 10


class Down(Exception):
    pass


class Refused(Exception):
    pass


NO_VERDICT = (Refused, asyncio.CancelledError, KeyboardInterrupt, GeneratorExit)


@dataclass(eq=False)
class Call:
    """One under way: `coro` waits for its end."""

    coro: Any
    epoch: int


class Turn:
    def __await__(self) -> Iterator[None]:
        yield


async def work() -> None:
    await Turn()


class BreakerBesideItsModel(RuleBasedStateMachine):
    """`epoch`: counts the times that it opened, closed or was reset."""

    calls = Bundle("calls")

    @initialize(failures=st.integers(1, 4), successes=st.integers(1, 3))
    def begin(self, failures: int, successes: int) -> None:
        self.now = 0
        self.most_failures, self.wanted_successes = failures, successes
        self.state, self.failures, self.successes = "closed", 0, 0
        self.due, self.epoch = 0, 0
        self.trial: Call | None = None
        self.told: list[tuple[str, str]] = []
        self.client = RecordingClient()
        self.breaker = CircuitBreaker(
            "model",
            failure_threshold=failures,
            success_threshold=successes,
            timeout=TIMEOUT,
            on=Down,
            shared=True,
            client=self.client.real,
            clock=lambda: float(self.now),
        )

    @rule(target=calls)
    def start(self) -> Any:
        coro = self.breaker.call_async(work)
        if self._lets_through():
            coro.send(None)
            call = Call(coro, self.epoch)
            if self.state != "closed":
                self.state, self.trial = "half_open", call
            return call
        expected = 1.0 if self.state == "half_open" else float(max(0, self.due - self.now))
        with pytest.raises(CircuitOpen) as caught:
            coro.send(None)
        assert caught.value.retry_after == expected
        return None

    @rule(call=consumes(calls))
    def works(self, call: Call | None) -> None:
        if call is None:
            return
        with pytest.raises(StopIteration):
            call.coro.send(None)
        if call is self.trial:
            self.trial = None
            self.successes += 1
            if self.successes >= self.wanted_successes:
                self._close("circuit_breaker_closed")
        elif self._of_now(call):
            self.failures = 0

    @rule(call=consumes(calls))
    def fails(self, call: Call | None) -> None:
        if call is None:
            return
        with pytest.raises(Down):
            call.coro.throw(Down())
        if call is self.trial:
            self._open("circuit_breaker_open")
        elif self._of_now(call):
            self.failures += 1
            if self.failures >= self.most_failures:
                self._open("circuit_breaker_open")

    @rule(
        call=consumes(calls), how=st.sampled_from([Refused, asyncio.CancelledError, KeyboardInterrupt, GeneratorExit])
    )
    def ends_without_a_verdict(self, call: Call | None, how: type[BaseException]) -> None:
        if call is None:
            return
        if how is GeneratorExit:
            call.coro.close()
        else:
            with pytest.raises(how):
                call.coro.throw(how())
        if call is self.trial:
            self.trial, self.state, self.due = None, "open", self.now

    @rule(seconds=st.integers(1, TIMEOUT + 2))
    def time_passes(self, seconds: int) -> None:
        self.now += seconds

    @precondition(lambda self: self.client.followed)
    @rule(seconds=st.integers(-1, 3 * TIMEOUT))
    def another_opened(self, seconds: int) -> None:
        self.breaker.told("open", float(seconds))
        if seconds > 0 and self.trial is None:
            self._open("", min(seconds, TIMEOUT))

    @precondition(lambda self: self.client.followed)
    @rule()
    def another_closed(self) -> None:
        self.breaker.told("closed", 0.0)
        if self.state != "closed":
            self._close("")

    @rule()
    def is_reset(self) -> None:
        self.breaker.reset()
        if self.state != "closed":
            self._close("circuit_breaker_closed")
        self.failures = 0
        self.epoch += 1

    @invariant()
    def they_agree(self) -> None:
        if hasattr(self, "breaker"):
            assert self.breaker.state == self.state
            assert self.client.kinds == [kind for kind, _ in self.told]
            assert [state for _, state, _ in self.client.shared] == [state for _, state in self.told]

    def teardown(self) -> None:
        """However it was left: as many trials as it wants close it."""
        self.now += TIMEOUT
        if self.trial is None and hasattr(self, "breaker"):
            for _ in range(self.wanted_successes):
                call = self.breaker.call_async(work)
                call.send(None)
                with pytest.raises(StopIteration):
                    call.send(None)
            assert self.breaker.state == "closed"

    def _lets_through(self) -> bool:
        if self.state == "open":
            return self.now >= self.due
        return self.state == "closed" or self.trial is None

    def _of_now(self, call: Call) -> bool:
        return self.state == "closed" and call.epoch == self.epoch

    def _open(self, told: str, seconds: int = TIMEOUT) -> None:
        self.state, self.due = "open", self.now + seconds
        self._begin_epoch(told, "open")

    def _close(self, told: str) -> None:
        self.state = "closed"
        self._begin_epoch(told, "closed")

    def _begin_epoch(self, told: str, state: str) -> None:
        self.trial, self.failures, self.successes = None, 0, 0
        self.epoch += 1
        if told:
            self.told.append((told, state))


TestBreakerBesideItsModel = BreakerBesideItsModel.TestCase
TestBreakerBesideItsModel.settings = settings(
    deadline=None, max_examples=150, stateful_step_count=40, suppress_health_check=[HealthCheck.too_slow]
)
