"""Pages: where the next one begins, whatever comes in front meanwhile."""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logmedic.core.paging import LONGEST, ORDERS, cursor_of, place_of, place_of_row
from logmedic.model.errors import BadCursor

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
Row = Mapping[str, Any]


def told(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


# Few different times, with and without fractions: ties are what goes wrong.
times = st.integers(0, 6).map(lambda n: told(NOW + timedelta(seconds=n / 2)))
names = st.text("ab0\u00e9/\" '", min_size=1, max_size=3)
rows = st.fixed_dictionaries(
    {
        "id": names,
        "fingerprint": names,
        "last_seen": times,
        "created_at": times,
        "updated_at": st.none() | times,
    }
)
questions = st.sampled_from(sorted(ORDERS))


def unique(question: str, found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """As a table has them: the last field of the order names one row."""
    key = ORDERS[question][-1]
    return list({row[key]: row for row in found}.values())


def page(question: str, found: list[Row], cursor: str, limit: int) -> list[Row]:
    place = place_of(question, cursor)
    behind = [row for row in found if not place or place_of_row(question, row) < place]
    return sorted(behind, key=lambda row: place_of_row(question, row), reverse=True)[:limit]


@given(question=questions, found=st.lists(rows, max_size=30), limit=st.integers(1, 7), news=st.data())
def test_pages_give_every_row_once_while_others_come_in_front(
    question: str, found: list[dict[str, Any]], limit: int, news: st.DataObject
) -> None:
    table = unique(question, found)
    wanted = page(question, list(table), "", len(table))
    seen: list[Row] = []
    cursor = ""
    while part := page(question, list(table), cursor, limit):
        seen += part
        cursor = cursor_of(question, part[-1])
        front = {**news.draw(rows), "last_seen": told(NOW + timedelta(days=1 + len(seen))), "updated_at": None}
        front |= {
            "created_at": front["last_seen"],
            "id": f"\u9999{len(seen):04}",
            "fingerprint": f"\u9999{len(seen):04}",
        }
        table.append(front)
    assert seen == wanted


@given(question=questions, row=rows)
def test_a_cursor_stands_for_its_row_and_goes_into_an_address_as_it_is(question: str, row: dict[str, Any]) -> None:
    cursor = cursor_of(question, row)
    assert re.fullmatch(r"[A-Za-z0-9_-]+", cursor)
    assert place_of(question, cursor) == place_of_row(question, row)


@given(
    question=questions, cursor=st.text(max_size=40) | st.binary(max_size=40).map(urlsafe_b64encode).map(bytes.decode)
)
def test_whatever_is_no_cursor_is_refused_with_what_to_do(question: str, cursor: str) -> None:
    if cursor:
        with pytest.raises(BadCursor) as refused:
            place_of(question, cursor)
        assert "without a cursor" in refused.value.hint
    else:
        assert place_of(question, cursor) == ()


def made_of(*parts: Any) -> str:
    return urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "cursor",
    [
        made_of("alerts", told(NOW), "i1"),
        made_of("issues", told(NOW)),
        made_of("issues", told(NOW), "i1", "more"),
        made_of("issues", "yesterday", "i1"),
        made_of("issues", "2026-11-24T12:00:00", "i1"),
        made_of("issues", "0001-01-01T00:00:00+23:00", "i1"),
        made_of("issues", told(NOW), 7),
        made_of("issues", told(NOW), "\ud800"),
        made_of(),
        urlsafe_b64encode(b'{"issues": 1}').decode(),
        urlsafe_b64encode(b"[" * 700).decode(),
        "A" * (LONGEST + 1),
    ],
    ids=[
        *("of another question", "too short", "too long", "no time", "of no zone", "before all time", "a number"),
        *("no Unicode", "nothing", "no list", "nested", "endless"),
    ],
)
def test_a_made_up_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(BadCursor, match="no page begins at"):
        place_of("issues", cursor)


def test_times_of_other_zones_are_the_same_place() -> None:
    there = NOW.astimezone(timezone(timedelta(hours=2)))
    assert place_of("issues", made_of("issues", there.isoformat(), "i1")) == (NOW, "i1")


def test_what_has_no_pages_has_no_cursor() -> None:
    with pytest.raises(KeyError):
        cursor_of("breakers", {"id": "x"})
