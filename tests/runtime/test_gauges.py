"""What the running daemon's parts say of themselves, as figures; the store is not asked for them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, timedelta
from itertools import count
from typing import Any

import builders as make
from fakes.clock import FakeClock
from fakes.memory_store import MemoryStore
from fakes.scripted_fixes import ScriptedRunner
from fakes.virtual_loop import VirtualLoop
from logmedic.core.figures.snapshot import Snapshot
from logmedic.core.matcher import Matcher
from logmedic.core.sums import Sums
from logmedic.model.alert import AlertStatus, ReceiverState
from logmedic.model.changeset import Changeset, PauseFixes, TellNow
from logmedic.model.errors import StoreFull
from logmedic.model.issue import IncidentStatus
from logmedic.model.problem import RuleProblem
from logmedic.model.report import ReportCounts
from logmedic.model.rule import RuleSet
from logmedic.model.trust import PauseOrigin
from logmedic.runtime.engine import Engine
from logmedic.runtime.enginemeter import LOOK_EVERY_S, LoopMeter
from logmedic.runtime.gauges import SLOWLY_S, Gauges, SlowFacts, open_facts
from logmedic.runtime.heartbeat import Pulse
from logmedic.runtime.intake import Intake
from logmedic.runtime.live import Live
from logmedic.runtime.meter import Meter
from logmedic.runtime.notify import SystemdNotifier
from logmedic.runtime.reload import Reloader, first_generation
from logmedic.runtime.supervisor import Supervisor
from runtime.test_intake_rows import Mouth, until


class AskedStore(MemoryStore):
    """Counts how often it is asked."""

    def __init__(self, *given: Sequence[Changeset]) -> None:
        super().__init__(*given)
        self.asked = 0

    async def ask(self, question: str, /, **arguments: Any) -> Any:
        self.asked += 1
        return await super().ask(question, **arguments)


class Files:
    def __init__(self) -> None:
        self.problems: tuple[RuleProblem, ...] = ()
        self.broken = False

    def save(self) -> None:
        """Nothing is kept."""

    def load(self, previous: RuleSet | None = None) -> RuleSet:
        if self.broken:
            raise RuntimeError("no rule can be read")
        return RuleSet((make.RULE,), (), self.problems)


def matcher(ruleset: RuleSet, before: Matcher | None = None) -> Matcher:
    return Matcher(ruleset.rules, zone=UTC, scanner="plain", before=before)


class Scene:
    """The parts that a daemon has, and its figures."""

    async def begin(self) -> None:
        ids = count(1)
        self.clock, self.store, self.mouth, self.files = FakeClock(make.START), AskedStore(), Mouth(), Files()
        first = await first_generation(self.files, make.policy(), ScriptedRunner(), matcher, arm=True)
        self.live, self.sums = Live(first), Sums()
        state = await self.store.open()
        pulse = Pulse(lambda: None)
        self.engine = Engine(
            state=state,
            store=self.store,
            clock=self.clock,
            mint=lambda: f"{next(ids):08d}",
            policy=lambda: self.live.current.policy,
            carry_out=lambda _: None,
            alive=pulse.beat,
            noted=lambda changeset: self.sums.take(changeset, state),
        )
        self.supervisor = Supervisor(self.clock)
        self.totals = {"app": Meter()}
        self.intake = Intake(
            source=self.mouth,
            engine=self.engine,
            matcher=lambda: self.live.current.matcher,
            clock=self.clock,
            total=self.totals["app"],
        )
        self.reading = [self.intake]
        self.reloader = Reloader(
            loader=self.files,
            live=self.live,
            runner=ScriptedRunner(),
            make_matcher=matcher,
            notifier=SystemdNotifier(""),
            clock=self.clock,
        )
        self.slow = SlowFacts(store=self.store, room=lambda: {"file": 4096}, clock=self.clock)
        self.gauges = Gauges(
            engine=self.engine,
            sums=self.sums,
            live=self.live,
            supervisor=self.supervisor,
            reloader=self.reloader,
            intakes=lambda: self.reading,
            totals=self.totals,
            pulse=pulse,
            heartbeat=None,
            loop=LoopMeter(),
            slow=self.slow,
            receivers=lambda: {"chat": None, "mail": None},
            unusable={"mail": "no such service"},
            exports=lambda: None,
            store_limit=1 << 30,
            clock=self.clock,
            reports=lambda: self.reports,
        )
        self.reports: ReportCounts | None = None

    def work(self) -> None:
        self.supervisor.keep("engine", self.engine.run, vital=True)
        self.supervisor.keep("source app", self.intake.run)


def played(act: Callable[[Scene], Any]) -> Snapshot:
    """The figures' snapshot after `act`."""

    async def scenario() -> Snapshot:
        scene = Scene()
        await scene.begin()
        try:
            await act(scene)
            return await scene.gauges.snapshot()
        finally:
            await scene.supervisor.stop()

    return asyncio.run(scenario())


def test_what_was_read_matched_and_opened_is_told_and_the_store_is_asked_nothing() -> None:
    async def act(scene: Scene) -> None:
        scene.work()
        scene.mouth.say("down\nup\ndown\n")
        await until(lambda: scene.engine.state.incidents)
        asked = scene.store.asked
        await scene.gauges.families()
        assert scene.store.asked == asked

    now = played(act)
    assert now.rules.matches == {"web-down": 2}
    assert (now.sums.tallies["matched"], now.sums.opened) == (2, {"medium": 1})
    assert sum(now.open.incidents.values()) == 1
    source = now.sources["app"]
    assert (source.lines, source.bytes_read, source.origins, source.followed, source.part.up) == (3, 13, 1, True, True)
    assert set(now.daemon.parts) == {"engine"}
    assert now.engine.commit_s.spread().count > 0
    assert now.open.receivers == {"chat": True, "mail": False}


