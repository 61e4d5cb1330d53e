"""`taken` is said when a report is stored, and not before; one that is sent again is taken once."""

from __future__ import annotations

import asyncio
import json
import socket
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from logmedic.adapters.sources.reports import receipts as module
from logmedic.adapters.sources.reports.receipts import Receipt, Receipts
from logmedic.model.changeset import Changeset
from logmedic.model.record import Checkpoint
from logmedic.model.report import Answer, AnswerState, Report, Sender
from reports.talking import WITHIN_S, plain, report, reporting, running, talking


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "report.sock"


# -- stored, and told --------------------------------------------------------------------------------------------------


def test_nothing_is_taken_before_it_is_stored(path: Path) -> None:
    async def scenario() -> None:
        async with reporting(path, commits=False) as store, talking(path) as talk:
            for n in range(3):
                talk.say(report(f"r{n}"))
                await store.until(lambda n=n: len(store.blocks) == n + 1)
            talk.say(b"?\n")
            assert (await talk.next())["type"] == "refused"  # and nothing was said before
            store.commit(1)
            assert await talk.next() == {"type": "taken", "ids": ["r0"]}
            store.commit()
            assert await talk.next() == {"type": "taken", "ids": ["r1"]}
            assert await talk.next() == {"type": "taken", "ids": ["r2"]}

    asyncio.run(scenario())


def test_who_follows_reports_hears_of_those_that_are_asked_about_once_they_are_stored(path: Path) -> None:
    async def scenario() -> None:
        async with reporting(path, commits=False) as store, talking(path) as talk:
            talk.say(report("r0"), report("r1", wait=5))
            await store.until(lambda: len(store.blocks) == 2)
            assert store.answers.stored == []
            store.commit()
            await talk.next()
            await talk.next()
            assert store.answers.stored == ["r1"]

    asyncio.run(scenario())


def test_what_is_stored_of_other_sources_takes_nothing(path: Path) -> None:
    async def scenario() -> None:
        async with reporting(path, commits=False) as store, talking(path) as talk:
            talk.say(report())
            await store.until(lambda: store.blocks)
            mark = store.blocks[0].checkpoint
            for source, origin in (("other", mark.origin), (mark.source, "reports:/elsewhere")):
                store.source.noted(Changeset(checkpoints=(Checkpoint(origin, source, 10**9, mark.at),)))
            store.source.noted(Changeset())
            assert store.source.counts().taken == 0
            store.commit()
            await talk.taken("r1")

    asyncio.run(scenario())


def test_each_connection_is_told_of_its_own(path: Path) -> None:
    async def scenario() -> None:
        async with reporting(path, takes=False) as store, talking(path) as one, talking(path) as two:
            one.say(report("first"))
            await store.until(lambda: store.blocks)
            one.say(report("a"), report("b"))
            two.say(report("c"))
            await store.until(lambda: store.source.counts().waiting == 3)
            store.takes.set()
            assert await one.next() == {"type": "taken", "ids": ["first"]}
            assert await one.next() == {"type": "taken", "ids": ["a", "b"]}
            assert await two.next() == {"type": "taken", "ids": ["c"]}

    asyncio.run(scenario())


def test_many_ids_come_in_lines_that_a_client_takes(path: Path) -> None:
    ids = [f"{n:064d}" for n in range(900)]

    async def scenario() -> None:
        async with reporting(path, commits=False) as store, talking(path) as talk:
            talk.say(*(report(each) for each in ids))
            await store.until(lambda: len(store.ids) == 900)
            store.source.noted(Changeset(checkpoints=(store.blocks[-1].checkpoint,)))
            while ids:
                line = await talk.reader.readline()
                assert len(line) <= 64 * 1024
                for each in json.loads(line)["ids"]:
                    ids.remove(each)

    asyncio.run(scenario())


