"""Links of messages: what was signed is what is read, and nothing else is; an approval is of one request."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import builders as make
from logmedic.core.links import (
    ALLOWED,
    LONGEST_RECEIVER,
    PATH,
    Claims,
    LinkExpired,
    LinkForged,
    LinkRefused,
    Purpose,
    ask_of,
    of_incident,
    sign,
    verify,
)
from logmedic.core.targets import fingerprint
from logmedic.model.alert import LinkPlan
from logmedic.model.changeset import Approve, Reject
from logmedic.model.issue import HoldReason, Incident, IncidentStatus
from logmedic.model.rule import Mode
from logmedic.model.severity import Severity
from logmedic.model.step import Command, Step

PLAN = LinkPlan("https://logmedic.example/on/db1", bytes(range(32)))
APPROVED = replace(make.RULE, fix=replace(make.FIX, mode=Mode.APPROVE))
PRINT = fingerprint(APPROVED.fix) if APPROVED.fix is not None else ""
WAITS = Incident(
    *("0193b0c4-1111-7abc-8abc-0123456789ab", "s1", "web-down", "", "web is down", Severity.HIGH),
    opened_at=make.START,
    last_match_at=make.START,
    hold=HoldReason.AWAITING_APPROVAL,
    due_at=make.START + timedelta(minutes=30),
    fix=PRINT,
)

texts = st.text(st.characters(codec="utf-8"))
claims = st.builds(
    Claims,
    st.sampled_from(Purpose),
    st.uuids().map(str) | texts.filter(lambda text: 0 < len(text.encode()) < 256),
    texts.map(lambda text: text[:LONGEST_RECEIVER]),
    st.integers(1, 2**32 - 1).map(lambda s: datetime.fromtimestamp(s, UTC)),
    st.just("") | st.binary(min_size=8, max_size=8).filter(any).map(bytes.hex),
)
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


def token_of(given: Claims, plan: LinkPlan = PLAN) -> str:
    return sign(plan, given).removeprefix(plan.url + PATH)


# -- tokens ------------------------------------------------------------------------------------------------------------


@given(claims)
def test_what_was_signed_is_what_is_read(told: Claims) -> None:
    token = token_of(told)
    assert verify(PLAN.key, token, LONG_AGO) == told
    assert set(token) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


def test_a_link_is_short_enough_for_a_chat() -> None:
    links = of_incident(PLAN, WAITS, "oncall-chat", make.START)
    assert max(len(each.url) for each in links) < 120


@given(claims, st.data())
def test_an_altered_token_opens_nothing(told: Claims, data: st.DataObject) -> None:
    token = token_of(told)
    at = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.characters(codec="ascii", exclude_characters=token[at]))
    with pytest.raises(LinkForged):
        verify(PLAN.key, token[:at] + other + token[at + 1 :], LONG_AGO)


@given(claims, st.data())
def test_no_piece_of_a_token_and_nothing_longer_opens_anything(told: Claims, data: st.DataObject) -> None:
    token = token_of(told)
    begin, end = data.draw(st.integers(0, len(token))), data.draw(st.integers(0, len(token)))
    assume(token[begin:end] != token)
    for made in (token[begin:end], token + token[begin:end] if end > begin else f"{token}A", f"{token}=", f" {token}"):
        with pytest.raises(LinkForged):
            verify(PLAN.key, made, LONG_AGO)


@given(st.text(max_size=200) | st.binary(max_size=200).map(lambda raw: base64.urlsafe_b64encode(raw).decode()))
def test_no_made_up_token_opens_anything(made: str) -> None:
    with pytest.raises(LinkForged):
        verify(PLAN.key, made, LONG_AGO)


@given(claims, st.binary(min_size=1, max_size=64))
def test_a_link_of_another_key_opens_nothing(told: Claims, key: bytes) -> None:
    assume(key.ljust(64, b"\0") != PLAN.key.ljust(64, b"\0"))  # HMAC takes a short key for one with zeros behind it
    with pytest.raises(LinkForged):
        verify(PLAN.key, token_of(told, replace(PLAN, key=key)), LONG_AGO)


@given(claims, claims)
def test_two_links_with_other_claims_are_two_tokens(one: Claims, other: Claims) -> None:
    assert (token_of(one) == token_of(other)) == (one == other)


def test_a_huge_token_is_not_even_looked_at() -> None:
    with pytest.raises(LinkForged):
        verify(PLAN.key, "A" * 1_000_000, make.START)


def test_a_link_expires_to_the_second_and_says_what_to_do() -> None:
    token = token_of(Claims(Purpose.ACK, WAITS.id, "chat", make.START))
    assert verify(PLAN.key, token, make.START - timedelta(microseconds=1)).purpose is Purpose.ACK
    for late in (timedelta(0), timedelta(days=4000)):
        with pytest.raises(LinkExpired) as refused:
            verify(PLAN.key, token, make.START + late)
        assert refused.value.text == "this link expired at 2026-11-24 03:00:00 UTC"
        assert "logmedic show 456789ab" in refused.value.hint


@pytest.mark.parametrize("bad", [{"incident_id": ""}, {"incident_id": "x" * 256}, {"ask": "abcd"}])
def test_what_does_not_fit_is_not_signed(bad: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"ask|id of an incident"):
        sign(PLAN, replace(Claims(Purpose.VIEW, WAITS.id, "chat", make.START), **bad))


def test_every_refusal_is_one_of_a_link() -> None:
    assert issubclass(LinkForged, LinkRefused)
    assert issubclass(LinkExpired, LinkRefused)


# -- what a link is for ------------------------------------------------------------------------------------------------


def test_each_link_does_its_own_thing_and_looking_does_nothing() -> None:
    assert ALLOWED[Purpose.VIEW] == set()
    assert ALLOWED[Purpose.APPROVE] == {Purpose.APPROVE, Purpose.REJECT}
    for alone in (Purpose.REJECT, Purpose.ACK, Purpose.SILENCE):
        assert ALLOWED[alone] == {alone}
    assert set(ALLOWED) == set(Purpose)


def test_a_message_has_answers_only_while_somebody_is_asked() -> None:
    asked = of_incident(PLAN, WAITS, "chat", make.START)
    told = of_incident(PLAN, replace(WAITS, hold=HoldReason.COOLDOWN), "chat", make.START)
    assert [each.label for each in asked] == ["Approve", "Reject", "Open", "Acknowledge", "Silence"]
    assert [each.label for each in told] == ["Open", "Acknowledge", "Silence"]


def test_answers_expire_with_the_request_and_the_others_with_the_plan() -> None:
    links = of_incident(PLAN, WAITS, "chat", make.START)
    read = {
        each.label: verify(PLAN.key, each.url.removeprefix(PLAN.url + PATH), make.START).expires_at for each in links
    }
    assert read["Approve"] == read["Reject"] == WAITS.due_at
    assert read["Open"] == read["Acknowledge"] == read["Silence"] == make.START + PLAN.lasts


# -- one request, one answer -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        {"due_at": make.START + timedelta(minutes=30, microseconds=1)},
        {"fix": "0" * 12},
        {"id": "0193b0c4-1111-7abc-8abc-0123456789ac"},
    ],
    ids=["asked anew", "another fix", "another incident"],
)
def test_another_request_has_another_ask(changes: dict[str, Any]) -> None:
    assert ask_of(replace(WAITS, **changes)) not in ("", ask_of(WAITS))


@pytest.mark.parametrize(
    "changes",
    [{"hold": HoldReason.REJECTED}, {"hold": None}, {"status": IncidentStatus.FIXING}, {"due_at": None}],
    ids=["rejected", "not held", "under way", "no end"],
)
def test_what_waits_for_no_approval_has_no_ask(changes: dict[str, Any]) -> None:
    assert ask_of(replace(WAITS, **changes)) == ""


def asked() -> tuple[make.Bench, Incident]:
    bench = make.Bench(make.policy(APPROVED))
    bench.matched(rule=APPROVED)
    incident = bench.incident()
    assert ask_of(incident)
    return bench, incident


@pytest.mark.parametrize("answer", [Approve, Reject])
def test_a_further_match_leaves_the_request_as_it_is(answer: type[Approve | Reject]) -> None:
    bench, incident = asked()
    bench.matched(after=60, rule=APPROVED)
    assert ask_of(bench.incident()) == ask_of(incident)
    bench.give(answer(incident.id, "ann", ask_of(incident)))
    assert bench.tally("approvals_ignored") == 0


@pytest.mark.parametrize("second", [Approve, Reject])
@pytest.mark.parametrize("first", [Approve, Reject])
def test_the_second_answer_changes_nothing(first: type[Approve | Reject], second: type[Approve | Reject]) -> None:
    bench, incident = asked()
    bench.give(first(incident.id, "ann", ask_of(incident)))
    after = bench.incident()
    bench.give(second(incident.id, "bob", ask_of(incident)))
    assert bench.incident() == after
    assert bench.tally("approvals_ignored") == 1


@pytest.mark.parametrize("answer", [Approve, Reject])
def test_an_answer_to_what_was_asked_before_a_rejection_is_no_answer_to_what_is_asked_after_it(
    answer: type[Approve | Reject],
) -> None:
    bench, incident = asked()
    bench.give(Reject(incident.id, "ann", ask_of(incident)))
    bench.matched(after=60, rule=APPROVED)
    anew = bench.incident()
    assert ask_of(anew) not in ("", ask_of(incident))
    bench.give(answer(incident.id, "bob", ask_of(incident)))
    assert bench.incident() == anew
    bench.give(Approve(incident.id, "bob"))
    assert bench.incident().approved_by == "bob", "typed in a shell it is an answer to what is asked now"


def test_a_fix_that_was_changed_meanwhile_is_not_approved_by_the_link_of_the_old_one() -> None:
    bench, incident = asked()
    assert APPROVED.fix is not None
    other = replace(APPROVED, fix=replace(APPROVED.fix, steps=(Step("erase", Command(("/bin/rm", "-r", "/srv"))),)))
    bench.policy = make.policy(other)
    bench.give(Approve(incident.id, "ann", ask_of(incident)))
    assert bench.tally("approvals_ignored") == 1
    assert bench.incident().approved_by == ""


def test_an_answer_after_its_time_is_no_answer() -> None:
    bench, incident = asked()
    assert incident.due_at is not None
    bench.give(Approve(incident.id, "ann", ask_of(incident)), (incident.due_at - bench.now).total_seconds())
    assert bench.incident().approved_by == ""
