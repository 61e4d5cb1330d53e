"""`logmedic run --once -`, as it is typed: a pipe in, a report out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import forked
from alerts.servers import Answer, HttpServer

RULES = """\
version: 1
rules:
  - id: printer-on-fire
    title: "printer {printer} is on fire"
    severity: high
    match:
      pattern: 'lp\\d: (?P<printer>\\w+) on fire'
      captures: { printer: word }
    tests:
      - name: fire
        lines: ["lp0: laser on fire"]
        expect: { fires: 1, captures: { printer: laser } }
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "printer.yaml").write_text(RULES)
    (tmp_path / "logmedic.yaml").write_text(
        f'rules: {{ paths: ["{tmp_path}/rules"] }}\n'
        f'storage: {{ path: "{tmp_path}/state/logmedic.duckdb" }}\n'
        f'web: {{ socket: "{tmp_path}/state/logmedic.sock" }}\n'
    )
    return tmp_path


def logmedic(home: Path, *arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
    return forked.run(
        [sys.executable, "-m", "logmedic", "-c", str(home / "logmedic.yaml"), *arguments],
        input=given,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={"PATH": os.environ["PATH"], "NO_COLOR": "1", "HOME": str(home)},
    )


def test_a_line_on_standard_input_opens_an_incident_and_is_reported(home: Path) -> None:
    ran = logmedic(home, "run", "--once", "-", "-o", "json", given="lp0: laser on fire\n")
    assert ran.returncode == 0, ran.stderr
    report = json.loads(ran.stdout)
    (incident,) = report["open_incidents"]
    assert incident["title"] == "printer laser is on fire"
    assert report["counts"]["lines"] == 1


def test_the_report_is_readable_without_json(home: Path) -> None:
    ran = logmedic(home, "run", "--once", "-", given="lp0: laser on fire\n")
    assert ran.returncode == 0, ran.stderr
    assert "printer laser is on fire" in ran.stdout


def test_the_same_error_often_enough_is_learned(home: Path) -> None:
    lines = "".join(f"2026-11-23 03:12:{n:02d} ERROR ledger: cannot book entry {n}\n" for n in range(12))
    ran = logmedic(home, "run", "--once", "-", given=lines)
    assert ran.returncode == 0, ran.stderr
    listed = logmedic(home, "issues", "-o", "json")
    (issue,) = json.loads(listed.stdout)
    assert issue["issue_type"] == "recurring_error"
    assert issue["occurrences"] == 12
    assert issue["severity"] == "high"


def test_a_file_is_read_from_its_beginning_and_once_only(home: Path) -> None:
    log = home / "app.log"
    log.write_text("lp0: laser on fire\nall is well\n")
    for _ in range(2):
        ran = logmedic(home, "run", "--once", str(log), "-o", "json")
        assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["counts"]["lines"] == 2


def test_the_story_of_an_incident_can_be_read_without_a_daemon(home: Path) -> None:
    logmedic(home, "run", "--once", "-", given="lp0: laser on fire\n")
    listed = json.loads(logmedic(home, "incidents", "-o", "json").stdout)
    shown = logmedic(home, "show", listed[0]["id"][-8:])
    assert shown.returncode == 0, shown.stderr
    assert "lp0: laser on fire" in shown.stdout


def alerts_to(home: Path, *urls: str) -> None:
    """The first is told, the others are its fallbacks; nobody is told within an hour."""
    names = [f"r{number}" for number in range(len(urls))]
    receivers = ", ".join(f'{name}: "{url}"' for name, url in zip(names, urls, strict=True))
    route = f"{{ to: {names[0]}, fallback: [{', '.join(names[1:])}], group_wait: 1h, group_interval: 1h }}"
    with (home / "logmedic.yaml").open("a") as config:
        config.write(
            f"alerts: {{ receivers: {{ {receivers} }}, routes: {{ oncall: {route} }}, default_route: oncall }}\n"
        )


def test_people_are_told_before_it_ends_although_their_group_would_wait(home: Path) -> None:
    with HttpServer() as server:
        alerts_to(home, f"json://127.0.0.1:{server.port}/chat")
        ran = logmedic(home, "run", "--once", "-", given="lp0: laser on fire\n")
    assert ran.returncode == 0, ran.stderr
    (posted,) = server.posted
    assert "printer laser is on fire" in json.loads(posted.body)["title"]


@pytest.mark.slow
def test_who_cannot_be_reached_is_tried_again_and_then_the_fallback_is_told_before_it_ends(home: Path) -> None:
    with HttpServer({"down": Answer(503)}) as server:
        alerts_to(home, *(f"json://127.0.0.1:{server.port}/{name}" for name in ("down", "mail")))
        ran = logmedic(home, "run", "--once", "-", given="lp0: laser on fire\n")
    assert ran.returncode == 0, ran.stderr
    assert [each.path for each in server.posted] == ["/down", "/down", "/mail"]


def test_a_broken_rule_is_shown_with_its_place_and_the_others_work(home: Path) -> None:
    (home / "rules" / "broken.yaml").write_text("version: 1\nrules:\n  - id: x\n    titel: y\n")
    ran = logmedic(home, "run", "--once", "-", given="lp0: laser on fire\n")
    assert ran.returncode == 0, ran.stderr
    assert "broken.yaml:4" in ran.stdout + ran.stderr
    assert "printer laser is on fire" in ran.stdout
