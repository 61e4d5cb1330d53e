"""What a forged line, or a slip of the pen, could make a fix do to the host is refused, and its safe form loads."""

from __future__ import annotations

from pathlib import Path

import pytest

from logmedic.adapters.rulefiles.loader import RuleFileLoader
from logmedic.core.ruletest import run_tests
from logmedic.model.rule import RuleSet
from logmedic.yamldoc import render_problems

TRUE = "steps: [{ run: [/bin/true] }]"
UNIT = "{ type: unit, allow: [app.service] }"
ENUM = "{ type: enum, values: [a, b] }"
PATH = "{ type: path, allow: [/var/cache/app] }"


def load(room: Path, capture: str, fix: str) -> RuleSet:
    """A rule whose only group, `n`, is of `capture`."""
    path = room / "one.yaml"
    match = f"{{ pattern: 'boom (?P<n>\\S+)', captures: {{ n: {capture} }} }}"
    path.write_text(
        f"version: 1\nrules:\n  - id: one\n    title: boom\n    match: {match}\n    fix: {{ mode: approve, {fix} }}\n"
    )
    return RuleFileLoader([path], owners=None, prove=run_tests).load()


def step(text: str) -> str:
    return f"steps: [{{ {text} }}]"


def undo(text: str) -> str:
    return f"steps: [{{ run: [/bin/true], rollback: {{ {text} }} }}]"


def kill(unit: str, process: str) -> str:
    return step(f"kill: {{ unit: '{unit}', process: '{process}' }}")


def free(path: str, pattern: str = "*", write: str = "/var/cache/app") -> str:
    return step(f"free: {{ paths: ['{path}'], pattern: '{pattern}', until: 10% }}, sandbox: {{ write: {write} }}")


def empty(path: str, write: str = "/var/cache/app") -> str:
    return step(f"empty: {{ path: '{path}' }}, sandbox: {{ write: {write} }}")


def post(url: str, body: str = "") -> str:
    return step(f"http: {{ post: '{url}', body: '{body}' }}")


def verify(text: str) -> str:
    return f"{TRUE}, verify: {{ {text} }}"


LOADS = [
    (UNIT, step("unit: { reload: '{n}' }")),
    (UNIT, kill("{n}", "worker")),
    (ENUM, kill("app@{n}.service", "{n}")),
    ("word", kill("app.service", "nginx")),
    (ENUM, free("/var/cache/{n}", write="[/var/cache/a, /var/cache/b]")),
    (ENUM, empty("/srv/app/{n}", write="/srv/app/")),
    (PATH, free("{n}")),
    (PATH, empty("{n}/pages")),
    ("{ type: int, max: 9 }", empty("/var/cache/app/{n}")),
    ("word", free("/var/log/app")),
    ("word", free("/home/app/cache")),
    ("word", step("rotate: /etc/logrotate.d/app")),
    (ENUM, step("renew: { certificate: '/etc/ssl/{n}.pem', run: [/usr/bin/certbot, renew, '--cert-name={n}'] }")),
    ("{ type: hostport, allow: [10.0.0.0/8] }", post("http://{n}/flush")),
    ("word", post("http://127.0.0.1/flush", '{"host": "{n}", "all": {"a": 1}}')),
    (UNIT, verify("unit: { unit: '{n}' }")),
    (PATH, verify("file: { path: '{n}/lock' }, disk: { path: '{n}', free: 1G }")),
    (ENUM, f"{TRUE}, limits: {{ one_at_a_time: 'app {{n}}' }}"),
    ("word", step("run: [/bin/true], sandbox: { user: app-runner, network: full }")),
    ("word", step("run: [/bin/true], sandbox: { user: root }")),
]


@pytest.mark.parametrize(("capture", "fix"), LOADS, ids=str)
def test_what_is_bounded_loads(tmp_path: Path, capture: str, fix: str) -> None:
    loaded = load(tmp_path, capture, fix)
    assert render_problems(loaded.problems) == ""
    assert len(loaded.rules) == 1


