"""rules check, test, list and show: what they print, for people and for programs, and their exit codes."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from logmedic.cli.root import main

TWO = """\
version: 1
service: shop
rules:
  - id: shop-down
    title: "shop {host} is down"
    severity: high
    description: The shop does not answer.
    resolution: Look at its log, then restart it.
    source: syslog
    match: { pattern: '^shop (?P<host>\\S+) is down', captures: { host: hostname } }
    when: { threshold: { count: 2, within: 1m, by: host }, clear: '^shop (?P<host>\\S+) is up' }
    fix:
      mode: approve
      steps: [{ name: restart it, unit: { restart: shop.service } }]
      verify: { quiet: 1m }
    tests:
      - name: fires at two
        lines: [{ text: shop a.example is down, repeat: 2 }]
        expect: { fires: 1, captures: { host: a.example } }
      - name: near miss, one
        lines: [shop a.example is down]
        expect: { fires: 0 }
  - id: shop-slow
    title: the shop is slow
    source: syslog
    match: { pattern: '^shop is slow' }
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "shop.yaml"
    path.write_text(TWO)
    return path


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(["rules", *arguments])
    out, err = capsys.readouterr()
    return code, out, err


Capsys = pytest.CaptureFixture[str]


# -- check -------------------------------------------------------------------------------------------------------------


def test_a_sound_file_is_good(capsys: Capsys, path: Path) -> None:
    code, out, err = said(capsys, "check", str(path))
    assert (code, out, err) == (0, "1 file, 2 rules, 2 tests: all good\n", "")


def test_a_warning_is_told_and_all_is_loaded(capsys: Capsys, path: Path) -> None:
    path.write_text(TWO.replace("^shop is slow", "^(?:a|a)*b"))
    code, out, err = said(capsys, "check", str(path))
    assert code == 0
    assert "all load, 1 warning" in out
    assert f"{path}:26:23: warning: the pattern is slow" in err


def test_strict_refuses_what_is_warned_of_and_what_is_not_proved(capsys: Capsys, path: Path) -> None:
    code, _, err = said(capsys, "check", "--strict", str(path))
    assert code == 3
    for words in ("no `description`", "no `resolution`", "no test that fires", "no test that stays silent"):
        assert f"error: rule shop-slow has {words}" in err
    assert "shop-down has" not in err
    assert "4 mistakes; what is sound: 1 file, 1 rule, 2 tests" in err


def test_programs_get_mistakes_and_warnings_apart(capsys: Capsys, path: Path) -> None:
    path.write_text(TWO.replace("^shop is slow", "^(?:a|a)*b").replace("severity: high", "severity: bad"))
    code, out, _ = said(capsys, "check", str(path), "-o", "json")
    told = json.loads(out)
    assert code == 3
    assert [(each["line"], each["error"]) for each in told["problems"]] == [(6, "`bad` is no severity")]
    assert [each["line"] for each in told["warnings"]] == [26]
    assert told["warnings"][0]["warning"].startswith("the pattern is slow")
    assert told["rules"] == 1


def test_files_that_the_daemon_reads_are_told_of_when_others_can_write_to_them(
    capsys: Capsys, path: Path, tmp_path: Path
) -> None:
    for each in (tmp_path, *tmp_path.parents):
        if not each.stat().st_mode & 0o1000 and each != each.parent and each.stat().st_uid != 0:
            each.chmod(0o755)
    config = tmp_path / "logmedic.conf"
    config.write_text(f"rules: {{ paths: ['{tmp_path}'] }}\n")
    path.chmod(0o666)
    for paths in ([], [str(path)]):
        code, _, err = said(capsys, "check", *paths, "-c", str(config))
        assert code == 3
        assert f"chmod go-w {path}" in err
    config.write_text("rules: { paths: [/etc/logmedic/rules.d] }\n")
    assert said(capsys, "check", str(path), "-c", str(config))[0] == 0, "a draft is nobody's danger"


