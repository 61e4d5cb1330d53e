"""Applications on one side of the report socket, and on the other who takes its blocks and stores them."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from logmedic.adapters.sources.reports.source import ReportSource
from logmedic.model.changeset import Changeset
from logmedic.model.record import Block, Checkpoint
from logmedic.model.report import Answer, Report
from tail.collector import SystemClock

WITHIN_S = 20.0


def report(report_id: str = "r1", **said: Any) -> dict[str, Any]:
    return {"type": "report", "id": report_id, "component": "checkout", "error": "TimeoutError", **said}


class KeptAnswers:
    """Implements ports.Answers: keeps who asks, and lets the test answer."""

    def __init__(self) -> None:
        self.asked: dict[str, Callable[[Answer], None]] = {}
        """By the report's id."""
        self.taken_back: list[str] = []
        self.stored: list[str] = []

    def settled(self, reports: Iterable[Report]) -> None:
        self.stored += [each.id for each in reports]

    def ask(self, report: Report, tell: Callable[[Answer], None]) -> Callable[[], None]:
        self.asked[report.id] = tell
        return lambda: self.taken_back.append(report.id)


class Store:
    """Takes the blocks of a source while `takes` is set, and commits them at once, or, `commits` cleared, when it is
    told to."""

    def __init__(self, source: ReportSource, answers: KeptAnswers) -> None:
        self.source = source
        self.answers = answers
        self.blocks: list[Block] = []
        self.takes = asyncio.Event()
        self.takes.set()
        self.commits = True
        self.stored = 0
        """Blocks."""

    async def run(self, checkpoints: Mapping[str, Checkpoint]) -> None:
        blocks = self.source.blocks(checkpoints)
        try:
            async for block in blocks:
                self.blocks.append(block)
                if self.commits:
                    self.commit()
                await asyncio.sleep(0)
                await self.takes.wait()
        finally:
            await blocks.aclose()

    def commit(self, blocks: int | None = None) -> None:
        """The first so many of those that are not stored, or all."""
        upto = len(self.blocks) if blocks is None else self.stored + blocks
        for block in self.blocks[self.stored : upto]:
            self.source.noted(Changeset(checkpoints=(block.checkpoint,)))
        self.stored = upto

    @property
    def reports(self) -> list[Report]:
        return [each.report for block in self.blocks for each in block.entries if each.report is not None]

    @property
    def ids(self) -> list[str]:
        return [each.id for each in self.reports]

    async def until(self, condition: Callable[[], object]) -> None:
        deadline = asyncio.get_running_loop().time() + WITHIN_S
        while not condition():
            assert asyncio.get_running_loop().time() < deadline, (self.ids[-10:], self.source.counts())
            await asyncio.sleep(0.002)


@asynccontextmanager
async def reporting(path: Path, *, takes: bool = True, commits: bool = True, **options: Any) -> AsyncIterator[Store]:
    """A listening source; it ends with the test."""
    answers = KeptAnswers()
    source = ReportSource(
        "reports", **{"clock": SystemClock(), "path": path, "answers": answers, "host": "web1", **options}
    )
    store = Store(source, answers)
    store.commits = commits
    if not takes:
        store.takes.clear()
    async with running(store):
        yield store


@asynccontextmanager
async def running(store: Store, checkpoints: Mapping[str, Checkpoint] | None = None) -> AsyncIterator[None]:
    """One life of the source."""
    task = asyncio.create_task(store.run(checkpoints or {}))
    try:
        await store.until(lambda: task.done() or store.source.is_listening)
        if task.done():
            task.result()
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    if not task.cancelled() and (error := task.exception()):
        raise error


class Talk:
    """One connection of an application."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def say(self, *told: Mapping[str, Any] | bytes) -> None:
        for each in told:
            self.writer.write(each if isinstance(each, bytes) else json.dumps(each).encode() + b"\n")

    async def next(self) -> dict[str, Any]:
        """What the daemon says next; empty when it has hung up."""
        line = await asyncio.wait_for(self.reader.readline(), WITHIN_S)
        return json.loads(line) if line else {}

    async def next_of(self, kind: str) -> dict[str, Any]:
        """The next of this type; what comes before it is passed over."""
        while (told := await self.next()).get("type") != kind:
            assert told, f"it hung up before it said {kind}"
        return told

    async def taken(self, *ids: str) -> None:
        """Until all these were taken."""
        missing = set(ids)
        while missing:
            missing.difference_update((await self.next_of("taken"))["ids"])

    async def hung_up(self) -> bool:
        try:
            return await asyncio.wait_for(self.reader.read(), WITHIN_S) is not None
        except ConnectionError:
            return True


@asynccontextmanager
async def talking(path: Path) -> AsyncIterator[Talk]:
    """Said hello to."""
    reader, writer = await asyncio.open_unix_connection(str(path), limit=2**20)
    talk = Talk(reader, writer)
    try:
        assert (await talk.next())["type"] == "hello"
        yield talk
    finally:
        writer.transport.abort()


def plain(path: Path) -> socket.socket:
    """A connection that is only bytes; it blocks for at most WITHIN_S."""
    made = socket.socket(socket.AF_UNIX)
    made.settimeout(WITHIN_S)
    made.connect(str(path))
    return made
