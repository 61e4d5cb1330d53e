"""A record that is not whole yet waits for its rest: for as long as nothing comes, and not while nobody listens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator, Mapping
from datetime import UTC
from itertools import count
from typing import Any

import pytest

import builders as make
from fakes.memory_store import MemoryStore
from fakes.virtual_loop import VirtualClock, VirtualLoop
from logmedic.core.matcher import Matcher
from logmedic.model.changeset import Changeset
from logmedic.model.match import MatchSpec
from logmedic.model.record import Block, Checkpoint
from logmedic.model.rule import Rule
from logmedic.model.severity import Severity
from logmedic.runtime.engine import LANE_DEPTH, Engine
from logmedic.runtime.intake import HOLD_S, Intake

LOST = Rule("lost", "a payment is lost", MatchSpec((r"(?s)ERROR booking\n.*\nPaymentLost: ",)), Severity.LOW)
BUSY = Rule("busy", "it is busy", MatchSpec(("busy",)), Severity.LOW)
HEAD = 'ERROR booking\nTraceback (most recent call last):\n  File "a.py", line 1, in f\n'
REST = "    g()\nPaymentLost: 12\n"


class SlowStore(MemoryStore):
    """Each commit takes longer than a record is held."""

    async def commit(self, changeset: Changeset) -> None:
        await asyncio.sleep(3 * HOLD_S)
        await super().commit(changeset)


class Script:
    """Implements ports.Source: (origin, text, seconds before it) in order, then silence."""

    name = "app"

    def __init__(self, *lines: tuple[str, str, float]) -> None:
        self._lines = lines
        self._ends: dict[str, int] = {}

    async def blocks(self, checkpoints: Mapping[str, Checkpoint]) -> AsyncGenerator[Block, None]:
        for origin, text, wait_s in self._lines:
            await asyncio.sleep(wait_s)
            start = self._ends.get(origin, 0)
            end = self._ends[origin] = start + len(text)
            mark = Checkpoint(origin, self.name, end, make.START)
            yield Block(self.name, origin, text.encode(), start, mark, make.START)
        await asyncio.Event().wait()

    def health(self) -> list[dict[str, Any]]:
        return []


@pytest.fixture
def loop() -> Iterator[VirtualLoop]:
    loop = VirtualLoop()
    yield loop
    loop.close()


def matched(loop: VirtualLoop, store: MemoryStore, source: Script, within_s: float = 60.0) -> dict[str, int]:
    """Matches by rule after that time."""

    async def scenario() -> dict[str, int]:
        clock, ids, matcher = VirtualClock(loop), count(1), Matcher((LOST, BUSY), zone=UTC)
        engine = Engine(
            state=await store.open(),
            store=store,
            clock=clock,
            mint=lambda: f"{next(ids):08d}",
            policy=lambda: make.policy(LOST, BUSY),
            carry_out=lambda _: None,
            alive=lambda: None,
        )
        intake = Intake(source=source, engine=engine, matcher=lambda: matcher, clock=clock)
        tasks = [asyncio.create_task(each.run()) for each in (engine, intake)]
        await asyncio.sleep(within_s)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return {issue.issue_type: issue.occurrences for issue in (await store.open()).issues.values()}

    return loop.run_until_complete(scenario())


def learned(loop: VirtualLoop, source: Script, within_s: float = 60.0) -> list[str]:
    """Templates of unknown errors after that time, each seen once."""
    store = MemoryStore()
    matched(loop, store, source, within_s)
    known = loop.run_until_complete(store.open()).templates.values()
    assert all(each.occurrences == 1 for each in known)
    return [each.template for each in known]


def test_a_trace_waits_for_its_rest_while_what_came_between_is_slow_to_be_stored(loop: VirtualLoop) -> None:
    between = [("b.log", "busy\n", 0.0)] * (LANE_DEPTH + 3)
    source = Script(("a.log", HEAD, 0.0), *between, ("a.log", REST, 0.0))
    assert matched(loop, SlowStore(), source) == {"lost": 1, "busy": len(between)}


def test_what_goes_on_too_late_is_a_record_of_its_own(loop: VirtualLoop) -> None:
    source = Script(("a.log", HEAD, 0.0), ("a.log", REST, 2 * HOLD_S))
    assert "lost" not in matched(loop, MemoryStore(), source)


def test_a_line_that_a_rule_knows_is_decided_at_once_and_its_trace_changes_nothing(loop: VirtualLoop) -> None:
    line = ("a.log", "ERROR busy\n", 0.0)
    assert matched(loop, MemoryStore(), Script(line), within_s=HOLD_S / 2) == {"busy": 1}
    trace = HEAD.removeprefix("ERROR booking\n") + REST
    assert matched(loop, MemoryStore(), Script(line, ("a.log", trace, HOLD_S / 2))) == {"busy": 1}


def test_an_error_that_no_rule_knows_is_learned_when_no_trace_follows(loop: VirtualLoop) -> None:
    line = ("a.log", "ERROR booking\n", 0.0)
    assert learned(loop, Script(line), within_s=HOLD_S / 2) == []
    assert learned(loop, Script(line), within_s=2 * HOLD_S) == ["booking"]


def test_an_error_is_learned_by_the_trace_that_follows_it_in_a_later_read(loop: VirtualLoop) -> None:
    lines = [("a.log", f"{line}\n", HOLD_S / 2) for line in (HEAD + REST).replace("PaymentLost", "Odd").splitlines()]
    assert learned(loop, Script(*lines)) == ["booking: Odd: <n>"]


def test_a_held_record_is_told_although_another_file_never_rests(loop: VirtualLoop) -> None:
    flood = [("b.log", "busy\n", HOLD_S / 10)] * 100
    store = MemoryStore()
    matched(loop, store, Script(("a.log", HEAD, 0.0), *flood), within_s=4 * HOLD_S)
    assert any(mark.origin == "a.log" for each in store.changesets for mark in each.checkpoints)


def test_an_error_of_a_quiet_file_is_learned_although_another_one_floods_and_the_store_is_slow(
    loop: VirtualLoop,
) -> None:
    flood, store = [("b.log", "busy\n", 0.0)] * 5000, SlowStore()
    seen = matched(loop, store, Script(("a.log", "ERROR booking\n", 0.0), *flood), within_s=60.0)
    assert 0 < seen["busy"] < len(flood), "it floods still"
    assert len(loop.run_until_complete(store.open()).templates) == 1
