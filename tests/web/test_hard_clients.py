"""Clients that are slow, large, many, or no HTTP: each is told so in JSON, and nobody else waits for it."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from contracts.test_store_contract import EVERYTHING
from fakes.canned_control import CannedControl
from fakes.memory_store import MemoryStore
from fakes.served import ACTS, Dashboard, serving_dashboard
from fakes.visitor import Visitor, program
from logmedic.adapters.web import dashboard as module
from logmedic.adapters.web.parameters import BODY_LIMIT, SEEN_LIMIT
from logmedic.adapters.web.serving import HEAD_BYTES, Patience

SHORT = Patience(head_s=0.2, body_s=0.3)


@pytest.fixture
def dashboard() -> Iterator[Dashboard]:
    with serving_dashboard(CannedControl(MemoryStore((EVERYTHING,))), patience=SHORT) as served:
        yield served


def told(answer: bytes) -> tuple[int, str]:
    """The status, and what is wrong."""
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)["error"]


def head(dashboard: Dashboard, line: str = "GET /v1/counts", more: str = "") -> str:
    return f"{line} HTTP/1.1\r\nHost: {dashboard.netloc}\r\nAuthorization: Bearer {ACTS}\r\n{more}"


def test_a_head_that_does_not_come_to_its_end_is_not_waited_for(dashboard: Dashboard) -> None:
    assert told(Visitor(dashboard).raw(head(dashboard).encode()))[0] == 408
    assert told(Visitor(dashboard).raw(b""))[0] == 408


def test_a_body_that_does_not_come_is_not_waited_for(dashboard: Dashboard) -> None:
    asked = head(dashboard, "POST /v1/pause", "Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{")
    assert told(Visitor(dashboard).raw(asked.encode())) == (408, "the request did not come in time")


def test_a_head_a_letter_at_a_time_has_no_more_time(dashboard: Dashboard) -> None:
    with socket.create_connection(("127.0.0.1", dashboard.port), timeout=10) as wire:
        wire.settimeout(0.05)
        answer = b""
        for _ in range(200):
            try:
                wire.sendall(b"X")
                answer += wire.recv(4096)
            except TimeoutError:
                continue
            except OSError:
                break
            if answer:
                break
    assert told(answer)[0] in (400, 408)


@pytest.mark.slow
def test_a_stream_may_last_longer_than_a_head_or_a_body_may(dashboard: Dashboard) -> None:
    with socket.create_connection(("127.0.0.1", dashboard.port), timeout=20) as wire:
        wire.sendall((head(dashboard, "GET /v1/events/stream") + "\r\n").encode())
        seen = b""
        while b"event: alive" not in seen:  # the first comes after 5 s
            piece = wire.recv(4096)
            assert piece, seen
            seen += piece


@pytest.mark.parametrize("length", [HEAD_BYTES * 2, HEAD_BYTES * 20])
def test_a_long_address_and_long_headers_are_told_apart(dashboard: Dashboard, length: int) -> None:
    line = head(dashboard, f"GET /v1/counts?{'x' * length}", "Connection: close\r\n\r\n")
    assert told(Visitor(dashboard).raw(line.encode()))[0] == 414
    headers = head(dashboard, more=f"X: {'x' * length}\r\nConnection: close\r\n\r\n")
    assert told(Visitor(dashboard).raw(headers.encode()))[0] == 431


def test_a_body_that_is_too_large_is_refused_before_it_was_sent(dashboard: Dashboard) -> None:
    length = f"Content-Length: {2 * SEEN_LIMIT}\r\nConnection: close\r\n\r\n"
    assert told(Visitor(dashboard).raw(head(dashboard, "POST /v1/pause", length).encode()))[0] == 413


def test_a_body_that_says_its_length_last_is_refused_as_well(dashboard: Dashboard) -> None:
    chunk = f"{BODY_LIMIT:x}\r\n{'x' * BODY_LIMIT}\r\n"
    asked = head(dashboard, "POST /v1/pause", "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n") + chunk * 2
    assert told(Visitor(dashboard).raw(f"{asked}0\r\n\r\n".encode()))[0] == 413


@pytest.mark.parametrize("sent", [b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9\r\n\r\n"])
def test_what_is_no_http_is_told_so(dashboard: Dashboard, sent: bytes) -> None:
    assert told(Visitor(dashboard).raw(sent)) == (400, "this is no HTTP request")


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "x"])
def test_a_body_that_says_it_is_no_json_is_not_read(dashboard: Dashboard, kind: str) -> None:
    refused = program(dashboard).ask("POST", "/v1/pause", '{"why": "x"}', Content_Type=kind)
    assert refused.status == 415
    assert "application/json" in refused.json["hint"]


@pytest.mark.parametrize("body", ['{"why": "\\ud800"}', '{"why": NaN}', "[" * 50_000, '{"why": "a"', "7"])
def test_a_body_that_nobody_can_keep_is_refused(dashboard: Dashboard, body: str) -> None:
    assert program(dashboard).ask("POST", "/v1/pause", body, Content_Type="application/json").status == 400


def test_more_requests_than_there_is_room_for_are_told_so() -> None:
    with serving_dashboard(CannedControl(MemoryStore((EVERYTHING,)))) as dashboard, ExitStack() as stack:
        begun = head(dashboard, "POST /v1/pause", "Expect: 100-continue\r\nContent-Length: 9\r\n\r\n")
        for _ in range(module.CONNECTIONS):
            wire = stack.enter_context(socket.create_connection(("127.0.0.1", dashboard.port), timeout=10))
            wire.sendall(begun.encode())
            assert b" 100 " in wire.recv(100)
        assert program(dashboard).get("/v1/counts").status == 503


def test_who_only_holds_connections_keeps_nobody_out() -> None:
    with serving_dashboard(CannedControl(MemoryStore((EVERYTHING,)))) as dashboard, ExitStack() as stack:
        for _ in range(2 * module.CONNECTIONS):
            wire = stack.enter_context(socket.create_connection(("127.0.0.1", dashboard.port), timeout=10))
            wire.sendall(b"GET / HTTP/1.1\r\n")
        assert program(dashboard).get("/v1/counts").status == 200


def test_methods_that_an_address_does_not_take_are_named(dashboard: Dashboard) -> None:
    asking = program(dashboard)
    refused = asking.ask("DELETE", "/v1/silences")
    assert refused.status == 405
    assert set(refused.headers["allow"].split(", ")) == {"GET", "HEAD", "POST", "OPTIONS"}
    assert asking.ask("OPTIONS", "/v1/silences").headers["allow"] == refused.headers["allow"]
    seen = asking.ask("HEAD", "/v1/incidents")
    assert (seen.status, seen.text) == (200, "")
    assert asking.ask("HEAD", "/v1/events/stream").status == 200


def test_an_address_with_a_slash_too_many_is_not_somewhere_else(dashboard: Dashboard) -> None:
    seen = program(dashboard).get("/v1/incidents/")
    assert (seen.status, seen.json["hint"]) == (404, "leave out the slash at the end: /v1/incidents")


@pytest.mark.parametrize(
    ("target", "error", "hint"),
    [
        ("/v1/incidents?limt=3", "unknown parameter `limt`", "did you mean `limit`?"),
        ("/v1/incidents?limit=1&limit=2", "`limit` is there 2 times", "name it once"),
        ("/v1/incidents?status=opened", "`status` is `opened`", "did you mean `open`?"),
        ("/v1/counts?x=1", "unknown parameter `x`", "leave it out: nothing can be asked for here"),
        ("/v1/incidents?cursor=!", "no page begins at `!`", "ask without a cursor"),
    ],
)
def test_questions_that_are_none_are_told_what_to_ask(dashboard: Dashboard, target: str, error: str, hint: str) -> None:
    seen = program(dashboard).get(target)
    assert (seen.status, seen.json["error"]) == (400, error)
    assert hint in seen.json["hint"]