FORGED = [
    ("word", step("unit: { start: '{n}.service' }"), "the unit `{n}` could be any"),
    ("unit", kill("{n}", "worker"), "the unit `{n}` could be any"),
    ("word", kill("app.service", "{n}"), "`{n}` in `process` could name any"),
    ("{ type: int, max: 9 }", kill("app.service", "w{n}"), "`{n}` in `process` could name any"),
    ("word", free("/var/cache/{n}"), "the path `{n}` could be any"),
    ("path", empty("{n}"), "the path `{n}` could be any"),
    (ENUM, free("/var/cache/{n}", write="/var/cache/a"), "holds a capture, and `write` names no directory around it"),
    (PATH, empty("{n}", write="[]"), "holds a capture, and `write` names no directory around it"),
    ("{ type: int, max: 9 }", empty("/srv/app{n}", write="/srv/app"), "`write` names no directory around it"),
    (PATH, empty("{n}x"), "the path `{n}` ends in mid-name"),
    (PATH, empty("{n}/../x"), "goes up by `..`"),
    ("{ type: enum, values: [a, ..] }", free("/var/cache/app/{n}"), "goes up by `..`"),
    ("{ type: path, allow: [/etc] }", empty("{n}"), "it is a part of the system"),
    ("{ type: path, allow: [/var/lib] }", empty("{n}/app/cache"), "no fix deletes in `/var/lib`"),
    ("{ type: enum, values: [a, log] }", free("/var/{n}"), "no fix deletes in `/var/log`"),
    (ENUM, empty("/var/cache/app/{m}"), "`{m}` in `path` is no typed capture"),
    (ENUM, step("rotate: '/etc/logrotate.d/{n}'"), "`rotate` must not come from a log line"),
    ("path", step("renew: { certificate: '{n}', run: [/bin/true] }"), "the path `{n}` could be any"),
    ("word", step("renew: { certificate: /a, run: [/bin/sh, -c, 'x {n}'] }"), "must not reach a shell"),
    ("hostport", post("http://{n}/flush"), "a forged line could aim it by `{n}`"),
    ("word", post("http://127.0.0.1/{n}"), "a word cannot stand in an address"),
    (PATH, post("http://127.0.0.1/", "of {n}"), "a path could end the text around it in `body`"),
    ("unit", post("http://127.0.0.1/", "of {n}"), "a unit could end the text around it in `body`"),
    ("word", post("http://127.0.0.1/", "of {m}"), "`{m}` in `body` is no typed capture"),
    ("unit", verify("unit: { unit: '{n}' }"), "the unit `{n}` could be any"),
    ("word", verify("file: { path: '/run/{n}' }"), "the path `{n}` could be any"),
    ("path", verify("disk: { path: '{n}', free: 1G }"), "the path `{n}` could be any"),
    ("word", verify("http: { get: 'http://a/', contains: '{n} is up' }"), "`{n}` in `contains` is not filled in"),
    ("word", free("/srv/app/tmp", "*.{n}"), "`{n}` in `pattern` is not filled in"),
    ("word", f"{TRUE}, limits: {{ one_at_a_time: '{{m}}' }}", "`{m}` in `one_at_a_time` is no typed capture"),
    ("word", step("run: [/bin/true], sandbox: { user: '{n}' }"), "is no fixed name of an account"),
    ("hostport", f"{TRUE}, guard: {{ tcp: {{ connect: '{{n}}' }} }}", "a forged line could aim it by `{n}`"),
    ("hostport", step("run: [/bin/true], expect: { tcp: { connect: '{n}' } }"), "a forged line could aim it by `{n}`"),
    ("hostport", verify("or: [{ file: { path: /a } }, { tcp: { connect: '{n}' } }]"), "could aim it by `{n}`"),
    (
        "hostport",
        verify("not: { and: [{ file: { path: /a } }, { tcp: { connect: '{n}' } }] }"),
        "could aim it by `{n}`",
    ),
    ("hostport", verify("not: { file: { path: /a }, tcp: { connect: '{n}' } }"), "could aim it by `{n}`"),
    ("word", undo("run: [/bin/sh, -c, 'x {n}']"), "must not reach a shell"),
    ("word", "steps: [{ any_of: [{ wait: 1s }, { run: [/bin/sh, -c, 'x {n}'] }] }]", "must not reach a shell"),
]


