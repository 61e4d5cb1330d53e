"""Whatever fix the loader takes, the schema takes too: no editor says that a sound file is wrong."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator

from logmedic.adapters.rulefiles.jsonschema import rules_schema
from logmedic.adapters.rulefiles.loader import RuleFileLoader
from logmedic.core.ruletest import run_tests
from logmedic.model.rule import RuleSet

VALIDATOR = Draft7Validator(rules_schema())
Some = st.SearchStrategy[Any]


def some(**keys: Some) -> Some:
    """A mapping. Keys in CAPITALS are always there."""
    always = {key.lower(): each for key, each in keys.items() if key.isupper()}
    return st.fixed_dictionaries(always, optional={key: each for key, each in keys.items() if not key.isupper()})


def merged(*parts: Some) -> Some:
    return st.tuples(*parts).map(lambda found: {key: each for part in found for key, each in part.items()})


def one_or_more(item: Some) -> Some:
    return item | st.lists(item, min_size=1, max_size=2)


durations = st.sampled_from(["1s", "2 s", "1500ms", "1.5m", "1h"])
sizes = st.sampled_from(["4M", "1 GiB", 5 * 1024**2])
shares = st.sampled_from(["10%", "0.5 %", "99%"])
paths = st.sampled_from(["/var/cache/app", "/srv/shop/tmp", "/var/cache/app/"])
urls = st.sampled_from(["http://127.0.0.1:8080/x", "https://{host}/", "http://h/{name}"])
units = st.sampled_from(["app.service", "app@{name}.service"])
argv = st.sampled_from([["/bin/true"], ["/bin/true", "{host}", 7], ["/bin/true", "--x={name}"]])
sandboxes = some(
    write=one_or_more(st.just("/srv/a")),
    read=one_or_more(st.just("/srv/b")),
    network=st.sampled_from(["none", "loopback", "full"]),
    memory=sizes,
    tasks=st.integers(1, 4096),
    file_size=sizes,
    time=durations,
    user=st.sampled_from(["app", "root"]),
    kind=st.sampled_from(["none", "sandbox"]),
)
TIMES = {"within": durations, "every": durations}
states = st.sampled_from(["active", "failed"])
leaves = st.one_of(
    some(HTTP=one_or_more(some(GET=urls, status=st.integers(100, 599), contains=st.just("ok"), **TIMES))),
    some(TCP=one_or_more(some(CONNECT=st.sampled_from(["127.0.0.1:80", "{host}:80"]), **TIMES))),
    some(COMMAND=one_or_more(some(RUN=argv, sandbox=sandboxes, **TIMES))),
    some(UNIT=one_or_more(some(UNIT=units, state=states, up_for=durations, **TIMES)), file=some(PATH=paths)),
    some(FILE=one_or_more(some(PATH=paths, exists=st.just(True), newer_than=durations, at_most=sizes, **TIMES))),
    some(
        DISK=one_or_more(some(PATH=paths, FREE=sizes | shares, inodes=shares, **TIMES)),
        tcp=some(CONNECT=st.just("a:1")),
    ),
)


def combined(inner: Some) -> Some:
    several = st.lists(inner, min_size=2, max_size=3)
    return st.fixed_dictionaries({"not": inner}) | some(AND=several) | some(OR=several)


checks = st.recursive(leaves, combined, max_leaves=4)
actions = st.one_of(
    some(RUN=argv),
    some(UNIT=some(RESTART=units) | some(RELOAD=units) | some(START=units)),
    some(KILL=some(UNIT=units, PROCESS=st.sampled_from(["worker", "{name}"]), grace=st.just("1s"))),
    some(FREE=some(PATHS=one_or_more(paths), UNTIL=sizes | shares, pattern=st.just("*.tmp"), at_most=sizes)),
    some(EMPTY=some(PATH=paths, older_than=durations)),
    some(ROTATE=st.just("/etc/logrotate.d/app")),
    some(RENEW=some(CERTIFICATE=paths, RUN=argv, before=st.just("7d"))),
    some(HTTP=some(POST=urls, status=st.just(204), body=st.just('{"a": "{name}"}')) | some(GET=urls) | some(PUT=urls)),
    some(WAIT=st.just("1s")),
)
doing = merged(actions, some(timeout=st.sampled_from(["30s", "2m"]), sandbox=sandboxes))
retries = some(attempts=st.integers(1, 20), base=st.just("1s"), max=durations, factor=st.sampled_from([1, 2.5]))
steps = merged(doing, some(retry=retries, expect=checks, rollback=doing))
rungs = steps | st.fixed_dictionaries({"any_of": st.lists(steps, min_size=2, max_size=3)})
sound = st.fixed_dictionaries(
    {"mode": st.sampled_from(["observe", "approve", "auto"]), "steps": one_or_more(rungs)},
    optional={
        "graduate_after": st.integers(1, 9),
        "after": one_or_more(st.just("other")),
        "guard": checks,
        "on_failure": st.sampled_from(["escalate", "record"]),
        "limits": some(cooldown=durations, max_per_hour=st.just(3), one_at_a_time=st.just("{name}")),
        "breaker": some(
            failures=st.just(2), open_for=durations, successes=st.just(2), factor=st.sampled_from([1, 9.5])
        ),
    },
)
fixes = merged(sound, some(VERIFY=merged(checks, some(quiet=durations))))
TEXTS = [
    "",
    "x",
    "10%",
    "5s",
    "2h",
    "1G",
    "none",
    "app",
    "root",
    "app.service",
    "/srv/a/b",
    "http://127.0.0.1/",
    "{name}",
]
NUMBERS = [0, 1, 2, 7, 204, 4 * 1024**2, 1.5]
ODD = [None, True, "x", [], {}, ["/bin/true"], {"wait": "1s"}, [{"wait": "1s"}], {"file": {"path": "/a"}}]


def places(value: Any) -> Iterator[tuple[Any, Callable[[Any], None]]]:
    """What stands in it, and a way to put something else there."""
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield value[key], lambda other, key=key: value.__setitem__(key, other)
            yield from places(value[key])


def others(value: Any) -> list[Any]:
    match value:
        case str():
            return TEXTS
        case int() | float():
            return NUMBERS
        case list():
            return [value[:1], [*value, *value], *value, *ODD]
    return ODD


@st.composite
def spoilt(draw: st.DrawFn) -> Any:
    """A sound fix in which one thing is another."""
    fix = deepcopy(draw(fixes))
    value, put = draw(st.sampled_from(list(places(fix))))
    put(draw(st.sampled_from(others(value))))
    return fix


TESTS = [
    {"name": "fires", "lines": ["boom a.example x"], "expect": {"fires": 1}},
    {"name": "silent", "lines": ["bang"], "expect": {"fires": 0}},
]
CAPTURES = {"host": {"type": "hostname", "allow": ["a.example"]}, "name": {"type": "enum", "values": ["x", "y"]}}
MATCH = {"pattern": r"^boom (?P<host>\S+) (?P<name>\S+)", "captures": CAPTURES}
Load = Callable[[Any], tuple[RuleSet, dict[str, Any]]]


@pytest.fixture(scope="module")
def load(tmp_path_factory: pytest.TempPathFactory) -> Load:
    path: Path = tmp_path_factory.mktemp("rules") / "one.yaml"
    loader = RuleFileLoader([path], owners=None, prove=run_tests)

    def load(fix: Any) -> tuple[RuleSet, dict[str, Any]]:
        rule = {"id": "one", "title": "boom", "match": MATCH, "fix": fix, "tests": TESTS}
        other = {"id": "other", "title": "other", "match": {"pattern": "^other"}}
        file = {"version": 1, "rules": [rule, other]}
        path.write_text(json.dumps(file))
        return loader.load(), file

    return load


@settings(max_examples=40, deadline=None)
@given(fix=fixes)
def test_a_sound_fix_has_the_form(load: Load, fix: Any) -> None:
    loaded, file = load(fix)
    assert [each.text for each in loaded.problems] == []
    assert [each.message for each in VALIDATOR.iter_errors(file)] == []


@settings(max_examples=60, deadline=None)
@given(fix=spoilt())
def test_what_loads_in_spite_of_a_change_has_the_form(load: Load, fix: Any) -> None:
    loaded, file = load(fix)
    event("loads" if not loaded.problems else "is refused")
    if not loaded.problems:
        assert [each.message for each in VALIDATOR.iter_errors(file)] == []
