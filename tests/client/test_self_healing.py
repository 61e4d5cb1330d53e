"""self_healing: report, ask, repeat once after a verified fix where that is safe, else raise what was raised."""

from __future__ import annotations

import asyncio
import functools
import inspect
import logging
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from stamina.instrumentation import set_on_retry_hooks

from fakes.recording_client import BrokenClient, RecordingClient
from logmedic.client import requestid
from logmedic.client.answers import State
from logmedic.client.breaker import CircuitBreaker, CircuitOpen
from logmedic.client.calls.layers import Layer
from logmedic.client.healing import Failure, Healing, self_healing
from logmedic.client.loghandler import ReportHandler
from logmedic.client.retrying import retry


class Down(Exception):
    pass


class Dependency:
    """Raises `errors` one after the other; once none is left, or it was mended, it answers "paid"."""

    def __init__(self, *errors: BaseException) -> None:
        self.errors = list(errors)
        self.calls = 0
        self.requests: list[str] = []

    def mend(self) -> None:
        self.errors.clear()

    def ask(self) -> str:
        self.calls += 1
        self.requests.append(requestid.current())
        if self.errors:
            raise self.errors.pop(0)
        return "paid"

    async def ask_later(self) -> str:
        await asyncio.sleep(0)
        return self.ask()


@pytest.fixture(autouse=True)
def no_hooks() -> Iterator[None]:
    set_on_retry_hooks([])
    yield
    set_on_retry_hooks(None)


def healed(how: str, dependency: Dependency, client: Any, **options: Any) -> Any:
    wrap: Any = self_healing("shop", client=client.real, **options)
    return in_its_way(how, wrap(dependency.ask if how == "sync" else dependency.ask_later))


def in_its_way(how: str, function: Callable[[], Any]) -> Any:
    return function() if how == "sync" else asyncio.run(function())


each_way = pytest.mark.parametrize("how", ["sync", "async"])


@each_way
def test_a_call_that_works_is_one_call_and_no_report(how: str) -> None:
    client, dependency = RecordingClient(State.FIXED), Dependency()
    assert healed(how, dependency, client, repeat=True) == "paid"
    assert (dependency.calls, client.reported) == (1, [])


@each_way
def test_after_a_verified_fix_it_runs_once_more(how: str) -> None:
    dependency = Dependency(Down("1"), Down("2"))
    client = RecordingClient(State.FIXED, mends=dependency.mend)
    assert healed(how, dependency, client, repeat=True, wait=7.0, impact="high", environment="production") == "paid"
    assert dependency.calls == 2
    (asked,) = client.reported
    assert (str(asked.error), asked.wait) == ("1", 7.0)
    assert asked.facts["component"] == "shop"
    assert asked.facts["action"] == ("Dependency.ask" if how == "sync" else "Dependency.ask_later")
    assert (asked.facts["impact"], asked.facts["environment"]) == ("high", "production")


@each_way
def test_what_was_not_declared_safe_is_never_repeated(how: str) -> None:
    error = Down("1")
    client, dependency = RecordingClient(State.FIXED), Dependency(error)
    with pytest.raises(Down) as caught:
        healed(how, dependency, client)
    assert caught.value is error
    assert dependency.calls == 1


@each_way
@pytest.mark.parametrize("state", [each for each in State if each is not State.FIXED], ids=str)
def test_without_a_verified_fix_the_error_is_raised_as_it_is(how: str, state: State) -> None:
    error = Down("1")
    client, dependency = RecordingClient(state), Dependency(error)
    with pytest.raises(Down) as caught:
        healed(how, dependency, client, repeat=True)
    assert caught.value is error
    assert (error.__cause__, error.__context__) == (None, None)
    assert traceback.extract_tb(error.__traceback__)[-1].filename == __file__
    assert (dependency.calls, len(client.reported)) == (1, 1)


