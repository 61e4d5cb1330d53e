"""What outlives the daemon: time, logs, services, the disk. Whatever chance decides is drawn from one seed."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from fakes.memory_store import MemoryStore
from fakes.virtual_loop import BEGAN, VirtualLoop
from simulation.chances import Faults
from simulation.ruleset import Said

WIDTH = 64
"""Bytes of every line: what was counted and what was lost add up to the position, to the byte."""
SERVICES = ("shop", "cart", "mail")
MOMENT_S = 0.05
LONG_S = 60.0


class Clock:
    """Wall-clock time; `set_by`: how far people have set it away from the true one; `furthest`: how far ahead it
    ever was."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop
        self.set_by = self.furthest = timedelta()

    def now(self) -> datetime:
        return BEGAN + timedelta(seconds=self._loop.time()) + self.set_by

    def set(self, by: timedelta) -> None:
        self.set_by += by
        self.furthest = max(self.furthest, self.set_by)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


@dataclass(slots=True)
class Log:
    """What was written, whether or not it is still there: what lies before `lost_until` and was not read is gone.
    `warm`: the bytes with which it begins, of which each line is a block of its own. `errors`: how many of the first n
    lines are about an error. `written_s`: of each line, in seconds of the loop. `read_at`: by line, when it was read
    last, by the clock of then."""

    name: str
    may_fail: bool
    data: bytearray = field(default_factory=bytearray)
    lost_until: int = 0
    warm: int = 0
    errors: list[int] = field(default_factory=lambda: [0])
    written_s: list[float] = field(default_factory=list)
    read_at: dict[int, datetime] = field(default_factory=dict)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    """There may be more than was read last."""

    def write(self, text: str, at_s: float) -> None:
        raw = text.encode()[: WIDTH - 1]
        self.data += raw.decode("utf-8", "ignore").encode().ljust(WIDTH - 1) + b"\n"
        self.errors.append(self.errors[-1] + text.startswith("ERROR"))
        self.written_s.append(at_s)
        self.news.set()

    @property
    def size(self) -> int:
        return len(self.data)

    def errors_before(self, offset: int) -> int:
        return self.errors[offset // WIDTH]


@dataclass(slots=True)
class Service:
    """`down`: it does not answer, and says so. `slow`, `full`, `stale`: its queue, its disk, its cache."""

    name: str
    down: bool = False
    slow: bool = False
    full: bool = False
    stale: bool = False


class World:
    """`life`: the number of the daemon's present life, 0 before the first. `said`: the rule files as they are now.
    `paused`: whether the pause file is there; the daemon looks when it starts. `faults`: those of now. `story`: what
    happened, a line each, for people."""

    def __init__(self, seed: int, faults: Faults) -> None:
        self.chance = Random(seed)
        self.faults = faults
        self.loop = VirtualLoop()
        self.clock = Clock(self.loop)
        self.disk = MemoryStore()
        self.logs = [Log("app.log", may_fail=False), Log("web.log", may_fail=True)]
        self.services = {name: Service(name) for name in SERVICES}
        self.said = Said.FULL
        self.armed = True
        self.paused = False
        self.life = 0
        self.ids = 0
        self.lines = 0
        self.story: list[str] = []
        self.happened: Counter[str] = Counter()

    def close(self) -> None:
        self.loop.close()

    def tell(self, what: str) -> None:
        kind = what.partition(":")[0]
        self.happened[kind] += 1
        self.story.append(f"{self.loop.time():10.3f} life {self.life}  {what}")

    def is_so(self, chance: float) -> bool:
        return chance > 0 and self.chance.random() < chance

    async def moment(self, *, slow: float = 0.0) -> None:
        """What a call takes."""
        await asyncio.sleep(self.chance.uniform(0.0, LONG_S if self.is_so(slow) else MOMENT_S))

    def mint(self) -> str:
        """Sorts by when it was minted, also over lives."""
        self.ids += 1
        return f"{self.ids:012d}"

    # -- what goes on without the daemon ---------------------------------------------------------------------------

    def write(self, text: str, log: Log | None = None) -> None:
        self.lines += 1
        (log or self.chance.choice(self.logs)).write(f"{text} {self.lines}", self.loop.time())

    def write_of_services(self) -> None:
        for each in self.services.values():
            for text in _complaints(each, self.chance):
                self.write(text, self.logs[SERVICES.index(each.name) % len(self.logs)])

    def heal(self) -> None:
        for each in self.services.values():
            each.down = each.slow = each.stale = False
            if each.full:
                each.full = False
                self.write(f"INFO disk of {each.name} has room", self.logs[SERVICES.index(each.name) % len(self.logs)])


def _complaints(service: Service, chance: Random) -> Iterator[str]:
    if service.down:
        yield from [f"ERROR {service.name} is down"] * chance.randint(1, 2)
    if service.slow:
        yield from [f"ERROR queue of {service.name} is slow"] * chance.randint(1, 4)
    if service.full:
        yield f"ERROR disk of {service.name} is full"
    if service.stale:
        yield f"ERROR cache of {service.name} is stale"
