"""I7, asked a second time: what the installed side accepts as a parameter is what the daemon accepts, and no more."""

from __future__ import annotations

import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logmedic.adapters.fixes.catalogue import specs_of
from logmedic.core.captures import accept, fill
from logmedic.fixrun import values
from logmedic.model.match import Capture, CaptureType

CLOSE = "".join(["0123456789abcfxz.-:[]%/\\@_ ", "A", "\n", "\x00", "ä", "\u202e", "٣", "é"])
"""Characters that the types are about, and those that slip past careless checks."""
PIECES = [
    *("10.0.0.1", "127.0.0.1", "::1", "::ffff:10.0.0.1", "fe80::1%eth0", "010.1.1.1", "1.2.3", "256.1.1.1", "0"),
    *("[", "]", ":", ":80", ":0", ":65535", ":65536", ":00080", ".", "..", "/", "//", "/../", "-", "--", "%"),
    *("example", "example.com", ".example.com.", "EXAMPLE.com", "a" * 63, "a" * 64, "/srv/app", "/srv/application"),
    *("app.service", ".service", "a@b.socket", "x.slice", "two", "three", "9" * 18, "9" * 19, "\n", " ", "٣", "é"),
]
TEXTS = st.one_of(
    st.text(alphabet=CLOSE, max_size=40),
    st.lists(st.sampled_from(PIECES), max_size=5).map("".join),
    st.lists(st.sampled_from(PIECES), min_size=40, max_size=60).map("".join),
    st.text(max_size=10),
)
NETWORKS = ["10.0.0.0/8", "127.0.0.1", "::/0", "fd00::/8", "no network"]
NAMES = ["example.com", ".example.com", "Example.com.", "10.0.0.0/8"]
BOUNDS = st.one_of(st.none(), st.integers(-5, 10**18))
CAPTURES = st.one_of(
    st.builds(Capture, st.sampled_from([CaptureType.IP]), st.lists(st.sampled_from(NETWORKS)).map(tuple)),
    st.builds(Capture, st.sampled_from([CaptureType.HOSTPORT]), st.lists(st.sampled_from(NETWORKS + NAMES)).map(tuple)),
    st.builds(Capture, st.sampled_from([CaptureType.HOSTNAME]), st.lists(st.sampled_from(NAMES)).map(tuple)),
    st.builds(Capture, st.sampled_from([CaptureType.INT]), minimum=BOUNDS, maximum=BOUNDS),
    st.builds(
        Capture,
        st.sampled_from([CaptureType.PATH]),
        st.lists(st.sampled_from(["/srv/app", "/srv/app/", "/"])).map(tuple),
    ),
    st.builds(Capture, st.sampled_from([CaptureType.UNIT]), st.lists(st.sampled_from(["app.service"])).map(tuple)),
    st.builds(Capture, st.sampled_from([CaptureType.WORD])),
    st.builds(Capture, st.sampled_from([CaptureType.ENUM]), values=st.just(("two", "three", "/srv/app"))),
)


def told(capture: Capture) -> dict[str, Any]:
    return specs_of((capture,))[0]


@given(TEXTS, CAPTURES)
def test_both_sides_accept_the_same(value: str, capture: Capture) -> None:
    assert values.accepts(value, told(capture)) == (accept(value, capture) is not None)


@pytest.mark.parametrize("kind", list(CaptureType))
@pytest.mark.parametrize(
    "value", ["", "-x", "--", "a b", "$(id)", ";", "`id`", "a\nb", "\x1b[0m", "x" * 256, "é", "\u202e", "{x}", "/../x"]
)
def test_what_is_dangerous_is_of_no_type(kind: CaptureType, value: str) -> None:
    assert not values.accepts(value, told(Capture(kind)))


def test_a_type_that_is_not_known_accepts_nothing() -> None:
    assert not values.accepts("x", {"type": "anything"})


@given(st.text(alphabet=string.ascii_letters + "{}_0é", max_size=40), st.dictionaries(st.sampled_from("ab"), st.text()))
def test_templates_are_filled_in_the_same_way(template: str, captures: dict[str, str]) -> None:
    assert values.filled(template, captures) == fill(template, captures)


def test_a_value_is_filled_in_once_and_wherever_it_stands() -> None:
    assert values.filled({"a": ["{x}", 1, {"b": "{x}{y}"}]}, {"x": "{y}", "y": "2"}) == {"a": ["{y}", 1, {"b": "{y}2"}]}


PARAMS = {"n": [{"type": "int", "minimum": 1, "maximum": 3}, {"type": "enum", "values": ["all"]}]}


@pytest.mark.parametrize(
    ("captures", "refusal"),
    [
        ({"n": "2"}, ""),
        ({"n": "all"}, ""),
        ({"n": "4"}, "n is not allowed: '4'"),
        ({"n": "\x1b[2J\n"}, "n is not allowed: '\\x1b[2J\\n'"),
        ({"n": 2}, "n is no text"),
        ({}, "n is missing"),
        ({"n": "2", "m": "2"}, "'m' is no parameter of it"),
    ],
)
def test_parameters_are_exactly_those_that_were_installed(captures: dict[str, Any], refusal: str) -> None:
    assert values.refusal(captures, PARAMS) == refusal
