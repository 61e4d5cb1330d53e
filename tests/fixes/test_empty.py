"""`empty`: the cache goes, the directory stays, and nothing outside of it is touched."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from pathlib import Path

import pytest

from logmedic.fixrun.acts.empty import empty
from logmedic.fixrun.acts.words import Unreached

NOW = time.time() + 1


def put(path: Path, hours: float = 9) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("x")
    os.utime(path, (NOW - hours * 3600,) * 2)
    return path


def dropped(room: Path, hours: float = 0, *, dry: bool = False) -> None:
    empty({"path": str(room), "older_than": hours * 3600}, dry=dry, now=NOW)


def test_everything_in_it_goes_and_it_stays(tmp_path: Path) -> None:
    room = tmp_path / "cache"
    put(room / "a")
    put(room / "b/c/d")
    (room / "empty").mkdir()
    (room / "link").symlink_to("/etc")
    os.mkfifo(room / "fifo")
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(room / "socket"))
    dropped(room)
    assert list(room.iterdir()) == []


def test_what_a_link_leads_to_stays(tmp_path: Path) -> None:
    put(tmp_path / "beside/precious")
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache/link").symlink_to(tmp_path / "beside")
    dropped(tmp_path / "cache")
    assert (tmp_path / "beside/precious").exists()
    (tmp_path / "other").symlink_to(tmp_path / "beside")
    with pytest.raises(Unreached):
        dropped(tmp_path / "other")
    assert (tmp_path / "beside/precious").exists()


def test_a_path_that_a_link_is_part_of_is_refused(tmp_path: Path) -> None:
    """Who may write to the directory above could lead it to any other that the step may write to."""
    kept = put(tmp_path / "data/inner/kept")
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache/way").symlink_to(tmp_path / "data")
    with pytest.raises(Unreached, match="a link leads there"):
        dropped(tmp_path / "cache/way/inner")
    assert kept.exists()


def test_what_is_young_stays_with_its_directories_and_that_is_a_success(tmp_path: Path) -> None:
    put(tmp_path / "cache/old")
    put(tmp_path / "cache/deep/old")
    put(tmp_path / "cache/deep/young", 0.1)
    dropped(tmp_path / "cache", 1)
    assert sorted(each.name for each in tmp_path.rglob("*")) == ["cache", "deep", "young"]


def test_the_dry_run_lists_it_and_nothing_goes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(tmp_path / "cache/a")
    put(tmp_path / "cache/b/c")
    dropped(tmp_path / "cache", dry=True)
    assert (tmp_path / "cache/b/c").exists()
    assert f"9h  {tmp_path}/cache/b/c\n" in capsys.readouterr().out


def test_f66_an_empty_cache_is_a_success_and_none_at_all_is_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dropped(tmp_path)
    assert "is empty already" in capsys.readouterr().out
    with pytest.raises(Unreached, match="No such file"):
        dropped(tmp_path / "nothing")


@pytest.mark.parametrize("path", ["", "/", "//", "relative", "/var/../etc"])
def test_f66_a_path_that_names_no_directory_below_the_root_means_nothing(path: str) -> None:
    with pytest.raises(Unreached, match="is no directory to delete in"):
        empty({"path": path, "older_than": 0.0}, dry=True, now=NOW)


def test_another_mount_is_not_entered_and_that_is_said(tmp_path: Path) -> None:
    put(tmp_path / "beside/precious")
    put(tmp_path / "cache/old")
    inside = tmp_path / "cache/inside"
    inside.mkdir()
    if subprocess.run(["mount", "--bind", tmp_path / "beside", inside], capture_output=True, check=False).returncode:
        pytest.skip("only root can mount")
    try:
        with pytest.raises(Unreached, match="1 on another file system"):
            dropped(tmp_path / "cache")
    finally:
        subprocess.run(["umount", "-l", inside], check=True)
    assert (tmp_path / "beside/precious").exists()
    assert not (tmp_path / "cache/old").exists()


def test_what_is_too_deep_is_left_and_said(tmp_path: Path) -> None:
    room = os.open(tmp_path, os.O_RDONLY)
    for _ in range(300):
        os.mkdir("d", dir_fd=room)
        below = os.open("d", os.O_RDONLY, dir_fd=room)
        os.close(room)
        room = below
    os.close(room)
    with pytest.raises(Unreached, match="too deep"):
        dropped(tmp_path)
