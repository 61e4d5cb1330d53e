"""retry: what is tried again, how often, after which waits, and what becomes of the last failure."""

from __future__ import annotations

import asyncio
import functools
import inspect
import subprocess
import sys
import traceback
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from typing import Any, TypeVar

import pytest
import stamina
from hypothesis import given, settings
from hypothesis import strategies as st
from stamina.instrumentation import RetryDetails, set_on_retry_hooks

from fakes.recording_client import BrokenClient, RecordingClient
from fakes.virtual_loop import VirtualLoop
from logmedic.client.breaker import CircuitOpen
from logmedic.client.calls.layers import Layer
from logmedic.client.retrying import Backoff, Retry, retry

T = TypeVar("T")


class Odd(Exception):
    pass


class Flaky:
    """Raises `errors` one after the other, then returns "done"."""

    def __init__(self, *errors: BaseException) -> None:
        self.errors = list(errors)
        self.calls = 0

    def __call__(self) -> str:
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return "done"

    async def later(self) -> str:
        return self()


@pytest.fixture(autouse=True)
def waits() -> Iterator[list[float]]:
    """What stamina is about to wait, in seconds."""
    told: list[float] = []

    def noted(details: RetryDetails) -> None:
        told.append(details.wait_for)

    set_on_retry_hooks([noted])
    yield told
    set_on_retry_hooks(None)


@pytest.fixture
def client() -> RecordingClient:
    return RecordingClient()


def trying(on: Any, **options: Any) -> Retry:
    """Its reports go nowhere, unless said otherwise."""
    return retry(on, **{"client": RecordingClient().real, **options})


def quick(on: Any = ConnectionError, **options: Any) -> Retry:
    """Without waits."""
    return trying(on, **{"base": 0.0, "jitter": 0.0, **options})


def virtually(coro: Coroutine[Any, Any, T]) -> tuple[T, float]:
    """What comes of it, and the seconds that it slept."""
    loop = VirtualLoop()
    try:
        return loop.run_until_complete(coro), loop.time()
    finally:
        loop.close()


def tried(how: str, retrying: Retry, flaky: Flaky) -> str:
    """In each of the ways there are."""
    ways: dict[str, Callable[[], str]] = {
        "decorated": lambda: retrying(flaky)(),
        "called": lambda: retrying.call(flaky),
        "decorated async": lambda: virtually(retrying(flaky.later)())[0],
        "called async": lambda: virtually(retrying.call_async(flaky.later))[0],
    }
    return ways[how]()


each_way = pytest.mark.parametrize("how", ["decorated", "called", "decorated async", "called async"])


@each_way
def test_a_call_that_works_is_one_call_and_no_report(how: str, client: RecordingClient) -> None:
    flaky = Flaky()
    assert tried(how, quick(client=client.real), flaky) == "done"
    assert (flaky.calls, client.reported) == (1, [])


@each_way
def test_what_works_at_the_third_attempt_is_no_failure(how: str, client: RecordingClient) -> None:
    flaky = Flaky(ConnectionError("1"), ConnectionError("2"))
    assert tried(how, quick(client=client.real), flaky) == "done"
    assert (flaky.calls, client.reported) == (3, [])


@each_way
def test_the_last_failure_is_raised_as_it_is_and_reported_once(how: str, client: RecordingClient) -> None:
    errors = [ConnectionError("1"), ConnectionError("2"), ConnectionError("3"), ConnectionError("never")]
    flaky = Flaky(*errors)
    with pytest.raises(ConnectionError) as caught:
        tried(how, quick(client=client.real, component="shop", action="fetch", impact="high"), flaky)
    assert caught.value is errors[2]
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)
    (report,) = client.reported
    assert report.error is errors[2]
    assert report.facts["attempts"] == 3
    assert report.facts["strategy"] == "exponential from 0 s by 2 to 10 s, jitter 0 s, 3 attempts"
    assert (report.facts["component"], report.facts["action"], report.facts["impact"]) == ("shop", "fetch", "high")


@each_way
def test_its_traceback_leads_to_where_it_was_raised_and_not_through_stamina(how: str) -> None:
    flaky = Flaky(*(ConnectionError(str(n)) for n in range(3)))
    with pytest.raises(ConnectionError) as caught:
        tried(how, quick(), flaky)
    files = [each.filename for each in traceback.extract_tb(caught.value.__traceback__)]
    assert files[-1] == __file__
    assert not [each for each in files if "stamina" in each or "tenacity" in each]


