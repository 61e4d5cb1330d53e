"""What strangers try at the one port that is open to a network: nothing of it acts, stops others, or says more."""

from __future__ import annotations

import base64
import re
import select
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

import builders as make
from fakes.served_links import ENDS, RULE, Host, ask, raw, serving_links, waiting
from logmedic.adapters.web import linkserver
from logmedic.adapters.web.doors import Doors, listen_address
from logmedic.core.links import Purpose
from logmedic.model.changeset import Changeset
from logmedic.model.errors import PermanentError
from logmedic.model.issue import IncidentEvent

APPROVE = {"do": "approve", "name": "Ann"}


@pytest.fixture
def host() -> Iterator[Host]:
    with serving_links() as made:
        yield made
        assert made.events("approved", "rejected") == []
        assert made.alerts.did == []


# -- tokens ------------------------------------------------------------------------------------------------------------


def forged(token: str) -> list[str]:
    raw_token = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    return [
        token[:-1],
        token[:20],
        token + "A",
        token.swapcase(),
        base64.urlsafe_b64encode(raw_token[:-16] + bytes(16)).rstrip(b"=").decode(),
        base64.urlsafe_b64encode(bytes([raw_token[0] ^ 1]) + raw_token[1:]).rstrip(b"=").decode(),
        "A" * 4000,
        "%00",
        "%2e%2e",
        "%F0%9F%98%80",
    ]


def test_a_forged_cut_or_huge_token_opens_nothing_and_acts_on_nothing(host: Host) -> None:
    path = host.path(Purpose.APPROVE)
    for token in forged(path.removeprefix("/a/")):
        for method, form in (("GET", None), ("POST", APPROVE)):
            told = ask(host, method, f"/a/{token}", form)
            assert told.status == 404, token
            assert "web is down" not in told.text


def test_an_expired_link_opens_nothing_also_when_it_was_open_before(host: Host) -> None:
    path = host.path(Purpose.APPROVE)
    assert ask(host, "GET", path).status == 200
    host.clock._now = ENDS
    for method, form in (("GET", None), ("POST", APPROVE)):
        told = ask(host, method, path, form)
        assert told.status == 410
        assert "This link expired at 2026-11-24 03:30:00 UTC" in told.text
        assert "logmedic show 456789ab" in told.text
        assert "web is down" not in told.text


def test_a_link_for_something_else_acts_only_on_its_own(host: Host) -> None:
    for purpose, does in (
        (Purpose.VIEW, "approve"),
        (Purpose.REJECT, "approve"),
        (Purpose.ACK, "approve"),
        (Purpose.SILENCE, "reject"),
        (Purpose.APPROVE, "silence"),
        (Purpose.APPROVE, "acknowledge"),
    ):
        told = ask(host, "POST", host.path(purpose), {"do": does, "name": "Ann", "for": "4h", "why": "x"})
        assert told.status == 409, (purpose, does)
        assert "This link is for" in told.text


def test_a_link_that_names_no_request_answers_none(host: Host) -> None:
    told = ask(host, "POST", host.path(Purpose.APPROVE, ask=""), APPROVE)
    assert told.status == 409


def test_wrong_tokens_do_not_ask_the_store(host: Host) -> None:
    def never(*_: object, **__: object) -> object:
        raise AssertionError("the store was asked")

    host.store.ask = never  # type: ignore[method-assign]
    for n in range(100):
        assert ask(host, "GET", f"/a/{'A' * 60}{n}").status == 404


# -- other sites -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["evil.example", "logmedic.example.evil.example", "127.0.0.1", "127.0.0.1:1", "8.8.8.8:80", "[::1]", "x@y", "[::1"],
)
def test_a_name_that_is_not_ours_is_not_answered(host: Host, name: str) -> None:
    for method, form in (("GET", None), ("POST", APPROVE)):
        told = ask(host, method, host.path(Purpose.APPROVE), form, host=name)
        assert told.status in (400, 403), name
        assert "web is down" not in told.text


def test_our_own_names_are_answered(host: Host) -> None:
    port = host.server.doors.port
    own = ("logmedic.example", "LOGMEDIC.example:443", f"127.0.0.1:{port}", f"localhost:{port}", f"[::1]:{port}")
    for name in own:
        assert ask(host, "GET", host.path(Purpose.VIEW), host=name).status == 200, name


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "https://logmedic.example.evil.example"},
        {"origin": "null"},
        {"origin": "", "sec_fetch_site": "cross-site"},
        {"origin": "", "sec_fetch_site": "same-site"},
        {"sec_fetch_site": "cross-site"},
        {"origin": "http://logmedic.example"},
    ],
)
def test_a_form_of_another_site_does_nothing(host: Host, headers: dict[str, str]) -> None:
    told = ask(host, "POST", host.path(Purpose.APPROVE), APPROVE, **headers)
    assert told.status == 403
    assert "This form is of another site" in told.text


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "multipart/form-data; boundary=x", ""])
def test_what_is_no_form_does_nothing(host: Host, kind: str) -> None:
    told = ask(host, "POST", host.path(Purpose.APPROVE), b"do=approve&name=Ann", content_type=kind)
    assert told.status == 400


