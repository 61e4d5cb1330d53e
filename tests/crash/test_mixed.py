"""I1, I3, I5: everything at once for a short time, with troubles and kills. `make soak-long` does it for an hour, and
looks whether that stays flat."""

from __future__ import annotations

from pathlib import Path

import pytest

from crash.longsoak import text_of
from crash.mixed import Mixed
from crash.rotated import PROGRAM

SECONDS = 40.0


@pytest.mark.slow
@pytest.mark.skipif(not Path(PROGRAM).exists(), reason="logrotate is not installed")
def test_what_is_stored_is_what_happened_with_everything_at_once(tmp_path: Path) -> None:
    for directory in (tmp_path, *tmp_path.parents[:-2]):
        directory.chmod(directory.stat().st_mode | 0o011)  # the user of fixes has to get there
    mixed = Mixed(tmp_path, seed=1, life_s=8.0, work_s=3.0, rotate_s=4.0, pause_s=0.2)
    for _ in mixed.run(SECONDS):
        pass
    story = mixed.story
    assert story.exact, f"{text_of(story)}\n{mixed.said()}"
    rare = {"incidents of door-forced"}  # two lines in order, of which so short a time may have none
    assert {row.what for row in story.rows if row.written == 0} <= rare, text_of(story)
    assert len(story.lives) > 1
    assert set(story.troubles) > {"nobody hears"}
