"""The edges of one life of the daemon: each does what the world says, and nothing any more once that life is over."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from logmedic.core.targets import argv_of
from logmedic.model.alert import Alert, Delivery, Receiver
from logmedic.model.changeset import Changeset
from logmedic.model.errors import StoreBusy, StoreFull
from logmedic.model.fix import Arming, FixAttempt, FixResult, ProbeResult
from logmedic.model.gap import Gap, SourceEventKind
from logmedic.model.probe import HttpProbe, Probe
from logmedic.model.query import Limits
from logmedic.model.record import Block, Checkpoint
from logmedic.model.rule import Rule
from logmedic.model.state import EngineState
from logmedic.model.step import Step
from logmedic.ports import Rendered
from simulation.oracle import Oracle
from simulation.world import WIDTH, Log, World

RECEIVERS = {name: Receiver(name, f"json://{name}.test") for name in ("chat", "mail")}
DEADLINE_S = 30.0


class Life:
    """Of which everything ends with `is_over`: what comes later never happened."""

    def __init__(self) -> None:
        self.is_over = False

    def here(self) -> None:
        """Raises CancelledError in what is left of a life that is over."""
        if self.is_over:
            raise asyncio.CancelledError


class LogSource:
    """Implements ports.Source over a simulated log."""

    def __init__(self, log: Log, world: World, life: Life) -> None:
        self._log = log
        self._world = world
        self._life = life
        self._at = 0

    @property
    def name(self) -> str:
        return self._log.name

    def health(self) -> list[dict[str, Any]]:
        lag = self._log.size - self._at
        row = {"origin": self.name, "offset": self._at, "size": self._log.size, "lag_bytes": lag}
        return [{**row, "last_read_at": None, "problem": ""}]

    async def blocks(self, checkpoints: Mapping[str, Checkpoint]) -> AsyncGenerator[Block, None]:
        mark = checkpoints.get(self.name)
        self._at = mark.offset if mark is not None else 0
        while True:
            self._life.here()
            await self._world.moment(slow=self._world.faults.read_slow if self._log.may_fail else 0.0)
            self._life.here()
            if self._log.may_fail and self._world.is_so(self._world.faults.read_fails):
                self._world.tell(f"read fails: {self.name}")
                raise OSError(5, "Input/output error")
            block = self._next()
            if block is not None:
                yield block
            else:
                self._log.news.clear()
                await self._log.news.wait()

    def _next(self) -> Block | None:
        gaps: tuple[Gap, ...] = ()
        if self._log.lost_until > self._at:
            gaps = (Gap(SourceEventKind.TRUNCATED, self._log.lost_until - self._at, "emptied before it was read"),)
            self._at = self._log.lost_until
        if self._at >= self._log.size and not gaps:
            return None
        begins = self._at
        lines = 1 if begins < self._log.warm else self._world.chance.randint(1, 40)
        self._at = min(self._log.size, begins + WIDTH * lines)
        data, now = bytes(self._log.data[begins : self._at]), self._world.clock.now()
        self._log.read_at.update(dict.fromkeys(range(begins // WIDTH, self._at // WIDTH), now))
        return Block(self.name, self.name, data, begins, self._mark(), now, gaps=gaps)

    def _mark(self) -> Checkpoint:
        return Checkpoint(self.name, self.name, self._at, self._world.clock.now())


class Disk:
    """Implements ports.Store: what is durable outlives the life."""

    def __init__(self, world: World, life: Life, oracle: Oracle) -> None:
        self._world = world
        self._life = life
        self._oracle = oracle
        self._asked: Changeset | None = None
        self._done: Changeset | None = None
        self.notices: Sequence[str] = ()

    async def open(self) -> EngineState:
        await self._world.moment()
        self._life.here()
        if self._world.is_so(self._world.faults.store_full):
            self._world.tell("store does not open: no space")
            raise StoreFull("no space left on the device")
        return await self._world.disk.open()

    async def commit(self, changeset: Changeset) -> None:
        """One that is repeated changes nothing twice."""
        self._life.here()
        if changeset is not self._asked:
            self._asked = changeset
            self._oracle.decided(changeset)
        await self._world.moment(slow=self._world.faults.commit_slow)
        self._life.here()
        if self._world.is_so(self._world.faults.commit_full):
            self._world.tell("commit fails: no space")
            raise StoreFull("no space left on the device")
        if changeset is not self._done:
            await self._world.disk.commit(changeset)
            self._done = changeset
            self._oracle.committed(changeset)
        if self._world.is_so(self._world.faults.commit_unsure):
            self._world.tell("commit unsure: done, and said not to be")
            raise StoreBusy("interrupted")
        await self._world.moment()
        self._life.here()

    async def ask(self, question: str, /, **arguments: Any) -> Any:
        if self._world.is_so(self._world.faults.store_busy):
            raise StoreBusy("interrupted")
        return await self._world.disk.ask(question, **arguments)

    async def query(self, sql: str, limits: Limits) -> bytes:
        raise AssertionError("nobody asks SQL here")

    def hurry(self) -> None:
        """Nothing is looked through."""

    async def close(self) -> None:
        """Nothing is held."""


class Hands:
    """Implements ports.FixRunner and ports.Prober: fixes act on the services of the world."""

    def __init__(self, world: World, life: Life, oracle: Oracle) -> None:
        self._world = world
        self._life = life
        self._oracle = oracle

    async def arm(self, rules: Sequence[Rule] = ()) -> Arming:
        self._life.here()
        await self._world.moment()
        if self._world.armed:
            return Arming(armed=True, sandbox="simulated")
        return Arming(armed=False, sandbox="", reason="the canary got out")

    async def rehearse(self, step: Step) -> FixResult:
        return FixResult(0, 0.0, sandbox="simulated")

    async def run(self, step: Step, attempt: FixAttempt) -> FixResult:
        self._life.here()
        argv = argv_of(step.action)
        self._oracle.step_began(attempt, argv)
        try:
            return await self._run(argv)
        finally:
            self._oracle.step_ended(attempt)

    async def _run(self, argv: Sequence[str]) -> FixResult:
        world, faults, began = self._world, self._world.faults, self._world.loop.time()
        if world.is_so(faults.step_breaks):
            raise RuntimeError("the runner itself broke")
        if world.is_so(faults.step_hangs):
            await asyncio.sleep(DEADLINE_S)
            return FixResult(None, DEADLINE_S, detail="killed after 30 s", sandbox="simulated")
        await asyncio.sleep(world.chance.uniform(0.0, 8.0))
        took = world.loop.time() - began
        if world.is_so(faults.step_fails):
            return FixResult(1, took, "it did not work", sandbox="simulated")
        if not world.is_so(faults.step_does_nothing):
            _mend(world, *argv[1:3])
        return FixResult(0, took, "done", sandbox="simulated")

    async def probe(self, probes: Sequence[Probe]) -> ProbeResult:
        self._life.here()
        asked_s = self._world.loop.time()
        for each in probes:
            assert isinstance(each, HttpProbe)
            self._oracle.reckoning.asked(each.url)
        await self._world.moment(slow=self._world.faults.probe_slow)
        self._life.here()
        if self._world.is_so(self._world.faults.probe_breaks):
            raise RuntimeError("the prober itself broke")
        if self._world.is_so(self._world.faults.probe_unknown):
            return ProbeResult(None, "nobody can say")
        passed = all(self._passes(each, asked_s) for each in probes)
        return ProbeResult(passed, "200" if passed else "503")

    def _passes(self, probe: Probe, asked_s: float) -> bool:
        assert isinstance(probe, HttpProbe)
        self._oracle.address_asked(probe.url)
        what, name = urlsplit(probe.url).path.strip("/").split("/")
        service = self._world.services[name]
        if what == "guard":
            return not self._world.is_so(self._world.faults.guard_fails)
        passed = not {"up": service.down, "queue": service.slow, "cache": service.stale}[what]
        if passed:
            self._oracle.reckoning.proved(probe.url, asked_s)
        return passed


def _mend(world: World, act: str, name: str) -> None:
    if act == "drain":
        world.services[name].slow = False
    elif act in ("flush", "rebuild"):
        world.services[name].stale = False
    elif act != "undo":
        world.services[name].down = False


class Post:
    """Implements ports.Sender."""

    def __init__(self, world: World, life: Life, oracle: Oracle) -> None:
        self._world = world
        self._life = life
        self._oracle = oracle

    async def send(self, alert: Alert, receiver: Receiver) -> Delivery:
        self._life.here()
        self._oracle.handed_over(alert)
        world, faults = self._world, self._world.faults
        if world.is_so(faults.send_breaks):
            raise RuntimeError("the sender itself broke")
        if world.is_so(faults.send_hangs):
            await asyncio.sleep(DEADLINE_S)
            return Delivery(False, "no answer within 30 s")
        await world.moment()
        self._life.here()
        if world.is_so(faults.send_refused):
            return Delivery(False, "410 gone", permanent=True)
        if world.is_so(faults.send_fails):
            return Delivery(False, "503", retry_after_s=world.chance.choice((None, 20.0)))
        self._oracle.arrived(alert)
        if world.is_so(faults.send_unsure):
            return Delivery(False, "the connection broke after the message")
        self._oracle.known_to_have_arrived(alert)
        return Delivery(True)

    async def render(self, alert: Alert, receiver: Receiver) -> Rendered:
        return Rendered("text", alert.title, alert.body)


class Silent:
    """Implements ports.Notifier."""

    def ready(self) -> None: ...

    def reloading(self) -> None: ...

    def stopping(self) -> None: ...

    def alive(self) -> None: ...

    def status(self, text: str) -> None: ...
