"""fallback: the second way, and the report that says so."""

from __future__ import annotations

import asyncio
import inspect
import os
import signal
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from fakes.recording_client import BrokenClient, RecordingClient
from logmedic.client.breaker import CircuitOpen
from logmedic.client.degrading import fallback


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def ranked(user: str, *, count: int = 1) -> str:
    """What people like."""
    if user == "broken":
        raise ConnectionError("the ranking is away")
    if user == "open":
        raise CircuitOpen("ranking", 3.0)
    if user == "wrong":
        raise ValueError("no such user")
    return f"ranked {user} {count}"


async def ranked_later(user: str, *, count: int = 1) -> str:
    await asyncio.sleep(0)
    return ranked(user, count=count)


def popular(user: str, *, count: int = 1) -> str:
    return f"popular {count}"


async def popular_later(user: str, *, count: int = 1) -> str:
    return f"popular {count}"


@pytest.fixture
def client() -> RecordingClient:
    return RecordingClient()


def degrading(how: str, client: RecordingClient, *, second: Any = None, **options: Any) -> Any:
    """Called as a sync function, whatever it is of."""
    given = {"feature": "ranking", "component": "shop", "client": client.real, **options}
    if how == "sync":
        return fallback(ranked, second or popular, **given)
    later = fallback(ranked_later, second or (popular_later if how == "async" else popular), **given)
    return lambda *args, **kwargs: asyncio.run(later(*args, **kwargs))


each_way = pytest.mark.parametrize("how", ["sync", "async", "async with a sync fallback"])


@each_way
def test_what_works_is_no_degradation(how: str, client: RecordingClient) -> None:
    assert degrading(how, client)("ann", count=2) == "ranked ann 2"
    assert client.reported == []


@each_way
@pytest.mark.parametrize("user", ["broken", "open"])
def test_the_second_way_gets_the_same_arguments_and_the_daemon_hears_of_it(
    how: str, user: str, client: RecordingClient
) -> None:
    assert degrading(how, client)(user, count=2) == "popular 2"
    (report,) = client.reported
    assert isinstance(report.error, ConnectionError | CircuitOpen)
    assert report.kind == "graceful_degradation"
    assert (report.facts["name"], report.facts["component"], report.facts["impact"]) == ("ranking", "shop", "low")


@each_way
def test_what_on_does_not_name_comes_through(how: str, client: RecordingClient) -> None:
    with pytest.raises(ValueError, match="no such user"):
        degrading(how, client, on=(ConnectionError, CircuitOpen))("wrong")
    with pytest.raises(ValueError, match="no such user"):
        degrading(how, client, on=lambda error: isinstance(error, OSError))("wrong")
    assert client.reported == []


@pytest.mark.parametrize(
    "ends", [asyncio.CancelledError, KeyboardInterrupt, SystemExit], ids=lambda each: each.__name__
)
def test_what_ends_a_task_is_not_fallen_back_from(ends: type[BaseException], client: RecordingClient) -> None:
    def ending() -> str:
        raise ends

    def second() -> str:
        raise AssertionError("not called")

    with pytest.raises(ends):
        fallback(ending, second, feature="f", on=BaseException, client=client.real)()
    assert client.reported == []


@each_way
def test_when_both_fail_the_second_error_is_raised_with_the_first_behind_it(how: str, client: RecordingClient) -> None:
    def worse(user: str, *, count: int = 1) -> str:
        raise LookupError("nothing is popular")

    async def worse_later(user: str, *, count: int = 1) -> str:
        return worse(user)

    second: Any = worse_later if how == "async" else worse
    with pytest.raises(LookupError) as caught:
        degrading(how, client, second=second)("broken")
    assert isinstance(caught.value.__context__, ConnectionError)


def test_a_storm_is_told_at_once_and_then_every_ten_seconds_with_its_number(client: RecordingClient) -> None:
    clock = Clock()
    ranking = degrading("sync", client, clock=clock)
    for _ in range(1000):
        ranking("broken")
    assert [each.facts["context"] for each in client.reported] == [{"uses": "1"}]
    clock.now = 10.0
    ranking("broken")
    assert client.reported[1].facts["context"] == {"uses": "1000"}


def test_a_signal_in_the_middle_of_it_may_fall_back_as_well(client: RecordingClient) -> None:
    inner: list[str] = []

    def clock() -> float:  # is read in the middle, where a handler may run
        if not inner:
            inner.append("begun")
            inner.append(ranking("broken"))
        return 0.0

    ranking = degrading("sync", client, clock=clock)
    done = threading.Thread(target=ranking, args=("broken",), daemon=True)
    done.start()
    done.join(10)
    assert not done.is_alive()
    assert inner == ["begun", "popular 1"]


def test_a_child_falls_back_although_a_thread_of_its_parent_was_about_to(client: RecordingClient) -> None:
    held, goes_on = threading.Event(), threading.Event()

    def clock() -> float:
        if threading.current_thread() is other:
            held.set()
            goes_on.wait(20)
        return 0.0

    ranking = degrading("sync", client, clock=clock)
    other = threading.Thread(target=ranking, args=("broken",))
    other.start()
    assert held.wait(10)
    child = os.fork()
    if child == 0:
        signal.alarm(10)  # ends it where it is stuck
        os._exit(0 if ranking("broken") == "popular 1" else 1)
    goes_on.set()
    other.join()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@each_way
def test_a_client_that_fails_changes_nothing(how: str) -> None:
    broken: Any = BrokenClient()
    assert degrading(how, broken)("broken") == "popular 1"


def test_it_looks_like_the_first_way() -> None:
    wrapped = fallback(ranked, popular, feature="ranking")
    assert (wrapped.__name__, wrapped.__doc__) == ("ranked", "What people like.")
    assert inspect.signature(wrapped) == inspect.signature(ranked)
    assert inspect.iscoroutinefunction(fallback(ranked_later, popular_later, feature="ranking"))


def test_a_sync_function_has_no_async_fallback() -> None:
    second: Any = popular_later
    with pytest.raises(TypeError, match="the feature ranking: an async fallback needs an async primary"):
        fallback(ranked, second, feature="ranking")


def test_generators_are_refused() -> None:
    def lines() -> Iterator[str]:
        yield "a"

    def none() -> Iterator[str]:
        return iter(())

    for first, second in ((lines, none), (none, lines)):
        with pytest.raises(TypeError, match="fallback cannot wrap the generator"):
            fallback(first, second, feature="f")
