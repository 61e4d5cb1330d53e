"""learned, issues, learnings as they are typed: lists, the story of one issue, decisions, precursors."""

from __future__ import annotations

import json
import os
import pwd
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cli.test_commands import logmedic
from contracts.test_store_contract import EVERYTHING
from fakes.served import serving
from logmedic.model.changeset import Changeset
from logmedic.model.diagnosis import Diagnosis
from logmedic.model.issue import IncidentStatus, IssueSource, IssueStatus, KnownIssue, Learning, PatternType, Template
from logmedic.model.learned import Onset
from logmedic.model.severity import Severity

NOW = datetime.now(UTC)
ME = pwd.getpwuid(os.geteuid()).pw_name


def ago(**span: float) -> datetime:
    return NOW - timedelta(**span)


BOOKING = KnownIssue(
    "0193-aaaa1111",
    IssueSource.LEARNED,
    "learned:a",
    "recurring_error",
    "shop: cannot book order <n>",
    Severity.HIGH,
    ago(days=5),
    ago(minutes=3),
    error_pattern=r"cannot\ book\ order\ \d+",
    tags=("auto_detected", "shop"),
    status=IssueStatus.REGRESSED,
    occurrences=41,
    resolved_at=ago(days=2),
    resolution_notes="a new disk",
    decided_by="ann",
    episodes=3,
    onset_at=ago(hours=2),
    confidence=0.83,
    usual=3.25,
    usual_hours=60,
    version="1.4",
    first_version="1.2",
)
MUTED = replace(
    BOOKING,
    id="0193-bbbb2222",
    fingerprint="learned:b",
    title="web: slow",
    status=IssueStatus.MUTED,
    muted_until=datetime(2999, 12, 1, 8, tzinfo=UTC),
    muted_count=50,
    muted_version="1.4",
    tags=("auto_detected", "web"),
)
OVER = replace(
    BOOKING,
    id="0193-cccc3333",
    fingerprint="learned:c",
    title="mail: refused",
    status=IssueStatus.RESOLVED,
    resolved_at=ago(days=3, hours=1),
    resolved_version="1.3",
)
PART = replace(
    BOOKING,
    id="0193-dddd4444",
    fingerprint="learned:d",
    title="shop: cannot book",
    status=IssueStatus.MERGED,
    merged_into=BOOKING.id,
)
SAMPLE = "ERROR cannot book order 17\nTraceback\n\x1b[31mBoom"
TEMPLATE = Template(
    "t1", "cannot book order <n>", "shop", SAMPLE, 41, BOOKING.first_seen, BOOKING.last_seen, issue_id=BOOKING.id
)
YOUNG = replace(
    TEMPLATE, fingerprint="t2", template="odd <n>", component="mail", occurrences=2, issue_id="", sample="ERROR odd 1"
)
LESSON = Learning(
    "l1", PatternType.ERROR_PATTERN, "shop logs `cannot book order <n>`: 41 times in 3 episodes", 0.83, ago(days=5),
    {"issue": BOOKING.id}, updated_at=ago(minutes=3),
)  # fmt: skip
DEGRADED = replace(
    BOOKING,
    id="0193-eeee5555",
    fingerprint="reported:degraded:checkout:recommendations",
    issue_type="graceful_degradation",
    title="recommendations is degraded",
    description="checkout (user shop) reported: TimeoutError",
    severity=Severity.LOW,
    error_pattern="",
    tags=("degraded", "recommendations", "checkout"),
    status=IssueStatus.ONGOING,
    version="",
    first_version="",
    decided_by="",
)
OPEN = replace(
    DEGRADED,
    id="0193-ffff6666",
    source=IssueSource.BREAKER,
    fingerprint="reported:breaker:shop:payments",
    issue_type="circuit_breaker_open",
    title="The circuit breaker payments of checkout is open",
    severity=Severity.HIGH,
)
"""Reported by an application: no line of a log is behind it."""
KNOWN = Changeset(
    issues=(BOOKING, MUTED, OVER, PART),
    templates=(TEMPLATE, YOUNG),
    learnings=(LESSON, Learning("l9", PatternType.REGRESSION, "it came back", 1.0, ago(hours=2))),
    onsets=(
        Onset(BOOKING.id, ago(days=5)),
        Onset(BOOKING.id, ago(days=4)),
        Onset(BOOKING.id, ago(hours=2)),
    ),
)
PRECURSOR = {
    "before": "0193-dbdbdbdb",
    "after": BOOKING.id,
    "before_title": "db is down",
    "after_title": BOOKING.title,
    "support": 9,
    "before_count": 12,
    "after_count": 11,
    "confidence": 0.75,
    "lift": 14.5,
    "lag_median": 240.0,
    "lag_p90": 720.0,
    "last_at": "2026-11-24T03:00:00Z",
    "sentence": "db is down usually comes before shop: cannot book order <n>: 9 of 11 times within 20 min",
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "logmedic.sock"


def said(path: Path, *arguments: str, code: int = 0) -> str:
    with serving(path, KNOWN) as control:
        control.known_precursors = [PRECURSOR]
        ran = logmedic(*arguments, socket=path)
    assert ran.returncode == code, ran.stderr
    return ran.stdout if code == 0 else ran.stderr


def test_the_list_has_issues_and_templates_and_nothing_of_the_past(path: Path) -> None:
    lines = said(path, "learned").splitlines()
    assert " ".join(lines[0].split()) == "ISSUE STATE SEEN RATE CONFIDENCE FIRST SEEN LAST SEEN TITLE"
    assert len(lines) == 4
    booking = next(line for line in lines if "cannot book order" in line)
    for told in ("aaaa1111", "regressed 2 h ago", "41x", "3.2/h", "0.83"):
        assert told in booking
    muted = next(line for line in lines if "web: slow" in line)
    assert "muted until 2999-12-01 08:00Z or for 9 more or until a version newer than 1.4" in muted
    assert lines[3].startswith("-")
    assert "mail: odd <n>" in lines[3]
    assert "template" in lines[3]
    assert said(path, "learned", "list", "-o", "json") == said(path, "learned", "-o", "json")
    assert "mail: refused" in said(path, "learned", "--all")


@pytest.mark.parametrize(
    ("options", "titles"),
    [
        (
            ["--all"],
            {"shop: cannot book order <n>", "web: slow", "mail: refused", "shop: cannot book", "mail: odd <n>"},
        ),
        (["--status", "resolved"], {"mail: refused"}),
        (["--status", "merged"], {"shop: cannot book"}),
        (["--component", "shop"], {"shop: cannot book order <n>"}),
        (["--component", "mail"], {"mail: odd <n>"}),
        (["--templates"], {"mail: odd <n>"}),
    ],
)
def test_what_is_listed_can_be_chosen(path: Path, options: list[str], titles: set[str]) -> None:
    rows = json.loads(said(path, "learned", "list", *options, "-o", "json"))
    assert {row["title"] for row in rows} == titles


def test_states_have_their_date(path: Path) -> None:
    lines = said(path, "issues")
    assert "resolved 3 d ago in 1.3" in lines
    assert "merged into aaaa1111" in lines
    assert "regressed 2 h ago" in lines
    assert said(path, "issues", "--status", "muted").count("\n") == 2


def test_what_came_back_within_its_episode_has_no_date(path: Path) -> None:
    with serving(path, Changeset(issues=(replace(BOOKING, resolved_at=ago(hours=1)),))):
        line = logmedic("learned", socket=path).stdout.splitlines()[1]
    assert "regressed  41x" in line


def test_rows_come_a_line_each(path: Path) -> None:
    rows = [json.loads(line) for line in said(path, "learned", "list", "-o", "jsonl").splitlines()]
    assert [row["kind"] for row in rows] == ["issue", "issue", "template"]


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (["learned"], "nothing was learned yet"),
        (["learned", "list", "--component", "x"], "logmedic learned list --all lists all"),
        (["issues", "--status", "muted"], "no issue is muted"),
        (["learned", "precursors"], "no issue tends to come before another one"),
        (["learnings"], "nothing was learned yet"),
        (["learnings", "--type", "regression"], "logmedic learnings lists all"),
    ],
)
def test_an_empty_list_says_so(path: Path, command: list[str], says: str) -> None:
    with serving(path):
        ran = logmedic(*command, socket=path)
    assert ran.returncode == 0, ran.stderr
    assert says in ran.stdout


