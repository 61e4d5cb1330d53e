"""Decide, commit, act: in this order, each input once, whatever fails."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest

import builders as make
from fakes.clock import FakeClock
from fakes.memory_store import MemoryStore
from fakes.virtual_loop import BEGAN, VirtualClock, VirtualLoop
from logmedic.core.decide import AT_ONCE
from logmedic.model.alert import Alert, AlertPlan, AlertStatus
from logmedic.model.changeset import (
    Changeset,
    Intent,
    Observed,
    PauseFixes,
    ResumeFixes,
    RunStep,
    Send,
    StepFinished,
    TellNow,
    Tick,
)
from logmedic.model.errors import StoreFull
from logmedic.model.fix import AttemptStatus, FixAttempt, FixResult, Verdict
from logmedic.model.issue import HoldReason, IncidentStatus, Tally
from logmedic.model.policy import Policy
from logmedic.model.record import Findings
from logmedic.model.report import ReportKind
from logmedic.model.state import EngineState
from logmedic.model.step import Retry
from logmedic.model.trust import PauseOrigin
from logmedic.model.when import Clear, When
from logmedic.ports import Clock
from logmedic.runtime.engine import LOOK_EVERY_S, Engine


def run_on(loop: VirtualLoop, scenario: Coroutine[Any, Any, None]) -> None:
    try:
        loop.run_until_complete(scenario)
    finally:
        loop.close()


@dataclass
class Bench:
    """A running engine; `acts` are intents, each with what was committed when it was handed over."""

    store: MemoryStore
    clock: FakeClock
    engine: Engine = field(init=False)
    acts: list[tuple[Intent, int]] = field(default_factory=list)
    beats: int = 0

    def carry_out(self, intent: Intent) -> None:
        self.acts.append((intent, len(self.store.changesets)))

    def alive(self) -> None:
        self.beats += 1


@asynccontextmanager
async def running(
    policy: Policy | None = None,
    store: MemoryStore | None = None,
    *,
    current: Callable[[], Policy] | None = None,
    clock: Clock | None = None,
    steady: Callable[[], float] | None = None,
    pauses: Sequence[PauseFixes | ResumeFixes] = (),
) -> AsyncIterator[Bench]:
    usual = policy or make.policy()
    bench = Bench(store or MemoryStore(), FakeClock(make.START))
    state = await bench.store.open()
    ids = count(1)
    bench.engine = Engine(
        state=state,
        store=bench.store,
        clock=clock or bench.clock,
        mint=lambda: f"{next(ids):08d}",
        policy=current or (lambda: usual),
        carry_out=bench.carry_out,
        alive=bench.alive,
        steady=steady,
    )
    task = asyncio.create_task(bench.engine.run(pauses))
    try:
        yield bench
        if task.done():
            task.result()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def committed(store: MemoryStore, wanted: Callable[[Changeset], object]) -> list[Changeset]:
    return [each for each in store.changesets if wanted(each)]


def test_an_intent_is_handed_over_after_its_commit() -> None:
    async def scenario() -> None:
        async with running() as bench:
            await bench.engine.settled(make.observed(make.match(), at=make.checkpoint(10)))
            (intent, commits), *_ = bench.acts
            assert isinstance(intent, RunStep)
            attempts = [each for changeset in bench.store.changesets[:commits] for each in changeset.attempts]
            assert intent.attempt in attempts

    asyncio.run(scenario())


def test_the_position_is_committed_with_its_effects() -> None:
    async def scenario() -> None:
        async with running() as bench:
            await bench.engine.settled(make.observed(make.match(), at=make.checkpoint(10)))
            (changeset,) = committed(bench.store, lambda each: each.checkpoints)
            assert changeset.checkpoints == (make.checkpoint(10),)
            assert changeset.incidents

    asyncio.run(scenario())


def test_f62_what_begins_as_the_pause_is_over_at_a_start_is_not_taken_for_what_was_left_unfinished() -> None:
    async def scenario() -> None:
        store = MemoryStore()
        async with running(store=store, pauses=[PauseFixes(PauseOrigin.FILE, "file paused", "work")]) as bench:
            await bench.engine.settled(make.observed(make.match(), at=make.checkpoint(10)))
            assert not [intent for intent, _ in bench.acts if isinstance(intent, RunStep)]
        async with running(store=store, pauses=[ResumeFixes(PauseOrigin.FILE, "file paused")]) as bench:
            await bench.engine.settled()
            assert [type(intent) for intent, _ in bench.acts if not isinstance(intent, Send)] == [RunStep]
            assert len(bench.engine.state.attempts) == 1

    asyncio.run(scenario())


def test_f62_a_pause_that_is_found_at_a_start_holds_what_was_left_unfinished() -> None:
    async def scenario() -> None:
        store, retry = MemoryStore(), Retry(attempts=2, base=timedelta(seconds=1), max=timedelta(seconds=1))
        policy = make.policy(replace(make.RULE, fix=replace(make.FIX, steps=(replace(make.STEP, retry=retry),))))
        async with running(policy, store) as bench:
            await bench.engine.settled(make.observed(make.match(), at=make.checkpoint(10)))
            ((step, _),) = bench.acts
            assert isinstance(step, RunStep)
            await bench.engine.settled(StepFinished(step.attempt.id, FixResult(1, 0.1)))
        async with running(policy, store, pauses=[PauseFixes(PauseOrigin.FILE, "file paused", "work")]) as bench:
            await bench.engine.settled()
            await bench.clock.advance(60)
            await bench.engine.settled()
            assert not [intent for intent, _ in bench.acts if isinstance(intent, RunStep)]

    asyncio.run(scenario())


def test_f31_what_is_stored_as_the_daemon_stops_is_not_begun_any_more() -> None:
    async def scenario() -> None:
        unfixed = replace(make.RULE, id="unfixed", fix=None)
        policy = make.policy(make.RULE, unfixed)
        async with running(policy) as bench:
            bench.engine.begin_nothing()
            await bench.engine.settled(make.observed(make.match(), make.match(unfixed), at=make.checkpoint(10)))
            await bench.engine.settled(Tick())
            told = [each.status for each in bench.engine.state.alerts.values()]
            assert (bench.acts, told) == ([], [AlertStatus.SENDING])
        async with running(policy, bench.store) as bench:
            await bench.engine.settled()
            await bench.clock.advance(2)
            await bench.engine.settled()
            assert [type(intent) for intent, _ in bench.acts] == [Send, RunStep]

    asyncio.run(scenario())


def test_f31_a_step_whose_decision_is_being_stored_as_the_daemon_stops_is_not_begun() -> None:
    async def scenario() -> None:
        async with running(clock=VirtualClock(loop)) as bench:
            await bench.engine.settled()
            bench.store.fail_next(StoreFull("no space", "make room"))
            deciding = asyncio.create_task(bench.engine.settled(make.observed(make.match(at=make.START))))
            await asyncio.sleep(0.1)
            bench.engine.begin_nothing()
            await deciding
            await bench.engine.settled()
            assert bench.acts == []
            (attempt,) = bench.engine.state.attempts.values()
            assert (attempt.status, attempt.verdict) == (AttemptStatus.FINISHED, Verdict.UNKNOWN)
            assert "the daemon stops" in attempt.detail

    loop = VirtualLoop()
    run_on(loop, scenario())


def test_f48_no_step_begins_on_what_was_decided_long_before_it_could_be_stored() -> None:
    """It is asked about anew: by then people may have ended the trouble."""

    async def scenario() -> list[tuple[Intent, int]]:
        policy = make.policy(started_at=BEGAN - timedelta(hours=1))
        async with running(policy, clock=VirtualClock(loop)) as bench:
            await bench.engine.settled()
            for _ in range(20):
                bench.store.fail_next(StoreFull("no space", "make room"))
            await bench.engine.settled(make.observed(make.match(at=BEGAN), at=make.checkpoint(10)))
            await bench.engine.settled()
            (attempt,) = {each.id: each for done in bench.store.changesets for each in done.attempts}.values()
            assert attempt.verdict is Verdict.UNKNOWN
            assert "could not be stored" in attempt.detail
            return bench.acts

    loop = VirtualLoop()
    try:
        assert not [intent for intent, _ in loop.run_until_complete(scenario()) if isinstance(intent, RunStep)]
    finally:
        loop.close()


def test_f34_no_step_begins_by_a_rule_that_went_while_its_decision_was_stored() -> None:
    class Slow(MemoryStore):
        async def commit(self, changeset: Changeset) -> None:
            if changeset.attempts:
                in_force[:] = [make.policy(replace(make.RULE, fix=None))]
            await super().commit(changeset)

    in_force = [make.policy()]

    async def scenario() -> None:
        async with running(store=Slow(), current=lambda: in_force[0]) as bench:
            await bench.engine.settled(make.observed(make.match(), at=make.checkpoint(10)))
            await bench.engine.settled()
            assert not [intent for intent, _ in bench.acts if isinstance(intent, RunStep)]
            (incident,) = bench.engine.state.incidents.values()
            assert incident.hold is HoldReason.NO_FIX

    asyncio.run(scenario())


def test_f48_while_the_disk_is_full_the_same_changeset_is_tried_until_it_fits_and_nothing_is_acted_on() -> None:
    async def scenario() -> None:
        async with running() as bench:
            await bench.engine.settled()
            for _ in range(3):
                bench.store.fail_next(StoreFull("no space", "make room"))
            done = asyncio.create_task(bench.engine.settled(make.observed(make.match(), at=make.checkpoint(10))))
            while not bench.engine.commit_problem:
                await asyncio.sleep(0)
            assert bench.acts == []
            while not done.done():
                await bench.clock.advance(1)
            assert bench.engine.commit_problem == ""
            assert len(committed(bench.store, lambda each: each.incidents)) == 1
            assert len(bench.acts) == 1

    asyncio.run(scenario())


def test_positions_without_findings_are_folded_into_one_commit() -> None:
    async def scenario() -> None:
        async with running() as bench:
            for offset in range(1, 30):
                findings = Findings(lines=2)
                await bench.engine.submit(Observed("web", "a.log", findings, make.checkpoint(offset)))
            await bench.engine.settled()
            (changeset,) = committed(bench.store, lambda each: each.checkpoints)
            assert changeset.checkpoints == (make.checkpoint(29),)
            assert [(each.kind, each.n) for each in changeset.tallies] == [("lines", 58)]

    asyncio.run(scenario())


def test_i1_lines_are_committed_with_the_position_that_covers_them() -> None:
    async def scenario() -> None:
        async with running() as bench:
            quiet = Findings(lines=7)
            await bench.engine.submit(Observed("web", "a.log", quiet, make.checkpoint(5)))
            await bench.engine.submit(Observed("web", "b.log", quiet, make.checkpoint(5, "b.log")))
            await bench.engine.submit(make.observed(make.match(), at=make.checkpoint(10)))
            await bench.engine.settled()
            lines = [
                (tuple(each.origin for each in changeset.checkpoints), tally.n)
                for changeset in bench.store.changesets
                for tally in changeset.tallies
                if tally.kind == "lines"
            ]
            assert lines == [(("a.log",), 8), (("b.log",), 7)]

    asyncio.run(scenario())


def test_f44_a_record_that_breaks_the_decision_is_given_up_alone() -> None:
    async def scenario() -> None:
        poison = make.match(at=None)  # type: ignore[arg-type]
        async with running() as bench:
            given = make.observed(make.match(group="a"), poison, make.match(group="b"), at=make.checkpoint(10))
            await bench.engine.settled(given)
            groups = {each.group_key for each in bench.engine.state.incidents.values()}
            assert groups == {"a", "b"}
            assert bench.engine.state.checkpoints["web", "a.log"].offset == 10
            (changeset,) = committed(bench.store, lambda each: each.checkpoints)
            assert Tally(make.START, "records_given_up", 1) in changeset.tallies

    asyncio.run(scenario())


def test_f44_a_report_that_breaks_the_decision_is_given_up_alone() -> None:
    async def scenario() -> None:
        told = make.report(kind=ReportKind.DEGRADED)
        sound, poison = make.report_record(told), replace(make.report_record(told), at=None)  # type: ignore[arg-type]
        async with running() as bench:
            given = make.observed(make.match(group="a"), at=make.checkpoint(10))
            findings = replace(given.findings, reports=(poison, sound))
            await bench.engine.settled(replace(given, findings=findings))
            assert {each.group_key for each in bench.engine.state.incidents.values()} == {"a"}
            (changeset,) = committed(bench.store, lambda each: each.checkpoints)
            tallied = {each.kind: each.n for each in changeset.tallies}
            assert (tallied["degraded"], tallied["records_given_up"]) == (1, 1)

    asyncio.run(scenario())


def test_what_waits_is_committed_together_and_poison_in_it_spoils_nothing() -> None:
    async def scenario() -> None:
        poison = make.match(at=None)  # type: ignore[arg-type]
        async with running() as bench:
            given = (make.match(group="a"), make.match(group="b"), poison, make.match(group="c"))
            submitted = [
                asyncio.create_task(bench.engine.submit(replace(make.observed(each, at=mark), source=mark.origin)))
                for each, mark in zip(given, map(make.checkpoint, range(4), "wxyz"), strict=True)
            ]
            await asyncio.gather(*submitted)
            await bench.engine.settled()
            groups = {each.group_key for each in bench.engine.state.incidents.values()}
            assert groups == {"a", "b", "c"}
            assert {each.origin for each in bench.engine.state.checkpoints.values()} == set("wxyz")

    asyncio.run(scenario())


def test_a_storm_of_one_moment_is_one_commit() -> None:
    async def scenario() -> None:
        async with running() as bench:
            await bench.engine.settled()
            before = len(bench.store.changesets)
            many = make.observed(*(make.match(group=str(n)) for n in range(1000)), at=make.checkpoint(10))
            others = [replace(make.observed(make.match(group=name)), source=name) for name in "xyz"]
            await asyncio.gather(*(bench.engine.submit(each) for each in (*others, many)))
            await bench.engine.settled()
            assert len(bench.store.changesets) == before + 1
            assert len(bench.engine.state.incidents) == 1003

    asyncio.run(scenario())


def test_a_restart_takes_up_what_the_store_holds() -> None:
    async def scenario() -> None:
        store = MemoryStore()
        async with running(store=store) as before:
            await before.engine.settled(make.observed(make.match(), at=make.checkpoint(10)))
        async with running(store=store.reopen()) as after:
            await after.engine.settled()
            assert _same(after.engine.state, before.engine.state)

    def _same(one: EngineState, other: EngineState) -> bool:
        return set(one.incidents) == set(other.incidents) and one.checkpoints == other.checkpoints

    asyncio.run(scenario())


def test_i3_a_step_without_a_result_is_probed_after_a_restart_and_not_run_again() -> None:
    async def scenario() -> None:
        store = MemoryStore()
        async with running(store=store) as before:
            await before.engine.settled(make.observed(make.match(), at=make.checkpoint(10)))
        async with running(store=store.reopen()) as after:
            await after.engine.settled()
            assert [type(intent).__name__ for intent, _ in after.acts if not hasattr(intent, "alert")] == ["RunProbes"]

    asyncio.run(scenario())


def test_a_result_that_comes_twice_counts_once() -> None:
    async def scenario() -> None:
        async with running() as bench:
            await bench.engine.settled(make.observed(make.match(), at=make.checkpoint(10)))
            intent, _ = bench.acts[0]
            assert isinstance(intent, RunStep)
            for _ in range(2):
                await bench.engine.settled(StepFinished(intent.attempt.id, FixResult(0, 0.1)))
            assert [each.status for each in bench.engine.state.incidents.values()] == [IncidentStatus.VERIFYING]
            assert (await bench.store.ask("counts"))["results_ignored"] == 1

    asyncio.run(scenario())


def _sends(bench: Bench) -> list[Alert]:
    return [intent.alert for intent, _ in bench.acts if isinstance(intent, Send)]


def test_what_waits_for_others_of_its_group_at_a_stop_is_told_after_the_start() -> None:
    async def scenario() -> None:
        nofix, store = replace(make.RULE, fix=None), MemoryStore()
        waits = replace(make.AT_ONCE, group_wait=timedelta(seconds=5), group_by=("rule",))
        policy = make.policy(nofix, alerts=AlertPlan({"oncall": waits}, "oncall"))
        async with running(policy, store) as before:
            await before.engine.settled(make.observed(*(make.match(nofix, group=group) for group in "ab")))
            assert _sends(before) == []
        async with running(policy, store.reopen()) as after:
            await after.engine.settled()
            assert _sends(after) == [], "its time has not come"
            await after.clock.advance(5)
            await after.engine.settled()
            await after.clock.settle()
            (sent,) = _sends(after)
            assert len(sent.tells) == 2
        async with running(policy, after.store.reopen()) as again:
            await again.engine.settled()
            assert [each.id for each in _sends(again)] == [sent.id], "it may not have arrived"

    asyncio.run(scenario())


def test_when_nothing_more_comes_nothing_waits_for_it() -> None:
    async def scenario() -> None:
        nofix = replace(make.RULE, fix=None)
        waits = replace(make.AT_ONCE, group_wait=timedelta(hours=1))
        policy = make.policy(nofix, alerts=AlertPlan({"oncall": waits}, "oncall"))
        async with running(policy) as bench:
            await bench.engine.settled(make.observed(make.match(nofix)))
            await bench.engine.settled(TellNow())
            await bench.engine.settled()
            assert len(_sends(bench)) == 1

    asyncio.run(scenario())


def test_f32_the_watchdog_hears_of_progress_only() -> None:
    async def scenario() -> None:
        async with running() as bench:
            await bench.engine.settled()
            beats = bench.beats
            await bench.engine.settled(Tick())
            assert bench.beats > beats

    asyncio.run(scenario())


@pytest.mark.slow
def test_a_storm_that_is_over_ends_at_once_some_at_a_time_without_another_input() -> None:
    async def scenario() -> None:
        nofix = replace(make.RULE, fix=None)
        policy = make.policy(nofix)
        async with running(policy) as bench:
            many = make.observed(*(make.match(nofix, group=str(n)) for n in range(2 * AT_ONCE + 1)))
            await bench.engine.settled(many)
            before = len(bench.store.changesets)
            await bench.clock.advance(15 * 60)
            await bench.engine.settled()
            while bench.engine.state.incidents:
                await asyncio.sleep(0)
            ended = [len(each.incidents) for each in bench.store.changesets[before:] if each.incidents]
            assert ended == [AT_ONCE, AT_ONCE, 1]

    asyncio.run(scenario())


def test_what_came_to_be_due_sooner_is_not_overlooked_and_what_was_put_off_is_not_ended() -> None:
    async def scenario() -> None:
        soon = replace(make.RULE, id="soon", fix=None, when=When(clear=Clear(quiet=timedelta(seconds=20))))
        policy = make.policy(replace(make.RULE, fix=None), soon)
        async with running(policy) as bench:
            still_open = []
            for seconds, heard in ((0, (make.RULE, soon)), (10, (make.RULE, soon)), (15, ()), (10, ())):
                await bench.clock.advance(seconds)
                await bench.engine.settled()
                await bench.clock.settle()
                still_open.append(set(bench.engine.state.open_of_rule))
                for rule in heard:
                    await bench.engine.settled(make.observed(make.match(rule, bench.clock.now())))
            assert still_open == [set(), {"web-down", "soon"}, {"web-down", "soon"}, {"web-down"}]

    asyncio.run(scenario())


def test_f32_a_commit_that_hung_and_a_host_that_slept_are_noticed_and_nothing_else() -> None:
    async def scenario() -> None:
        async with running(make.policy(started_at=BEGAN), clock=VirtualClock(loop)) as bench:
            await bench.engine.settled(make.observed(make.match(at=BEGAN), at=make.checkpoint(1)))
            await asyncio.sleep(30)
            assert bench.engine.state.heard_since is None
            for _ in range(6):
                bench.store.fail_next(StoreFull("no space", "make room"))
            await bench.engine.settled(make.observed(make.match(at=BEGAN), at=make.checkpoint(2)))
            hung = bench.engine.state.heard_since
            assert hung is not None
            assert hung > BEGAN + timedelta(seconds=30)
            loop.pass_time(600)
            await asyncio.sleep(LOOK_EVERY_S)
            slept = bench.engine.state.heard_since
            assert slept is not None
            assert slept >= hung + timedelta(seconds=590)

    loop = VirtualLoop()
    run_on(loop, scenario())


class SetClock(VirtualClock):
    """`by`: how far people have set it."""

    by = timedelta()

    def now(self) -> datetime:
        return super().now() + self.by


def test_f33_positions_behind_plain_lines_do_not_wait_for_the_time_that_the_clock_was_set_back_from() -> None:
    async def scenario() -> None:
        async with running(make.policy(started_at=BEGAN), clock=clock, steady=loop.time) as bench:
            await bench.engine.settled()
            await bench.engine.submit(make.observed(at=make.checkpoint(1)))
            await asyncio.sleep(0.1)
            clock.by = timedelta(hours=-2)
            await asyncio.sleep(LOOK_EVERY_S + 1.5)
            (stored,) = [done for done in bench.store.changesets if done.checkpoints]
            assert stored.checkpoints == (make.checkpoint(1),)

    loop = VirtualLoop()
    clock = SetClock(loop)
    run_on(loop, scenario())


@pytest.mark.parametrize("by", [timedelta(hours=-2), timedelta(seconds=200), timedelta(days=1)], ids=str)
def test_f33_a_plain_line_that_is_read_before_anybody_saw_that_the_clock_was_set_waits_no_longer(by: timedelta) -> None:
    async def scenario() -> None:
        async with running(make.policy(started_at=BEGAN), clock=clock, steady=loop.time) as bench:
            await bench.engine.settled()
            clock.by = by
            await bench.engine.submit(make.observed(at=make.checkpoint(1)))
            await asyncio.sleep(1.5)
            (stored,) = [done for done in bench.store.changesets if done.checkpoints]
            assert stored.checkpoints == (make.checkpoint(1),)

    loop = VirtualLoop()
    clock = SetClock(loop)
    run_on(loop, scenario())


def test_f33_a_standstill_that_ends_as_the_clock_was_set_is_one_of_just_now() -> None:
    async def scenario() -> None:
        async with running(make.policy(started_at=BEGAN), clock=clock, steady=loop.time) as bench:
            await bench.engine.settled(make.observed(at=make.checkpoint(1)))
            clock.by = timedelta(hours=2)
            loop.pass_time(600)
            await asyncio.sleep(LOOK_EVERY_S)
            heard_since = bench.engine.state.heard_since
            assert heard_since is not None
            assert abs(clock.now() - heard_since) < timedelta(seconds=10)

    loop = VirtualLoop()
    clock = SetClock(loop)
    run_on(loop, scenario())


def test_f33_a_clock_that_is_set_is_noticed_once_and_a_drift_never() -> None:
    async def scenario() -> None:
        policy = make.policy(started_at=BEGAN)
        async with running(policy, clock=clock, steady=loop.time) as bench:
            await bench.engine.settled(make.observed(at=make.checkpoint(1)))
            for by in (timedelta(seconds=1), timedelta(hours=-2), timedelta(hours=-2, seconds=1)):
                clock.by = by
                await bench.engine.settled(make.observed(at=make.checkpoint(2)))
                await bench.engine.settled(make.observed(at=make.checkpoint(3)))
            tallies = [each for done in bench.store.changesets for each in done.tallies if each.kind == "clock_set"]
            assert sum(each.n for each in tallies) == 1

    loop = VirtualLoop()
    clock = SetClock(loop)
    run_on(loop, scenario())


def test_f33_a_clock_that_is_set_again_while_that_is_being_stored_is_noticed_before_anything_is_decided() -> None:
    class SetMeanwhile(MemoryStore):
        async def commit(self, changeset: Changeset) -> None:
            if any(each.kind == "clock_set" for each in changeset.tallies):
                clock.by = timedelta(days=2)
            await super().commit(changeset)

    async def scenario() -> None:
        store = SetMeanwhile()
        async with running(make.policy(started_at=BEGAN), store, clock=clock, steady=loop.time) as bench:
            await bench.engine.settled()
            clock.by = timedelta(days=1)
            await bench.engine.settled(make.observed(make.match(at=clock.now()), at=make.checkpoint(1)))
            told = ["set" for done in store.changesets for each in done.tallies if each.kind == "clock_set"]
            last = [each.kind for each in store.changesets[-1].tallies]
            assert (told, "clock_set" in last) == (["set", "set"], False), "it is decided once both are known"

    loop = VirtualLoop()
    clock = SetClock(loop)
    run_on(loop, scenario())


def test_f33_a_clock_that_is_set_during_each_commit_keeps_nobody_waiting_for_ever() -> None:
    class SetEachTime(MemoryStore):
        async def commit(self, changeset: Changeset) -> None:
            clock.by += timedelta(minutes=1)
            assert len(self.changesets) < 20, "nothing else is decided"
            await super().commit(changeset)

    async def scenario() -> None:
        store = SetEachTime()
        async with running(make.policy(started_at=BEGAN), store, clock=clock, steady=loop.time) as bench:
            await bench.engine.settled(make.observed(make.match(at=clock.now()), at=make.checkpoint(1)))
            assert bench.engine.state.incidents

    loop = VirtualLoop()
    clock = SetClock(loop)
    run_on(loop, scenario())


def test_f33_what_counts_for_budgets_is_not_forgotten_for_a_clock_that_was_set_since_somebody_looked() -> None:
    """Set a day ahead while plain lines are stored, in the moment in which something is due as well."""

    class SetMeanwhile(MemoryStore):
        async def commit(self, changeset: Changeset) -> None:
            if changeset.checkpoints == (make.checkpoint(9),):
                clock.by = timedelta(hours=25)
            await super().commit(changeset)

    async def scenario() -> None:
        ended = FixAttempt("7", "6", "db-down", "", "db", 0, "restart it", 1, ("/bin/true",), BEGAN, "")
        ended = replace(ended, status=AttemptStatus.FINISHED, finished_at=BEGAN, verdict=Verdict.FIXED)
        store = SetMeanwhile([Changeset(attempts=(ended,))])
        rule = replace(make.RULE, fix=None)
        async with running(make.policy(rule, started_at=BEGAN), store, clock=clock, steady=loop.time) as bench:
            await bench.engine.settled(make.observed(make.match(rule, clock.now()), at=make.checkpoint(1)))
            assert bench.engine.state.incidents
            await bench.engine.submit(make.observed(at=make.checkpoint(9)))
            await asyncio.sleep(0.1)
            loop.pass_time(1000)  # the incident ends by silence
            await asyncio.sleep(0.1)
            assert clock.by
            assert not bench.engine.state.incidents, "it was due"
            assert list(bench.engine.state.attempts) == [ended.id]

    loop = VirtualLoop()
    clock = SetClock(loop)
    run_on(loop, scenario())


def test_f33_how_far_the_clock_was_set_ahead_is_known_to_whoever_reads_lines_of_before() -> None:
    async def scenario() -> None:
        async with running(make.policy(started_at=BEGAN), clock=clock, steady=loop.time) as bench:
            await bench.engine.settled(make.observed(at=make.checkpoint(1)))
            assert bench.engine.state.set_ahead == ()
            clock.by = timedelta(hours=2)
            await bench.engine.settled(make.observed(at=make.checkpoint(2)))
            ((said, behind),) = bench.engine.state.set_ahead
            assert behind == timedelta(hours=2)
            assert abs(clock.now() - timedelta(hours=2) - said) < timedelta(seconds=1)

    loop = VirtualLoop()
    clock = SetClock(loop)
    run_on(loop, scenario())
