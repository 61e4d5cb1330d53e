"""A salvage or restore that is cut off, or meets the host's troubles, costs nothing that could be read (I1, I4)."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest
from stores import NOW, counted, fill, numbers, use

from logmedic.adapters.store import backups, replacing, salvage
from logmedic.adapters.store.children import Children
from logmedic.adapters.store.connection import backups_of
from logmedic.adapters.store.duck import DuckStore
from logmedic.adapters.store.walog import wal_of
from logmedic.adapters.store.writer import Writer
from logmedic.model.changeset import Changeset
from logmedic.model.errors import LogmedicError, StoreBusy, StoreFull
from logmedic.model.state import EngineState
from logmedic.model.trust import Pause, PauseOrigin
from store.disks import Tmpfs, may_mount
from store.test_backup import left_behind
from store.test_duck_store import first_entry_behind_the_middle

HANDS_OFF = Pause(PauseOrigin.OPERATOR, True, NOW, "anna", "hands off")
MOMENTS = ("ready", "alone", "replaced")


class Killed(BaseException):
    """What nobody catches: the process is gone."""


def killed_at(moment: str) -> Callable[[str], None]:
    def reached(what: str) -> None:
        if what == moment:
            raise Killed

    return reached


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "logmedic.duckdb"


def made(path: Path, n: int) -> Path:
    """Closed well: all is in the file."""
    use(path, lambda store, _: fill(store, n))
    return path


async def pauses(store: DuckStore, state: EngineState) -> list[str]:
    return [each.by for each in state.pauses.values() if each.on]


async def notices(store: DuckStore, _: EngineState) -> tuple[str, ...]:
    return tuple(store.notices)


# -- taking the place --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("moment", MOMENTS)
def test_i4_whenever_a_replacing_is_cut_off_the_next_start_has_the_new_one_whole(
    path: Path, tmp_path: Path, moment: str
) -> None:
    left_behind(path, 20)
    assert wal_of(path).exists(), "which must not be read into the other file"
    new = made(tmp_path / "new.duckdb", 3)
    with pytest.raises(Killed):
        replacing.replace(path, new, killed_at(moment))
    assert use(path, numbers) == [1, 2, 3]
    assert not wal_of(path).exists()
    assert not replacing.replacement_of(path).exists()


def test_that_it_was_cut_off_is_told(path: Path, tmp_path: Path) -> None:
    made(path, 1)
    with pytest.raises(Killed):
        replacing.replace(path, made(tmp_path / "new.duckdb", 3), killed_at("ready"))
    assert "cut off" in "".join(use(path, notices))
    assert use(path, notices) == ()


@pytest.mark.parametrize("moment", MOMENTS)
def test_f53_a_restore_that_was_cut_off_is_finished_by_the_next_one_and_keeps_both_stores(
    path: Path, tmp_path: Path, moment: str
) -> None:
    left_behind(path, 20)
    with pytest.raises(Killed):
        replacing.replace(path, made(tmp_path / "first.duckdb", 3), killed_at(moment))
    with made(tmp_path / "second.duckdb", 5).open("rb") as source:
        kept = backups.restore(path, source, NOW)
    assert kept is not None
    assert (use(kept, numbers), use(path, numbers)) == ([1, 2, 3], [1, 2, 3, 4, 5])


def test_f53_what_a_restore_set_aside_is_restored_with_what_only_its_log_had(path: Path, tmp_path: Path) -> None:
    copy = made(tmp_path / "copy.duckdb", 2)
    left_behind(path, 9)
    with copy.open("rb") as source:
        kept = backups.restore(path, source, NOW)
    assert kept is not None
    with kept.open("rb") as source, wal_of(kept).open("rb") as log:
        backups.restore(path, source, NOW + timedelta(seconds=1), log=log)
    assert use(path, numbers) == list(range(1, 10))


def test_f53_a_backup_with_a_log_of_another_file_is_refused_and_the_store_stays(path: Path, tmp_path: Path) -> None:
    made(path, 5)
    copy, other = made(tmp_path / "copy.duckdb", 2), tmp_path / "other.duckdb"
    left_behind(other, 3)
    wal_of(other).write_bytes(wal_of(other).read_bytes()[:200] + b"\xa5" * 500)
    before = path.read_bytes()
    with copy.open("rb") as source, wal_of(other).open("rb") as log, pytest.raises(LogmedicError):
        backups.restore(path, source, NOW, log=log)
    assert path.read_bytes() == before
    assert use(path, numbers) == [1, 2, 3, 4, 5]


# -- what a salvage keeps ----------------------------------------------------------------------------------------------


def damaged(path: Path, *tables: str, n: int = 5) -> None:
    """So that nothing of `tables` can be read, and all else can."""

    async def scenario(store: DuckStore, _: EngineState) -> None:
        await fill(store, n)
        await store.commit(Changeset(pauses=(HANDS_OFF,)))

    use(path, scenario)
    with duckdb.connect(str(path)) as connection:
        for table in tables:
            connection.execute(f"DROP TABLE {table} CASCADE")


@pytest.mark.parametrize("table", ["pauses", "trust", "breakers", "fix_attempts"])
def test_i8_without_what_held_fixes_back_none_is_run_until_a_person_says_so(path: Path, table: str) -> None:
    damaged(path, table)
    told = salvage.begin_anew(path, "an index is damaged")
    assert "logmedic resume" in told[1]
    assert use(path, pauses) == ["logmedic"]
    assert use(path, numbers) == [1, 2, 3, 4, 5]


def test_what_loses_nothing_of_that_leaves_the_pause_of_people_as_it_was(path: Path) -> None:
    damaged(path, "onsets")
    told = salvage.begin_anew(path, "an index is damaged")
    assert "logmedic resume" not in told[1]
    assert use(path, pauses) == ["anna"]


def test_i8_a_copy_of_yesterday_knows_no_pause_of_today(path: Path) -> None:
    made(path, 4)
    with path.open("rb") as whole:
        copy = backups.new_copy(path, backups.SNAPSHOT, NOW)
        copy.parent.mkdir()
        copy.write_bytes(whole.read())
    path.write_bytes(b"garbage" * 3000)
    assert use(path, pauses) == ["logmedic"]
    assert use(path, numbers) == [1, 2, 3, 4]


def test_f47_a_stop_ends_who_looks_a_store_through_and_not_who_mends_it(path: Path) -> None:
    left_behind(path, 60)

    async def opened_in_a_hurry() -> tuple[str, ...]:
        store = DuckStore(path)
        store.hurry()
        try:
            await store.open()
            return tuple(store.notices)
        finally:
            await store.close()

    before = path.read_bytes(), wal_of(path).read_bytes()
    with pytest.raises(StoreBusy, match="was ended"):
        asyncio.run(opened_in_a_hurry())
    assert (path.read_bytes(), wal_of(path).read_bytes()) == before
    log = wal_of(path).read_bytes()
    place = first_entry_behind_the_middle(log)
    wal_of(path).write_bytes(log[:place] + b"\xff" * 8 + log[place + 8 :])
    assert "left out" in "".join(asyncio.run(opened_in_a_hurry()))
    saved = use(path, numbers)
    assert saved == list(range(1, len(saved) + 1))
    assert 0 < len(saved) < 60


@pytest.fixture
def tmpfs(path: Path) -> Iterator[Tmpfs]:
    if not may_mount():
        pytest.skip("the kernel lets us mount nothing")
    disk = Tmpfs(path, "16m")
    yield disk
    disk.close()


def test_f48_a_full_disk_is_no_damage_a_salvage_waits_for_room_and_leaves_nothing(path: Path, tmpfs: Tmpfs) -> None:
    """There is room for what is kept of the original, and none for the rescue."""
    damaged(path, "onsets", n=20)
    room = path.stat().st_size + 300 * 1024
    (path.parent / "spare").write_bytes(b"x" * room)
    tmpfs.fill()
    (path.parent / "spare").unlink()
    before = sorted(each.name for each in path.parent.iterdir())
    with pytest.raises((StoreFull, StoreBusy)):
        salvage.begin_anew(path, "an index is damaged")
    assert sorted(each.name for each in path.parent.iterdir()) == before
    tmpfs.free()
    salvage.begin_anew(path, "an index is damaged")
    assert use(path, numbers) == list(range(1, 21))


def test_f48_what_a_log_was_before_it_was_cut_stays_when_there_is_no_room_for_the_rest(
    path: Path, tmpfs: Tmpfs
) -> None:
    path.write_bytes(b"garbage" * 3000)
    wal_of(path).write_bytes(b"a log" * 200)
    (path.parent / "spare").write_bytes(b"x" * 300 * 1024)
    tmpfs.fill()
    (path.parent / "spare").unlink()
    with pytest.raises((StoreFull, StoreBusy)):
        salvage.make_openable(path, Children())
    (kept,) = path.parent.glob("*.damaged-*.wal")
    assert kept.read_bytes() == b"a log" * 200


def test_f48_a_copy_that_has_no_room_yet_takes_the_place_later(path: Path, tmpfs: Tmpfs) -> None:
    made(path, 4)
    copy = backups_of(path) / "snapshot-20261123T120000Z.duckdb"
    copy.parent.mkdir()
    copy.write_bytes(path.read_bytes())
    path.write_bytes(b"garbage" * 3000)
    tmpfs.fill()
    with pytest.raises((StoreFull, StoreBusy)):
        use(path, numbers)
    tmpfs.free()
    assert use(path, numbers) == [1, 2, 3, 4]


def test_a_reader_that_the_host_kills_says_nothing_about_the_file(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    damaged(path, "onsets")
    program = tmp_path / "python"
    program.write_text("#!/bin/sh\nkill -9 $$\n")
    program.chmod(0o755)
    before = path.read_bytes()
    with monkeypatch.context() as host:
        host.setattr(sys, "executable", str(program))
        with pytest.raises(StoreBusy, match="is killed"):
            salvage.begin_anew(path, "an index is damaged")
    assert path.read_bytes() == before
    assert [each.name for each in path.parent.iterdir() if "damaged" in each.name] == []


# -- a copy that is made meanwhile -------------------------------------------------------------------------------------


def test_a_copy_that_a_change_may_be_missing_in_is_given_up(path: Path) -> None:
    """Its commit failed, and was in the file all the same: it is in no list of what came since the copy was begun."""

    async def scenario(store: DuckStore, _: EngineState) -> None:
        cursor, followed = await store.between_commits(lambda writer: writer.pinned(follow=True))
        await store.commit(counted(1))
        assert not followed.lost
        cursor.close()
        await store.between_commits(Writer.close_connection)
        await store.commit(counted(2))
        assert followed.lost

    use(path, scenario)


def test_f33_what_a_clock_that_was_ahead_dates_is_tried_last(path: Path) -> None:
    backups_of(path).mkdir(parents=True)
    now = time.time()
    for days, name in (
        (400, "backup-20271229T030000Z"),
        (-1, "snapshot-20261123T030000Z"),
        (0, "snapshot-20261124T030000Z"),
    ):
        copy = backups_of(path) / f"{name}.duckdb"
        copy.touch()
        os.utime(copy, (now, now + days * 86400))
    assert [each.stem for each in salvage.stand_ins(path)] == [
        "snapshot-20261124T030000Z", "snapshot-20261123T030000Z", "backup-20271229T030000Z",
    ]  # fmt: skip
