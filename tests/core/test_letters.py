"""Stories and messages as they are kept until they are told."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.told import ALONE, golden
from logmedic.core.letters import pack, pack_story, unpack, unpack_story
from logmedic.model.message import Message, Story

ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
MOMENTS = st.datetimes(timezones=ZONES)
STORIES = st.builds(Story, since=MOMENTS)
MESSAGES = st.builds(Message, stories=st.lists(STORIES, max_size=3).map(tuple))


@given(STORIES)
def test_a_story_comes_back_as_it_was(story: Story) -> None:
    assert unpack_story(pack_story(story)) == story


@given(MESSAGES)
def test_a_message_comes_back_as_it_was(message: Message) -> None:
    assert unpack(pack(message)) == message


@given(MESSAGES)
def test_a_letter_is_one_line_of_ascii_and_the_same_for_what_is_equal(message: Message) -> None:
    letter = pack(message)
    assert letter.isascii()
    assert "\n" not in letter
    assert letter == pack(replace(message))


@pytest.mark.parametrize("name", sorted(golden()))
def test_all_that_is_told_comes_back(name: str) -> None:
    assert unpack(pack(golden()[name])) == golden()[name]


def test_what_a_newer_daemon_wrote_beside_it_is_left_alone() -> None:
    row = json.loads(pack_story(ALONE["opened"]))
    assert unpack_story(json.dumps({**row, "mood": ["sad"]})) == ALONE["opened"]


def test_what_an_older_daemon_did_not_write_has_its_default() -> None:
    row = json.loads(pack_story(ALONE["opened"]))
    del row["effects"], row["history"]
    assert unpack_story(json.dumps(row)) == replace(ALONE["opened"], effects=0, history=())


def changed(**values: object) -> str:
    return json.dumps({**json.loads(pack_story(ALONE["opened"])), **values})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "null",
        "[]",
        "{}",
        "[" * 100_000,
        changed(event="unheard of"),
        changed(severity=3),
        changed(since="yesterday"),
        changed(since="2026-11-24T03:00:00"),
        changed(since=None),
        changed(occurrences="12"),
        changed(occurrences=True),
        changed(occurrences=1.0),
        changed(tags="web"),
        changed(tags=[1]),
        changed(history={"0": "x"}),
        changed(over=0),
    ],
)
def test_what_is_no_letter_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        unpack_story(text)
    with pytest.raises(ValueError, match=r"\w"):
        unpack(text)
