"""The installed side, without a service manager: serve.py over a pair of sockets."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from fixes.steps import PYTHON
from logmedic.adapters.fixes.catalogue import Installable, Use, entry
from logmedic.fixrun import egress, rate, serve
from logmedic.model.match import Capture, CaptureType
from logmedic.model.sandbox import Network, SandboxSpec
from logmedic.model.step import Command, Step

NAME = "0123456789ab"
SERVE = Path(serve.__file__)
US = frozenset({0, os.geteuid()})


@dataclass(frozen=True, slots=True)
class Room:
    """A catalogue of its own, and the meter."""

    path: Path

    def put(self, *argv: str, burst: int = 10, params: dict[str, Capture] | None = None, **changes: Any) -> None:
        step = Step("mend", Command(argv), timeout=timedelta(seconds=10), sandbox=SandboxSpec(**changes))
        named = {name: (each,) for name, each in (params or {}).items()}
        fix = Installable(NAME, step, {"r1": Use("mend", named, 10.0, burst)})
        written = self.path / f"{NAME}.json"
        written.write_text(json.dumps(entry(fix, python=PYTHON, package="/x")))
        written.chmod(0o644)

    @contextmanager
    def metered(self) -> Iterator[serve.Ground]:
        meter = os.open(self.path / "meter", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            yield serve.Ground(str(self.path), meter, US)
        finally:
            os.close(meter)

    def ask(self, request: object, name: str = NAME) -> dict[str, Any]:
        told = request if isinstance(request, bytes) else json.dumps(request).encode() + b"\n"
        ours, theirs = socket.socketpair()
        with ours, theirs, self.metered() as ground:
            ours.sendall(told)
            if not told.endswith(b"\n"):
                ours.shutdown(socket.SHUT_WR)
            serve.answer(theirs, name, ground)
            answer: dict[str, Any] = json.loads(ours.recv(1 << 20))
        return answer


@pytest.fixture
def room(tmp_path: Path) -> Room:
    for each in (tmp_path, *tmp_path.parents):
        if each.stat().st_uid == os.geteuid() and each.stat().st_mode & 0o022 and not each.stat().st_mode & 0o1000:
            each.chmod(each.stat().st_mode & ~0o022)
    return Room(tmp_path)


def ask(captures: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    return {"rule": "r1", "captures": captures or {}, **more}


def test_what_is_installed_is_run_and_its_result_told(room: Room) -> None:
    room.put("/bin/echo", "hello", "{n}", params={"n": Capture(CaptureType.INT)})
    answer = room.ask(ask({"n": "7"}))
    assert (answer["exit_code"], answer["output"], answer["started"]) == (0, "hello 7\n", True)


def test_a_dry_run_says_what_would_be_run_and_runs_nothing(room: Room) -> None:
    room.put("/usr/bin/touch", str(room.path / "{n}"), params={"n": Capture(CaptureType.WORD)})
    answer = room.ask(ask({"n": "made"}, dry=True))
    assert answer["output"] == f"/usr/bin/touch {room.path}/made"
    assert not (room.path / "made").exists()


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "/etc/passwd", "nothing", "", "0123456789AB", f"{NAME}\n", "a" * 12]
)
def test_a_name_that_is_not_installed_is_refused(room: Room, name: str) -> None:
    room.put("/bin/true")
    assert "refused" in room.ask(ask(), name=name)


@pytest.mark.parametrize(
    ("request_", "why"),
    [
        (ask({"n": "x"}), "n is not allowed"),
        (ask({"n": "$(id)"}), "n is not allowed"),
        (ask({}), "n is missing"),
        (ask({"n": "1", "m": "1"}), "'m' is no parameter"),
        ({"rule": "r2", "captures": {"n": "1"}}, "not installed for this rule"),
        (ask({"n": "1"}, argv=["/bin/sh"]), "keys that are not known"),
        (ask({"n": "1"}, dry="yes"), "not of the form"),
        (ask({"n": "1"}, timeout_s=0), "no time"),
        (ask({"n": "1"}, timeout_s=float("nan")), "no time"),
        ([], "keys that are not known"),
        (b"not json\n", "no JSON"),
        (b"[" * 30000 + b"\n", "no JSON"),
        (b"{", "not whole"),
        (b"x" * (serve.REQUEST_LIMIT + 1), "too long"),
    ],
)
def test_what_is_not_exactly_a_request_is_refused(room: Room, request_: object, why: str) -> None:
    room.put("/bin/echo", "{n}", params={"n": Capture(CaptureType.INT)})
    assert why in room.ask(request_)["refused"]


def test_a_refusal_is_told_in_the_journal_in_one_safe_line(room: Room, capfd: pytest.CaptureFixture[str]) -> None:
    room.put("/bin/echo", "{n}", params={"n": Capture(CaptureType.INT)})
    room.ask(ask({"n": "1\n<0>forged \x1b[2J\u202e"}))
    told = capfd.readouterr().err
    assert told.count("\n") == 1
    assert told.startswith(f"<4>fix '{NAME}' of 'r1' 'n'='1\\n<0>forged \\x1b[2J\\u202e' refused: n is not allowed")


def test_what_is_accepted_is_told_in_the_journal(room: Room, capfd: pytest.CaptureFixture[str]) -> None:
    room.put("/bin/false")
    room.ask(ask())
    assert [line.split(" ", 1)[0] + line.rpartition("'r1' ")[2] for line in capfd.readouterr().err.splitlines()] == [
        "<5>fixaccepted",
        "<5>fixdone: exit 1 ",
    ]


def test_a_hundred_quick_requests_are_refused_but_for_the_burst(room: Room) -> None:
    room.put("/bin/true", burst=3)
    answers = [room.ask(ask()) for _ in range(100)]
    assert [("refused" in each) for each in answers] == [False] * 3 + [True] * 97
    assert answers[-1]["refused"] == "it was asked for too often"


def test_what_an_hour_allows_comes_back_with_time(tmp_path: Path) -> None:
    meter = os.open(tmp_path / "meter", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    assert [rate.take(meter, 2, 60.0) for _ in range(3)] == [True, True, False]
    a_minute_ago = time.time() - 61
    os.utime(tmp_path / "meter", (a_minute_ago, a_minute_ago))
    assert [rate.take(meter, 2, 60.0) for _ in range(2)] == [True, False]
    os.close(meter)


def test_f33_a_clock_that_was_ahead_takes_no_more_than_what_an_hour_allows(tmp_path: Path) -> None:
    meter = os.open(tmp_path / "meter", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    assert [rate.take(meter, 2, 60.0) for _ in range(2)] == [True, True]
    a_year_ahead = time.time() + 365 * 86400
    os.utime(tmp_path / "meter", (a_year_ahead, a_year_ahead))
    assert not rate.take(meter, 2, 60.0), "nobody gains by it"
    assert abs(os.fstat(meter).st_mtime - time.time()) < 60, "it leaks from now on"
    os.close(meter)


def test_f60_a_program_that_others_can_write_is_refused(room: Room) -> None:
    program = room.path / "program"
    program.write_text("#!/bin/sh\necho escaped\n")
    room.put(str(program))
    program.chmod(0o777)
    assert "others can write" in room.ask(ask())["refused"]
    program.chmod(0o644)
    assert "no executable file" in room.ask(ask())["refused"]
    program.unlink()
    assert "cannot be looked at" in room.ask(ask())["refused"]


def test_f60_a_link_is_followed_part_by_part(room: Room) -> None:
    open_to_all = room.path / "open"
    open_to_all.mkdir()
    (open_to_all / "program").write_text("#!/bin/sh\n")
    (open_to_all / "program").chmod(0o755)
    open_to_all.chmod(0o777)
    (room.path / "link").symlink_to(open_to_all / "program")
    room.put(str(room.path / "link"))
    assert f"others can write to {open_to_all}" in room.ask(ask())["refused"]


def test_a_loop_of_links_has_an_end(room: Room) -> None:
    (room.path / "a").symlink_to(room.path / "b")
    (room.path / "b").symlink_to(room.path / "a")
    room.put(str(room.path / "a"))
    assert "too many links" in room.ask(ask())["refused"]


def test_an_entry_that_others_can_write_is_refused(room: Room) -> None:
    room.put("/bin/true")
    (room.path / f"{NAME}.json").chmod(0o666)
    assert "others can write" in room.ask(ask())["refused"]


def test_an_entry_of_another_version_is_refused(room: Room) -> None:
    room.put("/bin/true")
    written = room.path / f"{NAME}.json"
    written.write_text(json.dumps({**json.loads(written.read_text()), "form": 99}))
    assert "install fixes" in room.ask(ask())["refused"]


def test_loopback_is_refused_where_nothing_keeps_the_rest_away(room: Room) -> None:
    """No filter is on around tests."""
    assert not egress.is_blocked()
    room.put("/bin/true", network=Network.LOOPBACK)
    assert "filter of addresses" in room.ask(ask())["refused"]


def test_a_step_is_cut_off_at_its_time_and_at_a_shorter_one_that_is_asked_for(room: Room) -> None:
    room.put("/bin/sleep", "60")
    began = time.monotonic()
    assert room.ask(ask(timeout_s=0.3))["detail"] == "killed after 0.3 s"
    assert time.monotonic() - began < 30


@contextmanager
def started(room: Room) -> Iterator[tuple[subprocess.Popen[bytes], socket.socket]]:
    """As the service manager does it."""
    ours, theirs = socket.socketpair()
    program = f"""