@pytest.mark.parametrize(("capture", "fix", "says"), FORGED, ids=str)
def test_i7_a_forged_line_decides_nothing(tmp_path: Path, capture: str, fix: str, says: str) -> None:
    loaded = load(tmp_path, capture, fix)
    assert says in render_problems(loaded.problems)
    assert loaded.rules == ()


TOP = ("/", "/home", "/opt", "/root", "/run", "/srv", "/tmp", "/var", "/mnt", "/lost+found")
SYSTEM = (
    "/bin",
    "/boot/grub",
    "/dev/shm",
    "/etc/app",
    "/lib64",
    "/proc/1",
    "/sys/x",
    "/usr",
    "/usr/lib/app",
    "/sbin/x",
)
SHARED = ("/var/lib", "/var/log/", "//var//cache", "/var/spool/.", "/var/tmp", "/home/ana")
OWN = ("/var/lib/logmedic", "/var/lib/logmedic/archive", "/run/logmedic")


@pytest.mark.parametrize("act", [free, empty])
@pytest.mark.parametrize("path", [*TOP, *SYSTEM, *SHARED, *OWN])
def test_no_fix_deletes_where_files_of_others_lie(tmp_path: Path, act: object, path: str) -> None:
    fix = free(path) if act is free else empty(path)
    loaded = load(tmp_path, "word", fix)
    assert "no fix deletes in" in render_problems(loaded.problems)
    assert loaded.rules == ()


@pytest.mark.parametrize(
    ("fix", "says"),
    [
        (free("var/cache/app"), "`var/cache/app` is no absolute path"),
        (free("/var/cache/app/../.."), "goes up by `..`"),
        (free("/var/cache/app", "old/*"), "`pattern` is about names of files, and has a `/`"),
        (empty("/var/cache/app/.."), "goes up by `..`"),
        (step("rotate: logrotate.d/app"), "`logrotate.d/app` is no absolute path"),
        (step("rotate: /etc/logrotate.d/../shadow"), "is no absolute path"),
        (step("rotate: /etc/logrotate.conf"), "is about every log of the host"),
        (kill("app.slice", "worker"), "`app.slice` is no service"),
        (kill("init.scope", "systemd"), "`init.scope` is no service"),
        (kill("app.service", "a-name-that-is-longer"), "write `a-name-that-is-`"),
        (kill("app.service", "a b/c"), "`a b/c` is no name of a process"),
        (kill("logmedic.service", "python3"), "it would end itself"),
        (step("unit: { restart: logmedic.service }"), "it would end itself"),
        (step("unit: { start: reboot.target }"), "`reboot.target` would stop the host"),
        (step("unit: { start: systemd-poweroff.service }"), "would stop the host"),
        (step("unit: { start: emergency.target }"), "would stop the host"),
        (step("unit: { reload: app }"), "`app` is no unit"),
        (post("gopher://127.0.0.1/"), "is no http:// or https:// address"),
        (post("http://a@127.0.0.1/"), "is no http:// or https:// address"),
        (step("renew: { certificate: x.pem, run: [/bin/true] }"), "`x.pem` is no absolute path"),
        (step("renew: { certificate: /x.pem, run: [certbot] }"), "is no fixed absolute path"),
        (verify("unit: { unit: app }"), "`app` is no unit"),
        (verify("file: { path: run/x }"), "`run/x` is no absolute path"),
        (verify("disk: { path: /srv/../etc, free: 1G }"), "goes up by `..`"),
        (verify("command: { run: [true] }"), "is a boolean"),
        (verify("command: { run: [/bin/true], sandbox: { write: [/etc] } }"), "`/etc` may not be writable"),
        (undo("run: [/bin/true], sandbox: { write: [/var] }"), "`/var` may not be writable"),
        (step("run: [/bin/true], sandbox: { write: [/var/lib/logmedic/x] }"), "may not be writable"),
        (step("run: [/bin/true], sandbox: { read: [/run/] }"), "`/run/` may not be shown as a whole"),
        (step("run: [/bin/true], sandbox: { read: [/] }"), "`/` may not be shown as a whole"),
        (step("run: [/bin/true], sandbox: { user: logmedic }"), "is the daemon's own account"),
        (step("run: [/bin/true], sandbox: { user: 0 }"), "`0` is no fixed name of an account"),
        (step("run: [/bin/true], sandbox: { user: 'a b' }"), "`a b` is no fixed name of an account"),
    ],
)
def test_i8_what_would_harm_the_host_is_refused(tmp_path: Path, fix: str, says: str) -> None:
    loaded = load(tmp_path, "word", fix)
    assert says in render_problems(loaded.problems)
    assert loaded.rules == ()


