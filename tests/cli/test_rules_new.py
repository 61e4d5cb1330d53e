"""`rules new` as it is typed: what it drafts passes the strictest check there is."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import forked
from cli.surroundings import ENVIRONMENT
from contracts.test_store_contract import INCIDENT, ISSUE
from fakes.served import serving
from logmedic.model.changeset import Changeset
from logmedic.model.issue import IssueSource

SSHD = "Nov 24 03:12:41 web1 sshd[811]: error: cannot bind to 10.0.0.7 port 22"


def logmedic(*arguments: str, socket: Path | None = None, given: str = "") -> tuple[int, str, str]:
    ran = forked.run(
        [sys.executable, "-m", "logmedic", *arguments, "--socket", str(socket or "/nonexistent/logmedic.sock")],
        input=given,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env=ENVIRONMENT,
    )
    return ran.returncode, ran.stdout, ran.stderr


LINES = {
    "syslog": SSHD,
    "json": '{"ts":"2026-11-24T03:12:41Z","level":"error","msg":"job mail-7 failed","path":"/srv/x"}',
    "trace": 'ERROR boom\nTraceback (most recent call last):\n  File "x", line 1\nshop.DbError: lost 10.0.0.1:5432',
    "quotes": """it's {broken}: "a" #1 \\d 'b' : - [x]""",
    "script": "ошибка: диск 17 недоступен",
}


def test_drafts_pass_the_strict_check_and_know_their_lines(tmp_path: Path) -> None:
    for name, line in LINES.items():
        code, _, err = logmedic("rules", "new", "--from", line, "--id", name, "-w", str(tmp_path / f"{name}.yaml"))
        assert code == 0, err
    code, out, err = logmedic("rules", "check", "--strict", str(tmp_path))
    assert code == 0, err
    assert f"{len(LINES)} rules" in out
    assert "all good" in out
    given = "\n".join(LINES.values())
    _, told, _ = logmedic("rules", "explain", "-", "--rules", str(tmp_path), "-o", "json", given=given)
    assert [row["matched"] for row in json.loads(told)] == [[name] for name in LINES]


def test_a_line_that_a_rule_knows_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    config = tmp_path / "logmedic.yaml"
    config.write_text(f"rules: {{ paths: [{tmp_path}/rules] }}\n")
    arguments = ("rules", "new", "--from", SSHD, "-c", str(config))
    assert logmedic(*arguments, "-w", str(tmp_path / "rules" / "one.yaml"))[0] == 0
    code, out, err = logmedic(*arguments)
    assert code == 0
    assert "sshd-error-cannot-bind-port knows this line already" in err
    assert "id: 'sshd-error-cannot-bind-port-2'" in out


def test_standard_output_holds_the_file_and_nothing_else(tmp_path: Path) -> None:
    _, out, _ = logmedic("rules", "new", "--from", "-", "--id", "mine", "--severity", "low", given=SSHD)
    path = tmp_path / "x.yaml"
    path.write_text(out)
    _, listed, _ = logmedic("rules", "list", str(path), "-o", "json")
    (row,) = json.loads(listed)
    assert (row["id"], row["severity"], row["fix"]) == ("mine", "low", None)


@pytest.mark.slow
def test_a_file_that_is_there_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text("mine")
    code, _, err = logmedic("rules", "new", "--from", SSHD, "-w", str(path))
    assert code == 1
    assert "is there already" in err
    assert path.read_text() == "mine"


def test_an_incident_gives_its_line_its_source_and_how_bad_it_was(tmp_path: Path) -> None:
    incident = replace(INCIDENT, evidence=SSHD, source="auth")
    with serving(tmp_path / "s", Changeset(incidents=(incident,))):
        code, out, err = logmedic("rules", "new", "--from-incident", incident.id[-4:], socket=tmp_path / "s")
    assert code == 0, err
    assert "    source: ['auth']" in out
    assert f"    severity: {incident.severity.value}" in out
    assert "program: ['sshd']" in out


def test_a_learned_issue_gives_its_sample(tmp_path: Path) -> None:
    issue = replace(ISSUE, source=IssueSource.LEARNED, description=SSHD, id="0193-learned")
    with serving(tmp_path / "s", Changeset(issues=(issue,))):
        code, out, err = logmedic("rules", "new", "--from-incident", "learned", socket=tmp_path / "s")
        missing, _, _ = logmedic("rules", "new", "--from-incident", "nobody", socket=tmp_path / "s")
    assert code == 0, err
    assert "program: ['sshd']" in out
    assert missing == 5


@pytest.mark.parametrize(
    ("arguments", "code"),
    [((), 2), (("--from", SSHD, "--from-incident", "x"), 2), (("--from", "  "), 1)],
    ids=["nothing", "two things", "an empty line"],
)
def test_what_nothing_can_be_drafted_from_is_told(arguments: tuple[str, ...], code: int) -> None:
    assert logmedic("rules", "new", *arguments)[0] == code
