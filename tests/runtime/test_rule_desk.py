"""What is asked of one rule: its tests, and a draft of one."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

import builders as make
from fakes.furnished_day import Furnished
from fakes.memory_store import MemoryStore
from logmedic.model.errors import NotFound, OrderRefused
from logmedic.model.policy import Policy
from logmedic.model.rule import Rule
from logmedic.model.sample import Expectation, RuleTest, SampleLine
from logmedic.runtime.ruledesk import RuleDesk

DAY = Furnished(make.START)
PASSES = RuleTest("one line opens it", (SampleLine("down"),), Expectation(fires=1), line=12)
FAILS = RuleTest("two of them open two", (SampleLine("down", repeat=2),), Expectation(fires=2), line=15)
RULE = replace(make.RULE, file="web.yaml", tests=(PASSES, FAILS))


def desk(*rules: Rule) -> RuleDesk:
    policy: Policy = make.policy(*rules) if rules else make.policy()
    return RuleDesk(MemoryStore((DAY.changeset,)), lambda: policy)


def test_each_test_of_a_rule_says_whether_it_passed_and_what_was_wrong() -> None:
    told = asyncio.run(desk(RULE).test(RULE.id))
    assert (told["rule"], told["file"]) == (RULE.id, "web.yaml")
    assert [(each["test"], each["line"]) for each in told["cases"]] == [(PASSES.name, 12), (FAILS.name, 15)]
    assert told["cases"][0]["failure"] == ""
    assert "fires" in told["cases"][1]["failure"]


def test_a_rule_that_is_not_in_force_has_no_tests_to_run() -> None:
    with pytest.raises(NotFound):
        asyncio.run(desk(RULE).test("other"))


def test_a_draft_is_made_of_what_was_learned() -> None:
    told = asyncio.run(desk().draft(DAY.learned[0].id))
    assert told["rule"] == "shop-error-payment-provider-answered-for"
    assert "ERROR payment provider answered" in told["file"]
    assert told["issue"]["id"] == DAY.learned[0].id


def test_a_draft_takes_no_id_of_a_rule_that_is_in_force() -> None:
    taken = replace(make.RULE, id="shop-error-payment-provider-answered-for")
    assert asyncio.run(desk(taken).draft(DAY.learned[0].id))["rule"] == f"{taken.id}-2"


def test_what_is_forgotten_cannot_be_drafted() -> None:
    with pytest.raises(OrderRefused, match="forgotten"):
        asyncio.run(desk().draft(DAY.learned[1].id))


def test_what_was_not_learned_cannot_be_drafted() -> None:
    with pytest.raises(NotFound):
        asyncio.run(desk().draft("issue-redis-memory"))