def test_an_issue_is_told_as_a_story(path: Path) -> None:
    page = said(path, "learned", "show", "aaaa1111")
    page = re.sub(r"last \d+ min ago", "last 3 min ago", page)  # minutes go by between reading this file and here
    for told in (
        "shop: cannot book order <n>\nhigh, regressed 2 h ago, seen 41x, confidence 0.83\n",
        "issue aaaa1111, learned, logged by shop",
        "No rule knows this error",
        "It was seen 41 times in 3 episodes, usually 3.2/h; first 5 d ago, last 3 min ago.",
        "It came back after it was resolved on ",
        " by ann: a new disk.",
        "It was seen in versions 1.2 to 1.4.",
        "What was merged into it: dddd4444.",
        "first seen, in version 1.2",
        "came again",
        r"cannot\ book\ order\ \d+",
        "| ERROR cannot book order 17\n  | Traceback\n  | \\x1b[31mBoom",
        "shop logs `cannot book order <n>`: 41 times in 3 episodes",
        "db is down usually comes before shop",
        "logmedic learned promote aaaa1111",
        "logmedic learned mute aaaa1111 --for 7d",
    ):
        assert told in page
    assert "\x1b" not in page


DIAGNOSIS = Diagnosis(
    BOOKING.id,
    ok=True,
    model="small-1",
    at=datetime(2026, 11, 24, 3, tzinfo=UTC),
    likely_cause="the disk is full \x1b[31m",
    checks=("df -h", "du -x /srv"),
    suggested_rule="version: 1\nrules: []\n",
    problem="taken out: its fix",
)
FAILED = replace(
    DIAGNOSIS, ok=False, likely_cause="", checks=(), suggested_rule="", problem="the endpoint does not answer"
)


