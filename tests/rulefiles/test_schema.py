"""The JSON Schema for editors says what the loader says, and every file that is shipped or shown has its form."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from logmedic.adapters.rulefiles.jsonschema import ADDRESS, rules_schema
from logmedic.yamldoc import parse_document
from rulefiles.loading import a_file, load, put, rule
from rulefiles.test_fix_format import ACTIONS, CHECKS, MISTAKES

ROOT = Path(__file__).resolve().parents[2]
PACKS = sorted((ROOT / "rules").glob("*.yaml"))
SCHEMA = rules_schema()
VALIDATOR = Draft7Validator(SCHEMA)


def misfits(text: str) -> list[str]:
    """What the schema says against it, as the loader reads YAML."""
    plain = parse_document("x.yaml", text.encode()).plain()
    return [f"{'/'.join(map(str, each.absolute_path))}: {each.message[:200]}" for each in VALIDATOR.iter_errors(plain)]


def test_the_shipped_schema_is_that_of_this_version() -> None:
    shipped = json.loads((ROOT / "docs" / "schema" / "rules-v1.json").read_text())
    assert shipped == json.loads(json.dumps(SCHEMA)), "make schema"


def test_it_is_a_schema_of_the_draft_that_editors_read() -> None:
    assert SCHEMA["$schema"] == "http://json-schema.org/draft-07/schema#"
    assert SCHEMA["$id"] == ADDRESS
    Draft7Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("path", PACKS, ids=lambda path: path.stem)
def test_a_shipped_file_has_the_form(path: Path) -> None:
    assert misfits(path.read_text()) == []


@pytest.mark.parametrize("path", PACKS, ids=lambda path: path.stem)
def test_a_modeline_names_the_schema(path: Path) -> None:
    modelines = re.findall(r"^# yaml-language-server: \$schema=(.*)$", path.read_text(), re.MULTILINE)
    assert set(modelines) <= {ADDRESS}


def examples() -> Iterator[str]:
    """The YAML in docs/rules.md, each made a whole file."""
    for block in re.findall(
        r"^```ya?ml\n(.*?)^```", (ROOT / "docs" / "rules.md").read_text(), re.MULTILINE | re.DOTALL
    ):
        plain = parse_document("rules.md", block.encode()).plain()
        if isinstance(plain, dict) and "version" in plain:
            yield json.dumps(plain)
        elif isinstance(plain, dict) and set(plain) <= {"service", "sources", "rules"}:
            yield json.dumps({"version": 1, "rules": [MINIMAL], **plain})
        elif isinstance(plain, dict):
            yield json.dumps({"version": 1, "rules": [{**MINIMAL, **plain}]})
        else:
            yield json.dumps({"version": 1, "rules": plain})


MINIMAL = {"id": "one", "title": "boom", "match": {"pattern": "boom"}}


@pytest.mark.parametrize("text", list(examples()), ids=lambda text: text[:60])
def test_an_example_in_the_documentation_has_the_form(text: str) -> None:
    assert misfits(text) == []


# -- they do not drift -------------------------------------------------------------------------------------------------

HOST = {"match": r"{ pattern: '^boom (?P<host>\S+)', captures: { host: hostname } }"}
REPORTS = {"source": "reports", "title": "boom"}
WHOLE_REPORT = (
    "{ report: { component: a, action: b, error: E, message: m, traceback: t, impact: high, environment: e,"
    " request_id: r, kind: error, name: n, attempts: 3, strategy: s, tags: [a, b],"
    " context: { a: b, c: 7 }, user: u }, repeat: 2 }"
)
GOOD: list[dict[str, str]] = [
    {},
    {"match": "{ patterns: [a, b], unless: c, field: msg, level: error, program: [sshd, 'postfix/*'] }"},
    {"match": "{ pattern: 404, captures: {} }", "title": "404", "source": "[a, 7]"},
    {"match": r"{ pattern: '(?P<a>\d+)', captures: { a: { type: int, min: 1, max: 9 } } }", "title": "'{a}'"},
    {"match": "{ report: { component: [a, 'b*'], action: POST /x, error: redis.*, users: [shop, uid 7] } }", **REPORTS},
    {
        "match": "{ report: { kind: [error, circuit_breaker_open], environment: eu-1 }, pattern: a, unless: b }",
        **REPORTS,
    },
    {"match": "{ report: { component: a }, patterns: [a, b], field: context.x, captures: { user: word } }", **REPORTS},
    {
        "when": "{ sequence: { then: [{ report: { component: a }, count: 2 }] }, clear: { report: { error: E } } }",
        **REPORTS,
    },
    {"tests": "[{ name: a, lines: [{ report: { component: a, error: E, user: shop } }], expect: { fires: 0 } }]"},
    {"tests": f"[{{ name: a, lines: [{WHOLE_REPORT}], expect: {{ fires: 0 }} }}]"},
    {"when": "{ threshold: { count: 5, within: 1.5h, by: [host] } }"},
    {"when": "{ distinct: { of: host, count: 2 }, unless_incident: other }"},
    {"when": "{ sequence: { then: bang, count: 2, any_order: true } }"},
    {"when": "{ sequence: { then: [a, { pattern: b, count: 3 }, { incident: other, on: failed }], within: 2m } }"},
    {"when": "{ absence: { within: 5 m } }"},
    {"when": "{ absence: { of: { pattern: ok, level: info }, within: 5m }, clear: { quiet: 10m } }"},
    {"when": "{ rate: { at_least: 10, times: 2.5 }, clear: over }"},
    {"when": "{ clear: { pattern: over, quiet: 5m } }"},
    {"when": "{ clear: { after: 0s } }"},
    {"fix": "{ mode: approve, steps: { run: [/usr/bin/true, 7] } }"},
    {"fix": "{ mode: observe, steps: { unit: { restart: a.service }, sandbox: { tasks: 9 } }, verify: { quiet: 1m } }"},
    *[{"fix": f"{{ mode: observe, steps: [{{ {text} }}] }}", "title": "'{host}'", **HOST} for text, _, _ in ACTIONS],
    *[{"fix": f"{{ mode: observe, steps: {{ wait: 1s }}, guard: {{ {text} }} }}"} for text, _ in CHECKS],
    *[{"fix": f"{{ mode: observe, steps: {{ run: [/bin/a], expect: {{ {text} }} }} }}"} for text, _ in CHECKS],
    *[{"fix": f"{{ mode: observe, steps: {{ wait: 1s }}, verify: {{ {text}, quiet: 1m }} }}"} for text, _ in CHECKS],
    {"fix": "{ mode: observe, steps: [{ any_of: [{ wait: 1s }, { wait: 2s, name: b }] }, { wait: 3s }] }"},
    {"fix": "{ mode: approve, steps: { run: [/bin/a], rollback: { run: [/bin/b], name: c, timeout: 5s } } }"},
    {"fix": "{ mode: approve, steps: { run: [/bin/a], sandbox: { network: full, time: 5s, user: app } } }"},
    {"fix": "{ mode: approve, steps: { wait: 1s }, after: other, on_failure: record, breaker: { factor: 1.5 } }"},
    {"fix": "{ mode: approve, steps: { wait: 1s }, after: [other], breaker: { successes: 2, healthy_after: 9h } }"},
    {"alert": "{ routes: oncall, on: [opened, held], repeat_every: 1h }"},
    {"alert": "{ repeat_every: never, page_after: 0s, not_while: other }"},
    {"alert": "{ page_after: 10m, not_while: [other] }"},
    {"tests": "[{ name: a, lines: boom web1, expect: { fires: 1, captures: { host: web1 } } }]"},
    {"tests": "{ name: a, lines: { text: boom web1, repeat: 2, every: 1s, at: 5s }, until: 1h, expect: { fires: 1 }}"},
    {"tests": "[{ name: a, lines: [x, 7], expect: { fires: 0, matches: 0, steps: [], run: [], resolved: 0 } }]"},
]
OTHER = rule("other", match="{ pattern: other }", title="other")


@pytest.mark.parametrize("keys", GOOD, ids=str)
def test_what_loads_has_the_form(tmp_path: Path, keys: dict[str, str]) -> None:
    text = a_file(rule(**{"title": "boom", **keys}), OTHER)
    loaded = load(put(tmp_path, text))
    assert [each.text for each in loaded.problems] == []
    assert misfits(text) == []


MEANING = (
    *(
        "the `grace`",
        "`wait` is not shorter",
        "`wait` has to be from",
        "`until` has to be from",
        "two steps are called",
    ),
    *("more than 20", "more than 4 deep", "`time` has to be from", "`open_for` is longer"),
)
"""Mistakes in what is written, and not in its form."""
BAD_FIXES = [text for text, says, _ in MISTAKES if not says.startswith(MEANING) and "more than" not in says]
BAD: list[dict[str, str]] = [
    *[{"match": each} for each in ("{}", "boom", "[]", "null", "{ pattern: [] }", "{ pattern: { a: b } }")],
    *[
        {"match": f"{{ pattern: a, {each} }}"}
        for each in ("patterns: b", "on: opened", "incident: other", "level: bad")
    ],
    *[{"match": f"{{ pattern: a, {each} }}"} for each in ("unless: true", "field: [a]", "captures: [a]", "nonsuch: 1")],
    *[
        {"match": f"{{ report: {each} }}"}
        for each in (
            *("{}", "a", "[a]", "null", "{ component: [] }", "{ component: 9a }", "{ error: '' }", "{ users: a b }"),
            *("{ user: a }", "{ kind: eror }", "{ kind: [] }", "{ environment: a b }", "{ action: { a: b } }"),
        )
    ],
    *[
        {"match": f"{{ report: {{ component: a }}, {each} }}"}
        for each in ("program: a", "level: error", "incident: other", "on: opened", "field: message", "pattern: []")
    ],
    *[
        {"tests": f"[{{ name: a, lines: [{{ report: {each} }}], expect: {{ fires: 0 }} }}]"}
        for each in (
            *(
                "{}",
                "a",
                "{ error: E }",
                "{ component: a, error: E, nonsuch: 1 }",
                "{ component: a, error: E, kind: x }",
            ),
            *(
                "{ component: a, error: E }, text: x",
                "{ component: a, error: E }, source: x",
                "{ component: a, impact: x }",
            ),
        )
    ],
    {"match": "{ incident: other, unless: a }"},
    {"match": "{ incident: other, program: a }"},
    {"match": "{ incident: other, on: closed }"},
    {"match": "{ incident: [] }"},
    *[
        {"match": f"{{ pattern: '(?P<a>x)', captures: {{ a: {each} }} }}"}
        for each in (
            "hots",
            "enum",
            "{ allow: [a] }",
            "{ type: enum }",
            "{ type: enum, values: [] }",
            "{ type: ip, x: 1 }",
        )
    ],
    {"match": "{ pattern: '(?P<a>x)', captures: { a: { type: unit, allow: [] } } }"},
    {"match": "{ pattern: '(?P<a>x)', captures: { a: { type: int, min: -1 } } }"},
    *[{"id": each} for each in ("Web", "''", "a_b", "-a", "a-", "[a]")],
    *[{"title": each} for each in ("''", "true", "[a]")],
    {"severity": "bad"},
    {"runbook": "ftp://x"},
    {"enabled": "1"},
    {"nonsuch": "1"},
    {"tags": "{ a: b }"},
    *[{"when": each} for each in ("{}", "[]", "{ nonsuch: 1 }", "{ threshold: {} }", "{ threshold: { count: 0 } }")],
    {"when": "{ threshold: { count: 5, within: 60 } }"},
    {"when": "{ threshold: { count: 5, within: 1w } }"},
    {"when": "{ threshold: { count: 5 }, rate: { at_least: 5 } }"},
    {"when": "{ distinct: { of: host, count: 1 } }"},
    {"when": "{ distinct: { count: 2 } }"},
    {"when": "{ sequence: { count: 2 } }"},
    {"when": "{ sequence: { then: [] } }"},
    {"when": "{ sequence: { then: [{ count: 2 }] } }"},
    {"when": "{ sequence: { then: [a], any_order: 1 } }"},
    {"when": f"{{ sequence: {{ then: [{', '.join('a' * 17)}] }} }}"},
    {"when": "{ absence: { of: a } }"},
    {"when": "{ absence: { of: { level: error }, within: 1m } }"},
    {"when": "{ rate: { times: 3 } }"},
    {"when": "{ rate: { at_least: 3, times: 1 } }"},
    *[
        {"when": f"{{ clear: {each} }}"}
        for each in ("{}", "[a]", "{ level: error }", "{ quiet: 1m, after: 1m }", "{ x: 1 }")
    ],
    *[{"fix": each} for each in ("{}", "{ mode: observe }", "{ steps: [{ run: [/bin/true] }] }")],
    *[
        {"fix": f"{{ mode: observe, steps: [{each}] }}"}
        for each in (
            "",
            "{}",
            "{ run: [] }",
            "{ run: /bin/true }",
            "{ run: [/bin/true], unit: { restart: a.service } }",
        )
    ],
    {"fix": "{ mode: auto, steps: [{ run: [/bin/true] }] }"},
    {"fix": "{ mode: atuo, steps: [{ run: [/bin/true] }] }"},
    {"fix": "{ mode: observe, steps: [{ run: [/bin/true] }], verify: {} }"},
    {"fix": "{ mode: observe, steps: [{ run: [/bin/true] }], verify: { http: {} } }"},
    {"fix": "{ mode: observe, steps: [{ run: [/bin/true] }], limits: { max_per_hour: 0 } }"},
    {"fix": "{ mode: observe, steps: [{ run: [/bin/true] }], breaker: { failures: 0 } }"},
    {"fix": "{ mode: observe, steps: [{ run: [/bin/true], retry: { attempts: 21 } }] }"},
    {"fix": "{ mode: observe, steps: [{ run: [/bin/true], sandbox: { memory: 64X } }] }"},
    *[{"fix": f"{{ mode: observe, {text.replace('@', '')} }}"} for text in BAD_FIXES],
    {"alert": "{ on: [fixed] }"},
    {"alert": "{ nonsuch: 1 }"},
    *[
        {"tests": f"[{{ {each} }}]"}
        for each in (
            "name: a, lines: [x]",
            "name: a, lines: [x], expect: {}",
            "name: a, lines: [], expect: { fires: 0 }",
            "lines: [x], expect: { fires: 0 }",
            "name: a, lines: [{ repeat: 2 }], expect: { fires: 0 }",
            "name: a, lines: [{ text: x, repeat: 0 }], expect: { fires: 0 }",
            "name: a, lines: [{ text: x, captures: { a: b } }], expect: { fires: 0 }",
            "name: a, lines: [{ text: x, incident: other }], expect: { fires: 0 }",
            "name: a, lines: [x], expect: { fires: -1 }",
            "name: a, lines: [x], expect: { resolution: done }",
            "name: a, lines: [x], expect: { run: [a] }",
            "name: a, lines: [x], until: 5, expect: { fires: 0 }",
        )
    ],
]


@pytest.mark.parametrize("keys", BAD, ids=str)
def test_what_the_loader_refuses_for_its_form_the_schema_refuses_too(tmp_path: Path, keys: dict[str, str]) -> None:
    given = dict(keys)
    text = a_file(rule(given.pop("id", "one"), **{"title": "boom", **given}), OTHER)
    assert load(put(tmp_path, text)).problems
    assert misfits(text)


@pytest.mark.parametrize(
    "head",
    [
        "rules: []",
        "version: 2",
        "version: 1\nnonsuch: 1",
        "version: 1\nservice: [a]",
        "version: 1\nsources: { app: {} }",
        "version: 1\nsources: { app: { files: [] } }",
        "version: 1\nsources: { app: { files: [var/log/a] } }",
        "version: 1\nsources: { 'a b': { files: [/var/log/a] } }",
        "version: 1\nsources: { app: { files: [/var/log/a], journal: 1 } }",
    ],
)
def test_so_it_is_with_the_head_of_a_file(tmp_path: Path, head: str) -> None:
    text = f"{head}\nrules:\n{OTHER}" if "rules" not in head else head
    assert load(put(tmp_path, text)).problems
    assert misfits(text)


WHERE: list[tuple[dict[str, str], tuple[str, ...]]] = [
    ({"@": "1"}, ("rule",)),
    ({"match": "{ pattern: a, @: 1 }"}, ("rule", "match")),
    ({"match": "{ incident: other, @: 1 }"}, ("rule", "match")),
    ({"match": "{ report: { component: a }, @: 1 }"}, ("rule", "match")),
    ({"match": "{ report: { @: 1 } }"}, ("rule", "match", "report")),
    ({"match": "{ pattern: '(?P<a>x)', captures: { a: { type: word, @: 1 } } }"}, ("capture", "1")),
    ({"when": "{ @: 1 }"}, ("rule", "when")),
    ({"when": "{ threshold: { count: 1, @: 1 } }"}, ("rule", "when", "threshold")),
    ({"when": "{ distinct: { of: host, count: 2, @: 1 } }"}, ("rule", "when", "distinct")),
    ({"when": "{ sequence: { then: a, @: 1 } }"}, ("rule", "when", "sequence")),
    ({"when": "{ sequence: { then: [{ pattern: a, @: 1 }] } }"}, ("stage", "1")),
    ({"when": "{ absence: { within: 1m, @: 1 } }"}, ("rule", "when", "absence")),
    ({"when": "{ absence: { of: { pattern: a, @: 1 }, within: 1m } }"}, ("further", "1")),
    ({"when": "{ rate: { at_least: 1, @: 1 } }"}, ("rule", "when", "rate")),
    ({"when": "{ clear: { pattern: a, @: 1 } }"}, ("rule", "when", "clear", "1")),
    ({"fix": "{ @: 1 }"}, ("rule", "fix")),
    ({"fix": "{ mode: observe, steps: [{ @: 1 }] }"}, ("rung",)),
    ({"fix": "{ mode: observe, steps: [{ any_of: [{ wait: 1s }, { @: 1 }] }] }"}, ("step",)),
    ({"fix": "{ mode: observe, steps: [{ rollback: { @: 1 } }] }"}, ("step", "rollback")),
    ({"fix": "{ mode: observe, steps: [{ expect: { @: 1 } }] }"}, ("checks",)),
    ({"fix": "{ mode: observe, steps: [], guard: { not: { @: 1 } } }"}, ("checks",)),
    *[
        ({"fix": f"{{ mode: observe, steps: [{{ {key}: {{ @: 1 }} }}] }}"}, ("step", key))
        for key in ("kill", "free", "empty", "renew", "http")
    ],
    *[
        ({"fix": f"{{ mode: observe, steps: [], guard: {{ {key}: {{ @: 1 }} }} }}"}, ("checks", key, "0"))
        for key in ("http", "tcp", "command", "unit", "file", "disk")
    ],
    ({"fix": "{ mode: observe, steps: [{ retry: { @: 1 } }] }"}, ("step", "retry")),
    ({"fix": "{ mode: observe, steps: [{ sandbox: { @: 1 } }] }"}, ("sandbox",)),
    ({"fix": "{ mode: observe, steps: [{ unit: { @: 1 } }] }"}, ("step", "unit")),
    ({"fix": "{ mode: observe, steps: [], verify: { @: 1 } }"}, ("rule", "fix", "verify")),
    ({"fix": "{ mode: observe, steps: [], verify: { http: { @: 1 } } }"}, ("rule", "fix", "verify", "http", "0")),
    ({"fix": "{ mode: observe, steps: [], verify: { tcp: { @: 1 } } }"}, ("rule", "fix", "verify", "tcp", "0")),
    ({"fix": "{ mode: observe, steps: [], verify: { command: { @: 1 } } }"}, ("rule", "fix", "verify", "command", "0")),
    ({"fix": "{ mode: observe, steps: [], limits: { @: 1 } }"}, ("rule", "fix", "limits")),
    ({"fix": "{ mode: observe, steps: [], breaker: { @: 1 } }"}, ("rule", "fix", "breaker")),
    ({"alert": "{ @: 1 }"}, ("rule", "alert")),
    ({"tests": "[{ @: 1 }]"}, ("test",)),
    ({"tests": "[{ name: a, lines: [{ @: 1 }], expect: { fires: 1 } }]"}, ("sample",)),
    ({"tests": "[{ name: a, lines: [{ incident: b, @: 1 }], expect: { fires: 1 } }]"}, ("sample",)),
    ({"tests": "[{ name: a, lines: [{ report: { @: 1 } }], expect: { fires: 1 } }]"}, ("sample", "report")),
    ({"tests": "[{ name: a, lines: [x], expect: { @: 1 } }]"}, ("test", "expect")),
]
ELSEWHERE = {
    ("rule", "match"): {"pattern", "patterns", "unless", "field", "level", "program", "incident", "on"},
    ("further", "1"): {"incident", "on"},
    ("stage", "1"): {"incident", "on"},
    ("rule", "when", "clear", "1"): {"incident", "on"},
    ("sample",): {"captures", "fields"},
}
"""Keys of the other kind that a mapping there can be: about incidents, or about lines."""


def properties(way: tuple[str, ...]) -> dict[str, Any]:
    form = SCHEMA["definitions"][way[0]]
    for name in way[1:]:
        form = form["anyOf"][int(name)] if name.isdigit() else form["properties"][name]
    found: dict[str, Any] = form["properties"]
    return found


@pytest.mark.parametrize(("keys", "way"), WHERE, ids=str)
def test_the_schema_names_the_keys_that_the_loader_names(
    tmp_path: Path, keys: dict[str, str], way: tuple[str, ...]
) -> None:
    odd = {key.replace("@", "qqqqqq"): value.replace("@", "qqqqqq") for key, value in keys.items()}
    problems = load(put(tmp_path, a_file(rule(**odd), OTHER))).problems
    (hint,) = {each.hint for each in problems if "unknown key `qqqqqq`" in each.text}
    known = set(hint.removeprefix("known here: ").split(", "))
    assert known | ELSEWHERE.get(way, set()) == set(properties(way))


def described(form: Any, name: str = "") -> Iterator[str]:
    """The properties that editors have no words for."""
    if isinstance(form, dict):
        for key, each in form.get("properties", {}).items():
            if isinstance(each, dict) and not {"description", "const", "not"} & set(each):
                yield f"{name}.{key}"
        for key, each in form.items():
            yield from described(each, f"{name}.{key}")
    elif isinstance(form, list):
        for each in form:
            yield from described(each, name)


def test_editors_have_words_for_every_key() -> None:
    assert list(described(SCHEMA)) == []
