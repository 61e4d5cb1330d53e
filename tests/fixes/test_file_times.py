"""A check of a file takes any time that a file system keeps: anybody who may write there may set it."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

import pytest

from logmedic.adapters.fixes.ondisk import of_file
from logmedic.model.probe import FileProbe

NOW = datetime(2026, 11, 26, 15, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("at", "passes"), [(99_999_999_999_999, True), (2**62, True), (-(2**62), False), (NOW.timestamp(), True)]
)
def test_a_time_that_no_calendar_has_is_newer_or_older(at: float, passes: bool) -> None:
    status = os.stat_result((0o100644, 1, 1, 1, 0, 0, 5, int(at), int(at), int(at)))
    passed, words = of_file(FileProbe("/x", newer_than=timedelta(hours=1)), status, NOW)
    assert passed is passes
    assert words
