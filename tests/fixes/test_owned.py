"""Who else could have put something else in a place (F60)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from logmedic.fixrun import owned

STRANGER = 65123
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files to somebody else")


def of(path: Path, mode: int = 0o755, *, owner: int = 0) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    path.chmod(mode)
    os.chown(path, owner, 0)
    return path


def way(path: Path, *owners: int) -> str:
    return owned.flaw(str(path), {0, *owners}, way=True)


def test_what_is_at_the_end_of_a_way_may_be_anybodys(tmp_path: Path) -> None:
    room = of(tmp_path / "shop/cache", 0o777, owner=STRANGER)
    assert way(room) == ""
    assert owned.flaw(str(room)) != ""


def test_a_way_through_what_is_somebodys_is_theirs_to_change(tmp_path: Path) -> None:
    shop = of(tmp_path / "shop", owner=STRANGER)
    room = of(shop / "cache")
    assert way(room) == f"{shop} belongs to user id {STRANGER}: chown root {shop}"
    assert way(room, STRANGER) == ""


def test_a_way_through_what_others_can_write_is_theirs_to_change(tmp_path: Path) -> None:
    shop = of(tmp_path / "shop", 0o775)
    assert way(of(shop / "cache")) == f"others can write to {shop}: chmod go-w {shop}"


def test_in_a_sticky_directory_only_the_owner_can_change_what_is_there(tmp_path: Path) -> None:
    shared = of(tmp_path / "shared", 0o1777)
    assert way(of(shared / "roots", 0o777)) == ""
    assert "belongs to user id" in way(of(shared / "theirs", owner=STRANGER))


def test_a_link_leads_where_its_owner_wants(tmp_path: Path) -> None:
    shop = of(tmp_path / "shop", owner=STRANGER)
    room, link = of(tmp_path / "shop/cache"), tmp_path / "link"
    link.symlink_to(room)
    assert f"{shop} belongs to user id" in way(link)
    link.unlink()
    link.symlink_to(of(tmp_path / "cache", owner=STRANGER))
    assert way(link) == ""
    os.chown(link, STRANGER, 0, follow_symlinks=False)
    assert f"{link} belongs to user id" in way(link)
