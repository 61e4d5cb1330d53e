"""A value with some fields changed."""

from __future__ import annotations

import pickle
from dataclasses import FrozenInstanceError, replace
from datetime import timedelta

import pytest

import builders as make
from logmedic.model.changed import changed
from logmedic.model.issue import Tally
from logmedic.model.record import Checkpoint


def test_it_is_what_replace_makes() -> None:
    for value, changes in (
        (make.checkpoint(7), {"offset": 8, "at": make.START + timedelta(seconds=1)}),
        (Tally(make.START, "lines", 1), {"n": 2}),
        (make.RULE, {"title": "t", "tags": ("a",)}),
    ):
        assert changed(value, **changes) == replace(value, **changes)
        assert changed(value) == value


def test_it_is_frozen_and_hashed_as_any_other() -> None:
    made = changed(make.checkpoint(7), offset=8)
    assert type(made) is Checkpoint
    assert hash(made) == hash(make.checkpoint(8))
    assert pickle.loads(pickle.dumps(made)) == made
    with pytest.raises(FrozenInstanceError):
        made.offset = 9  # type: ignore[misc]


def test_a_field_that_is_not_there_is_an_error() -> None:
    with pytest.raises(KeyError):
        changed(make.checkpoint(7), ofset=8)