def story(path: Path, *diagnoses: Diagnosis) -> str:
    with serving(path, replace(KNOWN, diagnoses=diagnoses)):
        ran = logmedic("learned", "show", "aaaa1111", socket=path)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_what_a_model_said_is_shown_as_a_suggestion(path: Path) -> None:
    page = story(path, replace(FAILED, at=ago(days=400)), DIAGNOSIS)
    assert page.partition("suggestion by a model (not verified)\n")[2].startswith(
        "  small-1, 2026-11-24 03:00Z\n"
        "  likely cause: the disk is full \\x1b[31m\n"
        "  what to check:\n"
        "  - df -h\n"
        "  - du -x /srv\n"
        "  a rule, nowhere in force; read it before you copy it:\n"
        "  | version: 1\n"
        "  | rules: []\n"
        "  note: taken out: its fix\n\nnext\n"
    )


def test_a_diagnosis_that_failed_says_why(path: Path) -> None:
    page = story(path, FAILED)
    assert "  small-1, 2026-11-24 03:00Z: none, the endpoint does not answer\n\nnext" in page
    assert "likely cause" not in page


def test_nothing_is_said_of_a_model_that_was_not_asked(path: Path) -> None:
    assert "model" not in story(path)


def test_samples_of_several_lines_stand_apart(path: Path) -> None:
    several = replace(TEMPLATE, samples=(SAMPLE, "ERROR cannot book order 18"))
    with serving(path, replace(KNOWN, templates=(several,))):
        ran = logmedic("learned", "show", "aaaa1111", socket=path)
    assert "Boom\n\n  | ERROR cannot book order 18\n\nwhat was learned" in ran.stdout


