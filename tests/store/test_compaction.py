"""A copy without holes takes the place of the file while the daemon runs, and a kill at any moment loses nothing."""

from __future__ import annotations

import asyncio
import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from stores import child, counted, fill, numbers, over, sql, use, was_killed

from logmedic.adapters.store.compaction import compact
from logmedic.adapters.store.connection import CONFIG, before_compaction_of, compacted_of
from logmedic.adapters.store.duck import DuckStore
from logmedic.adapters.store.writer import Writer
from logmedic.model.errors import StoreBusy
from logmedic.model.query import Limits
from logmedic.model.state import EngineState

POINTS = ("copied", "verified", "caught_up", "closed", "kept", "swapped", "opened", "done")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "logmedic.duckdb"


async def emptied(store: DuckStore, n: int = 800) -> None:
    """Most of what was written is deleted again: the file has holes."""
    await fill(store, n, room=9000)
    await store.between_commits(_delete)


def _delete(writer: Writer) -> None:
    writer.guarded(writer.fold)
    connection = writer.live()
    for table, key in (("incident_events", "e000011"), ("incidents", "i000011")):
        connection.execute(f"DELETE FROM {table} WHERE id >= '{key}'")
    connection.execute("DELETE FROM tallies")
    connection.execute("INSERT INTO tallies VALUES (TIMESTAMP '2026-11-24', 'lines', 10)")
    connection.execute("CHECKPOINT")


def left(path: Path) -> list[str]:
    return sorted(each.name for each in path.parent.iterdir() if each.suffix != ".lock")


@pytest.mark.slow
def test_f51_a_compaction_gives_room_back_and_keeps_every_row_key_and_right(path: Path) -> None:
    constraints = "SELECT table_name, constraint_text FROM duckdb_constraints() ORDER BY ALL"
    columns = "SELECT table_name, column_name, data_type, column_default FROM duckdb_columns() ORDER BY ALL"

    async def scenario(store: DuckStore, _: EngineState) -> None:
        await emptied(store)
        done = await compact(store)
        assert done.after_bytes == path.stat().st_size
        assert done.after_bytes < done.before_bytes / 2
        await store.commit(counted(11))
        await store.commit(counted(11))
        assert (await store.ask("incident", incident_id="i000011"))["events"]

    use(path, lambda store, state: fill(store, 1))
    before = sql(path, constraints), sql(path, columns)
    use(path, scenario)
    assert (sql(path, constraints), sql(path, columns)) == before
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert left(path) == [path.name]


def test_f51_what_is_committed_while_the_copy_is_made_is_in_it(path: Path) -> None:
    async def scenario(store: DuckStore, _: EngineState) -> None:
        await fill(store, 20)
        compaction = asyncio.create_task(compact(store))
        n = 20
        while not compaction.done():
            n += 1
            await store.commit(counted(n))
            if n % 7 == 0:  # which brings what is pending into the tables
                await store.ask("counts")
        await compaction
        await store.commit(counted(n + 1))
        assert await numbers(store, EngineState()) == list(range(1, n + 2))

    use(path, scenario)
    found = use(path, numbers)
    assert found == list(range(1, len(found) + 1))
    assert len(found) > 25, "some came meanwhile"


KILLED = """
import asyncio, os, signal
from pathlib import Path
from logmedic.adapters.store.compaction import compact
from logmedic.adapters.store.duck import DuckStore
from stores import counted, fill

path, at = Path(sys.argv[1]), sys.argv[2]

def reached(point):
    if point == at:
        os.kill(os.getpid(), signal.SIGKILL)

async def main():
    store = DuckStore(path)
    await store.open()
    await fill(store, 300, 2000)
    task = asyncio.create_task(compact(store, reached))
    n = 300
    while not task.done():
        n += 1
        await store.commit(counted(n))
        print(n, flush=True)
    await task

asyncio.run(main())
"""


@pytest.mark.slow
@pytest.mark.parametrize("point", POINTS)
def test_f51_a_kill_at_any_moment_of_a_compaction_loses_nothing(path: Path, point: str) -> None:
    ran = child(KILLED, path, point)
    assert was_killed(ran)
    told = [int(line) for line in ran.stdout.splitlines() if line.isdigit()]

    async def opened(store: DuckStore, state: EngineState) -> list[int]:
        assert not store.notices
        found = await numbers(store, state)
        await store.commit(counted(len(found) + 1))
        return found

    found = use(path, opened)
    assert found == list(range(1, len(found) + 1))
    assert len(found) >= (told[-1] if told else 300), "what was durable is there"
    assert left(path) == [path.name]


@pytest.mark.slow
def test_f51_random_kills_in_a_store_that_is_compacted_all_the_time_lose_nothing(path: Path) -> None:
    program = KILLED.replace(
        "await fill(store, 300, 2000)\n    task = asyncio.create_task(compact(store, reached))\n    n = 300",
        "n = (await store.ask('counts')).get('lines', 0)\n"
        "    async def again():\n        while True: await compact(store)\n"
        "    task = asyncio.create_task(again())",
    )
    assert "again" in program
    head = f"import sys\nsys.path[:0] = {[str(Path(__file__).parent), str(Path(__file__).parents[1])]!r}\n"
    for lines in (1, 60, 150, 400, 90):
        with subprocess.Popen(
            [sys.executable, "-c", head + program, str(path), ""], stdout=subprocess.PIPE, text=True
        ) as running:
            assert running.stdout is not None
            told = [running.stdout.readline() for _ in range(lines)]
            last = max(int(line) for line in ["0", *map(str.strip, told)] if line.isdigit())
            running.kill()
        found = use(path, numbers)
        assert found == list(range(1, len(found) + 1))
        assert len(found) >= last


