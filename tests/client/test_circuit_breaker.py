"""CircuitBreaker: when calls are let through, one trial at a time, and what never leaves it stuck."""

from __future__ import annotations

import asyncio
import copy
import functools
import gc
import inspect
import os
import pickle
import sys
import threading
import warnings
import weakref
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, ExitStack, suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.recording_client import BrokenClient, Host, RecordingClient
from logmedic.client.breaker import CircuitBreaker, CircuitOpen
from logmedic.model.circuit import BreakerStatus

CLOSED, OPEN, HALF_OPEN = BreakerStatus.CLOSED, BreakerStatus.OPEN, BreakerStatus.HALF_OPEN


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Down(Exception):
    pass


class Refused(Exception):
    pass


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def client() -> RecordingClient:
    return RecordingClient()


@pytest.fixture
def breaker(clock: Clock, client: RecordingClient) -> CircuitBreaker:
    """Opens at the second failure for 10 s; two trials close it. `Refused` says nothing of it."""
    return CircuitBreaker(
        "payments", failure_threshold=2, timeout=10.0, on=Down, component="shop", client=client.real, clock=clock
    )


def works() -> str:
    return "done"


def fails() -> str:
    raise Down("down")


def refuses() -> str:
    raise Refused("no")


def by_call(breaker: CircuitBreaker, fn: Callable[[], Any]) -> Any:
    return breaker.call(fn)


def decorated(breaker: CircuitBreaker, fn: Callable[[], Any]) -> Any:
    return breaker(fn)()


def by_with(breaker: CircuitBreaker, fn: Callable[[], Any]) -> Any:
    with breaker:
        return fn()


def by_stack(breaker: CircuitBreaker, fn: Callable[[], Any]) -> Any:
    with ExitStack() as stack:
        stack.enter_context(breaker)
        return fn()


def by_call_async(breaker: CircuitBreaker, fn: Callable[[], Any]) -> Any:
    async def later() -> Any:
        return fn()

    return asyncio.run(breaker.call_async(later))


def decorated_async(breaker: CircuitBreaker, fn: Callable[[], Any]) -> Any:
    @breaker
    async def later() -> Any:
        await asyncio.sleep(0)
        return fn()

    return asyncio.run(later())


def by_async_with(breaker: CircuitBreaker, fn: Callable[[], Any]) -> Any:
    async def later() -> Any:
        async with breaker:
            await asyncio.sleep(0)
            return fn()

    return asyncio.run(later())


def by_async_stack(breaker: CircuitBreaker, fn: Callable[[], Any]) -> Any:
    async def later() -> Any:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(breaker)
            await asyncio.sleep(0)
            return fn()

    return asyncio.run(later())


Way = Callable[[CircuitBreaker, Callable[[], Any]], Any]
WAYS = (by_call, decorated, by_with, by_stack, by_call_async, decorated_async, by_async_with, by_async_stack)
each_way = pytest.mark.parametrize("way", WAYS, ids=lambda each: each.__name__)


def opened(breaker: CircuitBreaker) -> CircuitBreaker:
    for _ in range(2):
        with suppress(Down):
            breaker.call(fails)
    assert breaker.state is OPEN
    return breaker


def stays(breaker: CircuitBreaker, way: Way, fn: Callable[[], Any], error: type[BaseException]) -> None:
    with pytest.raises(error):
        way(breaker, fn)


@each_way
def test_it_opens_at_its_threshold_and_closes_after_two_trials(way: Way, breaker: CircuitBreaker, clock: Clock) -> None:
    stays(breaker, way, fails, Down)
    assert breaker.state is CLOSED
    stays(breaker, way, fails, Down)
    assert breaker.state is OPEN
    clock.now += 9.99
    stays(breaker, way, works, CircuitOpen)
    clock.now += 0.01
    assert way(breaker, works) == "done"
    assert breaker.state is HALF_OPEN
    assert way(breaker, works) == "done"
    assert breaker.state is CLOSED
    stays(breaker, way, fails, Down)
    assert breaker.state is CLOSED  # the failures of before are not counted again