def test_of_a_long_trace_both_ends_are_shown_and_of_further_records_the_first_line(path: Path) -> None:
    frames = [f'  File "shop.py", line {number}, in pay' for number in range(30)]
    trace = "\n".join(["ERROR cannot book order 17", "Traceback (most recent call last):", *frames, "Boom: no money"])
    long = replace(TEMPLATE, sample=trace, samples=(trace[:600], trace[:600].replace("17", "18")))
    with serving(path, replace(KNOWN, templates=(long,))):
        ran = logmedic("learned", "show", "aaaa1111", socket=path)
    said_of_it = ran.stdout.partition("samples\n")[2].partition("\nwhat was learned")[0].split("\n")
    assert said_of_it[0] == "  | ERROR cannot book order 17"
    assert said_of_it[7:9] == ["  | ... (21 more lines)", '  |   File "shop.py", line 26, in pay']
    assert said_of_it[12:] == ["  | Boom: no money", "", "  | ERROR cannot book order 18", ""]


def test_the_dates_of_a_life_are_in_order(path: Path) -> None:
    page = said(path, "learned", "show", "aaaa1111")
    dates = [line.split("Z  ") for line in page.splitlines() if line.startswith("  20") and "Z  " in line]
    assert [at for at, _ in dates] == sorted(at for at, _ in dates)
    assert [what for _, what in dates] == [
        "first seen, in version 1.2", "came again", "resolved", "came again", "last seen",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("issue", "next_step"),
    [
        ("bbbb2222", "logmedic learned unmute bbbb2222"),
        ("cccc3333", "logmedic learned mute cccc3333"),
        ("dddd4444", "logmedic learned show aaaa1111"),
    ],
)
def test_a_story_ends_with_what_to_type(path: Path, issue: str, next_step: str) -> None:
    assert next_step in said(path, "learned", "show", issue).rpartition("next\n")[2]


def test_an_issue_of_a_rule_is_told_too(path: Path) -> None:
    with serving(path, replace(EVERYTHING, issues=(replace(EVERYTHING.issues[0], id="0193-s1"),))):
        ran = logmedic("learned", "show", "3-s1", socket=path)
    assert ran.returncode == 0, ran.stderr
    assert "Rule web-down knows it." in ran.stdout
    assert "logmedic rules show web-down" in ran.stdout


def test_what_an_open_incident_decides_is_not_suggested(path: Path) -> None:
    issue = replace(EVERYTHING.issues[0], id="0193-s1")
    incident = replace(EVERYTHING.incidents[0], id="0193-i7777", issue_id=issue.id, status=IncidentStatus.OPEN)
    with serving(path, Changeset(issues=(issue,), incidents=(incident,))):
        page = logmedic("learned", "show", "3-s1", socket=path).stdout
    assert f"logmedic show {incident.id[-8:]}    its incident, which says when it is over" in page
    assert "learned resolve" not in page


def test_without_a_daemon_the_store_tells(path: Path, tmp_path: Path) -> None:
    ran = logmedic("learned", "show", "aaaa1111", "--store", str(tmp_path / "none.duckdb"), socket=path)
    assert ran.returncode == 4
    assert "no daemon answers" in ran.stderr


