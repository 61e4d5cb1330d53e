"""A line explained by the rules in force: beside the engine, counted nowhere, one at a time."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC

import pytest

import builders as make
from fakes.clock import FakeClock
from logmedic.core.explainrows import LONGEST
from logmedic.core.matcher import Matcher
from logmedic.model.errors import OrderRefused, TransientError
from logmedic.model.match import MatchSpec
from logmedic.model.rule import RuleSet
from logmedic.model.state import EngineState
from logmedic.runtime.explaining import MOST_WAITING, Explaining
from logmedic.runtime.live import Generation

SLOW = replace(make.RULE, id="slow", match=MatchSpec(("down(a+)+$",)))
LONG = "down" + "a" * 28 + "!"
"""Takes SLOW long."""


def asking(*rules: object) -> tuple[Explaining, Generation]:
    given = tuple(rules) or (make.RULE,)
    matcher = Matcher(given, zone=UTC, any_source=frozenset({"argument"}))  # type: ignore[arg-type]
    generation = Generation(RuleSet(given), make.policy(*given), matcher)  # type: ignore[arg-type]
    state = EngineState()
    return Explaining(
        lambda: generation, lambda: state, clock=FakeClock(make.START), zone=UTC, boot_at=None
    ), generation


def test_a_match_says_what_would_come_of_it_now() -> None:
    asked, _ = asking()
    told = asyncio.run(asked.explain("it is down"))
    assert told["matched"] == [make.RULE.id]
    assert told["rules"][0]["now"]["would"]["words"]


def test_nothing_is_counted_however_often_a_line_is_asked_about() -> None:
    asked, generation = asking(SLOW)
    for _ in range(8):
        told = asyncio.run(asked.explain(LONG))
        assert told["matched"] == []
    assert not generation.matcher.quarantined
    assert all(use.asked == 0 for use in generation.matcher.uses.values())


@pytest.mark.parametrize("line", ["", "  \n", "x" * (LONGEST + 1)], ids=["empty", "blank", "too long"])
def test_what_is_no_line_is_refused(line: str) -> None:
    with pytest.raises(OrderRefused):
        asyncio.run(asking()[0].explain(line))


def test_those_who_ask_while_many_wait_are_sent_away() -> None:
    async def many() -> list[object]:
        asked, _ = asking(SLOW)  # nobody is answered before all have asked
        return list(await asyncio.gather(*(asked.explain(LONG) for _ in range(12)), return_exceptions=True))

    told = asyncio.run(many())
    refused = [each for each in told if isinstance(each, TransientError)]
    assert len(refused) == 12 - MOST_WAITING - 1
    assert len([each for each in told if isinstance(each, dict)]) == MOST_WAITING + 1
