"""What a forged line could turn against the host is refused, and its safe form loads (I7, I8)."""

from __future__ import annotations

from pathlib import Path

import pytest

from logmedic.adapters.rulefiles.loader import RuleFileLoader
from logmedic.core.ruletest import run_tests
from logmedic.model.rule import RuleSet
from logmedic.yamldoc import render_problems

TRUE = "steps: [{ run: [/bin/true] }]"


def load(room: Path, capture: str, fix: str, unless: str = "[]") -> RuleSet:
    """A rule whose only group, `n`, is of `capture`."""
    path = room / "one.yaml"
    match = f"{{ pattern: 'boom (?P<n>\\S+)', unless: {unless}, captures: {{ n: {capture} }} }}"
    path.write_text(
        f"version: 1\nrules:\n  - id: one\n    title: boom\n    match: {match}\n    fix: {{ mode: approve, {fix} }}\n"
    )
    return RuleFileLoader([path], owners=None, prove=run_tests).load()


def http(url: str) -> str:
    return f"{TRUE}, verify: {{ http: {{ get: '{url}' }} }}"


def tcp(address: str) -> str:
    return f"{TRUE}, verify: {{ tcp: {{ connect: '{address}' }} }}"


def run(*argv: str) -> str:
    return f"steps: [{{ run: [{', '.join(repr(each) for each in argv)}] }}]"


@pytest.mark.parametrize(
    ("capture", "fix"),
    [
        ("int", http("http://{n}/")),
        ("int", http("http://10.0.0.{n}/")),
        ("{ type: int, min: 1 }", tcp("127.0.0.1:{n}")),
        ("hostport", tcp("{n}")),
        ("hostname", http("http://{n}/")),
        ("ip", http("http://{n}/")),
    ],
)
def test_i7_a_forged_line_cannot_aim_a_probe(tmp_path: Path, capture: str, fix: str) -> None:
    loaded = load(tmp_path, capture, fix)
    assert "a forged line could aim it by `{n}`" in render_problems(loaded.problems)
    assert loaded.rules == ()


@pytest.mark.parametrize("kind", ["word", "{ type: path, allow: [/srv] }", "{ type: unit, allow: [a.service] }"])
def test_i7_only_what_has_the_form_of_an_address_stands_in_one(tmp_path: Path, kind: str) -> None:
    assert "cannot stand in an address" in render_problems(load(tmp_path, kind, http("http://h/{n}")).problems)


@pytest.mark.parametrize(
    ("capture", "fix"),
    [
        ("{ type: enum, values: [a, b] }", http("http://127.0.0.1:8080/healthz/{n}")),
        ("{ type: int, min: 8000, max: 8010 }", tcp("127.0.0.1:{n}")),
        ("{ type: hostport, allow: [10.0.0.0/8, .shop.example] }", tcp("{n}")),
        ("{ type: ip, allow: [10.0.0.0/8] }", tcp("{n}:5432")),
        ("word", tcp("[::1]:5432")),
        ("word", run("/usr/local/lib/logmedic/failover", "--to={n}")),
        ("word", run("/usr/bin/env", "LC_ALL=C", "/usr/local/bin/failover", "{n}")),
        ("word", run("/usr/bin/python3", "/usr/local/lib/failover.py", "-c", "{n}")),
        ("word", run("/bin/sh", "-c", "exit 0")),
        ("{ type: path, allow: [/var/spool/app] }", run("/bin/rm", "{n}")),
        ("{ type: enum, values: [a, b] }", "steps: [{ unit: { restart: 'app@{n}.service' } }]"),
        ("{ type: int, max: 8 }", "steps: [{ unit: { restart: 'app@{n}.service' } }]"),
    ],
)
def test_what_is_bounded_loads(tmp_path: Path, capture: str, fix: str) -> None:
    loaded = load(tmp_path, capture, fix)
    assert render_problems(loaded.problems) == ""
    assert len(loaded.rules) == 1