def test_a_script_that_says_all_it_has_and_is_done_with_writing_hears_that_it_was_taken(path: Path) -> None:
    async def scenario() -> None:
        async with reporting(path, commits=False) as store:
            reader, writer = await asyncio.open_unix_connection(str(path))
            writer.write(b'{"type":"report","id":"r1","component":"backup","error":"OSError"}')  # without a newline
            writer.write_eof()
            await store.until(lambda: store.blocks)
            store.commit()
            assert (await asyncio.wait_for(reader.read(), WITHIN_S)).endswith(b'{"type":"taken","ids":["r1"]}\n')
            writer.close()

    asyncio.run(scenario())


def test_a_program_that_is_gone_at_once_has_reported_all_the_same(path: Path) -> None:
    async def scenario() -> None:
        async with reporting(path) as store:
            for n in range(20):
                with plain(path) as script:
                    script.sendall(json.dumps(report(f"r{n}")).encode() + b"\n")
            await store.until(lambda: len(store.ids) == 20)
            await store.until(lambda: store.source.counts().connections == 0)

    asyncio.run(scenario())


# -- once more ---------------------------------------------------------------------------------------------------------


def test_one_that_is_sent_again_is_taken_once_and_acknowledged_again(path: Path) -> None:
    async def scenario() -> None:
        async with reporting(path) as store:
            async with talking(path) as talk:
                talk.say(report())
                await talk.taken("r1")
            async with talking(path) as talk:
                talk.say(report())
                await talk.taken("r1")
            assert store.ids == ["r1"]
            assert (store.source.counts().taken, store.source.counts().repeated) == (1, 1)

    asyncio.run(scenario())


def test_one_that_is_on_its_way_is_acknowledged_where_it_was_sent_last(path: Path) -> None:
    async def scenario() -> None:
        async with reporting(path, commits=False) as store:
            async with talking(path) as talk:
                talk.say(report())
                await store.until(lambda: store.blocks)
            async with talking(path) as talk:
                talk.say(report(), report())
                await store.until(lambda: store.source.counts().repeated == 2)
                store.commit()
                assert await talk.next() == {"type": "taken", "ids": ["r1"]}
            assert store.ids == ["r1"]

    asyncio.run(scenario())


def test_what_was_handed_on_and_never_stored_is_taken_anew_after_a_restart(path: Path) -> None:
    async def scenario() -> None:
        async with reporting(path, commits=False) as store, talking(path) as talk:
            talk.say(report("lost"))
            await store.until(lambda: store.blocks)
        lost = store.blocks.pop()
        async with running(store), talking(path) as talk:
            talk.say(report("lost"))
            await store.until(lambda: store.blocks)
            assert store.blocks[0].start >= lost.checkpoint.offset
            talk.say(b"?\n")
            assert (await talk.next())["type"] == "refused"
            store.commit()
            await talk.taken("lost")

    asyncio.run(scenario())


# -- questions ---------------------------------------------------------------------------------------------------------


def test_what_becomes_of_it_is_told_until_it_is_final(path: Path) -> None:
    async def scenario() -> None:
        async with reporting(path) as store, talking(path) as talk:
            talk.say(report(wait=20))
            await talk.taken("r1")
            tell = store.answers.asked["r1"]
            tell(Answer("r1", AnswerState.FIXING, final=False, incident="0193", rule="db-down"))
            tell(Answer("r1", AnswerState.FIXED, final=True, incident="0193", rule="db-down", detail="it is up"))
            tell(Answer("r1", AnswerState.LATE, final=True))
            first, second = await talk.next(), await talk.next()
            assert (first["state"], first["final"], first["rule"]) == ("fixing", False, "db-down")
            assert (second["state"], second["final"], second["detail"]) == ("fixed", True, "it is up")
            talk.say(b"?\n")
            assert (await talk.next())["type"] == "refused"
            assert store.source.counts().questions == 0
            assert store.answers.taken_back == []

    asyncio.run(scenario())


