"""Who asks waits for the outcome, and never longer than it said."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterable
from pathlib import Path

import pytest

from fakes.report_client import client_of, raised, until
from fakes.report_daemon import Line, ReportDaemon, answer, answering, hanging, refusing, taken, taking
from logmedic.client.answers import CONNECT_S, Answer, Question, State
from logmedic.client.client import Client

FINAL = ("unknown", "known", "held", "fixed", "not_fixed", "unproven", "late")


@pytest.mark.parametrize("state", FINAL)
def test_an_answer_that_is_final_ends_the_wait(tmp_path: Path, state: str) -> None:
    script = answering("fixing", state, rule="cache-down", incident="INC-1", issue="ISS-1", hold="budget", detail="why")
    with ReportDaemon(tmp_path / "s", script) as daemon, client_of(tmp_path / "s") as client:
        told = client.ask(raised(ValueError("x")), wait=30.0, component="checkout")
        (line,) = daemon.reports
        assert told == Answer(State(state), "ISS-1", "INC-1", "cache-down", "budget", "why", line["id"])
        assert told.fixed is (state == "fixed")
        assert line["component"] == "checkout"
        assert 29.0 < line["wait"] <= 30.0


def test_the_same_without_blocking_the_loop(tmp_path: Path) -> None:
    async def main(client: Client, daemon: ReportDaemon) -> Answer:
        asked = asyncio.create_task(client.ask_async("x", wait=30.0, known_within=30.0))
        while not daemon.reports:
            await asyncio.sleep(0)
        daemon.say(answer(daemon.reports[0], "fixed"))
        return await asked

    with ReportDaemon(tmp_path / "s") as daemon, client_of(tmp_path / "s") as client:
        assert asyncio.run(main(client, daemon)).fixed


def test_an_outcome_that_does_not_come_in_time(tmp_path: Path) -> None:
    script = answering("fixing", incident="INC-1", rule="r")
    with ReportDaemon(tmp_path / "s", script), client_of(tmp_path / "s") as client:
        told = client.ask("x", wait=0.2)
        assert (told.state, told.incident, told.known) == (State.LATE, "INC-1", True)


@pytest.mark.parametrize("script", [hanging, taking], ids=["hangs", "only takes"])
def test_a_daemon_that_does_not_answer_is_not_waited_for(tmp_path: Path, script: object) -> None:
    assert callable(script)
    with ReportDaemon(tmp_path / "s", script), client_of(tmp_path / "s") as client:
        began = time.monotonic()
        assert client.ask("x", wait=60.0, known_within=0.3).state is State.AWAY
        assert time.monotonic() - began < 10.0


def test_where_no_daemon_is_the_answer_comes_at_once(tmp_path: Path) -> None:
    with client_of(tmp_path / "nobody") as client:
        client.ask("x", wait=60.0)
        took = []
        for _ in range(200):
            began = time.perf_counter()
            assert client.ask("x", wait=60.0).state is State.AWAY
            took.append(time.perf_counter() - began)
        assert sorted(took)[100] < 0.001
        assert asyncio.run(client.ask_async("x", wait=60.0)).state is State.AWAY


def test_a_daemon_that_is_too_busy_is_not_waited_for(tmp_path: Path) -> None:
    script = refusing("busy", times=1, retry_after=0.05)
    with ReportDaemon(tmp_path / "s", script) as daemon, client_of(tmp_path / "s") as client:
        told = client.ask("x", wait=60.0, known_within=60.0)
        assert (told.state, told.detail) == (State.AWAY, "it is refused")
        first, second = daemon.wait_for_reports(2)
        assert "wait" in first
        assert "wait" not in second


def test_a_connection_that_ends_before_the_outcome(tmp_path: Path) -> None:
    def script(line: Line) -> Iterable[Line]:
        yield taken(line)
        yield answer(line, "fixing", incident="INC-1")
        daemon.hang_up()

    with ReportDaemon(tmp_path / "s") as daemon, client_of(tmp_path / "s") as client:
        daemon.script = script
        told = client.ask("x", wait=60.0)
        assert (told.state, told.incident) == (State.AWAY, "INC-1")


def test_a_cancel_takes_the_question_back_and_leaves_the_report(tmp_path: Path) -> None:
    async def main(client: Client, daemon: ReportDaemon) -> None:
        asked = asyncio.create_task(client.ask_async("x", wait=60.0, known_within=60.0))
        while not daemon.reports:
            await asyncio.sleep(0)
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
        daemon.say(answer(daemon.reports[0], "fixed"))
        daemon.say(taken(daemon.reports[0]))

    with ReportDaemon(tmp_path / "s", hanging) as daemon, client_of(tmp_path / "s") as client:
        asyncio.run(main(client, daemon))
        assert client.flush(10.0)


def test_a_loop_that_ended_does_not_hurt_the_others(tmp_path: Path) -> None:
    with ReportDaemon(tmp_path / "s", hanging) as daemon, client_of(tmp_path / "s") as client:
        loop = asyncio.new_event_loop()
        asked = loop.create_task(client.ask_async("x", wait=60.0, known_within=60.0))
        loop.run_until_complete(asyncio.sleep(0))
        (line,) = daemon.wait_for_reports(1)
        asked.cancel()
        loop.run_until_complete(asyncio.gather(asked, return_exceptions=True))
        loop.close()
        daemon.say(answer(line, "fixing"), answer(line, "fixed"))
        daemon.script = answering("known")
        assert client.ask("y", wait=10.0, known_within=10.0).state is State.KNOWN


def test_many_ask_at_once_and_each_is_told_its_own(tmp_path: Path) -> None:
    def script(line: Line) -> Iterable[Line]:
        yield answer(line, "fixed", detail=line["message"])
        yield taken(line)

    told: dict[str, str] = {}
    with ReportDaemon(tmp_path / "s", script), client_of(tmp_path / "s") as client:

        def asks(name: str) -> None:
            told[name] = client.ask(name, wait=20.0, known_within=20.0).detail

        threads = [threading.Thread(target=asks, args=(f"error {number}",)) for number in range(40)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
    assert told == {f"error {number}": f"error {number}" for number in range(40)}


def test_a_question_that_nobody_waits_for_any_more_is_sent_as_a_report(tmp_path: Path) -> None:
    with client_of(tmp_path / "s") as client:
        assert client.ask("x", wait=60.0).state is State.AWAY
        until(lambda: client._sender.talk.away)
        with ReportDaemon(tmp_path / "s") as daemon:
            assert client.flush(10.0)
            assert "wait" not in daemon.reports[0]


@pytest.mark.parametrize("wait", [0.0, -1.0, float("nan")], ids=str)
def test_a_wait_that_is_none(tmp_path: Path, wait: float) -> None:
    with ReportDaemon(tmp_path / "s") as daemon, client_of(tmp_path / "s") as client:
        assert client.ask("x", wait=wait).state is State.AWAY
        daemon.wait_for_reports(1)


@pytest.mark.parametrize("wait", [1e9, float("inf")], ids=str)
def test_a_wait_without_end_has_one(tmp_path: Path, wait: float) -> None:
    with ReportDaemon(tmp_path / "s", answering("fixing", "fixed")), client_of(tmp_path / "s") as client:
        assert client.ask("x", wait=wait, known_within=wait).fixed


def test_the_wait_of_a_question_on_a_clock() -> None:
    question = Question(began=100.0, wait=10.0, known_within=1.0)
    assert question.look(100.0, connected=False) == pytest.approx(CONNECT_S)
    assert question.look(100.5, connected=True) == pytest.approx(0.5)
    assert question.look(100.5, connected=False) == Answer(State.AWAY, detail="there is no connection yet")
    assert question.look(101.0, connected=True) == Answer(State.AWAY, detail="the daemon says nothing")
    question.told(Answer(State.FIXING, incident="INC-1"), final=False)
    assert question.look(104.0, connected=True) == pytest.approx(6.0)
    assert question.remaining(104.0) == pytest.approx(6.0)
    assert question.look(110.0, connected=True) == Answer(State.LATE, incident="INC-1")
    question.told(Answer(State.FIXED), final=True)
    question.told(Answer(State.NOT_FIXED), final=True)
    assert question.look(104.0, connected=True) == Answer(State.FIXED)
    assert question.remaining(104.0) == 0.0
