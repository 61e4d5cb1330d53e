"""Sessions: only what we have written is read, and it says just what we wrote."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from logmedic.adapters.web.sessions import (
    LASTS,
    MOST_ENDED,
    MOST_TICKETS,
    TICKET_LASTS,
    Sessions,
    Tickets,
    session_key,
)

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
KEYS = st.binary(min_size=32, max_size=32)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
COOKIES = st.text(st.characters(codec="ascii"), max_size=300)


@given(key=KEYS, name=TEXTS, may_act=st.booleans(), of=TEXTS, age=st.integers(0, 2 * 12 * 3600))
def test_what_was_written_is_read_until_it_is_over(key: bytes, name: str, may_act: bool, of: str, age: int) -> None:
    sessions = Sessions(key)
    began = sessions.begin(name, may_act, of, NOW)
    cookie = sessions.written(began)
    assert set(cookie) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.")
    found = sessions.read(cookie, NOW + timedelta(seconds=age))
    fits = len(cookie) <= 1024
    assert found == (began if fits and age < LASTS.total_seconds() else None)


@given(key=KEYS, at=st.integers(0, 10_000), to=st.characters(codec="ascii"))
def test_a_cookie_with_any_letter_changed_is_none(key: bytes, at: int, to: str) -> None:
    sessions = Sessions(key)
    cookie = sessions.written(sessions.begin("alice", False, "token:alice", NOW))
    at %= len(cookie)
    changed = cookie[:at] + to + cookie[at + 1 :]
    found = sessions.read(changed, NOW)
    assert found is None or changed == cookie


@given(key=KEYS, other=KEYS, cookie=COOKIES)
def test_nothing_else_is_read(key: bytes, other: bytes, cookie: str) -> None:
    assert Sessions(key).read(cookie, NOW) is None
    if key != other:
        assert Sessions(key).read(Sessions(other).written(Sessions(other).begin("a", True, "b", NOW)), NOW) is None


def test_the_key_of_links_signs_no_session() -> None:
    key = bytes(32)
    began = Sessions(key).begin("alice", True, "token:alice", NOW)
    assert Sessions(session_key(key)).read(Sessions(key).written(began), NOW) is None


def test_a_session_that_was_ended_is_over_and_others_go_on() -> None:
    sessions = Sessions(bytes(32))
    one, other = (sessions.begin("alice", True, "token:alice", NOW) for _ in range(2))
    sessions.end(one, NOW)
    assert sessions.read(sessions.written(one), NOW) is None
    assert sessions.read(sessions.written(other), NOW) == other


def test_more_ends_than_can_be_remembered_end_all_of_that_user_that_began_before() -> None:
    sessions = Sessions(bytes(32))
    first, other = sessions.begin("a", True, "b", NOW), sessions.begin("a", True, "b", NOW)
    sessions.end(first, NOW)
    for _ in range(MOST_ENDED):
        sessions.end(sessions.begin("a", True, "b", NOW), NOW)
    assert len(sessions._ended["b"]) <= MOST_ENDED
    assert sessions.read(sessions.written(first), NOW) is None
    assert sessions.read(sessions.written(other), NOW) is None
    later = NOW + timedelta(seconds=2)
    assert sessions.read(sessions.written(sessions.begin("a", True, "b", later)), later) is not None


def test_forms_of_two_sessions_have_nothing_in_common() -> None:
    sessions = Sessions(bytes(32))
    one, other = (sessions.begin("alice", True, "token:alice", NOW) for _ in range(2))
    assert sessions.csrf(one) != sessions.csrf(other)
    assert sessions.csrf(one) == sessions.csrf(replace(one, may_act=False))


def test_a_ticket_is_taken_once_and_in_time() -> None:
    tickets = Tickets()
    secret, ticket = tickets.issue("alice", True, "user:1000:1000", NOW)
    assert tickets.take("another", NOW) is None
    assert tickets.seen(secret, NOW) == ticket
    assert tickets.take(secret, NOW) == ticket
    assert tickets.take(secret, NOW) is None
    late, _ = tickets.issue("alice", True, "user:1000:1000", NOW)
    assert tickets.take(late, NOW + TICKET_LASTS) is None


def test_tickets_that_nobody_takes_do_not_pile_up() -> None:
    tickets = Tickets()
    issued = [tickets.issue("alice", True, "user:1000:1000", NOW)[0] for _ in range(3 * MOST_TICKETS)]
    assert len(tickets._known) == MOST_TICKETS
    assert tickets.seen(issued[0], NOW) is None
    assert tickets.seen(issued[-1], NOW) is not None
