"""The Unix socket: whom it knows, whom it lets act, and what it says to browsers that others have sent."""

from __future__ import annotations

import asyncio
import grp
import json
import os
import pwd
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from contracts.test_store_contract import EVERYTHING
from fakes.served import serving
from logmedic.adapters.web.operators import Operators, looked_up
from logmedic.unixsocket import lookups
from logmedic.unixsocket.peers import Peer

ANOTHER = 65534
"""No user that the daemon runs as."""
AS_ANOTHER = """
import os, socket, sys
path, gid, *lines = sys.argv[1:]
os.setgroups([]); os.setgid(int(gid)); os.setuid(65534)
for line in lines:
    with socket.socket(socket.AF_UNIX) as wire:
        wire.connect(path)
        wire.sendall(f"{line} HTTP/1.1\\r\\nHost: logmedic\\r\\n".encode())
        wire.sendall(b"Content-Length: 0\\r\\nConnection: close\\r\\n\\r\\n")
        print(wire.recv(65536).split()[1].decode())
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run" / "logmedic.sock"


def ask(path: Path, method: str, target: str, **headers: str) -> tuple[int, Any]:
    connection = HTTPConnection("logmedic")
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.settimeout(10)
    connection.sock.connect(str(path))
    connection.request(method, target, headers={name.replace("_", "-"): value for name, value in headers.items()})
    response = connection.getresponse()
    text = response.read()
    connection.close()
    return response.status, json.loads(text) if text.startswith((b"{", b"[")) else text


def as_another(path: Path, *lines: str, gid: int = ANOTHER) -> list[str]:
    path.chmod(0o666)
    for parent in path.parents:
        if parent.stat().st_uid == 0:
            parent.chmod(parent.stat().st_mode | 0o001)
    command = [sys.executable, "-I", "-c", AS_ANOTHER, str(path), str(gid), *lines]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
class TestAnotherUser:
    ACT = "POST /v1/incidents/3-i1/approve"

    def test_may_look_and_not_act(self, path: Path) -> None:
        with serving(path, EVERYTHING) as control:
            assert as_another(path, "GET /v1/counts", self.ACT) == ["200", "403"]
        assert control.did == []

    def test_acts_as_an_operator_by_name(self, path: Path) -> None:
        name = pwd.getpwuid(ANOTHER).pw_name
        with serving(path, EVERYTHING, operators=Operators([name])) as control:
            assert as_another(path, self.ACT) == ["200"]
        assert control.did == [("approve", "0193-i1", name)]

    def test_acts_as_an_operator_by_group(self, path: Path) -> None:
        group = grp.getgrgid(pwd.getpwuid(ANOTHER).pw_gid).gr_name
        with serving(path, EVERYTHING, operators=Operators([f"@{group}"])) as control:
            assert as_another(path, self.ACT, gid=ANOTHER) == ["200"]
        assert control.did == [("approve", "0193-i1", pwd.getpwuid(ANOTHER).pw_name)]

    def test_acts_in_a_group_that_only_its_process_is_in(self, path: Path) -> None:
        group = grp.getgrnam("daemon")
        with serving(path, EVERYTHING, operators=Operators(["@daemon"])):
            assert as_another(path, self.ACT, gid=group.gr_gid) == ["200"]

    def test_does_not_act_for_operators_that_are_others(self, path: Path) -> None:
        with serving(path, EVERYTHING, operators=Operators(["nobody-of-that-name", "@no-such-group", "@daemon"])):
            assert as_another(path, self.ACT) == ["403"]


def test_a_group_counts_when_the_host_says_that_the_user_is_in_it() -> None:
    user = pwd.getpwuid(ANOTHER)
    group = grp.getgrgid(user.pw_gid).gr_name
    assert looked_up(Peer(ANOTHER, 1), [f"@{group}"]) == (user.pw_name, True)
    assert looked_up(Peer(ANOTHER, 1), ["@no-such-group"]) == (user.pw_name, False)


def test_a_user_whom_the_host_does_not_know_is_a_number() -> None:
    assert looked_up(Peer(54321, 54321), ["54321"]) == ("uid 54321", False)


class Database:
    """The host's users, asked in threads. `ready`: cleared, it does not answer."""

    def __init__(self) -> None:
        self.asked = 0
        self.ready = threading.Event()
        self.ready.set()

    def __call__(self, peer: Peer, names: Sequence[str]) -> tuple[str, bool]:
        self.asked += 1
        assert self.ready.wait(10)
        return "alice", True


