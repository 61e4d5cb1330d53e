"""Questions beside the writing: none holds up a commit, and each sees what was durable when it was asked."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logmedic.adapters.store.compaction import compact
from logmedic.adapters.store.duck import DuckStore
from logmedic.adapters.store.readroom import MOST_WAITING, ReadRoom, answered
from logmedic.model.errors import NotFound, StoreBusy
from store.stores import counted, fill

ENDLESS = "SELECT count(*) FROM range(10_000_000) a, range(10_000_000) b WHERE a.range + b.range = -1"
"""A query that takes hours, unless it is interrupted."""


class Slow:
    """Answers as the store does, but what is asked for `slow` waits for `go_on` in the midst of its reading."""

    def __init__(self, *slow: str) -> None:
        self.slow = frozenset(slow)
        self.go_on = threading.Event()
        self.begun = threading.Event()
        self.answered: list[str] = []

    def __call__(self, connection: duckdb.DuckDBPyConnection, question: str, arguments: Mapping[str, Any]) -> Any:
        if question in self.slow:
            reading = connection.execute("SELECT count(*) FROM incidents")
            self.begun.set()
            assert self.go_on.wait(60)
            assert reading.fetchone() is not None
        self.answered.append(question)
        return answered(connection, question, arguments)


class Endless:
    """Answers as the store does, but for `stats`, which is not over in any time that somebody waits."""

    def __init__(self) -> None:
        self.begun = threading.Event()

    def __call__(self, connection: duckdb.DuckDBPyConnection, question: str, arguments: Mapping[str, Any]) -> Any:
        if question != "stats":
            return answered(connection, question, arguments)
        self.begun.set()
        return connection.execute(ENDLESS).fetchone()


async def until(event: threading.Event) -> None:
    assert await asyncio.to_thread(event.wait, 60)


def use(store: DuckStore, scenario: Callable[[DuckStore], Awaitable[Any]]) -> Any:
    async def whole() -> Any:
        await store.open()
        try:
            return await scenario(store)
        finally:
            await store.close()

    return asyncio.run(whole())


async def incidents(store: DuckStore) -> int:
    return len(await store.ask("incidents", everything=True, limit=10_000))


def test_a_slow_question_holds_up_no_commit(tmp_path: Path) -> None:
    slow = Slow("incidents")

    async def scenario(store: DuckStore) -> None:
        await fill(store, 3)
        asked = asyncio.create_task(store.ask("incidents", everything=True, limit=10_000))
        await until(slow.begun)
        for n in range(4, 400):  # enough for the tables to be brought up to date meanwhile
            await store.commit(counted(n))
        assert not asked.done()
        slow.go_on.set()
        assert len(await asked) == 3  # one moment: that of when it was asked
        assert await incidents(store) == 399

    use(DuckStore(tmp_path / "s.duckdb", answer=slow), scenario)


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(steps=st.lists(st.sampled_from(["commit", "ask", "settle"]), min_size=3, max_size=40))
def test_a_question_sees_every_commit_that_was_durable_when_it_was_asked(
    tmp_path_factory: pytest.TempPathFactory, steps: list[str]
) -> None:
    async def scenario(store: DuckStore) -> None:
        commits: list[asyncio.Task[None]] = []
        asked: list[tuple[int, asyncio.Task[int]]] = []
        for step in steps:
            if step == "commit":
                commits.append(asyncio.create_task(store.commit(counted(len(commits) + 1))))
            elif step == "ask":
                asked.append((sum(each.done() for each in commits), asyncio.create_task(incidents(store))))
            else:
                await asyncio.gather(*commits)
        for durable, answer in asked:
            assert durable <= await answer <= len(commits)
        await asyncio.gather(*commits)
        assert await incidents(store) == len(commits)

    use(DuckStore(tmp_path_factory.mktemp("seen") / "s.duckdb"), scenario)


def test_what_is_asked_together_is_answered_in_its_order(tmp_path: Path) -> None:
    slow = Slow("stats")

    async def scenario(store: DuckStore) -> None:
        questions = ["stats", "counts", "breakers", "counts", "trust"]
        answers = [asyncio.create_task(store.ask(each)) for each in questions]
        await until(slow.begun)
        slow.go_on.set()
        await asyncio.gather(*answers)
        assert slow.answered == questions

    use(DuckStore(tmp_path / "s.duckdb", answer=slow), scenario)


def test_too_many_questions_are_refused_and_not_remembered(tmp_path: Path) -> None:
    slow = Slow("stats")

    async def scenario(store: DuckStore) -> None:
        waiting = [asyncio.create_task(store.ask("stats"))]
        await until(slow.begun)
        waiting += [asyncio.create_task(store.ask("counts")) for _ in range(MOST_WAITING - 1)]
        await asyncio.sleep(0)
        with pytest.raises(StoreBusy, match=f"{MOST_WAITING} questions wait"):
            await store.ask("counts")
        await store.commit(counted(1))
        slow.go_on.set()
        await asyncio.gather(*waiting)
        assert await store.ask("counts") == {"lines": 1}

    use(DuckStore(tmp_path / "s.duckdb", answer=slow), scenario)


def test_a_question_that_nobody_waits_for_any_more_is_not_answered(tmp_path: Path) -> None:
    slow = Slow("stats")

    async def scenario(store: DuckStore) -> None:
        first = asyncio.create_task(store.ask("stats"))
        await until(slow.begun)
        given_up, kept = asyncio.create_task(store.ask("trust")), asyncio.create_task(store.ask("counts"))
        await asyncio.sleep(0)
        given_up.cancel()
        slow.go_on.set()
        await asyncio.gather(first, kept)
        assert slow.answered == ["stats", "counts"]

    use(DuckStore(tmp_path / "s.duckdb", answer=slow), scenario)


def test_what_goes_wrong_with_one_question_is_told_to_that_one(tmp_path: Path) -> None:
    async def scenario(store: DuckStore) -> None:
        await fill(store, 2)
        wrong, right = (
            asyncio.create_task(store.ask("incident", incident_id="nobody")),
            asyncio.create_task(store.ask("counts")),
        )
        with pytest.raises(NotFound, match="no incident nobody"):
            await wrong
        assert await right == {"lines": 2}

    use(DuckStore(tmp_path / "s.duckdb"), scenario)


def test_a_question_without_end_is_interrupted_when_the_store_closes(tmp_path: Path) -> None:
    endless = Endless()

    async def whole() -> None:
        store = DuckStore(tmp_path / "s.duckdb", answer=endless)
        await store.open()
        running, waiting = asyncio.create_task(store.ask("stats")), asyncio.create_task(store.ask("counts"))
        await until(endless.begun)
        await store.commit(counted(1))
        await store.close()
        with pytest.raises(StoreBusy, match=r"did not answer: .*[Ii]nterrupt"):
            await running
        with pytest.raises(StoreBusy, match="the store is closed"):
            await waiting
        with pytest.raises(StoreBusy, match="the store is closed"):
            await store.ask("counts")

    asyncio.run(whole())
    assert use(DuckStore(tmp_path / "s.duckdb"), incidents) == 1


def test_a_compaction_waits_for_the_question_under_way_and_the_next_reads_the_new_file(tmp_path: Path) -> None:
    slow, reached = Slow("stats"), list[str]()

    async def scenario(store: DuckStore) -> None:
        await fill(store, 50)
        running = asyncio.create_task(store.ask("stats"))
        await until(slow.begun)
        caught_up = asyncio.Event()

        def reach(what: str) -> None:
            reached.append(what)
            if what == "verified":
                caught_up.set()

        compacting = asyncio.create_task(compact(store, reach))
        await caught_up.wait()
        later = asyncio.create_task(incidents(store))
        await store.commit(counted(51))
        assert "closed" not in reached
        slow.go_on.set()
        await running
        await compacting
        assert reached[-1] == "done"
        assert await later == 51
        assert await incidents(store) == 51

    use(DuckStore(tmp_path / "s.duckdb", answer=slow), scenario)


def test_who_wants_the_file_waits_so_long_and_no_longer(tmp_path: Path) -> None:
    async def scenario(store: DuckStore) -> None:
        async def pin() -> duckdb.DuckDBPyConnection:
            return await store.between_commits(lambda writer: writer.glance())

        endless = Endless()
        room = ReadRoom(pin, endless, patience_s=0.01)
        running, waiting = asyncio.create_task(room.ask("stats", {})), asyncio.create_task(room.ask("counts", {}))
        await until(endless.begun)
        async with room.held():
            with pytest.raises(StoreBusy, match="did not answer"):
                await running
            assert not waiting.done()
            assert not await store.between_commits(lambda writer: writer.is_read())
        assert await waiting == {}
        await room.close()

    use(DuckStore(tmp_path / "s.duckdb"), scenario)


def test_who_asks_while_a_commit_is_stuck_is_told_so_and_answered_once_it_is_through(tmp_path: Path) -> None:
    async def scenario(store: DuckStore) -> None:
        through = asyncio.Event()

        async def pin() -> duckdb.DuckDBPyConnection:
            await through.wait()
            return await store.between_commits(lambda writer: writer.glance())

        room = ReadRoom(pin, stuck_s=0.01)
        for _ in range(2):  # also who comes when it has been stuck for long
            asked = [asyncio.create_task(room.ask("counts", {})) for _ in range(3)]
            for each in asked:
                with pytest.raises(StoreBusy, match="it has been writing for"):
                    await each
        through.set()
        while True:
            with suppress(StoreBusy):
                assert await room.ask("counts", {}) == {}
                break
        await room.close()
        assert not await store.between_commits(lambda writer: writer.is_read())

    use(DuckStore(tmp_path / "s.duckdb"), scenario)


def test_a_store_that_is_not_open_answers_nothing(tmp_path: Path) -> None:
    async def scenario() -> None:
        store = DuckStore(tmp_path / "s.duckdb")
        with pytest.raises(StoreBusy, match="not open"):
            await store.ask("counts")
        await store.close()

    asyncio.run(scenario())
