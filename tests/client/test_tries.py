"""When the next connection is tried, on a clock of seconds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logmedic.client.sending.trying import EARLIEST_S, LIMIT, Tries


def test_the_first_try_is_at_once() -> None:
    assert Tries("seed").due_in(0.0) == 0.0


def test_tries_that_fail_come_ever_later_up_to_a_limit() -> None:
    tries = Tries("seed")
    waits = []
    for _ in range(12):
        tries.failed(100.0)
        waits.append(tries.due_in(100.0))
    assert waits[0] == pytest.approx(0.1, rel=0.26)
    assert waits[:5] == sorted(waits[:5])
    assert waits[-1] == pytest.approx(LIMIT.total_seconds(), rel=0.26)


def test_new_work_hastens_a_try_but_not_more_than_once_a_second() -> None:
    tries = Tries("seed")
    for _ in range(10):
        tries.failed(100.0)
    tries.hasten()
    assert tries.due_in(100.0) == pytest.approx(EARLIEST_S)
    assert tries.due_in(101.5) == 0.0


def test_what_worked_begins_anew() -> None:
    tries = Tries("seed")
    for _ in range(10):
        tries.failed(100.0)
    tries.worked()
    assert tries.due_in(100.0) == 0.0
    tries.failed(100.0)
    assert tries.due_in(100.0) < 0.2


@given(st.text(), st.integers(1, 500))
def test_no_process_waits_for_longer_than_the_limit_allows(seed: str, failures: int) -> None:
    tries = Tries(seed)
    for _ in range(failures):
        tries.failed(0.0)
    assert 0.0 < tries.due_in(0.0) <= LIMIT.total_seconds() * 1.25
