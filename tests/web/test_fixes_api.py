"""Fixes over the socket: what is asked, what is decided, who may decide, and what bad requests are told."""

from __future__ import annotations

import json
import os
import pwd
from pathlib import Path
from typing import Any

import pytest

from contracts.test_store_contract import EVERYTHING
from fakes.served import serving
from web.test_api import ask

ME = pwd.getpwuid(os.geteuid()).pw_name


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run" / "logmedic.sock"


def told(path: Path, target: str) -> Any:
    with serving(path, EVERYTHING):
        status, answer = ask(path, "GET", target)
    assert status == 200, answer
    return answer


def test_attempts_are_asked_by_time_and_rule(path: Path) -> None:
    assert [row["id"] for row in told(path, "/v1/fixes")] == ["a1"]
    assert [row["id"] for row in told(path, "/v1/fixes?since=1d&rule=web-down&limit=5")] == ["a1"]
    assert told(path, "/v1/fixes?since=2100-01-01") == []
    assert told(path, "/v1/fixes?rule=other") == []


def test_breakers_trust_and_its_changes_are_asked(path: Path) -> None:
    assert [(row["rule_id"], row["target"]) for row in told(path, "/v1/breakers")] == [("web-down", "web")]
    assert [row["rule_id"] for row in told(path, "/v1/trust")] == ["disk-full", "web-down"]
    assert [row["id"] for row in told(path, "/v1/trust/web-down")["changes"]] == ["t1"]
    assert [row["id"] for row in told(path, "/v1/trust_changes?rule=web-down")] == ["t1"]


def test_what_holds_an_incident_is_asked(path: Path) -> None:
    with serving(path, EVERYTHING) as control:
        control.checks = [{"name": "mode", "ok": True, "reason": None, "detail": "auto", "until": None}]
        status, answer = ask(path, "GET", "/v1/incidents/3-i1/why")
        missing, _ = ask(path, "GET", "/v1/incidents/nowhere/why")
    assert (status, answer["incident"]["id"], answer["checks"]) == (200, "0193-i1", control.checks)
    assert missing == 404


def test_decisions_are_of_whom_the_kernel_names(path: Path) -> None:
    with serving(path, EVERYTHING) as control:
        control.steps = [{"step": "restart"}]
        for target, body in (
            ("breakers/reset", {"rule": "web-down", "target": "web"}),
            ("trust/web-down", {"level": "auto", "why": "it held"}),
            ("pause", {"for": "2h", "why": "release", "stop": True}),
            ("resume", {}),
            ("rules/web-down/rehearse", {"captures": {"host": "db1"}}),
        ):
            status, answer = ask(path, "POST", f"/v1/{target}", json.dumps(body))
            assert status == 200, (target, answer)
    assert control.did == [
        ("reset", "web-down", "web", ME),
        ("trust", "web-down", "auto", ME, "it held"),
        ("pause", ME, "release", "stop", "until"),
        ("resume", ME),
    ]
    assert answer["captures"] == {"host": "db1"}


@pytest.mark.parametrize(
    ("target", "body", "status", "says"),
    [
        ("breakers/reset", {}, 400, "`rule` is missing"),
        ("breakers/reset", {"rules": "x"}, 400, "unknown key `rules`"),
        ("breakers/reset", {"rule": "nobody"}, 404, "has no breaker"),
        ("trust/web-down", {"level": "atuo", "why": "x"}, 400, "`level` is `atuo`"),
        ("trust/web-down", {"level": "auto"}, 400, "`why` is missing"),
        ("trust/web-down", {"level": "auto", "why": "  "}, 400, "`why` is missing"),
        ("trust/nobody", {"level": "auto", "why": "x"}, 404, "nobody"),
        ("pause", {"for": "2"}, 400, "`for`"),
        ("pause", {"for": "2h", "until": "2100-01-01"}, 400, "say the same thing"),
        ("pause", {"until": "2001-01-01"}, 400, "is over"),
        ("pause", {"stop": "yes"}, 400, "`stop` is `yes`"),
        ("pause", {"why": "x" * 501}, 400, "`why` has 501 characters"),
        ("resume", {}, 409, "fixes are not paused"),
        ("resume", {"now": True}, 400, "unknown key `now`"),
        ("rules/web-down/rehearse", {"captures": {"n": 1}}, 400, "`captures` is no JSON object of texts"),
        ("rules/web-down/rehearse", {"captures": []}, 400, "`captures`"),
        ("rules/nobody/rehearse", {}, 404, "nobody"),
    ],
)
def test_a_bad_request_is_told_what_is_wrong_and_does_nothing(
    path: Path, target: str, body: dict[str, Any], status: int, says: str
) -> None:
    with serving(path, EVERYTHING) as control:
        code, answer = ask(path, "POST", f"/v1/{target}", json.dumps(body))
    assert code == status
    assert says in answer["error"]
    assert control.did == []
