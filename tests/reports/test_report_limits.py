"""What one user may ask of the daemon, beside the others: lines a second, connections, open questions."""

from __future__ import annotations

import asyncio
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.clock import FakeClock
from logmedic.adapters.sources.reports import guests
from logmedic.adapters.sources.reports.guests import Guests
from logmedic.adapters.sources.reports.limits import LEAST_WAIT_S, Bucket, Limits
from logmedic.adapters.sources.reports.receipts import Receipt
from logmedic.adapters.sources.reports.refusals import BUSY, FOLD_S, LASTS, MOST_USERS, RATE, Refusals
from logmedic.adapters.sources.reports.waiting import BATCH, BATCH_BYTES, IN_A_ROW, Waiting
from logmedic.model.gap import SourceEventKind
from logmedic.model.report import Answer, AnswerState, Report, Sender
from reports.talking import report, reporting, talking

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
OTHER = os.geteuid() + 4000


class Nobody:
    """A connection, as far as it is counted."""

    owes = asks = 0
    is_open = True

    def attune(self) -> None: ...

    def told_taken(self, ids: Any) -> None: ...

    def told_answer(self, answer: Answer) -> None: ...

    def hand_over(self, other: Any, *, asks: bool) -> None: ...


def receipt(uid: int, number: int = 0, *, asks: bool = False, size: int = 100) -> Receipt:
    wait = timedelta(seconds=5 if asks else 0)
    sender = Sender(uid, uid, 1, f"u{uid}")
    return Receipt(Report(f"r{number}", "c", "E", "", sender, wait=wait), size, Nobody())


# -- lines a second ----------------------------------------------------------------------------------------------------


@given(
    st.integers(1, 50),
    st.integers(1, 40),
    st.lists(st.floats(0, 5, allow_nan=False), min_size=1, max_size=200),
)
def test_in_no_time_is_more_let_through_than_the_burst_and_the_rate(
    per_second: int, burst: int, pauses: list[float]
) -> None:
    bucket, now, passed = Bucket(per_second, burst, 0.0), 0.0, list[float]()
    for pause in pauses:
        now += pause
        if not bucket.take(now):
            passed.append(now)
    for first in range(len(passed)):
        for last in range(first, len(passed)):
            most = burst + per_second * (passed[last] - passed[first])
            assert last - first + 1 <= most + 1e-6


@given(st.integers(1, 50), st.integers(1, 40), st.floats(0, 3))
def test_whoever_waits_as_long_as_told_is_let_through(per_second: int, burst: int, pause: float) -> None:
    bucket = Bucket(per_second, burst, 0.0)
    for _ in range(burst):
        assert bucket.take(0.0) == 0.0
    wait = bucket.take(0.0)
    assert wait >= LEAST_WAIT_S
    assert bucket.take(wait + pause) == 0.0


def test_a_clock_that_stands_or_goes_back_gives_nothing_away() -> None:
    bucket = Bucket(10, 1, 100.0)
    assert bucket.take(100.0) == 0.0
    assert bucket.take(100.0)
    assert bucket.take(50.0)


def test_what_is_over_the_limit_is_refused_and_can_be_sent_again(tmp_path: Path) -> None:
    limits = Limits(max_per_second=20, burst=5)

    async def scenario() -> None:
        async with reporting(tmp_path / "s", limits=limits) as store, talking(tmp_path / "s") as talk:
            talk.say(*(report(f"r{n}") for n in range(8)))
            refused = [await talk.next_of("refused") for _ in range(3)]
            assert [each["id"] for each in refused] == ["r5", "r6", "r7"]
            assert {each["reason"] for each in refused} == {"rate"}
            assert all(each["retry_after"] >= LEAST_WAIT_S for each in refused)
            await store.until(lambda: len(store.ids) == 5)
            missing = {"r5", "r6", "r7"}
            while missing:  # as an application does that waits a little and sends again
                for each in sorted(missing):
                    talk.say(report(each))
                    told = await talk.next()
                    while told["type"] == "taken" and each not in told["ids"]:
                        told = await talk.next()
                    missing -= set(told.get("ids", ()))
            assert sorted(store.ids) == [f"r{n}" for n in range(8)]

    asyncio.run(scenario())


