"""Bodies of requests, read once, and once more."""

from __future__ import annotations

import asyncio
from collections import deque
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logmedic.client.http.keptbody import KeptBody, KeptInput


def part(body: bytes, more: bool = False) -> dict[str, Any]:
    return {"type": "http.request", "body": body, "more_body": more}


class Caller:
    """Sends `parts`, and leaves afterwards, or stays silent until told."""

    def __init__(self, *parts: dict[str, Any], leaves: bool = False) -> None:
        self.parts = deque(parts)
        self.gone = asyncio.Event()
        if leaves:
            self.gone.set()

    async def receive(self) -> dict[str, Any]:
        if self.parts:
            return self.parts.popleft()
        await self.gone.wait()
        return {"type": "http.disconnect"}


async def read(body: KeptBody) -> bytes:
    whole = b""
    while True:
        message = await body.receive()
        whole += message["body"]
        if not message["more_body"]:
            return whole


@given(chunks=st.lists(st.binary(max_size=20), min_size=1, max_size=6), taken=st.integers(0, 6))
def test_a_body_is_read_again_whole_however_far_the_first_reading_came(chunks: list[bytes], taken: int) -> None:
    async def scene() -> None:
        parts = [part(each, n < len(chunks) - 1) for n, each in enumerate(chunks)]
        body = KeptBody(Caller(*parts).receive, limit=1000)
        for _ in range(min(taken, len(chunks))):
            await body.receive()
        body.rewind()
        assert await read(body) == b"".join(chunks)
        assert body.whole

    asyncio.run(scene())


@pytest.mark.parametrize(("limit", "whole"), [(10, True), (9, False), (-1, False)], ids=["fits", "too long", "none"])
def test_no_more_is_kept_than_the_limit(limit: int, whole: bool) -> None:
    async def scene() -> KeptBody:
        body = KeptBody(Caller(part(b"12345", True), part(b"67890")).receive, limit)
        assert await read(body) == b"1234567890"
        return body

    assert asyncio.run(scene()).whole is whole


def test_what_arrives_while_somebody_waits_for_the_caller_to_leave_is_kept() -> None:
    async def scene() -> None:
        caller = Caller(part(b"ab", True), part(b"cd"))
        body = KeptBody(caller.receive, limit=10)
        await body.receive()
        leaving = asyncio.ensure_future(body.left())
        while caller.parts:
            await asyncio.sleep(0)
        assert not leaving.done()
        body.rewind()
        assert await read(body) == b"abcd"
        caller.gone.set()
        await leaving
        assert body.gone

    asyncio.run(scene())


@given(
    sent=st.binary(max_size=60),
    first=st.lists(st.tuples(st.sampled_from(["read", "readline"]), st.integers(0, 30)), max_size=5),
    then=st.lists(st.tuples(st.sampled_from(["read", "readline"]), st.integers(-1, 30)), max_size=8),
)
def test_an_input_is_read_again_as_any_file(
    sent: bytes, first: list[tuple[str, int]], then: list[tuple[str, int]]
) -> None:
    kept, plain = KeptInput(BytesIO(sent), limit=100), BytesIO(sent)
    for name, size in first:
        getattr(kept, name)(size)
    kept.rewind()
    assert [getattr(kept, name)(size) for name, size in then] == [getattr(plain, name)(size) for name, size in then]
    kept.rewind()
    assert kept.readlines() == BytesIO(sent).readlines()


def test_an_input_that_is_too_long_is_not_kept() -> None:
    kept = KeptInput(BytesIO(b"x" * 11), limit=10)
    assert kept.read(10) == b"x" * 10
    assert kept.whole
    assert kept.read(1) == b"x"
    assert not kept.whole


def test_lines_come_up_to_the_hint() -> None:
    assert KeptInput(BytesIO(b"a\nbb\nccc\n"), limit=99).readlines(3) == [b"a\n", b"bb\n"]


class Endless:
    """A connection that stays open: it gives what was sent, and then there is nothing to wait for."""

    def __init__(self, sent: bytes) -> None:
        self._sent = BytesIO(sent)

    def read(self, size: int = -1, /) -> bytes:
        got = self._sent.read(size)
        assert 0 <= size == len(got), "this would wait for ever"
        return got

    def readline(self, size: int = -1, /) -> bytes:
        raise AssertionError


def test_nothing_is_read_that_the_application_did_not_ask_for() -> None:
    kept = KeptInput(Endless(b"12345"), limit=10)
    assert kept.read(2) == b"12"
    kept.rewind()
    assert kept.read(5) == b"12345"
    kept.rewind()
    assert kept.read(5) == b"12345"


class Reset:
    def read(self, size: int = -1, /) -> bytes:
        raise ConnectionResetError("gone")

    readline = read


def test_it_remembers_the_error_of_a_caller_who_left() -> None:
    kept = KeptInput(Reset(), limit=10)
    with pytest.raises(ConnectionResetError) as raised:
        kept.read(1)
    assert kept.lost is raised.value
