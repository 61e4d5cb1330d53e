"""Rules about reports in files: their form, what is wrong with them, what deserves a look, and their own tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from logmedic.adapters.rulefiles.surroundings import Surroundings, users_without_account
from logmedic.model.match import ReportSpec
from logmedic.model.report import ReportKind
from logmedic.model.rule import RuleSet
from rulefiles.loading import a_file, ids, load, put, reviewed, rule, texts, told

SHOP = "{ component: checkout, action: charge, error: TimeoutError, message: no answer, user: shop }"


def a_rule(match: str, **keys: str) -> str:
    """YAML of a file with one rule about reports."""
    return a_file(rule(**{"title": "boom", "source": "reports", "match": match, **keys}))


def loaded(room: Path, match: str, **keys: str) -> RuleSet:
    return load(put(room, a_rule(match, **keys)))


def a_test(*lines: str, expect: str = "{ fires: 1 }") -> str:
    return f"{{ name: a, lines: [{', '.join(lines)}], expect: {expect} }}"


def failures(room: Path, match: str, *lines: str, expect: str, **keys: str) -> list[str]:
    """What its own test says: nothing when it passes."""
    return texts(loaded(room, match, tests=f"[{a_test(*lines, expect=expect)}]", **keys).problems)


def test_a_word_or_a_list_of_them_each(tmp_path: Path) -> None:
    (found,) = loaded(
        tmp_path,
        "{ report: { component: [checkout, 'cart*'], action: charge, error: [TimeoutError, 'redis.*'], users: shop,"
        " kind: [error, circuit_breaker_open], environment: production } }",
    ).rules
    assert found.match.report == ReportSpec(
        ("checkout", "cart*"),
        ("charge",),
        ("TimeoutError", "redis.*"),
        ("shop",),
        (ReportKind.ERROR, ReportKind.BREAKER_OPEN),
        ("production",),
    )
    assert found.match.patterns == ()


def test_errors_are_meant_when_no_kind_is_named(tmp_path: Path) -> None:
    (found,) = loaded(tmp_path, "{ report: { component: checkout }, pattern: [a, b], unless: c }").rules
    assert found.match.report == ReportSpec(component=("checkout",), kind=(ReportKind.ERROR,))
    assert (found.match.patterns, found.match.unless) == (("a", "b"), ("c",))


MISTAKES = [
    ("{ report: {} }", "`report` names nothing that a report has to say", "write what it is about"),
    ("{ report: }", "`report` is empty", "write a value"),
    ("{ report: checkout }", "`report` has to be a mapping, and is text", "key: value"),
    ("{ report: { compnent: checkout } }", "unknown key `compnent` in `report`", "did you mean `component`?"),
    ("{ report: { user: shop } }", "unknown key `user` in `report`", "did you mean `users`?"),
    ("{ report: { error: [] } }", "`error` is empty", "remove `error`"),
    ("{ report: { error: '' } }", "`error` is empty", "remove `error`"),
    ("{ report: { component: [checkout, ''] } }", "`component` is empty", "write a word"),
    ("{ report: { component: '9shop' } }", "`9shop` can be no component of a report", "a letter"),
    ("{ report: { component: 'a b' } }", "`a b` can be no component of a report", "a letter"),
    ("{ report: { environment: 'a b' } }", "`a b` can be no environment of a report", "letters, digits"),
    ("{ report: { users: 'the shop' } }", "`the shop` can be no user of a report", "uid 1234"),
    ("{ report: { error: { a: b } } }", "`error` has to be text, and is a mapping", ""),
    ("{ report: { kind: eror } }", "`eror` is no kind", "did you mean `error`?"),
    ("{ report: { kind: [] } }", "`kind` is empty", "remove `kind`"),
    (f"{{ report: {{ action: {'a' * 201} }} }}", "`action` has 201 characters", "`*`"),
    ("{ report: { component: a }, level: error }", "`report` and `level` do not go together", "kind"),
    ("{ report: { component: a }, program: shop }", "`report` and `program` do not go together", "component"),
    ("{ report: { component: a }, incident: x }", "`report` and `incident` do not go together", "incidents"),
    ("{ report: { component: a }, on: opened }", "`report` and `on` do not go together", "incidents"),
    ("{ report: { component: a }, patern: x }", "unknown key `patern` in `match`", "did you mean `pattern`?"),
    ("{ report: { component: a }, pattern: [] }", "`pattern` is empty", "remove `pattern`"),
    ("{ report: { component: a }, pattern: a, patterns: b }", "both `pattern` and `patterns`", "`patterns`"),
    ("{ report: { component: a }, pattern: '(' }", "the pattern: ", "escape"),
    ("{ report: { component: a }, pattern: '.*' }", "the text in `pattern` matches every line", ""),
    ("{ report: { component: a }, field: message }", "`field` says what the pattern is about", "add `pattern"),
    ("{ report: { component: a }, pattern: x, field: mesage }", "a report has no field `mesage`", "`message`"),
    ("{ report: { component: a }, captures: { requestid: word } }", "a report has no field `requestid`", "request_id"),
    (
        "{ report: { component: a }, patterns: ['(?P<x>a)', b], captures: { x: word } }",
        "the pattern has no group `x`: b",
        "in each pattern",
    ),
    ("{ report: { component: a }, captures: { user: { type: int, values: [a] } } }", "`values` means nothing", "enum"),
]


@pytest.mark.parametrize(("match", "text", "hint"), MISTAKES)
def test_a_mistake_has_a_place_and_says_what_to_write(tmp_path: Path, match: str, text: str, hint: str) -> None:
    problems = loaded(tmp_path, match).problems
    (problem,) = [each for each in problems if each.text.startswith(text)] or [None]
    assert problem is not None, texts(problems)
    assert hint in problem.hint
    assert problem.line > 2
    assert "^" in told(loaded(tmp_path, match))


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    found = loaded(tmp_path, "{ report: { compnent: a, kind: x, users: '' }, level: error, captures: { a: b } }")
    assert len(found.problems) == 6, texts(found.problems)


SOURCES = [
    ("reports", "{ report: { component: checkout } }", ""),
    ("'reports:checkout'", "{ report: { component: 'check*' } }", ""),
    ("['reports:cart', 'reports:checkout']", "{ report: { component: checkout } }", ""),
    ("app", "{ report: { component: checkout } }", "no report comes from `app`: all come from `reports`"),
    ("[reports, app]", "{ report: { component: checkout } }", "no report comes from `app`: all come from `reports`"),
    ("'reports:cart'", "{ report: { component: checkout } }", "it hears reports of cart alone"),
]


@pytest.mark.parametrize(("source", "match", "text"), SOURCES)
def test_reports_come_from_one_source(tmp_path: Path, source: str, match: str, text: str) -> None:
    found = texts(loaded(tmp_path, match, source=source).problems)
    assert found == [] if not text else found[0].startswith(text)


def test_a_rule_about_reports_that_also_waits_for_a_line_hears_both(tmp_path: Path) -> None:
    match, when = "{ report: { component: checkout } }", "{ clear: '^checkout is back' }"
    assert loaded(tmp_path, match, source="[reports, app]", when=when).problems == ()
    (problem,) = loaded(tmp_path, match, source="app", when=when).problems
    assert problem.text == "it is about reports, and does not hear `reports`"


# -- what deserves a look ----------------------------------------------------------------------------------------------

FIX = "{ mode: @, steps: [{ unit: { restart: shop.service } }], verify: { quiet: 1m } }"
PROVED = f"[{a_test(SHOP.join(['{ report: ', ' }']))}, {a_test('all is well', expect='{ fires: 0 }')}]"
WELL = {"description": "d", "resolution": "r", "tests": PROVED}
ANYBODY = "its fix runs by itself on what any user of this host may report"


@pytest.mark.parametrize(
    ("report", "mode", "warned"),
    [
        ("component: checkout", "auto", True),
        ("component: checkout, users: '*'", "auto", True),
        ("component: checkout, users: [shop, '*']", "auto", True),
        ("component: checkout, users: shop", "auto", False),
        ("component: checkout", "approve", False),
        ("component: checkout", "approve, graduate_after: 3", True),
    ],
)
def test_a_fix_that_anybody_can_start_deserves_a_look(tmp_path: Path, report: str, mode: str, warned: bool) -> None:
    path = put(tmp_path, a_rule(f"{{ report: {{ {report} }} }}", fix=FIX.replace("@", mode), **WELL))
    here = Surroundings({"reports": ()})
    assert (ANYBODY in texts(reviewed(path, here=here).warnings)) is warned
    strict = reviewed(path, strict=True, here=here)
    assert (ANYBODY in texts(strict.problems)) is warned
    assert ids(strict) == ([] if warned else ["one"])


@pytest.mark.parametrize(
    ("source", "mode", "warned"),
    [
        ("reports", "auto", True),
        ("[app, 'reports:checkout']", "auto", True),
        ("reports", "approve", False),
        ("app", "auto", False),
    ],
)
def test_a_fix_that_hears_the_text_of_reports_deserves_the_same_look(
    tmp_path: Path, source: str, mode: str, warned: bool
) -> None:
    path = put(tmp_path, a_rule("{ pattern: 'no answer' }", source=source, fix=FIX.replace("@", mode), **WELL))
    here = Surroundings({"reports": (), "app": ()})
    told = "its fix runs by itself on the text of what any user of this host may report"
    assert (told in texts(reviewed(path, here=here).warnings)) is warned


def test_what_only_ends_an_incident_starts_no_fix(tmp_path: Path) -> None:
    when = "{ clear: { report: { component: checkout, kind: circuit_breaker_closed } } }"
    match = "{ report: { component: checkout, users: shop } }"
    path = put(tmp_path, a_rule(match, when=when, fix=FIX.replace("@", "auto"), **WELL))
    assert texts(reviewed(path, here=Surroundings({"reports": ()})).warnings) == []


def test_a_user_that_this_host_does_not_have_is_told_of_and_no_mistake(tmp_path: Path) -> None:
    here = Surroundings({"reports": ()}, unknown_users=lambda names: frozenset(names) - {"shop"})
    match = "{ report: { component: checkout, users: [shop, nosuch, 'www-*', 'uid 1234'] } }"
    path = put(tmp_path, a_rule(match, **WELL))
    strict = reviewed(path, strict=True, here=here)
    assert texts(strict.warnings) == ["no user is called `nosuch` here: nobody can report as that"]
    assert strict.problems == ()


def test_accounts_are_those_of_the_host() -> None:
    assert users_without_account(["root", "no-such-user", "a\0b"]) == {"no-such-user", "a\0b"}


def test_two_rules_about_the_same_reports_always_speak_at_once(tmp_path: Path) -> None:
    same, other = "{ report: { component: checkout } }", "{ report: { component: cart } }"
    rules = [
        rule(name, title="t", source="reports", match=each)
        for name, each in zip("abc", (same, same, other), strict=True)
    ]
    found = texts(reviewed(put(tmp_path, a_file(*rules)), here=Surroundings({"reports": ()})).warnings)
    assert [each for each in found if "same pattern" in each] == [
        "rule a has the same pattern, sources and trigger: both would always speak"
    ]


# -- their own tests ---------------------------------------------------------------------------------------------------

MATCH = "{ report: { component: checkout, error: TimeoutError, users: shop }, captures: { component: word } }"


@pytest.mark.parametrize(
    ("lines", "matches"),
    [
        ([f"{{ report: {SHOP}, repeat: 3, every: 1s }}"], 3),
        (["{ report: { component: checkout, error: TimeoutError } }"], 0),
        (["{ report: { component: checkout, error: ValueError, user: shop } }"], 0),
        (["{ report: { component: cart, error: TimeoutError, user: shop } }"], 0),
        (
            ["{ report: { component: checkout, error: E, user: shop, kind: circuit_breaker_open, name: a } }"],
            0,
        ),
        (["'2026-11-26T11:22:33.123456+00:00 host checkout[4711]: ERROR charge: TimeoutError: no answer'"], 0),
    ],
)
def test_samples_of_reports_are_told_as_applications_tell_them(tmp_path: Path, lines: list[str], matches: int) -> None:
    assert failures(tmp_path, MATCH, *lines, expect=f"{{ matches: {matches} }}") == []


def test_a_sample_may_say_all_that_a_report_may(tmp_path: Path) -> None:
    whole = (
        "{ report: { component: checkout, action: charge, error: E, message: m, traceback: t, impact: high, user: shop,"
        " environment: production, request_id: r1, name: pay, attempts: 3, strategy: s, tags: [a, b],"
        " context: { order: 17 } } }"
    )
    types = "request_id: word, environment: word, impact: word, attempts: int, user: word"
    match = (
        f"{{ report: {{ environment: production }}, field: context.order, pattern: '^17$', captures: {{ {types} }} }}"
    )
    expect = "{ captures: { request_id: r1, environment: production, impact: high, attempts: '3', user: shop } }"
    assert failures(tmp_path, match, whole, expect=expect) == []


SAMPLES = [
    ("{ report: { component: 'a b', error: E } }", "the report: `component`: 'a b' is none"),
    ("{ report: { component: a } }", "the report: `error`: it says neither `error` nor `message`"),
    ("{ report: { component: a, erorr: E } }", "unknown key `erorr` in `report`"),
    ("{ report: { component: a, error: E, impact: urgent } }", "the report: `impact`: 'urgent' is none"),
    ("{ report: { component: a, error: E, kind: circuit_breaker_open } }", "the report: `name`: "),
    ("{ report: { component: a, error: E, context: { 'a b': c } } }", "the report: `context`: 'a b' is no name"),
    ("{ report: x }", "`report` has to be a mapping, and is text"),
    ("{ report: { component: a, error: E }, text: x }", "both `report` and `text`"),
    ("{ report: { component: a, error: E }, source: x }", "both `report` and `source`"),
    ("{ report: { component: a, error: E }, fields: { a: b } }", "both `report` and `fields`"),
    ("{ report: { component: a, error: E }, incident: x }", "both `report` and `incident`"),
]


@pytest.mark.parametrize(("line", "text"), SAMPLES)
def test_a_sample_that_no_application_could_send_is_a_mistake(tmp_path: Path, line: str, text: str) -> None:
    found = failures(tmp_path, MATCH, line, expect="{ fires: 0 }")
    assert any(each.startswith(text) for each in found), found


def test_what_is_captured_of_a_report_reaches_the_fix_through_its_type_alone(tmp_path: Path) -> None:
    match = (
        "{ report: { users: shop }, captures: { component: { type: enum, values: [cart, checkout] }, action: word } }"
    )
    fix = "{ mode: observe, steps: [{ run: [/usr/bin/restart, '{component}', '{action}'] }] }"
    keys = {
        "fix": fix,
        "title": "'{component} fails in {action}'",
        "when": "{ threshold: { count: 1, by: [component] } }",
    }
    fine = "{ report: { component: checkout, action: charge, error: E, user: shop } }"
    hostile = "{ report: { component: checkout, action: 'x; reboot', error: E, user: shop } }"
    other = "{ report: { component: billing, action: charge, error: E, user: shop } }"
    runs = "{ matches: 1, run: [[/usr/bin/restart, checkout, charge]] }"
    assert failures(tmp_path, match, fine, hostile, other, expect=runs, **keys) == []


def test_a_sequence_an_absence_and_an_end_may_be_reports(tmp_path: Path) -> None:
    opened = "{ report: { kind: circuit_breaker_open }, captures: { name: word } }"
    closed = "{ report: { kind: circuit_breaker_closed }, captures: { name: word } }"
    sent = "{{ report: {{ component: shop, message: m, kind: circuit_breaker_{}, name: {} }}, at: {} }}".format
    lines = [sent("open", "pay", "0s"), sent("open", "mail", "1s"), sent("closed", "pay", "5s")]
    by = "by: [name]"
    clear = f"{{ threshold: {{ count: 1, {by} }}, clear: {closed} }}"
    assert failures(tmp_path, opened, *lines, expect="{ fires: 2, resolved: 1, resolution: cleared }", when=clear) == []
    sequence = f"{{ sequence: {{ then: [{closed}], within: 1m, {by} }} }}"
    assert failures(tmp_path, opened, *lines, expect="{ fires: 1, captures: { name: mail } }", when=sequence) == []
    absence = f"{{ absence: {{ of: {closed}, within: 10s, {by} }} }}"
    late = [*lines, sent("closed", "x", "30s")]
    assert failures(tmp_path, opened, *late, expect="{ fires: 1 }", when=absence) == []


def test_a_further_part_tells_all_of_its_group_or_nothing(tmp_path: Path) -> None:
    match = "{ report: { component: a }, captures: { name: word, user: word } }"
    half = (
        "{ threshold: { count: 1, by: [name, user] }, clear: { report: { component: a }, captures: { name: word } } }"
    )
    (problem,) = loaded(tmp_path, match, when=half).problems
    assert problem.text == "this tells `name` and not `user`, which `by` names as well"
