"""Precursors are surveyed in a process of its own, when there is something new; issues are swept by the clock."""

from __future__ import annotations

import asyncio
import random
import sys
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from contracts.test_store_contract import ISSUE
from fakes.clock import FakeClock
from fakes.memory_store import MemoryStore
from fakes.virtual_loop import BEGAN, VirtualLoop
from logmedic.model.changeset import Changeset, Input, PrecursorsFound, Sweep
from logmedic.model.errors import TransientError
from logmedic.model.issue import KnownIssue
from logmedic.model.learned import Onset
from logmedic.model.precursor import Precursor
from logmedic.runtime.foresight import SWEEP_EVERY_S, Foresight, sweep_issues
from logmedic.runtime.surveyor import decoded, encoded, onsets_in, survivor

NOW = datetime.fromisoformat("2026-11-24T03:00:00Z")
PRECURSOR = Precursor(
    before="db",
    after="shop",
    support=9,
    before_count=12,
    after_count=11,
    preceded=9,
    confidence=0.75,
    recall=0.82,
    lift=14.5,
    p_value=1e-9,
    within=timedelta(minutes=20),
    lag_median=timedelta(minutes=4, microseconds=17),
    lag_p90=timedelta(minutes=12),
    last_at=NOW,
    confirmed=True,
)


def brought_about(before: str, after: str, times: int = 30) -> list[Onset]:
    """`after` begins some minutes behind `before`, at any time of the last 80 days."""
    chance = random.Random(7)
    at = [NOW - timedelta(minutes=chance.uniform(60, 80 * 1440)) for _ in range(times)]
    follows = [each + timedelta(minutes=chance.uniform(3, 6)) for each in at]
    return [*(Onset(before, each) for each in at), *(Onset(after, each) for each in follows)]


class Teller:
    def __init__(self) -> None:
        self.told: list[Input] = []

    async def __call__(self, given: Input) -> None:
        self.told.append(given)


def foresight(store: MemoryStore, tell: Teller, *issues: KnownIssue, python: str = sys.executable) -> Foresight:
    known = {each.fingerprint: each for each in issues}
    return Foresight(store=store, issues=lambda: known, tell=tell, clock=FakeClock(NOW), python=python)


def found(store: MemoryStore, *issues: KnownIssue) -> list[tuple[str, str]]:
    tell = Teller()
    asyncio.run(foresight(store, tell, *issues).look())
    (given,) = tell.told
    assert isinstance(given, PrecursorsFound)
    return [(each.before, each.after) for each in given.precursors]


def test_what_the_stored_history_says_is_told() -> None:
    assert found(MemoryStore([Changeset(onsets=tuple(brought_about("db", "shop")))])) == [("db", "shop")]


def test_an_issue_that_is_part_of_another_one_counts_as_that_one() -> None:
    onsets = brought_about("db", "shop")
    split = [
        replace(each, issue_id="old") if n % 2 and each.issue_id == "db" else each for n, each in enumerate(onsets)
    ]
    merged = replace(ISSUE, id="old", fingerprint="old", merged_into="db")
    assert found(MemoryStore([Changeset(onsets=tuple(split))]), merged) == [("db", "shop")]


def test_the_same_history_is_surveyed_once() -> None:
    store, tell = MemoryStore([Changeset(onsets=tuple(brought_about("db", "shop")))]), Teller()

    async def looks() -> None:
        watched = foresight(store, tell)
        await watched.look()
        await watched.look()
        assert len(tell.told) == 1
        await store.commit(Changeset(onsets=(Onset("db", NOW),)))
        await watched.look()
        assert len(tell.told) == 2

    asyncio.run(looks())


@pytest.mark.parametrize("onsets", [[], brought_about("db", "shop", 2)], ids=["none", "four"])
def test_of_a_few_onsets_nothing_is_said(onsets: list[Onset]) -> None:
    tell = Teller()
    asyncio.run(foresight(MemoryStore([Changeset(onsets=tuple(onsets))]), tell, python="/nonexistent").look())
    assert tell.told == []


def test_a_survey_that_gives_no_answer_is_an_error_and_is_tried_again(tmp_path: Path) -> None:
    store, tell = MemoryStore([Changeset(onsets=tuple(brought_about("db", "shop")))]), Teller()
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\nexit 3\n")
    broken.chmod(0o755)

    async def looks() -> None:
        watched = foresight(store, tell, python=str(broken))
        for _ in range(2):
            with pytest.raises(TransientError, match="gave no answer"):
                await watched.look()

    asyncio.run(looks())
    assert tell.told == []


def test_a_precursor_comes_back_from_the_other_process_as_it_was() -> None:
    assert decoded(encoded([PRECURSOR])) == (PRECURSOR,)


def test_an_onset_keeps_its_microseconds() -> None:
    at = NOW + timedelta(microseconds=123_457)
    store = MemoryStore([Changeset(onsets=(Onset("a", at),))])
    lines = asyncio.run(store.ask("onsets", since=NOW)).splitlines()
    assert list(onsets_in(lines, {})) == [("a", at)]


def test_merges_are_followed_to_their_end_and_circles_end() -> None:
    assert survivor("a", {"a": "b", "b": "c"}) == "c"
    assert survivor("x", {"a": "b"}) == "x"
    assert survivor("a", {"a": "b", "b": "a"}) in ("a", "b")


def test_issues_are_swept_once_a_minute() -> None:
    loop, tell = VirtualLoop(), Teller()
    says = [BEGAN + timedelta(days=n) for n in range(10)]

    async def scenario() -> None:
        task = asyncio.ensure_future(sweep_issues(tell, iter(says).__next__))
        await asyncio.sleep(10 * SWEEP_EVERY_S + 1)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    loop.run_until_complete(scenario())
    loop.close()
    assert tell.told == [Sweep(each) for each in says]
