"""Rule files: what loads, what is refused with which words, and what stays when a file breaks."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logmedic.adapters.rulefiles.loader import RuleFileLoader
from logmedic.adapters.rulefiles.reading import watched
from logmedic.core.ruletest import run_tests
from logmedic.model.match import CaptureType
from logmedic.model.probe import HttpProbe
from logmedic.model.rule import Mode, RuleSet
from logmedic.model.severity import Severity
from logmedic.model.step import UnitJob, UnitVerb
from logmedic.model.when import Threshold
from logmedic.yamldoc import render_problems

RULE = """\
version: 1
rules:
  - id: web-down
    title: "web {host} is down"
    match:
      pattern: 'web (?P<host>\\S+) is down(?: at (?P<path>\\S+))?'
      captures: { host: { type: hostname, allow: [.shop.example] } }
    tests:
      - name: it is down
        lines: ["web a.shop.example is down"]
        expect: { fires: 1, captures: { host: a.shop.example } }
      - name: near miss, another shop
        lines: ["web a.other.example is down"]
        expect: { fires: 0 }
"""
WHEN = """\
    when:
      threshold: { count: 1, by: [host] }
      clear:
        pattern: 'web (?P<host>\\S+) is up'
        quiet: 1m
"""
FIX = """\
    fix:
      mode: auto
      steps:
        - name: restart
          run: [/usr/bin/true, "{host}"]
      verify: { http: { get: "http://{host}/healthz", within: 5s } }
"""


def put(room: Path, text: str = RULE, name: str = "web.yaml") -> Path:
    path = room / name
    path.write_text(text)
    return path


def load(*paths: Path, owners: frozenset[int] | None = None, previous: RuleSet | None = None) -> RuleSet:
    return RuleFileLoader(paths, owners=owners, prove=run_tests).load(previous)


def ids(loaded: RuleSet) -> list[str]:
    return [rule.id for rule in loaded.rules]


def told(loaded: RuleSet) -> str:
    return render_problems(loaded.problems)


def test_a_sound_file_loads_with_everything_in_it(tmp_path: Path) -> None:
    text = """\
version: 1
rules:
  - id: everything
    title: "{host} does not answer"
    severity: critical
    description: what it means
    tags: [web, nginx]
    runbook: https://wiki.example/x
    source: [nginx-error, syslog]
    enabled: true
    match:
      patterns: ['refused by (?P<host>[\\w.:]+)', 'timeout of (?P<host>[\\w.:]+)']
      unless: ['canary']
      captures: { host: { type: hostport, allow: [10.0.0.0/8] } }
    when: { threshold: { count: 2, within: 1m, by: [host] } }
    fix:
      mode: auto
      steps:
        - name: one
          run: [/usr/bin/true, "--host={host}"]
          timeout: 5s
          retry: { attempts: 2, base: 100ms, max: 1s, factor: 3 }
          sandbox: { write: [/srv/x], read: [/srv/y], memory: 64M, tasks: 8, file_size: 1K }
        - unit: { restart: app.service }
      verify:
        http: { get: "http://{host}/healthz", status: 204, contains: ok, within: 5s, every: 200ms }
        tcp: [{ connect: "{host}" }, { connect: "127.0.0.1:80", within: 1s }]
        command: { run: [/usr/bin/test, -e, /x], within: 1s }
        quiet: 30s
      limits: { cooldown: 1m, max_per_hour: 3, one_at_a_time: app, min_uptime: 2m }
      breaker: { failures: 4, open_for: 10m }
    alert: { routes: [oncall], on: [fix_failed, recovered], group_by: [host], repeat_every: 1h }
    tests:
      - name: twice
        lines: [{ text: "refused by 10.0.0.1:80", repeat: 2, every: 1s }]
        expect: { fires: 1, matches: 2, captures: { host: "10.0.0.1:80" } }
      - name: another network
        lines: ["refused by 8.8.8.8:80", "refused by 8.8.8.8:80"]
        expect: { fires: 0 }
