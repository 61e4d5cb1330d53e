"""A child of the process begins with nothing: what waits, the connection and the thread are its parent's."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from fakes.report_client import client_of, program, until
from fakes.report_daemon import ReportDaemon, hanging, taking
from logmedic.client.client import Client

HEAD = """
import os
from logmedic.client.client import Client, configure, default, report
client = configure(socket=PATH, component="shop")
"""


def in_a_child(work: Callable[[], object]) -> None:
    """`work` has to return in a fork of this process."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_parent_and_child_both_report_on(tmp_path: Path) -> None:
    with ReportDaemon(tmp_path / "s") as daemon, client_of(tmp_path / "s") as client:
        client.report("before")
        assert client.flush(10.0)

        def work() -> None:
            assert client.stats().connected is False
            assert client.report("in the child")
            assert client.flush(10.0)

        in_a_child(work)
        client.report("after")
        assert client.flush(10.0)
        assert {each["message"] for each in daemon.reports} == {"before", "in the child", "after"}
        assert len({each["id"].rsplit("-", 1)[0] for each in daemon.reports}) == 2
        assert daemon.connections == 2


def test_what_waits_is_sent_by_the_parent_alone(tmp_path: Path) -> None:
    with client_of(tmp_path / "s") as client:
        for number in range(20):
            client.report(str(number))
        until(lambda: client._sender.talk.away)

        def work() -> None:
            assert client.stats().pending == 0
            client.close()

        in_a_child(work)
        with ReportDaemon(tmp_path / "s") as daemon:
            assert client.flush(10.0)
            assert len(daemon.reports) == 20


def test_a_child_keeps_no_connection_of_its_parent_open(tmp_path: Path) -> None:
    with ReportDaemon(tmp_path / "s", hanging) as daemon, client_of(tmp_path / "s") as client:
        client.report("x")
        daemon.wait_for_reports(1)
        lives, ends = os.pipe(), os.pipe()

        def work() -> None:
            os.write(lives[1], b".")
            os.read(ends[0], 1)

        child = os.fork()
        if child == 0:
            try:
                work()
            finally:
                os._exit(0)
        os.read(lives[0], 1)
        daemon.script = taking
        client.close()
        daemon.wait_until(lambda: daemon.open == 0)
        os.write(ends[1], b".")
        os.waitpid(child, 0)
        for each in (*lives, *ends):
            os.close(each)


def test_forks_while_other_threads_report(tmp_path: Path) -> None:
    text = (
        HEAD
        + """
import threading
stop = threading.Event()
def work():
    while not stop.is_set():
        report("from a thread")
threads = [threading.Thread(target=work) for _ in range(4)]
for each in threads: each.start()
children = []
for number in range(10):
    child = os.fork()
    if child == 0:
        os._exit(0 if report(f"child {number}") and default().flush(20.0) else 1)
    children.append(child)
codes = [os.waitpid(child, 0)[1] for child in children]
stop.set()
for each in threads: each.join()
sys.exit(any(codes))
"""
    )
    with ReportDaemon(tmp_path / "s") as daemon:
        subprocess.run(program(text, PATH=str(tmp_path / "s")), check=True, timeout=60)
        assert {f"child {number}" for number in range(10)} <= {each["message"] for each in daemon.reports}


def test_a_fork_in_the_clients_own_thread(tmp_path: Path) -> None:
    with ReportDaemon(tmp_path / "s") as daemon, client_of(tmp_path / "s") as client:
        children: list[int] = []

        def told(state: str, seconds: float) -> None:
            child = os.fork()
            if child == 0:
                os._exit(0 if client.report("in the child") and client.flush(10.0) else 1)
            children.append(child)

        client.follow("payments", told)
        daemon.wait_until(lambda: bool(daemon.lines))
        daemon.say({"type": "breaker", "name": "payments", "state": "open", "open_for": 1.0})
        until(lambda: bool(children))
        assert os.waitstatus_to_exitcode(os.waitpid(children[0], 0)[1]) == 0
        client.report("in the parent")
        assert client.flush(10.0)


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_workers_of_multiprocessing_deliver_before_they_end(tmp_path: Path, method: str) -> None:
    text = (
        HEAD
        + f"""
import multiprocessing
def work(number):
    Client(socket=PATH).report(f"worker {{number}}")
if __name__ == "__main__":
    context = multiprocessing.get_context({method!r})
    workers = [context.Process(target=work, args=(number,)) for number in range(3)]
    for each in workers: each.start()
    for each in workers: each.join()
    sys.exit(any(each.exitcode for each in workers))
"""
    )
    command = program(text, PATH=str(tmp_path / "s"))
    script = tmp_path / "workers.py"
    script.write_text(command[2])
    with ReportDaemon(tmp_path / "s") as daemon:
        ran = subprocess.run([command[0], str(script)], stderr=subprocess.PIPE, text=True, check=True, timeout=60)
        assert {each["message"] for each in daemon.reports} == {f"worker {number}" for number in range(3)}
    assert ran.stderr == ""


def test_breakers_are_followed_in_the_child_as_well(tmp_path: Path) -> None:
    with ReportDaemon(tmp_path / "s") as daemon:
        client = Client(socket=tmp_path / "s")
        heard, hears = os.pipe()
        client.follow("payments", lambda state, seconds: os.write(hears, f"{os.getpid()} {state} ".encode()))
        daemon.wait_until(lambda: len(daemon.lines) == 1)
        lives, ends = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                os.read(lives, 1)
            finally:
                os._exit(0)
        daemon.wait_until(lambda: len(daemon.lines) == 2)
        daemon.say({"type": "breaker", "name": "payments", "state": "open", "open_for": 9.0})
        words: set[str] = set()
        while not {str(child), str(os.getpid()), "open"} <= words:
            words |= set(os.read(heard, 100).decode().split())
        os.write(ends, b".")
        os.waitpid(child, 0)
        client.close()
        for each in (heard, hears, lives, ends):
            os.close(each)


def test_what_was_closed_stays_closed_in_the_child(tmp_path: Path) -> None:
    client = Client(socket=tmp_path / "nobody")
    client.report("x")
    client.close()

    def work() -> None:
        assert client.report("y") == ""

    in_a_child(work)
