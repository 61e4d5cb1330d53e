"""fixes, breakers, trust, why, pause and resume as they are typed: output, exit codes, errors; over a real socket."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cli.test_commands import logmedic, on_terminal
from contracts.test_store_contract import ATTEMPT, EVERYTHING, INCIDENT, NOW
from fakes.served import serving
from logmedic.model.changeset import Changeset
from logmedic.model.fix import AttemptKind, AttemptStatus, Verdict
from logmedic.model.issue import HoldReason, IncidentEvent, IncidentStatus
from store.stores import use

STEERING = {"\x1b", "\x00", "\u202e", "\r"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "logmedic.sock"


def attempt(attempt_id: str, name: str, verdict: Verdict | None, **changes: Any) -> Any:
    done = {"status": AttemptStatus.FINISHED, "exit_code": 0, "duration_s": 1.25, "sandbox": "bubblewrap"}
    return replace(ATTEMPT, id=attempt_id, step_name=name, verdict=verdict, **{**done, **changes})


TWO_RUNGS = Changeset(
    incidents=(replace(INCIDENT, status=IncidentStatus.OPEN, approved_by="ann", chain=("disk-full",)),),
    attempts=(
        attempt("a1", "restart", Verdict.NOT_FIXED, detail="GET /healthz: 502", first=True),
        attempt("a2", "restart", Verdict.NOT_FIXED, try_no=2, exit_code=1, output="\x1b[2Jboom\u202e\n" * 30),
        attempt("a3", "undo it", None, kind=AttemptKind.ROLLBACK),
        attempt("a4", "fail over", Verdict.FIXED, step=1),
        attempt("a5", "call", None, status=AttemptStatus.RUNNING, exit_code=None, duration_s=None, sandbox=""),
    ),
    events=(IncidentEvent("e9", INCIDENT.id, NOW, "rolled_back", "'undo it' undid it"),),
)


def check(name: str, reason: str | None, detail: str, until: str | None = None) -> dict[str, Any]:
    return {"name": name, "ok": reason is None, "reason": reason, "detail": detail, "until": until}


CHECKS = [
    check("mode", None, "auto (the rule's mode)"),
    check("pause", "paused", "all fixes are paused by ann: \x1b[31mrelease", "2100-01-01T00:00:00Z"),
    check("breaker", "breaker_open", "it did not fix 3 times in a row"),
    check("budget", None, "0 of 12 fixes an hour for this rule"),
]


# -- what was tried ----------------------------------------------------------------------------------------------------


def test_attempts_are_listed_newest_first_with_their_verdict(path: Path) -> None:
    with serving(path, EVERYTHING, TWO_RUNGS):
        ran = logmedic("fixes", socket=path)
        rows = json.loads(logmedic("fixes", "--limit", "2", "-o", "json", socket=path).stdout)
        none = logmedic("fixes", "--since", "2100-01-01", "--rule", "web-down", socket=path)
    head, *lines = ran.stdout.splitlines()
    assert head.split() == ["WHEN", "RULE", "STEP", "TARGET", "VERDICT", "TOOK", "TIER", "INCIDENT"]
    assert ["running" in lines[0], "fixed" in lines[1], "undo it (rollback)" in lines[2]] == [True, True, True]
    assert "restart, try 2" in lines[3]
    assert "not fixed" in lines[3]
    assert [row["id"] for row in rows] == ["a5", "a4"]
    assert none.stdout == "no fix was run since 2100-01-01 for web-down\n"


def test_without_a_daemon_attempts_and_trust_are_read_from_the_store(tmp_path: Path) -> None:
    store = tmp_path / "state" / "logmedic.duckdb"
    use(store, lambda opened, _: opened.commit(EVERYTHING))
    for command, told in (
        (["fixes", "--since", "1d"], "restart"),
        (["trust"], "web-down"),
        (["trust", "history", "web-down"], "raised"),
        (["breakers"], "web"),
    ):
        ran = logmedic(*command, "--store", str(store), socket=tmp_path / "none.sock")
        assert ran.returncode == 0, ran.stderr
        assert told in ran.stdout
        assert "no daemon is running" in ran.stderr


def test_a_time_that_is_none_is_told(path: Path) -> None:
    with serving(path):
        ran = logmedic("fixes", "--since", "yesterday", socket=path)
    assert ran.returncode == 1
    assert "`since`: `yesterday` is no time" in ran.stderr


def test_the_story_of_two_rungs_tells_each_verdict_tier_and_the_rollback(path: Path) -> None:
    with serving(path, EVERYTHING, TWO_RUNGS) as control:
        control.checks = CHECKS
        ran = logmedic("show", "3-i1", socket=path)
    assert ran.returncode == 0, ran.stderr
    for told in (
        "it came about right after fixes of disk-full",
        "its fix was approved by ann",
        "1. restart: not fixed (exit 0, 1.2 s, bubblewrap)",
        "GET /healthz: 502",
        "2. restart, try 2: not fixed (exit 1",
        "| (10 lines before; -o json has all that is kept)",
        "3. undo it (rollback): done",
        "4. fail over: fixed",
        "5. call: running (since 2026-",
        "▸ undo      3. undo it",
        "✓ mode     auto (the rule's mode)",
        "✗ pause    all fixes are paused by ann",
        "✗ breaker  it did not fix 3 times in a row",
    ):
        assert told in ran.stdout
    assert "budget" not in ran.stdout
    assert not set(ran.stdout) & STEERING


def test_a_dry_run_tells_what_each_step_would_do(path: Path) -> None:
    step = {"step": "free it", "rung": 0, "argv": ["free", "space"], "ok": True, "started": True, "exit_code": 0}
    step |= {"duration_s": 0.1, "sandbox": "bubblewrap", "output": "would delete /x\x1b[1m\n" * 50, "detail": ""}
    with serving(path) as control:
        control.steps = [step, {**step, "step": "restart", "ok": False, "sandbox": "", "detail": "no service manager"}]
        ran = logmedic("fixes", "try", "disk-full", "--capture", "disk=/a=b", socket=path)
        control.steps = [step]
        well = logmedic("fixes", "try", "disk-full", "-o", "json", socket=path)
        wrong = logmedic("fixes", "try", "disk-full", "--capture", "disk", socket=path)
        control.steps = []
        nobody = logmedic("fixes", "try", "nobody", socket=path)
    assert ran.returncode == 1
    for told in (
        "disk-full: what its fix would do with disk = /a=b; nothing is changed",
        "✓ free it (bubblewrap)",
        "would delete /x\\x1b[1m",
        "(10 lines before",
        "✗ restart (not run)",
        "no service manager",
    ):
        assert told in ran.stdout
    assert (well.returncode, json.loads(well.stdout)["captures"]) == (0, {})
    assert (wrong.returncode, nobody.returncode) == (2, 5)
    assert "write NAME=VALUE" in wrong.stderr


# -- breakers and trust ------------------------------------------------------------------------------------------------


def test_breakers_are_listed_by_target_and_reset(path: Path) -> None:
    with serving(path, EVERYTHING) as control:
        table = logmedic("breakers", socket=path)
        one = logmedic("breakers", "reset", "web-down", "web", socket=path)
        rows = logmedic("breakers", "reset", "web-down", "-o", "json", socket=path)
        nobody = logmedic("breakers", "reset", "nobody", socket=path)
    assert table.stdout.splitlines()[1].split()[:4] == ["web-down", "web", "open", "3"]
    assert one.stdout == "1 breaker of web-down closed\n"
    assert [row["status"] for row in json.loads(rows.stdout)] == ["closed"]
    assert [each[:3] for each in control.did] == [("reset", "web-down", "web"), ("reset", "web-down", "")]
    assert nobody.returncode == 5
    assert "hint: logmedic breakers" in nobody.stderr


def test_trust_is_told_with_what_is_proposed_and_who_said_so(path: Path) -> None:
    with serving(path, EVERYTHING):
        table = logmedic("trust", socket=path)
        one = logmedic("trust", "show", "web-down", socket=path)
        past = logmedic("trust", "history", socket=path)
        rows = logmedic("trust", "history", "nobody", "-o", "json", socket=path)
    head, disk, web = table.stdout.splitlines()
    assert head.split()[:3] == ["RULE", "LEVEL", "FILE"]
    assert disk.split()[:3] == ["disk-full", "observe", "auto"]
    assert "approve (the daemon's mode)" in disk
    assert "7 of 8" in web
    assert "next: logmedic trust raise web-down --why TEXT, or logmedic trust keep web-down --why TEXT" in one.stdout
    assert "raised" in past.stdout
    assert json.loads(rows.stdout) == []
    for ran in (table, one, past):
        assert not set(ran.stdout) & STEERING


@pytest.mark.parametrize(
    ("typed", "level"),
    [
        (["raise", "web-down"], "auto"),
        (["lower", "web-down"], "observe"),
        (["lower", "web-down", "--to", "observe"], "observe"),
        (["raise", "disk-full", "--to", "auto"], "auto"),
    ],
)
def test_trust_is_moved_one_level_or_to_the_one_that_is_named(path: Path, typed: list[str], level: str) -> None:
    with serving(path, EVERYTHING) as control:
        ran = logmedic("trust", *typed, "--why", "it held all week", socket=path)
    assert ran.returncode == 0, ran.stderr
    (did,) = control.did
    assert (did[1], did[2], did[4]) == (typed[1], level, "it held all week")
    assert f"{typed[1]}: {level}" in ran.stdout


def test_a_proposal_that_is_turned_down_has_to_be_earned_anew(path: Path) -> None:
    with serving(path, EVERYTHING) as control:
        ran = logmedic("trust", "keep", "web-down", "--why", "not yet", socket=path)
    (did,) = control.did
    assert (did[1], did[2], did[4]) == ("web-down", "approve", "not yet")
    assert ran.stdout == "web-down stays at approve, and has to earn auto anew\n"


@pytest.mark.parametrize(
    ("typed", "code", "says"),
    [
        (["raise", "web-down"], 2, "Missing option '--why'"),
        (
            ["raise", "web-down", "--to", "observe", "--why", "x"],
            2,
            "web-down is at approve: it cannot be raised to observe",
        ),
        (["lower", "disk-full", "--why", "x"], 2, "disk-full is at observe already: there is no level below it"),
        (["keep", "disk-full", "--why", "x"], 2, "nothing is proposed for disk-full"),
        (["raise", "nobody", "--why", "x"], 5, "no rule that is in force is called nobody"),
    ],
)
def test_trust_that_makes_no_sense_is_told(path: Path, typed: list[str], code: int, says: str) -> None:
    with serving(path, EVERYTHING) as control:
        ran = logmedic("trust", *typed, socket=path)
    assert ran.returncode == code
    assert says in " ".join(ran.stderr.split())
    assert control.did == []


# -- why ---------------------------------------------------------------------------------------------------------------


def test_why_tells_every_check_the_hold_in_force_first_and_what_to_type(path: Path) -> None:
    held = replace(INCIDENT, status=IncidentStatus.OPEN, hold=HoldReason.PAUSED, hold_detail="paused by ann")
    with serving(path, EVERYTHING, Changeset(incidents=(held,))) as control:
        control.checks = CHECKS
        control.pauses = [
            {"origin": "file", "on": True, "at": "2026-11-24T03:00:00Z", "by": "file /p", "why": "", "until": None}
        ]
        ran = logmedic("why", "3-i1", socket=path)
        rows = json.loads(logmedic("why", INCIDENT.id, "-o", "json", socket=path).stdout)
    assert ran.returncode == 0, ran.stderr
    marks = [line for line in ran.stdout.splitlines() if line[:1] in ("✓", "✗")]
    assert [line.split()[:2] for line in marks] == [["✗", "pause"], ["✓", "mode"], ["✗", "breaker"], ["✓", "budget"]]
    assert "(until 2100-01-01 00:00Z" in marks[0]
    assert ran.stdout.splitlines()[-1] == "next: rm /p"
    assert not set(ran.stdout) & STEERING
    assert [each["name"] for each in rows["checks"]] == ["mode", "pause", "breaker", "budget"]


@pytest.mark.parametrize(
    ("detail", "wanted"),
    [
        ("the daemon's mode is observe", "next: write mode: approve (or auto) into the config, then: "),
        ("the rule's mode is observe", "next: logmedic trust show web-down"),
    ],
)
def test_what_only_observes_is_told_where_to_change_that(path: Path, detail: str, wanted: str) -> None:
    with serving(path, EVERYTHING) as control:
        control.checks = [check("mode", "observe", detail)]
        assert logmedic("why", "3-i1", socket=path).stdout.splitlines()[-1].startswith(wanted)


def test_why_nothing_holds_is_said(path: Path) -> None:
    with serving(path, EVERYTHING) as control:
        control.checks, control.note = [check("mode", None, "auto")], "its fix is under way (fixing)"
        ran = logmedic("why", "3-i1", socket=path)
    assert "its fix is under way (fixing)" in ran.stdout
    assert "nothing holds its fix now" in ran.stdout


def test_of_a_fix_that_failed_the_cooldown_behind_it_holds_nothing_and_people_hear_what_to_do(path: Path) -> None:
    failed = replace(INCIDENT, status=IncidentStatus.FAILED, hold=HoldReason.COOLDOWN, hold_detail="until 03:00:00 UTC")
    with serving(path, EVERYTHING, Changeset(incidents=(failed,))) as control:
        control.checks, control.note = [check("mode", None, "auto")], "its fix did not hold: people are needed"
        why = logmedic("why", "3-i1", socket=path).stdout
        show = logmedic("show", "3-i1", socket=path).stdout
    assert "its fix runs again with the next match" in why
    assert why.splitlines()[-1] == "next: repair it by hand; logmedic show 0193-i1 has what its steps said"
    for told in (why, show):
        assert ", failed" in told
        assert "cooldown" not in told
        assert "03:00:00" not in told


@pytest.mark.parametrize("line", ["ERROR something else broke", "oom-killer", "x" * 60])
def test_why_of_a_line_is_what_explain_says(path: Path, tmp_path: Path, line: str) -> None:
    rules = tmp_path / "r.yaml"
    rules.write_text("version: 1\nrules:\n  - { id: r, title: t, match: { pattern: boom } }\n")
    config = tmp_path / "c.yaml"
    config.write_text(f"rules: {{ paths: [{rules}] }}\n")
    given = ["-c", str(config)]
    with serving(path):
        explained = logmedic("rules", "explain", line, *given, socket=path)
        ran = logmedic("why", line, *given, socket=path)
    alone = logmedic("why", line, *given, socket=tmp_path / "none.sock")
    assert ran.stdout == explained.stdout == alone.stdout
    assert ran.returncode == explained.returncode == alone.returncode == 1


def test_why_an_id_that_is_none_is_not_found(path: Path, tmp_path: Path) -> None:
    with serving(path):
        assert logmedic("why", "deadbeef", socket=path).returncode == 5
    assert logmedic("why", "deadbeef", socket=tmp_path / "none.sock").returncode == 4


# -- the kill switch ---------------------------------------------------------------------------------------------------


def test_fixes_are_paused_and_resumed(path: Path) -> None:
    with serving(path) as control:
        paused = logmedic("pause", "--for", "2h", "--why", "release", "--stop", socket=path)
        status = logmedic("status", socket=path)
        resumed = logmedic("resume", socket=path)
        again = logmedic("resume", socket=path)
    assert [did[0] for did in control.did] == ["pause", "resume"]
    assert control.did[0][2:] == ("release", "stop", "until")
    assert paused.stdout.startswith("PAUSED by ")
    assert "release, until " in paused.stdout
    assert "; to end it: logmedic resume" in paused.stdout
    first, second, *_ = status.stdout.splitlines()
    assert first.endswith("mode auto, fixes PAUSED")
    assert second == paused.stdout.strip() or second.startswith("PAUSED by ")
    assert resumed.stdout == "fixes run again\n"
    assert (again.returncode, again.stderr.splitlines()[0]) == (1, "error: fixes are not paused")


def test_a_resume_that_leaves_the_file_says_so_and_exits_1(path: Path) -> None:
    by_file = {"origin": "file", "on": True, "at": "2026-11-24T03:00:00Z", "by": "file /p", "why": "", "until": None}
    with serving(path) as control:
        control.pauses = [by_file, {**by_file, "origin": "operator", "by": "ann"}]
        ran = logmedic("resume", socket=path)
    assert ran.returncode == 1
    assert "PAUSED by file /p, until the file is gone; to end it: rm /p" in ran.stdout
    assert "still paused" in ran.stderr


def test_a_pause_that_no_daemon_hears_names_the_file_that_does_the_same(tmp_path: Path) -> None:
    config = tmp_path / "c.yaml"
    config.write_text(f"actions: {{ pause_file: {tmp_path}/paused }}\n")
    ran = logmedic("pause", "--why", "release", "-c", str(config), socket=tmp_path / "none.sock")
    assert ran.returncode == 4
    assert f"hint: pause it by the file instead: touch {tmp_path}/paused" in ran.stderr


def test_a_pause_is_red_on_a_terminal(path: Path) -> None:
    with serving(path) as control:
        control.pauses = [
            {"origin": "operator", "on": True, "at": "2026-11-24T03:00:00Z", "by": "ann", "why": "x", "until": None}
        ]
        text = on_terminal(["status", "--socket", str(path)], 200)
    assert "\x1b[1;31mPAUSED by ann" in text


def test_a_host_without_a_sandbox_can_still_ask_the_service_manager(path: Path) -> None:
    with serving(path) as control:
        control.arming["units"] = True
        ran = logmedic("status", socket=path)
    first = ran.stdout.splitlines()[0]
    assert first.endswith("fixes DISARMED but for jobs of the service manager: bubblewrap is not installed")


def test_the_status_tells_what_cannot_run_windows_and_proposals(path: Path) -> None:
    ends = (NOW + timedelta(hours=1)).isoformat().replace("+00:00", "Z")
    with serving(path, EVERYTHING) as control:
        refused = {f"rule-{n}": "needs network: loopback" for n in range(7)}
        control.arming = {"armed": True, "sandbox": "unit", "units_reason": "no D-Bus", "refused": refused}
        control.maintenance = [{"name": "backup", "until": ends, "rules": ["db-*"], "tags": ["web"]}]
        ran = logmedic("status", socket=path)
    assert ran.returncode == 0, ran.stderr
    for told in (
        "fixes armed (unit)",
        "! no jobs of the service manager: no D-Bus",
        "! the fix of rule-0 cannot run here: needs network: loopback",
        "! and those of 2 other rules: logmedic status -o json",
        "maintenance window 'backup', until ",
        "no fix of db-*, tag web starts",
        "proposed: auto for web-down, which is at approve, after 5 verified successes in a row: "
        "logmedic trust show web-down",
    ):
        assert told in ran.stdout