@each_way
def test_a_trial_that_fails_opens_it_at_once_and_for_the_whole_time(
    way: Way, breaker: CircuitBreaker, clock: Clock
) -> None:
    opened(breaker)
    clock.now += 10
    assert way(breaker, works) == "done"
    stays(breaker, way, fails, Down)
    assert breaker.state is OPEN
    clock.now += 9
    stays(breaker, way, works, CircuitOpen)


@each_way
@pytest.mark.parametrize(
    "ends",
    [asyncio.CancelledError, GeneratorExit, KeyboardInterrupt, SystemExit, Refused],
    ids=lambda each: each.__name__,
)
def test_a_trial_without_a_verdict_is_given_back(
    way: Way, ends: type[BaseException], breaker: CircuitBreaker, clock: Clock
) -> None:
    def ending() -> None:
        raise ends

    opened(breaker)
    clock.now += 10
    assert way(breaker, works) == "done"
    stays(breaker, way, ending, ends)
    assert way(breaker, works) == "done"
    assert breaker.state is CLOSED  # the trial before it still counts


@each_way
def test_what_on_does_not_name_is_neither_a_failure_nor_a_success(way: Way, breaker: CircuitBreaker) -> None:
    for fn, error in ((fails, Down), (refuses, Refused), (refuses, Refused)):
        stays(breaker, way, fn, error)
    assert breaker.state is CLOSED
    stays(breaker, way, fails, Down)
    assert breaker.state is OPEN


def test_a_success_between_failures_starts_the_count_anew(breaker: CircuitBreaker) -> None:
    for _ in range(3):
        stays(breaker, by_call, fails, Down)
        breaker.call(works)
    assert breaker.state is CLOSED


def test_the_error_comes_through_as_it_is(breaker: CircuitBreaker) -> None:
    error = Down("down")

    def raises() -> None:
        raise error

    with pytest.raises(Down) as caught:
        breaker.call(raises)
    assert caught.value is error
    assert (error.__context__, error.__cause__) == (None, None)


def test_circuit_open_says_who_and_how_long(breaker: CircuitBreaker, clock: Clock) -> None:
    opened(breaker)
    clock.now += 2.5
    with pytest.raises(CircuitOpen, match=r"the circuit breaker payments is open; try again in 7\.5 s") as caught:
        breaker.call(works)
    assert (caught.value.name, caught.value.retry_after) == ("payments", 7.5)
    for twin in (copy.copy(caught.value), pickle.loads(pickle.dumps(caught.value))):
        assert (type(twin), twin.name, twin.retry_after) == (CircuitOpen, "payments", 7.5)


def test_while_a_trial_is_under_way_it_says_a_second(breaker: CircuitBreaker, clock: Clock) -> None:
    opened(breaker)
    clock.now += 10

    def trial() -> float:
        with pytest.raises(CircuitOpen) as caught:
            breaker.call(works)
        return caught.value.retry_after

    assert breaker.call(trial) == 1.0


def test_a_question_says_what_counts(clock: Clock, client: RecordingClient) -> None:
    breaker = CircuitBreaker(
        "api", failure_threshold=1, on=lambda error: "5" in str(error), client=client.real, clock=clock
    )

    def answers(status: str) -> None:
        raise Down(status)

    with pytest.raises(Down):
        breaker.call(answers, "404")
    assert breaker.state is CLOSED
    with pytest.raises(Down):
        breaker.call(answers, "503")
    assert breaker.state is OPEN


def test_a_question_that_fails_gives_the_trial_back(clock: Clock, client: RecordingClient) -> None:
    def asks(error: BaseException) -> bool:
        return bool(error.args[0])

    breaker = CircuitBreaker("api", failure_threshold=1, on=asks, client=client.real, clock=clock, success_threshold=1)
    with pytest.raises(Down):
        breaker.call(fails)
    clock.now += 60

    def wordless() -> None:
        raise Down

    with pytest.raises(IndexError):
        breaker.call(wordless)
    breaker.call(works)
    assert breaker.state is CLOSED


# What began before


def test_a_success_that_began_before_the_opening_closes_nothing(breaker: CircuitBreaker, clock: Clock) -> None:
    def slow() -> None:
        opened(breaker)

    breaker.call(slow)
    assert breaker.state is OPEN
    clock.now += 10
    breaker.call(works)
    assert breaker.state is HALF_OPEN