import sys
sys.argv = ["serve.py", {NAME!r}]
sys.path.insert(0, {str(SERVE.parents[2])!r})
from logmedic.fixrun import serve, step
step.control(4, 0)
step.follow_parent(__import__("os").getppid())
serve.answer(__import__("socket").socket(fileno=0), {NAME!r}, serve.Ground({str(room.path)!r}, 1))
"""
    with open(room.path / "meter", "ab") as meter:
        process = subprocess.Popen([sys.executable, "-I", "-c", program], stdin=theirs, stdout=meter, stderr=meter)
    theirs.close()
    try:
        yield process, ours
    finally:
        ours.close()
        process.kill()
        process.wait()


def pid_in(path: Path) -> int:
    end = time.monotonic() + 10
    while time.monotonic() < end:
        if path.exists() and path.read_text().endswith("\n"):
            return int(path.read_text())
        time.sleep(0.02)
    raise AssertionError("the step did not start")


def is_gone(pid: int) -> bool:
    end = time.monotonic() + 10
    while time.monotonic() < end:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.02)
    return False


@pytest.mark.parametrize("kind", ["closed", "killed"])
def test_f62_the_step_dies_when_the_daemon_is_gone(room: Room, kind: str) -> None:
    room.put("/bin/sh", "-c", 'echo $$ > "$0.pid"; setsid sleep 60 & exec sleep 60', str(room.path / "x"))
    with started(room) as (process, connection):
        connection.sendall(json.dumps(ask()).encode() + b"\n")
        step = pid_in(room.path / "x.pid")
        if kind == "closed":
            connection.close()
        else:
            process.send_signal(signal.SIGTERM)  # as RuntimeMaxSec does
        assert process.wait(10) == 1
        assert is_gone(step)


def test_a_step_cannot_write_to_the_socket_of_its_runner(room: Room) -> None:
    """It is of the same user. (Root could; that is why a fix is not root.)"""
    room.put("/bin/sh", "-c", 'ls "/proc/$PPID/fd" 2>&1; ls /proc/self/fd')
    if os.geteuid() == 0:
        pytest.skip("root may look into every process: tests/booted shows it for a user of its own")
    with started(room) as (_, connection):
        connection.sendall(json.dumps(ask()).encode() + b"\n")
        answer = json.loads(connection.makefile().readline())
    assert "Permission denied" in answer["output"]


def test_nothing_of_the_runner_is_open_in_the_step(room: Room) -> None:
    room.put("/bin/ls", "-l", "/proc/self/fd")
    assert "socket:" not in room.ask(ask())["output"]


def test_rules_that_share_a_step_have_parameters_of_their_own(room: Room) -> None:
    step = Step("mend", Command(("/bin/echo", "{n}")), timeout=timedelta(seconds=10))
    one = Use("mend", {"n": (Capture(CaptureType.INT, maximum=1),)}, 1.0, 9)
    two = replace(one, params={"n": (Capture(CaptureType.INT, maximum=2),)})
    written = room.path / f"{NAME}.json"
    written.write_text(
        json.dumps(entry(Installable(NAME, step, {"one": one, "two": two}), python=PYTHON, package="/x"))
    )
    told = {rule: "refused" in room.ask({"rule": rule, "captures": {"n": "2"}}) for rule in ("one", "two", "", "none")}
    assert told == {"one": True, "two": False, "": False, "none": True}