# -- test --------------------------------------------------------------------------------------------------------------


def test_a_line_a_case_and_a_summary_with_the_time(capsys: Capsys, path: Path) -> None:
    code, out, _ = said(capsys, "test", str(path))
    lines = out.splitlines()
    assert code == 0
    assert lines[:2] == ["✓ shop-down: fires at two", "✓ shop-down: near miss, one"]
    assert lines[2].startswith("2 of 2 tests passed (2 rules, ")


def test_a_failing_case_says_what_was_wanted_and_seen_and_where(capsys: Capsys, path: Path) -> None:
    path.write_text(TWO.replace("fires: 1, captures: { host: a.example }", "fires: 2, captures: { host: b.example }"))
    code, out, _ = said(capsys, "test", str(path))
    assert code == 6
    assert out.splitlines()[:2] == [
        "✗ shop-down: fires at two",
        f"    {path}:17: fires 1, wanted 2; capture host is 'a.example', wanted 'b.example'",
    ]
    assert "1 of 2 tests passed" in out


def test_programs_get_a_row_a_case(capsys: Capsys, path: Path) -> None:
    path.write_text(TWO.replace("expect: { fires: 0 }", "expect: { fires: 1 }"))
    code, out, _ = said(capsys, "test", str(path), "-o", "jsonl")
    rows = [json.loads(line) for line in out.splitlines()]
    assert code == 6
    assert [(row["rule"], row["test"], row["line"], row["failure"]) for row in rows] == [
        ("shop-down", "fires at two", 17, ""),
        ("shop-down", "near miss, one", 20, "fires 0, wanted 1"),
    ]
    assert json.loads(said(capsys, "test", str(path), "-o", "json")[1])[1]["failure"] == "fires 0, wanted 1"


def test_build_servers_get_junit(capsys: Capsys, path: Path, tmp_path: Path) -> None:
    (tmp_path / "broken.yaml").write_text("version: 1\nrules: [{ id: a }]\n")
    path.write_text(TWO.replace("expect: { fires: 0 }", "expect: { fires: 1 }").replace("near miss, one", "a\\x1b<b"))
    report = tmp_path / "report.xml"
    assert said(capsys, "test", str(tmp_path), "--junit", str(report))[0] == 3
    suites = {suite.get("name"): suite for suite in ElementTree.parse(report).getroot()}
    shop, broken = suites[str(path)], suites[str(tmp_path / "broken.yaml")]
    assert (shop.get("tests"), shop.get("failures"), shop.get("errors")) == ("2", "1", "0")
    (failure,) = shop.iter("failure")
    assert failure.get("message") == "fires 0, wanted 1"
    assert [case.get("line") for case in shop.iter("testcase")] == ["17", "20"]
    assert int(broken.get("errors", "0")) > 0


def test_one_rule_can_be_chosen_and_several_by_a_pattern(capsys: Capsys, path: Path) -> None:
    assert "2 of 2 tests passed (1 rule" in said(capsys, "test", str(path), "--rule", "shop-down")[1]
    assert "2 of 2 tests passed (2 rules" in said(capsys, "test", str(path), "--rule", "shop-*")[1]
    code, _, err = said(capsys, "test", str(path), "--rule", "web-*")
    assert code == 5
    assert "no rule that loads is called web-*" in err


def test_many_cases_are_shared_out_and_come_in_order(capsys: Capsys, tmp_path: Path) -> None:
    case = "      - { name: NAME, lines: [shop is slow], expect: { fires: 1 } }\n"
    for file in range(8):
        cases = "".join(case.replace("NAME", f"case {n:02}") for n in range(40))
        text = TWO.replace("shop-", f"shop{file}-") + "    tests:\n" + cases
        (tmp_path / f"{file}.yaml").write_text(text)
    code, out, _ = said(capsys, "test", str(tmp_path), "-o", "json")
    rows = [(row["rule"], row["test"]) for row in json.loads(out)]
    assert code == 0
    assert len(rows) == 8 * 42
    assert rows == sorted(rows)


