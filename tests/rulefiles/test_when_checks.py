"""What a `when` names and counts has to be there and to be possible; a bad pattern is told wherever it stands."""

from __future__ import annotations

from pathlib import Path

import pytest

from rulefiles.loading import a_file, ids, load, put, rule, told

PAIR = r"{ pattern: '^boom (?P<host>\S+) (?P<disk>\S+)', captures: { host: hostname, disk: word } }"
COUNTED = r"{ pattern: '^boom (?P<host>\d+)', captures: { host: { type: int, min: 1, max: 3 } } }"
CHOSEN = r"{ pattern: '^boom (?P<host>\w+)', captures: { host: { type: enum, values: [a, b] } } }"


@pytest.mark.parametrize(
    "when",
    [
        "{ threshold: { count: 3, by: [host] } }",
        "{ distinct: { of: host, count: 3 } }",
        "{ sequence: { then: ['^bang (?P<host>.*)'], by: host } }",
        "{ sequence: { then: ['^bang'], by: host } }",
        "{ absence: { of: { patterns: ['^ok (?P<host>.*)', '^well (?P<host>.*)'] }, within: 1m, by: host } }",
        "{ rate: { at_least: 3, by: host }, clear: '^over' }",
        "{ threshold: { count: 2, by: host }, clear: { pattern: '^over (?P<host>.*)', quiet: 1m } }",
    ],
)
def test_a_when_that_names_what_is_there_loads(tmp_path: Path, when: str) -> None:
    loaded = load(put(tmp_path, a_file(rule(when=when))))
    assert told(loaded) == ""
    assert ids(loaded) == ["one"]


@pytest.mark.parametrize(
    ("when", "says"),
    [
        ("{ threshold: { count: 3, by: [hots] } }", "`by` names `hots`, which is no typed capture"),
        ("{ distinct: { of: hots, count: 3 } }", "`of` names `hots`, which is no typed capture"),
        ("{ distinct: { of: host, count: 3, by: hots } }", "`by` names `hots`"),
        ("{ distinct: { of: host, count: 3, by: host } }", "`of` and `by` both name `host`"),
        ("{ sequence: { then: ['^bang'], by: hots } }", "`by` names `hots`"),
        ("{ absence: { within: 1m, by: hots } }", "`by` names `hots`"),
        ("{ rate: { at_least: 3, by: hots } }", "`by` names `hots`"),
        ("{ sequence: { then: [{ pattern: a, count: 999 }, b] } }", "the sequence waits for 1001 lines"),
        ("{ sequence: { then: [{ pattern: bang, captures: { at: word } }] } }", "the pattern has no group `at`"),
        ("{ absence: { of: { pattern: ok, captures: { at: word } }, within: 1m } }", "the pattern has no group `at`"),
        ("{ clear: { pattern: '(?P<to>x)', captures: { to: { type: ip, allow: [x] } } } }", "`x` is no network"),
        ("{ sequence: { then: ['.*'] } }", "the text in `pattern` matches every line"),
        ("{ clear: { pattern: over, unless: '' } }", "the text in `unless` matches every line"),
    ],
)
def test_what_could_never_be_is_told_at_its_place(tmp_path: Path, when: str, says: str) -> None:
    loaded = load(put(tmp_path, a_file(rule(when=when))))
    assert says in told(loaded)
    assert "web.yaml:7:" in told(loaded)
    assert ids(loaded) == []


@pytest.mark.parametrize(
    ("match", "values"),
    [(COUNTED, 3), (CHOSEN, 2)],
    ids=["int", "enum"],
)
def test_more_different_values_than_there_are_never_come(tmp_path: Path, match: str, values: int) -> None:
    when = "{ distinct: { of: host, count: 4 } }"
    loaded = load(put(tmp_path, a_file(rule(match=match, when=when))))
    assert f"`host` has {values} values at most, and `count` wants 4" in told(loaded)
    assert ids(load(put(tmp_path, a_file(rule(match=match, when=when.replace("4", "2")))))) == ["one"]


