"""Whoever may connect may be hostile: nothing that is said, or not said, holds the daemon up or fills its memory."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import socket
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logmedic.adapters.sources.reports.limits import Limits
from logmedic.model.report import Answer, AnswerState
from reports.talking import Talk, plain, report, reporting, talking

PLENTY = Limits(max_per_second=1e6, burst=1_000_000)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "report.sock"


async def still_takes(talk: Talk, report_id: str = "still") -> None:
    talk.say(report(report_id))
    await talk.taken(report_id)


@pytest.mark.parametrize(
    "said",
    [
        b"hello\n",
        b"\x00\xff\xfe\x80\n",
        b"[1, 2]\n",
        b"null\n",
        b'"report"\n',
        b"{" * 60_000 + b"\n",
        b"[" * 60_000 + b"]" * 5_000 + b"\n",
        b'{"type":"report"}\n',
        b'{"type":"report","id":"../../etc","component":"c","error":"E"}\n',
        b'{"type":"report","id":"a","component":"1c","error":"E"}\n',
        b'{"type":"report","id":"a","component":"c"}\n',
        b'{"type":"report","id":"a","component":"c","error":"E","wait":-1}\n',
        b'{"type":"report","id":"a","component":"c","error":"E","wait":NaN}\n',
        b'{"type":"report","id":"a","component":"c","error":"E","wait":1e999}\n',
        b'{"type":"report","id":"a","component":"c","error":"E","context":{"a":{"b":1}}}\n',
        b'{"type":"report","id":"a","component":"c","error":"E","attempts":' + b"9" * 5000 + b"}\n",
        b'{"type":"report","id":"a","component":"c","error":"' + b"E" * 64_000 + b'"}\n',
        b"GET / HTTP/1.1\nHost: localhost\n\n",
        b"\r\n\r\n\n \n",
        b'{"type":"report","id":"a","component":"c","error":"\\ud800"}\n',
        b'{"type":"report","id":"a","component":"c","error":"\xed\xa0\x80"}\n',
        b"y" * 200_000 + b"\n",
    ],
    ids=lambda said: repr(said[:40]),
)
def test_whatever_is_said_the_connection_goes_on(path: Path, said: bytes) -> None:
    async def scenario() -> None:
        async with reporting(path, limits=PLENTY) as store, talking(path) as talk:
            talk.say(said)
            await still_takes(talk)
            assert store.ids[-1] == "still"

    asyncio.run(scenario())


@settings(max_examples=25, deadline=None)
@given(st.lists(st.binary(max_size=300), max_size=8))
def test_no_bytes_end_anything(tmp_path_factory: pytest.TempPathFactory, said: list[bytes]) -> None:
    path = tmp_path_factory.mktemp("bytes") / "s"

    async def scenario() -> None:
        async with reporting(path, limits=PLENTY), talking(path) as talk:
            talk.say(*said, b"\n")
            await still_takes(talk)

    asyncio.run(scenario())


def test_control_characters_reach_no_record(path: Path) -> None:
    async def scenario() -> None:
        async with reporting(path) as store, talking(path) as talk:
            talk.say(report(message="a\x1b[2Jb\u202ec\nroot: fake line", action="x\r\ny"))
            await talk.taken("r1")
            assert len(store.blocks[0].entries) == 1
            assert store.blocks[0].data.count(b"\n") == 1
            assert b"\x1b" not in store.blocks[0].data

    asyncio.run(scenario())


def test_a_line_that_never_ends_is_refused_once_and_takes_no_room(path: Path) -> None:
    async def scenario() -> None:
        async with reporting(path, limits=PLENTY) as store, talking(path) as talk:
            for _ in range(200):
                talk.say(b"x" * 50_000)
                await talk.writer.drain()
            assert (await talk.next())["reason"] == "size"
            talk.say(b"\n")
            await still_takes(talk)
            assert store.source.counts().refused == {"size": 1}

    asyncio.run(scenario())


def test_lines_that_come_a_byte_at_a_time_keep_nobody_waiting(path: Path) -> None:
    async def scenario() -> None:
        async with reporting(path, limits=PLENTY), talking(path) as talk:
            slow = [plain(path) for _ in range(40)]
            line = json.dumps(report("slow")).encode()
            for at in range(len(line)):
                for each in slow:
                    each.send(line[at : at + 1])
                if at % 20 == 0:
                    await still_takes(talk, f"still{at}")
            for each in slow:
                each.close()

    asyncio.run(scenario())


def test_whoever_does_not_read_what_it_is_told_is_cut_off_and_counted(path: Path) -> None:
    async def scenario() -> None:
        async with reporting(path, limits=PLENTY) as store, talking(path) as other:
            deaf = plain(path)
            deaf.setblocking(False)
            sent = 0
            while store.source.counts().cut_off == 0:
                try:
                    sent += deaf.send(b"?\n" * 1000)
                except BlockingIOError:
                    pass
                except OSError:
                    break
                await asyncio.sleep(0)
                assert sent < 50_000_000, "it was told all of this, and read none of it"
            await store.until(lambda: store.source.counts().cut_off == 1)
            await still_takes(other)
            deaf.close()

    asyncio.run(scenario())


def test_an_answer_that_nobody_reads_holds_up_nobody_else(path: Path) -> None:
    async def scenario() -> None:
        async with reporting(path, limits=Limits(unread_bytes=0)) as store, talking(path) as other:
            deaf = plain(path)
            deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
            deaf.sendall(json.dumps(report("asked", wait=60)).encode() + b"\n")
            await store.until(lambda: "asked" in store.answers.asked)
            for _ in range(2000):
                store.answers.asked["asked"](Answer("asked", AnswerState.FIXING, final=False, detail="x" * 1000))
            await store.until(lambda: store.answers.taken_back == ["asked"])
            assert store.source.counts().cut_off == 1
            await still_takes(other)
            deaf.close()

    asyncio.run(scenario())


@pytest.mark.parametrize("places", range(6))
def test_who_hangs_up_leaves_nothing_behind(path: Path, places: int) -> None:
    """Before it says anything; in the middle of a line; behind one; with one that is asked about; that follows."""
    said = [
        b"",
        b'{"type":"rep',
        json.dumps(report("hung")).encode() + b"\n",
        json.dumps(report("hung", wait=60)).encode() + b"\n",
        b'{"type":"follow","names":["a","b"]}\n{"type":"breaker","name":"a","state":"open","open_for":5}\n',
        b"?\n" * 2000,
    ][places]

    async def scenario() -> None:
        async with reporting(path, limits=PLENTY) as store, talking(path) as talk:
            for hard in (False, True):
                for _ in range(10):
                    with plain(path) as gone:
                        if hard:  # with answers that were not read
                            await asyncio.to_thread(gone.recv, 1)
                        gone.sendall(said)
            await still_takes(talk)
            await store.until(lambda: store.source.counts().connections == 1)
            counts = store.source.counts()
            assert (counts.waiting, counts.questions) == (0, 0)
            assert set(store.ids) <= {"hung", "still"}

    asyncio.run(scenario())


def test_ten_thousand_connections_leave_the_daemon_as_it_was(path: Path) -> None:
    async def scenario() -> None:
        async with reporting(path) as store, talking(path) as talk:
            before = len(os.listdir("/proc/self/fd"))
            for batch in range(200):
                knocking = [plain(path) for _ in range(50)]
                await asyncio.sleep(0)
                for each in knocking:
                    each.close()
                if batch % 50 == 0:
                    await still_takes(talk, f"still{batch}")
            await store.until(lambda: store.source.counts().connections == 1)
            await still_takes(talk)
            await store.until(lambda: len(os.listdir("/proc/self/fd")) <= before)

    asyncio.run(scenario())


def test_many_that_stay_are_turned_away_and_their_descriptors_closed(path: Path) -> None:
    async def scenario() -> None:
        async with reporting(path) as store, talking(path) as talk:
            before = len(os.listdir("/proc/self/fd"))
            crowd: list[socket.socket] = []
            for _ in range(500):
                crowd.append(plain(path))
                await asyncio.sleep(0)
            await store.until(lambda: store.source.counts().turned_away == 500 - 63)
            assert store.source.counts().connections == 64
            await store.until(lambda: len(os.listdir("/proc/self/fd")) <= before + 500 + 63)
            await still_takes(talk)
            for each in crowd:
                each.close()
            await store.until(lambda: store.source.counts().connections == 1)

    asyncio.run(scenario())


def test_a_flood_stops_at_its_budget_and_not_in_memory(path: Path) -> None:
    """Four connections send what is refused, and read nothing of it."""

    async def scenario() -> None:
        async with reporting(path, limits=Limits(max_per_second=50, burst=50)) as store:
            flood = [plain(path) for _ in range(4)]
            line = json.dumps(report("f" * 60, message="x" * 3000)).encode() + b"\n"
            for each in flood:
                each.setblocking(False)
            refused = 0
            for _ in range(300):
                for each in flood:
                    try:
                        each.send(line * 10)
                    except BlockingIOError:
                        refused += 1
                    except OSError:
                        continue
                await asyncio.sleep(0)
            assert refused, "nothing held it back"
            assert store.source.counts().waiting <= 50
            for each in flood:
                each.close()
            await store.until(lambda: store.source.counts().connections == 0)

    asyncio.run(scenario())
    gc.collect()
