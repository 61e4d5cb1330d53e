"""`logmedic report`, against a scripted daemon on a real socket."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import forked
from fakes.report_daemon import ReportDaemon, Script, answering, refusing, taking


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "logmedic", "report", *arguments]


def typed(path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    env = {"PATH": os.environ["PATH"], "LOGMEDIC_REPORT_SOCKET": str(path)}
    return forked.run(command(*arguments), capture_output=True, text=True, timeout=30, check=False, env=env)


def told(script: Script, tmp_path: Path, *arguments: str) -> tuple[subprocess.CompletedProcess[str], ReportDaemon]:
    with ReportDaemon(tmp_path / "report.sock", script) as daemon:
        return typed(daemon.path, *arguments), daemon


def test_what_is_said_is_reported_and_taken(tmp_path: Path) -> None:
    said = ("--component", "backup", "--action", "dump", "--error", "DumpFailed", "--impact", "high")
    more = ("--environment", "production", "--request", "night-17", "--tag", "db", "--tag", "disk")
    ran, daemon = told(taking, tmp_path, *said, *more, "pg_dump ended with 1")
    assert (ran.returncode, ran.stdout) == (0, "taken\n"), ran.stderr
    (report,) = daemon.reports
    wanted = {"component": "backup", "action": "dump", "error": "DumpFailed", "impact": "high"}
    wanted |= {"environment": "production", "request_id": "night-17", "message": "pg_dump ended with 1"}
    assert {name: report[name] for name in wanted} == wanted
    assert (report["tags"], "wait" in report) == (["db", "disk"], False)


@pytest.mark.parametrize(
    ("states", "exit_code", "words"),
    [
        (("fixing", "fixed"), 0, "fixed: 3 s"),
        (("unknown",), 1, "unknown: 3 s"),
        (("held",), 1, "held: 3 s"),
        (("fixing", "not_fixed"), 1, "not fixed: 3 s"),
    ],
    ids=["fixed", "unknown", "held", "not fixed"],
)
def test_with_wait_the_exit_code_says_whether_it_is_mended(
    tmp_path: Path, states: tuple[str, ...], exit_code: int, words: str
) -> None:
    script = answering(*states, detail="3 s", incident="0193a000-0000-7000-8000-00003f9a01c2")
    ran, daemon = told(script, tmp_path, "--wait", "5s", "it broke")
    assert (ran.returncode, ran.stdout) == (exit_code, f"{words} (logmedic show 3f9a01c2)\n"), ran.stderr
    assert 1 < daemon.reports[0]["wait"] <= 5


def test_its_answer_comes_as_json_too(tmp_path: Path) -> None:
    ran, _ = told(answering("fixed", rule="db-down"), tmp_path, "--wait", "5s", "-o", "json", "it broke")
    answer = json.loads(ran.stdout)
    assert (answer["state"], answer["rule"], bool(answer["report"])) == ("fixed", "db-down", True)


@pytest.mark.slow
def test_without_a_daemon_it_says_what_to_start(tmp_path: Path) -> None:
    for more in ((), ("--wait", "5s")):
        ran = typed(tmp_path / "nobody.sock", *more, "it broke")
        assert ran.returncode == 4
        assert "error: no daemon took the report: 1 report was not delivered to the daemon at" in ran.stderr
        assert ran.stderr.count("not delivered") == 1
        assert "systemctl start logmedic" in ran.stderr


def test_a_report_that_is_refused_is_an_error_with_its_reason(tmp_path: Path) -> None:
    ran, _ = told(refusing("form"), tmp_path, "it broke")
    assert ran.returncode == 1
    assert "it is refused" in ran.stderr
    assert "docs/reports.md" in ran.stderr


def test_its_message_may_come_from_a_pipe(tmp_path: Path) -> None:
    with ReportDaemon(tmp_path / "report.sock", taking) as daemon:
        env = {"PATH": os.environ["PATH"], "LOGMEDIC_REPORT_SOCKET": str(daemon.path)}
        said = "pg_dump: error: no room\nit ended with 1\n"
        ran = forked.run(command("-"), input=said, capture_output=True, text=True, timeout=30, check=False, env=env)
        assert (ran.returncode, ran.stderr) == (0, "")
        assert daemon.reports[0]["message"] == said.rstrip()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((" ",), "MESSAGE: it is empty: say what failed"),
        (("--component", "7 of 9", "x"), "--component: `7 of 9`: write a letter"),
        (("--component", "", "x"), "--component: ``: write a letter"),
        (("--request", "order 17", "x"), "--request: `order 17`: write at most 128"),
        (("--environment", "my test", "x"), "--environment: `my test`: write at most 64"),
        (("--tag", "db", "--tag", "a b", "x"), "--tag: `a b`: write at most 64"),
    ],
    ids=["no message", "component", "no component", "request", "environment", "tag"],
)
def test_what_a_report_cannot_say_is_refused_here(tmp_path: Path, arguments: tuple[str, ...], words: str) -> None:
    """Rules and people would look for it in vain."""
    ran = typed(tmp_path / "nobody.sock", *arguments)
    assert ran.returncode == 2
    assert words in ran.stderr


@pytest.mark.parametrize("wait", ["soon", "0s", "11m"])
def test_a_wait_that_is_none_is_refused(tmp_path: Path, wait: str) -> None:
    ran = typed(tmp_path / "nobody.sock", "--wait", wait, "it broke")
    assert ran.returncode == 2
    assert "--wait" in ran.stderr


def test_the_config_says_where_the_socket_is(tmp_path: Path) -> None:
    config = tmp_path / "logmedic.yaml"
    config.write_text(f"web: {{ socket: {tmp_path}/logmedic.sock }}\n")
    with ReportDaemon(tmp_path / "report.sock", taking) as daemon:
        env = {"PATH": os.environ["PATH"]}
        ran = forked.run(
            command("-c", str(config), "it broke"), capture_output=True, text=True, timeout=30, check=False, env=env
        )
        assert (ran.returncode, len(daemon.reports)) == (0, 1), ran.stderr
