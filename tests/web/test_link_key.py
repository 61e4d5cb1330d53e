"""The key that signs links: made once, for its owner alone; one that others could know is replaced."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from logmedic.adapters.web.linkkey import BYTES, NAME, link_key
from logmedic.model.errors import PermanentError


def test_it_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    made = link_key(tmp_path)
    found = (tmp_path / NAME).stat()
    assert (len(made.key), made.notice) == (BYTES, "")
    assert stat.S_IMODE(found.st_mode) == 0o600
    assert link_key(tmp_path) == made
    assert [each.name for each in tmp_path.iterdir()] == [NAME]


def test_no_two_hosts_have_the_same(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    assert link_key(tmp_path).key != link_key(tmp_path / "other").key


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:31])


def lengthen(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\n")


def empty(path: Path) -> None:
    path.write_bytes(b"")


def open_to_the_group(path: Path) -> None:
    path.chmod(0o640)


def point_elsewhere(path: Path) -> None:
    other = path.with_name("other")
    other.write_bytes(bytes(BYTES))
    other.chmod(0o600)
    path.unlink()
    path.symlink_to(other)


def make_a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path, 0o600)


@pytest.mark.parametrize(
    ("harm", "why"),
    [
        (cut, "it is damaged"),
        (lengthen, "it is damaged"),
        (empty, "it is damaged"),
        (open_to_the_group, "others may use it (mode 0640)"),
        (point_elsewhere, "Too many levels of symbolic links"),
        (make_a_pipe, "it is no file"),
    ],
)
def test_one_that_cannot_be_trusted_is_replaced_and_that_is_said(
    tmp_path: Path, harm: Callable[[Path], None], why: str
) -> None:
    before = link_key(tmp_path).key
    harm(tmp_path / NAME)
    made = link_key(tmp_path)
    assert made.key not in (before, bytes(BYTES))
    assert f"was replaced: {why}; links of messages that were sent before open nothing" in made.notice
    assert made.key not in made.notice.encode()
    assert repr(made.key) not in repr(made)
    assert link_key(tmp_path) == type(made)(made.key)
    if harm is point_elsewhere:
        assert (tmp_path / "other").read_bytes() == bytes(BYTES), "what it pointed at is left alone"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_one_of_another_user_is_replaced(tmp_path: Path) -> None:
    link_key(tmp_path)
    os.chown(tmp_path / NAME, 12345, 12345)
    assert "it belongs to user 12345" in link_key(tmp_path).notice


def test_where_none_can_be_made_it_is_said_what_to_do(tmp_path: Path) -> None:
    (tmp_path / NAME / "full").mkdir(parents=True)
    with pytest.raises(PermanentError, match="cannot be used") as refused:
        link_key(tmp_path)
    assert "leave web.listen empty" in refused.value.hint
