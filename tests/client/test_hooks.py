"""Errors that nobody caught: of the program, of a thread, of an event loop."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from fakes.asked_client import AskedClient
from logmedic.client import requestid
from logmedic.client.hooks import install_hooks


@pytest.fixture
def client() -> AskedClient:
    return AskedClient()


@pytest.fixture
def seen() -> Iterator[list[BaseException | None]]:
    """What the hooks that were there before have seen."""
    before, threads_before = sys.excepthook, threading.excepthook
    errors: list[BaseException | None] = []
    sys.excepthook = lambda kind, error, trace: errors.append(error)
    threading.excepthook = lambda args: errors.append(args.exc_value)
    yield errors
    sys.excepthook, threading.excepthook = before, threads_before


def uncaught(error: BaseException) -> None:
    sys.excepthook(type(error), error, error.__traceback__)


def in_thread(error: BaseException) -> None:
    def work() -> None:
        raise error

    thread = threading.Thread(target=work, name="packer")
    thread.start()
    thread.join()


def test_what_ends_the_program_is_reported_and_the_hook_before_is_called(
    client: AskedClient, seen: list[BaseException]
) -> None:
    remove = install_hooks(component="nightly", client=client.real)
    error = ValueError("x")
    with requestid.bound("r-1"):
        uncaught(error)
    remove()

    (told,) = client.told
    assert told.error is error
    assert (told.component, told.action, told.impact, told.request_id) == ("nightly", "uncaught", "high", "r-1")
    assert seen == [error]


def test_so_is_what_ends_a_thread(client: AskedClient, seen: list[BaseException]) -> None:
    remove = install_hooks(client=client.real)
    error = KeyError("x")
    in_thread(error)
    remove()

    assert [(each.error, each.action) for each in client.told] == [(error, "thread packer")]
    assert seen == [error]


@pytest.mark.parametrize("fails", [uncaught, in_thread], ids=["program", "thread"])
def test_an_interrupt_is_no_error(
    client: AskedClient, seen: list[BaseException], fails: Callable[[BaseException], None]
) -> None:
    remove = install_hooks(client=client.real)
    fails(KeyboardInterrupt())
    remove()

    assert client.told == []
    assert [type(each) for each in seen] == [KeyboardInterrupt]


def test_an_error_that_was_reported_is_not_reported_again(client: AskedClient, seen: list[BaseException]) -> None:
    remove = install_hooks(client=client.real)
    error = ValueError("x")
    with requestid.bound("r-1"):
        uncaught(error)
    uncaught(error)
    remove()

    assert len(client.told) == 1
    assert seen == [error, error]


def test_they_are_taken_out_again(client: AskedClient, seen: list[BaseException]) -> None:
    before, threads_before = sys.excepthook, threading.excepthook
    remove = install_hooks(client=client.real)
    assert sys.excepthook is not before
    remove()
    remove()
    assert (sys.excepthook, threading.excepthook) == (before, threads_before)


def test_only_what_is_asked_for_is_hooked(client: AskedClient, seen: list[BaseException]) -> None:
    before, threads_before = sys.excepthook, threading.excepthook
    remove = install_hooks(excepthook=False, threads=False, client=client.real)
    assert (sys.excepthook, threading.excepthook) == (before, threads_before)
    remove()


def test_a_hook_over_ours_stays_and_ours_is_quiet(client: AskedClient, seen: list[BaseException]) -> None:
    remove = install_hooks(client=client.real)
    ours = sys.excepthook

    def later(kind: Any, error: Any, trace: Any) -> None:
        ours(kind, error, trace)

    sys.excepthook = later
    remove()
    error = ValueError("x")
    uncaught(error)

    assert sys.excepthook is later
    assert client.told == []
    assert seen == [error]


def test_what_a_loop_cannot_hand_to_anybody_is_reported(client: AskedClient) -> None:
    error = ValueError("in a callback")
    handled: list[dict[str, Any]] = []

    def fail() -> None:
        raise error

    async def scene() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: handled.append(context))
        before = loop.get_exception_handler()
        remove = install_hooks(excepthook=False, threads=False, loop=loop, client=client.real)
        loop.call_soon(fail)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        remove()
        assert loop.get_exception_handler() is before

    asyncio.run(scene())
    assert [(each.error, each.action) for each in client.told] == [(error, "event loop")]
    assert [each["exception"] for each in handled] == [error]


def test_without_an_exception_what_the_loop_says_is_reported(client: AskedClient) -> None:
    async def scene() -> None:
        loop = asyncio.get_running_loop()
        remove = install_hooks(excepthook=False, threads=False, loop=loop, client=client.real)
        loop.call_exception_handler({"message": "transport was lost"})
        remove()

    asyncio.run(scene())
    assert [each.error for each in client.told] == ["transport was lost"]


def test_the_loops_own_way_is_the_one_before_where_nobody_set_another(
    client: AskedClient, caplog: pytest.LogCaptureFixture
) -> None:
    async def scene() -> None:
        loop = asyncio.get_running_loop()
        remove = install_hooks(excepthook=False, threads=False, loop=loop, client=client.real)
        loop.call_exception_handler({"message": "transport was lost"})
        remove()
        assert loop.get_exception_handler() is None

    asyncio.run(scene())
    assert "transport was lost" in caplog.text
