"""The daemon is not there, cannot be reached, or hangs: the application does not notice."""

from __future__ import annotations

import logging
import os
import socket
import stat
import time
from pathlib import Path

import pytest

from fakes.report_client import client_of, raised, until
from fakes.report_daemon import ReportDaemon, hanging
from logmedic.client.client import Client

SLOW_S = 15.0
"""Far more than a report takes, and far less than any wait for the daemon."""


def absent(tmp_path: Path) -> Path:
    return tmp_path / "nobody"


def no_socket(tmp_path: Path) -> Path:
    (tmp_path / "file").write_text("this is no socket")
    return tmp_path / "file"


def nobody_listens(tmp_path: Path) -> Path:
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(tmp_path / "left"))
    return tmp_path / "left"


def too_long(tmp_path: Path) -> Path:
    return tmp_path / ("x" * 200)


def with_nul(tmp_path: Path) -> Path:
    return Path(f"{tmp_path}/a\0b")


PLACES = (absent, no_socket, nobody_listens, too_long, with_nul)


@pytest.mark.parametrize("place", PLACES, ids=[each.__name__ for each in PLACES])
def test_reports_wait_and_the_application_does_not(tmp_path: Path, place: object) -> None:
    assert callable(place)
    with client_of(place(tmp_path)) as client:
        began = time.monotonic()
        ids = {client.report(raised(ValueError("x"))) for _ in range(50)}
        until(lambda: client._sender.talk.away)
        answer = client.ask("x", wait=30.0)
        assert time.monotonic() - began < SLOW_S
        assert len(ids) == 50
        assert "" not in ids
        assert answer.state == "away"
        until(lambda: client.stats().pending == 51)


@pytest.mark.skipif(os.geteuid() == 0 and not hasattr(os, "setresuid"), reason="needs another user")
def test_a_socket_that_one_may_not_write_to(tmp_path: Path) -> None:
    with ReportDaemon(tmp_path / "s"):
        (tmp_path / "s").chmod(0)
        child = os.fork()
        if child == 0:
            code = 1
            try:
                os.setresuid(65534, 65534, 65534) if os.geteuid() == 0 else None
                client = Client(socket=tmp_path / "s")
                client.report("x")
                code = 0 if client.ask("x", wait=30.0).state == "away" and client.stats().pending == 2 else 2
            finally:
                os._exit(code)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_a_queue_of_connections_that_is_full(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listening, client_of(tmp_path / "s") as client:
        listening.bind(str(tmp_path / "s"))
        listening.listen(0)
        waiting = [socket.socket(socket.AF_UNIX) for _ in range(2)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(str(tmp_path / "s"))
        assert client.ask("x", wait=30.0).state == "away"
        for each in waiting:
            each.close()


def test_a_daemon_that_never_says_anything_counts_as_away(tmp_path: Path) -> None:
    with ReportDaemon(tmp_path / "s", hello=b"") as daemon, client_of(tmp_path / "s") as client:
        began = time.monotonic()
        first, second = client.ask("x", wait=30.0), client.ask("x", wait=30.0)
        assert first.state == second.state == "away"
        assert time.monotonic() - began < SLOW_S
        assert daemon.lines == []
        assert client.stats().pending == 2


def test_a_daemon_that_accepts_and_never_reads(tmp_path: Path) -> None:
    with ReportDaemon(tmp_path / "s", reads=False), client_of(tmp_path / "s", buffer_bytes=4 * 1024 * 1024) as client:
        until(lambda: client.report("first") != "" and client.stats().connected)
        began = time.monotonic()
        for _ in range(900):
            client.report("x" * 4000)
        assert time.monotonic() - began < SLOW_S
        until(lambda: client.stats().pending > 900)
        assert client.ask("x", wait=30.0, known_within=0.01).state == "away"


def test_a_daemon_that_takes_nothing_keeps_the_reports_pending(tmp_path: Path) -> None:
    with ReportDaemon(tmp_path / "s", hanging) as daemon, client_of(tmp_path / "s") as client:
        client.report("x")
        daemon.wait_for_reports(1)
        assert client.flush(0.01) is False
        assert client.stats().pending == 1


def test_what_is_too_much_is_dropped_and_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "logmedic.client"):
        with client_of(tmp_path / "nobody", buffer=10) as client:
            for _ in range(100):
                client.report("x")
            until(lambda: client.stats().dropped + client.stats().pending == 100)
            until(lambda: bool(caplog.records))
            for _ in range(100):
                client.report("x")
            until(lambda: client.stats().dropped + client.stats().pending == 200)
            assert len(caplog.records) == 1
        first, last = caplog.records
    assert f"not delivered to the daemon at {tmp_path}/nobody" in first.getMessage()
    counts = [int(each.getMessage().split()[0]) for each in (first, last)]
    assert sum(counts) == 200


def test_the_bytes_that_wait_are_bounded(tmp_path: Path) -> None:
    with client_of(tmp_path / "nobody", buffer=100_000, buffer_bytes=100_000) as client:
        for _ in range(100):
            client.report("x" * 4000)
        until(lambda: client.stats().dropped + client.stats().pending == 100)
        assert 10 < client.stats().pending < 60


def test_the_end_of_a_client_does_not_wait_for_a_daemon_that_is_away(tmp_path: Path) -> None:
    client = Client(socket=tmp_path / "nobody")
    client.report("x")
    began = time.monotonic()
    client.close(timeout=30.0)
    assert time.monotonic() - began < SLOW_S
    assert client.report("later") == ""
    client.close()


def test_a_client_that_says_nothing_starts_nothing(tmp_path: Path) -> None:
    threads, descriptors = set(os.listdir("/proc/self/task")), sockets_and_pipes()
    client = Client(socket=tmp_path / "nobody", spool=tmp_path / "spool")
    assert client.flush(1.0) is True
    assert set(os.listdir("/proc/self/task")) <= threads
    assert sockets_and_pipes() == descriptors
    client.close()
    assert not (tmp_path / "spool").exists()


def test_a_closed_client_leaves_no_descriptor_behind(tmp_path: Path) -> None:
    with ReportDaemon(tmp_path / "s") as daemon:
        before = sockets_and_pipes()
        with client_of(tmp_path / "s", spool=tmp_path / "spool") as client:
            client.report("x")
            assert client.flush(10.0)
        until(lambda: daemon.open == 0)
        assert sockets_and_pipes() == before


def sockets_and_pipes() -> int:
    kinds = (stat.S_ISSOCK, stat.S_ISFIFO)
    found = 0
    for each in os.listdir("/proc/self/fd"):
        try:
            mode = os.fstat(int(each)).st_mode
        except OSError:
            continue
        found += any(kind(mode) for kind in kinds)
    return found
