"""Known issues over the socket: what is asked, what is decided, and what bad requests are told."""

from __future__ import annotations

import json
import os
import pwd
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from contracts.test_issue_questions import ISSUES, LEARNED, MERGED
from contracts.test_store_contract import EVERYTHING, ISSUE
from fakes.served import serving
from web.test_api import ask

ME = pwd.getpwuid(os.geteuid()).pw_name
BEFORE = {"before": ISSUE.id, "after": LEARNED.id, "sentence": "it usually comes before"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run" / "logmedic.sock"


def told(path: Path, target: str) -> Any:
    with serving(path, EVERYTHING, ISSUES) as control:
        control.known_precursors = [BEFORE]
        status, answer = ask(path, "GET", target)
    assert status == 200, answer
    return answer


def test_issues_are_asked_by_source_status_and_component(path: Path) -> None:
    assert [row["id"] for row in told(path, "/v1/issues?source=learned&status=merged")] == [MERGED.id]
    assert [row["id"] for row in told(path, "/v1/issues?component=shop&limit=5")] == [MERGED.id]
    assert len(told(path, "/v1/issues")) == 3


def test_an_issue_comes_with_what_belongs_to_it_and_what_comes_before_it(path: Path) -> None:
    issue = told(path, "/v1/issues/aaaa")
    assert issue["id"] == LEARNED.id
    assert {"templates", "merged", "onsets", "incidents", "learnings"} <= set(issue)
    assert issue["precursors"] == [BEFORE]


def test_templates_lessons_and_precursors_are_asked(path: Path) -> None:
    assert [row["fingerprint"] for row in told(path, "/v1/templates?component=shop")] == ["t3", "f" * 16]
    assert [row["id"] for row in told(path, "/v1/learnings?kind=error_pattern&min_confidence=0.8")] == ["l0"]
    assert told(path, "/v1/precursors") == [BEFORE]
    assert told(path, "/v1/precursors?issue_id=aaaa") == [BEFORE]
    assert told(path, "/v1/precursors?issue_id=bbbb") == []


def test_an_issue_is_muted_unmuted_resolved_and_merged_by_whom_the_kernel_names(path: Path) -> None:
    bodies = {
        "mute": {"for": "7d", "count": 5, "next_version": True},
        "unmute": {},
        "resolve": {"because": "the disk is new", "in_version": "1.3"},
        "merge": {"into": ISSUE.id},
    }
    with serving(path, EVERYTHING, ISSUES) as control:
        for act, body in bodies.items():
            status, answer = ask(path, "POST", f"/v1/issues/aaaa/{act}", json.dumps(body))
            assert status == 200, answer
    until = f"until {datetime.now(UTC) + timedelta(days=7):%Y-%m-%d}"
    assert control.did == [
        ("mute", LEARNED.id, ME, until, "count 5", "next version"),
        ("unmute", LEARNED.id, ME),
        ("resolve", LEARNED.id, ME, "the disk is new", "1.3"),
        ("merge", LEARNED.id, ME, ISSUE.id),
    ]


def test_a_mute_without_a_body_lasts(path: Path) -> None:
    with serving(path, EVERYTHING, ISSUES) as control:
        assert ask(path, "POST", "/v1/issues/aaaa/mute")[0] == 200
        assert ask(path, "POST", "/v1/issues/aaaa/mute", '{"until": "2999-01-01T02:00:00+02:00"}')[0] == 200
    assert control.did == [
        ("mute", LEARNED.id, ME, "", "count 0", ""),
        ("mute", LEARNED.id, ME, "until 2999-01-01", "count 0", ""),
    ]


@pytest.mark.parametrize(
    ("act", "body", "status", "says"),
    [
        ("mute", {"for": "7"}, 400, "`for`: `7` is no duration"),
        ("mute", {"for": "999999999d"}, 400, "`for`"),
        ("mute", {"for": "1d", "until": "2999-01-01"}, 400, "`for` and `until` say the same thing"),
        ("mute", {"until": "tomorrow"}, 400, "`until`: `tomorrow` is no time"),
        ("mute", {"until": "2020-01-01T00:00:00Z"}, 400, "`until`: 2020-01-01 00:00:00Z is over"),
        ("mute", {"count": 0}, 400, "`count` is `0`"),
        ("mute", {"count": True}, 400, "`count` is `True`"),
        ("mute", {"count": "5"}, 400, "`count` is `5`"),
        ("mute", {"next_version": "yes"}, 400, "`next_version` is `yes`"),
        ("mute", {"fro": "1d"}, 400, "unknown key `fro`"),
        ("unmute", {"for": "1d"}, 400, "unknown key `for`"),
        ("resolve", {"because": 7}, 400, "`because` is no text"),
        ("resolve", {"because": "x" * 501}, 400, "`because` has 501 characters"),
        ("resolve", {"in_version": "x" * 81}, 400, "`in_version` has 81 characters"),
        ("merge", {}, 400, "`into` is missing"),
        ("merge", {"into": "nowhere"}, 404, "no issue nowhere"),
    ],
)
def test_a_decision_that_says_nothing_clear_is_refused(
    path: Path, act: str, body: dict[str, Any], status: int, says: str
) -> None:
    with serving(path, EVERYTHING, ISSUES) as control:
        code, answer = ask(path, "POST", f"/v1/issues/aaaa/{act}", json.dumps(body))
        control.did = [each for each in control.did if each[0] != "merge"]
    assert code == status
    assert says in answer["error"]
    assert control.did == []


@pytest.mark.parametrize("share", ["2", "-1", "nan", "x", "0x1"])
def test_a_confidence_is_a_share(path: Path, share: str) -> None:
    with serving(path):
        code, answer = ask(path, "GET", f"/v1/learnings?min_confidence={share}")
    assert (code, answer["hint"]) == (400, "a number from 0 to 1")


@pytest.mark.parametrize("target", ["issues?status=open", "issues?source=rules", "learnings?kind=error-pattern"])
def test_a_choice_that_is_none_is_told_what_there_is(path: Path, target: str) -> None:
    with serving(path):
        code, answer = ask(path, "GET", f"/v1/{target}")
    assert code == 400
    assert "known here" in answer["hint"] or "did you mean" in answer["hint"]


def test_what_cannot_be_done_as_things_are_is_409(path: Path) -> None:
    with serving(path, EVERYTHING, ISSUES):
        code, answer = ask(path, "POST", "/v1/issues/bbbb/mute")
    assert code == 409
    assert answer["hint"]


def test_an_issue_that_is_not_there_is_404(path: Path) -> None:
    with serving(path, EVERYTHING):
        for method, target in (("GET", "/v1/issues/nowhere"), ("POST", "/v1/issues/nowhere/mute")):
            code, answer = ask(path, method, target)
            assert code == 404
            assert "no issue nowhere" in answer["error"]