@each_way
def test_it_is_never_repeated_twice_and_the_second_error_is_raised_and_told(how: str) -> None:
    errors = [Down(str(n)) for n in range(3)]
    client, dependency = RecordingClient(State.FIXED), Dependency(*errors)
    with pytest.raises(Down) as caught:
        healed(how, dependency, client, repeat=True)
    assert caught.value is errors[1]
    assert caught.value.__context__ is None
    assert dependency.calls == 2
    assert [(each.error, each.wait) for each in client.reported] == [(errors[0], 10.0), (errors[1], 0.0)]


@each_way
def test_without_auto_fix_nobody_is_asked(how: str) -> None:
    client, dependency = RecordingClient(State.FIXED), Dependency(Down())
    with pytest.raises(Down):
        healed(how, dependency, client, repeat=True, auto_fix=False)
    assert [each.wait for each in client.reported] == [0.0]


@each_way
@pytest.mark.parametrize(
    "ends",
    [asyncio.CancelledError, GeneratorExit, KeyboardInterrupt, SystemExit],
    ids=lambda each: each.__name__,
)
def test_what_ends_a_task_or_the_program_is_no_error(how: str, ends: type[BaseException]) -> None:
    client, dependency = RecordingClient(State.FIXED), Dependency(ends())
    with pytest.raises(ends):
        healed(how, dependency, client, repeat=True)
    assert (dependency.calls, client.reported) == (1, [])


@each_way
def test_a_client_that_fails_changes_nothing(how: str) -> None:
    dependency = Dependency(Down("1"))
    with pytest.raises(Down, match="1"):
        healed(how, dependency, BrokenClient(), repeat=True)
    assert dependency.calls == 1


# One request id


@each_way
def test_the_call_and_its_repeat_have_the_id_that_is_reported(how: str) -> None:
    dependency = Dependency(Down("1"))
    client = RecordingClient(State.FIXED, mends=dependency.mend)
    healed(how, dependency, client, repeat=True)
    (reported,) = {each.facts["request_id"] for each in client.reported}
    assert set(dependency.requests) == {reported}
    assert len(reported) == 32
    assert requestid.current() == ""


@each_way
def test_inside_of_a_request_it_is_that_ones(how: str) -> None:
    client, dependency = RecordingClient(), Dependency(Down("1"))
    with requestid.bound("request-7"), pytest.raises(Down):
        healed(how, dependency, client)
    assert [each.facts["request_id"] for each in client.reported] == ["request-7"]
    assert dependency.requests == ["request-7"]


# With a retry and a breaker inside


@each_way
def test_a_retry_inside_has_its_attempts_in_the_one_report(how: str) -> None:
    dependency = Dependency(*(Down(str(n)) for n in range(3)))
    client = RecordingClient(State.FIXED)
    trying = retry(Down, attempts=3, base=0.0, jitter=0.0, client=client.real)
    assert healed(how, dependency, client, retry=trying, repeat=True) == "paid"
    assert dependency.calls == 4
    (asked,) = client.reported
    assert (str(asked.error), asked.wait, asked.facts["attempts"]) == ("2", 10.0, 3)
    assert asked.facts["strategy"].startswith("exponential")


@each_way
def test_each_attempt_goes_through_the_breaker_and_an_open_one_ends_them(how: str) -> None:
    dependency = Dependency(*(Down(str(n)) for n in range(9)))
    client = RecordingClient(State.FIXED)
    trying = retry(Down, attempts=5, base=0.0, jitter=0.0, client=client.real)
    breaker = CircuitBreaker("payments", failure_threshold=2, client=client.real)
    with pytest.raises(CircuitOpen):
        healed(how, dependency, client, retry=trying, breaker=breaker, repeat=True)
    assert dependency.calls == 2
    assert client.kinds == ["circuit_breaker_open"]