# -- list, show --------------------------------------------------------------------------------------------------------


def test_the_list_has_a_row_a_rule_with_its_service(capsys: Capsys, path: Path) -> None:
    _, out, _ = said(capsys, "list", str(path))
    rows = [line.split() for line in out.splitlines()]
    assert rows[0] == ["SERVICE", "RULE", "SEVERITY", "FIX", "ENABLED", "SOURCE", "TITLE"]
    assert rows[1] == ["shop", "shop-down", "high", "approve", "yes", "syslog", "shop", "{host}", "is", "down"]
    assert rows[2][:6] == ["shop", "shop-slow", "medium", "-", "yes", "syslog"]


def test_on_a_terminal_the_list_is_grouped_and_counted(path: Path, tmp_path: Path) -> None:
    web = "version: 1\nrules: [{ id: web-down, title: the web is down, match: { pattern: 'web is down' } }]\n"
    (tmp_path / "web.yaml").write_text(web)
    told = on_a_terminal("rules", "list", str(tmp_path))
    assert told.index("shop: 2 rules, 2 tests") < told.index("shop-slow") < told.index("web: 1 rule, 0 tests")
    assert "2 services, 3 rules" in told


def on_a_terminal(*arguments: str) -> str:
    ours, theirs = pty.openpty()
    environment = {"PATH": os.environ["PATH"], "COLUMNS": "120", "TERM": "xterm", "LANG": "C.UTF-8", "NO_COLOR": "1"}
    command = [sys.executable, "-m", "logmedic", *arguments]
    process = subprocess.Popen(command, stdout=theirs, stderr=theirs, stdin=theirs, env=environment)
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


def test_the_list_of_one_service(capsys: Capsys, path: Path, tmp_path: Path) -> None:
    (tmp_path / "web.yaml").write_text(
        "version: 1\nrules: [{ id: web-down, title: the web, enabled: false, match: { pattern: 'web is down' } }]"
    )
    _, out, _ = said(capsys, "list", str(tmp_path), "--service", "web", "-o", "json")
    (row,) = json.loads(out)
    assert (row["service"], row["id"], row["enabled"], row["sources"]) == ("web", "web-down", False, [])
    code, _, err = said(capsys, "list", str(tmp_path), "--service", "wbe")
    assert code == 5
    assert "known here: shop, web" in err


def test_a_rule_is_shown_whole(capsys: Capsys, path: Path) -> None:
    code, out, _ = said(capsys, "show", "shop-down", str(path))
    assert code == 0
    for words in (
        "shop-down: shop {host} is down",
        f"{path}:4",
        "The shop does not answer.",
        "Look at its log, then restart it.",
        r"match       ^shop (?P<host>\S+) is down",
        "{host} is hostname",
        "2 matches inside 1m, apart for each host",
        r"clear       ^shop (?P<host>\S+) is up",
        "The fix asks first",
        "restart it: restart shop.service (at most 30s)",
        "the rule stays silent for 1m",
        f"{path}:17: fires at two (fires 1, host=a.example)",
    ):
        assert words in out


def test_a_rule_is_shown_to_programs_with_everything_in_it(capsys: Capsys, path: Path) -> None:
    told = json.loads(said(capsys, "show", "shop-down", str(path), "-o", "json")[1])
    assert told["when"]["trigger"] == {"count": 2, "within": "1m", "by": ["host"]}
    assert told["fix"]["steps"][0]["restart_unit"] == "shop.service"
    assert (told["service"], told["line"], len(told["tests"])) == ("shop", 4, 2)


def test_a_rule_that_is_not_there_is_told_with_the_nearest_names(capsys: Capsys, path: Path) -> None:
    code, _, err = said(capsys, "show", "shop-donw", str(path))
    assert code == 5
    assert "did you mean shop-down" in err
