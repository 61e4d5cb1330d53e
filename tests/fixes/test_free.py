"""`free`: room is made by the oldest files, and by nothing that was not meant."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logmedic.fixrun.acts import free as module
from logmedic.fixrun.acts.free import Floor, Goal, Tally, free, oldest
from logmedic.fixrun.acts.tree import Found, Tree
from logmedic.fixrun.acts.words import Unreached

NOW = time.time()
HOUR, DAY = 3600.0, 86400.0
MORE_THAN_THERE_IS = 1 << 60


def asked(*paths: Path | str, **more: Any) -> dict[str, Any]:
    usual = {"pattern": "*", "older_than": HOUR, "keep": 0, "percent": 0.0, "free_bytes": MORE_THAN_THERE_IS}
    return {"paths": [str(each) for each in paths], "at_most": 1 << 40, **usual, **more}


def put(path: Path, days: float, size: int = 4096) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * size)
    os.utime(path, (NOW - days * DAY,) * 2)
    return path


def left_over(room: Path) -> set[str]:
    return {str(each.relative_to(room)) for each in room.rglob("*") if each.is_symlink() or each.is_file()}


def everything_that_may(room: Path, **more: Any) -> str:
    """Deletes all that it may, as the goal is out of reach; why it was not enough."""
    with pytest.raises(Unreached) as told:
        free(asked(room, **more), dry=False, now=NOW)
    return str(told.value)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 8 MiB."""
    room = tmp_path / "disk"
    room.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8M", "none", str(room)], capture_output=True, check=False
    )
    if made.returncode != 0:
        pytest.skip("a file system can be mounted by root only")
    try:
        yield room
    finally:
        subprocess.run(["umount", "-l", str(room)], check=True)


def test_the_oldest_go_first_and_no_more_than_are_needed(disk: Path) -> None:
    for days in range(1, 8):
        put(disk / f"{days}.log", days, 1 << 20)
    free(asked(disk, free_bytes=3 << 20), dry=False, now=NOW)
    assert left_over(disk) == {f"{days}.log" for days in range(1, 6)}