"""
    loaded = load(put(tmp_path, text))
    assert told(loaded) == ""
    (rule,) = loaded.rules
    assert rule.severity is Severity.CRITICAL
    assert rule.sources == ("nginx-error", "syslog")
    assert rule.match.captures["host"].type is CaptureType.HOSTPORT
    assert rule.when.trigger == Threshold(2, timedelta(minutes=1), ("host",))
    fix = rule.fix
    assert fix is not None
    assert fix.mode is Mode.AUTO
    first, second = fix.steps
    assert (first.retry.attempts, first.retry.base, first.retry.factor) == (2, timedelta(milliseconds=100), 3.0)
    assert (first.sandbox.memory_bytes, first.sandbox.file_bytes, first.sandbox.write) == (64 << 20, 1024, ("/srv/x",))
    assert (second.name, second.action) == ("step 2", UnitJob(UnitVerb.RESTART, "app.service"))
    assert [type(each).__name__ for each in fix.verify.probes] == ["HttpProbe", "TcpProbe", "TcpProbe", "CommandProbe"]
    http = fix.verify.probes[0]
    assert isinstance(http, HttpProbe)
    assert (http.status, http.contains) == (204, "ok")
    assert fix.verify.quiet == timedelta(seconds=30)
    assert fix.breaker.failures == 4
    assert rule.alert.repeat_every == timedelta(hours=1)


SIX = """\
version: 1
rules:
  - id: web-down
    title: "web {host} is down"
    severity: hihg
    match:
      pattern: 'upstream (?P<addr>\\S+ refused'
      captures: { addr: hostport }
    when:
      threshold: { count: 5, within: 60 }
    fix:
      mode: approve
      steps:
        - run: [systemctl, restart, app]
    no: yes
"""
SIX_TOLD = """\
six.yaml:4:5: error: `{host}` in the title is no typed capture
    4 |     title: "web {host} is down"
      |     ^
        hint: known here: addr else give it a type: captures: { host: word }
six.yaml:5:15: error: `hihg` is no severity
    5 |     severity: hihg
      |               ^
        hint: did you mean `high`?
six.yaml:7:46: error: the pattern: missing )
    7 |       pattern: 'upstream (?P<addr>\\S+ refused'
      |                                              ^
        hint: escape what is meant literally
six.yaml:10:38: error: `60` is no duration
   10 |       threshold: { count: 5, within: 60 }
      |                                      ^
        hint: write a number with its unit: 250ms, 30s, 5m, 2h, 7d
six.yaml:14:11: error: the program `systemctl` is no fixed absolute path
   14 |         - run: [systemctl, restart, app]
      |           ^
        hint: write it out: /usr/bin/systemctl
