"""ports.Source, by everything that implements it here: real files, pipes, children, journal files and sockets."""

from __future__ import annotations

import asyncio
import json
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from fakes.manual_wake import ManualDiscovery, ManualWake
from faults.children import descendants
from logmedic.adapters.sources.command import CommandSource
from logmedic.adapters.sources.files import FileSource
from logmedic.adapters.sources.journal import JournalSource
from logmedic.adapters.sources.reports.source import ReportSource
from logmedic.adapters.sources.stdin import StdinSource
from logmedic.adapters.sources.syslog import SyslogSource
from logmedic.model.record import Block, Checkpoint
from logmedic.ports import ManyOrigins, Source
from reports.talking import KeptAnswers
from tail.collector import Collector, SystemClock, append
from tail.journals import log_to

NAME = "source"
CLOCK = SystemClock()
KEYS = {"origin", "offset", "size", "lag_bytes", "last_read_at", "problem"}


@dataclass
class Place:
    """Where a source of one kind reads. `source`: made anew, as after a restart. `say`: give it lines while it runs.
    `text`: what a line says, without what the kind adds."""

    source: Callable[[], Source]
    say: Callable[..., Awaitable[None]]
    text: Callable[[str], str] = lambda line: line


def _files(room: Path, *, once: bool = False) -> FileSource:
    wake, discovery = ManualWake(), ManualDiscovery()
    return FileSource(
        NAME, [str(room / "app.log")], clock=CLOCK, wake=wake, discovery=discovery, from_start=True, once=once, **HASTE
    )


HASTE: dict[str, Any] = {"reconcile_s": 0.02, "partial_timeout_s": 60.0}


@asynccontextmanager
async def _a_file(room: Path) -> AsyncIterator[Place]:
    (room / "app.log").touch()

    async def say(*lines: str) -> None:
        append(room / "app.log", *lines)

    yield Place(lambda: _files(room), say)


@asynccontextmanager
async def _standard_input(room: Path) -> AsyncIterator[Place]:
    reading, writing = os.pipe()

    async def say(*lines: str) -> None:
        os.write(writing, "".join(f"{line}\n" for line in lines).encode())

    try:
        with os.fdopen(reading, "rb", buffering=0) as stream:
            yield Place(lambda: StdinSource(NAME, stream=stream, clock=CLOCK), say)
    finally:
        os.close(writing)


@asynccontextmanager
async def _a_command(room: Path) -> AsyncIterator[Place]:
    fifo = room / "fifo"
    os.mkfifo(fifo)
    writing = os.open(fifo, os.O_RDWR)

    async def say(*lines: str) -> None:
        os.write(writing, "".join(f"{line}\n" for line in lines).encode())

    try:
        yield Place(lambda: CommandSource(NAME, ["cat", str(fifo)], clock=CLOCK), say)
    finally:
        os.close(writing)


@asynccontextmanager
async def _the_journal(room: Path) -> AsyncIterator[Place]:
    journal = room / "a.journal"
    log_to(journal, "before", fields={"_SYSTEMD_UNIT": "other.service"})

    async def say(*lines: str) -> None:
        await asyncio.to_thread(log_to, journal, *lines)

    def source() -> Source:
        return JournalSource(
            NAME,
            clock=CLOCK,
            directory=str(room),
            units=["shop.service"],
            from_start=True,
            stall_s=2.0,  # journalctl is told of what a mapping wrote by chance only: the source finds the rest (F28)
        )

    yield Place(source, say, text=lambda line: line.partition("]: ")[2])


@asynccontextmanager
async def _syslog(room: Path, kind: str) -> AsyncIterator[Place]:
    made: list[SyslogSource] = []
    where: dict[str, Any] = {"unix": room / "log"} if kind == "unix" else {kind: 0}

    def source() -> Source:
        made.append(SyslogSource(NAME, clock=CLOCK, **where))
        return made[-1]

    async def say(*lines: str) -> None:
        while not made[-1].health():  # it does not listen yet
            await asyncio.sleep(0.001)
        messages = [f"<13>{line}\n".encode() for line in lines]
        if kind == "tcp":
            _, writer = await asyncio.open_connection("127.0.0.1", made[-1].ports[kind])
            writer.writelines(messages)
            await writer.drain()
            writer.close()
            await writer.wait_closed()
            return
        await asyncio.to_thread(send, messages)  # who waits for room in a Unix socket waits for this loop

    def send(messages: list[bytes]) -> None:
        family = socket.AF_UNIX if kind == "unix" else socket.AF_INET
        address = str(room / "log") if kind == "unix" else ("127.0.0.1", made[-1].ports[kind])
        with socket.socket(family, socket.SOCK_DGRAM) as sender:
            for message in messages:
                sender.sendto(message, address)

    yield Place(source, say)


