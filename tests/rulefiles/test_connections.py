"""Rules that name one another: what they name is there, and they do not go round in a circle."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from rulefiles.loading import a_file, ids, load, put, rule, told

LISTENS = "{ incident: one, captures: { host: hostname } }"


def test_a_rule_builds_on_another_of_another_file(tmp_path: Path) -> None:
    put(tmp_path, a_file(rule("two", match=LISTENS)), "a.yaml")
    put(tmp_path, a_file(rule()), "b.yaml")
    loaded = load(tmp_path)
    assert told(loaded) == ""
    assert ids(loaded) == ["two", "one"]


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("match", "{ incident: onne, captures: { host: hostname } }", "there is no rule `onne`"),
        ("match", "{ incident: [one, other], captures: { host: hostname } }", "there is no rule `other`"),
        ("match", "{ incident: two, captures: { host: hostname } }", "a rule cannot be about its own incidents"),
        ("match", "{ incident: one, captures: { hots: hostname } }", "rule one has no typed capture `hots`"),
        ("when", "{ unless_incident: [onne] }", "there is no rule `onne`"),
        ("when", "{ unless_incident: [two] }", "`unless_incident` names the rule itself"),
        ("when", "{ clear: { incident: onne } }", "there is no rule `onne`"),
        ("alert", "{ not_while: [onne] }", "there is no rule `onne`"),
        ("alert", "{ not_while: two }", "`not_while` names the rule itself"),
        ("when", "{ sequence: { then: [{ incident: onne }] } }", "there is no rule `onne`"),
        ("when", "{ absence: { of: { incident: onne }, within: 1m } }", "there is no rule `onne`"),
    ],
)
def test_what_is_not_there_is_told_at_its_place(tmp_path: Path, key: str, value: str, says: str) -> None:
    title = "boom at {hots}" if "hots" in value else "boom at {host}"
    loaded = load(put(tmp_path, a_file(rule(), rule("two", **{"title": title, key: value}))))
    (problem,) = loaded.problems
    assert says in problem.text
    assert value[:8] in problem.excerpt
    assert ids(loaded) == ["one"]


def test_a_near_name_is_offered(tmp_path: Path) -> None:
    loaded = load(put(tmp_path, a_file(rule("web-down"), rule("two", when="{ unless_incident: web-donw }"))))
    assert [each.hint for each in loaded.problems] == ["did you mean `web-down`?"]


def test_rules_do_not_go_round_in_a_circle(tmp_path: Path) -> None:
    def listens(to: str) -> str:
        return f"{{ incident: {to}, captures: {{ host: hostname }} }}"

    rules = [
        rule("one", match=listens("three")),
        rule("two", match=listens("one")),
        rule("three", match=listens("two")),
    ]
    loaded = load(put(tmp_path, a_file(*rules)))
    assert ids(loaded) == []
    assert "the rules go round in a circle: one -> three -> two -> one" in told(loaded)


def test_an_end_that_another_rule_tells_of_is_no_circle(tmp_path: Path) -> None:
    first = rule("one", when="{ clear: { incident: two, on: resolved } }")
    loaded = load(put(tmp_path, a_file(first, rule("two", match=LISTENS))))
    assert told(loaded) == ""


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("{ incident: one, captures: { host: web1 } }", ""),
        ("{ incident: other, captures: { host: web1 } }", "this rule is not about incidents of `other`"),
        ("{ incident: one, captures: { hots: web1 } }", "rule one has no typed capture `hots`"),
    ],
)
def test_a_sample_is_an_incident_that_the_rule_hears_of(tmp_path: Path, line: str, says: str) -> None:
    tests = f"[{{ name: it comes, lines: [{line}], expect: {{ fires: 1 }} }}]"
    loaded = load(put(tmp_path, a_file(rule(), rule("two", match=LISTENS, tests=tests))))
    assert says in told(loaded)
    assert ids(loaded) == (["one"] if says else ["one", "two"])


def test_a_rule_of_a_file_that_broke_is_still_there_for_others(tmp_path: Path) -> None:
    broken = put(tmp_path, a_file(rule()), "one.yaml")
    put(tmp_path, a_file(rule("two", match=LISTENS)), "two.yaml")
    before = load(tmp_path)
    broken.write_text("nonsense")
    after = load(tmp_path, previous=before)
    assert sorted(ids(after)) == ["one", "two"]
    assert after.stale_files == (str(broken),)


def test_a_rule_that_was_removed_is_missed_by_those_that_name_it(tmp_path: Path) -> None:
    path = put(tmp_path, a_file(rule()), "one.yaml")
    other = put(tmp_path, a_file(rule("two", match=LISTENS)), "two.yaml")
    before = load(tmp_path)
    path.unlink()
    after = load(tmp_path, previous=before)
    assert "there is no rule `one`" in told(after)
    assert after.stale_files == (str(other),)


BROKEN = "{ pattern: 'boom ((?P<host>x', captures: { host: hostname } }"


def test_what_names_a_rule_that_does_not_load_does_not_load_either(tmp_path: Path) -> None:
    """However long the way to it is."""
    rules = [
        rule("three", when="{ unless_incident: [two] }"),
        rule("two", match=LISTENS),
        rule("one", match=BROKEN),
        rule("four"),
    ]
    loaded = load(put(tmp_path, a_file(*rules)))
    assert ids(loaded) == ["four"]
    assert "rule `one`, which this one names, does not load" in told(loaded)
    assert "rule `two`, which this one names, does not load" in told(loaded)


def test_a_rule_of_another_file_goes_with_the_one_that_it_names(tmp_path: Path) -> None:
    put(tmp_path, a_file(rule("one", match=BROKEN)), "a.yaml")
    put(tmp_path, a_file(rule("two", match=LISTENS), rule("three")), "b.yaml")
    assert ids(load(tmp_path)) == ["three"]


def test_what_a_rule_captured_before_counts_where_that_version_stays(tmp_path: Path) -> None:
    put(tmp_path, a_file(rule(title="boom", match="{ pattern: '^boom' }")), "a.yaml")
    put(tmp_path, a_file(rule("two")), "b.yaml")
    before = load(tmp_path)
    put(tmp_path, a_file(rule(), rule("broken", match=BROKEN)), "a.yaml")
    put(tmp_path, a_file(rule("two", match=LISTENS)), "b.yaml")
    after = load(tmp_path, previous=before)
    assert after.rules == before.rules
    assert "rule one has no typed capture `host`" in told(after)


def test_a_rule_that_stays_because_its_file_is_broken_can_be_named(tmp_path: Path) -> None:
    put(tmp_path, a_file(rule(), rule("also")), "a.yaml")
    before = load(tmp_path)
    put(tmp_path, a_file(rule("also", match=BROKEN)), "a.yaml")
    put(tmp_path, a_file(rule("two", match=LISTENS)), "b.yaml")
    assert ids(load(tmp_path, previous=before)) == ["two", "one", "also"]


@pytest.mark.parametrize("broken", ["version: 1\nrules: [ {\n", a_file(rule("other", match=BROKEN))])
def test_f34_nobody_takes_the_id_of_a_rule_that_stays(tmp_path: Path, broken: str) -> None:
    first, second = put(tmp_path, a_file(rule()), "a.yaml"), put(tmp_path, a_file(rule("two")), "b.yaml")
    before = load(tmp_path)
    first.write_text(broken)
    second.write_text(
        a_file(rule("two"), rule(match="{ pattern: '^stolen (?P<host>x)', captures: { host: hostname } }"))
    )
    after = load(tmp_path, previous=before)
    assert after.rules == before.rules
    assert "the id `one` is taken" in told(after)
    assert set(after.stale_files) == {str(first), str(second)}


# -- whose cause is fixed first ----------------------------------------------------------------------------------------


def waits_for(*causes: str) -> str:
    return f"{{ mode: approve, after: [{', '.join(causes)}], steps: [{{ wait: 1s }}] }}"


def test_a_fix_waits_for_causes_of_other_files_that_need_no_fix(tmp_path: Path) -> None:
    put(tmp_path, a_file(rule("two", fix=waits_for("one", "three"))), "a.yaml")
    put(tmp_path, a_file(rule(), rule("three", fix=waits_for("one"))), "b.yaml")
    assert told(load(tmp_path)) == ""


@pytest.mark.parametrize(
    ("causes", "says", "hint"),
    [
        (["one", "tow"], "there is no rule `tow`", "did you mean `two`?"),
        (["nonsuch"], "there is no rule `nonsuch`", "if it is in another file, name that one as well"),
        (["three", "two"], "`after` names the rule itself", "name the rule whose incident is the cause"),
    ],
)
def test_a_cause_that_is_none_is_told_at_its_place(tmp_path: Path, causes: list[str], says: str, hint: str) -> None:
    wrong = causes[-1]
    text = a_file(rule(), rule("two", fix=waits_for(*causes)), rule("three"))
    loaded = load(put(tmp_path, text))
    (problem,) = loaded.problems
    assert (problem.text, problem.hint) == (says, hint)
    assert problem.excerpt[problem.column - 1 :].startswith(wrong)
    assert ids(loaded) == ["one", "three"]


def test_fixes_do_not_wait_for_one_another(tmp_path: Path) -> None:
    rules = [rule("one", fix=waits_for("two")), rule("two", fix=waits_for("one")), rule("three", fix=waits_for("two"))]
    loaded = load(put(tmp_path, a_file(*rules)))
    assert "the fixes wait for one another: one -> two -> one" in told(loaded)
    assert "the fixes wait for one another: two -> one -> two" in told(loaded)
    assert ids(loaded) == []


def test_a_silence_while_another_rule_speaks_is_no_wait_for_its_fix(tmp_path: Path) -> None:
    rules = [rule("one", fix=waits_for("two")), rule("two", when="{ unless_incident: one }")]
    assert told(load(put(tmp_path, a_file(*rules)))) == ""


@pytest.mark.parametrize(
    ("alert", "repeat_every", "page_after", "not_while"),
    [
        ("{}", None, None, ()),
        ("{ repeat_every: never, page_after: 0s }", timedelta(0), timedelta(0), ()),
        ("{ repeat_every: 1h, page_after: 10m, not_while: two }", timedelta(hours=1), timedelta(minutes=10), ("two",)),
    ],
)
def test_a_rule_says_when_people_hear_of_it_and_when_they_do_not(
    tmp_path: Path, alert: str, repeat_every: timedelta | None, page_after: timedelta | None, not_while: tuple[str, ...]
) -> None:
    loaded = load(put(tmp_path, a_file(rule(alert=alert), rule("two"))))
    assert told(loaded) == ""
    spec = loaded.rules[0].alert
    assert (spec.repeat_every, spec.page_after, spec.not_while) == (repeat_every, page_after, not_while)
