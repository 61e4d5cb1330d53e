"""Drains a source beside a test, which then waits for what it claims instead of sleeping."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from logmedic.adapters.sources.discovery import WatchdogDiscovery
from logmedic.adapters.sources.files import FileSource
from logmedic.adapters.sources.wake import InotifyWake
from logmedic.model.record import Block, Checkpoint
from logmedic.ports import Source

QUICK = {"rotate_grace_s": 0.3, "reconcile_s": 0.2, "partial_timeout_s": 0.3}


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class Collector:
    """`blocks` in order, and the checkpoints that a store would hold by now; `commits`: with those without lines."""

    def __init__(self, source: Source, checkpoints: Mapping[str, Checkpoint] | None = None) -> None:
        self.source = source
        self.blocks: list[Block] = []
        self.commits: list[Block] = []
        self.checkpoints: dict[str, Checkpoint] = dict(checkpoints or {})
        self._grew = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Collector:
        self._task = asyncio.create_task(self._drain())
        await asyncio.sleep(0)  # the source has begun: what appears from here on appears while it runs
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        if not self._task.cancelled() and (error := self._task.exception()):
            raise error

    async def _drain(self) -> None:
        blocks = self.source.blocks(dict(self.checkpoints))
        try:
            async for block in blocks:
                self._keep(block)
                await asyncio.sleep(0)
        finally:
            await blocks.aclose()

    def _keep(self, block: Block) -> None:
        self.commits.append(block)
        self.checkpoints[block.origin] = block.checkpoint
        if block.data or block.lost_bytes:
            self.blocks.append(block)
        self._grew.set()

    @property
    def text(self) -> bytes:
        return b"".join(block.data for block in self.blocks)

    @property
    def lines(self) -> list[str]:
        return self.text.decode(errors="replace").splitlines()

    def lines_of(self, path: Path) -> list[str]:
        return b"".join(b.data for b in self.blocks if b.origin == str(path)).decode(errors="replace").splitlines()

    @property
    def lost_bytes(self) -> int:
        return sum(block.lost_bytes for block in self.blocks)

    def problem(self, path: Path) -> str:
        return next((row["problem"] for row in self.source.health() if row["origin"] == str(path)), "")

    def row(self, path: Path) -> dict[str, Any]:
        return next(row for row in self.source.health() if row["origin"] == str(path))

    async def until(self, condition: Callable[[], object], within: float = 10.0) -> None:
        """Looked at whenever a block came, and now and then, for what shows in no block."""
        deadline = asyncio.get_running_loop().time() + within
        while not condition():
            assert self._task is not None
            assert not self._task.done() or condition(), f"the source ended early: {self._task}"
            left = deadline - asyncio.get_running_loop().time()
            assert left > 0, f"not within {within} s; lines: {self.lines[-20:]} health: {self.source.health()}"
            try:
                await asyncio.wait_for(self._grew.wait(), min(left, 0.02))
            except TimeoutError:
                continue
            self._grew.clear()

    async def until_lines(self, *lines: str, within: float = 10.0) -> None:
        """Until exactly these came, in this order."""
        await self.until(lambda: len(self.lines) >= len(lines), within)
        assert self.lines == list(lines)

    async def until_settled(self, path: Path) -> None:
        """Until the path is followed and read to its end."""
        await self.until(lambda: str(path) in self.checkpoints and self.row(path)["lag_bytes"] == 0)

    async def ended(self, within: float = 10.0) -> None:
        assert self._task is not None
        await asyncio.wait_for(asyncio.shield(self._task), within)


@asynccontextmanager
async def following(
    *globs: Path | str, checkpoints: Mapping[str, Checkpoint] | None = None, **options: Any
) -> AsyncIterator[Collector]:
    """A file source on the real inotify and watchdog, closed at the end with all that belongs to it."""
    wake = options.pop("wake", None) or InotifyWake()
    discovery = options.pop("discovery", None) or WatchdogDiscovery()
    source = FileSource(
        "test",
        [str(pattern) for pattern in globs],
        clock=SystemClock(),
        wake=wake,
        discovery=discovery,
        **{**QUICK, **options},
    )
    try:
        async with Collector(source, checkpoints) as collector:
            yield collector
    finally:
        if isinstance(wake, InotifyWake):
            wake.close()
        if isinstance(discovery, WatchdogDiscovery):
            await discovery.close()


def append(path: Path, *lines: str) -> None:
    with path.open("ab") as log:
        log.write("".join(f"{line}\n" for line in lines).encode())
