"""Which origins people have to look at."""

from __future__ import annotations

from typing import Any

import pytest

from logmedic.core.attention import SHOWN, shown, wants_attention

WELL = {"problem": "", "quiet_since": None, "gaps": 0, "lag_s": 0.0}


@pytest.mark.parametrize(
    ("what", "wanted"),
    [
        ({}, False),
        ({"problem": "gone"}, True),
        ({"quiet_since": "2026-11-24T03:00:00Z"}, True),
        ({"gaps": 1}, True),
        ({"lag_s": 59.9}, False),
        ({"lag_s": 60.0}, True),
        ({"lag_s": None}, False),
    ],
)
def test_what_is_wrong_or_far_behind_wants_attention(what: dict[str, Any], wanted: bool) -> None:
    assert wants_attention({**WELL, **what}) is wanted


def test_few_are_all_shown_and_of_many_those_that_want_attention() -> None:
    few = [WELL] * SHOWN
    assert shown(few) == few
    bad = {**WELL, "gaps": 2}
    assert shown([*few, bad]) == [bad]
    assert len(shown([bad] * 100)) == SHOWN
