"""Who reports is the kernel's word, not the sender's; and what one user does is not another's."""

from __future__ import annotations

import asyncio
import json
import os
import pwd
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from logmedic.adapters.sources.reports.guests import Guest
from logmedic.adapters.sources.reports.limits import Bucket, Limits
from logmedic.adapters.sources.reports.session import Session
from logmedic.model.report import Sender
from logmedic.unixsocket.lookups import Lookups
from logmedic.unixsocket.peers import Peer, name_of, peer_of
from reports.talking import WITHIN_S, Store, plain, report, reporting, talking

NOBODY = 65534
NAMELESS = 54321
"""No user of this host."""
AS_ANOTHER = """
import json, os, socket, sys
path, uid, gid, lines, until = sys.argv[1:]
os.setgroups([]); os.setgid(int(gid)); os.setuid(int(uid))
wire = socket.socket(socket.AF_UNIX)
wire.settimeout(20)
wire.connect(path)
wire.sendall(lines.encode())
told = b""
while until.encode() not in told:
    fresh = wire.recv(65536)
    if not fresh:
        break
    told += fresh
sys.stdout.write(told.decode())
"""
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    for parent in tmp_path.parents:
        if parent.stat().st_uid == 0:
            parent.chmod(parent.stat().st_mode | 0o001)
    tmp_path.chmod(0o755)
    return tmp_path / "report.sock"


async def as_another(
    path: Path, *told: dict[str, Any], uid: int = NOBODY, gid: int = NOBODY, until: str = "taken"
) -> list[dict[str, Any]]:
    """What a process of that user is told, until that is among it."""
    lines = "".join(json.dumps(each) + "\n" for each in told)
    command = [sys.executable, "-I", "-c", AS_ANOTHER, str(path), str(uid), str(gid), lines, until]
    ran = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return [json.loads(line) for line in ran.stdout.splitlines()]


def users(store: Store) -> set[str]:
    return {each.sender.user for each in store.reports}


@as_root
def test_the_highest_ids_are_told_as_they_are(path: Path) -> None:
    """Rules name them so: `users: ["uid 4000000000"]`."""

    async def scenario() -> None:
        async with reporting(path) as store:
            await as_another(path, report(), uid=4_000_000_000, gid=4_000_000_001)
            (sent,) = store.reports
            assert (sent.sender.uid, sent.sender.gid, sent.sender.user) == (
                4_000_000_000,
                4_000_000_001,
                "uid 4000000000",
            )

    asyncio.run(scenario())


@as_root
def test_the_record_names_the_user_that_the_kernel_names(path: Path) -> None:
    async def scenario() -> None:
        async with reporting(path) as store:
            said = {"user": "root", "uid": 0, "pid": 1, "sender": {"user": "root"}, "context": {"user": "root"}}
            await as_another(path, report(**said))
            (entry,) = store.blocks[0].entries
            assert entry.fields["user"] == pwd.getpwuid(NOBODY).pw_name
            assert entry.fields["uid"] == str(NOBODY)
            assert entry.fields["pid"] not in ("1", str(os.getpid()))
            assert entry.fields["context.user"] == "root"

    asyncio.run(scenario())


@as_root
def test_a_user_without_a_name_is_a_number(path: Path) -> None:
    async def scenario() -> None:
        async with reporting(path) as store:
            await as_another(path, report(), uid=NAMELESS, gid=NAMELESS)
            assert users(store) == {f"uid {NAMELESS}"}

    asyncio.run(scenario())


@as_root
def test_two_users_may_use_the_same_id(path: Path) -> None:
    async def scenario() -> None:
        async with reporting(path) as store:
            await as_another(path, report("same"))
            await as_another(path, report("same"), uid=NAMELESS)
            await as_another(path, report("same"), uid=NAMELESS)
            assert store.ids == ["same", "same"]

    asyncio.run(scenario())


@as_root
def test_a_breaker_of_one_user_is_not_anothers(path: Path) -> None:
    opened = {"type": "breaker", "name": "payments", "state": "open", "open_for": 60}
    follow = {"type": "follow", "names": ["payments"]}

    async def scenario() -> None:
        async with reporting(path) as store:
            await as_another(path, opened, report("a"))
            told = await as_another(path, follow, report("b"), uid=NAMELESS)
            assert [each["type"] for each in told] == ["hello", "taken"]
            told = await as_another(path, follow, report("c"))
            assert [each["type"] for each in told] == ["hello", "breaker", "taken"]
            assert store.source.counts().breakers == 1

    asyncio.run(scenario())


@as_root
def test_with_a_group_others_do_not_even_connect(path: Path) -> None:
    async def scenario() -> None:
        async with reporting(path, group="daemon") as store:
            with pytest.raises(AssertionError, match="PermissionError"):
                await as_another(path, report())
            await as_another(path, report(), gid=pwd.getpwnam("daemon").pw_gid)
            assert users(store) == {pwd.getpwuid(NOBODY).pw_name}

    asyncio.run(scenario())


