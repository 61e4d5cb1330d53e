"""The oracle finds what it is there for: each fault that is planted at an edge breaks the invariant that it should."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest
import structlog

from logmedic.model.alert import Alert, Delivery, Receiver
from logmedic.model.changeset import Changeset, Send
from logmedic.model.fix import Arming, FixAttempt, FixResult
from logmedic.model.rule import Rule
from logmedic.model.step import Command, Step
from logmedic.works import Edges
from simulation.daemon import EdgesOf
from simulation.edges import Disk, Hands, Life, Post
from simulation.oracle import Oracle
from simulation.quiet import quiet
from simulation.story import Story
from simulation.world import World

SEEDS = 60
"""The most that are tried until it is found."""


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    before = structlog.get_config()
    quiet()
    yield
    structlog.configure(**before)


class ForgetsPositions(EdgesOf):
    """Effects are stored, and now and then the position behind them is not."""

    class Store(Disk):
        async def commit(self, changeset: Changeset) -> None:
            if changeset.incidents and changeset.checkpoints:
                changeset = replace(changeset, checkpoints=())
            await super().commit(changeset)

    def __call__(self, world: World, life: Life, oracle: Oracle) -> Edges:
        return replace(super().__call__(world, life, oracle), store=self.Store(world, life, oracle))


class StoresTwice(EdgesOf):
    """A commit that is repeated counts twice."""

    class Store(Disk):
        async def commit(self, changeset: Changeset) -> None:
            self._done = None
            await super().commit(changeset)

    def __call__(self, world: World, life: Life, oracle: Oracle) -> Edges:
        return replace(super().__call__(world, life, oracle), store=self.Store(world, life, oracle))


class SaysTooEarly(EdgesOf):
    """A commit with messages answers, and is nowhere."""

    class Store(Disk):
        async def commit(self, changeset: Changeset) -> None:
            if not any(isinstance(each, Send) for each in changeset.intents):
                await super().commit(changeset)

    def __call__(self, world: World, life: Life, oracle: Oracle) -> Edges:
        return replace(super().__call__(world, life, oracle), store=self.Store(world, life, oracle))


class RunsTwice(EdgesOf):
    """A step that failed is started again, past the engine."""

    class Runner(Hands):
        async def run(self, step: Step, attempt: FixAttempt) -> FixResult:
            result = await super().run(step, attempt)
            return result if result.ok else await super().run(step, attempt)

    def __call__(self, world: World, life: Life, oracle: Oracle) -> Edges:
        return replace(super().__call__(world, life, oracle), runner=self.Runner(world, life, oracle))


class TakesTheLineAlong(EdgesOf):
    """A part of a command comes from somewhere else than a typed capture."""

    class Runner(Hands):
        async def run(self, step: Step, attempt: FixAttempt) -> FixResult:
            assert isinstance(step.action, Command)
            odd = replace(step, action=replace(step.action, argv=(*step.action.argv, "$(id)")))
            return await super().run(odd, attempt)

    def __call__(self, world: World, life: Life, oracle: Oracle) -> Edges:
        return replace(super().__call__(world, life, oracle), runner=self.Runner(world, life, oracle))


class SendsUnasked(EdgesOf):
    """A message is sent once more than it is stored to be."""

    class Sender(Post):
        async def send(self, alert: Alert, receiver: Receiver) -> Delivery:
            delivery = await super().send(alert, receiver)
            await super().send(replace(alert, id=f"{alert.id}-again"), receiver)
            return delivery

    def __call__(self, world: World, life: Life, oracle: Oracle) -> Edges:
        return replace(super().__call__(world, life, oracle), sender=self.Sender(world, life, oracle))


class LosesResults(EdgesOf):
    """A step runs, and nobody ever hears what came of it."""

    class Runner(Hands):
        async def run(self, step: Step, attempt: FixAttempt) -> FixResult:
            await super().run(step, attempt)
            await self._world.clock.sleep(1e9)
            raise AssertionError

    def __call__(self, world: World, life: Life, oracle: Oracle) -> Edges:
        return replace(super().__call__(world, life, oracle), runner=self.Runner(world, life, oracle))


class BeginsLate(EdgesOf):
    """A step that was handed over begins a while later, whatever is asked of the daemon meanwhile."""

    class Runner(Hands):
        async def run(self, step: Step, attempt: FixAttempt) -> FixResult:
            await self._world.clock.sleep(15.0)
            return await super().run(step, attempt)

    def __call__(self, world: World, life: Life, oracle: Oracle) -> Edges:
        return replace(super().__call__(world, life, oracle), runner=self.Runner(world, life, oracle))


class CannotStart(EdgesOf):
    """What one life leaves keeps the next from starting."""

    class Runner(Hands):
        async def arm(self, rules: Sequence[Rule] = ()) -> Arming:
            assert self._world.life < 2, "the daemon chokes on what it left"
            return await super().arm(rules)

    def __call__(self, world: World, life: Life, oracle: Oracle) -> Edges:
        return replace(super().__call__(world, life, oracle), runner=self.Runner(world, life, oracle))


PLANTED: tuple[tuple[EdgesOf, str], ...] = (
    (ForgetsPositions(), "I1"),
    (StoresTwice(), "I1"),
    (SaysTooEarly(), "I1"),
    (RunsTwice(), "I3"),
    (TakesTheLineAlong(), "I7"),
    (SendsUnasked(), "I1"),
    (LosesResults(), "I2"),
    (BeginsLate(), "I3"),
    (CannotStart(), "I4"),
)


@pytest.mark.parametrize(("planted", "invariant"), PLANTED, ids=[type(each).__name__ for each, _ in PLANTED])
def test_a_planted_fault_is_found(planted: EdgesOf, invariant: str) -> None:
    for seed in range(SEEDS):
        broken = Story(seed, planted).told().broken
        if broken:
            assert broken[0].startswith(invariant), broken
            return
    pytest.fail(f"{SEEDS} seeds did not find it")
