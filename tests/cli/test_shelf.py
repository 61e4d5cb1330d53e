"""What the commands keep of rules in the user's cache."""

from __future__ import annotations

from pathlib import Path

import pytest

from logmedic.adapters.rulefiles.shelf import Shelf, program_stamp
from logmedic.cli.rules.group import shelf_of


def test_what_another_program_kept_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A scanner that an older version built may lack what a newer one mends."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    mine = shelf_of()
    assert mine is not None
    Shelf(tmp_path / "logmedic").put("key", b"of any program")
    Shelf(tmp_path / "logmedic", "0" * 64).put("key", b"of an older one")
    assert mine.get("key") is None
    mine.put("key", b"mine")
    assert mine.get("key") == b"mine"
    assert Shelf(tmp_path / "logmedic", f"{program_stamp()} ").get("key") == b"mine"