def test_to_connect_again_does_not_fill_the_bucket(tmp_path: Path) -> None:
    limits = Limits(max_per_second=0.001, burst=3)

    async def scenario() -> None:
        async with reporting(tmp_path / "s", limits=limits) as store:
            for n in range(3):
                async with talking(tmp_path / "s") as talk:
                    talk.say(report(f"r{n}"))
                    await talk.taken(f"r{n}")
            async with talking(tmp_path / "s") as talk:
                talk.say(report("r3"))
                assert (await talk.next_of("refused"))["reason"] == "rate"
            assert store.ids == ["r0", "r1", "r2"]

    asyncio.run(scenario())


def test_garbage_counts_as_much_as_reports(tmp_path: Path) -> None:
    limits = Limits(max_per_second=0.001, burst=3)

    async def scenario() -> None:
        async with reporting(tmp_path / "s", limits=limits), talking(tmp_path / "s") as talk:
            talk.say(b"a\n", b"b\n", b"c\n", report())
            reasons = [(await talk.next_of("refused"))["reason"] for _ in range(4)]
            assert reasons == ["form", "form", "form", "rate"]

    asyncio.run(scenario())


# -- what is refused is told -------------------------------------------------------------------------------------------


def test_refusals_are_one_gap_and_the_sockets_problem_while_they_last(tmp_path: Path) -> None:
    limits = Limits(max_per_second=0.001, burst=1)
    clock = FakeClock(NOON)

    async def scenario() -> None:
        async with reporting(tmp_path / "s", limits=limits, clock=clock) as store, talking(tmp_path / "s") as talk:
            talk.say(*(report(f"r{n}") for n in range(5)))
            for _ in range(4):
                await talk.next_of("refused")
            problem = store.source.health()[0]["problem"]
            assert "are refused" in problem
            assert store.source.counts().refused == {"rate": 4}
            assert not any(block.gaps for block in store.blocks)
            await clock.advance(FOLD_S)
            await store.until(lambda: any(block.gaps for block in store.blocks))
            (gap,) = [gap for block in store.blocks for gap in block.gaps]
            assert (gap.kind, gap.lost_bytes) == (SourceEventKind.MISSED, 0)
            assert gap.detail.startswith("4 reports of ")
            await clock.advance(LASTS.total_seconds())
            assert store.source.health()[0]["problem"] == ""
            await clock.advance(10 * FOLD_S)
            assert sum(len(block.gaps) for block in store.blocks) == 1

    asyncio.run(scenario())


def test_a_wrong_form_is_counted_and_no_loss_of_the_daemons() -> None:
    refusals = Refusals()
    refusals.note("form", "alice", NOON)
    assert (refusals.by_reason, refusals.untold, refusals.problem(NOON)) == ({"form": 1}, False, "")


def test_many_users_that_are_refused_take_no_more_room_than_some() -> None:
    refusals = Refusals()
    for uid in range(3 * MOST_USERS):
        refusals.note(RATE if uid % 2 else BUSY, f"uid {uid}", NOON)
    gaps = refusals.gaps()
    assert len(gaps) <= MOST_USERS + 2
    assert sum(int(gap.detail.split()[0]) for gap in gaps) == 3 * MOST_USERS
    assert "more such" in refusals.problem(NOON)
    assert refusals.gaps() == ()


# -- connections -------------------------------------------------------------------------------------------------------


