"""The report socket as a source: its file, its records, and what it does when more comes than is taken."""

from __future__ import annotations

import asyncio
import grp
import os
import socket
import stat
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from logmedic.adapters.sources.reports.limits import Limits
from logmedic.adapters.sources.reports.source import ReportSource
from logmedic.model.errors import PermanentError
from logmedic.model.record import Checkpoint
from logmedic.unixsocket.listening import listen
from reports.talking import KeptAnswers, Store, report, reporting, running, talking
from tail.collector import SystemClock


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run" / "report.sock"


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


# -- records -----------------------------------------------------------------------------------------------------------


def test_a_report_is_a_record_with_what_its_sender_said_and_who_that_is(path: Path) -> None:
    async def scenario() -> None:
        async with reporting(path) as store, talking(path) as talk:
            talk.say(report(action="charge", message="no answer", request_id="q-17", at="2026-11-26T03:12:41Z"))
            await talk.taken("r1")
            (block,) = store.blocks
            (entry,) = block.entries
            assert block.data.decode().endswith(
                f" web1 checkout[{os.getpid()}]: ERROR charge: TimeoutError: no answer\n"
            )
            assert (entry.start, entry.unit) == (0, "checkout")
            assert entry.fields["uid"] == str(os.geteuid())
            assert entry.fields["request_id"] == "q-17"
            assert entry.report is not None
            assert entry.report.sender.pid == os.getpid()
            assert (block.complete, block.checkpoint.offset) == (True, len(block.data))

    asyncio.run(scenario())


def test_what_waits_is_handed_on_together_and_in_order(path: Path) -> None:
    async def scenario() -> None:
        async with reporting(path, takes=False) as store, talking(path) as talk:
            talk.say(report("first"))
            await store.until(lambda: store.blocks)
            talk.say(*(report(f"r{n}", traceback="  File a\n  File b") for n in range(100)))
            await store.until(lambda: store.source.counts().waiting == 100)
            store.takes.set()
            await talk.taken(*(f"r{n}" for n in range(100)))
            assert store.ids == ["first", *(f"r{n}" for n in range(100))]
            second = store.blocks[1]
            assert second.start == store.blocks[0].checkpoint.offset
            starts = [entry.start for entry in second.entries]
            assert starts == sorted(set(starts))
            assert all(second.data[at - 1 : at] == b"\n" for at in starts[1:])

    asyncio.run(scenario())


def test_one_that_is_asked_about_has_a_block_of_its_own_before_all_others(path: Path) -> None:
    async def scenario() -> None:
        async with reporting(path, takes=False) as store, talking(path) as talk:
            talk.say(report("first"))
            await store.until(lambda: store.blocks)
            talk.say(*(report(f"r{n}") for n in range(50)), report("asked", wait=5))
            await store.until(lambda: store.source.counts().waiting == 51)
            store.takes.set()
            await talk.taken("r49")
            assert [entry.report.id for entry in store.blocks[1].entries if entry.report] == ["asked"]
            assert list(store.answers.asked) == ["asked"]

    asyncio.run(scenario())


def test_positions_go_on_where_an_earlier_daemon_left_them(path: Path) -> None:
    async def scenario() -> None:
        known = Checkpoint(f"reports:{path}", "reports", 5000, datetime(2026, 11, 26, tzinfo=UTC))
        async with reporting(path) as store:
            pass
        async with running(store, {known.origin: known}), talking(path) as talk:
            talk.say(report())
            await talk.taken("r1")
            assert store.blocks[0].start == 5000

    asyncio.run(scenario())


# -- the file ----------------------------------------------------------------------------------------------------------


def test_every_user_of_the_host_may_report(path: Path) -> None:
    async def scenario() -> None:
        async with reporting(path) as store:
            assert mode_of(path) == 0o666
            assert store.source.health()[0]["problem"] == ""
        assert not path.exists()

    asyncio.run(scenario())


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to any group")
def test_with_a_group_only_its_users_may(path: Path) -> None:
    async def scenario() -> None:
        async with reporting(path, group="daemon"):
            assert mode_of(path) == 0o660
            assert path.stat().st_gid == grp.getgrnam("daemon").gr_gid

    asyncio.run(scenario())


def test_a_group_that_is_not_there_lets_nobody_else_in_and_is_told(path: Path) -> None:
    async def scenario() -> None:
        async with reporting(path, group="no-such-group") as store:
            assert mode_of(path) == 0o660
            assert path.stat().st_gid == os.getegid()
            assert "no-such-group" in store.source.health()[0]["problem"]

    asyncio.run(scenario())


