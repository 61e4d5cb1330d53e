"""Ordinary lines reach the store: a few of each source, again after each start, and none that an error began with."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC
from itertools import count

import pytest

import builders as make
from fakes.memory_store import MemoryStore
from fakes.virtual_loop import VirtualClock, VirtualLoop
from logmedic.core.matcher import Matcher
from logmedic.core.ordinary import SLOTS
from logmedic.model.match import MatchSpec
from logmedic.model.rule import Rule
from logmedic.runtime.engine import Engine
from logmedic.runtime.intake import Intake
from runtime.test_held_records import Script

BUSY = Rule("busy", "it is busy", MatchSpec(("busy",)))


@pytest.fixture
def loop() -> Iterator[VirtualLoop]:
    loop = VirtualLoop()
    yield loop
    loop.close()


def kept(loop: VirtualLoop, *lines: tuple[str, str, float], store: MemoryStore | None = None) -> dict[int, str]:
    """By slot, after these (origin, text, seconds before it) were read."""
    store = store or MemoryStore()

    async def scenario() -> dict[int, str]:
        clock, ids, matcher = VirtualClock(loop), count(1), Matcher([BUSY], zone=UTC)
        engine = Engine(
            state=await store.open(),
            store=store,
            clock=clock,
            mint=lambda: f"{next(ids):08d}",
            policy=lambda: make.policy(BUSY),
            carry_out=lambda _: None,
            alive=lambda: None,
        )
        intake = Intake(source=Script(*lines), engine=engine, matcher=lambda: matcher, clock=clock)
        tasks = [asyncio.create_task(each.run()) for each in (engine, intake)]
        await asyncio.sleep(sum(wait_s for _, _, wait_s in lines) + 60)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return (await store.open()).ordinary.get("app", {})

    return loop.run_until_complete(scenario())


def said(*texts: str, wait_s: float = 1.0) -> list[tuple[str, str, float]]:
    return [("a.log", f"{text}\n", wait_s) for text in texts]


def test_the_lines_of_a_quiet_source_are_kept_once_the_next_one_is_there(loop: VirtualLoop) -> None:
    assert set(kept(loop, *said("job 1 done", "job 2 done", "job 3 done")).values()) == {"job 1 done", "job 2 done"}


def test_of_a_block_with_many_lines_one_is_kept(loop: VirtualLoop) -> None:
    text = "".join(f"job {n} done\n" for n in range(100))
    (line,) = kept(loop, ("a.log", text, 1.0)).values()
    assert line in text


def test_a_line_that_always_follows_an_error_is_kept(loop: VirtualLoop) -> None:
    lines = said(*(f"ERROR cannot {n}\nall is well" for n in range(3)))
    assert set(kept(loop, *lines).values()) == {"all is well"}


def test_errors_and_what_rules_know_are_not_kept(loop: VirtualLoop) -> None:
    lines = said("busy today", "ERROR cannot connect", "all is well", "busy again", "ERROR once more")
    assert set(kept(loop, *lines).values()) == {"all is well"}


def test_the_first_line_of_a_trace_that_is_written_line_by_line_is_not_kept(loop: VirtualLoop) -> None:
    trace = ["request 7 went wrong", "\tat a.b.C.f(C.java:1)", "Caused by: java.io.IOException: refused"]
    lines = said(*trace, wait_s=0.05) + said("all is well", "and so is this")
    assert "request 7 went wrong" not in kept(loop, *lines).values()
    assert "all is well" in kept(loop, *lines).values()


def test_no_more_than_a_few_are_kept_and_committing_them_becomes_rare(loop: VirtualLoop) -> None:
    store = MemoryStore()
    lines = kept(loop, *said(*(f"job {n} done" for n in range(2000)), wait_s=0.01), store=store)
    assert len(lines) == SLOTS
    assert len({*lines.values()}) == SLOTS
    assert sum(bool(each.ordinary) for each in store.changesets) < 350  # 64 * (1 + ln(2000 / 64)) = 284


def test_after_a_start_they_are_others(loop: VirtualLoop) -> None:
    store = MemoryStore()
    before = kept(loop, *said(*(f"job {n} done" for n in range(80))), store=store)
    after = kept(loop, *said(*(f"task {n} done" for n in range(80))), store=store.reopen())
    assert len(before) == len(after) == SLOTS
    assert all(line.startswith("task") for line in after.values())


def test_a_file_that_is_gone_leaves_nothing_behind(loop: VirtualLoop) -> None:
    lines = [("a.log", "last words\n", 1.0), ("b.log", "job 1 done\n", 1.0), ("b.log", "job 2 done\n", 1.0)]
    assert set(kept(loop, *lines).values()) == {"job 1 done"}
