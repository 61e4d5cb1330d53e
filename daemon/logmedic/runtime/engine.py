"""The engine: takes inputs in order, decides, commits, and only then hands the intents over."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

import structlog

from logmedic.core import setback
from logmedic.core.backoff import exponential
from logmedic.core.clockset import set_ahead
from logmedic.core.decide import decide, decide_in, due, due_of
from logmedic.core.draft import Draft, Mint
from logmedic.core.holds import STOPS
from logmedic.core.portions import findings_of, is_uneventful, portions, records_of
from logmedic.model.changeset import (
    Changeset,
    ClockSet,
    FoundAhead,
    Input,
    Intent,
    Observed,
    PauseFixes,
    ResumeFixes,
    RunStep,
    Send,
    Started,
    StepNotBegun,
    Tick,
)
from logmedic.model.errors import TransientError
from logmedic.model.fix import AttemptKind
from logmedic.model.policy import Policy
from logmedic.model.record import Findings
from logmedic.model.state import EngineState
from logmedic.ports import Clock, Store
from logmedic.runtime.clockwatch import ClockWatch
from logmedic.runtime.enginemeter import EngineMeter
from logmedic.runtime.lanes import Lanes
from logmedic.runtime.plainlines import PlainLines
from logmedic.runtime.supervisor import Failure, guarded

log = structlog.get_logger("logmedic.engine")

LANE_DEPTH = 2
"""Inputs of one source that wait at most: a full lane stops its reading, never the memory (I6). One is decided while
the next is scanned; more would only delay the quiet files of a source that floods."""
ENOUGH_FINDINGS = 500
"""What is committed together has no more, or but one input: people wait for that commit."""
OTHERS = ""
"""The lane of what comes from no source: results of runners, ticks."""
MANY_WINDOWS = 10_000
LOOK_EVERY_S = 5.0
"""The longest wait for an input: the engine shows that it lives (watchdog), and old windows are dropped."""
CLOCK_LOOKS = 5
"""So many times in a row the clock is looked at before something is decided by it."""
LATE = timedelta(seconds=30)
"""What was decided so long before it could be stored is decided of the past: no step begins on it."""
STOOD_STILL_S = 2.0
"""A commit, or a break of the whole process, that takes longer holds up what is read."""
COMMIT_RETRY_BASE = timedelta(milliseconds=200)
COMMIT_RETRY_MAX = timedelta(seconds=10)

Waiting = tuple[Input | None, asyncio.Future[None] | None, float]
"""An input, who waits until it is committed, and since when it waits, in seconds of the loop."""


class Engine:
    """Owner of `state`. One task runs `run`; everybody else calls `submit`."""

    def __init__(
        self,
        *,
        state: EngineState,
        store: Store,
        clock: Clock,
        mint: Mint,
        policy: Callable[[], Policy],
        carry_out: Callable[[Intent], None],
        alive: Callable[[], None],
        noted: Callable[[Changeset], None] = lambda _: None,
        steady: Callable[[], float] | None = None,
    ) -> None:
        """`noted`: hears of what was committed, before the state knows it; answers at once. `steady`: seconds of a
        clock that nobody sets; None: the wall clock is never set."""
        self.state = state
        self._store = store
        self._clock = clock
        self._mint = mint
        self._policy = policy
        self._carry_out = carry_out
        self._alive = alive
        self._noted = noted
        self._clock_watch = ClockWatch(clock, steady)
        self.meter = EngineMeter()
        self._taken_since: float | None = None
        """Of what is being decided and stored now: since when it waits."""
        self._inputs: Lanes[Waiting] = Lanes(LANE_DEPTH)
        self._plain = PlainLines()
        self._due: datetime | None = None
        self._due_under: Policy | None = None
        """The policy that `_due` was found under; None when it must be looked for again."""
        self._windows_kept = 0
        self.commit_problem = ""

    async def submit(self, given: Input) -> None:
        """Queue an input; waits while its source's lane is full."""
        lane = given.source if isinstance(given, Observed) else OTHERS
        await self._inputs.put(lane, (given, None, asyncio.get_running_loop().time()))

    @property
    def waiting(self) -> int:
        """Inputs that are not decided."""
        return len(self._inputs)

    @property
    def waiting_s(self) -> float:
        """How long the oldest input waits, until it is stored."""
        since = [at for _, _, at in self._inputs.first()]
        if self._taken_since is not None:
            since.append(self._taken_since)
        now = asyncio.get_running_loop().time()
        return max(0.0, now - min(since, default=now))

    async def settled(self, given: Input | None = None) -> None:
        """Queue `given` (or nothing), and wait until it and all before it are committed."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()
        self._inputs.put_last((given, done, loop.time()))
        await done

    def begin_nothing(self) -> None:
        """From now on no step is begun, and no message sent: the daemon stops. What is under way goes on."""
        self.state.stopping = True

    async def run(self, pauses: Sequence[PauseFixes | ResumeFixes] = ()) -> None:
        """Until cancelled. `pauses`: a pause is decided before what was left unfinished is looked at, the end of one
        after that: what it lets begin was not left by anybody. Raises what the store raises for good."""
        await self._look_back()
        held = [each for each in pauses if isinstance(each, PauseFixes)]
        await self._take([*held, Started(), *(each for each in pauses if isinstance(each, ResumeFixes))])
        while True:
            self._alive()
            wait_s, since = self._wait_s(), asyncio.get_running_loop().time()
            try:
                async with asyncio.timeout(wait_s):  # wait_for may swallow a cancel (Python 3.11)
                    first = await self._inputs.get()
            except TimeoutError:
                self._notice_standstill(since + wait_s)
                await self._on_time()
                continue
            self._notice_standstill(since + wait_s)
            self._taken_since = first[2]
            given, done = self._waiting(first)
            await self._take(given)
            if done is not None:
                await self._flush()
                if not done.done():
                    done.set_result(None)
            self._taken_since = None
            await self._on_time()

    def _notice_standstill(self, since: float) -> None:
        """`since`: when it should have gone on, in seconds of the loop."""
        if asyncio.get_running_loop().time() - since > STOOD_STILL_S:
            self.state.heard_since = self._clock_watch.as_looked_at()

    def _waiting(self, first: Waiting) -> tuple[list[Input], asyncio.Future[None] | None]:
        """`first` and what waits behind it, to be committed together, up to the first whose sender waits for that.
        Blocks without findings are set aside."""
        given: list[Input] = []
        item: Waiting | None = first
        while item is not None:
            eventful = None if item[0] is None else self._eventful(item[0])
            if eventful is not None:
                given.append(eventful)
            if item[1] is not None or findings_of(given) >= ENOUGH_FINDINGS:
                return given, item[1]
            item = self._inputs.take()
        return given, None

    def _eventful(self, given: Input) -> Input | None:
        if not isinstance(given, Observed):
            return given
        given = self._plain.joined(given)
        if not is_uneventful(given):
            return given
        self._plain.remember(given, asyncio.get_running_loop().time())
        return None

    def _wait_s(self) -> float:
        waits = [LOOK_EVERY_S]
        if (next_due := self._next_due()) is not None:
            waits.append((next_due - self._clock.now()).total_seconds())
        if self._plain.due_at is not None:
            waits.append(self._plain.due_at - asyncio.get_running_loop().time())
        return max(0.0, min(waits))

    def _next_due(self) -> datetime | None:
        """Nothing is due before. What was due then may have moved on since: all of it is looked through again only when
        that time comes, for with thousands of open incidents that takes milliseconds."""
        policy = self._policy()
        if self._due_under is not policy:
            self._due, self._due_under = due(self.state, policy), policy
        return self._due

    async def _on_time(self) -> None:
        await self._look_at_clock()
        now = self._clock.now()
        if self._plain.due_at is not None and asyncio.get_running_loop().time() >= self._plain.due_at:
            await self._flush()
        if self._is_due(now) or self._windows_grew():
            await self._take([Tick()])
            self._windows_kept = len(self.state.windows)
            self.state.forget_old(self._clock_watch.as_looked_at())  # the clock may have been set since `now`

    def _is_due(self, now: datetime) -> bool:
        known = self._next_due()
        if known is None or now < known:
            return False
        self._due_under = None
        looked_for = self._next_due()
        return looked_for is not None and now >= looked_for

    def _windows_grew(self) -> bool:
        """Windows are dropped with the next Tick; a storm of new groups must not wait for one."""
        return len(self.state.windows) > max(MANY_WINDOWS, 2 * self._windows_kept)

    async def _flush(self) -> None:
        if advanced := self._plain.take():
            begun = asyncio.get_running_loop().time()
            await self._take([advanced])
            self._plain.took(asyncio.get_running_loop().time() - begun)

    async def _take(self, given: Sequence[Input]) -> None:
        """Decide all of `given`, commit it at once, act."""
        if not given:
            return
        await self._look_at_clock()
        changeset = await self._decided(given)
        if not isinstance(changeset, Failure):
            await self._make_true(changeset)
        elif len(given) > 1:
            for each in given:
                await self._take([each])
        else:
            await self._take_without_poison(given[0], changeset)

    async def _look_at_clock(self) -> None:
        """Before anything is decided, and every LOOK_EVERY_S. While it is being stored the clock may be set again: what
        is decided by that time would be moved once more afterwards. Where it is set each time, others get their
        turn."""
        for _ in range(CLOCK_LOOKS):
            if not (by := self._clock_watch.set_by()):
                return
            log.warning("clock_set", by_s=by.total_seconds())
            self.state.heard_since = self.state.heard_since and self.state.heard_since + by
            self.state.set_since_start += by
            self.state.set_ahead = set_ahead(self.state.set_ahead, self._clock.now(), by)
            await self._take([ClockSet(by)])

    async def _look_back(self) -> None:
        """At a start: the clock may have been set back while nobody looked."""
        if by := setback.ahead(self.state, self._clock.now()):
            log.warning("clock_set", by_s=-by.total_seconds())
            await self._take([FoundAhead()])

    async def _decided(self, given: Sequence[Input]) -> Changeset | Failure:
        """Others on the loop get their turn meanwhile; the state is nobody else's to change."""
        draft = Draft(self.state, self._policy(), self._clock.now(), self._mint)
        for each in given:
            for part in portions(each):
                failure = guarded(partial(decide_in, draft, part))
                if isinstance(failure, Failure):
                    return failure
                if part is not each:
                    await asyncio.sleep(0)
        return draft.changeset()

    async def _make_true(self, changeset: Changeset) -> None:
        if changeset.empty:
            return
        decided, policy = asyncio.get_running_loop().time(), self._policy()
        await self._commit(changeset)
        guarded(partial(self._noted, changeset))  # who is told live is no reason to end
        self.state.apply(changeset)
        if self._due_under is not None:
            self._due = min(filter(None, (self._due, due_of(changeset, self._due_under, self.state))), default=None)
        late = self._late(decided, policy) if any(map(_is_step, changeset.intents)) else ""
        for intent in changeset.intents:
            self._hand_over(intent, late)

    def _hand_over(self, intent: Intent, late: str) -> None:
        """`late`: why no step may begin any more, or empty. While the daemon stops nothing is begun that is killed a
        moment later, not even what undoes a step. A message that is stored as being sent is sent by the next life.
        """
        stopping = self.state.stopping
        if isinstance(intent, RunStep) and (stopping or (late and _is_step(intent))):
            why = STOPS if stopping else late
            self._inputs.put_last((StepNotBegun(intent.attempt.id, why), None, asyncio.get_running_loop().time()))
        elif not (stopping and isinstance(intent, Send)):
            self._carry_out(intent)

    def _late(self, decided: float, policy: Policy) -> str:
        """Why a step that was decided at `decided` (the loop's time), under `policy`, may not begin any more; or empty.
        While the disk was full people may have ended the trouble, or changed the rule (F34, F48)."""
        waited = asyncio.get_running_loop().time() - decided
        if policy is not self._policy() and policy != self._policy():
            return "rules were loaded while its decision was being stored"
        if waited > LATE.total_seconds():
            return f"its decision could not be stored for {waited:.0f} s"
        return ""

    async def _take_without_poison(self, given: Input, failure: Failure) -> None:
        """A poisonous record (F44) is found by trying each alone, and given up, counted; the others are decided."""
        log.error("input_given_up", kind=type(given).__name__, error=failure.text)
        if not isinstance(given, Observed):
            return
        matches = tuple(each for each in given.findings.matches if self._is_sound(Findings(matches=(each,))))
        unknown = tuple(each for each in given.findings.unknown if self._is_sound(Findings(unknown=(each,))))
        reports = tuple(each for each in given.findings.reports if self._is_sound(Findings(reports=(each,))))
        all_of_it = records_of(given.findings)
        sound = replace(given.findings, matches=matches, unknown=unknown, reports=reports)
        for kept in (sound, Findings(lines=given.findings.lines)):
            counted = replace(kept, given_up=all_of_it - records_of(kept))
            changeset = await self._decided([replace(given, findings=counted)])
            if not isinstance(changeset, Failure):  # else they fail only together: the position is what can be kept
                await self._make_true(changeset)
                return

    def _is_sound(self, findings: Findings) -> bool:
        """Whether they can be decided; nothing comes of it."""
        alone = Observed("", "", findings, None)
        tried = guarded(lambda: decide(self.state, self._policy(), alone, self._clock.now(), self._mint))
        return not isinstance(tried, Failure)

    async def _commit(self, changeset: Changeset) -> None:
        """Until it is durable: while the disk is full, reading waits and nothing is lost (F48)."""
        tries, begun = 0, asyncio.get_running_loop().time()
        while True:
            try:
                await self._store.commit(changeset)
            except TransientError as error:
                tries += 1
                self.meter.failures += 1
                self.commit_problem = error.text
                log.warning("commit_failed", error=error.text, tries=tries)  # one that lasts: `ailing`
                self._alive()
                await self._clock.sleep(exponential(tries, COMMIT_RETRY_BASE, COMMIT_RETRY_MAX).total_seconds())
            else:
                self.commit_problem = ""
                self.meter.commit_s.take(asyncio.get_running_loop().time() - begun)
                self._notice_standstill(begun)
                return


def _is_step(intent: Intent) -> bool:
    """What undoes a step is never too late."""
    return isinstance(intent, RunStep) and intent.attempt.kind is AttemptKind.STEP