def test_the_file_has_its_mode_from_its_first_moment(path: Path) -> None:
    path.parent.mkdir()
    seen: set[int] = set()
    done = threading.Event()

    def watch() -> None:
        while not done.is_set():
            try:
                seen.add(mode_of(path))
            except FileNotFoundError:
                continue

    watcher = threading.Thread(target=watch)
    before = os.umask(0o027)
    watcher.start()
    try:
        for _ in range(300):
            listen(path, 0o666, setting="reports.socket").close()
    finally:
        os.umask(before)
        done.set()
        watcher.join()
    assert seen <= {0o666}


def test_others_come_through_the_directory_that_is_made_for_it_and_no_other_is_changed(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir(mode=0o700)
    before = os.umask(0o077)
    try:
        for directory in ("new", "own"):
            listen(tmp_path / directory / "report.sock", 0o666, setting="reports.socket").close()
    finally:
        os.umask(before)
    assert [mode_of(tmp_path / each) for each in ("new", "own")] == [0o755, 0o700]


def test_one_that_a_killed_daemon_left_behind_is_taken_over(path: Path) -> None:
    path.parent.mkdir()
    for place in (path, path.with_name(".report.sock")):  # killed while it listened, or while it made its file
        with socket.socket(socket.AF_UNIX) as dead:
            dead.bind(str(place))

    async def scenario() -> None:
        async with reporting(path), talking(path) as talk:
            talk.say(report())
            await talk.taken("r1")

    asyncio.run(scenario())


def test_another_living_daemons_is_left_alone(path: Path) -> None:
    async def scenario() -> None:
        async with reporting(path), talking(path):
            with pytest.raises(PermanentError, match="another process answers"):
                async with reporting(path):
                    pass
            async with talking(path):
                pass

    asyncio.run(scenario())


def test_somebody_elses_file_is_left_alone_and_told(path: Path) -> None:
    path.parent.mkdir()
    path.write_text("mine")
    source = ReportSource("reports", clock=SystemClock(), path=path, answers=KeptAnswers(), host="web1")

    async def scenario() -> None:
        with pytest.raises(PermanentError, match="no socket") as refused:
            await anext(source.blocks({}))
        assert "reports.socket" in refused.value.hint
        assert "no socket" in source.health()[0]["problem"]
        path.unlink()
        async with running(Store(source, KeptAnswers())):
            assert source.health()[0]["problem"] == ""

    asyncio.run(scenario())


def test_a_path_that_no_socket_can_have_is_told(tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match="too long"):
        listen(tmp_path / ("x" * 120), 0o666, setting="reports.socket")


def test_the_file_of_a_successor_is_not_taken_away(path: Path) -> None:
    first = listen(path, 0o666, setting="reports.socket")
    path.unlink()
    second = listen(path, 0o666, setting="reports.socket")
    first.close()
    assert path.is_socket()
    second.close()
    assert not path.exists()


# -- when more comes than is taken -------------------------------------------------------------------------------------


def test_reading_stops_before_memory_grows_and_nothing_is_lost(path: Path) -> None:
    limits = Limits(max_per_second=1e6, burst=100_000, waiting_bytes=400_000, user_waiting_bytes=100_000)
    many = [report(f"r{n}", message="x" * 1000) for n in range(1000)]

    async def scenario() -> None:
        async with reporting(path, takes=False, limits=limits) as store, talking(path) as talk:
            talk.say(report("first"))
            await store.until(lambda: store.blocks)
            talk.say(*many)
            flushing = asyncio.create_task(talk.writer.drain())
            await store.until(lambda: "not read" in store.source.health()[0]["problem"])
            most = 100_000 + 2 * 64 * 1024  # what was read at once, and a line that was begun
            assert 0 < store.source.health()[0]["lag_bytes"] <= most
            store.takes.set()
            await talk.taken(*(each["id"] for each in many))
            await flushing
            assert store.ids == ["first", *(each["id"] for each in many)]
            assert store.source.health()[0]["problem"] == ""

    asyncio.run(scenario())


def test_what_was_read_and_not_handed_on_is_not_taken_and_can_be_sent_again(path: Path) -> None:
    async def scenario() -> None:
        async with reporting(path, takes=False) as store, talking(path) as talk:
            talk.say(report("first"))
            await store.until(lambda: store.blocks)
            talk.say(report("second"))
            await store.until(lambda: store.source.counts().waiting == 1)
            await talk.taken("first")
        async with running(store), talking(path) as talk:
            store.takes.set()
            talk.say(report("first"), report("second"))
            await talk.taken("first", "second")
            assert store.ids == ["first", "second"]
            assert store.source.counts().repeated == 1

    asyncio.run(scenario())


def test_who_is_connected_is_hung_up_on_when_the_source_ends(path: Path) -> None:
    async def scenario() -> None:
        async with reporting(path) as store:
            reader, writer = await asyncio.open_unix_connection(str(path))
            await reader.readline()
        assert await reader.read() == b""
        assert store.source.counts().connections == 0
        writer.close()

    asyncio.run(scenario())