def test_one_user_has_so_many_connections_and_is_told_of_one_too_many(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with reporting(tmp_path / "s", limits=Limits(user_connections=2)) as store:
            async with talking(tmp_path / "s"), talking(tmp_path / "s") as second:
                reader, writer = await asyncio.open_unix_connection(str(tmp_path / "s"))
                told = await reader.read()
                assert b'"reason":"busy"' in told
                assert b'"retry_after"' in told
                writer.close()
                second.writer.close()
                await store.until(lambda: store.source.counts().connections == 1)
                async with talking(tmp_path / "s"):
                    pass
            assert store.source.counts().turned_away == 1
            assert store.source.counts().refused == {}
            assert store.source.health()[0]["problem"].startswith("connections of uid ")
            await store.until(lambda: store.source.counts().connections == 0)

    asyncio.run(scenario())


def test_others_never_take_the_places_of_root_and_of_the_daemons_own_user() -> None:
    house = Guests(Limits())
    crowd = [house.of(OTHER + n, 0.0) for n in range(20)]
    assert sum(house.enter(guest, Nobody()) for guest in crowd for _ in range(64)) == 512 - 64
    own = house.of(os.geteuid(), 0.0)
    assert sum(house.enter(own, Nobody()) for _ in range(100)) == 64
    assert house.connections == 512


def test_users_who_are_gone_are_forgotten_when_there_are_many() -> None:
    house = Guests(Limits())
    stays = house.of(1, 0.0)
    house.enter(stays, Nobody())
    for uid in range(2, 4 * guests.MOST_KEPT):
        house.of(uid, 0.0)
    assert len(list(house)) <= guests.MOST_KEPT
    assert house.of(1, 0.0) is stays


# -- turns -------------------------------------------------------------------------------------------------------------


def test_a_flood_of_one_user_leaves_every_other_its_turn() -> None:
    waiting = Waiting()
    for n in range(10_000):
        waiting.put(receipt(1, n))
    waiting.put(receipt(2, 7))
    assert 2 in {each.uid for each in waiting.take()[:2]}


@given(st.lists(st.tuples(st.integers(1, 4), st.booleans(), st.integers(1, 70_000)), max_size=300))
def test_all_that_waits_is_handed_on_once_and_each_users_in_order(put: list[tuple[int, bool, int]]) -> None:
    waiting = Waiting()
    for n, (uid, asks, size) in enumerate(put):
        waiting.put(receipt(uid, n, asks=asks, size=size))
    assert (waiting.count, waiting.bytes) == (len(put), sum(size for *_, size in put))
    taken = list(iter(waiting.take, []))
    assert all(len(block) == 1 for block in taken if block[0].report.asks)
    assert all(len(block) <= BATCH for block in taken)
    assert all(sum(each.size for each in block[:-1]) < BATCH_BYTES for block in taken)
    assert (waiting.count, waiting.bytes) == (0, 0)
    order: dict[tuple[int, bool], list[int]] = {}
    for each in (each for block in taken for each in block):
        order.setdefault((each.uid, each.report.asks), []).append(int(each.report.id[1:]))
    assert all(numbers == sorted(numbers) for numbers in order.values())
    assert sum(map(len, order.values())) == len(put)


def test_those_that_somebody_waits_for_do_not_starve_the_others() -> None:
    waiting = Waiting()
    waiting.put(receipt(1, 0))
    for n in range(10 * IN_A_ROW):
        waiting.put(receipt(2, n, asks=True))
    before = next(n for n, block in enumerate(iter(waiting.take, [])) if not block[0].report.asks)
    assert before == IN_A_ROW


# -- questions ---------------------------------------------------------------------------------------------------------


def test_so_many_questions_of_one_user_are_open_and_one_more_is_refused(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with reporting(tmp_path / "s", limits=Limits(user_questions=2)) as store:
            async with talking(tmp_path / "s") as talk:
                talk.say(*(report(f"r{n}", wait=60) for n in range(3)), report("r4"))
                told = await talk.next_of("refused")
                assert (told["id"], told["reason"]) == ("r2", "busy")
                await talk.taken("r4")
                assert store.source.counts().questions == 2
                store.answers.asked["r0"](Answer("r0", AnswerState.FIXED, final=True))
                assert (await talk.next_of("answer"))["state"] == "fixed"
                talk.say(report("r2", wait=60))
                await talk.taken("r2")
            await store.until(lambda: store.source.counts().questions == 0)
            assert sorted(store.answers.taken_back) == ["r1", "r2"]

    asyncio.run(scenario())


@pytest.mark.parametrize("most", [{"questions": 1}, {"user_questions": 1}], ids=str)
def test_the_bound_is_of_all_and_of_each(tmp_path: Path, most: dict[str, int]) -> None:
    async def scenario() -> None:
        path = tmp_path / "s"
        async with reporting(path, limits=Limits(**most)), talking(path) as first, talking(path) as second:
            first.say(report("a", wait=60))
            await first.taken("a")
            second.say(report("b", wait=60))
            assert (await second.next_of("refused"))["reason"] == "busy"

    asyncio.run(scenario())