def test_failures_that_began_before_the_opening_change_nothing_later(breaker: CircuitBreaker, clock: Clock) -> None:
    late = [running(breaker) for _ in range(5)]
    opened(breaker)
    clock.now += 10
    trial = running(breaker)
    for each in late[:2]:
        fail(each)
    assert breaker.state is HALF_OPEN  # the trial goes on
    stays(breaker, by_call, works, CircuitOpen)
    finish(trial)
    breaker.call(works)
    for each in late[2:]:
        fail(each)
    assert breaker.state is CLOSED


def test_a_trial_that_outlived_a_reset_changes_nothing(breaker: CircuitBreaker, clock: Clock) -> None:
    opened(breaker)
    clock.now += 10
    trial = running(breaker)
    breaker.reset()
    assert breaker.state is CLOSED
    stays(breaker, by_call, fails, Down)
    fail(trial)
    assert breaker.state is CLOSED


class Turn:
    """Awaited, it waits for one `send`."""

    def __await__(self) -> Iterator[None]:
        yield


def running(breaker: CircuitBreaker) -> Any:
    """A call under way, that ends as `finish`, `fail` or `close` says."""
    call = breaker.call_async(_work)
    call.send(None)
    return call


async def _work() -> None:
    await Turn()


def finish(call: Any) -> None:
    with pytest.raises(StopIteration):
        call.send(None)


def fail(call: Any) -> None:
    with pytest.raises(Down):
        call.throw(Down("late"))


# One trial at a time