PLACES = [
    step("unit: { @restart: app }"),
    step("kill: { unit: app.service, @process: a-name-that-is-longer }"),
    step("kill: { @unit: app, process: w }"),
    step("free: { @paths: [/etc/a, /srv/a/b], until: 1G }"),
    step("free: { paths: /srv/a/b, until: 1G, @pattern: a/b }"),
    step("empty: { @path: /tmp }"),
    step("@rotate: x"),
    step("renew: { @certificate: x, run: [/bin/true] }"),
    step("renew: { certificate: /x, @run: [x] }"),
    step("http: { @put: x }"),
    step("http: { put: 'http://a/', @body: '{m}' }"),
    step("wait: 1s, rollback: { unit: { @start: app } }"),
    step("run: [/bin/true], rollback: { run: [/bin/true], @sandbox: { write: / } }"),
    "steps: [{ any_of: [{ wait: 1s }, { @run: [x] }] }]",
    "steps: [{ wait: 1s }, { any_of: [{ run: [/bin/true] }, { @rotate: x }] }]",
    step("wait: 1s, expect: { unit: { @unit: app } }"),
    verify("http: [{ get: 'http://a/' }, { @get: x }]"),
    verify("tcp: { @connect: a }"),
    verify("or: [{ tcp: { connect: 'a:1' } }, { file: { path: /a }, disk: { @path: a, free: 1G } }]"),
    verify("and: [{ not: { file: [{ path: /a }, { @path: a }] } }, { file: { path: /b } }]"),
    verify("not: { command: { @run: [x] } }"),
    f"{TRUE}, guard: {{ not: {{ or: [{{ file: {{ @path: a }} }}, {{ file: {{ path: /b }} }}] }} }}",
    f"{TRUE}, limits: {{ @one_at_a_time: '{{m}}' }}",
]


@pytest.mark.parametrize("fix", PLACES)
def test_what_is_unsafe_is_told_at_its_place(tmp_path: Path, fix: str) -> None:
    """`@` stands where it is."""
    (problem,) = load(tmp_path, "word", fix.replace("@", "")).problems
    assert problem.column == len("    fix: { mode: approve, ") + fix.index("@") + 1
    assert problem.hint


def test_of_several_captures_every_value_is_looked_at(tmp_path: Path) -> None:
    path = tmp_path / "two.yaml"
    captures = "a: { type: enum, values: [var, srv] }, b: { type: enum, values: [app, lib] }"
    match = f"{{ pattern: '(?P<a>\\S+) (?P<b>\\S+)', captures: {{ {captures} }} }}"
    path.write_text(
        f"version: 1\nrules:\n  - id: one\n    title: t\n    match: {match}\n"
        "    fix: { mode: approve, steps: [{ empty: { path: '/{a}/{b}' } }] }\n"
    )
    loaded = RuleFileLoader([path], owners=None, prove=run_tests).load()
    deleted = [each.text for each in loaded.problems if "no fix deletes" in each.text]
    assert deleted == ["no fix deletes in `/var/lib`: it belongs to many programs"]
