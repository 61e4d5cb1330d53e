"""Fairness and back-pressure: a flood never delays a quiet file, and what cannot be stored is not read."""

from __future__ import annotations

import asyncio
import tracemalloc
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from fakes.memory_store import MemoryStore
from logmedic.adapters.sources.command import CommandSource
from logmedic.adapters.sources.journal import JournalSource
from logmedic.adapters.sources.syslog import SyslogSource
from logmedic.model.changeset import Changeset
from logmedic.model.match import MatchSpec
from logmedic.model.record import Checkpoint
from logmedic.model.rule import Rule
from logmedic.model.severity import Severity
from logmedic.runtime.engine import Engine
from logmedic.runtime.intake import Intake
from runtime.hosting import Counted, until, watching
from runtime.hosting import host as any_host
from tail.collector import SystemClock, append
from tail.journals import log_to

FLOOD = Rule("flood", "it floods", MatchSpec(("flooding",)), Severity.LOW)
QUIET = Rule("quiet", "somebody calls", MatchSpec(("help",)), Severity.LOW)
LINE = "flooding " + "x" * 990
BLOCK_BYTES = 16 * 1024
"""Of the flooding file: `max_line` keeps its blocks small."""
AHEAD = 8
"""Blocks of a flood that may be decided before a quiet file's line which was written meanwhile."""