@asynccontextmanager
async def _reports(room: Path) -> AsyncIterator[Place]:
    made: list[ReportSource] = []
    ids = count()

    def source() -> Source:
        made.append(ReportSource(NAME, clock=CLOCK, path=room / "s", answers=KeptAnswers(), host="web1"))
        return made[-1]

    async def say(*lines: str) -> None:
        while not made[-1].is_listening:
            await asyncio.sleep(0.001)
        _, writer = await asyncio.open_unix_connection(str(room / "s"))
        for line in lines:  # a report says something
            told = {"type": "report", "id": f"r{next(ids)}", "component": "app", "error": "E", "message": line or "-"}
            writer.write(json.dumps(told).encode() + b"\n")
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    yield Place(source, say, text=lambda line: line.partition("ERROR E: ")[2].replace("-", ""))


PLACES: dict[str, Callable[[Path], Any]] = {
    "files": _a_file,
    "stdin": _standard_input,
    "command": _a_command,
    "journal": _the_journal,
    "syslog, udp": lambda room: _syslog(room, "udp"),
    "syslog, tcp": lambda room: _syslog(room, "tcp"),
    "syslog, unix": lambda room: _syslog(room, "unix"),
    "reports": _reports,
}
every_kind = pytest.mark.parametrize("kind", PLACES)
with_positions = pytest.mark.parametrize("kind", ["files", "journal"])
OTHERS = ("files", "journal", "reports")
"""Reports are sent once, and never read again; but their positions go on, and never mean what others meant."""
without_positions = pytest.mark.parametrize("kind", [kind for kind in PLACES if kind not in OTHERS])


def said(place: Place, *parts: Collector) -> list[str]:
    return [place.text(line) for seen in parts for line in seen.lines]


async def until_said(place: Place, seen: Collector, *lines: str) -> None:
    await seen.until(lambda: len(seen.lines) >= len(lines))
    assert said(place, seen) == list(lines)


@every_kind
def test_lines_come_whole_in_order_and_soon(tmp_path: Path, kind: str) -> None:
    async def scenario() -> None:
        async with PLACES[kind](tmp_path) as place, Collector(place.source()) as seen:
            await place.say("one", "", "three")
            await seen.until(lambda: seen.lines)
            await place.say(*(f"line {number}" for number in range(500)))
            await seen.until(lambda: said(place, seen)[-1:] == ["line 499"])
            wanted = ["one", "", "three", *(f"line {number}" for number in range(500))]
            assert said(place, seen) == wanted
            assert all(block.data.endswith(b"\n") for block in seen.blocks)
            assert {block.source for block in seen.blocks} == {NAME} == {seen.source.name}
            assert seen.lost_bytes == 0

    asyncio.run(scenario())


@every_kind
def test_each_checkpoint_is_the_position_after_its_block_and_the_next_one_begins_there(
    tmp_path: Path, kind: str
) -> None:
    async def scenario() -> None:
        async with PLACES[kind](tmp_path) as place, Collector(place.source()) as seen:
            for number in range(3):
                await place.say(f"line {number}", "and more")
                await seen.until(lambda: len(seen.lines) == 2 * (number + 1))  # noqa: B023
        at = 0
        for block in seen.blocks:
            assert (block.start, block.checkpoint.offset) == (at, at + len(block.data))
            assert (block.checkpoint.origin, block.checkpoint.source) == (block.origin, NAME)
            at = block.checkpoint.offset
        assert len({block.origin for block in seen.blocks}) == 1

    asyncio.run(scenario())


@every_kind
def test_health_has_a_row_an_origin_with_the_same_keys(tmp_path: Path, kind: str) -> None:
    async def scenario() -> None:
        async with PLACES[kind](tmp_path) as place, Collector(place.source()) as seen:
            await seen.until(seen.source.health)
            (before,) = seen.source.health()
            assert set(before) == KEYS
            assert (before["offset"], before["last_read_at"], before["problem"]) == (0, None, "")
            await place.say("one")
            await seen.until(lambda: seen.lines)
            await seen.until(lambda: seen.source.health()[0]["lag_bytes"] == 0)
            (row,) = seen.source.health()
            assert set(row) == KEYS
            if isinstance(seen.source, ManyOrigins):
                assert list(seen.source.lags()) == [(row["origin"], row["lag_bytes"], row["problem"])]
            assert row["last_read_at"].endswith("Z")
            assert (row["origin"], row["offset"], row["size"], row["problem"]) == (
                seen.blocks[0].origin,
                len(seen.text),
                len(seen.text),
                "",
            )

    asyncio.run(scenario())


