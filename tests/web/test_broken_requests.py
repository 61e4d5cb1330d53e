"""Requests that go wrong in the middle end there, at every door, and no stranger fills our log with them."""

from __future__ import annotations

import logging
import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from contracts.test_store_contract import EVERYTHING
from fakes.canned_control import CannedControl
from fakes.memory_store import MemoryStore
from fakes.served import ACTS, serving_dashboard
from fakes.served_links import serving_links
from logmedic.core.links import Purpose

FORM = "Content-Type: application/x-www-form-urlencoded\r\n"
BROKEN = {
    "a body that ends early": b"Content-Length: 9\r\n\r\nwhy",
    "a chunk without a length": b"Transfer-Encoding: chunked\r\n\r\n\r\n",
    "a length that is no number": b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    "a chunk that is longer than it says": b"Transfer-Encoding: chunked\r\n\r\n1\r\nwhy\r\n0\r\n\r\n",
}
Door = tuple[Callable[[], socket.socket], dict[str, str]]
"""How to connect, and the heads of requests that have a body, by name."""


@contextmanager
def dashboard(room: Path) -> Iterator[Door]:
    with serving_dashboard(CannedControl(MemoryStore((EVERYTHING,)))) as served:
        host = f"Host: {served.netloc}\r\n"
        yield (
            lambda: socket.create_connection(("127.0.0.1", served.port), timeout=10),
            {
                "a form": f"POST /sign-in HTTP/1.1\r\n{host}{FORM}",
                "an order": f"POST /v1/pause HTTP/1.1\r\n{host}Authorization: Bearer {ACTS}\r\n",
                "a form of nobody": f"POST /sign-out HTTP/1.1\r\n{host}{FORM}",
            },
        )


@contextmanager
def links(room: Path) -> Iterator[Door]:
    with serving_links() as behind:
        port = behind.server.doors.port
        yield (
            lambda: socket.create_connection(("127.0.0.1", port), timeout=10),
            {"a form": f"POST {behind.path(Purpose.ACK)} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{FORM}"},
        )


def answered(connected: Callable[[], socket.socket]) -> None:
    """Whoever comes afterwards is served as ever: the loop has looked at what came before."""
    with connected() as wire:
        wire.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert wire.recv(12) == b"HTTP/1.1 403" or wire.recv(65536)


@pytest.mark.parametrize("resets", [False, True], ids=["closed", "reset"])
@pytest.mark.parametrize("rest", BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize("door", [dashboard, links])
def test_what_breaks_off_is_no_error_of_ours(
    door: Callable[[Path], Iterator[Door]], rest: bytes, resets: bool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR), door(tmp_path) as (connected, heads):  # type: ignore[attr-defined]
        for head in heads.values():
            with connected() as wire:
                wire.sendall(head.encode() + rest)
                if resets:  # as a process that is killed, or a firewall
                    wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                else:
                    wire.shutdown(socket.SHUT_WR)
                    wire.recv(65536)
            answered(connected)
    assert [each.getMessage() for each in caplog.records if each.levelno >= logging.ERROR] == []
