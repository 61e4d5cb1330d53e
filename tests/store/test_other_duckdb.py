"""Stores that another DuckDB wrote: 1.5 and 2 both serve, and a file that is too new is left as it is (F52).

`made_by_duckdb/` has one of each: three changesets, closed, three more, killed, so that half of it is in the
write-ahead log. `make test-duckdb` runs this with DuckDB 1.5.
"""

from __future__ import annotations

import lzma
from pathlib import Path

import duckdb
import pytest
from stores import NOW, counted, numbers, use

from logmedic.adapters.store.backups import restore
from logmedic.adapters.store.connection import backups_of
from logmedic.adapters.store.duck import DuckStore
from logmedic.adapters.store.reading import open_readonly
from logmedic.adapters.store.walog import find_gap
from logmedic.model.errors import StoreTooNew
from logmedic.model.state import EngineState

MADE = Path(__file__).with_name("made_by_duckdb")
READABLE = ("1.5.6", "2.0.0") if int(duckdb.__version__.split(".")[0]) >= 2 else ("1.5.6",)
TOO_NEW = tuple(each for each in ("1.5.6", "2.0.0") if each not in READABLE)


def laid(path: Path, version: str) -> tuple[Path, Path]:
    """The store and its log as DuckDB `version` left them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    log = path.with_name(f"{path.name}.wal")
    path.write_bytes(lzma.decompress((MADE / f"{version}.duckdb.xz").read_bytes()))
    log.write_bytes(lzma.decompress((MADE / f"{version}.duckdb.wal.xz").read_bytes()))
    return path, log


@pytest.mark.parametrize("version", READABLE)
def test_a_killed_store_of_each_readable_duckdb_is_whole_and_goes_on(tmp_path: Path, version: str) -> None:
    path, _ = laid(tmp_path / "logmedic.duckdb", version)

    async def goes_on(store: DuckStore, state: EngineState) -> list[int]:
        assert await numbers(store, state) == [1, 2, 3, 4, 5, 6]
        await store.commit(counted(7))
        return await numbers(store, state)

    assert use(path, goes_on) == [1, 2, 3, 4, 5, 6, 7]
    assert use(path, numbers) == [1, 2, 3, 4, 5, 6, 7]
    assert not list(tmp_path.glob("*.damaged-*"))


@pytest.mark.parametrize("version", ["1.5.6", "2.0.0"])
def test_the_log_of_each_duckdb_is_followed_and_a_hole_in_it_is_noticed(tmp_path: Path, version: str) -> None:
    _, log = laid(tmp_path / "logmedic.duckdb", version)
    assert find_gap(log) is None
    whole = log.read_bytes()
    first = whole.index(b"\xff\xff") + 2  # the length of the first entry
    log.write_bytes(whole[:first] + bytes(8) + whole[first + 8 :])
    gap = find_gap(log)
    assert gap is not None
    assert (gap.at, gap.changes) == (first, whole.count(b"\x64\x00\x64\xff\xff"))


@pytest.mark.skipif(not TOO_NEW, reason="no store here is newer than this DuckDB: make test-duckdb runs it with 1.5")
@pytest.mark.parametrize("version", TOO_NEW or ("none",))
def test_f52_a_file_of_a_newer_duckdb_is_refused_and_left_as_it_is(tmp_path: Path, version: str) -> None:
    path, log = laid(tmp_path / "logmedic.duckdb", version)
    before = (path.read_bytes(), log.read_bytes())
    with pytest.raises(StoreTooNew, match="newer DuckDB"):
        use(path, numbers)
    with pytest.raises(StoreTooNew, match="newer DuckDB"), open_readonly(path):
        pass
    assert (path.read_bytes(), log.read_bytes()) == before
    assert sorted(each.name for each in tmp_path.glob("*.damaged-*")) == []


@pytest.mark.skipif(not TOO_NEW, reason="no store here is newer than this DuckDB: make test-duckdb runs it with 1.5")
@pytest.mark.parametrize("version", TOO_NEW or ("none",))
def test_f52_a_backup_of_a_newer_duckdb_is_not_restored_over_a_store(tmp_path: Path, version: str) -> None:
    path, _ = laid(tmp_path / "state" / "logmedic.duckdb", READABLE[0])
    copy, _ = laid(tmp_path / "mnt" / "backup.duckdb", version)
    with pytest.raises(StoreTooNew, match="newer DuckDB"), copy.open("rb") as source:
        restore(path, source, NOW)
    assert use(path, numbers) == [1, 2, 3, 4, 5, 6]


def test_a_copy_of_a_newer_duckdb_does_not_stand_in_for_a_damaged_store(tmp_path: Path) -> None:
    path = tmp_path / "logmedic.duckdb"
    path.write_bytes(b"no store at all" * 1000)
    for version in (*READABLE, *TOO_NEW):  # the newest copy last
        laid(backups_of(path) / f"snapshot-{version}.duckdb", version)[1].unlink()
    assert use(path, numbers) == [1, 2, 3]