# -- methods and paths -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND", "CONNECT"])
def test_other_methods_do_nothing(host: Host, method: str) -> None:
    told = ask(host, method, host.path(Purpose.APPROVE), APPROVE)
    assert told.status == 405
    assert told.headers["allow"] == "GET, HEAD, POST"


def test_no_header_and_no_field_makes_a_look_an_act(host: Host) -> None:
    path = host.path(Purpose.APPROVE)
    override = {"x_http_method_override": "POST", "x_http_method": "POST", "x_method_override": "POST"}
    told = ask(host, "GET", f"{path}?do=approve&name=Ann&_method=POST", b"do=approve&name=Ann", **override)
    assert told.status == 200
    assert "<form" in told.text


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/a",
        "/a/",
        "/v1/status",
        "/a/../v1/status",
        "/a/%2e%2e/v1/status",
        "//v1/status",
        "/A/{token}",
        "/a//{token}",
        "/a/{token}/",
        "/a/{token}/approve",
        "/x/a/{token}",
        "/a/{token}%2f..",
        "/favicon.ico",
        "/robots.txt",
        "http://evil.example/v1/status",
    ],
)
def test_there_is_nothing_else_and_the_api_is_not_here(host: Host, path: str) -> None:
    token = host.path(Purpose.APPROVE).removeprefix("/a/")
    for method in ("GET", "POST"):
        told = ask(host, method, path.replace("{token}", token), APPROVE if method == "POST" else None)
        assert told.status == 404, path
        assert "location" not in told.headers


# -- size, time, number ------------------------------------------------------------------------------------------------


def test_a_form_larger_than_any_of_ours_is_not_read(host: Host) -> None:
    path = host.path(Purpose.APPROVE)
    big = ask(host, "POST", path, b"name=" + b"A" * (linkserver.BODY_BYTES + 1) + b"&do=approve")
    many = ask(host, "POST", path, b"&".join(b"f%d=1" % n for n in range(100)) + b"&do=approve&name=Ann")
    odd = ask(host, "POST", path, b"do=approve&name=\xff\xfe")
    assert (big.status, many.status, odd.status) == (400, 400, 400)


def test_headers_without_an_end_are_not_read(host: Host) -> None:
    head = f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{host.server.doors.port}\r\n".encode()
    assert raw(host, head + b"X-A: " + b"a" * 100_000)[:12] in (b"HTTP/1.1 400", b"")


def test_one_connection_is_for_one_request(host: Host) -> None:
    name = f"127.0.0.1:{host.server.doors.port}"
    look = f"GET {host.path(Purpose.VIEW)} HTTP/1.1\r\nHost: {name}\r\n\r\n".encode()
    assert raw(host, look + look).count(b"HTTP/1.1 ") == 1


@pytest.mark.parametrize(
    "more",
    [
        "Content-Length: 5\r\nContent-Length: 6\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
        "Transfer-Encoding: xchunked\r\n",
        "Content-Length: -1\r\n",
        "Content-Length : 5\r\n",
    ],
)
def test_what_two_servers_could_read_in_two_ways_is_refused(host: Host, more: str) -> None:
    name = f"127.0.0.1:{host.server.doors.port}"
    path, kind = host.path(Purpose.APPROVE), "application/x-www-form-urlencoded"
    head = f"POST {path} HTTP/1.1\r\nHost: {name}\r\n{more}Content-Type: {kind}\r\n\r\ndo=approve&name=Ann"
    assert b"HTTP/1.1 400" in raw(host, head.encode())[:20]


def test_what_follows_a_request_is_no_request_of_its_own(host: Host) -> None:
    name = f"127.0.0.1:{host.server.doors.port}"
    smuggled = f"POST {host.path(Purpose.APPROVE)} HTTP/1.1\r\nHost: {name}\r\nContent-Length: 19\r\n\r\n"
    head = f"POST /x HTTP/1.1\r\nHost: {name}\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    answered = raw(host, (head + smuggled + "do=approve&name=Ann").encode())
    assert answered.count(b"HTTP/1.1 ") <= 1


def test_a_request_without_a_host_or_with_two_is_refused(host: Host) -> None:
    path = host.path(Purpose.VIEW)
    for head in ("HTTP/1.1\r\n", "HTTP/1.0\r\n", "HTTP/1.1\r\nHost: logmedic.example\r\nHost: evil.example\r\n"):
        assert raw(host, f"GET {path} {head}\r\n".encode()).split()[1] in (b"400", b"403")