@as_root
def test_one_user_that_sends_too_much_is_refused_and_another_is_not(path: Path) -> None:
    async def scenario() -> None:
        async with reporting(path, limits=Limits(max_per_second=0.001, burst=10)) as store:
            told = await as_another(path, *(report(f"r{n}") for n in range(12)), until='"r11"')
            assert [each["id"] for each in told if each["type"] == "refused"] == ["r10", "r11"]
            name = pwd.getpwuid(NOBODY).pw_name
            assert f"reports of {name} are refused" in store.source.health()[0]["problem"]
            await as_another(path, report(), uid=NAMELESS)

    asyncio.run(scenario())


@as_root
def test_one_user_that_fills_its_room_leaves_others_theirs(path: Path) -> None:
    """Nothing is handed on, and all that may wait does: a user of whom nothing waits is read all the same."""
    limits = Limits(max_per_second=1e6, burst=100_000, waiting_bytes=100_000, user_waiting_bytes=100_000)

    async def scenario() -> None:
        async with reporting(path, takes=False, limits=limits) as store, talking(path) as flood:
            flood.say(report("first"))
            await store.until(lambda: store.blocks)
            flood.say(*(report(f"r{n}", message="x" * 1000) for n in range(2000)))
            await store.until(lambda: store.source.health()[0]["problem"])
            before = store.source.counts().waiting
            other = asyncio.create_task(as_another(path, report("other")))
            await store.until(lambda: store.source.counts().waiting == before + 1)
            store.takes.set()
            await asyncio.wait_for(other, WITHIN_S)
            assert "other" in [entry.fields["report_id"] for entry in store.blocks[1].entries]
            await flood.taken("r1999")

    asyncio.run(scenario())


def test_the_kernel_says_which_process_connected(path: Path) -> None:
    async def scenario() -> None:
        async with reporting(path):
            with plain(path) as wire:
                peer = peer_of(wire)
            assert (peer.pid, peer.uid, peer.gid) == (os.getpid(), os.geteuid(), os.getegid())

    asyncio.run(scenario())


class Database:
    """The host's users, who are looked up in threads. `answers`: cleared, it hangs."""

    def __init__(self) -> None:
        self.asked: list[int] = []
        self.answers = threading.Event()

    def __call__(self, uid: int) -> str:
        self.asked.append(uid)
        assert self.answers.wait(WITHIN_S)
        return f"user{uid}"


def test_a_database_of_users_that_hangs_costs_the_name_and_no_report(path: Path) -> None:
    database = Database()

    async def scenario() -> None:
        async with reporting(path, names=Lookups(database, wait_s=0.05)) as store, talking(path) as talk:
            talk.say(report())
            await talk.taken("r1")
            assert users(store) == {f"uid {os.geteuid()}"}

    try:
        asyncio.run(scenario())
    finally:
        database.answers.set()


def test_nothing_is_read_before_the_name_is_known_and_it_is_asked_once(path: Path) -> None:
    database = Database()

    async def scenario() -> None:
        async with reporting(path, names=Lookups(database)) as store, talking(path) as one, talking(path) as two:
            one.say(report("a"))
            two.say(report("b"))
            await store.until(lambda: database.asked)
            database.answers.set()
            await one.taken("a")
            await two.taken("b")
            async with talking(path) as three:
                three.say(report("c"))
                await three.taken("c")
            assert users(store) == {f"user{os.geteuid()}"}
            assert database.asked == [os.geteuid()]

    asyncio.run(scenario())


def test_a_number_that_no_user_can_have_has_no_name() -> None:
    assert name_of(2**32 - 1) == f"uid {2**32 - 1}"
    assert name_of(-5) == "uid -5"
    assert name_of(2**80) == f"uid {2**80}"


class Wire(asyncio.Transport):
    """As asyncio's of Python 3.11.2: it reads after it was paused, until it is told again. `reads`: it does."""

    def __init__(self, connection: socket.socket) -> None:
        super().__init__({"socket": connection})
        self.reads = True
        self._paused = self._begun = False

    def pause_reading(self) -> None:
        if not self._paused:
            self._paused, self.reads, self._begun = True, not self._begun, True

    def resume_reading(self) -> None:
        self._paused, self.reads = False, True

    def is_closing(self) -> bool:
        return False


class House:
    """Hears one session."""

    unread_bytes = 0

    def __init__(self) -> None:
        self.buffer = memoryview(bytearray(1000))
        self.heard: list[bytes | None] = []
        self.guest = Guest(0, Bucket(1, 1, 0.0))

    def arrive(self, session: Session, peer: Peer) -> Guest:
        return self.guest

    def hear(self, session: Session, line: bytes | None) -> None:
        assert session.sender is not None
        self.heard.append(line)

    def cut_off(self, session: Session) -> None: ...

    def leave(self, session: Session) -> None: ...


def test_what_is_read_too_early_waits_for_the_name() -> None:
    house, (here, there) = House(), socket.socketpair()
    session, wire = Session(house), Wire(here)
    with here, there:
        session.connection_made(wire)
        assert wire.reads, "this is what Python 3.11.2 does"
        house.buffer[:9] = b"one\ntwo\nt"
        session.buffer_updated(9)
        assert (house.heard, wire.reads) == ([], False)
        session.welcome(Sender(0, 0, 1, "root"))
        assert (house.heard, wire.reads) == ([b"one", b"two"], True)
        house.buffer[:5] = b"hree\n"
        session.buffer_updated(5)
        assert house.heard[-1] == b"three"