@pytest.mark.parametrize(
    "argv",
    [
        ("/bin/sh", "-c", "echo {n}"),
        ("/bin/bash", "/usr/local/bin/script", "{n}"),
        ("/usr/bin/env", "sh", "-c", "echo {n}"),
        ("/usr/bin/timeout", "5", "/bin/bash", "-c", "echo {n}"),
        ("/bin/busybox", "ash", "-c", "echo {n}"),
        ("/usr/bin/ssh", "db1", "restart {n}"),
        ("/usr/bin/python3.11", "-c", "print('{n}')"),
        ("/usr/bin/python3", "-Ic", "print('{n}')"),
        ("/usr/bin/perl", "-w", "-e", "print '{n}'"),
        ("/usr/bin/env", "node", "--eval", "f('{n}')"),
    ],
)
def test_i7_a_capture_never_becomes_a_program(tmp_path: Path, argv: tuple[str, ...]) -> None:
    argv = tuple(each.replace("'", "") for each in argv)
    loaded = load(tmp_path, "word", run(*argv))
    assert "a capture must not reach a shell" in render_problems(loaded.problems)
    assert loaded.rules == ()


@pytest.mark.parametrize(
    ("capture", "fix", "says"),
    [
        ("path", run("/bin/rm", "{n}"), "the path `{n}` could be any"),
        ("unit", "steps: [{ unit: { restart: '{n}' } }]", "the unit `{n}` could be any"),
        ("word", "steps: [{ unit: { restart: 'app; reboot' } }]", "`app; reboot` is no unit"),
        ("word", "steps: [{ unit: { restart: app } }]", "`app` is no unit"),
        ("word", tcp("localhost"), "is no host with its port"),
        ("word", tcp("localhost:http"), "is no host with its port"),
        ("word", http("http://localhost:99999/"), "is no http:// or https:// address"),
        ("word", http("http://:80/"), "is no http:// or https:// address"),
        ("word", http("http://localhost/a b"), "is no http:// or https:// address"),
        ("{ type: hostport, allow: [10.0.0.0/33] }", TRUE, "`10.0.0.0/33` is no network"),
        ("{ type: hostname, allow: [10.0.0.0/8] }", TRUE, "`10.0.0.0/8` is no name"),
        ("{ type: unit, allow: [app] }", TRUE, "`app` is no unit"),
        ("{ type: enum, values: ['-rf', a] }", TRUE, "`-rf` is never captured"),
        ("word", "steps: [{ run: [/bin/true], sandbox: { write: [//etc/.] } }]", "`//etc/.` may not be writable"),
        ("word", 'steps: [{ run: [/bin/true, "a\\0b"] }]', "U+0000 does not belong in text"),
        ("word", f"{TRUE}, verify: {{ command: {{ run: [] }} }}", "`run` is empty"),
    ],
)
def test_i8_what_does_not_bound_or_cannot_run_is_refused(tmp_path: Path, capture: str, fix: str, says: str) -> None:
    loaded = load(tmp_path, capture, fix)
    assert says in render_problems(loaded.problems)
    assert loaded.rules == ()


def test_a_rule_that_could_never_speak_is_refused(tmp_path: Path) -> None:
    loaded = load(tmp_path, "word", TRUE, unless="['.*']")
    assert "the text in `unless` matches every line" in render_problems(loaded.problems)


def test_a_directory_with_the_name_of_a_file_is_told_and_the_others_load(tmp_path: Path) -> None:
    (tmp_path / "trap.yaml").mkdir()
    load(tmp_path, "word", TRUE)
    loaded = RuleFileLoader([tmp_path], owners=None, prove=run_tests).load()
    assert [rule.id for rule in loaded.rules] == ["one"]
    assert "is no regular file" in render_problems(loaded.problems)


def test_a_rule_behind_a_hundred_mistakes_is_not_taken_for_sound(tmp_path: Path) -> None:
    wrong = "".join(f"    wrong{n}: 1\n" for n in range(150))
    path = tmp_path / "many.yaml"
    path.write_text(
        "version: 1\nrules:\n  - id: first\n    title: a\n    match: { pattern: boom }\n"
        + wrong
        + "  - id: last\n    title: b\n    match: { pattern: bang }\n    wrong: 1\n"
    )
    loaded = RuleFileLoader([path], owners=None, prove=run_tests).load()
    assert loaded.rules == ()
    assert len(loaded.problems) == 100
