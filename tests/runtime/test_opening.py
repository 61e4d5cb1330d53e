"""A store that has no room, or may not be written, when the daemon starts: it waits, and says so (F48, F50)."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from fakes.memory_store import MemoryStore
from fakes.virtual_loop import VirtualClock, VirtualLoop
from logmedic.model.errors import LogmedicError, StoreBusy, StoreFull, StoreLocked
from logmedic.model.state import EngineState
from logmedic.runtime.notify import SystemdNotifier
from logmedic.runtime.opening import ALIVE_EVERY_S, LONG, LONG_S, LONG_TOLD_S, START_S, Opening, alive_while_starting
from logmedic.runtime.storewatch import PATIENCE_S, Trouble

READ_ONLY = "the store cannot be written: Read-only file system"


class ShutStore(MemoryStore):
    """Does not open while there is a `refusal`; answers after `lasts_s`, until when it is looked through, or mended."""

    def __init__(self, refusal: LogmedicError | None) -> None:
        super().__init__()
        self.refusal = refusal
        self.lasts_s = 0.0
        self.mends = False
        self._hurried = asyncio.Event()

    def hurry(self) -> None:
        self._hurried.set()

    async def open(self) -> EngineState:
        if self.mends:
            await asyncio.sleep(self.lasts_s)
        elif await self._hurried_within(self.lasts_s):
            raise StoreBusy("whoever reads the store was ended")
        if self.refusal is not None:
            raise self.refusal
        return await super().open()

    async def _hurried_within(self, seconds: float) -> bool:
        try:
            await asyncio.wait_for(self._hurried.wait(), seconds)
        except TimeoutError:
            return False
        return True


class Manager(SystemdNotifier):
    """What the service manager is told, and when."""

    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__("")
        self._loop = loop
        self.heard: list[tuple[float, str]] = []

    def _tell(self, message: str) -> None:
        self.heard.append((self._loop.time(), message))


class Scene:
    def __init__(self, loop: VirtualLoop, room: Path, refusal: LogmedicError | None = None) -> None:
        self.loop = loop
        self.store = ShutStore(refusal)
        self.manager = Manager(loop)
        self.doors = 0
        self.looks = 0
        self.look_s = 0.0
        self.stop = asyncio.Event()
        self.opening = Opening(
            store=self.store,
            path=room / "logmedic.duckdb",
            look=self.look,
            door=self.door,
            notifier=self.manager,
            clock=VirtualClock(loop),
        )
        self.opened = loop.create_task(self.opening.opened(self.stop))

    async def look(self) -> None:
        self.looks += 1
        await asyncio.sleep(self.look_s)

    async def door(self) -> None:
        self.doors += 1
        try:
            await asyncio.Event().wait()
        finally:
            self.doors -= 1

    def passes(self, seconds: float) -> None:
        self.loop.run_until_complete(asyncio.sleep(seconds))

    @property
    def state(self) -> EngineState | None:
        return self.loop.run_until_complete(self.opened)


@pytest.fixture
def loop() -> Iterator[VirtualLoop]:
    made = VirtualLoop()
    yield made
    made.close()


def test_what_opens_is_not_waited_for_and_nobody_hears_of_it(loop: VirtualLoop, tmp_path: Path) -> None:
    scene = Scene(loop, tmp_path)
    assert scene.state is not None
    assert (scene.manager.heard, scene.looks, scene.doors) == ([], 0, 0)


def test_f50_while_it_does_not_open_who_asks_is_answered_and_people_are_told(loop: VirtualLoop, tmp_path: Path) -> None:
    scene = Scene(loop, tmp_path, StoreFull(READ_ONLY, "make it writable"))
    scene.passes(3600)
    assert not scene.opened.done()
    assert scene.doors == 1
    assert READ_ONLY in scene.opening.told
    assert scene.opening.hint == "make it writable"
    assert scene.looks > 1000, "as often as of a commit that fails"
    scene.stop.set()
    assert scene.state is None


def test_f50_it_goes_on_by_itself_within_half_a_minute(loop: VirtualLoop, tmp_path: Path) -> None:
    scene = Scene(loop, tmp_path, StoreFull(READ_ONLY))
    scene.passes(3600)
    scene.store.refusal = None
    scene.passes(33)
    assert scene.opened.done()
    assert scene.state is not None
    assert scene.opening.problem == ""
    assert scene.doors == 0, "another one is opened in its place"


def test_the_service_manager_hears_that_it_runs_and_why_it_does_nothing(loop: VirtualLoop, tmp_path: Path) -> None:
    scene = Scene(loop, tmp_path, StoreFull(READ_ONLY))
    scene.passes(300)
    heard = [message for _, message in scene.manager.heard]
    assert heard[0] == "READY=1"
    assert heard[1].startswith(f"STATUS=nothing is stored: {READ_ONLY}")
    alive = [at for at, message in scene.manager.heard if message == "WATCHDOG=1"]
    assert max(later - at for at, later in itertools.pairwise(alive)) <= ALIVE_EVERY_S + 1
    scene.store.refusal = None
    assert scene.state is not None
    assert scene.manager.heard[-1][1] == "STATUS="


def test_f47_an_opening_that_lasts_is_none_that_the_service_manager_gives_up(loop: VirtualLoop, tmp_path: Path) -> None:
    """Each start would begin it again (I4)."""
    scene = Scene(loop, tmp_path)
    scene.store.lasts_s = 3600.0
    scene.passes(LONG_S + 1)
    assert scene.manager.heard[0][1] == "READY=1"
    assert LONG in scene.manager.heard[1][1]
    assert scene.doors == 1
    assert LONG in scene.opening.told
    assert "dmesg" in scene.opening.hint
    trouble = scene.opening.trouble
    assert trouble is not None
    assert scene.looks == 1
    assert LONG_S + trouble.patience_s == LONG_TOLD_S, "people hear of it, and not at once"
    assert "Make room" not in trouble.to_do
    scene.passes(1800)
    alive = [at for at, message in scene.manager.heard if message == "WATCHDOG=1"]
    assert max(later - at for at, later in itertools.pairwise(alive)) <= ALIVE_EVERY_S + 1
    assert scene.state is not None
    assert (scene.doors, scene.opening.hint) == (0, "")
    assert scene.manager.heard[-1][1] == "STATUS="


def test_what_lasts_and_then_does_not_open_is_told(loop: VirtualLoop, tmp_path: Path) -> None:
    scene = Scene(loop, tmp_path, StoreFull(READ_ONLY, "make it writable"))
    scene.store.lasts_s = 60.0
    scene.passes(70)
    assert scene.opening.trouble == Trouble(READ_ONLY, patience_s=PATIENCE_S)
    assert READ_ONLY in scene.manager.heard[-2][1]
    scene.store.refusal = None
    scene.passes(LONG_S + ALIVE_EVERY_S)
    assert LONG in scene.manager.heard[-2][1], "also after a refusal: who made room is not told to make room"
    scene.stop.set()
    assert scene.state is None


@pytest.mark.parametrize("after_s", [1.0, LONG_S + 1])
def test_a_stop_ends_an_opening_that_lasts(loop: VirtualLoop, tmp_path: Path, after_s: float) -> None:
    scene = Scene(loop, tmp_path)
    scene.store.lasts_s = 3600.0
    scene.passes(after_s)
    scene.stop.set()
    assert scene.state is None
    assert loop.time() < after_s + 1
    assert scene.doors == 0
    assert scene.manager.heard[-1][1] == "STOPPING=1"


@pytest.mark.parametrize("after_s", [1.0, LONG_S + 1])
def test_f47_what_is_being_mended_is_mended_to_its_end_and_told_also_at_a_stop(
    loop: VirtualLoop, tmp_path: Path, after_s: float
) -> None:
    scene = Scene(loop, tmp_path)
    scene.store.lasts_s, scene.store.mends = 100.0, True
    scene.passes(after_s)
    scene.stop.set()
    assert scene.state is not None, "whoever has it tells people what was done, and ends then"
    assert loop.time() == pytest.approx(100, abs=1)


def test_what_is_told_never_says_that_nothing_is_stored_for_no_reason(loop: VirtualLoop, tmp_path: Path) -> None:
    scene = Scene(loop, tmp_path, StoreFull(READ_ONLY))
    scene.look_s = 50.0
    scene.passes(1)
    scene.store.refusal = None
    assert scene.state is not None
    told = {message for _, message in scene.manager.heard if message.startswith("STATUS=")}
    assert len(told) == 3, told
    assert any("is starting" in each for each in told)
    assert not any("stored: ." in each for each in told)


def test_while_the_rest_of_a_start_lasts_the_watchdog_hears_of_it_and_not_for_ever(loop: VirtualLoop) -> None:
    manager = Manager(loop)
    loop.run_until_complete(alive_while_starting(manager))
    assert [message for _, message in manager.heard] == ["WATCHDOG=1"] * int(START_S / ALIVE_EVERY_S)
    assert loop.time() == pytest.approx(START_S)


def test_who_is_being_told_is_told_to_the_end(loop: VirtualLoop, tmp_path: Path) -> None:
    """Else nobody would know who has to hear that it is over."""
    scene = Scene(loop, tmp_path, StoreFull(READ_ONLY))
    scene.look_s = 50.0
    scene.passes(1)
    scene.store.refusal = None
    scene.passes(30)
    assert not scene.opened.done()
    assert scene.state is not None
    assert loop.time() >= 50


def test_a_stop_ends_the_wait(loop: VirtualLoop, tmp_path: Path) -> None:
    scene = Scene(loop, tmp_path, StoreFull(READ_ONLY))
    scene.look_s = 50.0
    scene.passes(5)
    scene.stop.set()
    assert scene.state is None
    assert loop.time() < 6
    assert scene.doors == 0


def test_a_mistake_in_the_config_is_no_disk_that_gets_well(loop: VirtualLoop, tmp_path: Path) -> None:
    scene = Scene(loop, tmp_path / "missing", StoreFull("cannot make it: Permission denied", "name another"))
    with pytest.raises(StoreFull, match="Permission denied") as told:
        _ = scene.state
    assert told.value.hint == "name another"


@pytest.mark.parametrize("at_once", [True, False], ids=["at once", "while it waits"])
def test_who_holds_the_store_is_not_waited_for(loop: VirtualLoop, tmp_path: Path, at_once: bool) -> None:
    scene = Scene(loop, tmp_path, StoreLocked("in use by process 7") if at_once else StoreFull(READ_ONLY))
    if not at_once:
        scene.passes(100)
        scene.store.refusal = StoreLocked("in use by process 7")
    with pytest.raises(StoreLocked):
        _ = scene.state
    assert scene.doors == 0