@pytest.fixture
def restless() -> Iterator[None]:
    """Threads that take turns after every few steps."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("restless")
def test_of_many_threads_one_has_the_trial(breaker: CircuitBreaker, clock: Clock) -> None:
    crowd = 32
    for _ in range(20):
        opened(breaker)
        clock.now += 10
        together = threading.Barrier(crowd)
        rejected = threading.Semaphore(0)
        inside: list[int] = []

        def trial(inside: list[int] = inside, rejected: threading.Semaphore = rejected) -> None:
            inside.append(threading.get_ident())
            for _ in range(crowd - 1):  # until all others were sent away
                assert rejected.acquire(timeout=10)

        def one(
            together: threading.Barrier = together,
            rejected: threading.Semaphore = rejected,
            trial: Callable[[], None] = trial,
        ) -> None:
            together.wait(10)
            try:
                breaker.call(trial)
            except CircuitOpen:
                rejected.release()

        with ThreadPoolExecutor(crowd) as pool:
            for done in [pool.submit(one) for _ in range(crowd)]:
                done.result()
        assert len(inside) == 1
        breaker.reset()


def test_of_many_tasks_one_has_the_trial_and_a_cancel_gives_it_to_another(
    breaker: CircuitBreaker, clock: Clock
) -> None:
    opened(breaker)
    clock.now += 10
    inside: list[int] = []

    @breaker
    async def ask(number: int) -> None:
        inside.append(number)
        await asyncio.Event().wait()

    async def crowd() -> None:
        tasks = [asyncio.create_task(ask(n)) for n in range(50)]
        await asyncio.wait(tasks[1:])
        assert all(isinstance(each.exception(), CircuitOpen) for each in tasks[1:])
        tasks[0].cancel()
        await asyncio.wait(tasks[:1])
        again = asyncio.create_task(ask(50))
        await asyncio.sleep(0)
        again.cancel()
        await asyncio.wait([again])

    asyncio.run(crowd())
    assert inside == [0, 50]
    breaker.call(works)
    breaker.call(works)
    assert breaker.state is CLOSED


def test_threads_that_fail_and_work_as_they_please_leave_it_usable(client: RecordingClient) -> None:
    """Whatever came of thousands of calls: it opened as often as it said so, and two trials close it."""
    clock = Clock()
    outcomes = (fails, fails, fails, fails, fails, refuses, interrupts, works, works, works, works)
    breaker = CircuitBreaker("busy", failure_threshold=3, timeout=0.5, on=Down, client=client.real, clock=clock)

    def one(seed: int) -> None:
        for n in range(2000):
            clock.now += 0.01
            with suppress(Down, Refused, CircuitOpen, KeyboardInterrupt):
                breaker.call(outcomes[(seed * 7919 + n * 104729) % len(outcomes)])

    with ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(one, seed) for seed in range(8)]:
            done.result()
    clock.now += 1
    breaker.call(works)
    breaker.call(works)
    assert breaker.state is CLOSED
    assert client.kinds.count("circuit_breaker_open") >= client.kinds.count("circuit_breaker_closed") > 0


def interrupts() -> str:
    raise KeyboardInterrupt


# Never stuck


def test_a_coroutine_that_is_thrown_away_gives_its_trial_back(breaker: CircuitBreaker, clock: Clock) -> None:
    async def inside() -> None:
        async with breaker:
            await Turn()

    for begun in (lambda: breaker.call_async(_work), inside):
        opened(breaker)
        clock.now += 10
        trial: Any = begun()
        trial.send(None)
        stays(breaker, by_call, works, CircuitOpen)
        del trial
        gc.collect()
        breaker.call(works)
        breaker.call(works)
        assert breaker.state is CLOSED


def test_bodies_that_cross_one_another_keep_their_own_ends(breaker: CircuitBreaker, clock: Clock) -> None:
    """As those of two generators that take turns: the late one says nothing, the trial does."""

    def body() -> Iterator[None]:
        with breaker:
            yield

    early = body()
    next(early)
    opened(breaker)
    clock.now += 10
    trial = body()
    next(trial)
    with pytest.raises(Down):
        early.throw(Down())  # type: ignore[attr-defined]
    assert breaker.state is HALF_OPEN
    assert list(trial) == []
    breaker.call(works)
    assert breaker.state is CLOSED


def test_one_breaker_may_be_entered_twice_in_one_body(breaker: CircuitBreaker) -> None:
    with breaker, breaker:
        breaker.call(works)
    assert breaker.state is CLOSED


@pytest.mark.parametrize("entered", [False, True], ids=["a call", "a with"])
def test_a_child_process_has_its_own_trial(breaker: CircuitBreaker, clock: Clock, entered: bool) -> None:
    """Forked while a thread of the parent has the trial, which the child does not have."""
    opened(breaker)
    clock.now += 10

    def forks() -> None:
        child = os.fork()
        if child == 0:
            with suppress(BaseException):
                breaker.call(works)
                breaker.call(works)
                os._exit(0 if breaker.state is CLOSED else 1)
            os._exit(2)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0

    with ThreadPoolExecutor(1) as pool, suppress(CircuitOpen):
        by = by_with if entered else by_call
        pool.submit(by, breaker, lambda: quiet_fork(forks)).result()
    assert breaker.state is HALF_OPEN
    breaker.call(works)
    assert breaker.state is CLOSED


def quiet_fork(forks: Callable[[], None]) -> None:
    """Python 3.12 warns of forks beside threads, which is what is looked at here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        forks()


def test_a_fork_while_the_lock_is_held_leaves_the_child_a_free_one(breaker: CircuitBreaker) -> None:
    holding, held = threading.Event(), threading.Event()

    def hold() -> None:
        with breaker._lock:
            held.set()
            holding.wait(10)

    def forks() -> None:
        child = os.fork()
        if child == 0:
            with suppress(BaseException):
                with suppress(Down):
                    breaker.call(fails)
                os._exit(0)
            os._exit(2)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0

    thread = threading.Thread(target=hold)
    thread.start()
    assert held.wait(10)
    try:
        quiet_fork(forks)
    finally:
        holding.set()
        thread.join()


@each_way
def test_a_client_that_fails_changes_nothing(way: Way, clock: Clock) -> None:
    breaker = CircuitBreaker(
        "b", failure_threshold=1, success_threshold=1, shared=True, client=BrokenClient().real, clock=clock
    )
    stays(breaker, way, fails, Down)
    stays(breaker, way, works, CircuitOpen)
    clock.now += 60
    assert way(breaker, works) == "done"
    assert breaker.state is CLOSED


# What is told


