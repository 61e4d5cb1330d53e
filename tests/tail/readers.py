"""The follower's side of the model test: the real source over its restarts, and what a store would hold of it."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from fakes.manual_wake import ManualDiscovery, ManualWake
from fakes.virtual_loop import VirtualClock, VirtualLoop
from logmedic.adapters.sources.files import FileSource
from logmedic.model.gap import Gap
from logmedic.model.record import Block, Checkpoint
from tail.collector import Collector

RECONCILE_S = 3.0


class Reader:
    """`kept`: the blocks that are durable. It runs only in `run` and `turns`: in between it is paused. Closed by its
    maker."""

    def __init__(self, loop: VirtualLoop, pattern: Path, *, max_line: int, partial_timeout_s: float) -> None:
        self._loop = loop
        self._pattern = pattern
        self._max_line = max_line
        self._partial_timeout_s = partial_timeout_s
        self.kept: list[Block] = []
        self._begin()

    def _begin(self) -> None:
        self._kept_of_run = 0
        self.wake = ManualWake()
        self.discovery = ManualDiscovery()
        source = FileSource(
            "test",
            [str(self._pattern)],
            clock=VirtualClock(self._loop),
            wake=self.wake,
            discovery=self.discovery,
            from_start=True,
            max_line=self._max_line,
            reconcile_s=RECONCILE_S,
            partial_timeout_s=self._partial_timeout_s,
        )
        self.collector = Collector(source, self._checkpoints())
        self._loop.run_until_complete(self.collector.__aenter__())

    def _checkpoints(self) -> dict[str, Checkpoint]:
        return {block.origin: block.checkpoint for block in self.kept}

    # -- running ---------------------------------------------------------------------------------------------------

    def run(self, seconds: float) -> None:
        self._loop.run_until_complete(asyncio.sleep(seconds))

    def turns(self, count: int) -> None:
        """So few turns of the loop that it stops in the middle of what it does."""
        self._loop.run_until_complete(_turns(count))

    def ring(self) -> None:
        """Tell it everything that inotify and watchdog could have told."""
        for path in list(self.wake.followed):
            self.wake.write(path)
            self.wake.change(path)
        for directory in list(self.discovery.watched):
            self.discovery.change(directory)

    # -- stopping --------------------------------------------------------------------------------------------------

    def commit(self) -> None:
        """What came so far is durable."""
        self.kept += self.collector.commits[self._kept_of_run :]
        self._kept_of_run = len(self.collector.commits)

    def stop(self) -> None:
        self._loop.run_until_complete(self.collector.__aexit__())

    def restart(self) -> None:
        self.stop()
        self.commit()
        self._begin()

    def kill(self, losing: int) -> None:
        """The last `losing` blocks were not committed, nor their positions."""
        self.stop()
        unkept = self.collector.commits[self._kept_of_run :]
        self.kept += unkept[: max(0, len(unkept) - losing)]
        self._begin()

    # -- what came -------------------------------------------------------------------------------------------------

    def blocks(self, origin: Path) -> list[Block]:
        unkept = self.collector.commits[self._kept_of_run :]
        return [block for block in (*self.kept, *unkept) if block.origin == str(origin)]

    def text(self, origin: Path) -> bytes:
        return b"".join(block.data for block in self.blocks(origin))

    def gaps(self, origin: Path) -> list[Gap]:
        return [gap for block in self.blocks(origin) for gap in block.gaps]

    def lag(self, origin: Path) -> int:
        return self.collector.row(origin)["lag_bytes"]


async def _turns(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


def open_in(room: Path) -> list[str]:
    """Files in `room` that this process has open."""
    found = []
    for number in os.listdir("/proc/self/fd"):
        try:
            target = os.readlink(f"/proc/self/fd/{number}")
        except OSError:  # the descriptor of the listing itself
            continue
        if target.startswith(f"{room}{os.sep}"):
            found.append(target)
    return found
