"""The daemon of a simulated host: the works of the real one, life after life."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from datetime import UTC, timedelta
from pathlib import Path
from typing import Any, TypeVar

from logmedic.model.alert import AlertPlan, ReceiverPlan, Route
from logmedic.model.changeset import Input, PauseFixes, ResumeFixes
from logmedic.model.policy import LearningPolicy, Policy
from logmedic.model.rule import Mode
from logmedic.model.state import EngineState
from logmedic.model.trust import PauseOrigin
from logmedic.runtime.foresight import sweep_issues
from logmedic.runtime.opening import Opening
from logmedic.runtime.reading import Reading
from logmedic.runtime.rulewatch import RuleWatch
from logmedic.runtime.watchman import Watchman
from logmedic.works import Edges, Works, make_works
from simulation.edges import RECEIVERS, Disk, Hands, Life, LogSource, Post, Silent
from simulation.oracle import (
    MAX_RUNNING,
    MAX_TEMPLATES,
    MESSAGES_PER_HOUR,
    PER_HOUR,
    PER_TEN_MINUTES,
    WINDOWS,
    Oracle,
)
from simulation.ruleset import Files, make_matcher
from simulation.world import World

ROUTE = Route(
    "oncall",
    ("chat",),
    ("mail",),
    group_by=("rule",),
    group_wait=timedelta(seconds=5),
    group_interval=timedelta(minutes=1),
    repeat_every=timedelta(hours=1),
)
PLANS = {name: ReceiverPlan(name, "json", max_per_hour=MESSAGES_PER_HOUR) for name in RECEIVERS}
POLICY = Policy(
    mode=Mode.AUTO,
    hostname="sim",
    host_max_per_hour=PER_HOUR,
    host_max_per_ten_minutes=PER_TEN_MINUTES,
    max_running=MAX_RUNNING,
    maintenance=WINDOWS,
    learning=LearningPolicy(max_templates=MAX_TEMPLATES),
    alerts=AlertPlan({"oncall": ROUTE}, "oncall", receivers=PLANS, page_after=timedelta(minutes=2)),
)
DRAIN_S = 20.0
QUIET_AFTER = timedelta(minutes=10)
T = TypeVar("T")


class Daemon:
    """One life. `begin`, then time passes in `world.loop`, then `kill` or `stop`."""

    def __init__(self, world: World, oracle: Oracle, edges: EdgesOf) -> None:
        self._world = world
        self._oracle = oracle
        self._edges = edges
        self._life = Life()
        self.works: Works | None = None
        self._orders: list[asyncio.Task[None]] = []
        self.reading_since = world.loop.time()

    def begin(self) -> None:
        self._world.life += 1
        self._world.tell("starts")
        try:
            self._run(self._begin())
        except BaseException:
            self._over()
            raise

    async def _begin(self) -> None:
        """Raises StoreBusy when the store cannot be asked: the manager starts another life."""
        world, life = self._world, self._life
        edges = self._edges(world, life, self._oracle)
        state = await _opened(edges)
        self._oracle.reckoning.life_began()
        works = await make_works(edges, state, self._edges.policy, arm=True)
        self.works = works
        self._oracle.policy = lambda: works.live.current.policy
        works.begin([_pause(world)])
        reading: Reading[None] = Reading(make=_nothing, supervisor=works.supervisor)
        intakes = [works.intake(LogSource(log, world, life)) for log in world.logs]
        for each in intakes:
            reading.begin(each)
        watched = [(each, QUIET_AFTER) for each in intakes]
        works.supervisor.keep("quiet sources", Watchman(watched=watched, engine=works.engine, clock=world.clock).run)
        works.supervisor.keep("issue sweep", lambda: sweep_issues(works.engine.submit, world.clock.now))
        works.supervisor.keep("rule watch", RuleWatch(lambda: works.live.current, works.engine.settled).run)
        works.supervisor.keep("reload", works.reloader.run)
        self.reading_since = world.loop.time()

    def give(self, given: Input) -> None:
        """As an operator's order comes in."""
        assert self.works is not None
        self._oracle.ordered(given)
        self._run(self.works.engine.submit(given))

    def give_soon(self, givens: Sequence[tuple[float, Input]]) -> None:
        """While time passes: each so many seconds from now."""
        assert self.works is not None
        for after_s, given in givens:
            self._orders.append(self._world.loop.create_task(self._given(self.works, after_s, given)))

    async def _given(self, works: Works, after_s: float, given: Input) -> None:
        await asyncio.sleep(after_s)
        self._life.here()
        self._oracle.ordered(given)
        await works.engine.submit(given)

    def reload(self) -> None:
        assert self.works is not None
        self.works.reloader.request()

    def kill(self) -> None:
        """At this very moment, wherever each part is."""
        self._world.tell("killed")
        self._over()

    def stop(self) -> None:
        """As SIGTERM does."""
        assert self.works is not None
        self._world.tell("stops")
        self._oracle.stops_since = self._world.loop.time()
        self._run(self._stop(self.works))
        self._over()

    def _over(self) -> None:
        self._life.is_over = True
        self._run(_ended())
        self._oracle.life_ended(self._world.life)

    async def _stop(self, works: Works) -> None:
        await works.drain(DRAIN_S)
        await works.stop()

    def ends_by_itself(self) -> str:
        """Why the daemon could not go on, or empty."""
        assert self.works is not None
        fatal = self.works.supervisor.fatal
        return fatal.result().text if fatal.done() else ""

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return self._world.loop.run_until_complete(work)


class EdgesOf:
    """Makes the edges of a life. What inherits from it plants a fault that the oracle has to find."""

    policy: Policy = POLICY

    def __call__(self, world: World, life: Life, oracle: Oracle) -> Edges:
        hands = Hands(world, life, oracle)
        return Edges(
            store=Disk(world, life, oracle),
            loader=Files(lambda: world.said),
            matchers=make_matcher,
            runner=hands,
            prober=hands,
            sender=Post(world, life, oracle),
            receivers=lambda: RECEIVERS,
            notifier=Silent(),
            clock=world.clock,
            mint=lambda _: world.mint,
            steady=world.loop.time,
            zone=UTC,
        )


async def _opened(edges: Edges) -> EngineState:
    """However long the disk has no room for it. Nobody asks anything meanwhile, and nobody is told."""
    nothing = asyncio.Event()

    async def look() -> None:
        """Nothing is told."""

    opening = Opening(
        store=edges.store,
        path=Path("/logmedic.duckdb"),
        look=look,
        door=lambda: nothing.wait(),
        notifier=edges.notifier,
        clock=edges.clock,
    )
    state = await opening.opened(asyncio.Event())
    assert state is not None
    return state


def _pause(world: World) -> PauseFixes | ResumeFixes:
    """What the first look at the pause file tells."""
    by = "file /etc/logmedic/paused"
    return PauseFixes(PauseOrigin.FILE, by, "work") if world.paused else ResumeFixes(PauseOrigin.FILE, by)


def _nothing(name: str, spec: None) -> Any:
    raise AssertionError("no rule brings a source along here")


async def _ended() -> None:
    """Of all tasks but this one nothing is left."""
    left = [each for each in asyncio.all_tasks() if each is not asyncio.current_task()]
    for each in left:
        each.cancel()
    await asyncio.gather(*left, return_exceptions=True)
