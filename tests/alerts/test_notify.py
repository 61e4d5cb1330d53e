"""sd_notify, to a real datagram socket."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from logmedic.runtime.notify import SystemdNotifier


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[socket.socket, str]]:
    """The service manager's end, and NOTIFY_SOCKET."""
    given = str(tmp_path / "notify") if request.param == "path" else f"@logmedic-test-{os.getpid()}"
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as channel:
        channel.bind(given.replace("@", "\0", 1) if given.startswith("@") else given)
        channel.settimeout(5)
        yield channel, given


def test_each_word_arrives_as_one_datagram(manager: tuple[socket.socket, str]) -> None:
    channel, address = manager
    notifier = SystemdNotifier(address)
    for tell in (notifier.ready, notifier.alive, notifier.stopping):
        tell()
    assert [channel.recv(4096) for _ in range(3)] == [b"READY=1", b"WATCHDOG=1", b"STOPPING=1"]


def test_a_reload_tells_its_time(manager: tuple[socket.socket, str]) -> None:
    channel, address = manager
    SystemdNotifier(address).reloading()
    first, second = channel.recv(4096).decode().splitlines()
    assert first == "RELOADING=1"
    name, _, microseconds = second.partition("=")
    assert name == "MONOTONIC_USEC"
    assert microseconds.isdecimal()


def test_f74_a_status_is_one_line_and_can_tell_nothing_else(manager: tuple[socket.socket, str]) -> None:
    channel, address = manager
    SystemdNotifier(address).status("3 open\nREADY=1\r\nMAINPID=1 \udcff" + "x" * 1000)
    told = channel.recv(4096)
    assert told.startswith(b"STATUS=3 open READY=1 MAINPID=1 ?xxx")
    assert b"\n" not in told
    assert len(told) < 250


@pytest.mark.parametrize("address", [None, "", "/nowhere/at/all", "@logmedic-nobody-listens", "relative", "x" * 200])
def test_where_nobody_listens_nothing_happens(address: str | None) -> None:
    notifier = SystemdNotifier(address)
    notifier.ready()
    notifier.alive()
    notifier.status("well")


def test_a_manager_that_does_not_read_never_stops_the_loop(manager: tuple[socket.socket, str]) -> None:
    channel, address = manager
    notifier = SystemdNotifier(address)
    for _ in range(5000):  # far more than the queue of a datagram socket takes
        notifier.alive()
    assert channel.recv(4096) == b"WATCHDOG=1"
