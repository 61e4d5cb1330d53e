"""What people hear of the rules themselves (F34, F43): once, and not of what is mended at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC

import builders as make
from fakes.virtual_loop import VirtualLoop
from logmedic.core.budget import QUARANTINE_AFTER, RETRY_S, Timer, no_time
from logmedic.core.matcher import Matcher
from logmedic.model.changeset import Input, Quarantined, RulesRefused
from logmedic.model.match import MatchSpec
from logmedic.model.problem import RuleProblem
from logmedic.model.record import Block
from logmedic.model.rule import Rule, RuleSet
from logmedic.runtime.live import Generation
from logmedic.runtime.rulewatch import LOOK_EVERY_S, PATIENCE_S, RuleWatch

SLOW = replace(make.RULE, id="slow", match=MatchSpec(("(a|aa)+$",)))
HOSTILE = ("a" * 60 + "! down\n").encode() * QUARANTINE_AFTER
MISTAKE = RuleProblem("web.yaml", 3, 5, "unknown key `machen`")
REFUSED = RulesRefused(("web.yaml:3:5: unknown key `machen`",), ("web.yaml",))


def generation(*problems: RuleProblem, rule: Rule = SLOW, timer: Timer = no_time) -> Generation:
    matcher = Matcher([rule], zone=UTC, scanner="plain", timeout_s=0.01, timer=timer)
    return Generation(RuleSet((rule,), problems=problems, stale_files=("web.yaml",)), make.policy(rule), matcher)


def watched(first: Generation, scene: Callable[[list[Input], Callable[[Generation], None]], Awaitable[None]]) -> None:
    """Run `scene` beside the watch, on virtual time; it is given what was told, and a way to swap the generation."""
    loop = VirtualLoop()
    told: list[Input] = []
    current = [first]

    async def tell(given: Input) -> None:
        told.append(given)

    def swap(following: Generation) -> None:
        current[0] = following

    async def run() -> None:
        task = asyncio.ensure_future(RuleWatch(lambda: current[0], tell).run())
        await asyncio.sleep(0)
        try:
            await scene(told, swap)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    try:
        loop.run_until_complete(run())
    finally:
        loop.close()


def test_f34_mistakes_that_are_there_at_the_start_are_told_at_once_and_once() -> None:
    async def scene(told: list[Input], _: Callable[[Generation], None]) -> None:
        await asyncio.sleep(LOOK_EVERY_S / 2)
        assert told == [REFUSED]
        await asyncio.sleep(3600)
        assert told == [REFUSED]

    watched(generation(MISTAKE), scene)


def test_f34_a_mistake_that_stays_is_told_and_so_is_its_end() -> None:
    async def scene(told: list[Input], swap: Callable[[Generation], None]) -> None:
        swap(generation(MISTAKE))
        await asyncio.sleep(PATIENCE_S / 2)
        assert told == []
        await asyncio.sleep(PATIENCE_S)
        assert told == [REFUSED]
        swap(generation())
        await asyncio.sleep(2 * LOOK_EVERY_S)
        assert told[1:] == [RulesRefused((), ("web.yaml",))]

    watched(generation(), scene)


def test_who_mends_a_file_at_once_calls_nobody() -> None:
    async def scene(told: list[Input], swap: Callable[[Generation], None]) -> None:
        for _ in range(5):
            swap(generation(MISTAKE))
            await asyncio.sleep(PATIENCE_S / 2)
            swap(generation())
            await asyncio.sleep(PATIENCE_S / 2)
        assert told == []

    watched(generation(), scene)


def test_f43_a_quarantined_rule_is_told_once_and_again_after_it_changed() -> None:
    async def scene(told: list[Input], swap: Callable[[Generation], None]) -> None:
        for _ in range(2):
            slow = generation()
            swap(slow)
            await asyncio.sleep(2 * LOOK_EVERY_S)
            slow.matcher.find(Block("web", "a.log", HOSTILE, 0, make.checkpoint(len(HOSTILE)), make.START))
            await asyncio.sleep(10 * LOOK_EVERY_S)
        assert told == [Quarantined("slow", "5 records took longer than they may")] * 2

    watched(generation(), scene)


def test_f43_a_rule_that_is_heard_again_and_quarantined_at_once_is_told_again() -> None:
    """Nobody looked in between."""
    now = [0.0]
    slow = generation(timer=lambda: now[0])

    async def scene(told: list[Input], _: Callable[[Generation], None]) -> None:
        for at in (0.0, RETRY_S):
            now[0] = at
            slow.matcher.find(Block("web", "a.log", HOSTILE, 0, make.checkpoint(len(HOSTILE)), make.START))
            await asyncio.sleep(2 * LOOK_EVERY_S)
        assert told == [Quarantined("slow", "5 records took longer than they may")] * 2

    watched(slow, scene)
