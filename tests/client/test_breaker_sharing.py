"""Breakers are shared through the daemon, over its restarts, and never with news that are over."""

from __future__ import annotations

from pathlib import Path

import pytest

from fakes.report_client import client_of, until
from fakes.report_daemon import ReportDaemon
from logmedic.adapters.sources.reports.sharing import followed, shared
from logmedic.client.sending.sharing import Board
from logmedic.client.sending.wire import MAX_LINE, BreakerNews, Lines


def told(board: Board, now: float) -> list[dict[str, object]]:
    import json

    return [json.loads(line) for line in board.lines(now)]


def test_what_one_says_the_others_hear(tmp_path: Path) -> None:
    heard: list[tuple[str, float]] = []
    with ReportDaemon(tmp_path / "s") as daemon, client_of(tmp_path / "s") as client:
        client.follow("payments", lambda state, seconds: heard.append((state, seconds)))
        daemon.wait_until(lambda: {"type": "follow", "names": ["payments"]} in daemon.lines)
        daemon.say({"type": "breaker", "name": "payments", "state": "open", "open_for": 12.5})
        daemon.say({"type": "breaker", "name": "another", "state": "open", "open_for": 1.0})
        daemon.say({"type": "breaker", "name": "payments", "state": "closed", "open_for": 3.0})
        until(lambda: len(heard) == 2)
        assert heard == [("open", 12.5), ("closed", 0.0)]
        client.share("payments", "open", 60.0)
        daemon.wait_until(lambda: len(daemon.lines) == 2)
        assert daemon.lines[1]["state"] == "open"
        assert 59.0 < daemon.lines[1]["open_for"] <= 60.0


def test_a_new_daemon_is_told_again(tmp_path: Path) -> None:
    with client_of(tmp_path / "s") as client:
        client.follow("payments", lambda state, seconds: None)
        client.share("payments", "open", 600.0)
        for _ in range(2):
            with ReportDaemon(tmp_path / "s") as daemon:
                daemon.wait_until(lambda daemon=daemon: len(daemon.lines) == 2)  # type: ignore[misc]
                assert {each["type"] for each in daemon.lines} == {"follow", "breaker"}


def test_a_listener_that_fails_does_not_hurt(tmp_path: Path) -> None:
    def fails(state: str, seconds: float) -> None:
        raise SystemExit("no")

    heard: list[str] = []
    with ReportDaemon(tmp_path / "s") as daemon, client_of(tmp_path / "s") as client:
        client.follow("payments", fails)
        client.follow("payments", lambda state, seconds: heard.append(state))
        daemon.wait_until(lambda: bool(daemon.lines))
        daemon.say({"type": "breaker", "name": "payments", "state": "open", "open_for": 1.0})
        until(lambda: heard == ["open"])


def test_only_what_holds_is_said_on_a_clock() -> None:
    board = Board()
    board.share("a", True, 10.0, 100.0)
    board.share("b", True, 10.0, 100.0)
    board.share("b", False, 0.0, 101.0)
    assert told(board, 104.0) == [
        {"type": "breaker", "name": "a", "state": "open", "open_for": 6.0},
        {"type": "breaker", "name": "b", "state": "closed"},
    ]
    assert told(board, 104.0) == []
    board.connected(105.0)
    assert [each["open_for"] for each in told(board, 105.0)] == [5.0]
    board.connected(110.0)
    assert told(board, 110.0) == []


@pytest.mark.parametrize("letter", ["x", "\U0001f4a5", "\x00"])
def test_the_daemon_takes_the_form_of_all_that_is_said(letter: str) -> None:
    board = Board()
    for number in range(300):
        name = f"{number}{letter * 300}"
        board.follow(name, lambda state, seconds: None)
        board.share(name, number % 2 == 0, 1e12, 0.0)
    board.share(" ", True, 1.0, 0.0)
    board.share("nan", True, float("nan"), 0.0)
    names = 0
    for line in board.lines(0.0):
        assert len(line) <= MAX_LINE
    board.connected(0.0)
    for each in told(board, 0.0):
        if each["type"] == "follow":
            names += len(followed(each))
        else:
            assert shared(each).name
    assert names == 300


def test_a_line_may_be_heard_by_nobody() -> None:
    Board().heard(BreakerNews("payments", True, 1.0))
    assert list(Lines().take(b"")) == []
