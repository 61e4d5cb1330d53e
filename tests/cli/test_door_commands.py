"""token and dashboard as they are typed: what they print opens the door, and nothing else does."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
import yaml

from cli.test_commands import logmedic
from contracts.test_store_contract import EVERYTHING
from fakes.canned_control import CannedControl
from fakes.memory_store import MemoryStore
from fakes.served import serving, serving_dashboard
from fakes.visitor import Visitor, program
from logmedic.adapters.web.tokens import Token
from logmedic.settings.web import Web

CONFIG = """\
web:
  tokens:
    grafana: { sha256: HASH }
    alice: { scope: act, sha256: HASH, expires: 2020-01-01 }
""".replace("HASH", "ab" * 32)


def lines_for_the_config(text: str) -> str:
    found = re.search(r"^web:\n(?: .*\n)+", text, re.MULTILINE)
    assert found is not None
    return found[0]


def test_a_token_opens_the_door_once_its_lines_are_in_the_config() -> None:
    ran = logmedic("token", "new", "grafana", "--scope", "act", "--expires", "90d")
    assert ran.returncode == 0
    printed = ran.stdout
    token = printed.splitlines()[0]
    assert re.fullmatch(r"lm_[A-Za-z0-9_-]{43}", token)
    assert printed.count(token) == 1
    (name, told), *_ = Web.model_validate(yaml.safe_load(lines_for_the_config(printed))["web"]).tokens.items()
    assert told.sha256 == sha256(token.encode()).hexdigest()
    assert told.expires == (datetime.now(UTC) + timedelta(days=90)).date()
    known = Token(name, told.scope == "act", told.sha256, told.ends)
    with serving_dashboard(CannedControl(MemoryStore((EVERYTHING,))), tokens=[known]) as dashboard:
        assert program(dashboard, token).ask("POST", "/v1/incidents/3-i1/approve").status == 200


def test_the_lines_go_into_the_config_that_is_in_use(tmp_path: Path) -> None:
    config = tmp_path / "mine.yaml"
    config.write_text("mode: observe\n")
    assert f"Into the config ({config})" in logmedic("-c", str(config), "token", "new", "x").stdout


def test_no_two_tokens_are_the_same() -> None:
    tokens = set()
    for _ in range(5):
        ran = logmedic("-o", "json", "token", "new", "x")
        assert ran.returncode == 0
        row = json.loads(ran.stdout)
        assert (row["name"], row["scope"], row["expires"]) == ("x", "read", None)
        assert sha256(row["token"].encode()).hexdigest() == row["sha256"]
        tokens.add(row["token"])
    assert len(tokens) == 5


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("a b",), "write letters, digits"),
        (("-x",), "No such option"),
        (("x", "--scope", "write"), "'read', 'act'"),
        (("x", "--expires", "soon"), "`soon` is no duration"),
        (("x", "--expires", "1h"), "less than a day"),
        (("x", "--expires", "999999999d"), "no calendar"),
    ],
)
def test_what_makes_no_token_is_told(arguments: tuple[str, ...], says: str) -> None:
    ran = logmedic("token", "new", *arguments)
    assert ran.returncode == 2
    assert says in ran.stderr


def test_tokens_of_the_config_are_listed_without_their_hashes(tmp_path: Path) -> None:
    config = tmp_path / "logmedic.yaml"
    config.write_text(CONFIG)
    ran = logmedic("-c", str(config), "token", "list")
    assert ran.returncode == 0
    table = ran.stdout
    assert "2020-01-01 (over)" in table
    assert "never" in table
    assert "abab" not in table
    ran = logmedic("-c", str(config), "-o", "json", "token", "list")
    assert ran.returncode == 0
    assert json.loads(ran.stdout) == [
        {"name": "grafana", "scope": "read", "expires": None, "valid": True},
        {"name": "alice", "scope": "act", "expires": "2020-01-01", "valid": False},
    ]


def test_the_link_that_is_printed_signs_in(tmp_path: Path) -> None:
    path = tmp_path / "logmedic.sock"
    with serving_dashboard(CannedControl(MemoryStore((EVERYTHING,))), path=path) as dashboard:
        ran = logmedic("--socket", str(path), "dashboard")
        assert ran.returncode == 0
        printed = ran
        link = printed.stdout.strip()
        assert link.startswith(f"{dashboard.url}/sign-in?ticket=")
        visitor = Visitor(dashboard)
        assert visitor.form("/sign-in", ticket=link.partition("ticket=")[2]).status == 303
        assert visitor.get("/").status == 200
    assert f"ssh -L {dashboard.port}:127.0.0.1:{dashboard.port}" in printed.stderr


def test_a_dashboard_without_a_port_says_how_it_gets_one(tmp_path: Path) -> None:
    path = tmp_path / "logmedic.sock"
    with serving(path):
        ran = logmedic("--socket", str(path), "dashboard")
        assert ran.returncode == 1
    told = ran.stderr
    assert 'dashboard: "127.0.0.1:8632"' in told
    assert "ssh -L 8632:" in told


def test_a_dashboard_without_a_daemon_is_not_there(tmp_path: Path) -> None:
    ran = logmedic("--socket", str(tmp_path / "none.sock"), "dashboard")
    assert ran.returncode == 4
    assert "no daemon answers" in ran.stderr
