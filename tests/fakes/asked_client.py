"""A client of the daemon without a socket: it keeps what it is told, and answers as a test says, when a test says."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

from logmedic.client.answers import Answer, State
from logmedic.client.client import Client


@dataclass(frozen=True, slots=True)
class Told:
    """`asked`: seconds that its sender wanted to wait; 0.0: a report alone."""

    error: BaseException | str
    facts: dict[str, Any]
    asked: float

    def __getattr__(self, name: str) -> Any:
        return self.facts[name]


@dataclass
class AskedClient:
    """`states`: of the answers, the last one for ever. `mends`: called before an answer `fixed`. With `holding` a
    question waits for `answer_all`; `taken_back` counts those whose sender did not wait."""

    states: deque[State] = field(default_factory=lambda: deque([State.UNKNOWN]))
    mends: Callable[[], None] = lambda: None
    holding: bool = False
    told: list[Told] = field(default_factory=list)
    waiting: int = 0
    taken_back: int = 0
    _go: asyncio.Event | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def report(self, error: BaseException | str, **facts: Any) -> str:
        return self._took(error, facts, 0.0)

    def ask(self, error: BaseException | str, *, wait: float, **facts: Any) -> Answer:
        return self._answer(self._took(error, facts, wait))

    async def ask_async(self, error: BaseException | str, *, wait: float, **facts: Any) -> Answer:
        report_id = self._took(error, facts, wait)
        if self.holding:
            self._go = self._go or asyncio.Event()
            self.waiting += 1
            try:
                await self._go.wait()
            except asyncio.CancelledError:
                self.taken_back += 1
                raise
            finally:
                self.waiting -= 1
        return self._answer(report_id)

    def answer_all(self) -> None:
        if self._go is not None:
            self._go.set()

    @property
    def asked(self) -> list[Told]:
        return [each for each in self.told if each.asked]

    @property
    def real(self) -> Client:
        """Where one is wanted."""
        return cast(Client, self)

    def _took(self, error: BaseException | str, facts: dict[str, Any], wait: float) -> str:
        with self._lock:
            self.told.append(Told(error, facts, wait))
            return f"report-{len(self.told)}"

    def _answer(self, report_id: str) -> Answer:
        state = self.states.popleft() if len(self.states) > 1 else self.states[0]
        if state is State.FIXED:
            self.mends()
        return Answer(state, report_id=report_id)


def answering(*states: State, mends: Callable[[], None] = lambda: None, holding: bool = False) -> AskedClient:
    return AskedClient(deque(states), mends, holding)