def test_slow_clients_hold_nobody_and_are_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linkserver, "LONGEST_S", 3.0)
    with serving_links() as host:
        address = ("127.0.0.1", host.server.doors.port)
        slow = [socket.create_connection(address, timeout=10) for _ in range(linkserver.CONNECTIONS - 4)]
        for each in slow:
            each.sendall(b"GET /a/x HTTP/1.1\r\nHost: ")
        assert ask(host, "GET", host.path(Purpose.VIEW)).status == 200
        assert not select.select(slow, (), (), 0)[0], "it was answered while they were there"
        for each in slow:
            assert raw_end(each) == b""
        assert ask(host, "GET", host.path(Purpose.VIEW)).status == 200


def raw_end(wire: socket.socket) -> bytes:
    with wire:
        try:
            return wire.recv(1024)
        except ConnectionResetError:
            return b""


def test_more_connections_than_may_be_are_closed_at_once(host: Host) -> None:
    address = ("127.0.0.1", host.server.doors.port)
    held = [socket.create_connection(address, timeout=10) for _ in range(linkserver.CONNECTIONS)]
    with socket.create_connection(address, timeout=10) as one_more:
        began = time.monotonic()
        assert raw_end(one_more) == b""
        assert time.monotonic() - began < linkserver.LONGEST_S / 2
    for each in held:
        each.close()


# -- text --------------------------------------------------------------------------------------------------------------

NASTY = "</pre><script>alert(1)</script><img src=x onerror=alert(1)> \"' \x1b]8;;http://evil\x07x\u202egnp.exe\x00"


def test_log_text_is_text_wherever_it_stands() -> None:
    incident = waiting(
        replace(RULE, title=NASTY),
        title=NASTY,
        evidence=NASTY,
        source=NASTY,
        captures={"host": NASTY},
        hold_detail=NASTY,
    )
    with serving_links(incident) as host:
        event = IncidentEvent("1", incident.id, make.START, "observed", NASTY)
        host.store._take(Changeset(events=(event,)))
        for purpose in Purpose:
            told = ask(host, "GET", host.path(purpose)).text
            assert "&lt;script&gt;alert(1)&lt;/script&gt;" in told
            assert not re.search(r"<script|<img|\x1b|\u202e|\x00|</pre><", told.replace("</pre></section>", ""))


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("Ann\r\nSet-Cookie: a=b", "AnnSet-Cookie: a=b"),
        ("root (link sent to mail, from 10.0.0.1)", "root link sent to mail from 10.0.0.1"),
        ("<script>alert(1)</script>", "script alert 1 /script"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("x" * 100, "x" * 37 + "..."),
        ("\u202eevil", "evil"),
    ],
)
def test_a_name_is_a_name_and_nothing_more(typed: str, kept: str) -> None:
    with serving_links() as host:
        told = ask(host, "POST", host.path(Purpose.APPROVE), {"do": "approve", "name": typed})
        assert told.status == 200
        assert "set-cookie" not in told.headers
        assert host.events("approved") == [f"approved by {kept} (link sent to chat, from 127.0.0.1)"]
        assert "<script" not in told.text


def test_two_who_click_at_once_are_one_approval() -> None:
    with serving_links() as host:
        path, answers = host.path(Purpose.APPROVE), list[int]()

        def click(name: str) -> None:
            answers.append(ask(host, "POST", path, {"do": "approve", "name": name}).status)

        both = [threading.Thread(target=click, args=(name,)) for name in ("Ann", "Bob", "Cy", "Di")]
        for each in both:
            each.start()
        for each in both:
            each.join(10)
        assert sorted(answers) == [200, 409, 409, 409]
        assert len(host.events("approved")) == 1


# -- doors -------------------------------------------------------------------------------------------------------------


def test_only_a_proxy_on_this_host_is_believed() -> None:
    with serving_links() as host:
        told = ask(host, "POST", host.path(Purpose.APPROVE), APPROVE, x_forwarded_for="<b>, not an address")
        assert told.status == 200
        assert host.events("approved") == ["approved by Ann (link sent to chat, from 127.0.0.1)"]


@pytest.mark.parametrize("told", ["", "8633", ":8633", "127.0.0.1", "127.0.0.1:x", "127.0.0.1:65536", "127.0.0.1:-1"])
def test_an_address_to_listen_on_is_checked(told: str) -> None:
    with pytest.raises(PermanentError, match=r"web\.listen"):
        listen_address(told)


def test_listening_on_every_address_it_answers_to_addresses_and_not_to_names() -> None:
    doors = Doors("0.0.0.0", 8633, "https://logmedic.example")
    assert doors._is_any_address("10.0.0.5:8633")
    assert not doors._is_any_address("evil.example:8633")
    assert not doors._is_any_address("10.0.0.5:8634")
    assert not Doors("10.0.0.5", 8633, "https://logmedic.example")._is_any_address("10.0.0.6:8633")


def test_a_port_that_is_taken_is_said(host: Host) -> None:
    taken = f"127.0.0.1:{host.server.doors.port}"
    with pytest.raises(PermanentError, match="cannot listen on"):
        linkserver._bind(taken)
