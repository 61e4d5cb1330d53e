"""Whoever was told that the daemon cannot run hears that it runs again."""

from __future__ import annotations

from pathlib import Path

import pytest

from logmedic.model.alertevent import AlertEvent
from logmedic.model.changeset import Ailing
from logmedic.runtime import lastwords

OVER = Ailing("logmedic", AlertEvent.DAEMON_FAILED)


def test_who_was_told_is_known_until_it_is_forgotten(tmp_path: Path) -> None:
    lastwords.keep(tmp_path, "its config does not load", ["chat", "mail"])
    lastwords.keep(tmp_path, "it was killed", ["mail", "phone"])
    begun, over = lastwords.told(tmp_path)
    assert (begun.what, begun.told, over) == ("it was killed", ("chat", "mail", "phone"), OVER)
    assert lastwords.told(tmp_path) == (begun, over)
    lastwords.forget(tmp_path)
    assert lastwords.told(tmp_path) == ()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"what": "x"}', '{"what": "x", "told": 3}', '{"what": "", "told": ["a"]}', "\x00"]
)
def test_a_file_that_says_nothing_tells_nobody(tmp_path: Path, content: str) -> None:
    (tmp_path / lastwords.NAME).write_text(content)
    assert lastwords.told(tmp_path) == ()
    lastwords.keep(tmp_path, "it was killed", ["mail"])
    assert lastwords.told(tmp_path)[0].told == ("mail",)


def test_where_nothing_can_be_written_nothing_is_kept(tmp_path: Path) -> None:
    lastwords.keep(tmp_path / "gone", "it was killed", ["mail"])
    assert lastwords.told(tmp_path / "gone") == ()
    lastwords.forget(tmp_path / "gone")