@pytest.mark.parametrize(
    ("when", "loads"),
    [
        (r"{ sequence: { then: ['bang (?P<host>\S+)'], by: [host, disk] } }", False),
        (r"{ sequence: { then: [{ patterns: ['bang', 'bang (?P<disk>\S+)'] }], by: [host, disk] } }", False),
        (r"{ absence: { of: 'ok (?P<disk>\S+)', within: 1m, by: [host, disk] } }", False),
        (r"{ threshold: { count: 2, by: [host, disk] }, clear: 'over (?P<disk>\S+)' }", False),
        (r"{ threshold: { count: 2, by: [host, disk] }, clear: 'over (?P<host>\S+) (?P<disk>\S+)' }", True),
        (r"{ threshold: { count: 2, by: [host, disk] }, clear: 'all is over' }", True),
        (r"{ threshold: { count: 2, by: host }, clear: 'over (?P<disk>\S+)' }", True),
    ],
)
def test_a_further_line_tells_all_of_the_group_or_none(tmp_path: Path, when: str, loads: bool) -> None:
    loaded = load(put(tmp_path, a_file(rule(match=PAIR, when=when))))
    assert ("capture all of `by` here, or none" in told(loaded)) is not loads
    assert ids(loaded) == (["one"] if loads else [])


@pytest.mark.parametrize(
    "when",
    [
        "{ sequence: { then: ['(bang'] } }",
        "{ sequence: { then: [fine, { patterns: [fine, '(bang'] }] } }",
        "{ sequence: { then: [{ pattern: fine, unless: '(bang' }] } }",
        "{ absence: { of: '(bang', within: 1m } }",
        "{ absence: { of: { pattern: '(bang' }, within: 1m } }",
        "{ clear: '(bang' }",
        "{ clear: { pattern: '(bang', quiet: 1m } }",
    ],
)
def test_a_bad_pattern_is_told_wherever_it_stands(tmp_path: Path, when: str) -> None:
    loaded = load(put(tmp_path, a_file(rule(when=when), rule("two"))))
    (problem,) = loaded.problems
    assert problem.text == "the pattern: missing )"
    assert problem.excerpt[problem.column - 6 : problem.column - 1] == "(bang"
    assert ids(loaded) == ["two"]


@pytest.mark.parametrize(
    "when",
    [
        "{ sequence: { then: [[a, b], 7, true, { pattern: [[a]] }, null] } }",
        "{ sequence: [], absence: 7 }",
        "{ clear: [a, b] }",
        "{ clear: { pattern: { a: b } } }",
        "{ absence: { of: [a], within: 1m } }",
        "{ threshold: { count: 3 }, sequence: { then: ['(bang'] } }",
        "[]",
        "null",
    ],
)
def test_what_has_no_form_is_told_and_harms_nobody(tmp_path: Path, when: str) -> None:
    loaded = load(put(tmp_path, a_file(rule(when=when), rule("two"))))
    assert loaded.problems
    assert ids(loaded) == ["two"]


def test_a_pattern_of_a_further_line_may_explode_too(tmp_path: Path) -> None:
    when = "{ clear: '(((a{50}){50}){50}){50}' }"
    loaded = load(put(tmp_path, a_file(rule(when=when), rule("two"))))
    assert "to compile" in told(loaded)
    assert ids(loaded) == ["two"]


FIX = "{ mode: approve, steps: [{ run: [/usr/bin/true, '{host}'] }] }"


@pytest.mark.parametrize(("then", "loads"), [("'bang'", False), (r"'bang (?P<host>\S+)'", True)])
def test_i7_a_fix_uses_only_what_every_line_of_a_sequence_tells(tmp_path: Path, then: str, loads: bool) -> None:
    """The last of them to come opens the incident, and the fix has what that one tells."""
    loaded = load(put(tmp_path, a_file(rule(when=f"{{ sequence: {{ then: [{then}] }} }}", fix=FIX))))
    assert ("`{host}` is not known when then1 completes the sequence" in told(loaded)) is not loads
    assert ids(loaded) == (["one"] if loads else [])
