"""Copies that stay, backups while it runs and without a daemon, the way back; what takes the place of a lost file."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from stores import NOW, TESTS, counted, fill, numbers, over, sql, use

from faults.children import STORE_HELPER, running
from logmedic.adapters.store import backups, copies
from logmedic.adapters.store.aging import Aging
from logmedic.adapters.store.backups import new_copy
from logmedic.adapters.store.duck import DuckStore
from logmedic.adapters.store.keeper import DuckKeeper
from logmedic.core.calendar import WEEK
from logmedic.model.errors import PermanentError, StoreBusy, StoreLocked, StoreTooNew
from logmedic.model.retention import Retention
from logmedic.model.state import EngineState
from logmedic.runtime.clock import steady


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "logmedic.duckdb"


def keeper_of(store: DuckStore, retention: Retention) -> DuckKeeper:
    return DuckKeeper(store, retention, Aging(store.path, steady, WEEK))


def left_behind(path: Path, n: int) -> None:
    """A killed process has committed `n` changesets that are in its log alone."""
    program = (
        f"import sys\nsys.path[:0] = {[str(Path(__file__).parent), str(TESTS)]!r}\n"
        "import asyncio, os\nfrom pathlib import Path\nfrom stores import DuckStore, fill\n"
        "async def main():\n    store = DuckStore(Path(sys.argv[1]))\n    await store.open()\n"
        "    await fill(store, int(sys.argv[2]))\n    os._exit(0)\nasyncio.run(main())"
    )
    subprocess.run([sys.executable, "-c", program, path, str(n)], check=True)


def restored(path: Path, copy: Path) -> Path | None:
    with copy.open("rb") as source:
        return backups.restore(path, source, NOW)


def test_f53_a_backup_while_lines_are_stored_has_every_row_that_was_committed_before_it(path: Path) -> None:
    made: dict[str, object] = {}

    async def scenario(store: DuckStore, _: EngineState) -> None:
        await fill(store, 50)
        running = asyncio.create_task(keeper_of(store, Retention()).backup(NOW))
        n = 50
        while not running.done():
            n += 1
            await store.commit(counted(n))
        made.update(await running)
        assert n > 52, "commits went on"

    use(path, scenario)
    copy = Path(str(made["path"]))
    assert copy.parent == path.with_name("backups")
    assert copy.stat().st_mode & 0o777 == 0o600
    found = use(copy, numbers)
    assert found == list(range(1, len(found) + 1))
    assert len(found) >= 50


def test_f31_a_stop_does_not_wait_until_a_copy_is_read_through(path: Path) -> None:
    """That takes minutes for a large store on a slow disk; here, whoever reads it does not get on at all."""

    async def scenario(store: DuckStore, _: EngineState) -> None:
        await fill(store, 5)
        tidying = asyncio.create_task(keeper_of(store, Retention()).tidy(NOW))
        while not (reading := running(os.getpid(), STORE_HELPER)) and not tidying.done():
            await asyncio.sleep(0)
        os.kill(reading[0], signal.SIGSTOP)
        try:
            tidying.cancel()
            await asyncio.wait((tidying,), timeout=20)
            assert tidying.cancelled()
            assert running(os.getpid(), STORE_HELPER) == []
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(reading[0], signal.SIGCONT)
        assert list(path.with_name("backups").iterdir()) == []
        await store.commit(counted(6))

    use(path, scenario)
    assert use(path, numbers) == list(range(1, 7))


def test_what_does_not_hear_that_it_should_end_is_told_again_and_its_error_is_nobodys() -> None:
    told, heard, begun = threading.Semaphore(0), list[bool](), threading.Event()
    said: list[dict[str, Any]] = []

    def work() -> None:
        begun.set()
        heard.extend(told.acquire(timeout=20) for _ in range(2))
        raise StoreBusy("it was ended", "try again")

    async def scenario() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: said.append(context))
        running = asyncio.create_task(copies.beside(told.release, work))
        await asyncio.to_thread(begun.wait)
        running.cancel()
        await asyncio.sleep(0)
        running.cancel()
        await asyncio.wait((running,))
        assert running.cancelled()
        assert heard == [True, True]
        del running
        gc.collect()
        await asyncio.sleep(0)

    asyncio.run(scenario())
    assert said == []


def test_f53_a_backup_without_a_daemon_has_what_the_log_has_and_changes_nothing(path: Path, tmp_path: Path) -> None:
    left_behind(path, 20)
    before = {each.name: each.read_bytes() for each in path.parent.iterdir()}
    target = tmp_path / "elsewhere.duckdb"
    backups.back_up(path, target, force=False)
    assert {each.name: each.read_bytes() for each in path.parent.iterdir()} == before
    assert use(target, numbers) == list(range(1, 21))


def test_f53_what_is_there_is_overwritten_only_when_that_is_asked_for(path: Path, tmp_path: Path) -> None:
    use(path, lambda store, _: fill(store, 3))
    target = tmp_path / "copy.duckdb"
    target.write_bytes(b"mine")
    with pytest.raises(PermanentError, match="there already"):
        backups.back_up(path, target, force=False)
    assert target.read_bytes() == b"mine"
    backups.back_up(path, target, force=True)
    assert use(target, numbers) == [1, 2, 3]


def test_f53_a_restored_backup_has_every_row_and_the_present_store_is_kept(path: Path, tmp_path: Path) -> None:
    use(path, lambda store, _: fill(store, 5))
    copy = tmp_path / "copy.duckdb"
    backups.back_up(path, copy, force=False)
    path.unlink()
    left_behind(path, 9)
    kept = restored(path, copy)
    assert use(path, numbers) == list(range(1, 6))
    assert kept is not None
    assert use(kept, numbers) == list(range(1, 10)), "with what only its log had"
    assert copy.exists()


def test_f53_a_damaged_backup_is_refused_and_the_present_store_stays(path: Path, tmp_path: Path) -> None:
    use(path, lambda store, _: fill(store, 5))
    copy = tmp_path / "copy.duckdb"
    copy.write_bytes(b"garbage" * 3000)
    before = path.read_bytes()
    with pytest.raises(StoreBusy, match="cannot be read"):
        restored(path, copy)
    assert path.read_bytes() == before


def test_f52_a_backup_of_a_newer_form_is_refused(path: Path, tmp_path: Path) -> None:
    use(path, lambda store, _: fill(store, 5))
    copy = tmp_path / "copy.duckdb"
    backups.back_up(path, copy, force=False)
    with duckdb.connect(str(copy)) as connection:
        connection.execute("INSERT INTO schema_migrations VALUES (999, now()::TIMESTAMP)")
    with pytest.raises(StoreTooNew, match="999"):
        restored(path, copy)
    assert use(path, numbers) == list(range(1, 6))


def test_f45_a_restore_under_a_running_daemon_is_refused_with_its_pid(path: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.duckdb"
    use(path, lambda store, _: fill(store, 5))
    backups.back_up(path, copy, force=False)

    async def scenario(_: DuckStore, __: EngineState) -> None:
        for refused in (lambda: restored(path, copy), lambda: backups.back_up(path, copy, force=True)):
            with pytest.raises(StoreLocked, match=str(os.getpid())):
                refused()

    use(path, scenario)


@pytest.mark.slow
@pytest.mark.parametrize("garbage", [b"", b"garbage" * 3000, b"\x00" * 12288], ids=["empty", "garbage", "zeros"])
def test_f47_the_newest_good_snapshot_takes_the_place_of_garbage(path: Path, garbage: bytes) -> None:
    async def with_snapshot(store: DuckStore, _: EngineState) -> None:
        await fill(store, 7)
        await keeper_of(store, Retention()).tidy(NOW)

    use(path, with_snapshot)
    newer = backups.new_copy(path, backups.SNAPSHOT, NOW + timedelta(days=1))
    newer.write_bytes(b"a damaged snapshot" * 1000)
    path.write_bytes(garbage)

    async def scenario(store: DuckStore, state: EngineState) -> list[int]:
        assert any("snapshot-20261124T120000Z" in each for each in store.notices)
        return await numbers(store, state)

    assert use(path, scenario) == list(range(1, 8))
    (kept,) = path.parent.glob("*.damaged-*")
    assert kept.read_bytes() == garbage


@pytest.mark.slow
def test_f51_a_snapshot_is_made_once_a_day_and_the_newest_stay(path: Path) -> None:
    async def scenario(store: DuckStore, _: EngineState) -> None:
        await fill(store, 3)
        keeper = keeper_of(store, Retention(snapshots=2))
        for hours in range(0, 24 * 4, 6):
            await keeper.tidy(NOW + timedelta(hours=hours))

    use(path, scenario)
    stamps = [f"{each.made_at:%d}" for each in backups.listed(path)]
    assert stamps == ["27", "26"]


@pytest.mark.slow
def test_f51_the_limit_is_kept_oldest_first_and_what_is_open_stays(path: Path) -> None:
    limit = 5 * 1024 * 1024

    async def scenario(store: DuckStore, _: EngineState) -> None:
        await fill(store, 5)
        for n in range(600):
            await store.commit(over(n, NOW - timedelta(days=60 - n // 10), room=6000))
        keeper = keeper_of(store, Retention(max_bytes=limit, snapshots=1))
        await keeper.tidy(NOW)
        told = await keeper.storage(NOW)
        assert told["room"]["total"] <= limit, told["room"]
        assert keeper.notices
        assert "max_size" in keeper.notices[0]
        assert len(await store.ask("incidents")) == 5
        left = [each["id"] for each in await store.ask("incidents", everything=True, limit=1000)]
        gone = {n for n in range(600) if f"o{n:06d}" not in left}
        assert gone
        assert gone == set(range(len(gone))), "the oldest"
        assert (await store.ask("stats"))["auto_fixed"] == 600

    use(path, scenario)
    assert sql(path, "SELECT count(*) FROM incidents WHERE status = 'open'") == [(5,)]


def test_what_sql_reaches_is_the_store_and_what_is_beside_it(path: Path) -> None:
    async def scenario(store: DuckStore, _: EngineState) -> None:
        for forbidden in (
            "SELECT * FROM read_text('/etc/passwd')",
            f"SELECT * FROM read_text('{path.parent}/../../etc/passwd')",
            "SELECT * FROM glob('/etc/*')",
            "COPY (SELECT 1) TO '/etc/logmedic-test.csv'",
            f"ATTACH '{path.parent}/other.duckdb'",
            "SET enable_external_access = true",
            "SELECT * FROM forbidden",
        ):
            with pytest.raises(duckdb.Error):
                await store.between_commits(lambda writer, sql=forbidden: writer.live().execute(sql))  # type: ignore[misc]

    use(path, scenario)


def test_f50_a_directory_that_cannot_be_written_to_is_told_with_what_to_type(path: Path) -> None:
    """As root, rights keep nobody out: the parent is a file."""
    path.parent.write_text("not a directory")
    with pytest.raises(Exception, match="cannot") as told:
        use(path, lambda store, _: fill(store, 1))
    assert "storage.path" in str(told.value)


def test_two_copies_of_one_second_have_a_name_each(tmp_path: Path) -> None:
    store, now = tmp_path / "logmedic.duckdb", datetime(2026, 11, 26, 4, 19, 59, tzinfo=UTC)
    first = new_copy(store, "backup", now)
    first.parent.mkdir(parents=True)
    first.touch()
    second = new_copy(store, "backup", now)
    assert (first.name, second.name) == ("backup-20261126T041959Z.duckdb", "backup-20261126T042000Z.duckdb")
