"""Whoever comes as the daemon stops: nobody is waited for who has asked nothing."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import Any

import pytest

from logmedic.adapters.web.serving import PatientProtocol, serve


async def nothing(scope: Any, receive: Any, send: Any) -> None:
    raise AssertionError("nobody asks anything")


@pytest.mark.parametrize("turns", range(8))
def test_whoever_is_accepted_in_the_moment_of_a_stop_is_let_go(turns: int) -> None:
    """`turns`: of the loop, between the client's coming and the stop: in some of them it is accepted and not known."""

    async def scenario() -> None:
        listener = socket.create_server(("127.0.0.1", 0))
        address = listener.getsockname()
        serving = asyncio.create_task(serve(nothing, listener, protocol=PatientProtocol, connections=8))
        with socket.create_connection(address) as first:  # once this one is answered, it listens
            first.sendall(b"no request\r\n\r\n")
            assert await asyncio.to_thread(first.recv, 100)
            with socket.create_connection(address) as client:
                for _ in range(turns):
                    await asyncio.sleep(0)
                serving.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await serving
                client.settimeout(5)
                with contextlib.suppress(ConnectionResetError):
                    assert client.recv(1) == b""

    asyncio.run(scenario())
