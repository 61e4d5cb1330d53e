"""Any order of writing, tearing, rotating, copying, reading and restarting loses no line and doubles none."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from fakes.manual_wake import ManualDiscovery, ManualWake
from logmedic.adapters.sources.files import FileSource
from logmedic.model.record import Checkpoint
from tail.collector import Collector, SystemClock

WRITE, TEAR, ROTATE, LATE, COPY, READ, RESTART, CRASH = (
    "write",
    "tear",
    "rotate",
    "late",
    "copy",
    "read",
    "restart",
    "crash",
)
ACTIONS = st.lists(
    st.tuples(
        st.sampled_from([WRITE, WRITE, TEAR, ROTATE, LATE, COPY, READ, READ, RESTART, CRASH]), st.integers(1, 40)
    ),
    min_size=1,
    max_size=25,
)


class World:
    """A log, its writer and its rotator, and what was written in all."""

    def __init__(self, room: Path) -> None:
        self.log = room / "app.log"
        self.written = b""
        self._torn = b""
        self._number = 0
        self._writer = self.log.open("ab", buffering=0)

    def write(self, count: int) -> None:
        for _ in range(count):
            self._put(self._finish_line() or self._line())

    def tear(self, count: int) -> None:
        """The beginning of a line, to be finished by whatever is written next."""
        line = self._finish_line() or self._line()
        self._put(line[:count])
        self._torn = line[count:]

    def rotate(self, late: int = 0) -> None:
        """As logrotate does with `create`; `late` lines still go to the renamed file. Lines are finished first."""
        self._put(self._finish_line())
        names = sorted(self.log.parent.glob("app.log.*"), key=lambda path: -int(path.suffix[1:]))
        for path in names:
            path.rename(path.with_suffix(f".{int(path.suffix[1:]) + 1}"))
        self.log.rename(f"{self.log}.1")
        for _ in range(late):
            self._put(self._line())
        self._writer.close()
        self._writer = self.log.open("ab", buffering=0)

    def copy_and_truncate(self) -> None:
        self._put(self._finish_line())
        names = sorted(self.log.parent.glob("app.log.*"), key=lambda path: -int(path.suffix[1:]))
        for path in names:
            path.rename(path.with_suffix(f".{int(path.suffix[1:]) + 1}"))
        shutil.copyfile(self.log, f"{self.log}.1")
        os.truncate(self.log, 0)

    def close(self) -> None:
        if not self._writer.closed:
            self._put(self._finish_line())
            self._writer.close()

    def _line(self) -> bytes:
        self._number += 1
        return b"%06d %s\n" % (self._number, b"x" * (self._number * 31 % 70))

    def _finish_line(self) -> bytes:
        rest, self._torn = self._torn, b""
        return rest

    def _put(self, content: bytes) -> None:
        self._writer.write(content)
        self.written += content


class Run:
    """The source over its restarts, and what came of it. A crash forgets what came after the last commit."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.wake = ManualWake()
        self.committed = b""
        self.durable = 0
        self.checkpoints: dict[str, Checkpoint] = {}
        self.collector = self._collector()

    def _collector(self) -> Collector:
        source = FileSource(
            "test",
            [str(self.world.log)],
            clock=SystemClock(),
            wake=self.wake,
            discovery=ManualDiscovery(),
            from_start=True,
            rotate_grace_s=0.02,
            reconcile_s=0.02,
            partial_timeout_s=60.0,
        )
        return Collector(source, self.checkpoints)

    def commit(self) -> None:
        """Everything that came so far is durable."""
        self.durable = len(self.collector.commits)

    async def restart(self, *, losing: int = 0) -> None:
        """With `losing`: so many of the last blocks were not committed, nor their positions."""
        await self.collector.__aexit__()
        commits = self.collector.commits
        for block in commits[: max(self.durable, len(commits) - losing)]:
            self.committed += block.data
            self.checkpoints[block.origin] = block.checkpoint
        self.durable = 0
        self.collector = self._collector()
        await self.collector.__aenter__()

    @property
    def seen(self) -> bytes:
        return self.committed + self.collector.text

    async def read(self) -> None:
        self.wake.write(str(self.world.log))
        whole = self.world.written.rfind(b"\n") + 1
        await self.collector.until(lambda: len(self.seen) >= whole, within=3.0)
        assert self.seen == self.world.written[:whole]


async def _play(actions: list[tuple[str, int]], room: Path) -> None:
    world = World(room)
    run = Run(world)
    await run.collector.__aenter__()
    try:
        await run.collector.until(lambda: run.collector.commits)
        run.commit()  # where it began is durable: before that, a file that is rotated away was never met
        for action, count in actions:
            await _act(action, count, world, run)
            await asyncio.sleep(0)
        world.close()
        await run.read()
    finally:
        world.close()
        await run.collector.__aexit__()
    assert run.seen == world.written


async def _act(action: str, count: int, world: World, run: Run) -> None:
    match action:
        case "write":
            world.write(count)
        case "tear":
            world.tear(count)
        case "rotate":
            world.rotate()
        case "late":
            world.rotate(late=count)
        case "copy":
            await run.read()  # what is recognised in a copy is what was read: an empty log leaves nothing
            world.write(1)
            await run.read()
            run.commit()
            world.write(count)
            world.copy_and_truncate()
        case "read":
            await run.read()
        case "restart":
            await run.restart()
        case "crash":
            await run.restart(losing=count % 3)


@settings(max_examples=60, deadline=None)
@given(ACTIONS)
def test_no_interleaving_loses_or_doubles_a_line(actions: list[tuple[str, int]]) -> None:
    with tempfile.TemporaryDirectory(prefix="logmedic-") as room:
        asyncio.run(_play(actions, Path(room)))
