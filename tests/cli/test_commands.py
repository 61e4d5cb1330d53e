"""The command line as it is typed: output, exit codes, errors; over a real socket."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

import forked
from cli.surroundings import ENVIRONMENT
from contracts.test_store_contract import EVERYTHING, INCIDENT
from fakes.served import serving
from logmedic.model.changeset import Changeset
from logmedic.model.issue import HoldReason, IncidentStatus, Tally
from logmedic.model.report import ReportCounts
from logmedic.runtime.reportrow import report_row


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "logmedic.sock"


def logmedic(*arguments: str, socket: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    given = ["--socket", str(socket)] if socket else []
    return forked.run(
        [sys.executable, "-m", "logmedic", *arguments, *given],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**ENVIRONMENT, **environment},
    )


def test_help_imports_neither_the_store_nor_the_sender_nor_the_server() -> None:
    program = (
        "import sys\nfrom logmedic.cli.root import main\nmain(['--help'])\n"
        "heavy = {'duckdb', 'apprise', 'starlette', 'uvicorn', 'pydantic', 'hyperscan', 'regex', 'rich', 'structlog'}\n"
        "print('heavy:', sorted(heavy & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "heavy: []" in ran.stdout
    assert "Exit codes" in ran.stdout


@pytest.mark.parametrize(
    "command",
    [
        *(
            "run",
            "status",
            "sources",
            "incidents",
            "show",
            "approve",
            "reject",
            "stats",
            "query",
            "issues",
            "learnings",
            "breakers",
        ),
        *("why", "fixes", "fixes try", "breakers reset", "trust", "trust show", "trust raise", "trust lower"),
        *("trust keep", "trust history", "pause", "resume", "events"),
        *("reload", "demo", "alerts", "alerts list", "alerts test", "rules", "rules check", "rules test"),
        *("rules costs", "rules explain", "rules backtest", "rules new", "rules import", "rules import fail2ban"),
        *("learned", "learned list", "learned show", "learned mute", "learned unmute", "learned resolve"),
        *("learned merge", "learned precursors", "ack", "silence", "silence add", "silence list", "silence end"),
        *("alerts receivers", "alerts resend", "alerts route", "alerts preview"),
        *("rules list", "rules show", "rules schema", "config", "config check", "config show", "config schema"),
    ],
)
def test_every_command_explains_itself(command: str) -> None:
    ran = logmedic(*command.split(), "--help")
    assert ran.returncode == 0, ran.stderr
    assert len(ran.stdout.splitlines()) > 5


def test_a_mistyped_command_is_recognised() -> None:
    ran = logmedic("statsu")
    assert ran.returncode == 2
    assert "Did you mean `stats`?" in ran.stderr or "Did you mean `status`?" in ran.stderr


def test_options_stand_before_or_after_the_command(path: Path) -> None:
    with serving(path, EVERYTHING):
        before = logmedic("-o", "json", "--socket", str(path), "issues")
        after = logmedic("issues", "-o", "json", socket=path)
    assert json.loads(before.stdout) == json.loads(after.stdout)


def test_the_status_begins_with_the_answer(path: Path) -> None:
    with serving(path, EVERYTHING):
        ran = logmedic("status", socket=path)
    assert ran.returncode == 0, ran.stderr
    first = ran.stdout.splitlines()[0]
    assert first == (
        "1 open incident, 1 mistake in the rule files: watching 1 log, 31 rules; mode auto, "
        "fixes DISARMED: bubblewrap is not installed"
    )
    for told in ("web.yaml:3:5", "source shop failed", "salvaged", "2 messages could not be delivered", "2.0 KiB"):
        assert told in ran.stdout


def test_the_status_tells_of_reports_of_applications_and_what_is_wrong_with_them(path: Path) -> None:
    with serving(path) as control:
        counts = ReportCounts(taken=12, refused={"rate": 3}, connections=6, questions=1)
        control.reports = report_row("/run/logmedic/report.sock", counts, "")
        well = logmedic("status", socket=path)
        control.reports = report_row("/run/logmedic/report.sock", counts, "it cannot listen\x1b[31m")
        ill = logmedic("status", socket=path)
        control.reports = None
        none = logmedic("status", socket=path)
    said = "reports of applications: 12 taken, 3 refused (3 rate), 6 connections, 1 waits for an answer"
    assert said in well.stdout.splitlines()
    assert "! reports of applications (/run/logmedic/report.sock): it cannot listen" in ill.stdout
    assert "\x1b" not in ill.stdout
    assert "reports of applications" not in none.stdout


def test_who_has_the_id_of_a_request_finds_its_incident_over_or_not(path: Path) -> None:
    over = replace(INCIDENT, id="0193-over", status=IncidentStatus.RESOLVED, requests=("req-1", "req-2"))
    with serving(path, Changeset(incidents=(over, replace(INCIDENT, id="0193-other")))):
        found = logmedic("incidents", "--request", "req-2", "-o", "json", socket=path)
        nothing = logmedic("incidents", "--request", "req-3", socket=path)
        why = logmedic("why", "0193-over", socket=path)
    assert [row["id"] for row in json.loads(found.stdout)] == ["0193-over"]
    assert "no incident has this request" in nothing.stdout + nothing.stderr
    assert "failed requests of applications: req-2, and 1 more" in why.stdout


def test_the_status_of_fifty_sources_is_read_at_a_glance(path: Path) -> None:
    with serving(path) as control:
        control.origins = 50
        ran = logmedic("status", socket=path)
    assert ran.returncode == 0, ran.stderr
    assert "watching 50 logs" in ran.stdout
    assert "49 others of 50 in order: logmedic sources" in ran.stdout
    assert ran.stdout.count("/var/log/shop") == 1


def test_f12_the_status_tells_of_events_that_were_lost(path: Path) -> None:
    minute = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
    with serving(path, Changeset(tallies=(Tally(minute, "event_overflows", 2),))):
        ran = logmedic("status", socket=path)
    assert "2 overflows of the kernel's events: each time every file was looked at" in ran.stdout


def test_sources_prove_what_was_read(path: Path) -> None:
    with serving(path) as control:
        control.origins = 50
        table = logmedic("sources", socket=path)
        rows = json.loads(logmedic("sources", "shop", "-o", "json", socket=path).stdout)
        nobody = logmedic("sources", "nobody", socket=path)
    assert len(table.stdout.splitlines()) == 51
    for told in ("POSITION", "LINES", "GAPS", "TRUNCATED", "17", "2.0 KiB"):
        assert told in table.stdout
    assert len(rows) == 50
    assert {"lines", "bytes", "gaps", "truncations", "skipped_bytes", "last_line_at", "lag_bytes", "lag_s"} <= set(
        rows[0]
    )
    assert "no source is called nobody" in nobody.stdout


def test_no_log_text_steers_the_terminal(path: Path) -> None:
    with serving(path, EVERYTHING):
        for command in (["status"], ["incidents"], ["show", "3-i1"], ["issues"], ["learnings"], ["alerts", "list"]):
            ran = logmedic(*command, socket=path)
            assert ran.returncode == 0, ran.stderr
            assert not set(ran.stdout) & {"\x1b", "\x00", "\u202e", "\r"}, command


def test_fail_on_is_for_scripts(path: Path) -> None:
    with serving(path, EVERYTHING):
        assert logmedic("status", "--fail-on", "critical", socket=path).returncode == 10
    with serving(path):
        assert logmedic("status", "--fail-on", "low", socket=path).returncode == 0


def test_the_story_says_what_to_type_next(path: Path) -> None:
    waiting = replace(INCIDENT, status=IncidentStatus.OPEN, hold=HoldReason.AWAITING_APPROVAL, hold_detail="until 4:00")
    with serving(path, EVERYTHING, Changeset(incidents=(waiting,))) as control:
        ran = logmedic("show", "3-i1", socket=path)
        assert "next: logmedic approve 0193-i1" in ran.stdout
        assert "▸ fix       1. restart: running" in ran.stdout
        assert "! told      chat: opened" in ran.stdout
        assert logmedic("approve", "0193-i1", socket=path).returncode == 0
    assert control.did[0][:2] == ("approve", "0193-i1")


def test_what_is_not_there_exits_5(path: Path) -> None:
    with serving(path):
        ran = logmedic("show", "nowhere", socket=path)
    assert ran.returncode == 5
    assert ran.stderr.startswith("error: no incident nowhere")


def test_without_daemon_and_store_it_says_what_to_start(tmp_path: Path) -> None:
    for command in (["status"], ["incidents"], ["reload"]):
        ran = logmedic(*command, "--store", str(tmp_path / "none.duckdb"), socket=tmp_path / "none.sock")
        assert ran.returncode == 4, ran.stderr
        assert "systemctl start logmedic" in ran.stderr


def test_a_reload_with_mistakes_exits_3(path: Path) -> None:
    with serving(path):
        ran = logmedic("reload", socket=path)
    assert ran.returncode == 3
    assert "web.yaml:3:5" in ran.stderr


@pytest.mark.parametrize(("status", "code"), [("sent", 0), ("pending", 1), ("dead", 1)])
def test_a_test_message_that_does_not_arrive_exits_1(path: Path, status: str, code: int) -> None:
    with serving(path) as control:
        control.deliveries = [{"receiver": "chat", "status": status, "last_error": "x", "route": "oncall"}]
        assert logmedic("alerts", "test", socket=path).returncode == code
        control.deliveries = []
        assert logmedic("alerts", "test", socket=path).returncode == 1


def test_a_reader_that_goes_away_is_no_error(path: Path) -> None:
    many = Changeset(incidents=tuple(replace(INCIDENT, id=f"i{n:06d}", group_key=str(n)) for n in range(2000)))
    with serving(path, many):
        command = f"{sys.executable} -m logmedic incidents --limit 2000 --socket {path} | head -1"
        ran = subprocess.run(["bash", "-c", f"set -o pipefail; {command}"], capture_output=True, text=True, check=False)
    assert ran.stderr == ""
    assert len(ran.stdout.splitlines()) == 1


@pytest.mark.parametrize("columns", [60, 80, 200])
def test_on_a_terminal_tables_fit_its_width(path: Path, columns: int) -> None:
    with serving(path, EVERYTHING):
        text = on_terminal(["incidents", "--socket", str(path)], columns)
    assert "CRITICAL" in text.upper()
    plain = [line for line in strip(text).splitlines() if line]
    assert max(map(len, plain)) <= columns


def on_terminal(arguments: list[str], columns: int) -> str:
    ours, theirs = pty.openpty()
    environment = {"PATH": os.environ["PATH"], "COLUMNS": str(columns), "TERM": "xterm", "LANG": "C.UTF-8"}
    process = subprocess.Popen(
        [sys.executable, "-m", "logmedic", *arguments], stdout=theirs, stderr=theirs, stdin=theirs, env=environment
    )
    os.close(theirs)
    told = b""
    try:
        while chunk := os.read(ours, 65536):
            told += chunk
    except OSError:  # the terminal's other end is closed
        pass
    process.wait()
    os.close(ours)
    return told.decode()


def strip(text: str) -> str:
    import re

    return re.sub(r"\x1b\[[0-9;]*m", "", text).replace("\r", "")


def test_the_config_is_shown_without_its_secrets(tmp_path: Path) -> None:
    config = tmp_path / "logmedic.yaml"
    config.write_text('alerts: { receivers: { chat: "slack://T1JJ3T3L2/A1BRTD4JD/s3cretS3cretS3cretS3cret" } }\n')
    ran = logmedic("config", "show", "-c", str(config))
    assert ran.returncode == 0, ran.stderr
    assert "s3cret" not in ran.stdout
    assert json.loads(ran.stdout)["mode"] == "observe"


def test_a_config_with_mistakes_exits_3_and_shows_them_all(tmp_path: Path) -> None:
    config = tmp_path / "logmedic.yaml"
    config.write_text("mode: atuo\nstorage: { keep: 30 }\nwbe: {}\n")
    for command in (["config", "check"], ["status"], ["run"]):
        ran = logmedic(*command, "-c", str(config))
        assert ran.returncode == 3, ran.stderr
        for place in (":1:1", ":2:12", ":3:1"):
            assert f"logmedic.yaml{place}" in ran.stderr


def test_rules_are_checked_and_tested(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    rule = "version: 1\nrules:\n  - id: {0}\n    title: t\n    match: {{ pattern: boom }}\n    tests:\n"
    test = "      - {{ name: it fires, lines: [{1}], expect: {{ fires: 1 }} }}\n"
    good.write_text((rule + test).format("good", "boom"))
    bad.write_text((rule + test).format("bad", "calm"))
    ran = logmedic("rules", "check", str(good))
    assert (ran.returncode, ran.stdout) == (0, "1 file, 1 rule, 1 test: all good\n"), ran.stderr
    ran = logmedic("rules", "test", str(tmp_path))
    assert ran.returncode == 6
    assert "✓ good: it fires" in ran.stdout
    assert "✗ bad: it fires\n" in ran.stdout
    assert "bad.yaml:7: fires 0, wanted 1\n" in ran.stdout
    ran = logmedic("rules", "check", str(tmp_path))
    assert ran.returncode == 3
    assert "bad.yaml:7" in ran.stderr


def test_a_missing_config_is_told() -> None:
    ran = logmedic("status", "-c", "/no/such/file.yaml")
    assert ran.returncode == 3
    assert "/no/such/file.yaml" in ran.stderr


def test_f43_the_costs_of_rules_are_told_the_dearest_first(path: Path) -> None:
    with serving(path):
        ran = logmedic("rules", "costs", socket=path)
        one = logmedic("rules", "costs", "--limit", "1", "-o", "json", socket=path)
    assert ran.returncode == 0, ran.stderr
    head, slow, down = ran.stdout.splitlines()
    assert head.split()[:4] == ["RULE", "ASKED", "MATCHED", "TIME"]
    assert slow.split()[:8] == ["web-slow", "4,000", "7", "2.500", "s", "625.0", "µs", "5"]
    assert down.split()[-2:] == ["-", "-"]
    assert [row["rule"] for row in json.loads(one.stdout)] == ["web-slow"]