@each_way
@pytest.mark.parametrize("first", [Odd("no"), CircuitOpen("payments", 3.0)], ids=["not named", "an open breaker"])
def test_what_is_not_to_be_tried_again_comes_through_at_once(
    how: str, first: Exception, client: RecordingClient
) -> None:
    flaky = Flaky(first)
    on = (ConnectionError, CircuitOpen)
    with pytest.raises(type(first)) as caught:
        tried(how, quick(on, client=client.real), flaky)
    assert caught.value is first
    assert (flaky.calls, client.reported) == (1, [])


@each_way
@pytest.mark.parametrize("later", [Odd("no"), CircuitOpen("payments", 3.0)], ids=["not named", "an open breaker"])
def test_also_when_it_comes_later(how: str, later: Exception, client: RecordingClient) -> None:
    flaky = Flaky(ConnectionError("1"), later)
    on = (ConnectionError, CircuitOpen)
    with pytest.raises(type(later)) as caught:
        tried(how, quick(on, client=client.real), flaky)
    assert caught.value is later
    assert (flaky.calls, client.reported) == (2, [])


@each_way
@pytest.mark.parametrize("ends", [asyncio.CancelledError(), GeneratorExit()], ids=["cancel", "exit"])
@pytest.mark.parametrize("attempt", [1, 2], ids=["first", "second"])
def test_what_ends_a_task_is_never_tried_again(
    how: str, ends: BaseException, attempt: int, client: RecordingClient
) -> None:
    """Whatever `on` says of them."""
    flaky = Flaky(*[ConnectionError()] * (attempt - 1), ends)
    on = (ConnectionError, asyncio.CancelledError, GeneratorExit)
    with pytest.raises(type(ends)):
        tried(how, quick(on, client=client.real), flaky)
    assert (flaky.calls, client.reported) == (attempt, [])


def test_on_may_be_a_question_which_each_failure_is_asked_once() -> None:
    asked: list[BaseException] = []

    def busy(error: BaseException) -> bool:
        asked.append(error)
        return "busy" in str(error)

    errors = [Odd("busy"), ConnectionError("busy"), Odd("gone")]
    flaky = Flaky(*errors)
    with pytest.raises(Odd, match="gone"):
        quick(busy, attempts=9)(flaky)()
    assert asked == errors


@pytest.mark.parametrize("on", [ConnectionError("x"), (), (1,), "ConnectionError", None, int])
def test_on_must_name_exceptions(on: Any) -> None:
    with pytest.raises(TypeError, match="names no exceptions"):
        retry(on)


@pytest.mark.parametrize(
    "option",
    [
        {"attempts": 0},
        {"base": -1.0},
        {"cap": float("inf")},
        {"factor": float("nan")},
        {"jitter": -0.1},
        {"timeout": 0},
    ],
    ids=str,
)
def test_what_makes_no_sense_is_refused_when_it_is_written(option: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(option))):
        trying(OSError, **option)


def test_the_defaults_wait_one_and_two_seconds_and_up_to_one_more_each(waits: list[float]) -> None:
    flaky = Flaky(OSError(), OSError())
    _, slept = virtually(trying(OSError)(flaky.later)())
    assert flaky.calls == 3
    assert 1 <= waits[0] <= 2 <= waits[1] <= 3
    assert slept == pytest.approx(sum(waits), abs=1e-3)


@given(
    attempts=st.integers(1, 8),
    base=st.floats(0, 100),
    cap=st.floats(0, 300),
    factor=st.floats(0.5, 10),
    jitter=st.floats(0, 5),
)
@settings(deadline=None, max_examples=60)
def test_each_wait_is_the_formulas_whatever_is_asked_for(
    attempts: int, base: float, cap: float, factor: float, jitter: float
) -> None:
    told: list[float] = []
    set_on_retry_hooks([lambda details: told.append(details.wait_for)])
    flaky = Flaky(*(OSError() for _ in range(attempts)))
    retrying = trying(OSError, attempts=attempts, base=base, cap=cap, factor=factor, jitter=jitter)
    with pytest.raises(OSError):  # noqa: PT011 - it has no text
        virtually(retrying(flaky.later)())
    least = [min(cap, base * factor**n) for n in range(attempts - 1)]
    most = [min(cap, base * factor**n + jitter) for n in range(attempts - 1)]
    assert flaky.calls == attempts
    assert all(low - 1e-9 <= wait <= high + 1e-9 for low, wait, high in zip(least, told, most, strict=True))


def test_a_sync_call_waits_the_same(waits: list[float]) -> None:
    flaky = Flaky(*(OSError() for _ in range(4)))
    assert trying(OSError, attempts=5, base=0.001, cap=0.003, jitter=0.0)(flaky)() == "done"
    assert waits == pytest.approx([0.001, 0.002, 0.003, 0.003])


