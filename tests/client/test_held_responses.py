"""Which answers an ASGI server gets at once, which later, and which never."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from fakes.virtual_loop import VirtualLoop
from logmedic.client.http.heldresponse import LONGEST_S, MOST_BYTES, HeldResponse

Message = dict[str, Any]


def start(status: int, *headers: tuple[bytes, bytes]) -> Message:
    return {"type": "http.response.start", "status": status, "headers": list(headers)}


def body(chunk: bytes = b"x", more: bool = False) -> Message:
    return {"type": "http.response.body", "body": chunk, "more_body": more}


class Server:
    """Takes its time over each message, so that an order which is not kept shows."""

    def __init__(self) -> None:
        self.sent: list[Message] = []
        self.gone = False

    async def send(self, message: Message) -> None:
        await asyncio.sleep(0.001)
        if self.gone:
            raise OSError("the caller has gone")
        self.sent.append(message)

    @property
    def kinds(self) -> list[str]:
        return [each["type"].rpartition(".")[2] for each in self.sent]


def played(scene: Callable[[HeldResponse, Server], Awaitable[None]]) -> Server:
    server = Server()

    async def run() -> None:
        await scene(HeldResponse(server.send, b"X-Request-ID", b"r1"), server)

    loop = VirtualLoop()
    try:
        loop.run_until_complete(run())
    finally:
        loop.close()
    return server


@pytest.mark.parametrize("status", [200, 301, 404, 499])
def test_what_is_no_error_goes_out_at_once(status: int) -> None:
    async def scene(response: HeldResponse, server: Server) -> None:
        await response.send(start(status))
        assert response.begun
        assert server.kinds == ["start"]

    played(scene)


@pytest.mark.parametrize("status", [500, 502, 599])
def test_an_error_is_held_until_the_application_is_done(status: int) -> None:
    async def scene(response: HeldResponse, server: Server) -> None:
        await response.send(start(status))
        await response.send(body())
        assert not response.begun
        assert server.sent == []
        await response.release()
        assert response.begun

    assert played(scene).kinds == ["start", "body"]


def test_what_is_held_is_dropped_when_the_application_raised() -> None:
    async def scene(response: HeldResponse, server: Server) -> None:
        await response.send(start(500))
        await response.send(body())
        assert await response.settle()
        await response.release()
        await asyncio.sleep(2 * LONGEST_S)

    assert played(scene).sent == []


def test_what_a_failed_attempt_has_left_running_sends_nothing_any_more() -> None:
    async def scene(response: HeldResponse, server: Server) -> None:
        assert await response.settle()
        with pytest.raises(OSError, match="is over"):
            await response.send(start(200))

    assert played(scene).sent == []


def test_a_long_error_is_not_held() -> None:
    async def scene(response: HeldResponse, server: Server) -> None:
        await response.send(start(500))
        await response.send(body(b"x" * MOST_BYTES, more=True))
        assert server.sent == []
        await response.send(body(b"x", more=True))
        assert server.kinds == ["start", "body", "body"]
        assert not await response.settle()

    played(scene)


def test_a_slow_error_is_not_held_for_longer_than_half_a_second() -> None:
    async def scene(response: HeldResponse, server: Server) -> None:
        await response.send(start(503))
        await response.send(body(more=True))
        await asyncio.sleep(LONGEST_S - 0.01)
        assert server.sent == []
        await asyncio.sleep(0.1)
        assert server.kinds == ["start", "body"]
        await response.send(body())
        assert not await response.settle()

    assert played(scene).kinds == ["start", "body", "body"]


def test_the_order_is_kept_when_the_time_is_over_while_the_application_sends() -> None:
    async def scene(response: HeldResponse, server: Server) -> None:
        await response.send(start(503))
        for n in range(200):
            await asyncio.sleep(LONGEST_S / 100)
            await response.send(body(str(n).encode(), more=True))
        await response.release()

    server = played(scene)
    assert server.kinds[0] == "start"
    assert [each["body"] for each in server.sent[1:]] == [str(n).encode() for n in range(200)]


def test_messages_of_other_kinds_release_it() -> None:
    async def scene(response: HeldResponse, server: Server) -> None:
        await response.send(start(500))
        await response.send({"type": "http.response.pathsend", "path": "/x"})

    assert played(scene).kinds == ["start", "pathsend"]


def test_the_answer_carries_the_requests_id_once() -> None:
    async def scene(response: HeldResponse, server: Server) -> None:
        await response.send(start(200, (b"a", b"1")))

    (sent,) = played(scene).sent
    assert sent["headers"] == [(b"a", b"1"), (b"x-request-id", b"r1")]


def test_the_applications_own_id_stays() -> None:
    async def scene(response: HeldResponse, server: Server) -> None:
        await response.send(start(200, (b"X-REQUEST-ID", b"mine")))

    (sent,) = played(scene).sent
    assert sent["headers"] == [(b"X-REQUEST-ID", b"mine")]


def test_the_error_of_a_server_whose_caller_has_gone_is_remembered() -> None:
    async def scene(response: HeldResponse, server: Server) -> None:
        server.gone = True
        with pytest.raises(OSError, match="has gone") as raised:
            await response.send(start(200))
        assert response.lost is raised.value

    played(scene)


def test_so_it_is_when_nobody_waited_for_the_sending() -> None:
    async def scene(response: HeldResponse, server: Server) -> None:
        await response.send(start(500))
        server.gone = True
        await asyncio.sleep(2 * LONGEST_S)
        assert response.lost is not None
        assert response.begun

    played(scene)
