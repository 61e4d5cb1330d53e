from __future__ import annotations

import asyncio
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logmedic.client import requestid

NEW = 32


@pytest.mark.parametrize(
    "header", ["a", "7f3c-11", "Root=1-67891233-abcdef012345678912345678", "x" * 128, "a@b/c:d+e=._-"]
)
def test_a_well_formed_id_from_outside_is_kept(header: str) -> None:
    assert requestid.accepted(header) == header


@pytest.mark.parametrize(
    "header",
    ["", "x" * 129, "a b", "a\n", "a\r\nX-Evil: 1", "a\x00", "\x1b[31m", "é", "\u0661", "a\n2026-11-26 ERROR forged"],
)
def test_any_other_is_replaced(header: str) -> None:
    made = requestid.accepted(header)

    assert made != header
    assert len(made) == NEW


@given(st.text())
def test_no_header_puts_a_second_line_into_a_log(header: str) -> None:
    made = requestid.accepted(header)

    assert made.isascii()
    assert made.isprintable()
    assert 1 <= len(made) <= 128
    assert not set(made) & set(" \"'<>{}\\%")


def test_new_ids_differ() -> None:
    assert len({requestid.new() for _ in range(1000)}) == 1000


def test_it_is_bound_inside_and_what_it_was_before_afterwards() -> None:
    assert requestid.current() == ""
    with requestid.bound("outer"):
        with requestid.bound("inner") as inner:
            assert requestid.current() == inner == "inner"
        assert requestid.current() == "outer"
    assert requestid.current() == ""


def test_an_error_unbinds_it() -> None:
    with pytest.raises(KeyError), requestid.bound("r"):
        raise KeyError
    assert requestid.current() == ""


def test_tasks_keep_their_own_and_hand_it_to_threads() -> None:
    async def request(name: str) -> tuple[str, str]:
        with requestid.bound(name):
            await asyncio.sleep(0)
            return requestid.current(), await asyncio.to_thread(requestid.current)

    async def many() -> list[tuple[str, str]]:
        return list(await asyncio.gather(*(request(f"r{n}") for n in range(20))))

    assert asyncio.run(many()) == [(f"r{n}", f"r{n}") for n in range(20)]


def test_a_thread_of_ones_own_begins_without() -> None:
    seen: list[str] = []
    with requestid.bound("r"):
        thread = threading.Thread(target=lambda: seen.append(requestid.current()))
        thread.start()
        thread.join()
    assert seen == [""]
