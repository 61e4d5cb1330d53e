"""What the daemon does itself: requests against real servers, and waiting."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from builders import RULE, START
from fakes.clock import FakeClock
from fakes.web_server import Talk, answering, dripping, serving, strange
from logmedic.adapters.fixes.httpcall import BODY_LIMIT
from logmedic.adapters.fixes.inline import Inline
from logmedic.model.fix import FixAttempt, FixResult
from logmedic.model.step import CallHttp, Command, Step, Wait

ATTEMPT = FixAttempt("a1", "i1", "r1", "", "r1", 0, "x", 1, (), START)


def call(port: int, timeout_s: float = 5, method: str = "POST", status: int = 0, body: str = "") -> Step:
    action = CallHttp(method, f"http://127.0.0.1:{port}/flush?all=1", status, body)
    return Step("x", action, timeout=timedelta(seconds=timeout_s))


def run(step: Step) -> FixResult:
    return asyncio.run(Inline(clock=FakeClock(START)).run(step, ATTEMPT))


def against(talk: Talk, made: Callable[[int], Step]) -> FixResult:
    async def play() -> FixResult:
        async with serving(talk) as port:
            return await Inline(clock=FakeClock(START)).run(made(port), ATTEMPT)

    return asyncio.run(play())


@pytest.mark.parametrize(
    ("answered", "wanted", "code", "detail"),
    [
        (200, 0, 0, "answered 200"),
        (204, 0, 0, "answered 204"),
        (299, 0, 0, "answered 299"),
        (302, 0, 1, "answered 302, wanted 200..299"),
        (500, 0, 1, "answered 500, wanted 200..299"),
        (302, 302, 0, "answered 302"),
        (200, 204, 1, "answered 200, wanted 204"),
    ],
)
def test_the_status_decides(answered: int, wanted: int, code: int, detail: str) -> None:
    result = against(answering(answered, head="Location: /elsewhere\r\n"), lambda port: call(port, status=wanted))
    assert (result.exit_code, result.detail, result.sandbox) == (code, detail, "daemon")


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
def test_every_method_is_sent_as_it_is_with_its_body(method: str) -> None:
    heard: list[bytes] = []

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: bytes) -> None:
        heard.append(head + await reader.readexactly(9))
        writer.write(b"HTTP/1.1 204 Done\r\n\r\n")
        await writer.drain()

    result = against(listen, lambda port: call(port, method=method, body='{"a": 1}\n'))
    assert result.ok
    head, body = heard[0].split(b"\r\n\r\n")
    assert head.startswith(f"{method} /flush?all=1 HTTP/1.1\r\n".encode())
    assert b"Content-Type: application/json" in head
    assert body == b'{"a": 1}\n'


def test_a_post_without_a_body_says_so() -> None:
    heard: list[bytes] = []

    async def listen(_: asyncio.StreamReader, writer: asyncio.StreamWriter, head: bytes) -> None:
        heard.append(head)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()

    assert against(listen, call).ok
    assert b"Content-Length: 0" in heard[0]


def test_the_answer_is_output_its_first_64_kib_and_never_an_error() -> None:
    async def flood(_: asyncio.StreamReader, writer: asyncio.StreamWriter, head: bytes) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b"\xff" + 9999 * b"x")
            await writer.drain()

    result = against(flood, call)
    assert result.ok
    assert len(result.output) == BODY_LIMIT
    assert result.output.startswith("\N{REPLACEMENT CHARACTER}x")


def test_a_server_that_drips_ends_with_the_step() -> None:
    result = against(dripping, lambda port: call(port, timeout_s=0.3))
    assert (result.exit_code, result.started, result.detail) == (None, True, "no answer in time")


def test_what_is_no_http_is_a_failure() -> None:
    assert "no HTTP" in against(strange, call).detail


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1/", "http://[::1", "http://127.0.0.1:99999/", "http://127.0.0.1:1/ä b", "http:///x"]
)
def test_what_cannot_be_asked_fails_and_does_not_raise(url: str) -> None:
    result = run(Step("x", CallHttp("POST", url), timeout=timedelta(seconds=5)))
    assert not result.ok
    assert result.detail


def waited(step: Step, then: Callable[[FakeClock], Awaitable[None]]) -> FixResult | None:
    async def play() -> FixResult | None:
        clock = FakeClock(START)
        running = asyncio.create_task(Inline(clock=clock).run(step, ATTEMPT))
        await then(clock)
        if running.done():
            return running.result()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        return None

    return asyncio.run(play())


WAIT = Step("x", Wait(timedelta(seconds=10)), timeout=timedelta(seconds=15))


def test_a_wait_lasts_as_long_as_it_says() -> None:
    assert waited(WAIT, lambda clock: clock.advance(9)) is None
    result = waited(WAIT, lambda clock: clock.advance(10))
    assert result == FixResult(0, 10.0, detail="waited 10s", sandbox="daemon")


def test_a_wait_ends_with_its_step() -> None:
    step = Step("x", Wait(timedelta(seconds=10)), timeout=timedelta(seconds=3))
    result = waited(step, lambda clock: clock.advance(3))
    assert result is not None
    assert (result.exit_code, result.detail) == (None, "timed out after 3s")


@pytest.mark.parametrize(
    ("step", "said"),
    [
        (WAIT, "would wait 10s\n"),
        (
            call(1, status=204, body="all"),
            "would send POST http://127.0.0.1:1/flush?all=1, wants 204 in 5s with 3 bytes:\nall\n",
        ),
    ],
)
def test_a_dry_run_does_nothing_and_says_what_it_would(step: Step, said: str) -> None:
    result = asyncio.run(Inline(clock=FakeClock(START)).rehearse(step))
    assert (result.exit_code, result.output) == (0, said)


def test_other_steps_are_not_its_own() -> None:
    assert not run(Step("x", Command(("/bin/true",)))).started


def test_it_is_always_armed() -> None:
    assert asyncio.run(Inline(clock=FakeClock(START)).arm([RULE])).armed