six.yaml:15:5: error: unknown key `no` in rule web-down
   15 |     no: yes
      |     ^
        hint: known here: alert, description, enabled, fix, id, match, resolution, runbook, severity, source, tags, tests, title, when"""  # noqa: E501


def test_six_different_mistakes_are_told_at_once(tmp_path: Path) -> None:
    loaded = load(put(tmp_path, SIX, "six.yaml"))
    assert told(loaded).replace(f"{tmp_path}/", "") == SIX_TOLD
    assert ids(loaded) == []


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("version: 1", "version: 2"), "version 2 of the format is newer than this logmedic, which knows 1"),
        (("version: 1\n", ""), "the file has no `version`"),
        (("id: web-down", "id: Web Down"), "`Web Down` is no id"),
        (("    match:", "    runbook: ftp://x\n    match:"), "`runbook` has to be"),
        (
            ("pattern: 'web (?P<host>\\S+) is down(?: at (?P<path>\\S+))?'", "pattern: '(?P<host>\\S*)'"),
            "matches every line",
        ),
        (("[.shop.example]", "[]"), "`allow` is empty"),
        (("type: hostname", "type: hostnam"), "`hostnam` is no type"),
        (("allow: [.shop.example]", "min: 3"), "`min` and `max` mean nothing for hostname"),
        (("{ type: hostname, allow: [.shop.example] }", "enum"), "an enum needs its values"),
        (("captures: { host:", "captures: { hots:"), "the pattern has no group `hots`"),
        (("    tests:", "    when: { sequence: {} }\n    tests:"), "`sequence` has no `then`"),
        (("    tests:", "    when: { threshold: { count: 0 } }\n    tests:"), "`count` has to be a whole number"),
        (("    tests:", "    when: { threshold: { count: 1, by: [x] } }\n    tests:"), "`by` names `x`"),
        (("    tests:", "    alert: { on: [fixed] }\n    tests:"), "`fixed` is no on"),
        (("expect: { fires: 1", "expect: { fires: 2"), "test 'it is down': fires 1, wanted 2"),
        (
            ("captures: { host: a.shop.example }", "captures: { host: b }"),
            "capture host is 'a.shop.example', wanted 'b'",
        ),
        (("expect: { fires: 1, captures: { host: a.shop.example } }", "expect: {}"), "the test expects nothing"),
        (('lines: ["web a.shop.example is down"]', "lines: []"), "`lines` is empty"),
    ],
)
def test_what_is_wrong_with_a_rule_is_told(tmp_path: Path, change: tuple[str, str], says: str) -> None:
    assert change[0] in RULE
    loaded = load(put(tmp_path, RULE.replace(*change)))
    assert says in told(loaded)
    assert ids(loaded) == []


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (('      verify: { http: { get: "http://{host}/healthz", within: 5s } }\n', ""), "`mode: auto` needs `verify`"),
        (("mode: auto", "mode: atuo"), "`atuo` is no mode"),
        (('run: [/usr/bin/true, "{host}"]', 'run: ["{host}"]'), "no fixed absolute path"),
        (('run: [/usr/bin/true, "{host}"]', 'run: [/bin/sh, -c, "x {host}"]'), "a capture must not reach a shell"),
        (('run: [/usr/bin/true, "{host}"]', 'run: [/usr/bin/true, "{path}"]'), "`{path}` in `run` is no typed capture"),
        (('run: [/usr/bin/true, "{host}"]', "run: []"), "`run` is empty"),
        (('run: [/usr/bin/true, "{host}"]', "run: /usr/bin/true x"), "`run` has to be a list"),
        (('          run: [/usr/bin/true, "{host}"]\n', ""), "has none of: run, unit, kill, free"),
        (("name: restart", "name: restart\n          unit: { restart: a.service }"), "both `run` and `unit`"),
        (("name: restart", "name: restart\n          timeout: 2d"), "`timeout` has to be from"),
        (("name: restart", "name: restart\n          retry: { base: 5s, max: 1s }"), "`base` is longer than `max`"),
        (("name: restart", "name: restart\n          sandbox: { write: [/etc] }"), "`/etc` may not be writable"),
        (("name: restart", "name: restart\n          sandbox: { write: [/srv/../etc] }"), "is no absolute path"),
        (
            ("name: restart", 'name: restart\n          sandbox: { write: ["/srv/{host}"] }'),
            "must not come from a log line",
        ),
        (("http://{host}", "gopher://{host}"), "is no http:// or https:// address"),
        (("http://{host}", "http://a@{host}"), "is no http:// or https:// address"),
        (("mode: auto", "mode: auto\n      limits: { cooldown: 30d }"), "`cooldown` has to be from"),
    ],
)
def test_i8_a_fix_that_is_not_safe_is_refused(tmp_path: Path, change: tuple[str, str], says: str) -> None:
    text = RULE.replace("    tests:", FIX + "    tests:")
    assert ids(load(put(tmp_path, text))) == ["web-down"]
    assert change[0] in text
    loaded = load(put(tmp_path, text.replace(*change)))
    assert says in told(loaded)
    assert ids(loaded) == []


def test_a_forged_line_cannot_aim_a_probe(tmp_path: Path) -> None:
    text = RULE.replace("    tests:", FIX + "    tests:").replace(
        "{ type: hostname, allow: [.shop.example] }", "hostname"
    )
    assert "a forged line could aim it" in told(load(put(tmp_path, text)))


def test_i8_a_fix_in_mode_auto_needs_a_sample_that_fires(tmp_path: Path) -> None:
    text = RULE[: RULE.index("    tests:")] + FIX
    assert "`mode: auto` needs a test that fires" in told(load(put(tmp_path, text)))


def test_f42_a_pattern_that_explodes_in_compilation_harms_nobody(tmp_path: Path) -> None:
    put(tmp_path)
    put(
        tmp_path,
        RULE.replace("web-down", "bomb").replace("web (?P<host>", "(((a{50}){50}){50}){50}(?P<host>"),
        "bomb.yaml",
    )
    loaded = load(tmp_path)
    assert ids(loaded) == ["web-down"]
    assert "to compile" in told(loaded)


def test_an_id_is_taken_once(tmp_path: Path) -> None:
    put(tmp_path, name="a.yaml")
    put(tmp_path, name="b.yaml")
    loaded = load(tmp_path)
    assert ids(loaded) == ["web-down"]
    assert "b.yaml:3:5" in told(loaded)
    assert "a.yaml:3" in told(loaded)


# -- what stays --------------------------------------------------------------------------------------------------------


def test_f34_a_file_that_breaks_keeps_its_last_good_version(tmp_path: Path) -> None:
    path = put(tmp_path)
    put(tmp_path, RULE.replace("web-down", "other"), "other.yaml")
    before = load(tmp_path)
    path.write_text("version: 1\nrules: [}\n")
    after = load(tmp_path, previous=before)
    assert sorted(ids(after)) == ["other", "web-down"]
    assert after.stale_files == (str(path),)
    assert after.problems


def test_f34_also_over_several_loads(tmp_path: Path) -> None:
    path = put(tmp_path)
    loaded = load(tmp_path)
    path.write_text("nonsense")
    for _ in range(3):
        loaded = load(tmp_path, previous=loaded)
        assert ids(loaded) == ["web-down"]
        assert loaded.stale_files


def test_a_file_that_is_well_again_is_taken(tmp_path: Path) -> None:
    path = put(tmp_path)
    before = load(tmp_path)
    path.write_text("nonsense")
    stale = load(tmp_path, previous=before)
    path.write_text(RULE.replace("web-down", "renamed"))
    after = load(tmp_path, previous=stale)
    assert ids(after) == ["renamed"]
    assert after.stale_files == ()


def test_at_the_first_start_the_sound_rules_of_a_broken_file_are_taken(tmp_path: Path) -> None:
    second = RULE.replace("version: 1\nrules:\n", "").replace("web-down", "second").replace("fires: 1", "fires: 2")
    loaded = load(put(tmp_path, RULE + second))
    assert ids(loaded) == ["web-down"]


def test_f36_a_directory_that_disappears_leaves_what_was(tmp_path: Path) -> None:
    room = tmp_path / "rules"
    room.mkdir()
    put(room)
    before = load(room)
    (room / "web.yaml").unlink()
    room.rmdir()
    after = load(room, previous=before)
    assert ids(after) == ["web-down"]
    assert after.problems


def test_a_directory_that_need_not_be_there_is_read_once_it_is(tmp_path: Path) -> None:
    room = tmp_path / "rules"
    loader = RuleFileLoader([room], owners=None, prove=run_tests, optional=[room])
    before = loader.load()
    assert (before.rules, before.problems) == ((), ())
    assert load(room).problems
    room.mkdir()
    put(room)
    after = loader.load(before)
    assert ids(after) == ["web-down"]
    (room / "web.yaml").unlink()
    room.rmdir()
    lost = loader.load(after)
    assert ids(lost) == ["web-down"]
    assert lost.problems


@pytest.mark.parametrize(
    ("path", "directory"),
    [("rules", "rules"), ("later", "later"), ("rules/web.yaml", "rules"), ("later.d/web.yml", "later.d")],
)
def test_a_directory_is_watched_itself_and_a_file_where_it_is(tmp_path: Path, path: str, directory: str) -> None:
    (tmp_path / "rules").mkdir()
    put(tmp_path / "rules")
    assert watched(tmp_path / path) == tmp_path / directory


def test_a_file_that_was_removed_takes_its_rules_along(tmp_path: Path) -> None:
    path = put(tmp_path)
    put(tmp_path, RULE.replace("web-down", "other"), "other.yaml")
    before = load(tmp_path)
    path.unlink()
    assert ids(load(tmp_path, previous=before)) == ["other"]


# -- whose files -------------------------------------------------------------------------------------------------------

OURS = frozenset({0, os.geteuid()})


def safe(room: Path) -> Path:
    """A directory that only we can write to, all the way up."""
    for each in (room, *room.parents):
        if each.stat().st_uid == os.geteuid() and not each.stat().st_mode & 0o1000:
            each.chmod(each.stat().st_mode & ~0o022)
    return room


def test_our_own_files_are_read(tmp_path: Path) -> None:
    assert ids(load(put(safe(tmp_path)), owners=OURS)) == ["web-down"]


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda path: path.chmod(0o666), "chmod go-w"),
        (lambda path: path.parent.chmod(0o777), "chmod go-w"),
    ],
    ids=["file", "directory"],
)
def test_what_others_can_write_to_is_refused(tmp_path: Path, spoil: Callable[[Path], None], says: str) -> None:
    path = put(safe(tmp_path))
    spoil(path)
    loaded = load(path, owners=OURS)
    assert ids(loaded) == []
    assert says in told(loaded)
    assert ids(load(path)) == ["web-down"], "somebody's draft is nobody's danger"


def test_what_belongs_to_somebody_else_is_refused(tmp_path: Path) -> None:
    path = put(safe(tmp_path))
    if os.geteuid() == 0:
        os.chown(path, 12345, 12345)
    loaded = load(path, owners=OURS if os.geteuid() == 0 else frozenset({12345}))
    assert ids(loaded) == []
    assert "may not write rules" in told(loaded)


def test_a_link_a_fifo_and_a_flood_are_refused_without_hanging(tmp_path: Path) -> None:
    real = put(safe(tmp_path), name="real.txt")
    (tmp_path / "link.yaml").symlink_to(real)
    os.mkfifo(tmp_path / "fifo.yaml")
    (tmp_path / "flood.yaml").write_bytes(b"#" * 2_000_000)
    (tmp_path / "nul.yaml").write_bytes(b"a: \x00\n")
    loaded = load(tmp_path, owners=OURS)
    assert ids(loaded) == []
    for says in ("a symbolic link", "no regular file", "larger than", "control character"):
        assert says in told(loaded)


def test_other_files_and_hidden_ones_are_left_alone(tmp_path: Path) -> None:
    put(tmp_path)
    put(tmp_path, "nonsense", ".hidden.yaml")
    put(tmp_path, "nonsense", "web.yaml~")
    put(tmp_path, "nonsense", "README.md")
    assert load(tmp_path).problems == ()


def test_a_path_that_is_not_there_is_told(tmp_path: Path) -> None:
    loaded = load(tmp_path / "nothing")
    assert "No such file" in told(loaded)


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_no_damage_to_a_file_raises(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """Lines swapped, cut and doubled: it loads or it is told."""
    lines = RULE.replace("    tests:", WHEN + FIX + "    tests:").splitlines(keepends=True)
    index = st.integers(0, len(lines) - 1)
    for _ in range(data.draw(st.integers(1, 4))):
        at, to = data.draw(index), data.draw(index)
        match data.draw(st.sampled_from(["swap", "drop", "double", "cut"])):
            case "swap":
                lines[at], lines[to] = lines[to], lines[at]
            case "drop":
                lines[at] = ""
            case "double":
                lines[at] *= 2
            case "cut":
                lines[at] = lines[at][: len(lines[at]) // 2] + "\n"
    loaded = load(put(tmp_path_factory.mktemp("damaged"), "".join(lines)))
    assert loaded.rules or loaded.problems
    assert told(loaded) is not None


def test_the_name_of_what_applications_report_is_no_name_for_files(tmp_path: Path) -> None:
    brought = "version: 1\nsources: { reports: { files: [/var/log/reports.log] } }\nrules:"
    loaded = load(put(tmp_path, RULE.replace("version: 1\nrules:", brought)))
    assert "`reports` is the source of what applications report" in told(loaded)
    assert ids(loaded) == []