def test_nobody_is_followed_for_who_hung_up(path: Path) -> None:
    async def scenario() -> None:
        async with reporting(path) as store:
            async with talking(path) as talk:
                talk.say(report(wait=20))
                await talk.taken("r1")
            await store.until(lambda: store.answers.taken_back == ["r1"])
            assert store.source.counts().questions == 0
            store.answers.asked["r1"](Answer("r1", AnswerState.FIXED, final=True))

    asyncio.run(scenario())


def test_who_hung_up_before_it_was_handed_on_is_not_followed(path: Path) -> None:
    async def scenario() -> None:
        async with reporting(path, takes=False) as store:
            async with talking(path) as talk:
                talk.say(report("first"))
                await store.until(lambda: store.blocks)
                talk.say(report(wait=20))
                await store.until(lambda: store.source.counts().waiting == 1)
            await store.until(lambda: store.source.counts().connections == 0)
            store.takes.set()
            await store.until(lambda: len(store.ids) == 2)
            assert store.answers.asked == {}
            assert store.source.counts().questions == 0

    asyncio.run(scenario())


def test_who_comes_back_before_it_was_handed_on_is_told_over_the_new_connection(path: Path) -> None:
    async def scenario() -> None:
        async with reporting(path, takes=False) as store:
            async with talking(path) as talk:
                talk.say(report("first"))
                await store.until(lambda: store.blocks)
                talk.say(report(wait=20))
                await store.until(lambda: store.source.counts().waiting == 1)
            async with talking(path) as talk:
                talk.say(report(wait=20))
                await store.until(lambda: store.source.counts().repeated == 1)
                store.takes.set()
                await talk.taken("r1")
                store.answers.asked["r1"](Answer("r1", AnswerState.HELD, final=True, hold="observe"))
                assert (await talk.next_of("answer"))["hold"] == "observe"

    asyncio.run(scenario())


def test_who_asks_once_more_of_what_is_under_way_is_told_that_nobody_can_say(path: Path) -> None:
    async def scenario() -> None:
        async with reporting(path) as store:
            async with talking(path) as talk:
                talk.say(report(wait=20))
                await talk.taken("r1")
            async with talking(path) as talk:
                talk.say(report(wait=20))
                told = await talk.next_of("answer")
                assert (told["state"], told["final"]) == ("unproven", True)
                await talk.taken("r1")
            assert store.ids == ["r1"]

    asyncio.run(scenario())


def test_one_that_is_answered_at_once_is_no_open_question(path: Path) -> None:
    async def scenario() -> None:
        async with reporting(path) as store, talking(path) as talk:

            def at_once(report: Report, tell: Any) -> Any:
                tell(Answer(report.id, AnswerState.UNPROVEN, final=True))
                return lambda: None

            store.answers.ask = at_once  # type: ignore[method-assign]
            talk.say(report(wait=20))
            assert (await talk.next_of("answer"))["state"] == "unproven"
            assert store.source.counts().questions == 0

    asyncio.run(scenario())


def test_who_is_done_with_writing_still_hears_the_answer(path: Path) -> None:
    async def scenario() -> None:
        async with reporting(path) as store:
            reader, writer = await asyncio.open_unix_connection(str(path))
            writer.write(b'{"type":"report","id":"r1","component":"backup","error":"OSError","wait":20}\n')
            writer.write_eof()
            await store.until(lambda: store.source.counts().taken == 1)
            store.answers.asked["r1"](Answer("r1", AnswerState.FIXED, final=True))
            told = await asyncio.wait_for(reader.read(), WITHIN_S)
            assert b'"state":"fixed"' in told.splitlines()[-1]
            writer.close()

    asyncio.run(scenario())


def test_questions_end_with_the_source(path: Path) -> None:
    async def scenario() -> None:
        async with reporting(path) as store, talking(path) as talk:
            talk.say(report(wait=20))
            await talk.taken("r1")
        assert store.answers.taken_back == ["r1"]
        assert store.source.counts().questions == 0

    asyncio.run(scenario())