@each_way
def test_what_an_open_breaker_rejects_is_neither_reported_nor_asked_about(how: str) -> None:
    client, dependency = RecordingClient(State.FIXED), Dependency(Down("1"))
    breaker = CircuitBreaker("payments", failure_threshold=1, client=client.real)
    with pytest.raises(Down):
        healed(how, dependency, client, breaker=breaker)
    assert client.kinds == ["circuit_breaker_open", "error"]
    for _ in range(3):
        with pytest.raises(CircuitOpen):
            healed(how, dependency, client, breaker=breaker, repeat=True)
    assert len(client.reported) == 2
    assert dependency.calls == 1


@each_way
def test_of_two_wrappers_around_one_call_the_inner_one_asks(how: str) -> None:
    client, dependency = RecordingClient(State.HELD), Dependency(Down("1"))
    outer: Any = self_healing("outer", client=client.real, repeat=True)
    inner: Any = self_healing("inner", client=client.real, repeat=True)
    function = dependency.ask if how == "sync" else dependency.ask_later
    with pytest.raises(Down):
        in_its_way(how, outer(inner(function)))
    assert [each.facts["component"] for each in client.reported] == ["inner"]


def test_an_error_that_is_logged_on_its_way_is_reported_once_and_asked_about() -> None:
    dependency = Dependency(Down("1"))
    client = RecordingClient(State.FIXED, mends=dependency.mend)
    log = logging.getLogger("shop.view")
    handler = ReportHandler(client=client.real)
    log.addHandler(handler)

    @self_healing("shop", client=client.real, repeat=True)
    def view() -> str:
        try:
            return retry(Down, attempts=1, client=client.real).call(dependency.ask)
        except Down:
            log.exception("the view failed")
            raise

    try:
        assert view() == "paid"
    finally:
        log.removeHandler(handler)
    (asked,) = client.reported
    assert asked.wait == 10.0
    assert (asked.facts["attempts"], asked.facts["context"]["log"]) == (1, "the view failed")


def test_an_exception_object_that_is_raised_in_many_requests_is_an_error_of_each() -> None:
    client, error = RecordingClient(), Down("always the same")
    for _ in range(3):
        with pytest.raises(Down):
            healed("sync", Dependency(error), client)
    assert len(client.reported) == 3


# Event loops


def test_a_sync_function_on_an_event_loop_reports_and_keeps_nobody_waiting() -> None:
    client, dependency = RecordingClient(State.FIXED), Dependency(Down("1"))

    async def view() -> None:
        with pytest.raises(Down):
            self_healing("shop", client=client.real, repeat=True)(dependency.ask)()

    asyncio.run(view())
    assert [each.wait for each in client.reported] == [0.0]


def test_in_a_thread_beside_the_loop_it_asks() -> None:
    client, dependency = RecordingClient(State.FIXED), Dependency(Down("1"))
    heals = self_healing("shop", client=client.real, repeat=True)
    assert asyncio.run(in_thread(heals(dependency.ask))) == "paid"
    assert [each.wait for each in client.reported] == [10.0]


async def in_thread(fn: Callable[[], str]) -> str:
    return await asyncio.to_thread(fn)


class HoldingClient(RecordingClient):
    """A question that nobody answers; `taken_back` once its sender does not wait any more."""

    taken_back = False

    async def ask_async(self, error: BaseException | str, *, wait: float, **facts: Any) -> Any:
        try:
            await asyncio.Event().wait()
        finally:
            self.taken_back = True


def test_a_cancel_while_it_waits_takes_the_question_back() -> None:
    client, dependency = HoldingClient(), Dependency(Down("1"))

    async def request() -> bool:
        heals: Any = self_healing("shop", client=client.real, repeat=True)
        task = asyncio.create_task(heals(dependency.ask_later)())
        while dependency.calls == 0:
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        return task.cancelled()

    assert asyncio.run(request())
    assert client.taken_back
    assert dependency.calls == 1


# What the middleware asks


def failure_of(healing: Healing, error: BaseException, *, how: str = "sync", may_repeat: bool = True) -> Failure:
    given: Any = {"action": "GET /", "request_id": "r1", "may_repeat": may_repeat}
    if how == "sync":
        return healing.failed(error, **given)
    return asyncio.run(healing.failed_async(error, **given))


