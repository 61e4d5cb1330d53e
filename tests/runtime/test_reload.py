"""A reload builds all of the new and swaps one reference."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC

import builders as make
from fakes.clock import FakeClock
from fakes.scripted_fixes import ScriptedRunner
from logmedic.core.budget import QUARANTINE_AFTER
from logmedic.core.matcher import Matcher
from logmedic.model.fix import Arming
from logmedic.model.match import MatchSpec
from logmedic.model.problem import RuleProblem
from logmedic.model.record import Block
from logmedic.model.rule import LogFiles, Rule, RuleSet
from logmedic.runtime.live import Live
from logmedic.runtime.notify import SystemdNotifier
from logmedic.runtime.reload import DEBOUNCE_S, Reloader, first_generation


class Shelf:
    """Rule files as the loader gives them; counts how often it was asked."""

    def __init__(self, *rules: Rule) -> None:
        self.rules = rules
        self.problems: tuple[RuleProblem, ...] = ()
        self.sources: tuple[LogFiles, ...] = ()
        self.loads = 0

    def save(self) -> None:
        """Nothing is kept."""

    def load(self, previous: RuleSet | None = None) -> RuleSet:
        self.loads += 1
        if self.problems and previous is not None:
            return replace(previous, problems=self.problems, stale_files=("web.yaml",))
        return RuleSet(self.rules, self.sources, self.problems)


def matcher(ruleset: RuleSet, before: Matcher | None = None) -> Matcher:
    return Matcher(ruleset.rules, zone=UTC, scanner="plain", timeout_s=0.01, before=before)


async def reloader(shelf: Shelf, runner: ScriptedRunner | None = None) -> tuple[Reloader, Live, FakeClock]:
    clock = FakeClock(make.START)
    runner = runner or ScriptedRunner()
    live = Live(await first_generation(shelf, make.policy(), runner, matcher, arm=True))
    made = Reloader(
        loader=shelf, live=live, runner=runner, make_matcher=matcher, notifier=SystemdNotifier(""), clock=clock
    )
    return made, live, clock


OTHER = replace(make.RULE, id="db-down")


def test_new_rules_and_their_matcher_come_into_force_together() -> None:
    async def scenario() -> None:
        shelf = Shelf(make.RULE)
        reload, live, _ = await reloader(shelf)
        before = live.current
        shelf.rules = (make.RULE, OTHER)
        answer = await reload.reload()
        assert answer["loaded"] == 2
        assert set(live.current.policy.rules) == {"web-down", "db-down"}
        assert live.current.matcher is not before.matcher

    asyncio.run(scenario())


def test_f34_a_broken_file_keeps_its_last_good_version_and_says_so() -> None:
    async def scenario() -> None:
        shelf = Shelf(make.RULE)
        reload, live, _ = await reloader(shelf)
        shelf.problems = (RuleProblem("web.yaml", 3, 5, "unknown key `machen`"),)
        answer = await reload.reload()
        assert answer == {
            "loaded": 1,
            "revision": "",
            "problems": ["web.yaml:3:5: unknown key `machen`"],
            "stale_files": ["web.yaml"],
        }
        assert set(live.current.policy.rules) == {"web-down"}

    asyncio.run(scenario())


def test_f37_a_storm_of_requests_is_one_reload() -> None:
    async def scenario() -> None:
        shelf = Shelf(make.RULE)
        reload, _, clock = await reloader(shelf)
        task = asyncio.create_task(reload.run())
        for _ in range(100):
            reload.request()
        while shelf.loads < 2:
            await clock.advance(DEBOUNCE_S)
            await asyncio.sleep(0.001)
        for _ in range(20):
            await clock.advance(DEBOUNCE_S)
        assert shelf.loads == 2
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(scenario())


def test_i8_every_reload_tries_the_sandbox_again() -> None:
    async def scenario() -> None:
        shelf, runner = Shelf(make.RULE), ScriptedRunner()
        reload, live, _ = await reloader(shelf, runner)
        assert live.current.policy.arming.armed
        runner.arming = Arming(False, "", "the canary got out")
        await reload.reload()
        assert not live.current.policy.arming.armed

    asyncio.run(scenario())


def test_f34_a_disabled_rule_stops_at_once() -> None:
    async def scenario() -> None:
        shelf = Shelf(make.RULE, OTHER)
        reload, live, _ = await reloader(shelf)
        shelf.rules = (replace(make.RULE, enabled=False), OTHER)
        await reload.reload()
        assert set(live.current.policy.rules) == {"db-down"}

    asyncio.run(scenario())


SLOW = replace(make.RULE, id="slow", match=MatchSpec(("(a|aa)+$",)))
HOSTILE = ("a" * 60 + "! down\n").encode() * QUARANTINE_AFTER


def test_f43_a_quarantined_rule_stays_so_until_its_file_changes() -> None:
    async def scenario() -> None:
        shelf = Shelf(make.RULE, SLOW)
        reload, live, _ = await reloader(shelf)
        mark = replace(make.checkpoint(), offset=len(HOSTILE))
        live.current.matcher.find(Block("web", "a.log", HOSTILE, 0, mark, make.START))
        assert set(live.current.matcher.quarantined) == {"slow"}
        shelf.rules = (make.RULE, SLOW, OTHER)
        await reload.reload()
        assert set(live.current.matcher.quarantined) == {"slow"}
        shelf.rules = (make.RULE, replace(SLOW), OTHER)
        await reload.reload()
        assert live.current.matcher.quarantined == {}

    asyncio.run(scenario())


def test_sources_that_rule_files_bring_along_follow_the_rules() -> None:
    async def scenario() -> None:
        shelf, seen = Shelf(make.RULE), list[tuple[str, ...]]()

        async def then(ruleset: RuleSet) -> None:
            seen.append(tuple(each.name for each in ruleset.sources))

        reload, _, _ = await reloader(shelf)
        reload.then = then
        await reload.reload()
        shelf.sources = (LogFiles("redis", ("/var/log/redis.log",), "redis.yaml"),)
        await reload.reload()
        assert seen == [(), ("redis",)]

    asyncio.run(scenario())


class Told(SystemdNotifier):
    """What systemd was told."""

    def __init__(self) -> None:
        super().__init__("")
        self.said: list[str] = []

    def reloading(self) -> None:
        self.said.append("reloading")

    def ready(self) -> None:
        self.said.append("ready")


class SlowToArm(ScriptedRunner):
    """Is still arming when it is told to leave off. After that it is quick."""

    left_off = False

    async def arm(self, rules: Sequence[Rule] = ()) -> Arming:
        if self.left_off:
            return self.arming
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.left_off = True
            raise
        return self.arming


def test_a_reload_that_raises_is_tried_again_and_systemd_hears_that_we_are_well() -> None:
    async def scenario() -> None:
        clock, shelf, runner, notifier = FakeClock(make.START), Shelf(make.RULE), SlowToArm(), Told()
        live = Live(await first_generation(shelf, make.policy(), ScriptedRunner(), matcher, arm=True))
        memory = [False]

        def cramped(ruleset: RuleSet, before: Matcher | None = None) -> Matcher:
            if not memory[0]:
                raise MemoryError
            return matcher(ruleset, before)

        reload = Reloader(loader=shelf, live=live, runner=runner, make_matcher=cramped, notifier=notifier, clock=clock)
        reload.request()
        task = asyncio.create_task(reload.run())
        await until(clock, task.done)
        assert isinstance(task.exception(), MemoryError)
        assert notifier.said == ["reloading", "ready"]
        assert runner.left_off
        again = asyncio.create_task(reload.run())  # as the supervisor does
        memory[0] = True
        shelf.rules = (OTHER,)
        await until(clock, lambda: "db-down" in live.current.policy.rules)
        again.cancel()
        await asyncio.gather(again, return_exceptions=True)

    asyncio.run(scenario())


async def until(clock: FakeClock, reached: Callable[[], bool]) -> None:
    """For what other threads do."""
    for _ in range(1000):
        if reached():
            return
        await clock.advance(DEBOUNCE_S)
        await asyncio.sleep(0.001)
    raise AssertionError("never reached")
