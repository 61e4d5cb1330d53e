"""What a rule waits for is said in one set of words, in `rules show` and in docs/packs.md."""

from __future__ import annotations

from datetime import timedelta

import pytest

from logmedic.core.rulewords.triggers import when_text
from logmedic.model.match import MatchSpec
from logmedic.model.when import Absence, Clear, Distinct, Rate, Sequence, Stage, Threshold, Trigger, When

LINE = MatchSpec(("x",))
MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("trigger", "said"),
    [
        (Threshold(), "the first match"),
        (Threshold(5, MINUTE, ("upstream",)), "5 matches inside 1m, apart for each upstream"),
        (Distinct("user", 10, 10 * MINUTE), "10 different user inside 10m"),
        (
            Sequence((Stage(LINE), Stage(LINE, 2)), 3, MINUTE),
            "all of it inside 1m, in this order: the match 3 x, then 1 x, then 2 x",
        ),
        (Absence(30 * MINUTE, LINE, ("disk",)), "nothing follows inside 30m, apart for each disk"),
        (Rate(3, 20), "3 times the usual, 20 or more in 5m"),
    ],
    ids=lambda each: type(each).__name__ if not isinstance(each, str) else "",
)
def test_every_trigger_has_its_words(trigger: Trigger, said: str) -> None:
    assert when_text(When(trigger)) == said


def test_the_end_and_what_keeps_it_silent_are_told_behind_it() -> None:
    spec = When(clear=Clear(LINE, quiet=10 * MINUTE), unless_incident=("shop-down", "shop-slow"))
    assert when_text(spec) == (
        "the first match; over: its log says so or no match for 10m; not while shop-down or shop-slow"
    )
    assert when_text(When(clear=Clear(after=60 * MINUTE))) == "the first match; over: 1h after it was opened"