def test_after_the_timeout_a_failure_is_final(client: RecordingClient) -> None:
    flaky = Flaky(*(OSError(str(n)) for n in range(9)))
    on_time = trying(OSError, attempts=9, timeout=1e-9, client=client.real)
    with pytest.raises(OSError, match="0"):
        on_time(flaky)()
    assert flaky.calls == 1
    assert client.reported[0].facts["attempts"] == 1
    assert client.reported[0].facts["strategy"].endswith("9 attempts, within 1e-09 s")


def test_within_the_timeout_it_goes_on() -> None:
    flaky = Flaky(OSError(), OSError())
    assert quick(OSError, timeout=600.0)(flaky)() == "done"


@each_way
def test_stamina_switched_off_is_one_attempt(how: str, client: RecordingClient) -> None:
    flaky = Flaky(OSError("1"), OSError("2"))
    stamina.set_active(False)
    try:
        with pytest.raises(OSError, match="1"):
            tried(how, trying(OSError, client=client.real), flaky)
    finally:
        stamina.set_active(True)
    assert flaky.calls == 1
    assert client.reported[0].facts["attempts"] == 1


@each_way
def test_staminas_test_mode_says_how_often_and_waits_for_nothing(how: str, waits: list[float]) -> None:
    flaky = Flaky(*(OSError() for _ in range(4)))
    with stamina.set_testing(True, attempts=5):
        assert tried(how, trying(OSError), flaky) == "done"
    assert (flaky.calls, waits) == (5, [0.0] * 4)


def test_staminas_hooks_are_told_the_functions_name_and_not_its_arguments() -> None:
    told: list[RetryDetails] = []
    set_on_retry_hooks([told.append])
    state = Flaky(OSError())

    def log_in(password: str) -> str:
        return state()

    quick(OSError)(log_in)("secret")
    assert told[0].name.endswith("log_in")
    assert (told[0].args, told[0].kwargs) == ((), {})


def test_a_cancel_ends_the_waiting_at_once(client: RecordingClient) -> None:
    flaky = Flaky(OSError(), OSError())

    async def cancelled() -> float:
        loop = asyncio.get_running_loop()
        task = asyncio.create_task(trying(OSError, base=100.0, cap=100.0, client=client.real)(flaky.later)())
        await asyncio.sleep(1)
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()
        return loop.time()

    at, _ = virtually(cancelled())
    assert at == pytest.approx(1.0, abs=0.01)
    assert (flaky.calls, client.reported) == (1, [])


def test_many_calls_at_once_do_not_count_together() -> None:
    flakies = [Flaky(*(OSError() for _ in range(n % 3))) for n in range(30)]
    retrying = trying(OSError)

    async def all_of_them() -> list[str]:
        return await asyncio.gather(*(retrying.call_async(each.later) for each in flakies))

    assert virtually(all_of_them())[0] == ["done"] * 30
    assert [each.calls for each in flakies] == [n % 3 + 1 for n in range(30)]


def test_a_retry_inside_of_another_reports_its_failure_once(client: RecordingClient) -> None:
    error = OSError("down")

    @quick(OSError, client=client.real, attempts=2)
    @quick(OSError, client=client.real, attempts=2)
    def fetch() -> None:
        raise error

    with pytest.raises(OSError, match="down"):
        fetch()
    assert [each.error for each in client.reported] == [error]


def test_inside_of_a_layer_that_asks_the_report_is_left_to_it(client: RecordingClient) -> None:
    swallowed, raised = OSError("1"), OSError("2")
    retrying = quick(OSError, attempts=1, client=client.real)
    with Layer() as layer:
        with pytest.raises(OSError, match="1"):
            retrying(Flaky(swallowed))()
        assert client.reported == []
        with pytest.raises(OSError, match="2"):
            retrying(Flaky(raised))()
        assert [each.error for each in client.reported] == [swallowed]  # it went no further
        assert layer.take(raised)["attempts"] == 1
    assert [each.error for each in client.reported] == [swallowed]


def test_what_no_layer_takes_is_reported_when_it_is_left(client: RecordingClient) -> None:
    retrying = quick(OSError, attempts=1, client=client.real)
    with Layer(), pytest.raises(OSError, match="1"):
        retrying(Flaky(OSError("1")))()
    assert [str(each.error) for each in client.reported] == ["1"]


