"""Circuit breakers that the processes of one user share."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logmedic.adapters.sources.reports import board as module
from logmedic.adapters.sources.reports.board import MAX_FOLLOWED, MAX_OPEN, MAX_OPEN_OF_USER, Board
from reports.talking import reporting, talking

ALICE, BOB = 1001, 1002


def opened(name: str, open_for: float = 60.0) -> dict[str, Any]:
    return {"type": "breaker", "name": name, "state": "open", "open_for": open_for}


def closed(name: str) -> dict[str, Any]:
    return {"type": "breaker", "name": name, "state": "closed"}


def follow(*names: str) -> dict[str, Any]:
    return {"type": "follow", "names": list(names)}


def test_when_one_process_opens_it_all_that_follow_it_hear_so_and_it_does_not(tmp_path: Path) -> None:
    async def scenario() -> None:
        path = tmp_path / "s"
        async with reporting(path), talking(path) as one, talking(path) as two, talking(path) as three:
            two.say(follow("payments", "mail"), opened("mail"))  # and it is told of what others do, not of its own
            three.say(follow("other", "mail"))
            assert (await three.next())["name"] == "mail"
            one.say(follow("payments"), opened("payments", 30))
            told = await two.next()
            assert (told["type"], told["name"], told["state"]) == ("breaker", "payments", "open")
            assert told["open_for"] == 30
            one.say(closed("payments"))
            assert (await two.next())["state"] == "closed"
            one.say(b"?\n")
            assert (await one.next())["type"] == "refused"  # nothing was said to it before
            three.say(b"?\n")
            assert (await three.next())["type"] == "refused"

    asyncio.run(scenario())


def test_who_follows_later_is_told_at_once_what_is_open(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with reporting(tmp_path / "s") as store:
            async with talking(tmp_path / "s") as one:
                one.say(opened("payments"), opened("mail"), closed("mail"))
                await store.until(lambda: store.source.counts().breakers == 1)
            async with talking(tmp_path / "s") as two:  # also when the one that opened it is gone
                two.say(follow("mail", "payments"))
                told = await two.next()
                assert (told["name"], told["state"]) == ("payments", "open")
                assert 50 < told["open_for"] <= 60

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "told",
    [
        {"type": "breaker", "name": "", "state": "open"},
        {"type": "breaker", "name": "x" * 201, "state": "open"},
        {"type": "breaker", "name": 7, "state": "open"},
        {"type": "breaker", "name": "x", "state": "ajar"},
        {"type": "breaker", "name": "x", "state": ["open"]},
        {"type": "breaker", "name": "x", "state": "open", "open_for": -1},
        {"type": "breaker", "name": "x", "state": "open", "open_for": float("inf")},
        {"type": "breaker", "name": "x", "state": "open", "open_for": float("nan")},
        {"type": "breaker", "name": "x", "state": "open", "open_for": True},
        {"type": "breaker", "name": "x", "state": "open", "open_for": "long"},
        {"type": "follow", "names": "payments"},
        {"type": "follow", "names": [["payments"]]},
        {"type": "follow", "names": ["x"] * 129},
        {"type": "follow"},
        {"type": ["breaker"]},
        {"type": "hello"},
        {},
    ],
    ids=lambda told: str(told)[:60],
)
def test_what_has_another_form_is_refused_and_the_connection_goes_on(tmp_path: Path, told: dict[str, Any]) -> None:
    async def scenario() -> None:
        async with reporting(tmp_path / "s"), talking(tmp_path / "s") as talk:
            talk.say(told, opened("payments"), follow("payments"))
            refused = await talk.next()
            assert refused["reason"] in ("form", "size")
            assert refused["hint"]
            assert (await talk.next())["name"] == "payments"

    asyncio.run(scenario())


def test_it_is_forgotten_when_its_time_is_over() -> None:
    board: Board[str] = Board()
    assert board.opened(ALICE, "payments", 60, now=100)
    assert dict(board.open_now(ALICE, ["payments", "mail"], now=130)) == {"payments": 30}
    assert dict(board.open_now(ALICE, ["payments"], now=160)) == {}
    board.sweep(now=160)
    assert len(board) == 0


def test_it_is_open_for_an_hour_at_most_by_one_word() -> None:
    board: Board[str] = Board()
    board.opened(ALICE, "payments", 1e9, now=0)
    assert dict(board.open_now(ALICE, ["payments"], now=0)) == {"payments": module.LONGEST_S}


def test_another_users_breakers_of_that_name_are_others() -> None:
    board: Board[str] = Board()
    board.follow("of bob", BOB, ["payments"])
    board.opened(ALICE, "payments", 60, now=0)
    assert board.followers(ALICE, "payments") == frozenset()
    assert dict(board.open_now(BOB, ["payments"], now=0)) == {}
    assert not board.closed(BOB, "payments")


def test_one_user_cannot_fill_the_board_for_another() -> None:
    board: Board[str] = Board()
    opens = [board.opened(ALICE, f"b{n}", 60, now=0) for n in range(MAX_OPEN_OF_USER + 1)]
    assert opens.count(True) == MAX_OPEN_OF_USER
    assert board.opened(ALICE, "b0", 60, now=1)  # once more
    assert board.opened(BOB, "b", 60, now=0)
    assert board.opened(ALICE, "later", 60, now=62)


def test_the_board_has_an_end() -> None:
    board: Board[str] = Board()
    for uid in range(MAX_OPEN):
        board.opened(uid, "b", 60, now=0)
    assert not board.opened(MAX_OPEN, "b", 60, now=0)
    assert board.opened(MAX_OPEN, "b", 60, now=61)
    assert len(board) == 1


def test_one_connection_follows_so_many() -> None:
    board: Board[str] = Board()
    assert board.follow("a", ALICE, [f"b{n}" for n in range(MAX_FOLLOWED)])
    assert board.follow("a", ALICE, ["b0"])
    assert not board.follow("a", ALICE, ["one more"])
    assert board.followers(ALICE, "one more") == frozenset()


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("xyz"), st.booleans()), max_size=40))
def test_who_left_hears_nothing_and_leaves_nothing(steps: list[tuple[str, str, bool]]) -> None:
    board: Board[str] = Board()
    follows: dict[str, set[str]] = {}
    for who, name, stays in steps:
        if stays:
            board.follow(who, ALICE, [name])
            follows.setdefault(name, set()).add(who)
        else:
            board.left(who)
            for each in follows.values():
                each.discard(who)
        assert all(board.followers(ALICE, each) == who for each, who in follows.items())
    for who in "abc":
        board.left(who)
    assert (board._followers, board._followed) == ({}, {})