@each_way
def test_a_failure_says_whom_to_tell_what(how: str) -> None:
    client = RecordingClient(State.HELD)
    failure = failure_of(Healing("shop", client=client.real), Down("1"), how=how)
    assert (failure.request_id, failure.report_id) == ("r1", "report-1")
    assert (failure.answer.state, failure.repeat, failure.handled_before) == (State.HELD, False, False)
    assert client.asked[0].facts["action"] == "GET /"


@pytest.mark.parametrize(
    ("state", "seconds"),
    [(State.FIXED, 1), (State.FIXING, 5), (State.LATE, 5), (State.UNPROVEN, 5), (State.HELD, 30), (State.AWAY, 30)],
    ids=str,
)
def test_who_is_sent_away_comes_back_when_it_makes_sense(state: State, seconds: int) -> None:
    client = RecordingClient(state)
    assert failure_of(Healing("shop", client=client.real), Down()).retry_after == seconds


@each_way
@pytest.mark.parametrize(("due", "seconds"), [(0.0, 1), (2.1, 3), (60.0, 60)])
def test_an_open_breaker_says_itself_when(how: str, due: float, seconds: int) -> None:
    client = RecordingClient(State.FIXED)
    failure = failure_of(Healing("shop", client=client.real), CircuitOpen("payments", due), how=how)
    assert (failure.retry_after, failure.repeat, failure.handled_before) == (seconds, False, True)
    assert client.reported == []


@each_way
def test_an_error_that_was_asked_about_has_its_answer_already(how: str) -> None:
    client, error = RecordingClient(State.LATE), Down()
    healing = Healing("shop", client=client.real)
    first = failure_of(healing, error, how=how)
    second = failure_of(healing, error, how=how)
    assert (second.report_id, second.answer) == (first.report_id, first.answer)
    assert (second.handled_before, second.repeat, second.retry_after) == (True, False, 5)
    assert len(client.reported) == 1


def test_only_its_own_layers_knowledge_is_taken() -> None:
    client = RecordingClient(State.KNOWN)
    trying = retry(Down, attempts=1, client=client.real)
    with Layer():
        with pytest.raises(Down):
            trying(Dependency(Down("other")).ask)()
        failure_of(Healing("shop", client=client.real), Down("mine"))
    mine, other = client.reported
    assert (str(mine.error), "attempts" in mine.facts) == ("mine", False)
    assert (str(other.error), other.facts["attempts"]) == ("other", 1)


@pytest.mark.parametrize("wait", [-1.0, 601.0, float("nan")])
def test_a_wait_that_makes_no_sense_is_refused(wait: float) -> None:
    with pytest.raises(ValueError, match="wait="):
        self_healing("shop", wait=wait)


def test_the_wrapper_keeps_name_signature_and_kind() -> None:
    def charge(order: str, *, fn: str = "") -> str:
        """Its words."""
        return order + fn

    async def charge_later(order: str) -> str:
        return order

    wrap = self_healing("shop", retry=retry(Down), breaker=CircuitBreaker("b"))
    wrapped = wrap(charge)
    assert (wrapped.__name__, wrapped.__doc__) == ("charge", "Its words.")
    assert inspect.signature(wrapped) == inspect.signature(charge)
    assert wrapped("a", fn="b") == "ab"
    assert inspect.iscoroutinefunction(self_healing("shop")(charge_later))


def test_a_component_that_was_forgotten_is_missed_at_once() -> None:
    with pytest.raises(TypeError, match="needs a component"):

        @self_healing  # type: ignore[arg-type]
        def charge() -> None: ...


def test_generators_are_refused() -> None:
    def lines() -> Iterator[str]:
        yield "a"

    for each in (lines, functools.partial(lines)):
        with pytest.raises(TypeError, match="self_healing cannot wrap the generator"):
            self_healing("shop")(each)
