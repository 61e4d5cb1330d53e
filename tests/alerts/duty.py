"""The real engine, dispatcher, store and sender, with receivers on loopback: on call, but for the reading of logs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import builders as make
from alerts.servers import HttpServer, Posted
from fakes.scripted_fixes import ScriptedProber, ScriptedRunner
from logmedic.adapters.alerts.sender import AppriseSender
from logmedic.adapters.store.duck import DuckStore
from logmedic.model.alert import Alert, AlertPlan, Receiver, ReceiverPlan, Route
from logmedic.model.changeset import Input
from logmedic.runtime.clock import SystemClock, Uuid7
from logmedic.runtime.dispatcher import Dispatcher
from logmedic.runtime.engine import Engine

RULE = replace(make.RULE, fix=None)
DEADLINE_S = 15.0
"""Longer than any answer of a server that answers."""
PATIENCE_S = 30.0
"""A send starts a process; on a busy machine some of them take their time."""


class Duty:
    """One run of it. `engine.state` is what it knows."""

    def __init__(self, engine: Engine, store: DuckStore) -> None:
        self.engine = engine
        self._store = store

    async def broken(self, group: str) -> None:
        """An incident that people are told of; `group` stands in its message."""
        found = make.match(RULE, SystemClock().now(), group)
        await self.engine.settled(
            make.observed(replace(found, record=make.record(f"{group} is down", found.record.at)))
        )

    async def give(self, given: Input) -> None:
        await self.engine.settled(given)

    async def rows(self, receiver: str = "") -> list[dict[str, Any]]:
        """What is stored of its messages, oldest first."""
        rows: list[dict[str, Any]] = await self._store.ask("alerts", receiver=receiver)
        return rows[::-1]

    async def until(self, condition: Callable[[], object], what: str) -> None:
        try:
            async with asyncio.timeout(PATIENCE_S):
                while not condition():
                    await asyncio.sleep(0.01)
        except TimeoutError:
            raise AssertionError(f"not within {PATIENCE_S:g} s: {what}; {await self.rows()}") from None

    async def over(self) -> None:
        """Nothing waits any more, and no news is to come."""
        state = self.engine.state
        await self.until(
            lambda: not state.alerts and not any(each.due_at for each in state.groups.values()), "all told"
        )

    def waiting(self, receiver: str) -> list[Alert]:
        return [each for each in self.engine.state.alerts.values() if each.receiver == receiver]


def plan(*to: str, fallback: tuple[str, ...] = (), receivers: tuple[str, ...] = ()) -> AlertPlan:
    """Each incident is told alone, and at once."""
    at_once = {"group_wait": timedelta(0), "group_interval": timedelta(0), "repeat_every": None}
    route = Route("oncall", to, fallback, group_by=("incident",), **at_once)  # type: ignore[arg-type]
    names = (*to, *fallback, *receivers)
    return AlertPlan({"oncall": route}, "oncall", receivers={name: ReceiverPlan(name) for name in names})


@asynccontextmanager
async def on_duty(
    home: Path, alerts: AlertPlan, receivers: Mapping[str, Receiver], deadline_s: float = DEADLINE_S
) -> AsyncIterator[Duty]:
    """With the store in `home`, which outlives it."""
    store, clock = DuckStore(home / "store.duckdb"), SystemClock()
    state = await store.open()
    policy = make.policy(RULE, alerts=alerts, started_at=clock.now(), resolve_after=timedelta(days=1))
    dispatcher = Dispatcher(
        runner=ScriptedRunner(),
        prober=ScriptedProber(),
        sender=AppriseSender(deadline_s=deadline_s),
        receivers=lambda: receivers,
    )
    engine = Engine(
        state=state,
        store=store,
        clock=clock,
        mint=Uuid7(),
        policy=lambda: policy,
        carry_out=dispatcher.carry_out,
        alive=lambda: None,
    )
    dispatcher.report_to(engine.submit)
    running = asyncio.create_task(engine.run())
    try:
        yield Duty(engine, store)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await dispatcher.stop()
        await store.close()


def hook(server: HttpServer | int, path: str = "") -> str:
    port = server if isinstance(server, int) else server.port
    return f"json://127.0.0.1:{port}/{path}"


def message(posted: Posted) -> str:
    return str(json.loads(posted.body)["message"])


def id_in(text: str) -> str:
    """The alert's id, which stands in each message."""
    return next(line.split()[-1] for line in reversed(text.splitlines()) if line.startswith("alert "))
