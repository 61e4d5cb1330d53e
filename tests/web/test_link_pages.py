"""The pages behind links, over a real port: looking changes nothing, the form does, and says what came of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

import builders as make
from fakes.served_links import ENDS, RULE, Host, ask, path_to, serving_links, waiting
from logmedic.core.links import Claims, Purpose
from logmedic.model.alert import ReceiverPlan
from logmedic.model.errors import OrderRefused, StoreBusy
from logmedic.model.issue import HoldReason, IncidentStatus

ANN = {"do": "approve", "name": "Ann"}


@pytest.fixture
def host() -> Iterator[Host]:
    with serving_links() as made:
        yield made


def test_the_page_says_what_broke_what_would_be_done_and_until_when(host: Host) -> None:
    told = ask(host, "GET", host.path(Purpose.APPROVE))
    assert told.status == 200
    for said in (
        "web is down",
        "Its fix waits for your decision",
        "restart: /bin/restart web@db1.service",
        "5 times since 2026-11-24 02:56:00 UTC, 4 min ago",
        "This link expires in 30 min, at 2026-11-24 03:30:00 UTC.",
        "connect() failed (111: Connection refused)",
        "logmedic approve 456789ab",
    ):
        assert said in told.text, said


def test_times_are_on_the_clock_of_whom_the_link_was_sent_to() -> None:
    policy = make.policy(RULE)
    berlin = {"chat": ReceiverPlan("chat", zone=ZoneInfo("Europe/Berlin"))}
    with serving_links(policy=replace(policy, alerts=replace(policy.alerts, receivers=berlin))) as host:
        assert "2026-11-24 03:30:00 UTC (04:30:00 CET)" in ask(host, "GET", host.path(Purpose.APPROVE)).text


@pytest.mark.parametrize(
    ("purpose", "buttons"),
    [
        (Purpose.VIEW, []),
        (Purpose.APPROVE, ["approve", "reject"]),
        (Purpose.REJECT, ["reject"]),
        (Purpose.ACK, ["acknowledge"]),
        (Purpose.SILENCE, ["silence"]),
    ],
)
def test_each_link_has_the_buttons_of_its_purpose(host: Host, purpose: Purpose, buttons: list[str]) -> None:
    told = ask(host, "GET", host.path(purpose)).text
    assert re.findall(r'name="do" value="(\w+)"', told) == buttons


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("purpose", Purpose)
def test_looking_changes_nothing_however_often(host: Host, purpose: Purpose, method: str) -> None:
    path, before = host.path(purpose), len(host.store.changesets)
    for query in ("", "?do=approve&name=Ann", "?utm_source=chat"):
        told = ask(host, method, path + query, purpose="prefetch")
        assert told.status == 200
        assert bool(told.text) == (method == "GET")
    assert len(host.store.changesets) == before
    assert host.alerts.did == []


def test_an_approval_lets_the_fix_run_and_is_recorded_with_who_gave_it(host: Host) -> None:
    told = ask(host, "POST", host.path(Purpose.APPROVE), ANN)
    assert told.status == 200
    assert "Approved: its fix begins now" in told.text
    assert host.incident.status is IncidentStatus.CHECKING
    assert host.events("approved") == ["approved by Ann (link sent to chat, from 127.0.0.1)"]


def test_a_rejection_keeps_the_fix_from_running(host: Host) -> None:
    for path in (host.path(Purpose.APPROVE), host.path(Purpose.REJECT)):
        told = ask(host, "POST", path, {"do": "reject", "name": "Ann"})
    assert told.status == 409, "the other link is of the same request"
    assert host.incident.hold is HoldReason.REJECTED
    assert host.events("rejected") == ["rejected by Ann (link sent to chat, from 127.0.0.1)"]


def test_the_second_click_says_who_was_first_and_does_nothing(host: Host) -> None:
    path = host.path(Purpose.APPROVE)
    ask(host, "POST", path, ANN)
    again = ask(host, "POST", path, {"do": "reject", "name": "Bob"})
    assert again.status == 409
    said = "Already approved by Ann (link sent to chat, from 127.0.0.1), 2026-11-24 03:00:00 UTC"
    assert said in again.text
    assert host.events("approved", "rejected") == ["approved by Ann (link sent to chat, from 127.0.0.1)"]
    later = ask(host, "GET", path)
    assert "<form" not in later.text
    assert said in later.text
    assert 'http-equiv="refresh"' in later.text, "it shows how the fix goes"


def test_what_holds_the_fix_beside_the_approval_is_said() -> None:
    policy = make.policy(RULE)
    with serving_links(policy=policy) as host:
        path = host.path(Purpose.APPROVE)
        host.policy = replace(policy, arming=replace(policy.arming, armed=False, reason="the canary got out"))
        told = ask(host, "POST", path, ANN)
    assert told.status == 200
    assert "Approved: its fix is held (disarmed): the canary got out" in told.text


@pytest.mark.parametrize(
    ("form", "lasts"),
    [({"for": "over"}, None), ({"for": "4h"}, timedelta(hours=4))],
    ids=["until it is over", "for 4 hours"],
)
def test_an_acknowledgement_lasts_as_long_as_it_says(host: Host, form: dict[str, str], lasts: timedelta | None) -> None:
    told = ask(host, "POST", host.path(Purpose.ACK), {"do": "acknowledge", "name": "Ann", **form})
    assert told.status == 200
    until = make.START + lasts if lasts is not None else None
    by = "Ann (link sent to chat, from 127.0.0.1)"
    assert host.alerts.did == [("acknowledge", f"incident:{host.incident.id}", by, until)]


def test_a_silence_has_an_end_and_a_reason(host: Host) -> None:
    form = {"do": "silence", "name": "Ann", "for": "24h", "why": "the vendor works on it"}
    told = ask(host, "POST", host.path(Purpose.SILENCE), form)
    assert told.status == 200
    assert "Silenced until 2026-11-25 03:00:00 UTC" in told.text
    by, until = "Ann (link sent to chat, from 127.0.0.1)", make.START + timedelta(hours=24)
    assert host.alerts.did == [("silence", host.incident.id, by, until, "the vendor works on it")]


@pytest.mark.parametrize(
    ("purpose", "form", "says"),
    [
        (Purpose.APPROVE, {"do": "approve"}, "Write your name"),
        (Purpose.APPROVE, {"do": "approve", "name": " \u200b.-"}, "Write your name"),
        (Purpose.APPROVE, {"name": "Ann"}, "Press one of the buttons"),
        (Purpose.APPROVE, {"do": "view", "name": "Ann"}, "Press one of the buttons"),
        (Purpose.SILENCE, {"do": "silence", "name": "Ann", "for": "1h", "why": " "}, "Write why"),
        (Purpose.SILENCE, {"do": "silence", "name": "Ann", "for": "1h", "why": "x" * 201}, "at most 200 characters"),
        (Purpose.SILENCE, {"do": "silence", "name": "Ann", "for": "99h", "why": "x"}, "Choose for how long"),
        (Purpose.ACK, {"do": "acknowledge", "name": "Ann"}, "Choose for how long"),
    ],
)
def test_a_form_that_says_too_little_is_shown_again_with_what_it_had(
    host: Host, purpose: Purpose, form: dict[str, str], says: str
) -> None:
    told = ask(host, "POST", host.path(purpose), form)
    assert told.status == 400
    assert says in told.text
    assert 'role="alert"' in told.text
    if form.get("name") == "Ann":
        assert 'value="Ann"' in told.text
    assert host.events("approved") == []
    assert host.alerts.did == []


def test_what_the_desk_refuses_is_said_with_what_to_do(host: Host) -> None:
    host.alerts.refuses = OrderRefused("nobody is told of it", "logmedic show 456789ab")
    told = ask(host, "POST", host.path(Purpose.ACK), {"do": "acknowledge", "name": "Ann", "for": "over"})
    assert told.status == 409
    assert "Nobody is told of it" in told.text
    assert "Next: logmedic show 456789ab" in told.text


def test_an_incident_that_is_over_can_be_looked_at() -> None:
    done = waiting(status=IncidentStatus.RESOLVED, hold=None, due_at=None, resolution_notes="silent for 5m")
    with serving_links(done) as host:
        told = ask(host, "GET", path_to(Claims(Purpose.ACK, done.id, "chat", ENDS)))
    assert told.status == 200
    assert "It is over: silent for 5m" in told.text
    assert "<form" not in told.text


def test_an_incident_that_was_forgotten_is_said_to_be_unknown(host: Host) -> None:
    told = ask(host, "GET", host.path(Purpose.VIEW, incident_id="0193b0c4-1111-7abc-8abc-00000000dead"))
    assert told.status == 404
    assert "No incident 0193b0c4-1111-7abc-8abc-00000000dead" in told.text


def test_every_answer_keeps_itself_out_of_caches_frames_and_scripts(host: Host) -> None:
    for method, path in (("GET", host.path(Purpose.APPROVE)), ("GET", "/"), ("GET", "/a/x"), ("PUT", "/a/x")):
        headers = ask(host, method, path).headers
        policy = headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; style-src 'sha256-")
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert headers["cache-control"] == "no-store"
        assert headers["referrer-policy"] == "same-origin"
        assert headers["x-frame-options"] == "DENY"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-robots-tag"].startswith("noindex")
        assert headers["connection"] == "close"
        assert "server" not in headers
        assert "set-cookie" not in headers


def test_pages_need_no_script_and_load_nothing(host: Host) -> None:
    for purpose in Purpose:
        told = ask(host, "GET", host.path(purpose)).text
        assert not re.search(r"<(script|img|iframe|link|object)\b|\son\w+=|\sstyle=", told)


def test_enter_in_a_field_presses_no_button(host: Host) -> None:
    told = ask(host, "GET", host.path(Purpose.APPROVE)).text
    first = re.search(r"<button [^>]*>", told)
    assert first is not None
    assert "disabled hidden" in first[0]


def test_a_store_that_is_busy_is_no_mistake_of_the_link(host: Host) -> None:
    async def busy(*_: object, **__: object) -> object:
        raise StoreBusy("the store is busy", "try again")

    host.store.ask = busy  # type: ignore[method-assign]
    told = ask(host, "GET", host.path(Purpose.VIEW))
    assert told.status == 503
    assert "The store is busy" in told.text


# -- a proxy that signs people in --------------------------------------------------------------------------------------


def test_a_proxy_on_this_host_names_who_acts_and_for_whom_it_speaks() -> None:
    with serving_links(user_header="x-remote-user") as host:
        path = host.path(Purpose.APPROVE)
        shown = ask(host, "GET", path, x_remote_user="ann@example.com").text
        assert "You are signed in as ann@example.com." in shown
        assert 'name="name"' not in shown
        sent = {"x_remote_user": "ann@example.com", "x_forwarded_for": "8.8.8.8, 203.0.113.7"}
        told = ask(
            host, "POST", path, {"do": "approve", "name": "Mallory"}, host="logmedic.example",
            origin="https://logmedic.example", **sent,
        )  # fmt: skip
        assert told.status == 200
        assert host.events("approved") == [
            "approved by ann@example.com (signed in, link sent to chat, from 203.0.113.7 through 127.0.0.1)"
        ]


def test_whom_the_proxy_does_not_name_sees_and_does_nothing() -> None:
    with serving_links(user_header="x-remote-user") as host:
        for headers in ({}, {"x_remote_user": ""}, {"x_remote_user": " (,) "}):
            told = ask(host, "GET", host.path(Purpose.VIEW), **headers)
            assert told.status == 403
            assert "You are not signed in" in told.text
            assert "web is down" not in told.text


def test_without_a_proxy_its_header_names_nobody(host: Host) -> None:
    ask(host, "POST", host.path(Purpose.APPROVE), ANN, x_remote_user="root")
    assert host.events("approved") == ["approved by Ann (link sent to chat, from 127.0.0.1)"]