class _Broken(Writer):
    """The new file does not open."""

    broken = False

    def reconnect(self) -> None:
        if self.broken:
            self.broken = False
            raise StoreBusy("it does not open")
        super().reconnect()


def test_f51_the_old_file_comes_back_when_the_new_one_does_not_open(path: Path) -> None:
    async def scenario() -> None:
        writer = _Broken(path)
        store = DuckStore(path, writer)
        await store.open()
        await fill(store, 20)
        inode = path.stat().st_ino

        def reached(point: str) -> None:
            writer.broken = point == "swapped"

        with pytest.raises(StoreBusy):
            await compact(store, reached)
        assert path.stat().st_ino == inode
        await store.commit(counted(21))
        await store.close()

    asyncio.run(scenario())
    assert use(path, numbers) == list(range(1, 22))
    assert left(path) == [path.name]


def test_f51_a_store_that_is_being_read_elsewhere_in_the_process_is_not_exchanged(path: Path) -> None:
    """What was written then would go into a file without a name."""

    async def scenario(store: DuckStore, _: EngineState) -> None:
        await fill(store, 20)
        reading = await store.between_commits(lambda _: duckdb.connect(str(path), config=CONFIG))
        with pytest.raises(StoreBusy, match="could not be compacted"):
            await compact(store)
        await store.commit(counted(21))
        reading.close()
        await compact(store)
        await store.commit(counted(22))

    use(path, scenario)
    assert use(path, numbers) == list(range(1, 23))


def test_f51_what_a_query_reads_stays_while_it_reads_and_the_file_is_exchanged_afterwards(path: Path) -> None:
    async def scenario(store: DuckStore, _: EngineState) -> None:
        await fill(store, 20)
        reading, _followed = await store.between_commits(Writer.pinned)
        await store.commit(counted(21))
        with pytest.raises(StoreBusy, match="it is being read"):
            await compact(store)
        await store.commit(counted(22))
        assert reading.execute("SELECT count(*) FROM incidents").fetchall() == [(20,)], "as at its beginning"
        reading.close()
        await compact(store)
        await store.commit(counted(23))

    use(path, scenario)
    assert use(path, numbers) == list(range(1, 24))
    assert left(path) == [path.name]


@pytest.mark.slow
def test_f51_queries_commits_and_compactions_beside_one_another_hurt_none_of_them(path: Path) -> None:
    async def scenario(store: DuckStore, _: EngineState) -> tuple[int, int]:
        await fill(store, 100, 2000)
        asked = asyncio.create_task(_asked_again_and_again(store, 12))
        n, exchanged = 100, 0
        while not asked.done():
            for _ in range(5):
                n += 1
                await store.commit(counted(n))
            try:
                await compact(store)
                exchanged += 1
            except StoreBusy:  # a query reads
                pass
        found = asked.result()
        assert found == sorted(found)
        assert 100 <= found[0] <= found[-1] <= n
        return n, exchanged

    committed, exchanged = use(path, scenario)
    assert exchanged, "else it shows nothing"
    assert use(path, numbers) == list(range(1, committed + 1))
    assert left(path) == [path.name]


async def _asked_again_and_again(store: DuckStore, times: int) -> list[int]:
    answers = [json.loads(await store.query("SELECT count(*) FROM v_incidents", Limits())) for _ in range(times)]
    return [answer["rows"][0][0] for answer in answers]


def test_f51_a_compaction_that_is_cancelled_leaves_nothing_behind(path: Path) -> None:
    async def scenario(store: DuckStore, _: EngineState) -> None:
        await fill(store, 300, 2000)
        task = asyncio.create_task(compact(store))
        await asyncio.sleep(0)
        await store.commit(counted(301))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await store.commit(counted(302))

    use(path, scenario)
    assert use(path, numbers) == list(range(1, 303))
    assert left(path) == [path.name]


@pytest.mark.slow
def test_f51_where_the_disk_is_full_the_store_stays_as_it_is(path: Path) -> None:
    program = """
import asyncio, resource, signal
from pathlib import Path
from logmedic.adapters.store.compaction import compact
from logmedic.adapters.store.duck import DuckStore
from logmedic.model.errors import StoreFull
from stores import counted, fill

async def main():
    store = DuckStore(Path(sys.argv[1]))
    await store.open()
    await fill(store, 400, 3000)
    await store.ask("counts")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, limits[1]))
    try:
        await compact(store)
    except StoreFull as error:
        print(error)
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    await store.commit(counted(401))
    await store.close()

asyncio.run(main())
"""
    ran = child(program, path)
    assert ran.returncode == 0, ran.stderr
    assert "cannot be written" in ran.stdout
    assert use(path, numbers) == list(range(1, 402))
    assert left(path) == [path.name]


def test_f47_a_compacted_file_that_does_not_open_after_a_kill_gives_way_to_the_one_before(path: Path) -> None:
    use(path, lambda store, state: fill(store, 20))
    before_compaction_of(path).write_bytes(path.read_bytes())
    path.write_bytes(b"garbage" * 3000)
    compacted_of(path).write_bytes(b"half made")

    async def scenario(store: DuckStore, state: EngineState) -> list[int]:
        assert any("before-compaction" in each for each in store.notices)
        return await numbers(store, state)

    assert use(path, scenario) == list(range(1, 21))
    assert not before_compaction_of(path).exists()
    assert not compacted_of(path).exists()


def test_over_is_kept_by_a_compaction_as_well(path: Path) -> None:
    async def scenario(store: DuckStore, _: EngineState) -> None:
        await store.commit(over(1, counted(1).incidents[0].opened_at))
        before = await store.ask("stats")
        await compact(store)
        assert await store.ask("stats") == before
        assert os.path.exists(path)

    use(path, scenario)
