"""Alerts over the socket: what is asked, what is decided and by whom, and what bad requests are told."""

from __future__ import annotations

import json
import os
import pwd
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from contracts.test_store_contract import ALERT, EVERYTHING, NOW
from fakes.served import serving
from logmedic.model.alert import AlertStatus
from logmedic.model.alertevent import AlertEvent
from logmedic.model.changeset import Changeset
from logmedic.model.notice import Notice, Silence
from logmedic.model.severity import Severity
from web.test_api import ask

ME = pwd.getpwuid(os.geteuid()).pw_name
DEAD = replace(ALERT, id="0193-dead", receiver="mail", status=AlertStatus.DEAD, last_error="550 no such user")
SILENCE = Silence(
    *("0193-sil1", NOW - timedelta(hours=1), NOW + timedelta(hours=1), "ann", "known", NOW - timedelta(hours=1)),
    labels={"rule": "pg-*"},
)
OVER = replace(SILENCE, id="0193-sil0", until=NOW - timedelta(minutes=1))
TOLD = Changeset(alerts=(DEAD,), silences=(SILENCE, OVER))
NOTICE = Notice(
    *("incident:0193-i1", AlertEvent.OPENED, Severity.HIGH, "the database is down", NOW, NOW),
    labels={"rule": "pg-down", "host": "db1"},
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run" / "logmedic.sock"


def told(path: Path, target: str) -> Any:
    with serving(path, EVERYTHING, TOLD) as control:
        control.notices = [NOTICE]
        status, answer = ask(path, "GET", target)
    assert status == 200, answer
    return answer


def test_messages_are_asked_by_state_receiver_and_time(path: Path) -> None:
    def ids(target: str) -> list[str]:
        return [row["id"] for row in told(path, target)]

    assert ids("/v1/alerts") == ["m1", "0193-dead"]
    assert ids("/v1/alerts?status=dead") == ["0193-dead"]
    assert ids("/v1/alerts?status=waiting") == ["m1"]
    assert ids("/v1/alerts?receiver=mail&since=1d") == ["0193-dead"]
    assert ids("/v1/alerts?since=2100-01-01") == []


def test_a_message_is_answered_without_what_its_links_are_signed_with(path: Path) -> None:
    """Reading is for more people than acting, and whoever has a link may act."""
    signed = replace(ALERT, body="Approve: https://logmedic.example/a/AbC-_9xyz\nalert m1", content='{"secret": 1}')
    with serving(path, EVERYTHING, Changeset(alerts=(signed,))):
        _, rows = ask(path, "GET", "/v1/alerts")
        _, incident = ask(path, "GET", "/v1/incidents/3-i1")
    for row in (rows[0], incident["alerts"][0]):
        assert row["body"] == "Approve: https://logmedic.example/a/...\nalert m1"
        assert "content" not in row


def test_silences_are_told_with_what_they_cover(path: Path) -> None:
    (row,) = told(path, "/v1/silences")
    assert (row["id"], row["state"], row["covers_total"]) == ("0193-sil1", "in force", 1)
    assert row["covers"] == [{"subject": "incident:0193-i1", "title": "the database is down", "severity": "high"}]
    both = told(path, "/v1/silences?all=true")
    assert [(row["id"], row["state"]) for row in both] == [("0193-sil1", "in force"), ("0193-sil0", "over")]


def test_receivers_are_asked(path: Path) -> None:
    with serving(path) as control:
        control.known_receivers = [{"name": "chat", "state": "ok"}]
        assert ask(path, "GET", "/v1/receivers") == (200, control.known_receivers)


def test_decisions_are_of_whom_the_kernel_names(path: Path) -> None:
    with serving(path, EVERYTHING, TOLD) as control:
        for target, body in (
            ("incidents/3-i1/ack", {}),
            ("incidents/3-i1/ack", {"undo": True}),
            ("silences", {"labels": {"rule": "pg-*"}, "for": "2h", "why": "known"}),
            ("silences/sil1/end", {}),
            ("alerts/resend", {"dead": True}),
            ("alerts/resend", {"ids": ["dead"]}),
            ("alerts/preview", {"incident": "3-i1", "event": "recovered", "receiver": "mail"}),
            ("alerts/test", {"receiver": "mail"}),
        ):
            status, answer = ask(path, "POST", f"/v1/{target}", json.dumps(body))
            assert status == 200, (target, answer)
    acked, undone, *rest = control.did
    assert acked == ("ack", "0193-i1", ME, "")
    assert undone[:3] == ("unack", "0193-i1", ME)
    assert rest == [
        ("silence", ME, "known"),
        ("end silence", "0193-sil1", ME),
        ("resend", "0193-dead", ME),
        ("resend", "0193-dead", ME),
        ("preview", "0193-i1", "recovered", "mail"),
        ("test", "", "mail"),
    ]


def test_a_silence_is_taken_as_it_is_written(path: Path) -> None:
    begins = datetime(2100, 1, 1, tzinfo=UTC)
    body = {
        "from": "2100-01-01",
        "for": "2h",
        "why": "a new disk",
        "severity": ["low", "medium"],
        "tag": "db",
        "labels": {"source": "pg-*"},
        "incident": "3-i1",
        "dry_run": True,
    }
    with serving(path, EVERYTHING) as control:
        status, answer = ask(path, "POST", "/v1/silences", json.dumps(body))
    assert (status, answer["id"], answer["until"]) == (200, "", "2100-01-01T02:00:00Z")
    assert control.silenced == [
        {
            "starts_at": begins,
            "severities": (Severity.LOW, Severity.MEDIUM),
            "tags": ("db",),
            "labels": {"source": "pg-*"},
            "incident": "3-i1",
            "everything": False,
            "rehearse": True,
        }
    ]


@pytest.mark.parametrize(
    ("target", "body", "status", "says"),
    [
        ("incidents/nowhere/ack", {}, 404, "no incident nowhere"),
        ("incidents/3-i1/ack", {"for": "2"}, 400, "`for`"),
        ("incidents/3-i1/ack", {"for": "2h", "undo": True}, 400, "`undo` takes no time"),
        ("incidents/3-i1/ack", {"by": "bob"}, 400, "unknown key `by`"),
        ("silences", {"why": "known"}, 400, "a silence has an end"),
        ("silences", {"for": "2h"}, 400, "`why` is missing"),
        ("silences", {"for": "2h", "why": "x", "severity": ["hihg"]}, 400, "`severity` is `hihg`"),
        ("silences", {"for": "2h", "why": "x", "tag": [1]}, 400, "`tag` is no list of texts"),
        ("silences", {"for": "2h", "why": "x", "tag": ["t"] * 51}, 400, "`tag` is too long"),
        ("silences", {"for": "2h", "why": "x", "labels": ["rule"]}, 400, "`labels` is no JSON object"),
        ("silences", {"for": "2h", "why": "x", "labels": {"rule": "r" * 501}}, 400, "`labels` is too long"),
        ("silences", {"until": "2001-01-01", "why": "x"}, 400, "is over"),
        ("silences", {"from": "soon", "for": "2h", "why": "x"}, 400, "`from`: `soon` is no time"),
        ("silences", {"from": "2100-01-02", "until": "2100-01-01", "why": "x"}, 400, "is over"),
        ("silences/nowhere/end", {}, 404, "no silence nowhere"),
        ("alerts/resend", {}, 400, "name messages"),
        ("alerts/resend", {"ids": ["a"], "dead": True}, 400, "name messages"),
        ("alerts/resend", {"ids": ["nowhere"]}, 404, "no message nowhere"),
        ("alerts/preview", {}, 400, "`incident` is missing"),
        ("alerts/preview", {"incident": "3-i1", "event": "opend"}, 400, "`event` is `opend`"),
        ("alerts/test", {"to": "mail"}, 400, "unknown key `to`"),
    ],
)
def test_a_bad_request_is_told_what_is_wrong_and_does_nothing(
    path: Path, target: str, body: dict[str, Any], status: int, says: str
) -> None:
    with serving(path, EVERYTHING, TOLD) as control:
        code, answer = ask(path, "POST", f"/v1/{target}", json.dumps(body))
    assert code == status, answer
    assert says in answer["error"]
    assert answer["hint"] or status == 404
    assert control.did == []


def test_a_state_that_is_none_is_told(path: Path) -> None:
    with serving(path):
        status, answer = ask(path, "GET", "/v1/alerts?status=daed")
    assert status == 400
    assert "dead" in answer["hint"]