def test_decisions_reach_the_daemon_and_are_told(path: Path) -> None:
    with serving(path, KNOWN) as control:
        acts = [
            ["mute", "aaaa1111", "--for", "7d", "--count", "5", "--next-version"],
            ["unmute", "bbbb2222"],
            ["resolve", "aaaa1111", "--in-version", "1.5", "--because", "a patch"],
            ["merge", "cccc3333", "aaaa1111"],
        ]
        ran = [logmedic("learned", *each, socket=path) for each in acts]
    assert [each.returncode for each in ran] == [0] * 4, [each.stderr for each in ran]
    until = f"{datetime.now(UTC) + timedelta(days=7):%Y-%m-%d}"
    assert control.did == [
        ("mute", BOOKING.id, ME, f"until {until}", "count 5", "next version"),
        ("unmute", MUTED.id, ME),
        ("resolve", BOOKING.id, ME, "a patch", "1.5"),
        ("merge", OVER.id, ME, "aaaa1111"),
    ]
    assert f"aaaa1111: muted until {until}" in ran[0].stdout
    assert "nobody is called for it" in ran[0].stdout
    assert ran[1].stdout == "bbbb2222: ongoing\n"
    assert ran[2].stdout.startswith("aaaa1111: resolved")
    assert ran[3].stdout.startswith("aaaa1111: seen 41x")


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["mute", "aaaa1111", "--for", "7"], 1, "write a number with its unit"),
        (["mute", "aaaa1111", "--until", "soon"], 1, "write 2026-11-24T03:00:00Z"),
        (["mute", "aaaa1111", "--for", "7d", "--until", "2999-01-01"], 1, "leave one out"),
        (["mute", "aaaa1111", "--count", "0"], 2, "--count"),
        (["mute", "aaaa"], 5, "logmedic issues lists them"),
        (["mute", "dddd4444"], 1, "name that one"),
        (["show", "nowhere"], 5, "no issue nowhere"),
        (["precursors", "--of", "nowhere"], 5, "no issue nowhere"),
        (["list", "--status", "open"], 2, "--status"),
    ],
)
def test_mistakes_are_told_with_what_to_type(path: Path, arguments: list[str], code: int, says: str) -> None:
    assert says in said(path, "learned", *arguments, code=code)


def test_precursors_are_a_table_with_sentences(path: Path) -> None:
    heading, row = said(path, "learned", "precursors").splitlines()
    assert " ".join(heading.split()) == "BEFORE AFTER FOLLOWED CONFIDENCE LIFT LAG 9 IN 10 LAST WHAT"
    for told in ("dbdbdbdb", "aaaa1111", "9 of 12", "75%", "14.5x", "4 m", "12 m", "usually comes before"):
        assert told in row
    assert json.loads(said(path, "learned", "precursors", "--of", "aaaa1111", "-o", "json")) == [PRECURSOR]
    assert "nothing tends to come before bbbb2222" in said(path, "learned", "precursors", "--of", "bbbb2222")


def test_lessons_are_newest_first_and_can_be_chosen(path: Path) -> None:
    lines = said(path, "learnings").splitlines()
    assert "error_pattern" in lines[1]
    assert "0.83" in lines[1]
    assert re.search(r"\(\d+ m( \d+ s)? ago\)", lines[1])
    assert "it came back" in lines[2]
    assert "it came back" not in said(path, "learnings", "--type", "error_pattern")
    assert "cannot book" not in said(path, "learnings", "--min-confidence", "0.9")


def reported(path: Path, *arguments: str, code: int = 0) -> str:
    with serving(path, Changeset(issues=(DEGRADED, OPEN))):
        ran = logmedic(*arguments, socket=path)
    assert ran.returncode == code, ran.stderr
    return ran.stdout if code == 0 else ran.stderr


@pytest.mark.parametrize("issue", ["eeee5555", "ffff6666"], ids=["degraded", "breaker"])
def test_what_applications_report_is_told_as_such_and_no_draft_of_a_rule_is_offered(path: Path, issue: str) -> None:
    told = reported(path, "learned", "show", issue)
    assert "reported by an application" in told.splitlines()[2]
    assert "checkout (user shop) reported: TimeoutError" in told
    for of_a_log in ("promote", "its pattern", "No rule knows", "samples", "of a breaker"):
        assert of_a_log not in told
    assert f"logmedic learned resolve {issue} --because TEXT" in told
    assert f"logmedic learned mute {issue} --for 7d" in told


def test_the_lists_have_what_applications_report(path: Path) -> None:
    issues = reported(path, "issues")
    assert "circuit_breaker_open" in issues
    assert "graceful_degradation" in issues
    learned = reported(path, "learned")
    assert "recommendations is degraded" in learned
    assert "payments" not in learned  # of a breaker


def test_what_was_reported_and_is_over_comes_back_with_a_report(path: Path) -> None:
    over = replace(OPEN, status=IssueStatus.RESOLVED, resolved_at=ago(hours=1), resolution_notes="it closed again")
    with serving(path, Changeset(issues=(over,))):
        told = logmedic("learned", "show", "ffff6666", socket=path).stdout
    assert "A later report brings it back." in told
