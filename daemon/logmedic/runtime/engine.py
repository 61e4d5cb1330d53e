"""The engine: takes inputs in order, decides, commits, and only then hands the intents over."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from logmedic.core.backoff import exponential
from logmedic.core.decide import decide, due
from logmedic.core.draft import Mint
from logmedic.model.changeset import Advanced, Changeset, Input, Intent, Observed, Started, Tick
from logmedic.model.errors import TransientError
from logmedic.model.policy import Policy
from logmedic.model.record import Checkpoint, Findings
from logmedic.model.state import EngineState
from logmedic.ports import Clock, Store
from logmedic.runtime.lanes import Lanes
from logmedic.runtime.supervisor import Failure, guarded

log = structlog.get_logger("logmedic.engine")

LANE_DEPTH = 2
"""Inputs of one source that wait at most: a full lane stops its reading, never the memory (I6). One is decided while
the next is scanned; more would only delay the quiet files of a source that floods."""
OTHERS = ""
"""The lane of what comes from no source: results of runners, ticks."""
FLUSH_EVERY = timedelta(seconds=1)
"""How long positions behind blocks without findings may wait for their commit: reading those again is harmless."""
LOOK_EVERY_S = 5.0
"""The longest wait for an input: the engine shows that it lives (watchdog), and old windows are dropped."""
COMMIT_RETRY_BASE = timedelta(milliseconds=200)
COMMIT_RETRY_MAX = timedelta(seconds=10)


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
    ) -> None:
        self.state = state
        self._store = store
        self._clock = clock
        self._mint = mint
        self._policy = policy
        self._carry_out = carry_out
        self._alive = alive
        self._inputs: Lanes[tuple[Input | None, asyncio.Future[None] | None]] = Lanes(LANE_DEPTH)
        self._advanced: dict[str, tuple[Checkpoint | None, int]] = {}
        """By origin: the position behind blocks without findings, and the number of their lines."""
        self._flush_at: datetime | None = None
        self.commit_problem = ""

    async def submit(self, given: Input) -> None:
        """Queue an input; waits while its source's lane is full."""
        await self._inputs.put(given.source if isinstance(given, Observed) else OTHERS, (given, None))

    async def settled(self, given: Input | None = None) -> None:
        """Queue `given` (or nothing), and wait until it and all before it are committed."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._inputs.put_last((given, done))
        await done

    async def run(self) -> None:
        """Until cancelled. Raises what the store raises for good."""
        await self._take(Started())
        while True:
            self._alive()
            try:
                async with asyncio.timeout(self._wait_s()):  # wait_for may swallow a cancel (Python 3.11)
                    given, done = await self._inputs.get()
            except TimeoutError:
                await self._on_time()
                continue
            if given is not None:
                await self._receive(given)
            if done is not None:
                await self._flush()
                if not done.done():
                    done.set_result(None)
            await self._on_time()

    def _wait_s(self) -> float:
        times = [at for at in (due(self.state, self._policy()), self._flush_at) if at is not None]
        if not times:
            return LOOK_EVERY_S
        return max(0.0, min(LOOK_EVERY_S, (min(times) - self._clock.now()).total_seconds()))

    async def _on_time(self) -> None:
        now = self._clock.now()
        if self._flush_at is not None and now >= self._flush_at:
            await self._flush()
        next_due = due(self.state, self._policy())
        if (next_due is not None and now >= next_due) or self._windows_grew():
            await self._take(Tick())
            self.state.forget_old_attempts(now)

    def _windows_grew(self) -> bool:
        """Windows are dropped with the next Tick; a storm of new groups must not wait for one."""
        return len(self.state.windows) > 10_000

    async def _receive(self, given: Input) -> None:
        if isinstance(given, Observed):
            given = self._joined(given)
            if _uneventful(given):
                self._remember(given)
                return
        await self._take(given)

    def _joined(self, observed: Observed) -> Observed:
        """With the lines that are remembered of its origin: its position covers them, so they are committed with it."""
        _, lines = self._advanced.pop(observed.origin, (None, 0))
        return replace(observed, findings=replace(observed.findings, lines=observed.findings.lines + lines))

    def _remember(self, observed: Observed) -> None:
        self._advanced[observed.origin] = (observed.checkpoint, observed.findings.lines)
        self._flush_at = self._flush_at or self._clock.now() + FLUSH_EVERY

    async def _flush(self) -> None:
        self._flush_at = None
        if self._advanced:
            checkpoints = tuple(each for each, _ in self._advanced.values() if each is not None)
            given = Advanced(checkpoints, sum(lines for _, lines in self._advanced.values()))
            self._advanced = {}
            await self._take(given)

    async def _take(self, given: Input) -> None:
        """Decide, commit, act."""
        changeset = self._decided(given)
        if isinstance(changeset, Failure):
            await self._take_apart(given, changeset)
        elif not changeset.empty:
            await self._commit(changeset)
            self.state.apply(changeset)
            for intent in changeset.intents:
                self._carry_out(intent)

    def _decided(self, given: Input) -> Changeset | Failure:
        return guarded(lambda: decide(self.state, self._policy(), given, self._clock.now(), self._mint))

    async def _take_apart(self, given: Input, failure: Failure) -> None:
        """A poisonous record (F44): the others of its block are decided one by one, it alone is given up, counted."""
        if not isinstance(given, Observed) or len(given.findings.matches) + len(given.findings.unknown) <= 1:
            log.error("input_given_up", kind=type(given).__name__, error=failure.text)
            if isinstance(given, Observed):
                await self._take(replace(given, findings=Findings(lines=given.findings.lines)))
            return
        for match in given.findings.matches:
            await self._take(replace(given, findings=Findings(matches=(match,)), checkpoint=None, gaps=()))
        for error in given.findings.unknown:
            await self._take(replace(given, findings=Findings(unknown=(error,)), checkpoint=None, gaps=()))
        await self._take(replace(given, findings=replace(given.findings, matches=(), unknown=())))

    async def _commit(self, changeset: Changeset) -> None:
        """Until it is durable: while the disk is full, reading waits and nothing is lost (F48)."""
        tries = 0
        while True:
            try:
                await self._store.commit(changeset)
            except TransientError as error:
                tries += 1
                self.commit_problem = error.text
                log.error("commit_failed", error=error.text, tries=tries)
                self._alive()
                await self._clock.sleep(exponential(tries, COMMIT_RETRY_BASE, COMMIT_RETRY_MAX).total_seconds())
            else:
                self.commit_problem = ""
                return


def _uneventful(observed: Observed) -> bool:
    found = observed.findings
    lost = observed.gaps or found.captures_refused or found.timeouts
    return not (found.matches or found.unknown or lost)
