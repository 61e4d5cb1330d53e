"""The `fix` of a rule file: what each of its keys becomes, and what is told, where, of one that is wrong."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from logmedic.model.circuit import BreakerSpec
from logmedic.model.probe import (
    AllOf,
    AnyOf,
    CommandProbe,
    DiskProbe,
    FileProbe,
    HttpProbe,
    Not,
    Probe,
    TcpProbe,
    UnitProbe,
)
from logmedic.model.problem import RuleProblem
from logmedic.model.rule import Fix, Mode, OnFailure
from logmedic.model.sandbox import Network, SandboxSpec
from logmedic.model.step import (
    Action,
    CallHttp,
    Command,
    DropCache,
    FreeSpace,
    KillProcess,
    RenewCertificate,
    Retry,
    RotateLog,
    Step,
    UnitJob,
    UnitVerb,
    Wait,
)
from rulefiles.loading import a_file, load, put, rule, told

HOUR, MINUTE, SECOND = timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)
MIB, GIB = 1024**2, 1024**3
TRUE = "steps: [{ run: [/bin/true] }]"


def fix_of(room: Path, text: str) -> Fix:
    loaded = load(put(room, a_file(rule(fix=f"{{ mode: approve, {text} }}"))))
    assert told(loaded) == ""
    fix = loaded.rules[0].fix
    assert fix is not None
    return fix


def step_of(room: Path, text: str) -> Step:
    (step,) = fix_of(room, f"steps: [{{ {text} }}]").steps
    return step


# -- what each step does -----------------------------------------------------------------------------------------------

ACTIONS: list[tuple[str, Action, timedelta]] = [
    ("run: [/bin/true, '{host}']", Command(("/bin/true", "{host}")), 30 * SECOND),
    ("unit: { restart: app.service }", UnitJob(UnitVerb.RESTART, "app.service"), 30 * SECOND),
    ("unit: { reload: app.service }", UnitJob(UnitVerb.RELOAD, "app.service"), 30 * SECOND),
    ("unit: { start: app.timer }", UnitJob(UnitVerb.START, "app.timer"), 30 * SECOND),
    ("kill: { unit: app.service, process: worker }", KillProcess("app.service", "worker"), 30 * SECOND),
    (
        "kill: { unit: app.service, process: worker, grace: 3s }",
        KillProcess("app.service", "worker", 3 * SECOND),
        30 * SECOND,
    ),
    (
        "free: { paths: /var/cache/app, until: 10% }",
        FreeSpace(("/var/cache/app",), percent=10.0),
        5 * MINUTE,
    ),
    (
        "free: { paths: [/srv/a/tmp, /srv/b/tmp], pattern: '*.tmp', older_than: 2h, keep: 2, until: 2G, at_most: 5G }",
        FreeSpace(("/srv/a/tmp", "/srv/b/tmp"), "*.tmp", 2 * HOUR, 2, 0.0, 2 * GIB, 5 * GIB),
        5 * MINUTE,
    ),
    ("empty: { path: /var/cache/app }", DropCache("/var/cache/app"), 5 * MINUTE),
    (
        "empty: { path: /var/cache/app, older_than: 10m }",
        DropCache("/var/cache/app", 10 * MINUTE),
        5 * MINUTE,
    ),
    ("rotate: /etc/logrotate.d/app", RotateLog("/etc/logrotate.d/app"), 5 * MINUTE),
    (
        "renew: { certificate: /etc/ssl/x.pem, run: [/usr/bin/x] }",
        RenewCertificate("/etc/ssl/x.pem", ("/usr/bin/x",), timedelta(days=30)),
        5 * MINUTE,
    ),
    (
        "renew: { certificate: /etc/ssl/x.pem, run: [/usr/bin/x], before: 7d }",
        RenewCertificate("/etc/ssl/x.pem", ("/usr/bin/x",), timedelta(days=7)),
        5 * MINUTE,
    ),
    ("http: { get: 'http://127.0.0.1/x' }", CallHttp("GET", "http://127.0.0.1/x"), 30 * SECOND),
    (
        "http: { post: 'http://127.0.0.1/x', status: 204, body: 'of {host}' }",
        CallHttp("POST", "http://127.0.0.1/x", 204, "of {host}"),
        30 * SECOND,
    ),
    ("http: { put: 'http://127.0.0.1/x' }", CallHttp("PUT", "http://127.0.0.1/x"), 30 * SECOND),
    ("http: { delete: 'http://127.0.0.1/x' }", CallHttp("DELETE", "http://127.0.0.1/x"), 30 * SECOND),
    ("wait: 10s", Wait(10 * SECOND), 15 * SECOND),
]


@pytest.mark.parametrize(("text", "action", "timeout"), ACTIONS, ids=[each[0] for each in ACTIONS])
def test_a_step_does_what_it_says_with_the_timeout_of_its_kind(
    tmp_path: Path, text: str, action: Action, timeout: timedelta
) -> None:
    step = step_of(tmp_path, text)
    assert step == Step("step 1", action, timeout)
    assert step_of(tmp_path, f"{text}, timeout: 50s").timeout == 50 * SECOND


def test_a_step_says_what_it_needs(tmp_path: Path) -> None:
    sandbox = "write: [/srv/a], read: [/srv/b], network: loopback, memory: 64M, tasks: 8, file_size: 1M, time: 9s"
    step = step_of(tmp_path, f"run: [/bin/true], sandbox: {{ {sandbox}, user: app }}")
    assert step.sandbox == SandboxSpec(
        write=("/srv/a",),
        read=("/srv/b",),
        network=Network.LOOPBACK,
        memory_bytes=64 * MIB,
        tasks=8,
        file_bytes=MIB,
        cpu=9 * SECOND,
        user="app",
    )


def test_a_step_is_tried_again_and_rolled_back_as_it_says(tmp_path: Path) -> None:
    step = step_of(
        tmp_path,
        "name: fail over, run: [/bin/true], retry: { attempts: 2, base: 2s, max: 9s, factor: 3 },"
        " rollback: { run: [/bin/false], timeout: 7s, sandbox: { tasks: 3 } }",
    )
    assert step.retry == Retry(2, 2 * SECOND, 9 * SECOND, 3.0)
    undo = Step("undo fail over", Command(("/bin/false",)), 7 * SECOND, sandbox=SandboxSpec(tasks=3))
    assert step.rollback == undo


def test_a_step_alone_is_a_rung_and_alternatives_share_one(tmp_path: Path) -> None:
    fix = fix_of(
        tmp_path,
        "steps: [{ run: [/bin/a] }, { any_of: [{ run: [/bin/b] }, { name: see, run: [/bin/c] }] }, { run: [/bin/d] }]",
    )
    assert [(step.rung, step.name) for step in fix.steps] == [
        (0, "step 1"),
        (1, "step 2a"),
        (1, "see"),
        (2, "step 3"),
    ]


def test_a_test_tells_what_the_first_rung_would_do(tmp_path: Path) -> None:
    ladder = (
        "{ mode: observe, steps: [{ any_of: [{ name: flush, http: { post: 'http://127.0.0.1/x' }, "
        "expect: { tcp: { connect: '127.0.0.1:80' } } }, { wait: 1s }] }, { run: [/bin/true] }] }"
    )
    test = "{ name: flushes, lines: [boom a], expect: { steps: [flush], run: [[POST, 'http://127.0.0.1/x']] } }"
    assert told(load(put(tmp_path, a_file(rule(fix=ladder, tests=f"[{test}]"))))) == ""
    wrong = test.replace("flush]", "step 2]")
    assert "steps flush, wanted step 2" in told(load(put(tmp_path, a_file(rule(fix=ladder, tests=f"[{wrong}]")))))


# -- checks ------------------------------------------------------------------------------------------------------------

HALF = 30 * SECOND
CHECKS: list[tuple[str, tuple[Probe, ...]]] = [
    ("http: { get: 'http://a/' }", (HttpProbe("http://a/"),)),
    (
        "http: { get: 'http://a/', status: 204, contains: ok, within: 5s, every: 200ms }",
        (HttpProbe("http://a/", 204, "ok", 5 * SECOND, timedelta(milliseconds=200)),),
    ),
    (
        "tcp: [{ connect: 'a:1' }, { connect: 'b:2', within: 1s }]",
        (TcpProbe("a:1"), TcpProbe("b:2", SECOND, SECOND)),
    ),
    (
        "command: { run: [/bin/true], sandbox: { network: full } }",
        (CommandProbe(("/bin/true",), SandboxSpec(network=Network.FULL)),),
    ),
    ("unit: { unit: app.service }", (UnitProbe("app.service"),)),
    (
        "unit: { unit: app.service, state: failed, up_for: 10s }",
        (UnitProbe("app.service", "failed", 10 * SECOND, HALF + 10 * SECOND),),
    ),
    ("file: { path: /run/x }", (FileProbe("/run/x"),)),
    ("file: { path: /run/x, exists: false }", (FileProbe("/run/x", exists=False),)),
    (
        "file: { path: /run/x, newer_than: 5m, at_most: 1G }",
        (FileProbe("/run/x", newer_than=5 * MINUTE, max_bytes=GIB),),
    ),
    ("disk: { path: /, free: 10% }", (DiskProbe("/", 10.0),)),
    ("disk: { path: /, free: 2G, inodes: 0.5% }", (DiskProbe("/", free_bytes=2 * GIB, inodes_percent=0.5),)),
    (
        "or: [{ tcp: { connect: 'a:1' } }, { and: [{ file: { path: /b } }, { not: { file: { path: /c } } }] }]",
        (AnyOf((TcpProbe("a:1"), AllOf((FileProbe("/b"), Not(FileProbe("/c")))))),),
    ),
    (
        "and: [{ tcp: { connect: 'a:1' }, file: { path: /b } }, { file: { path: /c } }]",
        (AllOf((AllOf((TcpProbe("a:1"), FileProbe("/b"))), FileProbe("/c"))),),
    ),
    (
        "not: { tcp: { connect: 'a:1' }, file: { path: /b } }",
        (Not(AllOf((TcpProbe("a:1"), FileProbe("/b")))),),
    ),
]


@pytest.mark.parametrize(("text", "probes"), CHECKS, ids=[each[0] for each in CHECKS])
def test_a_check_is_the_same_wherever_it_stands(tmp_path: Path, text: str, probes: tuple[Probe, ...]) -> None:
    fix = fix_of(tmp_path, f"{TRUE}, verify: {{ {text}, quiet: 9s }}, guard: {{ {text} }}")
    assert (fix.verify.probes, fix.verify.quiet, fix.guard) == (probes, 9 * SECOND, probes)


def test_what_is_asked_before_a_step_is_asked_for_five_seconds(tmp_path: Path) -> None:
    step = step_of(
        tmp_path,
        "run: [/bin/true], expect: { unit: { unit: a.service, up_for: 1m }, tcp: { connect: 'a:1', within: 1m } }",
    )
    assert step.expect == (
        TcpProbe("a:1", MINUTE),
        UnitProbe("a.service", up_for=MINUTE, within=5 * SECOND),
    )


# -- the rest ----------------------------------------------------------------------------------------------------------


def test_a_fix_says_how_far_it_goes_and_after_whom(tmp_path: Path) -> None:
    silent = "{ name: silent, lines: [bang], expect: { fires: 0 } }"
    fires = "{ name: fires, lines: [boom a], expect: { fires: 1 } }"
    loaded = load(
        put(
            tmp_path,
            a_file(
                rule("down"),
                rule(
                    fix="{ mode: observe, graduate_after: 5, after: down, on_failure: record,"
                    f" {TRUE}, verify: {{ quiet: 1m }} }}",
                    tests=f"[{fires}, {silent}]",
                ),
            ),
        )
    )
    assert told(loaded) == ""
    fix = loaded.rules[1].fix
    assert fix is not None
    assert (fix.mode, fix.graduate_after, fix.after) == (Mode.OBSERVE, 5, ("down",))
    assert fix.on_failure is OnFailure.RECORD


def test_a_fix_without_a_word_on_them_escalates_and_never_graduates(tmp_path: Path) -> None:
    fix = fix_of(tmp_path, TRUE)
    assert (fix.on_failure, fix.graduate_after, fix.after, fix.guard) == (OnFailure.ESCALATE, 0, (), ())
    assert fix.breaker == BreakerSpec()


def test_a_breaker_grows_as_it_says(tmp_path: Path) -> None:
    spec = "failures: 2, open_for: 1m, successes: 3, factor: 4, open_max: 2h, healthy_after: 3h"
    fix = fix_of(tmp_path, f"{TRUE}, breaker: {{ {spec} }}")
    assert fix.breaker == BreakerSpec(2, MINUTE, 3, 4.0, 2 * HOUR, 3 * HOUR)


def test_a_breaker_that_opens_for_longer_than_usual_grows_no_shorter(tmp_path: Path) -> None:
    fix = fix_of(tmp_path, f"{TRUE}, breaker: {{ open_for: 2d }}")
    assert fix.breaker.open_max == timedelta(days=2)


# -- mistakes ----------------------------------------------------------------------------------------------------------


def problem_of(room: Path, fix: str) -> tuple[RuleProblem, ...]:
    return load(put(room, a_file(rule(fix=f"{{ mode: approve, {fix} }}")))).problems


def a_step(text: str) -> str:
    return f"steps: [{{ {text} }}]"


def run_and(text: str) -> str:
    return a_step(f"run: [/bin/true], {text}")


def verify(text: str) -> str:
    return f"{TRUE}, verify: {{ {text} }}"


ONE_OF = "write one of them: run: [/path/to/program, argument]"
MISTAKES = [
    (a_step("run: [/bin/a], @unit: { restart: a.service }"), "step 1 has both `run` and `unit`", ONE_OF),
    (a_step("run: [/bin/a], @wait: 1s"), "step 1 has both `run` and `wait`", ONE_OF),
    ("steps: [@{ name: x }]", "step 1 has none of: run, unit, kill", "write one: run: [/path/to/program"),
    (run_and("@wiat: 1s"), "unknown key `wiat` in step 1", "did you mean `wait`?"),
    ("steps: [{ @anyof: [] }]", "unknown key `anyof` in step 1", "did you mean `any_of`?"),
    (a_step("unit: @{ stop: a.service }"), "`unit` has none of: restart, reload, start", "restart: app.service"),
    (
        a_step("unit: { restart: a.service, @start: a.service }"),
        "`unit` has both `restart` and `start`",
        "write one of them",
    ),
    (a_step("kill: @{ process: x }"), "`kill` has no `unit`", "add `unit: ...`"),
    (a_step("kill: @{ unit: a.service }"), "`kill` has no `process`", "add `process: ...`"),
    (
        a_step("@kill: { unit: a.service, process: x, grace: 30s }"),
        "the `grace` of `kill` is not shorter than `timeout`",
        "make `timeout` longer",
    ),
    (a_step("wait: 10s, @timeout: 10s"), "`wait` is not shorter than `timeout`", "make `timeout` longer"),
    (a_step("wait: @10"), "`10` is no duration", "write a number with its unit"),
    (a_step("wait: @2h"), "`wait` has to be from 100ms to 30m, and is 2h", ""),
    (a_step("free: @{ paths: /srv/a/b }"), "`free` has no `until`", "add `until: ...`"),
    (a_step("free: @{ until: 10% }"), "`free` has no `paths`", "add `paths: ...`"),
    (a_step("free: { paths: /srv/a/b, until: @100% }"), "`100%` in `until` is no share", "until: 10%"),
    (a_step("free: { paths: /srv/a/b, until: @0% }"), "`0%` in `until` is no share", "until: 10%"),
    (a_step("free: { paths: /srv/a/b, until: @10 }"), "`until` has to be from 1M to", ""),
    (a_step("free: { paths: /srv/a/b, until: @ten }"), "`ten` is no size", "write a number with its unit"),
    (a_step("free: { paths: /srv/a/b, until: 9%, keep: @-1 }"), "`keep` has to be a whole number from 0", ""),
    (a_step("free: { paths: /srv/a/b, until: 9%, @oldest: 1h }"), "unknown key `oldest` in `free`", "older_than"),
    (a_step("empty: @/var/cache/app"), "`empty` has to be a mapping, and is text", "write `key: value` lines"),
    (a_step("rotate: @[/etc/logrotate.d/a]"), "`rotate` has to be text, and is a list", ""),
    (a_step("renew: @{ run: [/bin/a] }"), "`renew` has no `certificate`", "add `certificate: ...`"),
    (a_step("renew: @{ certificate: /a }"), "`renew` has no `run`", "add `run: ...`"),
    (a_step("renew: { certificate: /a, run: @/bin/a }"), "`run` has to be a list, and is text", "run: [/path"),
    (a_step("http: @{ status: 200 }"), "`http` has none of: get, post, put, delete", "write one: post:"),
    (a_step("http: { get: 'http://a/', @post: 'http://a/' }"), "`http` has both `get` and `post`", "write one of them"),
    (a_step("http: { get: 'http://a/', @body: x }"), "a GET has no body", "use `post`, or remove `body`"),
    (a_step("http: { post: 'http://a/', status: @99 }"), "`status` has to be a whole number from 100 to 599", ""),
    ("steps: [{ any_of: [{ run: [/bin/a] }, { run: [/bin/b] }], @name: x }]", "`name` beside `any_of`", "into each of"),
    ("steps: [{ any_of: @[{ run: [/bin/a] }] }]", "`any_of` has to be a list of two steps", "one step alone is a rung"),
    ("steps: [{ any_of: @{ run: [/bin/a] } }]", "`any_of` has to be a list of two steps", "one step alone is a rung"),
    (
        "steps: [{ any_of: [{ run: [/bin/a] }, { @any_of: [{ run: [/bin/b] }, { run: [/bin/c] }] }] }]",
        "`any_of` inside `any_of`",
        "write all alternatives into one list",
    ),
    (
        "steps: [{ name: x, run: [/bin/a] }, { @name: x, run: [/bin/b] }]",
        "two steps are called `x`",
        "give each its own name",
    ),
    (f"@steps: [{', '.join(['{ run: [/bin/a] }'] * 21)}]", "more than 20 steps", "write fewer, or several rules"),
    (run_and("rollback: { run: [/bin/b], @retry: {} }"), "a rollback has no `retry`", "it runs once"),
    (run_and("rollback: { run: [/bin/b], @rollback: {} }"), "a rollback has no `rollback`", "it runs once"),
    (run_and("rollback: @{ name: x }"), "`rollback` has none of: run, unit", "write one: run:"),
    (run_and("sandbox: { network: @host }"), "`host` is no network", "known here: full, loopback, none"),
    (run_and("sandbox: { time: @0s }"), "`time` has to be from 1s to 1h, and is 0s", ""),
    (run_and("expect: @{}"), "`expect` checks nothing", "write one of: http, tcp"),
    (run_and("expect: { @quiet: 1m }"), "`expect` does not wait for silence", "belongs into `verify`"),
    (f"{TRUE}, guard: {{ @quiet: 1m }}", "`guard` does not wait for silence", "belongs into `verify`"),
    (verify("@htttp: { get: 'http://a/' }"), "unknown key `htttp` in `verify`", "did you mean `http`?"),
    (verify("@http: []"), "`http` is empty", "write at least one item"),
    (verify("unit: @{ state: active }"), "`unit` has no `unit`", "add `unit: ...`"),
    (verify("unit: { unit: a.service, @state: actvie }"), "`actvie` is no state of a unit", "did you mean `active`?"),
    (verify("file: { path: /a, exists: @1 }"), "`exists` has to be true or false", "write true or false"),
    (
        verify("file: { path: /a, exists: false, @newer_than: 1m }"),
        "`newer_than` of a file that is not there",
        "remove it, or `exists: false`",
    ),
    (verify("disk: @{ path: / }"), "`disk` asks for nothing", "add `free: 10%`, `free: 2G` or `inodes: 5%`"),
    (verify("disk: { path: /, inodes: @5 }"), "`5` in `inodes` is no share", "inodes: 10%"),
    (
        verify("@or: { tcp: { connect: 'a:1' }, file: { path: /b } }"),
        "`or` has to be a list of two checks or more",
        "or: [{ tcp: { connect: ... } }",
    ),
    (verify("@and: [{ file: { path: /b } }]"), "`and` has to be a list of two checks or more", "and: ["),
    (verify("or: [@{}, { file: { path: /b } }]"), "a check of `or` is empty", "write one of: http, tcp"),
    (verify("not: @[]"), "`not` has to be a mapping, and is a list", ""),
    (
        verify("not: { not: { not: { not: { @not: { file: { path: /b } } } } } }"),
        "checks inside checks, more than 4 deep",
        "write it flatter",
    ),
    (
        f"{TRUE}, verify: @{{ file: [{', '.join(['{ path: /b }'] * 21)}] }}",
        "more than 20 checks in `verify`",
        "write a program for them",
    ),
    (f"{TRUE}, on_failure: @page", "`page` is no on_failure", "known here: escalate, record"),
    (f"{TRUE}, graduate_after: @0", "`graduate_after` has to be a whole number from 1 to 1000", ""),
    (f"{TRUE}, @gradaute_after: 5", "unknown key `gradaute_after` in `fix`", "did you mean `graduate_after`?"),
    (
        f"{TRUE}, breaker: {{ @open_for: 2h, open_max: 1h }}",
        "`open_for` is longer than `open_max`",
        "the time grows from open_for up to open_max",
    ),
    (f"{TRUE}, breaker: {{ factor: @0.5 }}", "`factor` has to be a number from 1 to 10", ""),
    (f"{TRUE}, breaker: {{ successes: @0 }}", "`successes` has to be a whole number from 1 to 100", ""),
]


@pytest.mark.parametrize(("fix", "says", "hint"), MISTAKES, ids=[each[0][:90] for each in MISTAKES])
def test_a_mistake_is_told_at_its_place_with_what_to_write(tmp_path: Path, fix: str, says: str, hint: str) -> None:
    """`@` stands where it is."""
    problems = problem_of(tmp_path, fix.replace("@", ""))
    column = len("    fix: { mode: approve, ") + fix.index("@") + 1
    found = [each for each in problems if says in each.text]
    assert [(each.line, each.column) for each in found] == [(7, column)], problems
    assert hint in found[0].hint


@pytest.mark.parametrize(
    "key", ["run", "unit", "kill", "free", "empty", "rotate", "renew", "http", "wait", "any_of", "expect", "rollback"]
)
def test_a_key_without_a_value_is_wrong_once(tmp_path: Path, key: str) -> None:
    step = f"{key}: null" if key not in ("expect", "rollback") else f"run: [/bin/true], {key}: null"
    assert [each.text for each in problem_of(tmp_path, a_step(step))] == [f"`{key}` is empty"]


@pytest.mark.parametrize("missing", ["verify", "a test that fires", "a test that stays silent"])
def test_i8_what_may_graduate_has_proved_itself(tmp_path: Path, missing: str) -> None:
    problems = problem_of(tmp_path, f"{TRUE}, graduate_after: 3")
    assert any(f"`graduate_after` needs {missing}" in each.text.replace("`verify`", "verify") for each in problems)
