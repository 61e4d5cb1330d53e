"""The loopback port: who comes in with what, and what is kept out."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from contracts.test_store_contract import EVERYTHING
from fakes.canned_control import CannedControl
from fakes.memory_store import MemoryStore
from fakes.served import ACTS, KEY, READS, TOKENS, Dashboard, serving_dashboard
from fakes.visitor import FORM, Visitor, program
from logmedic.adapters.web.entrance import local_path
from logmedic.adapters.web.sessions import Sessions, session_key
from logmedic.adapters.web.tokens import WRONG_MAX, Token, hashed

INCIDENT = "/v1/incidents/3-i1"


@pytest.fixture
def control() -> CannedControl:
    return CannedControl(MemoryStore((EVERYTHING,)))


@pytest.fixture
def dashboard(control: CannedControl) -> Iterator[Dashboard]:
    with serving_dashboard(control) as served:
        yield served


@pytest.fixture
def browser(dashboard: Dashboard) -> Visitor:
    """Signed in as who may act."""
    visitor = Visitor(dashboard)
    assert visitor.sign_in().status == 303
    return visitor


def csrf_of(page: str) -> str:
    found = re.search(r'name="csrf" value="([0-9a-f]{64})"', page)
    assert found is not None
    return found[1]


def ticket_of(path: Path) -> str:
    """As `logmedic dashboard` asks for one."""
    connection = HTTPConnection("logmedic")
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(str(path))
    connection.request("POST", "/v1/sign-in")
    told = json.loads(connection.getresponse().read())
    connection.close()
    return parse_qs(urlsplit(told["url"]).query)["ticket"][0]


# -- programs ----------------------------------------------------------------------------------------------------------


def test_a_token_that_reads_looks_and_does_not_act(dashboard: Dashboard, control: CannedControl) -> None:
    looking = program(dashboard, READS)
    assert looking.get("/v1/counts").status == 200
    assert looking.get("/metrics").status == 200
    refused = looking.ask("POST", f"{INCIDENT}/approve")
    assert (refused.status, refused.json["error"]) == (403, "grafana (token) may look, and not act")
    assert control.did == []


def test_what_a_token_does_is_recorded_under_its_name(dashboard: Dashboard, control: CannedControl) -> None:
    assert program(dashboard).ask("POST", f"{INCIDENT}/approve").status == 200
    assert control.did == [("approve", "0193-i1", "alice (token)")]


@pytest.mark.parametrize("target", ["/v1/status", "/v1/openapi.json", "/metrics", "/incidents.json", "/v1/nothing"])
def test_a_program_without_a_token_is_told_how_to_come_in(dashboard: Dashboard, target: str) -> None:
    seen = Visitor(dashboard).get(target)
    assert seen.status == 401
    assert seen.headers["www-authenticate"].startswith("Bearer")
    assert "logmedic token new" in seen.json["hint"]


@pytest.mark.parametrize(
    "sent",
    ["Bearer", "Bearer ", "Basic YTpi", ACTS, "Bearer lm_wrong", f"Bearer {ACTS}x", f"Bearer {ACTS[:-1]}", "Bearer é"],
)
def test_what_is_no_token_opens_nothing(dashboard: Dashboard, sent: str) -> None:
    assert Visitor(dashboard).get("/v1/counts", Authorization=sent).status == 401


@pytest.mark.parametrize("name", ["token", "access_token", "authorization", "bearer", "ticket"])
def test_a_token_in_an_address_opens_nothing(dashboard: Dashboard, name: str) -> None:
    seen = Visitor(dashboard).get(f"/v1/counts?{name}={ACTS}")
    assert seen.status == 401
    assert ACTS not in seen.text


def test_two_tokens_are_none(dashboard: Dashboard) -> None:
    head = f"GET /v1/counts HTTP/1.1\r\nHost: {dashboard.netloc}\r\nConnection: close\r\n"
    twice = f"Authorization: Bearer {ACTS}\r\nAuthorization: Bearer {READS}\r\n\r\n"
    assert b" 401 " in Visitor(dashboard).raw((head + twice).encode())[:20]


def test_a_token_that_has_expired_says_so(control: CannedControl) -> None:
    over = Token("old", True, hashed(ACTS), datetime.now(UTC) - timedelta(seconds=1))
    with serving_dashboard(control, tokens=[over]) as dashboard:
        seen = program(dashboard).get("/v1/counts")
    assert (seen.status, seen.json["error"]) == (401, "the token old has expired")


def test_who_tries_tokens_is_told_less_and_less_and_keeps_nobody_out(dashboard: Dashboard) -> None:
    trying = [program(dashboard, f"lm_{n}").get("/v1/counts") for n in range(WRONG_MAX + 5)]
    assert [each.status for each in trying] == [401] * WRONG_MAX + [429] * 5
    assert trying[-1].headers["retry-after"] == "60"
    assert Visitor(dashboard).sign_in("lm_guess").status == 429
    assert program(dashboard).get("/v1/counts").status == 200


# -- browsers ----------------------------------------------------------------------------------------------------------


def test_who_is_not_signed_in_is_led_to_where_one_signs_in_and_back(dashboard: Dashboard) -> None:
    visitor = Visitor(dashboard)
    led = visitor.get("/incidents?all=true&text=a%26b", Accept="text/html")
    assert (led.status, led.headers["location"]) == (303, "/sign-in?next=%2Fincidents%3Fall%3Dtrue%26text%3Da%2526b")
    page = visitor.get(led.headers["location"])
    assert page.status == 200
    assert 'value="/incidents?all=true&amp;text=a%26b"' in page.text
    back = visitor.sign_in(next="/incidents?all=true&text=a%26b")
    assert (back.status, back.headers["location"]) == (303, "/incidents?all=true&text=a%26b")
    assert visitor.get("/incidents").status == 200


def test_a_session_is_for_this_port_and_nobodys_script(dashboard: Dashboard) -> None:
    told = Visitor(dashboard).sign_in().headers["set-cookie"]
    parts = {each.strip().lower() for each in told.split(";")[1:]}
    assert told.startswith(f"logmedic-{dashboard.port}=")
    assert {"httponly", "samesite=strict", "path=/"} <= parts
    assert "secure" not in parts


def test_behind_a_proxy_with_tls_it_never_leaves_tls(control: CannedControl) -> None:
    with serving_dashboard(control, url="https://ops.example") as dashboard:
        visitor = Visitor(dashboard, headers={"Host": "ops.example", "Origin": "https://ops.example"})
        assert "secure" in visitor.sign_in().headers["set-cookie"].lower()
        assert visitor.get("/").status == 200
        assert Visitor(dashboard).get("/v1/counts", Host="other.example").status == 403


def test_a_session_opens_pages_and_reads_and_does_not_send_to_the_api(browser: Visitor, control: CannedControl) -> None:
    assert browser.get("/").status == 200
    assert browser.get("/v1/incidents").status == 200
    refused = browser.ask("POST", f"{INCIDENT}/approve", "{}", Content_Type="application/json")
    assert refused.status == 403
    assert "Bearer" in refused.json["hint"]
    assert control.did == []


def test_a_session_acts_by_a_form_that_only_its_own_pages_have(browser: Visitor, control: CannedControl) -> None:
    asked = browser.get("/incidents/3-i1/ack")
    ask = re.search(r'name="ask" value="([^"]+)"', asked.text)
    assert ask is not None
    fields = {"ask": ask[1], "for": "4h"}
    assert browser.form("/incidents/3-i1/ack", **fields).status == 403
    assert browser.form("/incidents/3-i1/ack", **fields, csrf="0" * 64).status == 403
    assert control.did == []
    assert browser.form("/incidents/3-i1/ack", **fields, csrf=csrf_of(asked.text)).status == 200
    assert [each[0] for each in control.did] == ["ack"]
    assert control.did[0][2] == "alice (token)"


def test_a_session_of_a_token_that_reads_may_not_act(dashboard: Dashboard, control: CannedControl) -> None:
    visitor = Visitor(dashboard)
    visitor.sign_in(READS)
    assert visitor.get("/incidents").status == 200
    page = visitor.get("/incidents").text
    given = visitor.form("/incidents/3-i1/ack", ask="0" * 24, csrf=csrf_of(page))
    assert given.status == 403
    assert control.did == []


def test_signing_out_ends_a_session_for_whoever_has_its_cookie(browser: Visitor) -> None:
    kept = Visitor(browser.dashboard, browser.cookie)
    assert browser.form("/sign-out").status == 403
    assert kept.get("/").status == 200
    left = browser.form("/sign-out", csrf=csrf_of(browser.get("/").text))
    assert (left.status, left.headers["location"]) == (303, "/sign-in")
    assert kept.get("/").status == 303


def test_a_restart_keeps_sessions(control: CannedControl) -> None:
    with serving_dashboard(control) as dashboard:
        visitor = Visitor(dashboard)
        visitor.sign_in()
        port = dashboard.port
    again = CannedControl(MemoryStore((EVERYTHING,)))
    with serving_dashboard(again, port=port) as dashboard:
        assert Visitor(dashboard, visitor.cookie).get("/").status == 200


@pytest.mark.parametrize(
    "tokens",
    [
        (TOKENS[0],),
        (Token("alice", True, hashed("lm_another")),),
        (Token("alice", False, hashed(ACTS)),),
        (Token("alice", True, hashed(ACTS), datetime(2026, 1, 1, tzinfo=UTC)),),
    ],
    ids=["gone", "another", "with less right", "expired"],
)
def test_a_token_that_was_changed_ends_its_sessions(control: CannedControl, tokens: tuple[Token, ...]) -> None:
    with serving_dashboard(control) as dashboard:
        visitor = Visitor(dashboard)
        visitor.sign_in()
        port = dashboard.port
    again = CannedControl(MemoryStore((EVERYTHING,)))
    with serving_dashboard(again, port=port, tokens=tokens) as dashboard:
        assert Visitor(dashboard, visitor.cookie).get("/").status == 303


def test_a_session_lasts_half_a_day(dashboard: Dashboard) -> None:
    sessions = Sessions(session_key(KEY))
    for age, status in ((timedelta(hours=11, minutes=59), 200), (timedelta(hours=12, seconds=1), 303)):
        began = sessions.begin("alice", True, f"token:{TOKENS[1].mark}", datetime.now(UTC) - age)
        visitor = Visitor(dashboard, f"logmedic-{dashboard.port}={sessions.written(began)}")
        assert visitor.get("/").status == status


def test_what_others_have_signed_opens_nothing(dashboard: Dashboard) -> None:
    forger = Sessions(session_key(bytes(32)))
    began = forger.begin("root", True, f"token:{TOKENS[1].mark}", datetime.now(UTC))
    for value in (forger.written(began), "", ".", "x", "a.b", "é", "x" * 5000, f"{forger.written(began)}.x"):
        cookie = f"logmedic-{dashboard.port}={value}".encode().decode("latin-1")
        assert Visitor(dashboard, cookie).get("/v1/counts").status == 401


# -- links that sign in ------------------------------------------------------------------------------------------------


@contextmanager
def both_doors(control: CannedControl, path: Path) -> Iterator[Dashboard]:
    with serving_dashboard(control, path=path) as served:
        yield served


def test_a_link_signs_in_once_as_whoever_asked_for_it(tmp_path: Path, control: CannedControl) -> None:
    path = tmp_path / "logmedic.sock"
    with both_doors(control, path) as dashboard:
        ticket = ticket_of(path)
        visitor = Visitor(dashboard)
        looked = visitor.get(f"/sign-in?ticket={ticket}")
        assert looked.status == 200
        assert "who may act" in looked.text
        assert visitor.get("/").status == 303  # a program that opens links signs nobody in
        assert visitor.form("/sign-in", ticket=ticket, next="/").status == 303
        page = visitor.get("/")
        assert page.status == 200
        assert "root" in page.text or "may act" in page.text
        assert Visitor(dashboard).form("/sign-in", ticket=ticket).status == 401
        assert Visitor(dashboard).get(f"/sign-in?ticket={ticket}").status == 401


def test_a_link_is_over_after_a_minute(tmp_path: Path, control: CannedControl) -> None:
    path = tmp_path / "logmedic.sock"
    with both_doors(control, path) as dashboard:
        ticket = ticket_of(path)
        dashboard.entrance.clock = lambda: datetime.now(UTC) + timedelta(seconds=61)
        assert Visitor(dashboard).form("/sign-in", ticket=ticket).status == 401


def test_links_that_sign_in_are_made_on_the_host_alone(dashboard: Dashboard, browser: Visitor) -> None:
    assert program(dashboard).ask("POST", "/v1/sign-in").status == 403
    assert browser.ask("POST", "/v1/sign-in").status == 403
    assert Visitor(dashboard).ask("POST", "/v1/sign-in").status == 401


# -- attacks -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8632", "127.0.0.1.evil.example", "0.0.0.0:8632"])
def test_a_name_that_points_here_is_refused_with_and_without_a_session(browser: Visitor, host: str) -> None:
    for target in ("/", "/v1/incidents", "/sign-in", "/static/0/style.css", "/metrics"):
        seen = browser.get(target, Host=host)
        assert seen.status == 403
        assert "shop" not in seen.text


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
    ],
    ids=str,
)
@pytest.mark.parametrize("target", ["/sign-in", "/sign-out", "/incidents/3-i1/ack", "/v1/pause"])
def test_no_other_site_sends_a_form(
    browser: Visitor, control: CannedControl, target: str, headers: dict[str, str]
) -> None:
    csrf = csrf_of(browser.get("/").text)
    body = f"csrf={csrf}&ask={'0' * 24}&token={ACTS}"
    assert browser.ask("POST", target, body, Content_Type=FORM, **headers).status == 403
    assert control.did == []


@pytest.mark.parametrize(
    "told",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example/",
        "\\\\evil.example",
        "javascript:alert(1)",
        "/x\r\nSet-Cookie: a=b",
        "/x\nLocation: https://evil.example",
        "\t//evil.example",
        "/\t/evil.example",
        "evil.example",
        "",
        "/sign-in?next=/sign-in",
        "/é",
    ],
)
def test_nobody_is_sent_elsewhere_after_signing_in(dashboard: Dashboard, told: str) -> None:
    assert local_path(told) == "/"
    signed = Visitor(dashboard).sign_in(next=told)
    assert (signed.status, signed.headers["location"]) == (303, "/")
    assert "https://evil" not in Visitor(dashboard).get(f"/sign-in?next={quote(told)}").text


@pytest.mark.parametrize("target", ["/", "/sign-in", "/v1/status", "/metrics", "/nothing", "/v1/nothing"])
def test_every_answer_forbids_what_pages_do_not_need(browser: Visitor, target: str) -> None:
    for seen in (browser.get(target), Visitor(browser.dashboard).get(target, Accept="text/html")):
        policy = seen.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert seen.headers["x-content-type-options"] == "nosniff"
        assert seen.headers["x-frame-options"] == "DENY"
        assert seen.headers["referrer-policy"] == "same-origin"
        assert seen.headers["cache-control"] == "no-store"
        assert seen.headers["cross-origin-resource-policy"] == "same-origin"
        assert seen.headers["cross-origin-opener-policy"] == "same-origin"
        assert "server" not in seen.headers


def test_what_never_changes_is_kept_by_browsers(browser: Visitor) -> None:
    sheet = re.search(r'href="(/static/[0-9a-f]+/style\.css)"', browser.get("/").text)
    assert sheet is not None
    assert "immutable" in browser.get(sheet[1]).headers["cache-control"]


def test_a_program_reads_json_and_a_person_a_page_of_what_is_wrong(browser: Visitor) -> None:
    as_page = browser.get("/nothing", Accept="text/html")
    assert as_page.headers["content-type"].startswith("text/html")
    assert as_page.status == browser.get("/nothing").status == 404
    assert set(browser.get("/nothing").json) == {"error", "hint"}
    told: Any = browser.get("/v1/incident", Accept="text/html").json
    assert told["hint"] == "did you mean /v1/incidents?"
