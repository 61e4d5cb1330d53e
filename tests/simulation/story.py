"""A story: what a seed makes happen, step by step, until everything is well again."""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from random import Random

from logmedic.model.changeset import (
    Acknowledge,
    AddSilence,
    Approve,
    Input,
    MuteIssue,
    PauseFixes,
    Reject,
    Resend,
    ResetBreaker,
    ResumeFixes,
    SetTrust,
    TestAlert,
)
from logmedic.model.errors import StoreBusy
from logmedic.model.issue import Incident, IncidentStatus
from logmedic.model.rule import Mode
from logmedic.model.state import EngineState
from logmedic.model.trust import PauseOrigin
from simulation.chances import NONE, drawn, named
from simulation.daemon import Daemon, EdgesOf
from simulation.oracle import Oracle
from simulation.quiet import quiet
from simulation.ruleset import Said
from simulation.world import SERVICES, WIDTH, Log, World

STEPS = 24
AT_REST_S = 4500.0
"""What waits by itself waits for the hour's messages or fixes at most, for half an hour's approval, for a silence."""
WHILES = (0.0, 0.05, 0.7, 5.0, 20.0, 61.0, 130.0, 400.0)
QUIET_S = 15.0
RESTART_S = 5.0
"""After which the manager starts a daemon again that could not start."""
WARM = 100
"""Lines with which a log begins: the first 64 blocks of a source are no plain ones, for each gives an ordinary line."""
STEPPED_IN = frozenset({IncidentStatus.CHECKING, IncidentStatus.FIXING, IncidentStatus.RETRYING})
HOSTILE = (
    "ERROR $(reboot) is down",
    "ERROR shop;id is down",
    "ERROR ../../etc/passwd is down",
    "ERROR --help is down",
    "ERROR \x1b[31m\u202ered is down",
    "ERROR `id` <!channel> fell over\x00",
    "ERROR queue of cart\x07 is slow",
)
NOISE = (
    "INFO all is well",
    "INFO served a page",
    "DEBUG tick",
    "INFO backup of shop ended",
    "INFO disk of cart has room",
)
KNOWN = (
    "ERROR shop is down",
    "ERROR queue of mail is slow",
    "ERROR disk of cart is full",
    "ERROR backup of shop begins late",
)
UNKNOWN = ("ERROR cannot reach peer {n}", "ERROR bad checksum in block {n}", "ERROR thing{n} exploded in part{n}")


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of one seed. `broken`: the invariants that did not hold; empty: all did. `digest`: of everything that happened;
    the same seed has the same."""

    seed: int
    faults: str
    broken: tuple[str, ...]
    story: tuple[str, ...]
    happened: Counter[str]
    commits: int
    digest: str


class Story:
    def __init__(self, seed: int, edges: EdgesOf | None = None) -> None:
        self._seed = seed
        chance = Random(seed)
        self._faults = drawn(chance)
        self.world = World(chance.getrandbits(64), self._faults)
        self.oracle = Oracle(self.world)
        self._edges = edges or EdgesOf()
        self.daemon = Daemon(self.world, self.oracle, self._edges)
        self.oracle.turned = self._step_in

    def told(self, steps: int = STEPS) -> Outcome:
        """From the first start to the last stop; ends at the first step in which something did not hold."""
        asyncio.set_event_loop(self.world.loop)
        quiet(self.oracle.said)
        try:
            for _ in range(WARM):
                self.world.write("INFO all is well", self.world.logs[0])
            self.world.logs[0].warm = self.world.logs[0].size
            self._start()
            for _ in range(steps):
                self._step()
                if self._is_broken():
                    break
            else:
                self._come_to_rest()
            self.daemon.kill()
        finally:
            self.world.close()
            asyncio.set_event_loop(None)
        return self._outcome()

    def _outcome(self) -> Outcome:
        text = "\n".join(self.world.story)
        digest = hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
        broken, commits = tuple(self.oracle.broken), len(self.world.disk.changesets)
        return Outcome(
            self._seed, named(self._faults), broken, tuple(self.world.story), self.world.happened, commits, digest
        )

    def _start(self) -> None:
        self.daemon = Daemon(self.world, self.oracle, self._edges)
        self.oracle.rules_said(self.world.said, at_start=True)
        try:
            self.daemon.begin()
        except StoreBusy:
            self.world.tell("store cannot be asked: the manager starts another one")
            self.world.loop.pass_time(RESTART_S)
            self._start()
        except Exception as error:  # noqa: BLE001 - whatever keeps it from starting is what is looked for
            self.oracle.check(False, "I4", f"the daemon does not start: {type(error).__name__}: {error}")

    def _is_broken(self) -> bool:
        if self.daemon.works is not None and (why := self.daemon.ends_by_itself()):
            self.oracle.check(False, "I4", f"the daemon ended by itself: {why}")
        return bool(self.oracle.broken)

    # -- steps -----------------------------------------------------------------------------------------------------

    def _step(self) -> None:
        world, faults = self.world, self._faults
        self._services()
        self._lines()
        if world.is_so(faults.lines_lost):
            self._lose()
        if world.is_so(faults.clock_set):
            self._set_clock_in_a_quiet_moment() if world.chance.random() < 0.5 else self._set_clock()
        if world.is_so(faults.operated):
            for given in self._orders():
                world.tell(f"order: {type(given).__name__}")
                self.daemon.give(given)
        if world.is_so(faults.reloaded):
            self._reload()
        self._pass(world.chance.choice(WHILES) * world.chance.uniform(0.5, 1.0))
        if world.is_so(faults.killed):
            self.daemon.kill()
            self._between_lives()
        elif world.is_so(faults.stopped):
            self.daemon.stop()
            self._between_lives()

    def _pass(self, seconds: float) -> None:
        self.world.loop.run_until_complete(asyncio.sleep(seconds))
        self.oracle.look(reading_for_s=self.world.loop.time() - self.daemon.reading_since)

    def _between_lives(self) -> None:
        for _ in range(self.world.chance.randint(0, 2)):
            self._lines()
        world = self.world
        world.loop.pass_time(world.chance.choice((0.0, 3.0, 900.0)))
        if world.is_so(self._faults.clock_set) and self._set_clock(seen=False) > timedelta():
            self.oracle.exact_arrivals = False  # it looks like a long absence
        if world.is_so(self._faults.operated):
            world.paused = not world.paused
            world.tell(f"pause file: {'there' if world.paused else 'gone'}")
        self._start()

    def _set_clock(self, *, seen: bool = True) -> timedelta:
        world = self.world
        by = timedelta(seconds=world.chance.choice((-7200, -60, -1, 1, 60, 7200, 90_000)))
        world.clock.set(by)
        self.oracle.reckoning.clock_set(by, seen=seen)
        if not seen:
            self.oracle.tidings.exact.clear()  # what a fix did counts as its doing of just now
        world.tell(f"clock: it is set, {world.clock.set_by} from the true time by now")
        return by

    def _set_clock_in_a_quiet_moment(self) -> None:
        """All was read, and one plain line comes before anybody looks at the clock."""
        self._pass(QUIET_S)
        self._set_clock()
        self.world.write("INFO all is well", self.world.logs[0])
        self._pass(QUIET_S)

    def _services(self) -> None:
        """They fail by chance, and most come back by a fix alone."""
        world = self.world
        service = world.services[world.chance.choice(SERVICES)]
        match world.chance.randrange(9):
            case 0 | 1:
                service.down = True
                world.tell(f"trouble: {service.name} is down")
            case 2:
                service.slow = True
                world.tell(f"trouble: {service.name} is slow")
            case 3:
                service.full = True
                world.tell(f"trouble: the disk of {service.name} is full")
            case 4:
                service.stale = True
                world.tell(f"trouble: the cache of {service.name} is stale")
            case 5:
                world.tell("trouble: is over by itself")
                world.heal()
        world.write_of_services()

    def _lines(self) -> None:
        world = self.world
        for _ in range(world.chance.randint(0, 6)):
            world.write(world.chance.choice(NOISE + KNOWN))
        for _ in range(world.chance.randint(0, 2)):
            world.write(world.chance.choice(UNKNOWN).format(n=world.chance.randint(1, 60)))
        self._bursts(world.chance.choice(world.logs), world.chance.choice(SERVICES))
        if world.is_so(self._faults.hostile):
            world.write(world.chance.choice(HOSTILE))
        if world.is_so(self._faults.flood):
            log, text = world.chance.choice(world.logs), world.chance.choice(KNOWN + UNKNOWN)
            for n in range(world.chance.randint(50, 400)):
                world.write(text.format(n=n), log)

    def _bursts(self, log: Log, name: str) -> None:
        """Lines that mean something only together."""
        world, chance = self.world, self.world.chance
        match chance.randrange(6):
            case 0:
                for _ in range(chance.randint(1, 4)):
                    world.write(f"ERROR login of {name} failed", log)
                if chance.random() < 0.6:
                    world.write(f"INFO login of {name} worked", log)
            case 1:
                for _ in range(chance.randint(1, 6)):
                    world.write(f"ERROR peer{chance.randint(1, 4)} refuses {name}", log)
            case 2:
                for _ in range(chance.choice((1, 1, 1, 1, 20))):
                    world.write(f"ERROR request to {name} timed out", log)

    def _lose(self) -> None:
        """What a log has and nobody read is gone, as when somebody empties it."""
        log = self.world.chance.choice(self.world.logs)
        log.lost_until = log.size
        log.news.set()
        self.world.tell(f"emptied: {log.name} at line {log.size // WIDTH}")

    def _reload(self) -> None:
        world = self.world
        world.said = world.chance.choice(tuple(Said))
        world.armed = not world.is_so(self._faults.disarmed)
        world.tell(f"reload: {world.said}{'' if world.armed else ', disarmed'}")
        self.oracle.rules_said(world.said)
        self.daemon.reload()

    # -- people ----------------------------------------------------------------------------------------------------

    def _orders(self) -> Iterator[Input]:
        chance, now = self.world.chance, self.world.clock.now()
        state = self._state()
        incidents, soon = sorted(state.incidents), now + timedelta(minutes=chance.choice((1, 10, 45)))
        match chance.randrange(11):
            case 0 | 1 | 2:
                yield from (Approve(each, "ann") for each in incidents)
            case 3 if incidents:
                yield Reject(chance.choice(incidents), "ann")
            case 4:
                until = chance.choice((None, soon))
                yield PauseFixes(PauseOrigin.OPERATOR, "ann", "because", until, stop=chance.random() < 0.5)
            case 5:
                yield ResumeFixes(PauseOrigin.OPERATOR, "ann")
            case 6:
                yield from (ResetBreaker(key, "ann") for key in sorted(state.breakers))
            case 7:
                rule = chance.choice(("service-down", "queue-slow"))
                yield SetTrust(rule, chance.choice(tuple(Mode)), "ann", "so")
            case 8 if incidents:
                yield Acknowledge(f"incident:{chance.choice(incidents)}", "ann", chance.choice((None, soon)))
            case 9:
                yield AddSilence("ann", "because", soon)
                yield from (MuteIssue(each, "ann", until=soon) for each in sorted(state.fingerprints)[:1])
            case _:
                yield TestAlert(("chat",))
                yield Resend(tuple(sorted(state.dead))[:5], "ann")

    def _step_in(self, incident: Incident) -> None:
        """In the middle of a fix."""
        world, chance = self.world, self.world.chance
        if incident.status not in STEPPED_IN or not world.is_so(world.faults.interrupted):
            return
        soon, later = chance.uniform(0.0, 0.5), chance.uniform(5.0, 60.0)
        until = world.clock.now() + timedelta(seconds=later)
        orders: list[tuple[float, Input]] = []
        match chance.randrange(5):
            case 0 | 1:
                pause = PauseFixes(PauseOrigin.OPERATOR, "bob", "wait", until, stop=chance.random() < 0.5)
                orders = [(soon, pause)]
            case 2:
                pause = PauseFixes(PauseOrigin.OPERATOR, "bob", "wait")
                orders = [(soon, pause), (later, ResumeFixes(PauseOrigin.OPERATOR, "bob"))]
            case 3:
                less = SetTrust(incident.rule_id, chance.choice((Mode.OBSERVE, Mode.APPROVE)), "bob", "so")
                orders = [(soon, less), (later, SetTrust(incident.rule_id, Mode.AUTO, "bob", "so"))]
            case _:
                orders = [(soon, ResetBreaker((incident.rule_id, incident.fix, incident.target), "bob"))]
        world.tell(f"stepped in while {incident.status}: {type(orders[0][1]).__name__}")
        self.daemon.give_soon(orders)

    def _state(self) -> EngineState:
        assert self.daemon.works is not None
        return self.daemon.works.engine.state

    # -- the end ---------------------------------------------------------------------------------------------------

    def _come_to_rest(self) -> None:
        """No fault any more; people end what they began."""
        world = self.world
        world.tell("all is well from here on")
        world.faults = NONE
        self.oracle.tidings.calm_since = world.loop.time()
        ahead = world.clock.furthest - world.clock.set_by  # what was written before is of the past again
        world.clock.set(ahead)
        self.oracle.reckoning.clock_set(ahead, seen=True)
        world.heal()
        world.armed, world.said, world.paused = True, Said.FULL, False
        self.daemon.reload()
        for origin in PauseOrigin:
            self.daemon.give(ResumeFixes(origin, "ann"))
        self._pass(600.0)
        for name in SERVICES:  # once the last of the trouble is read, whichever log it stands in
            world.write(f"INFO disk of {name} has room")
            world.write(f"INFO backup of {name} ended")
        for each in sorted(self._state().incidents):
            self.daemon.give(Reject(each, "ann"))
        self._pass(AT_REST_S)
        if not self._is_broken():
            self.daemon.stop()
            self._start()  # receivers that refused are asked anew
            self._pass(AT_REST_S)
            self.oracle.at_rest()


def outcome_of(seed: int) -> Outcome:
    """For processes that do nothing else."""
    quiet()
    return Story(seed).told()