@with_positions
@pytest.mark.parametrize("blocks", [1, 2, 3])
def test_a_restart_at_any_block_neither_doubles_nor_loses(tmp_path: Path, kind: str, blocks: int) -> None:
    async def scenario() -> None:
        async with PLACES[kind](tmp_path) as place:
            known: dict[str, Checkpoint] = {}
            first = await taken(place, known, blocks)
            await place.say("while nobody reads")
            async with Collector(place.source(), known) as rest:
                await place.say("the end")
                await rest.until(lambda: said(place, rest)[-1:] == ["the end"])
            lines = [line for block in first for line in block.data.decode().splitlines()]
            words = [f"line {number}" for number in range(3)]
            assert [place.text(line) for line in lines] + said(place, rest) == [
                *words,
                "while nobody reads",
                "the end",
            ]

    asyncio.run(scenario())


async def taken(place: Place, known: dict[str, Checkpoint], number: int) -> list[Block]:
    """The first blocks with lines, each of its own line; `known` has the position behind the last of them."""
    got: list[Block] = []
    async with aclosing(place.source().blocks({})) as blocks:
        say = asyncio.create_task(place.say("line 0"))
        async for block in blocks:
            known[block.origin] = block.checkpoint
            if block.data:
                got.append(block)
                await place.say(f"line {len(got)}") if len(got) < 3 else None
            if len(got) == number:
                break
        await say
    for left in range(number + 1, 3):
        await place.say(f"line {left}")
    return got


@without_positions
def test_a_position_of_an_earlier_run_means_nothing_and_what_comes_is_read(tmp_path: Path, kind: str) -> None:
    async def scenario() -> None:
        async with PLACES[kind](tmp_path) as place:
            async with Collector(place.source()) as first:
                await place.say("one", "two")
                await until_said(place, first, "one", "two")
            async with Collector(place.source(), first.checkpoints) as second:
                await place.say("three")
                await until_said(place, second, "three")
                assert second.blocks[0].start == 0

    asyncio.run(scenario())


def held() -> tuple[list[str], list[int]]:
    """The descriptors of this process, and what it started."""
    descriptors = []
    for name in os.listdir("/proc/self/fd"):
        try:
            descriptors.append(os.readlink(f"/proc/self/fd/{name}"))
        except FileNotFoundError:  # the one that lists
            continue
    return sorted(descriptors), sorted(descendants(os.getpid()))


@every_kind
@pytest.mark.parametrize("when", ["while it waits", "in the middle", "before the first"])
def test_stopped_at_any_time_it_leaves_no_descriptor_and_no_child(tmp_path: Path, kind: str, when: str) -> None:
    async def scenario() -> None:
        async with PLACES[kind](tmp_path) as place:
            before = held()
            source = place.source()
            if when == "in the middle":  # nobody waits for its next block: it is closed
                async with aclosing(source.blocks({})) as blocks:
                    saying = asyncio.create_task(place.say("one"))
                    await anext(blocks)
                    await saying
            else:
                async with Collector(source) as seen:
                    if when == "while it waits":
                        await place.say("one")
                        await seen.until(lambda: seen.lines)
            assert held() == before

    asyncio.run(scenario())


CONTENT = b"one\ntwo\n\nfour\nunfinished"
ENDING: dict[str, Callable[[Path, BinaryIO], Source]] = {
    "files": lambda room, _: _files(room, once=True),
    "stdin": lambda _, stream: StdinSource(NAME, stream=stream, clock=CLOCK),
    "command": lambda room, _: CommandSource(NAME, ["cat", str(room / "app.log")], clock=CLOCK, once=True),
}


@pytest.mark.parametrize("kind", ENDING)
def test_what_can_be_exhausted_ends_with_its_last_line(tmp_path: Path, kind: str) -> None:
    async def scenario() -> None:
        (tmp_path / "app.log").write_bytes(CONTENT)
        with (tmp_path / "app.log").open("rb") as stream:
            async with Collector(ENDING[kind](tmp_path, stream)) as seen:
                await seen.ended()
        assert seen.text == CONTENT
        assert seen.blocks[-1].complete
        (row,) = seen.source.health()
        assert (row["offset"], row["lag_bytes"], row["problem"]) == (len(CONTENT), 0, "")

    asyncio.run(scenario())


def test_the_journal_is_exhausted_at_its_end(tmp_path: Path) -> None:
    async def scenario() -> None:
        log_to(tmp_path / "a.journal", "one", "two")
        known: Mapping[str, Checkpoint] = {}
        for wanted in (["one", "two"], []):
            source = JournalSource(NAME, clock=CLOCK, directory=str(tmp_path), once=True)
            async with Collector(source, known) as seen:
                await seen.ended()
            assert [line.partition("]: ")[2] for line in seen.lines] == wanted
            known = seen.checkpoints

    asyncio.run(scenario())