class Turnstile(MemoryStore):
    """A store that commits one changeset a turn, and any number once it is `open_wide`."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting = False
        self._turns = asyncio.Semaphore(0)
        self._wide = False

    async def commit(self, changeset: Changeset) -> None:
        self.waiting = True
        if not self._wide:
            await self._turns.acquire()
        self.waiting = False
        await super().commit(changeset)

    def turn(self) -> None:
        self.waiting = False
        self._turns.release()

    def open_wide(self) -> None:
        self._wide = True
        self.turn()

    def of(self, origin: str) -> list[Checkpoint]:
        return [mark for each in self.changesets for mark in each.checkpoints if mark.origin == origin]


def host(store: MemoryStore, *sources: Counted) -> AbstractAsyncContextManager[tuple[Engine, list[Intake]]]:
    return any_host(store, *sources, rules=(FLOOD, QUIET))


def write_flood(log: Path, blocks: int) -> None:
    log.write_text(f"{LINE}\n" * (blocks * BLOCK_BYTES // (len(LINE) + 1)))


async def pour(ports: Mapping[str, int]) -> None:
    """Messages over TCP, as fast as they are taken, until cancelled."""
    _, writer = await asyncio.open_connection("127.0.0.1", ports["tcp"])
    try:
        while True:
            writer.write(f"<13>{LINE}\n".encode() * 64)
            await writer.drain()
    finally:
        writer.close()


@asynccontextmanager
async def flooding(kind: str, room: Path, files: Callable[..., Counted]) -> AsyncIterator[Counted]:
    """A source of this kind that has more to say than anybody can take."""
    clock = SystemClock()
    match kind:
        case "file":
            write_flood(room / "flood.log", 300)
            yield files("flood", room / "flood.log", max_line=BLOCK_BYTES)
        case "command":
            yield Counted(CommandSource("flood", ["yes", LINE], clock=clock))
        case "journal":
            log_to(room / "journal" / "a.journal", *[f"flooding {'x' * 16_000}"] * 2000)
            yield Counted(JournalSource("flood", clock=clock, directory=str(room / "journal"), from_start=True))
        case "syslog":
            source = SyslogSource("flood", clock=clock, tcp=0)
            pouring = asyncio.create_task(_poured(source))
            try:
                yield Counted(source)
            finally:
                pouring.cancel()
                await asyncio.gather(pouring, return_exceptions=True)


async def _poured(source: SyslogSource) -> None:
    await until(lambda: source.ports)
    await pour(source.ports)


async def turns_until_decided(store: Turnstile, flood: Counted, quiet: Path) -> int:
    """How many changesets are committed before the first with a position of `quiet`."""
    before = len(store.changesets)
    while not any(mark.offset for mark in store.of(str(quiet))):
        await until(lambda: store.waiting and not flood.asked)
        store.turn()
        await until(lambda: store.waiting)
    return len(store.changesets) - before


def problems(intake: Intake) -> str:
    return "; ".join(row["problem"] for row in intake.rows())


@pytest.mark.parametrize("kind", ["file", "command", "journal", "syslog"])
def test_a_flooding_source_does_not_delay_the_file_of_another(tmp_path: Path, kind: str) -> None:
    async def scenario() -> None:
        quiet, store = tmp_path / "quiet.log", Turnstile()
        quiet.touch()
        async with watching() as files, flooding(kind, tmp_path, files) as flood:
            calling = files("quiet", quiet)
            async with host(store, flood, calling):
                store.turn()  # the start
                await until(lambda: calling.asked and flood.taken)
                await until(lambda: store.waiting and not flood.asked)
                append(quiet, "help")
                await until(lambda: calling.taken)
                assert await turns_until_decided(store, flood, quiet) <= AHEAD

    asyncio.run(scenario())


def test_a_flooding_file_does_not_delay_another_of_its_source(tmp_path: Path) -> None:
    async def scenario() -> None:
        quiet, store = tmp_path / "quiet.log", Turnstile()
        quiet.touch()
        for number in range(3):
            write_flood(tmp_path / f"flood-{number}.log", 100)
        async with watching() as files:
            everything = files("files", tmp_path / "*.log", max_line=BLOCK_BYTES)
            async with host(store, everything):
                store.turn()  # the first block
                store.turn()  # what is told of it
                await until(lambda: everything.taken > 3 * BLOCK_BYTES)
                await until(lambda: store.waiting and not everything.asked)
                append(quiet, "help")
                assert await turns_until_decided(store, everything, quiet) <= AHEAD + 3

    asyncio.run(scenario())


def test_what_cannot_be_stored_is_not_read_and_is_there_once_when_it_can(tmp_path: Path) -> None:
    async def scenario() -> None:
        log, store = tmp_path / "flood.log", Turnstile()
        write_flood(log, 200)
        async with watching() as files:
            flood = files("flood", log, max_line=BLOCK_BYTES)
            async with host(store, flood) as (engine, (intake,)):
                store.turn()
                await until(lambda: "waits to be stored" in problems(intake))
                taken = flood.taken
                assert 0 < taken <= AHEAD * BLOCK_BYTES
                (row,) = intake.rows()
                assert (row["offset"], row["size"]) == (taken, log.stat().st_size)
                assert row["lag_bytes"] == log.stat().st_size - taken
                append(log, *["flooding, too"] * 10)
                log.rename(tmp_path / "flood.log.1")
                append(log, "flooding again")
                assert flood.taken == taken
                store.open_wide()
                await until(lambda: engine.state.checkpoints_of("flood")[str(log)].inode == log.stat().st_ino)
                await until(lambda: next(intake.rows())["lag_bytes"] == 0)
                await engine.settled()
                assert next(intake.rows())["problem"] == ""
        lines = (tmp_path / "flood.log.1").read_text().count("\n") + 1
        counts = await store.ask("counts")
        assert (counts["lines"], counts["matched"]) == (lines, lines)
        again = store.reopen()
        async with watching() as files, host(again, rest := files("flood", log, max_line=BLOCK_BYTES)) as (engine, _):
            await until(lambda: rest.asked)
            append(log, "flooding to the end")
            await until(lambda: rest.taken)
            await engine.settled()
        assert (await again.ask("counts"))["matched"] == lines + 1

    asyncio.run(scenario())


def test_i6_memory_is_bounded_while_nothing_can_be_stored(tmp_path: Path) -> None:
    """Of four files that flood at once, in blocks as large as they get, and every line is a match."""

    async def scenario() -> None:
        store = Turnstile()
        async with watching() as files:
            flood = files("flood", tmp_path / "*.log")
            async with host(store, flood) as (_, (intake,)):
                store.turn()
                await until(lambda: "waits to be stored" in problems(intake), within=30)
                assert flood.taken <= AHEAD * 1024 * 1024

    for number in range(4):
        write_flood(tmp_path / f"{number}.log", 1000)
    tracemalloc.start()
    try:
        asyncio.run(scenario())
        assert tracemalloc.get_traced_memory()[1] < 24 * 1024 * 1024
    finally:
        tracemalloc.stop()