def test_a_task_that_outlives_its_layer_reports_by_itself(client: RecordingClient) -> None:
    retrying = quick(OSError, attempts=1, client=client.real)

    async def request() -> asyncio.Task[str]:
        with Layer():
            return asyncio.create_task(retrying.call_async(Flaky(OSError("late")).later))

    async def application() -> None:
        task = await request()
        await asyncio.wait([task])
        assert isinstance(task.exception(), OSError)

    asyncio.run(application())
    assert [str(each.error) for each in client.reported] == ["late"]


@each_way
def test_a_client_that_fails_changes_nothing(how: str) -> None:
    with pytest.raises(ConnectionError, match="3"):
        tried(how, quick(client=BrokenClient().real), Flaky(*(ConnectionError(str(n)) for n in (1, 2, 3))))


def test_an_exception_that_takes_no_attributes_is_raised_as_any_other(client: RecordingClient) -> None:
    class Closed(Exception):
        def __setattr__(self, name: str, value: object) -> None:
            raise AttributeError(name)

    with pytest.raises(Closed):
        quick(Closed, client=client.real)(Flaky(*(Closed() for _ in range(3))))()
    assert len(client.reported) == 1


def test_without_stamina_the_first_failure_is_the_last() -> None:
    """As in a process that has no descriptors left to load it with."""
    code = """
import sys
sys.modules["stamina"] = None
from logmedic.client.retrying import retry
calls = []
def fetch():
    calls.append(1)
    raise OSError("too many open files")
try:
    retry(OSError)(fetch)()
except OSError as error:
    print(len(calls), error, error.__context__)
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert ran.stdout == "1 too many open files None\n"


def test_stamina_is_loaded_at_the_first_failure_and_not_before() -> None:
    code = """
import sys
from logmedic.client.retrying import retry
state = []
def fetch():
    state.append(1)
    if len(state) == 2:
        raise OSError
fetch = retry(OSError, base=0.0, jitter=0.0)(fetch)
fetch()
print("stamina" in sys.modules, "asyncio" in sys.modules)
fetch()
print("stamina" in sys.modules, len(state))
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    first, *_, last = ran.stdout.splitlines()  # between them stamina's own word on the retry
    assert (first, last) == ("False False", "True 3")


def test_the_wrapper_keeps_name_signature_and_kind() -> None:
    def fetch(order: str, *, times: int = 1) -> bytes:
        """Its words."""
        return order.encode() * times

    async def fetch_later(order: str) -> bytes:
        return order.encode()

    wrapped, later = quick()(fetch), quick()(fetch_later)
    assert (wrapped.__name__, wrapped.__doc__) == ("fetch", "Its words.")
    assert inspect.signature(wrapped) == inspect.signature(fetch)
    assert wrapped("a", times=2) == b"aa"
    assert inspect.iscoroutinefunction(later)
    assert not inspect.iscoroutinefunction(wrapped)


def test_methods_static_methods_partials_and_objects_are_functions_too() -> None:
    retrying = quick()

    class Shop:
        name = "shop"

        @retrying
        def say(self, word: str, /, **kwargs: str) -> str:
            return f"{self.name} {word} {kwargs}"

        @retrying
        async def say_later(self) -> str:
            return self.name

        @staticmethod
        @retrying
        def open() -> str:
            return "open"

        @classmethod
        @retrying
        def kind(cls) -> str:
            return cls.__name__

        async def __call__(self) -> str:
            return "called"

    shop = Shop()
    assert shop.say("hi", fn="a", args="b") == "shop hi {'fn': 'a', 'args': 'b'}"
    assert (Shop.open(), Shop.kind()) == ("open", "Shop")
    assert asyncio.run(shop.say_later()) == "shop"
    assert asyncio.run(retrying(shop)()) == "called"
    assert asyncio.run(retrying(functools.partial(shop.say_later))()) == "shop"


def test_generators_are_refused_with_a_word_on_what_to_do() -> None:
    def lines() -> Iterator[str]:
        yield "a"

    async def lines_later() -> AsyncIterator[str]:
        yield "a"

    for each in (lines, lines_later, functools.partial(lines)):
        with pytest.raises(TypeError, match=r"retry cannot wrap the generator .*wrap the function that"):
            quick()(each)


def test_what_is_no_function_is_refused() -> None:
    with pytest.raises(TypeError, match="put retry below @property"):
        quick()(property(lambda _: 1))  # type: ignore[arg-type]


def test_the_strategy_in_words_fits_the_report() -> None:
    longest = Backoff(999, 12345.678, 12345.678, 12345.678, 12345.678, 12345.678)
    assert len(longest.words) < 200