def test_a_share_of_the_disk_is_a_goal_as_well(disk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for days in range(1, 8):
        put(disk / f"{days}.log", days, 1 << 20)
    free(asked(disk, free_bytes=0, percent=50.0), dry=False, now=NOW)
    assert left_over(disk) == {f"{days}.log" for days in range(1, 5)}
    assert f"{disk}: 50.0% (4.0M) is free" in capsys.readouterr().out


def test_room_enough_already_is_a_success_and_nothing_goes(tmp_path: Path) -> None:
    put(tmp_path / "old", 9)
    free(asked(tmp_path, free_bytes=1), dry=False, now=NOW)
    assert left_over(tmp_path) == {"old"}


def test_the_dry_run_lists_what_would_go_and_nothing_does(disk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for days in range(1, 8):
        put(disk / f"{days}.log", days, 1 << 20)
    free(asked(disk, free_bytes=3 << 20), dry=True, now=NOW)
    told = capsys.readouterr().out
    assert [line.split("/")[-1] for line in told.splitlines() if line.startswith("would delete ")][:2] == [
        "7.log",
        "6.log",
    ]
    assert "would delete   1.0M       7d  " in told
    assert "would delete 2 files, 2.0M" in told
    assert "would be free" in told
    assert len(left_over(disk)) == 7


def test_a_long_list_ends_with_a_sum(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(100):
        put(tmp_path / str(number), 3)
    everything_that_may(tmp_path)
    told = capsys.readouterr().out
    assert "... and 60 more\ndeleted 100 files, 400K\n" in told


def test_what_is_young_stays(tmp_path: Path) -> None:
    put(tmp_path / "old", 2)
    put(tmp_path / "young", 0.01)
    assert "1 are too young" in everything_that_may(tmp_path)
    assert left_over(tmp_path) == {"young"}


def test_the_newest_are_kept_over_all_paths_the_young_ones_among_them(tmp_path: Path) -> None:
    for days in (0.01, 2, 3, 4):
        put(tmp_path / f"{days}", days)
    assert "2 are the newest, which are kept" in everything_that_may(tmp_path, keep=2)
    assert left_over(tmp_path) == {"0.01", "2"}


def test_never_more_than_at_most(tmp_path: Path) -> None:
    for days in (2, 3, 4):
        put(tmp_path / f"{days}", days)
    assert "more than 8.0K is never deleted" in everything_that_may(tmp_path, at_most=8192)
    assert left_over(tmp_path) == {"2"}


def test_f66_only_names_that_match_go_and_none_means_none(tmp_path: Path) -> None:
    put(tmp_path / "a.tmp", 9)
    put(tmp_path / "deep/er/b.tmp", 9)
    put(tmp_path / "c.sock", 9)
    assert "nothing there matches '*.gz'" in everything_that_may(tmp_path, pattern="*.gz")
    assert len(left_over(tmp_path)) == 3
    everything_that_may(tmp_path, pattern="*.tmp")
    assert left_over(tmp_path) == {"c.sock"}


@pytest.mark.parametrize("path", ["", "/", "//", "relative", "/var/../etc", "/no/such/directory"])
def test_f66_a_path_that_names_no_directory_below_the_root_means_nothing(tmp_path: Path, path: str) -> None:
    put(tmp_path / "old", 9)
    with pytest.raises(Unreached):
        free(asked(tmp_path, path), dry=False, now=NOW)
    assert left_over(tmp_path) == {"old"}


@pytest.mark.parametrize("more", [{"paths": []}, {"free_bytes": 0}], ids=["no paths", "no goal"])
def test_f66_without_paths_or_without_a_goal_nothing_goes(tmp_path: Path, more: dict[str, Any]) -> None:
    put(tmp_path / "old", 9)
    with pytest.raises(Unreached, match="nothing is deleted"):
        free(asked(tmp_path, **more), dry=False, now=NOW)
    assert left_over(tmp_path) == {"old"}


def test_links_are_neither_followed_nor_deleted(tmp_path: Path) -> None:
    room, beside = tmp_path / "room", tmp_path / "beside"
    put(beside / "precious", 9)
    put(room / "old", 9)
    (room / "directory").symlink_to(beside)
    (room / "file").symlink_to(beside / "precious")
    everything_that_may(room)
    assert left_over(room) == {"directory", "file"}
    assert left_over(beside) == {"precious"}
    with pytest.raises(Unreached):
        free(asked(room / "directory"), dry=False, now=NOW)
    assert left_over(beside) == {"precious"}


def test_another_mount_is_not_entered(tmp_path: Path) -> None:
    room, beside = tmp_path / "room", tmp_path / "beside"
    put(beside / "precious", 9)
    put(room / "old", 9)
    (room / "inside").mkdir()
    if subprocess.run(["mount", "--bind", beside, room / "inside"], capture_output=True, check=False).returncode:
        pytest.skip("only root can mount")
    try:
        everything_that_may(room)
    finally:
        subprocess.run(["umount", "-l", room / "inside"], check=True)
    assert left_over(beside) == {"precious"}, "of the same device, too"


def test_a_file_with_another_name_would_free_nothing_and_stays(tmp_path: Path) -> None:
    put(tmp_path / "room/one", 9)
    os.link(tmp_path / "room/one", tmp_path / "other")
    assert "1 have another name" in everything_that_may(tmp_path / "room")
    assert left_over(tmp_path / "room") == {"one"}


def test_a_path_inside_of_another_counts_once(tmp_path: Path) -> None:
    for days in (2, 3, 4):
        put(tmp_path / "in" / f"{days}", days)
    with pytest.raises(Unreached):
        free(asked(tmp_path, tmp_path / "in", tmp_path, keep=2), dry=False, now=NOW)
    assert left_over(tmp_path / "in") == {"2", "3"}


def found_in(tree: Tree, name: str) -> Found:
    return next(each for each in tree.files() if each.name == name)


def test_what_was_swapped_since_it_was_seen_is_left_alone(tmp_path: Path) -> None:
    room, beside = tmp_path / "room", tmp_path / "beside"
    put(room / "sub/old", 9)
    put(beside / "old", 9)
    tree = Tree(str(room))
    seen = found_in(tree, "old")
    (room / "sub").rename(room / "was")
    (room / "sub").symlink_to(beside)
    assert not tree.remove(seen), "its directory is a link by now"
    (room / "sub").unlink()
    beside.rename(room / "sub")
    assert not tree.remove(seen), "its directory is another one"
    (room / "sub").rename(beside)
    (room / "was").rename(room / "sub")
    put(room / "sub/new", 9).rename(room / "sub/old")
    assert not tree.remove(seen), "it is another file"
    assert left_over(tmp_path) == {"room/sub/old", "beside/old"}
    assert tree.remove(found_in(tree, "old"))
    tree.close()


def test_names_are_shown_safely(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(tmp_path / "a\x1b[2Jb\nc", 9)
    everything_that_may(tmp_path)
    assert "\x1b" not in capsys.readouterr().out


def test_more_files_than_are_remembered_take_another_walk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "AT_ONCE", 3)
    for days in range(1, 11):
        put(tmp_path / f"{days}", days)
    everything_that_may(tmp_path, keep=2)
    assert left_over(tmp_path) == {"1", "2"}


@given(
    days=st.lists(st.floats(0, 30), max_size=8),
    keep=st.integers(0, 9),
    older_than_days=st.floats(0, 30, allow_nan=False),
)
def test_what_goes_is_old_enough_and_never_of_the_newest(
    tmp_path_factory: pytest.TempPathFactory, days: list[float], keep: int, older_than_days: float
) -> None:
    room = tmp_path_factory.mktemp("room")
    for number, each in enumerate(days):
        put(room / str(number), each, 1)
    floor = Floor("*", int((NOW - older_than_days * DAY) * 1e9), keep, 1 << 40)
    tree = Tree(str(room))
    goes, whole = oldest([tree], floor, Tally())
    tree.close()
    times = [found.mtime_ns for _, found in goes]
    assert whole
    assert times == sorted(times)
    assert all(each <= floor.since_ns for each in times)
    assert len(times) <= max(0, len(days) - keep)
    stay = {str(number) for number in range(len(days))} - {found.name for _, found in goes}
    newest = sorted(((room / name).stat().st_mtime_ns for name in stay), reverse=True)
    assert not times or keep == 0 or newest[keep - 1] >= times[-1]


@given(st.floats(0, 100), st.integers(0, 1 << 40), st.integers(1, 1 << 30), st.floats(0, 1))
def test_what_is_missing_is_what_makes_it_enough(percent: float, wanted: int, blocks: int, share: float) -> None:
    free_blocks = int(blocks * share)
    status = os.statvfs_result((4096, 4096, blocks, free_blocks, free_blocks, 0, 0, 0, 0, 255))
    missing = Goal(percent, wanted).missing(status)
    has = free_blocks * 4096 + missing
    assert has >= wanted
    assert has / (blocks * 4096) * 100 >= percent - 1e-6
