"""The dead man's switch: somebody elsewhere is asked for an address, again and again, only while the daemon works. When
the asking stops, that one calls people: what no message of a dead host can do."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import structlog

from logmedic.core.backoff import exponential
from logmedic.ports import Clock
from logmedic.runtime.engine import LOOK_EVERY_S
from logmedic.runtime.reading import part_of
from logmedic.runtime.supervisor import Part

log = structlog.get_logger("logmedic.heartbeat")

FIRST_S = 2.0
"""After the start: by then the engine has had its first look at what was left."""
LOOK_AGAIN = timedelta(seconds=5)
"""While the daemon does not work: how soon it may be well again."""
RETRY_BASE = timedelta(seconds=10)
"""Then twice that, and so on, at most the usual time: one ping that is lost must call nobody."""
ALIVE_S = 4 * LOOK_EVERY_S
"""The engine's longest wait is a quarter of it."""


class Pulse:
    """Takes the engine's signs of life, passes them on, and knows how old the last one is. Time is the loop's."""

    def __init__(self, pass_on: Callable[[], None]) -> None:
        self._pass_on = pass_on
        self._at = asyncio.get_running_loop().time()

    def beat(self) -> None:
        self._at = asyncio.get_running_loop().time()
        self._pass_on()

    @property
    def age_s(self) -> float:
        return asyncio.get_running_loop().time() - self._at


def not_working(pulse: Pulse, commit_problem: str, parts: Mapping[str, Part]) -> str:
    """Why the daemon does not do its work, or empty. A monitor that decides nothing, keeps nothing or reads nothing
    must not say that it is there; a part that others can do without is told of otherwise."""
    if pulse.age_s > ALIVE_S:
        return f"the engine has made no progress for {pulse.age_s:.0f} s"
    if commit_problem:
        return f"nothing can be stored: {commit_problem}"
    if (engine := parts.get("engine")) is not None and engine.state != "running":
        return f"the engine is {engine.state}"
    sources = [part for name, part in parts.items() if name.startswith(part_of(""))]
    if sources and not any(part.state == "running" for part in sources):
        return "no source is read"
    return ""


class Heartbeat:
    """`ping` answers what went wrong, or empty; it has a deadline of its own. `trouble` answers why the daemon does not
    work, or empty: then nobody is asked."""

    def __init__(
        self, *, every: timedelta, ping: Callable[[], Awaitable[str]], trouble: Callable[[], str], clock: Clock
    ) -> None:
        self._every = every
        self._ping = ping
        self._trouble = trouble
        self._clock = clock
        self._failures = 0
        self._withheld = ""
        self._last_ok: datetime | None = None
        self._last_error = ""
        self._next = clock.now() + timedelta(seconds=FIRST_S)

    @property
    def is_well(self) -> bool:
        """The last ping went well, and the next is not withheld."""
        return self._last_ok is not None and not self._last_error and not self._withheld

    @property
    def last_ok(self) -> datetime | None:
        return self._last_ok

    def row(self) -> dict[str, Any]:
        """Keys: last_ok, next (ISO 8601, or None), last_error ("" once it went well), withheld (why nobody is asked
        now, or ""), every_s."""
        return {
            "last_ok": _iso(self._last_ok),
            "last_error": self._last_error,
            "withheld": self._withheld,
            "next": _iso(self._next),
            "every_s": self._every.total_seconds(),
        }

    async def run(self) -> None:
        """Until cancelled."""
        wait = timedelta(seconds=FIRST_S)
        while True:
            self._next = self._clock.now() + wait
            await self._clock.sleep(wait.total_seconds())
            wait = await self._beat()

    async def _beat(self) -> timedelta:
        """Answers the wait for the next one."""
        trouble = self._trouble()
        if trouble and not self._withheld:
            log.warning("heartbeat_withheld", why=trouble)
        self._withheld = trouble
        if trouble:
            return min(LOOK_AGAIN, self._every)
        begun = self._clock.now()
        problem = await self._ping()
        wait = self._well() if not problem else self._failed(problem)
        took = max(timedelta(0), self._clock.now() - begun)
        return max(wait - took, timedelta(seconds=1))

    def _well(self) -> timedelta:
        if self._failures:
            log.info("heartbeat_recovered", failures=self._failures)
        self._failures, self._last_error, self._last_ok = 0, "", self._clock.now()
        return self._every

    def _failed(self, problem: str) -> timedelta:
        """It is logged once: who is asked for it is somebody else's, and may be gone for days."""
        if not self._failures:
            log.warning("heartbeat_failed", problem=problem)
        self._failures += 1
        self._last_error = problem
        return exponential(self._failures, RETRY_BASE, self._every)


def _iso(at: datetime | None) -> str | None:
    return at.isoformat().replace("+00:00", "Z") if at is not None else None