def test_each_opening_is_reported_once(breaker: CircuitBreaker, clock: Clock, client: RecordingClient) -> None:
    opened(breaker)
    for _ in range(5):
        stays(breaker, by_call, works, CircuitOpen)
    (report,) = client.reported
    assert str(report.error) == "down"
    assert report.facts["name"] == "payments"
    assert report.facts["component"] == "shop"
    assert report.facts["impact"] == "high"
    assert report.facts["tags"] == ("circuit_breaker", "payments")
    clock.now += 10
    stays(breaker, by_call, fails, Down)
    assert client.kinds == ["circuit_breaker_open"] * 2


def test_its_closing_is_reported_once(breaker: CircuitBreaker, clock: Clock, client: RecordingClient) -> None:
    opened(breaker)
    clock.now += 10
    for _ in range(5):
        breaker.call(works)
    assert client.kinds == ["circuit_breaker_open", "circuit_breaker_closed"]
    assert client.reported[1].facts["name"] == "payments"
    assert str(client.reported[1].error) == "the circuit breaker payments closed: 2 in a row worked"


def test_a_reset_of_an_open_one_is_told_and_of_a_closed_one_is_not(
    breaker: CircuitBreaker, client: RecordingClient
) -> None:
    breaker.reset()
    assert client.kinds == []
    opened(breaker)
    breaker.reset()
    assert client.kinds == ["circuit_breaker_open", "circuit_breaker_closed"]
    assert breaker.call(works) == "done"


def test_what_is_not_shared_is_neither_told_nor_followed(breaker: CircuitBreaker, client: RecordingClient) -> None:
    opened(breaker)
    breaker.reset()
    assert (client.shared, dict(client.followed)) == ([], {})


# Shared


class Workers:
    """Processes of one user on one host, each with a breaker of the same name."""

    def __init__(self, count: int = 3) -> None:
        self.clock = Clock()
        self.host = Host()
        self.clients = [RecordingClient(host=self.host) for _ in range(count)]
        self.breakers = [
            CircuitBreaker(
                "payments",
                failure_threshold=2,
                timeout=10.0,
                on=Down,
                shared=True,
                client=client.real,
                clock=self.clock,
            )
            for client in self.clients
        ]
        for each in self.breakers:
            each.call(works)

    @property
    def states(self) -> list[BreakerStatus]:
        return [each.state for each in self.breakers]


def test_nothing_is_followed_before_the_first_call(clock: Clock, client: RecordingClient) -> None:
    breaker = CircuitBreaker("payments", shared=True, client=client.real, clock=clock)
    assert dict(client.followed) == {}
    breaker.call(works)
    breaker.call(works)
    assert dict(client.followed) == {"payments": 1}


def test_all_workers_open_together_and_one_that_closes_closes_all() -> None:
    workers = Workers()
    opened(workers.breakers[0])
    assert workers.states == [OPEN] * 3
    workers.clock.now += 9
    for each in workers.breakers:
        stays(each, by_call, works, CircuitOpen)
    workers.clock.now += 1
    workers.breakers[1].call(works)
    workers.breakers[1].call(works)
    assert workers.states == [CLOSED] * 3
    assert workers.host.messages == [("payments", "open", 10.0), ("payments", "closed", 0.0)]


def test_who_opened_it_reports_it_and_who_hears_of_it_does_not() -> None:
    workers = Workers()
    opened(workers.breakers[0])
    workers.clock.now += 10
    for _ in range(2):
        workers.breakers[2].call(works)
    assert [each.kinds for each in workers.clients] == [["circuit_breaker_open"], [], ["circuit_breaker_closed"]]


def test_a_trial_that_fails_keeps_the_others_waiting() -> None:
    workers = Workers()
    opened(workers.breakers[0])
    workers.clock.now += 10
    stays(workers.breakers[1], by_call, fails, Down)
    stays(workers.breakers[0], by_call, works, CircuitOpen)
    workers.clock.now += 10
    workers.breakers[0].call(works)


def test_trials_that_worked_before_another_opened_do_not_count_afterwards() -> None:
    workers = Workers()
    opened(workers.breakers[0])
    workers.clock.now += 10
    workers.breakers[0].call(works)
    stays(workers.breakers[1], by_call, fails, Down)
    workers.clock.now += 10
    workers.breakers[0].call(works)
    assert workers.breakers[0].state is HALF_OPEN