def test_the_host_is_asked_once_a_minute_for_each_user() -> None:
    now = [0.0]
    database = Database()
    operators = Operators(["alice"], clock=lambda: now[0], lookup=database)

    async def many() -> None:
        await asyncio.gather(*(operators.caller(Peer(1000, 1000)) for _ in range(50)))

    asyncio.run(many())
    assert database.asked == 1
    now[0] = lookups.KEPT_S + 1
    asyncio.run(many())
    assert database.asked == 2


def test_a_database_that_hangs_holds_nobody_else_up() -> None:
    database = Database()
    database.ready.clear()
    operators = Operators(["alice"], lookup=database, wait_s=0.05)

    async def asked() -> tuple[Any, Any]:
        try:
            return await asyncio.gather(operators.caller(Peer(1000, 1000)), operators.caller(Peer(os.geteuid(), 0)))
        finally:
            database.ready.set()

    unknown, own = asyncio.run(asked())
    assert (unknown.name, unknown.may_act) == ("uid 1000", False)
    assert own.may_act


def test_many_users_take_no_more_room_than_some() -> None:
    operators = Operators(lookup=lambda peer, _: (f"u{peer.uid}", False))

    async def many() -> None:
        for uid in range(2000, 2000 + 3 * lookups.MOST_KEPT):
            await operators.caller(Peer(uid, uid))

    asyncio.run(many())
    assert operators.known <= lookups.MOST_KEPT


@pytest.mark.parametrize(
    "host", ["logmedic", "localhost", "localhost:8632", "127.0.0.1:9999", "[::1]", "[::1]:8632", "LOCALHOST:1"]
)
def test_what_people_call_a_forwarded_socket_is_known(path: Path, host: str) -> None:
    with serving(path):
        assert ask(path, "GET", "/v1/counts", Host=host)[0] == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "10.0.0.1", "localhost:", "localhost:x", "a"],
)
def test_a_name_that_another_site_gave_us_is_refused(path: Path, host: str) -> None:
    with serving(path):
        status, told = ask(path, "GET", "/v1/incidents", Host=host)
    assert status == 403
    assert "not called that" in told["error"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:1"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
        {"Sec_Fetch_Site": "none", "Origin": "http://localhost:8632"},
    ],
    ids=str,
)
def test_no_other_site_acts_through_a_browser(path: Path, headers: dict[str, str]) -> None:
    with serving(path, EVERYTHING) as control:
        status, _ = ask(path, "POST", "/v1/incidents/3-i1/approve", Host="localhost:8632", **headers)
    assert status == 403
    assert control.did == []


def test_a_browser_of_our_own_page_acts(path: Path) -> None:
    own = {"Host": "localhost:8632", "Origin": "http://localhost:8632", "Sec_Fetch_Site": "same-origin"}
    with serving(path, EVERYTHING) as control:
        assert ask(path, "POST", "/v1/incidents/3-i1/approve", **own)[0] == 200
    assert len(control.did) == 1


def test_the_pages_are_on_the_socket_as_well(path: Path) -> None:
    with serving(path, EVERYTHING):
        status, page = ask(path, "GET", "/incidents", Host="localhost:8632", Accept="text/html")
    assert status == 200
    assert page.startswith(b"<!doctype html>")


def test_nobody_signs_in_where_there_is_no_port(path: Path) -> None:
    with serving(path):
        status, told = ask(path, "POST", "/v1/sign-in")
    assert status == 404
    assert "web: { dashboard:" in told["hint"]
