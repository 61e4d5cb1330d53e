"""Everything between the edges, wired in one place: the daemon gives it the real edges, the simulation its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, tzinfo
from types import MappingProxyType

from logmedic.core.draft import Mint
from logmedic.core.framing import TRACES, Framing
from logmedic.core.sums import Sums
from logmedic.model.alert import Receiver
from logmedic.model.changeset import Changeset, PauseFixes, ResumeFixes
from logmedic.model.diagnosis import Question
from logmedic.model.policy import Policy
from logmedic.model.state import EngineState
from logmedic.ports import Clock, FixRunner, Notifier, Prober, RuleFiles, Sender, Source, Store
from logmedic.runtime.dispatcher import Dispatcher
from logmedic.runtime.engine import Engine
from logmedic.runtime.feed import Feed
from logmedic.runtime.heartbeat import Pulse
from logmedic.runtime.intake import Intake
from logmedic.runtime.live import Generation, Live, MakeMatcher
from logmedic.runtime.meter import Meter
from logmedic.runtime.reload import Reloader, first_generation
from logmedic.runtime.supervisor import Supervisor


@dataclass(frozen=True, slots=True, kw_only=True)
class Edges:
    """The world, behind its ports. `mint` makes what mints ids that sort behind a given one. `steady`: seconds of a
    clock that nobody sets. `diagnose` takes a question and answers at once. `zone`: of times in lines that name none.
    `framings`: by source, where it is not TRACES."""

    store: Store
    loader: RuleFiles
    matchers: MakeMatcher
    runner: FixRunner
    prober: Prober
    sender: Sender
    receivers: Callable[[], Mapping[str, Receiver]]
    notifier: Notifier
    clock: Clock
    mint: Callable[[str], Mint]
    steady: Callable[[], float]
    diagnose: Callable[[Question], None] = lambda _: None
    zone: tzinfo = UTC
    framings: Mapping[str, Framing] = field(default_factory=lambda: MappingProxyType({}))


class Works:
    """The parts that decide, commit and act, and what keeps them running. `begin` starts the engine; closed by `stop`.
    `also_noted`: who else hears of what was committed, before the state knows it; they answer at once. `totals`: what
    was read, by source, also of those that are read no more."""

    def __init__(self, edges: Edges, state: EngineState, first: Generation, sums: Sums, feed: Feed, mint: Mint) -> None:
        self.state = state
        self.live = Live(first)
        self.sums = sums
        self.feed = feed
        self.pulse = Pulse(edges.notifier.alive)
        self.also_noted: list[Callable[[Changeset], None]] = []
        self.totals: dict[str, Meter] = {}
        self.supervisor = Supervisor(edges.clock)
        self.dispatcher = Dispatcher(
            runner=edges.runner,
            prober=edges.prober,
            sender=edges.sender,
            receivers=edges.receivers,
            diagnose=edges.diagnose,
        )
        self.reloader = Reloader(
            loader=edges.loader,
            live=self.live,
            runner=edges.runner,
            make_matcher=edges.matchers,
            notifier=edges.notifier,
            clock=edges.clock,
        )
        self.engine = Engine(
            state=state,
            store=edges.store,
            clock=edges.clock,
            mint=mint,
            policy=lambda: self.live.current.policy,
            carry_out=self.dispatcher.carry_out,
            alive=self.pulse.beat,
            noted=self._note,
            steady=edges.steady,
        )
        self.dispatcher.report_to(self.engine.submit)
        self._edges = edges

    def begin(self, pauses: Sequence[PauseFixes | ResumeFixes]) -> None:
        """`pauses`: as Engine.run has them."""
        self.supervisor.keep("engine", lambda: self.engine.run(pauses), vital=True)

    def intake(self, source: Source) -> Intake:
        """Its way to the engine; who reads it is for others to say (runtime/reading.py)."""
        return Intake(
            source=source,
            engine=self.engine,
            matcher=lambda: self.live.current.matcher,
            clock=self._edges.clock,
            zone=self._edges.zone,
            framing=self._edges.framings.get(source.name, TRACES),
            total=self.totals.setdefault(source.name, Meter()),
        )

    async def drain(self, seconds: float) -> None:
        """What is under way ends, for at most `seconds`; what came of it is committed. Nothing is begun any more: the
        next step of a fix would be killed in the middle of what it does."""
        self.engine.begin_nothing()
        self._edges.store.hurry()
        await self.supervisor.stop(*(name for name in self.supervisor.parts if name != "engine"))
        await self.dispatcher.drain(seconds)
        await self.engine.settled()

    async def stop(self) -> None:
        """At once. What runs is killed."""
        await self.supervisor.stop()
        await self.dispatcher.stop()

    def _note(self, changeset: Changeset) -> None:
        self.sums.take(changeset, self.state)
        self.feed.publish(changeset)
        for hear in self.also_noted:
            hear(changeset)


async def make_works(edges: Edges, state: EngineState, policy: Policy, *, arm: bool) -> Works:
    """With the rules loaded, and, with `arm`, the sandbox tried. Raises what a store raises that cannot be asked."""
    first = await first_generation(edges.loader, policy, edges.runner, edges.matchers, arm=arm)
    sums = Sums.since(await edges.store.ask("counts"))
    feed = Feed(edges.store.ask, clock=edges.clock, titles=state.incidents.get)
    mint = edges.mint(await feed.newest())
    began = replace(first.policy, started_at=edges.clock.now())  # reading begins now, and waits give it its time
    return Works(edges, state, replace(first, policy=began), sums, feed, mint)