# -- what is remembered ------------------------------------------------------------------------------------------------


class _Teller:
    owes = asks = 0
    is_open = True

    def told_taken(self, ids: Any) -> None: ...

    def told_answer(self, answer: Answer) -> None: ...

    def hand_over(self, other: Any, *, asks: bool) -> None: ...


def receipt(uid: int, report_id: str) -> Receipt:
    return Receipt(Report(report_id, "c", "E", "", Sender(uid, uid, 1, "u"), wait=timedelta(0)), 100, _Teller())


@pytest.mark.slow
def test_ids_are_remembered_up_to_their_bounds() -> None:
    known = Receipts()
    for n in range(module.KEPT_OF_USER + 5):
        known.enter(receipt(1, f"r{n}"))
    assert len(known) == module.KEPT_OF_USER
    assert not known.knows(1, "r4")
    assert known.knows(1, "r5")
    for uid in range(2, 8):
        for n in range(module.KEPT_OF_USER):
            known.enter(receipt(uid, f"r{n}"))
    assert len(known) == module.KEPT
    assert known.knows(7, "r0")


class TakenOnce(RuleBasedStateMachine):
    """Against a model that remembers all: what is stored, in the order in which it was handed on."""

    def __init__(self) -> None:
        super().__init__()
        self.real = Receipts()
        self.entered: list[Receipt] = []
        self.handed: list[tuple[int, list[Receipt]]] = []
        self.stored: list[Receipt] = []
        self.told: list[Receipt] = []
        self.offset = 0

    @rule(uid=st.integers(1, 3), name=st.sampled_from("abcdef"))
    def read(self, uid: int, name: str) -> None:
        expected = any((each.uid, each.report.id) == (uid, name) for each in (*self.alive, *self.stored))
        assert self.real.knows(uid, name) == expected
        if not expected:
            self.entered.append(receipt(uid, name))
            self.real.enter(self.entered[-1])

    @rule(count=st.integers(0, 4), size=st.integers(0, 3))
    def hand_on(self, count: int, size: int) -> None:
        taken, self.entered = self.entered[:count], self.entered[count:]
        self.offset += size
        self.handed.append((self.offset, taken))
        self.real.handed_on(taken, self.offset)

    @rule(back=st.integers(0, 6))
    def store(self, back: int) -> None:
        upto = self.offset - back
        new = [each for end, taken in self.handed if end <= upto for each in taken]
        self.handed = [(end, taken) for end, taken in self.handed if end > upto]
        assert list(self.real.stored(upto)) == new
        self.stored += new

    @rule()
    def restart(self) -> None:
        self.entered, self.handed = [], []
        self.real.begin_anew()

    @property
    def alive(self) -> list[Receipt]:
        return [*self.entered, *(each for _, taken in self.handed for each in taken)]

    @invariant()
    def as_many_are_known(self) -> None:
        assert len(self.real) == len(self.alive) + len(self.stored)
        for each in self.alive:
            assert self.real.on_its_way(each.uid, each.report.id) is each
        for each in self.stored:
            assert self.real.on_its_way(each.uid, each.report.id) is None


TestTakenOnce = TakenOnce.TestCase
TestTakenOnce.settings = settings(max_examples=60, stateful_step_count=30)


def test_the_daemon_closes_what_is_said_and_done(path: Path) -> None:
    async def scenario() -> None:
        async with reporting(path) as store:
            script = plain(path)
            script.sendall(b'{"type":"report","id":"r1","component":"backup","error":"OSError"}\n')
            script.shutdown(socket.SHUT_WR)
            await store.until(lambda: store.source.counts().taken == 1 and not store.source.counts().connections)
            assert b"taken" in script.recv(65536)
            script.close()

    asyncio.run(scenario())
