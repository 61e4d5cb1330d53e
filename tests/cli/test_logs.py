"""What the daemon writes to the journal has a priority, which `journalctl -p crit` asks for (F72)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from logmedic.cli.logs import is_journal, with_priority


@pytest.mark.parametrize(
    ("level", "priority"), [("critical", 2), ("error", 3), ("warning", 4), ("info", 6), ("debug", 7)]
)
def test_a_line_begins_with_its_priority(level: str, priority: int) -> None:
    assert with_priority(None, level, "event=started") == f"<{priority}>event=started"


def test_only_what_goes_to_the_journal_has_one(tmp_path: Path) -> None:
    with (tmp_path / "stream").open("w") as stream:
        at = os.fstat(stream.fileno())
        assert is_journal(stream.fileno(), {"JOURNAL_STREAM": f"{at.st_dev}:{at.st_ino}"})
        assert not is_journal(stream.fileno(), {"JOURNAL_STREAM": f"{at.st_dev}:{at.st_ino + 1}"})
        assert not is_journal(stream.fileno(), {})
