"""How a rule stands, as the API answers it."""

from __future__ import annotations

import json
import socket
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from builders import RULE
from fakes.served import serving


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "logmedic.sock"


def ask(path: Path, rule_id: str, **parameters: str) -> tuple[int, Any]:
    connection = HTTPConnection("logmedic")
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.settimeout(10)
    connection.sock.connect(str(path))
    connection.request("GET", f"/v1/rules/{rule_id}?{urlencode(parameters)}")
    response = connection.getresponse()
    answer = response.status, json.loads(response.read())
    connection.close()
    return answer


def test_a_rule_is_told_of_and_only_when_asked_what_would_come_of_a_match(path: Path) -> None:
    with serving(path) as control:
        control.rules = [RULE]
        status, plain = ask(path, "web-down")
        _, asked = ask(path, "web-down", captures="{}", at="2026-11-24T03:00:00Z")
    assert (status, plain["id"], plain["would"]) == (200, "web-down", None)
    assert asked["would"]["outcome"] == "opens"
    assert asked["would"]["hold"] == "observe"


@pytest.mark.parametrize(
    ("rule_id", "parameters", "status", "says"),
    [
        ("nobody", {}, 404, "no rule that is in force is called nobody"),
        ("web-down", {"captures": "[1]"}, 400, "no JSON object of texts"),
        ("web-down", {"captures": '{"a": 1}'}, 400, "no JSON object of texts"),
        ("web-down", {"captures": "{}", "at": "noon"}, 400, "`at`: `noon` is no time"),
        ("web-down", {"captures": "{}", "part": "then7"}, 404, "no part `then7`"),
    ],
)
def test_what_cannot_be_answered_says_why(
    path: Path, rule_id: str, parameters: dict[str, str], status: int, says: str
) -> None:
    with serving(path) as control:
        control.rules = [RULE]
        answered, error = ask(path, rule_id, **parameters)
    assert answered == status
    assert says in error["error"]
