"""A disk that fails under the store, and one that becomes read-only (F49, F50)."""

from __future__ import annotations

import asyncio
import errno
from pathlib import Path

import duckdb
import pytest
from disks import CALLS, SICK_BELOW, FileLimit, Tmpfs, may_mount, refuse_here, sound_again
from stores import counted, fill, numbers, use

from logmedic.adapters.store.duck import DuckStore
from logmedic.adapters.store.reading import open_readonly, problem_of
from logmedic.adapters.store.writer import Writer
from logmedic.model.errors import StoreBusy, StoreFull
from logmedic.model.state import EngineState

needs_filter = pytest.mark.skipif(not CALLS, reason="the numbers of this machine's system calls are not listed")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "logmedic.duckdb"


async def refused(store: DuckStore, n: int) -> StoreBusy | StoreFull | None:
    try:
        await store.commit(counted(n, 2000))
    except (StoreBusy, StoreFull) as error:
        return error
    return None


def is_open(writer: Writer) -> bool:
    try:
        writer.live()
    except StoreBusy:
        return False
    return True


async def until_a_checkpoint_fails(store: DuckStore, disk: FileLimit, path: Path) -> int:
    """The number of the change whose commit ran into it; all before it were taken."""
    await fill(store, 30, 2000)
    await store.ask("counts")
    for setting in ("CHECKPOINT", "SET checkpoint_threshold = '200KB'"):
        await store.between_commits(lambda writer, sql=setting: writer.live().execute(sql))  # type: ignore[misc]
    disk.fill(path.stat().st_size)
    failed, told = 31, await refused(store, 31)
    while told is None:
        failed, told = failed + 1, await refused(store, failed + 1)
    assert isinstance(told, StoreFull)
    assert "checkpoint failed" in str(told)
    return failed


def test_f49_a_checkpoint_on_a_full_disk_costs_no_change_and_doubles_none(path: Path) -> None:
    """DuckDB gives the instance up although the commit is durable: it is opened again, and the change is there."""
    disk = FileLimit(path)

    async def scenario(store: DuckStore, _: EngineState) -> int:
        failed = await until_a_checkpoint_fails(store, disk, path)
        assert not await store.between_commits(is_open)
        assert await refused(store, failed) is None, "opened once more, on the disk that is full yet"
        assert (await store.ask("counts"))["lines"] == failed
        disk.free()
        assert await refused(store, failed + 1) is None
        assert not store.notices, "it is no damage"
        return failed + 1

    try:
        committed = use(path, scenario)
    finally:
        disk.close()
    assert use(path, numbers) == list(range(1, committed + 1))


class Blind(Writer):
    """Once, what was opened again cannot be read."""

    blind = False

    def reload(self) -> None:
        if self.blind:
            self.blind = False
            raise duckdb.IOException("Could not read from file: Input/output error")
        super().reload()


def test_f49_what_cannot_be_read_when_it_is_opened_again_costs_no_change_and_doubles_none(path: Path) -> None:
    """The commit was durable when the instance was given up. Whoever tries it again must not write it once more."""
    disk, writer = FileLimit(path), Blind(path)

    async def scenario() -> int:
        store = DuckStore(path, writer)
        await store.open()
        try:
            failed = await until_a_checkpoint_fails(store, disk, path)
            writer.blind = True
            assert "Input/output error" in str(await refused(store, failed))
            assert not await store.between_commits(is_open), "what it holds is not known"
            disk.free()
            assert await refused(store, failed) is None
            assert await refused(store, failed + 1) is None
            assert (await store.ask("counts"))["lines"] == failed + 1
            return failed + 1
        finally:
            await store.close()

    try:
        committed = asyncio.run(scenario())
    finally:
        disk.close()
    assert use(path, numbers) == list(range(1, committed + 1))


@needs_filter
def test_f49_what_an_fsync_refused_is_committed_once_the_disk_is_sound_again(path: Path) -> None:
    async def scenario(store: DuckStore, _: EngineState) -> None:
        await fill(store, 20)
        await store.between_commits(lambda _: refuse_here(errno.EIO, "fsync", "fdatasync"))
        for _ in range(3):  # opened again at each try
            assert "fsync failed" in str(await refused(store, 21))
            assert not await store.between_commits(is_open)
        with sound_again():
            assert await refused(store, 21) is None
            assert await refused(store, 22) is None
        assert (await store.ask("counts"))["lines"] == 22
        assert not store.notices, "it is no damage"

    use(path, scenario)
    assert use(path, numbers) == list(range(1, 23))


@needs_filter
def test_f49_after_a_refused_fsync_and_a_new_start_there_is_what_was_committed_before(path: Path) -> None:
    async def scenario(store: DuckStore, _: EngineState) -> None:
        await fill(store, 20)
        await store.between_commits(lambda _: refuse_here(errno.EIO, "fsync", "fdatasync"))
        assert await refused(store, 21) is not None

    use(path, scenario)
    assert use(path, numbers) == list(range(1, 21))


@needs_filter
def test_f50_a_disk_that_becomes_read_only_is_told_and_keeps_what_was_committed(path: Path) -> None:
    """As after an error that the kernel remounts it for: files stay open, and every write is refused."""

    async def scenario(store: DuckStore, _: EngineState) -> None:
        await fill(store, 20)
        await store.ask("counts")
        await store.between_commits(lambda _: refuse_here(errno.EROFS, "write", "pwrite64"))
        for _ in range(3):
            told = await refused(store, 21)
            assert isinstance(told, StoreFull)
            assert "Read-only file system" in str(told)
        assert (await store.ask("incident", incident_id="i000001"))["events"], "the past is answered"
        assert not store.notices, "it is no damage"

    use(path, scenario)
    assert use(path, numbers) == list(range(1, 21))


@pytest.mark.skipif(not may_mount(), reason="only root mounts")
def test_f50_a_read_only_directory_is_told_and_left_as_it_is_and_can_be_read(path: Path) -> None:
    disk = Tmpfs(path)
    try:
        use(path, lambda store, _: fill(store, 5))
        before = {each.name: each.read_bytes() for each in path.parent.iterdir()}
        disk.make("ro")
        with pytest.raises(StoreFull, match="Read-only file system") as told:
            use(path, numbers)
        assert told.value.hint
        assert "Read-only file system" in problem_of(path)
        with open_readonly(path) as queries:
            assert queries.counts() == {"lines": 5}
        assert {each.name: each.read_bytes() for each in path.parent.iterdir()} == before
        disk.make("rw")
        assert use(path, numbers) == [1, 2, 3, 4, 5]
    finally:
        disk.close()


@needs_filter
def test_the_descriptors_of_a_store_are_low(path: Path) -> None:
    """Else the tests above would show nothing."""

    async def scenario(store: DuckStore, _: EngineState) -> None:
        ours = [each for each in Path("/proc/self/fd").iterdir() if each.exists() and each.samefile(path)]
        assert ours
        assert all(int(each.name) < SICK_BELOW for each in ours)

    use(path, scenario)
