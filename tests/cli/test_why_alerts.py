"""`logmedic why` of messages: the stage that holds one back comes first, with its end and what to type."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli.test_commands import logmedic
from contracts.test_store_contract import EVERYTHING, NEWS
from fakes.served import serving

STAGES = [
    {"name": "route", "ok": True, "detail": "oncall", "until": None, "command": ""},
    {
        "name": "silence",
        "ok": False,
        "detail": "silenced by ann: \x1b[2Jknown",
        "until": "2100-01-01T00:00:00Z",
        "command": "logmedic silence list",
    },
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "logmedic.sock"


@pytest.mark.parametrize("typed", [["m1"], ["3-i1", "--alerts"], ["incident:0193-i1"], ["alert:m1"]])
def test_the_stage_that_holds_it_comes_first_and_what_to_type_last(path: Path, typed: list[str]) -> None:
    with serving(path, EVERYTHING, NEWS) as control:
        control.stages = STAGES
        ran = logmedic("why", *typed, socket=path)
        answer = json.loads(logmedic("why", *typed, "-o", "json", socket=path).stdout)
    assert ran.returncode == 0, ran.stderr
    marked = [line for line in ran.stdout.splitlines() if line[:1] in ("✓", "✗")]
    assert [line.split()[1] for line in marked] == ["silence", "route"]
    assert "known (until 2100-01-01 00:00Z" in marked[0]
    assert ran.stdout.splitlines()[-1] == "next: logmedic silence list"
    assert "\x1b" not in ran.stdout
    assert answer["stages"] == STAGES


def test_a_message_says_whom_it_is_for_and_what_became_of_it(path: Path) -> None:
    with serving(path, EVERYTHING, NEWS):
        ran = logmedic("why", "m3", "--alerts", socket=path)
    assert "message m3 to chat, given up" in ran.stdout
    assert "of incident 0193-i1" in ran.stdout


def test_what_is_no_id_says_what_ids_there_are(path: Path) -> None:
    with serving(path, EVERYTHING):
        for typed in (["abcd1234"], ["nowhere", "--alerts"], ["alert:gone"]):
            ran = logmedic("why", *typed, socket=path)
            assert ran.returncode == 5
            assert ran.stderr.startswith(f"error: no incident and no message is called {typed[0]}")
            for command in ("logmedic incidents --all", "logmedic alerts list", "logmedic issues"):
                assert command in ran.stderr
