"""What another process says is taken for a value only when it is one."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logmedic.core.fromjson import object_of, value_of
from logmedic.model.alert import Delivery
from logmedic.model.fix import FixResult


@dataclass(frozen=True, slots=True)
class Thing:
    name: str
    size: int | None
    share: float = 0.5
    marks: tuple[str, ...] = ()
    is_whole: bool = True


@given(
    st.builds(
        Thing,
        st.text(),
        st.none() | st.integers(-(2**60), 2**60),
        st.floats(allow_nan=False),
        st.lists(st.text()).map(tuple),
        st.booleans(),
    )
)
def test_a_value_comes_back_as_it_was(thing: Thing) -> None:
    assert value_of(Thing, object_of(json.dumps(asdict(thing)))) == thing


def test_what_is_left_out_has_its_default() -> None:
    assert value_of(Thing, {"name": "x", "size": None}) == Thing("x", None)


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ([], "it is no object"),
        ({"name": "x"}, "size is missing"),
        ({"name": "x", "size": 1, "odd": 2}, "'odd' is not known"),
        ({"name": 7, "size": 1}, "name is of another type"),
        ({"name": "x", "size": "1"}, "size is of another type"),
        ({"name": "x", "size": True}, "size is of another type"),
        ({"name": "x", "size": 1, "share": True}, "share is of another type"),
        ({"name": "x", "size": 1, "marks": "abc"}, "marks is of another type"),
        ({"name": "x", "size": 1, "marks": ["a", 1]}, "marks is of another type"),
        ({"name": "x", "size": 1, "is_whole": 1}, "is_whole is of another type"),
    ],
)
def test_what_is_of_another_form_is_refused(row: Any, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        value_of(Thing, row)


@pytest.mark.parametrize("told", ["", "7", "[]", "nul", "[" * 100_000, '{"a":' * 100_000])
def test_what_is_no_object_is_refused_however_deep_it_is(told: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        object_of(told)


def test_the_answers_of_the_daemon_s_own_children_are_of_that_form() -> None:
    for each in (Delivery(False, "no", True, 3.5), Delivery(True), FixResult(None, 0.0), FixResult(0, 1.5, "done")):
        assert value_of(type(each), asdict(each)) == each
