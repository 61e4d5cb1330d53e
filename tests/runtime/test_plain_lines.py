"""Positions behind plain lines: committed together, soon, and never without their lines."""

from __future__ import annotations

from builders import checkpoint
from logmedic.model.changeset import Advanced, Observed
from logmedic.model.record import Findings
from logmedic.runtime.plainlines import FLUSH_EVERY_S, FLUSH_SHARE, PlainLines

AT_S = 0.0
"""A loop's clock may begin anywhere."""


def block(offset: int, lines: int, origin: str = "a.log") -> Observed:
    return Observed("web", origin, Findings(lines=lines), checkpoint(offset, origin))


def test_the_newest_position_of_each_origin_is_taken_with_all_lines_before_it() -> None:
    plain = PlainLines()
    plain.remember(plain.joined(block(10, 1)), AT_S)
    plain.remember(plain.joined(block(5, 2, "b.log")), AT_S)
    plain.remember(plain.joined(block(30, 4)), AT_S)
    taken = plain.take()
    assert taken is not None
    assert set(taken.checkpoints) == {checkpoint(30), checkpoint(5, "b.log")}
    assert taken.lines == 7
    assert plain.take() is None


def test_lines_that_wait_go_with_the_next_block_of_their_origin_and_only_there() -> None:
    plain = PlainLines()
    plain.remember(block(10, 3), AT_S)
    assert plain.joined(block(7, 1, "b.log")).findings.lines == 1
    assert plain.joined(block(20, 1)).findings.lines == 4
    assert plain.take() is None


def test_a_block_without_a_position_counts_its_lines() -> None:
    plain = PlainLines()
    plain.remember(Observed("web", "a.log", Findings(lines=2), None), AT_S)
    assert plain.take() == Advanced((), 2)


def test_they_wait_from_the_first_on_and_longer_where_their_commit_takes_long() -> None:
    plain = PlainLines()
    assert plain.due_at is None
    plain.remember(block(10, 1), AT_S)
    plain.remember(block(20, 1), AT_S + 0.7)
    assert plain.due_at == AT_S + FLUSH_EVERY_S
    plain.take()
    assert plain.due_at is None
    plain.took(0.5)
    plain.remember(block(30, 1), AT_S)
    assert plain.due_at == AT_S + 0.5 * FLUSH_SHARE