def test_the_report_socket_is_told_of_where_there_is_one() -> None:
    async def nothing(scene: Scene) -> None:
        scene.work()

    async def act(scene: Scene) -> None:
        scene.work()
        scene.reports = ReportCounts(taken=3, connections=2, questions=1)

    assert played(nothing).reports is None
    assert played(act).reports == ReportCounts(taken=3, connections=2, questions=1)


def test_a_source_that_is_no_longer_read_keeps_its_counts() -> None:
    async def act(scene: Scene) -> None:
        scene.work()
        scene.mouth.say("one\n")
        await until(lambda: scene.totals["app"].lines == 1)
        await scene.supervisor.drop("source app")
        scene.reading.clear()

    source = played(act).sources["app"]
    assert (source.lines, source.followed) == (1, False)


def test_how_far_a_source_is_behind_is_that_of_its_worst_file() -> None:
    async def act(scene: Scene) -> None:
        scene.work()
        scene.mouth.say("2026-11-24T02:58:30Z one\n")
        await until(lambda: scene.totals["app"].lines == 1)
        scene.mouth.lag = 100

    source = played(act).sources["app"]
    assert (source.lag_bytes, source.lag_s, source.problems) == (100, 90.0, 0)


def test_an_input_that_waits_while_nothing_can_be_stored_shows_as_lag() -> None:
    async def act(scene: Scene) -> None:
        for _ in range(1000):
            scene.store.fail_next(StoreFull("no space"))
        scene.supervisor.keep("engine", scene.engine.run, vital=True)
        await scene.engine.submit(make.observed(make.match()))
        await until(lambda: scene.engine.commit_problem)
        await scene.engine.submit(TellNow())
        begun = asyncio.get_running_loop().time()
        await until(lambda: asyncio.get_running_loop().time() - begun > 0.05)

    now = played(act)
    assert now.engine.problem
    assert now.engine.waiting == 1
    assert 0.05 <= now.engine.waiting_s < 5
    assert now.engine.commit_failures > 0


def test_when_all_is_stored_nothing_waits() -> None:
    async def act(scene: Scene) -> None:
        scene.work()
        await scene.engine.settled()

    now = played(act)
    assert (now.engine.waiting, now.engine.waiting_s, now.engine.problem) == (0, 0.0, False)


def test_a_part_that_was_dropped_and_begun_again_goes_on_counting_its_restarts() -> None:
    async def fail() -> None:
        raise RuntimeError("no")

    async def act(scene: Scene) -> None:
        for _ in range(2):
            scene.supervisor.keep("flaky", fail)
            await scene.clock.advance(1)
            await scene.supervisor.stop("flaky")

    part = played(act).daemon.parts["flaky"]
    assert (part.up, part.restarts) == (False, 4)


def test_reloads_are_counted_by_how_they_went() -> None:
    async def act(scene: Scene) -> None:
        await scene.reloader.reload()
        scene.files.problems = (RuleProblem("web.yaml", 1, 1, "no"),)
        await scene.reloader.reload()
        scene.files.broken = True
        with suppress(RuntimeError):
            await scene.reloader.reload()

    rules = played(act).rules
    assert rules.reloads == {"good": 1, "partly": 1, "failed": 1}
    assert (rules.reload_ok, rules.problems) == (False, 1)


def test_the_day_and_the_disk_are_looked_at_once_a_minute() -> None:
    async def act(scene: Scene) -> None:
        scene.supervisor.keep("slow figures", scene.slow.run)
        await until(lambda: scene.slow.day)
        assert scene.store.asked == 1
        await scene.clock.advance(SLOWLY_S)
        await until(lambda: scene.store.asked == 2)

    now = played(act)
    assert now.engine.store_bytes == {"file": 4096}
    assert now.day["total_errors"] == 0


def test_what_is_open_is_counted_as_it_is() -> None:
    bench = make.Bench(make.policy())
    bench.matched()
    bench.give(PauseFixes(PauseOrigin.OPERATOR, "ops"))
    bench.matched(rule=replace(make.RULE, id="web-down"), group="other")
    bench.state.receivers["chat"] = ReceiverState("chat", disabled="HTTP 404")
    found = open_facts(bench.state, bench.policy, {"chat": False}, bench.now)
    (fixing,) = bench.state.attempts.values()
    assert found.incidents["medium", IncidentStatus.FIXING.value] == 1
    assert found.held == {"paused": 1}
    assert (found.under_way, found.oldest_at) == (1, make.START)
    assert found.budget_left == {"hour": 29, "ten_minutes": 9}
    assert sum(found.outbox.values()) == len(bench.state.alerts)
    assert all(isinstance(status, AlertStatus) for _, status in found.outbox)
    later = open_facts(bench.state, bench.policy, {}, fixing.started_at + timedelta(minutes=11))
    assert later.budget_left == {"hour": 29, "ten_minutes": 10}


def test_the_loop_is_late_by_as_long_as_somebody_holds_it_up() -> None:
    loop = VirtualLoop()
    meter = LoopMeter()

    async def scenario() -> None:
        running = asyncio.create_task(meter.run())
        await asyncio.sleep(LOOK_EVERY_S * 3.5)
        loop.pass_time(0.75)  # as something does that does not give way
        await asyncio.sleep(LOOK_EVERY_S / 2)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    try:
        loop.run_until_complete(scenario())
    finally:
        loop.close()
    spread = meter.late_s.spread()
    assert spread.count == 4
    assert round(spread.sum, 2) == 0.5
