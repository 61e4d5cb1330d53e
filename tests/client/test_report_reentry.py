"""Reports out of the middle of something: signal handlers, destructors, the log, and the client's own thread."""

from __future__ import annotations

import gc
import logging
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fakes.report_client import client_of, program, raised, until
from fakes.report_daemon import ReportDaemon
from logmedic.client.client import Client


def test_signal_handlers_report_in_the_middle_of_a_report(tmp_path: Path) -> None:
    text = """
import signal
client = Client(socket=PATH, buffer=100_000, buffer_bytes=1 << 30)
handled = []
signal.signal(signal.SIGALRM, lambda *_: handled.append(client.report("from a handler")))
signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
error = raised(ValueError("x"))
ids = [client.report(error) for _ in range(5000)]
until(lambda: len(handled) > 20)
signal.setitimer(signal.ITIMER_REAL, 0)
assert client.flush(60.0)
assert len({*ids, *handled}) == len(ids) + len(handled) == client.stats().taken
"""
    with ReportDaemon(tmp_path / "s"):
        text = "from fakes.report_client import *\n" + text
        subprocess.run(program(text, PATH=str(tmp_path / "s")), check=True, timeout=120)


def test_destructors_report_while_a_report_is_made(tmp_path: Path) -> None:
    class Cycle:
        def __init__(self) -> None:
            self.itself = self

        def __del__(self) -> None:
            made.append(client.report("from a destructor"))

    made: list[str] = []
    with ReportDaemon(tmp_path / "s"), client_of(tmp_path / "s", buffer_bytes=1 << 30) as client:
        before = gc.get_threshold()
        gc.set_threshold(1)
        try:
            for _ in range(200):
                Cycle()
                client.report(raised(ValueError("x")))
        finally:
            gc.set_threshold(*before)
        until(lambda: gc.collect() >= 0 and len(made) == 200)  # another thread may be collecting: then it does nothing
        assert "" not in made
        assert client.flush(20.0)


class Reporting(logging.Handler):
    """Reports everything that is logged, the client's own words included."""

    def __init__(self, client: Client) -> None:
        super().__init__()
        self.client = client
        self.ids: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.ids.append(self.client.report(record.getMessage()))


@contextmanager
def logged_to(handler: logging.Handler) -> Iterator[None]:
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        yield
    finally:
        root.removeHandler(handler)


def test_what_the_client_logs_is_not_reported_in_turn(tmp_path: Path) -> None:
    with client_of(tmp_path / "nobody", buffer=5) as client:
        handler = Reporting(client)
        with logged_to(handler):
            for _ in range(20):
                client.report("x")
            until(lambda: bool(handler.ids))
            client.close()
        assert set(handler.ids) == {""}


class Failing(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        raise OSError("the log is gone")


def test_a_log_that_fails_does_not_end_the_client(tmp_path: Path) -> None:
    with client_of(tmp_path / "s", buffer=5) as client, logged_to(Failing()):
        for _ in range(20):
            client.report("x")
        until(lambda: client.stats().dropped > 0 and client._sender.losses.due_in(0.0) == float("inf"))
        with ReportDaemon(tmp_path / "s") as daemon:
            assert client.flush(20.0)
            assert daemon.reports


def test_a_program_that_has_no_descriptors_left(tmp_path: Path) -> None:
    text = """
import os, resource
from fakes.report_client import *
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
client = Client(socket=PATH)
taken = []
try:
    while True: taken.append(os.open("/dev/null", os.O_RDONLY))
except OSError: pass
assert client.report("while there were none")
for each in taken: os.close(each)
assert client.report("when there were some again")
assert client.flush(20.0) and client.stats().taken == 2
"""
    with ReportDaemon(tmp_path / "s"):
        subprocess.run(program(text, PATH=str(tmp_path / "s")), check=True, timeout=60)


def test_the_clients_thread_takes_no_signals_away(tmp_path: Path) -> None:
    came: list[int] = []
    with client_of(tmp_path / "nobody") as client:
        client.report("x")
        before = signal.signal(signal.SIGUSR1, lambda number, _: came.append(number))
        try:
            os.kill(os.getpid(), signal.SIGUSR1)
            until(lambda: bool(came))
        finally:
            signal.signal(signal.SIGUSR1, before)


@pytest.mark.parametrize("words", [{"attempts": "three"}, {"tags": 7}, {"impact": None}, {"context": [1]}], ids=str)
def test_words_of_wrong_types_do_not_raise(tmp_path: Path, words: dict[str, object]) -> None:
    with ReportDaemon(tmp_path / "s") as daemon, client_of(tmp_path / "s") as client:
        assert client.report("x", **words)  # type: ignore[arg-type]
        daemon.wait_for_reports(1)
