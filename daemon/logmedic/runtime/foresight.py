"""Looks from time to time which issue tends to come before which, and keeps known issues up to date by the clock."""

from __future__ import annotations

import asyncio
import json
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from hashlib import blake2b

from logmedic.model.changeset import Input, PrecursorsFound, Sweep
from logmedic.model.errors import TransientError
from logmedic.model.issue import KnownIssue
from logmedic.model.precursor import Precursor
from logmedic.ports import Clock, Store
from logmedic.runtime.surveyor import decoded

SWEEP_EVERY_S = 60.0
FIRST_AFTER_S = 60.0
"""A start has better things to do."""
EVERY_S = 3600.0
HISTORY = timedelta(days=90)
FEW = 6
"""Onsets, fewer of which tell nothing: two issues, three times each."""
PATIENCE_S = 100.0

Tell = Callable[[Input], Awaitable[None]]


async def sweep_issues(tell: Tell, old_by: Callable[[], datetime]) -> None:
    """Until cancelled. `old_by`: as Keeper.old_by, now."""
    while True:
        await asyncio.sleep(SWEEP_EVERY_S)
        await tell(Sweep(old_by()))


class Foresight:
    """`issues`: those that are known now, by fingerprint. The survey is made in a process of its own."""

    def __init__(
        self, *, store: Store, issues: Callable[[], Mapping[str, KnownIssue]], tell: Tell, clock: Clock, python: str
    ) -> None:
        self._store = store
        self._issues = issues
        self._tell = tell
        self._clock = clock
        self._python = python
        self._surveyed = b""

    async def run(self) -> None:
        """Until cancelled."""
        await asyncio.sleep(FIRST_AFTER_S)
        while True:
            await self.look()
            await asyncio.sleep(EVERY_S)

    async def look(self) -> None:
        """Tells when there is something new to survey. Raises StoreBusy, TransientError."""
        onsets: str = await self._store.ask("onsets", since=self._clock.now() - HISTORY)
        if onsets.count("\n") < FEW:
            return
        merged = {each.id: each.merged_into for each in self._issues().values() if each.merged_into}
        asked = f"{json.dumps(merged)}\n{onsets}".encode()
        seen = blake2b(asked, digest_size=16).digest()
        if seen != self._surveyed:
            await self._tell(PrecursorsFound(await self._survey(asked)))
            self._surveyed = seen

    async def _survey(self, asked: bytes) -> tuple[Precursor, ...]:
        child = await asyncio.create_subprocess_exec(
            self._python, "-I", "-m", "logmedic.runtime.surveyor", stdin=PIPE, stdout=PIPE, stderr=DEVNULL
        )
        try:
            async with asyncio.timeout(PATIENCE_S):
                answer, _ = await child.communicate(asked)
            return decoded(answer)
        except (TimeoutError, ValueError, TypeError):
            raise TransientError(f"the survey of precursors gave no answer (exit code {child.returncode})") from None
        finally:
            if child.returncode is None:
                child.kill()
                await child.wait()