def test_a_trial_of_ones_own_goes_on_when_anothers_failed() -> None:
    workers = Workers()
    opened(workers.breakers[0])
    workers.clock.now += 10
    trial = running(workers.breakers[0])
    stays(workers.breakers[1], by_call, fails, Down)
    assert workers.breakers[0].state is HALF_OPEN
    finish(trial)
    workers.breakers[0].call(works)
    assert workers.states == [CLOSED] * 3


def test_what_is_heard_counts_for_calls_under_way() -> None:
    workers = Workers()
    late = [running(workers.breakers[1]) for _ in range(2)]
    opened(workers.breakers[0])
    workers.breakers[0].reset()
    assert workers.states == [CLOSED] * 3
    for each in late:
        fail(each)
    assert workers.states == [CLOSED] * 3


@given(seconds=st.floats(allow_nan=True, allow_infinity=True))
def test_nobody_keeps_it_open_for_longer_than_it_would_itself(seconds: float) -> None:
    workers = Workers(1)
    (breaker,) = workers.breakers
    breaker.told("open", seconds)
    workers.clock.now += 10
    assert breaker.call(works) == "done"
    breaker.told("nonsense", seconds)
    assert breaker.call(works) == "done"


def test_an_echo_of_its_own_words_changes_nothing(clock: Clock) -> None:
    client = RecordingClient()
    breaker = CircuitBreaker("b", failure_threshold=2, timeout=10, shared=True, client=client.real, clock=clock)
    opened(breaker)
    for name, state, seconds in client.shared:
        assert name == "b"
        breaker.told(state, seconds)
    assert len(client.shared) == 1
    clock.now += 10
    assert breaker.call(works) == "done"


def test_a_breaker_that_nobody_has_any_more_is_not_kept_by_its_client(clock: Clock) -> None:
    client = RecordingClient()
    breaker = CircuitBreaker("b", shared=True, client=client.real, clock=clock)
    breaker.call(works)
    gone = threading.Event()
    weakref.finalize(breaker, gone.set)
    del breaker
    gc.collect()
    assert gone.is_set()
    RecordingClient(host=client._host).share("b", "open", 5.0)


# As a wrapper


def test_the_wrapper_keeps_name_signature_and_kind(breaker: CircuitBreaker) -> None:
    def charge(order: str, *, times: int = 1) -> str:
        """Its words."""
        return order * times

    async def charge_later(order: str) -> str:
        return order

    wrapped, later = breaker(charge), breaker(charge_later)
    assert (wrapped.__name__, wrapped.__doc__) == ("charge", "Its words.")
    assert inspect.signature(wrapped) == inspect.signature(charge)
    assert wrapped("a", times=2) == "aa"
    assert inspect.iscoroutinefunction(later)
    assert asyncio.run(later("b")) == "b"


def test_methods_share_the_breaker_of_their_class(breaker: CircuitBreaker) -> None:
    class Shop:
        @breaker
        def charge(self, fn: str) -> str:
            raise Down(fn)

    for shop in (Shop(), Shop()):
        with pytest.raises(Down, match="card"):
            shop.charge(fn="card")
    assert breaker.state is OPEN


def test_generators_are_refused_with_a_word_on_what_to_do(breaker: CircuitBreaker) -> None:
    def lines() -> Iterator[str]:
        yield "a"

    async def lines_later() -> AsyncIterator[str]:
        yield "a"

    for each in (lines, lines_later, functools.partial(lines)):
        with pytest.raises(TypeError, match=r"the breaker payments cannot wrap the generator .*wrap the function that"):
            breaker(each)


@pytest.mark.parametrize(
    ("name", "option"),
    [
        ("", {}),
        ("b", {"failure_threshold": 0}),
        ("b", {"success_threshold": 0}),
        ("b", {"timeout": 0}),
        ("b", {"timeout": float("nan")}),
        ("b", {"timeout": 1e12}),
    ],
    ids=str,
)
def test_what_makes_no_sense_is_refused_when_it_is_written(name: str, option: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="breaker"):
        CircuitBreaker(name, **option)
