"""Web hooks (Slack's and plain JSON) on a real HTTP server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from alerts.sending import ALERT, BODY, TOKENS, send_all, slack
from alerts.servers import Answer, HttpServer, closed_port
from logmedic.model.alert import Delivery, Receiver

IN_AN_HOUR = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
ANSWERS = {
    "busy": Answer(429, b"rate_limited", {"Retry-After": "7"}),
    "busy-until": Answer(429, b"", {"Retry-After": IN_AN_HOUR}),
    "busy-nonsense": Answer(429, b"", {"Retry-After": "soon"}),
    "down": Answer(503, b"<html>maintenance</html>", {"Retry-After": "3"}),
    "broken": Answer(500, b"oops", {"Retry-After": "9"}),
    "revoked": Answer(404, b"no_service"),
    "forbidden": Answer(403, b"invalid_token"),
    "moved": Answer(302, b"", {"Location": "http://127.0.0.1:1/elsewhere"}),
    "not-ok": Answer(200, b'{"ok": false, "error": "channel_not_found"}'),
    "not-now": Answer(200, b'{"ok": false, "error": "ratelimited"}'),
}


@pytest.fixture(scope="module")
def server() -> Iterator[HttpServer]:
    with HttpServer(ANSWERS) as running:
        yield running


@pytest.fixture(scope="module")
def deliveries(server: HttpServer) -> dict[str, Delivery]:
    receivers = {name: slack(name, server.port, name) for name in ANSWERS}
    receivers["accepted"] = slack("accepted", server.port)
    receivers["json"] = Receiver("json", f"json://127.0.0.1:{server.port}/json")
    receivers["refused"] = slack("refused", closed_port())
    receivers["nowhere"] = Receiver("nowhere", "json://no-such-host.invalid/x")
    return send_all(receivers)


def test_a_slack_hook_posts_to_its_endpoint_with_its_own_path(
    server: HttpServer, deliveries: dict[str, Delivery]
) -> None:
    assert deliveries["accepted"] == Delivery(True)
    (posted,) = (each for each in server.posted if each.path == f"/fine/{TOKENS}")
    content = json.loads(posted.body)
    (attachment,) = content["attachments"]
    assert (attachment["title"], attachment["text"]) == (ALERT.title, BODY)
    assert (content["channel"], content["mrkdwn"]) == ("#ops", False)


def test_json_arrives_whole(server: HttpServer, deliveries: dict[str, Delivery]) -> None:
    assert deliveries["json"] == Delivery(True)
    (posted,) = (each for each in server.posted if each.path == "/json")
    content = json.loads(posted.body)
    assert (content["title"], content["message"], content["type"]) == (ALERT.title, BODY, "failure")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("busy", Delivery(False, "HTTP 429 Too Many Requests (rate_limited)", retry_after_s=7.0)),
        ("busy-nonsense", Delivery(False, "HTTP 429 Too Many Requests")),
        ("down", Delivery(False, "HTTP 503 Service Unavailable", retry_after_s=3.0)),
        ("broken", Delivery(False, "HTTP 500 Internal Server Error (oops)")),
        ("revoked", Delivery(False, "HTTP 404 Not Found (no_service)", permanent=True)),
        ("forbidden", Delivery(False, "HTTP 403 Forbidden (invalid_token)", permanent=True)),
        ("moved", Delivery(False, "HTTP 302 Found", permanent=True)),
        ("not-ok", Delivery(False, "refused: channel_not_found", permanent=True)),
        ("not-now", Delivery(False, "refused: ratelimited")),
    ],
)
def test_f69_what_a_server_answers_decides_whether_it_is_tried_again(
    deliveries: dict[str, Delivery], name: str, expected: Delivery
) -> None:
    assert deliveries[name] == expected


def test_f69_retry_after_may_be_a_date(deliveries: dict[str, Delivery]) -> None:
    wait = deliveries["busy-until"].retry_after_s
    assert wait is not None
    assert 0 < wait <= 3600


def test_f67_where_nobody_listens_it_is_tried_again(deliveries: dict[str, Delivery]) -> None:
    assert deliveries["refused"] == Delivery(False, "no answer: Connection refused")
    assert not deliveries["nowhere"].delivered
    assert not deliveries["nowhere"].permanent


def test_a_failing_server_is_asked_once_a_send(server: HttpServer, deliveries: dict[str, Delivery]) -> None:
    """Trying again is the outbox's decision."""
    assert not deliveries["broken"].delivered
    assert sum(each.path.startswith("/broken/") for each in server.posted) == 1
