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


def test_who_writes_rules_needs_none_of_the_daemons_secrets(capsys: Capsys, path: Path, tmp_path: Path) -> None:
    config = tmp_path / "logmedic.conf"
    config.write_text(
        "alerts: { receivers: { chat: 'slack://${credential:of-the-unit}' }, routes: { oncall: chat } }\n"
    )
    for command in ("check", "test", "list"):
        code, _, err = said(capsys, command, str(path), "-c", str(config))
        assert (code, err) == (0, "")


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
        "restart it: restart shop.service (at most 30s, 3 tries, 1s to 10s apart)",
        "the rule stays silent for 1m",
        f"{path}:17: fires at two (fires 1, host=a.example)",
    ):
        assert words in out


def test_a_rule_is_shown_to_programs_with_everything_in_it(capsys: Capsys, path: Path) -> None:
    told = json.loads(said(capsys, "show", "shop-down", str(path), "-o", "json")[1])
    assert told["when"]["trigger"] == {"count": 2, "within": "1m", "by": ["host"]}
    assert told["fix"]["steps"][0]["action"] == {"kind": "unit", "verb": "restart", "unit": "shop.service"}
    assert (told["service"], told["line"], len(told["tests"])) == ("shop", 4, 2)


LADDER = """\
version: 1
rules:
  - id: db-down
    title: the database is down
    match: { pattern: '^db is down' }
  - id: shop-slow
    title: "{host} is slow"
    match: { pattern: '^(?P<host>\\S+) is slow', captures: { host: { type: hostname, allow: [.example] } } }
    fix:
      mode: approve
      graduate_after: 5
      after: db-down
      on_failure: record
      guard: { tcp: { connect: "{host}:80" } }
      steps:
        - any_of:
            - http: { post: "http://{host}/flush" }
            - name: drop the cache
              empty: { path: /var/cache/shop, older_than: 10m }
              retry: { attempts: 1 }
        - name: make room
          free: { paths: /srv/shop/tmp, pattern: "*.tmp", keep: 2, until: 10%, at_most: 5G }
          expect: { not: { disk: { path: /srv/shop, free: 10%, inodes: 5% } } }
        - name: fail over
          run: [/usr/local/lib/failover, "{host}"]
          sandbox: { write: [/var/lib/failover], network: loopback, user: shop, memory: 64M, time: 10s }
          rollback: { run: [/usr/local/lib/failback, "{host}"], sandbox: { user: root } }
        - unit: { reload: shop.service }
          sandbox: { kind: none }
      verify:
        http: { get: "http://{host}/healthz", contains: ok }
        or:
          - unit: { unit: shop.service, up_for: 10s }
          - file: { path: /run/shop/ready, newer_than: 5m }
            not: { command: { run: [/usr/bin/false] } }
      limits: { one_at_a_time: "{host}", min_uptime: 2m }
      breaker: { failures: 2, factor: 3, open_max: 6h, successes: 2 }
    tests:
      - { name: fires, lines: [a.example is slow], expect: { fires: 1, steps: [step 1a] } }
      - { name: near miss, lines: [a.test is slow], expect: { fires: 0 } }
"""


def test_a_ladder_is_shown_with_what_each_step_needs(capsys: Capsys, tmp_path: Path) -> None:
    path = tmp_path / "shop.yaml"
    path.write_text(LADDER)
    code, out, _ = said(capsys, "show", "shop-slow", str(path))
    assert code == 0
    shown = out[out.index("The fix") : out.index("\n\n2 tests")]
    assert (
        shown
        == """\
The fix asks first; after 5 verified successes the next mode is proposed
  after       db-down: while one has an open incident, that is the cause and goes first
  step 1      one of these; what each has earned decides their order:
  step 1a     POST http://{host}/flush, which answers 2xx (at most 30s, 3 tries, 1s to 10s apart)
    needs     nothing: the daemon does it
  step 1b     drop the cache: empty /var/cache/shop, what is older than 10m (at most 5m, one try)
    needs     an account that owns nothing; no network; writes /var/cache/shop
  step 2      make room: delete *.tmp in /srv/shop/tmp, the oldest first, none younger than 1h, none of the newest 2, \
until 10% is free, at most 5G (at most 5m, 3 tries, 1s to 10s apart)
    only if   not: 10% of the room and 5% of the inodes free where /srv/shop is
    needs     an account that owns nothing; no network; writes /srv/shop/tmp
  step 3      fail over: /usr/local/lib/failover {host} (at most 30s, 3 tries, 1s to 10s apart)
    needs     the account shop; the host's loopback; writes /var/lib/failover; 64M of memory; 10s of processor time
    undone by undo fail over: /usr/local/lib/failback {host} (at most 30s)
      needs   ROOT (actions.allow_root); no network
  step 4      reload shop.service (at most 30s, 3 tries, 1s to 10s apart)
    needs     the service manager
  guard       {host}:80 takes a connection inside 30s
  verify      GET http://{host}/healthz answers 200 with `ok` inside 30s
              one of
                shop.service is active for 10s inside 40s
                all of
                  /run/shop/ready is there, changed in the last 5m inside 30s
                  not: /usr/bin/false exits 0
  limits      5m from one run to the next, 12 an hour at most, one at a time: {host}, none in the first 2m after a start
  breaker     after 2 failures none for 30m, each time 3 times as long, up to 6h; 2 trials in a row that work close \
it; 1d without a failure begins anew
  or else     when nothing of this holds, it is only recorded"""
    )


def test_programs_are_told_of_which_kind_each_step_and_check_is(capsys: Capsys, tmp_path: Path) -> None:
    path = tmp_path / "shop.yaml"
    path.write_text(LADDER)
    fix = json.loads(said(capsys, "show", "shop-slow", str(path), "-o", "json")[1])["fix"]
    assert [(step["rung"], step["action"]["kind"]) for step in fix["steps"]] == [
        *[(0, "http"), (0, "empty")],
        *[(1, "free"), (2, "run"), (3, "unit")],
    ]
    assert [probe["kind"] for probe in fix["verify"]["probes"]] == ["http", "or"]
    assert fix["steps"][1]["expect"] == []
    assert fix["steps"][2]["expect"][0]["probe"]["kind"] == "disk"


def test_a_rule_that_is_not_there_is_told_with_the_nearest_names(capsys: Capsys, path: Path) -> None:
    code, _, err = said(capsys, "show", "shop-donw", str(path))
    assert code == 5
    assert "did you mean shop-down" in err
