"""Rules about reports of applications: what fits is heard, and nothing that is no report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import event, example, given, settings
from hypothesis import strategies as st

from logmedic.core.budget import QUARANTINE_AFTER
from logmedic.core.matcher import Matcher
from logmedic.core.reportmatch import KEYS, fits, misfits, takes
from logmedic.core.reports import FIELDS, entry_of
from logmedic.core.samplereports import told_by
from logmedic.core.scanner import make_scanner
from logmedic.model.match import Capture, CaptureType, MatchSpec, ReportSpec
from logmedic.model.record import Block, Checkpoint, Entry, Findings
from logmedic.model.report import Report, ReportKind
from logmedic.model.rule import Rule
from logmedic.model.when import Clear, Sequence, Stage, Threshold, When

NOW = datetime(2026, 11, 26, 11, 22, 33, tzinfo=UTC)
WORD = Capture(CaptureType.WORD)
CHARGE: dict[str, Any] = {
    "component": "checkout",
    "action": "charge",
    "error": "TimeoutError",
    "message": "the gateway pay1 did not answer",
    "environment": "production",
    "request_id": "8f3c",
    "context": {"order": "17"},
}


def reported(user: str = "shop", **changes: Any) -> Report:
    return told_by({**CHARGE, **changes}, user)


def block_of(*reports: Report) -> Block:
    content, entries = b"", []
    for each in reports:
        text, entry = entry_of(each, len(content), "web1", NOW)
        content += text
        entries.append(entry)
    mark = Checkpoint("reports", "reports", len(content), NOW)
    return Block("reports", "reports", content, 0, mark, NOW, complete=True, entries=tuple(entries))


def lines_of(*reports: Report) -> Block:
    """The very same bytes, read from a log."""
    content = block_of(*reports).data
    return Block("app", "a.log", content, 0, Checkpoint("a.log", "app", len(content), NOW), NOW, complete=True)


def rule(spec: ReportSpec, *patterns: str, rule_id: str = "r", **more: Any) -> Rule:
    when = more.pop("when", When())
    sources = more.pop("sources", ())
    return Rule(rule_id, "t", MatchSpec(patterns, report=spec, **more), sources=sources, when=when)


def find(block: Block, *rules: Rule, scanner: str = "auto") -> Findings:
    return Matcher(rules, zone=UTC, scanner=scanner).find(block)


def matches(wanted: Rule, *reports: Report) -> int:
    return len(find(block_of(*reports), wanted).matches)


FITTING = [
    (ReportSpec(), {}, True),
    (ReportSpec(component=("checkout",)), {}, True),
    (ReportSpec(component=("check",)), {}, False),
    (ReportSpec(component=("Checkout",)), {}, False),
    (ReportSpec(component=("cart", "check*")), {}, True),
    (ReportSpec(action=("charge",)), {"action": ""}, False),
    (ReportSpec(action=("*",)), {"action": ""}, True),
    (ReportSpec(action=("POST /pay/*/card",)), {"action": "POST /pay/17/card"}, True),
    (ReportSpec(error=("redis.*",)), {"error": "redis.exceptions.TimeoutError"}, True),
    (ReportSpec(error=("redis.*",)), {"error": "redisX"}, False),
    (ReportSpec(error=("*TimeoutError",)), {"error": "redis.exceptions.TimeoutError"}, True),
    (ReportSpec(error=("Timeout.*",)), {}, False),
    (ReportSpec(error=("*a*b*",)), {"error": "x\na\nb"}, True),
    (ReportSpec(environment=("production",)), {}, True),
    (ReportSpec(environment=("production",)), {"environment": ""}, False),
    (ReportSpec(component=("checkout",), error=("ValueError",)), {}, False),
    (ReportSpec(), {"kind": "circuit_breaker_open", "name": "pay"}, False),
    (ReportSpec(kind=(ReportKind.BREAKER_OPEN,)), {"kind": "circuit_breaker_open", "name": "pay"}, True),
    (ReportSpec(kind=(ReportKind.BREAKER_CLOSED,)), {"kind": "circuit_breaker_closed", "name": "pay"}, True),
    (ReportSpec(kind=(ReportKind.DEGRADED, ReportKind.ERROR)), {"kind": "graceful_degradation", "name": "x"}, True),
    (ReportSpec(kind=(ReportKind.DEGRADED, ReportKind.ERROR)), {}, True),
]


@pytest.mark.parametrize("scanner", ["auto", "plain"])
@pytest.mark.parametrize(("spec", "changes", "fits"), FITTING)
def test_a_report_fits_when_each_key_has_one_word_for_it(
    spec: ReportSpec, changes: dict[str, Any], fits: bool, scanner: str
) -> None:
    found = find(block_of(reported(**changes)), rule(spec), scanner=scanner)
    assert bool(found.matches) is fits


@pytest.mark.parametrize(
    ("users", "user", "fits"),
    [
        (("shop",), "shop", True),
        (("shop",), "mallory", False),
        (("shop", "www-data"), "www-data", True),
        (("shop-*",), "shop-eu", True),
        (("uid 1234",), "uid 1234", True),
        ((), "mallory", True),
    ],
)
def test_who_reports_is_the_kernels_word(users: tuple[str, ...], user: str, fits: bool) -> None:
    liar = reported(user, context={"user": "shop"}, message="user=shop component=checkout")
    assert bool(matches(rule(ReportSpec(users=users)), liar)) is fits


def test_the_same_text_in_a_log_is_no_report() -> None:
    wanted = rule(ReportSpec(), "TimeoutError")
    assert matches(wanted, reported()) == 1
    assert find(lines_of(reported()), wanted).matches == ()


def test_an_entry_that_says_it_is_one_is_no_report() -> None:
    content = b"ERROR charge: TimeoutError\n"
    entry = Entry(0, NOW, {"component": "checkout", "error": "TimeoutError", "user": "shop"}, "checkout")
    mark = Checkpoint("reports", "reports", len(content), NOW)
    block = Block("reports", "reports", content, 0, mark, NOW, complete=True, entries=(entry,))
    assert find(block, rule(ReportSpec(component=("checkout",)))).matches == ()


def test_a_line_has_no_candidates_among_rules_about_reports() -> None:
    wanted = [rule(ReportSpec(component=(name,)), ".", rule_id=f"r-{name}") for name in ("checkout", "*")]
    asked = Matcher(wanted, zone=UTC, learning=False).account(lines_of(reported()), everything=False)
    assert asked == []
    asked = Matcher(wanted, zone=UTC, learning=False).account(block_of(reported()), everything=False)
    assert [each.rule.id for each in asked] == ["r-checkout", "r-*"]


class Shelved(dict[str, bytes]):
    """Keeps compiled databases."""

    def put(self, key: str, content: bytes) -> None:
        self[key] = content


@pytest.mark.parametrize("kind", ["hyperscan", "plain"])
def test_nothing_is_looked_for_in_the_place_of_a_rule_about_reports(kind: str) -> None:
    shelf = Shelved()
    for patterns in (["a", None, "b"], ["a", "b"], ["a", None, "b"]):
        scanner = make_scanner(patterns, kind, saved=shelf)
        hits = {index for index, _ in scanner.scan(b"x a\nx b\nx c\n")}
        assert hits == {number for number, each in enumerate(patterns) if each is not None}


def test_f43_a_pattern_about_reports_that_explodes_is_quarantined_as_any_other() -> None:
    explodes = rule(ReportSpec(), r"^(?:a?){0,30}(a|aa)+$", rule_id="explodes", field="message")
    matcher = Matcher([explodes, rule(ReportSpec())], zone=UTC, timeout_s=0.01)
    block = block_of(*[reported(message="a" * 60 + "!")] * 20)
    found = matcher.find(block)
    assert found.timeouts == {"explodes": QUARANTINE_AFTER}
    assert set(matcher.quarantined) == {"explodes"}
    assert [each.rule_id for each in found.matches] == ["r"] * 20
    assert matcher.find(block).timeouts == {}


# -- patterns, captures ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("patterns", "more", "fits"),
    [
        ((r"^ERROR charge: TimeoutError: the gateway \w+ did not answer$",), {}, True),
        (("checkout",), {}, False),
        ((r"web1|\[4711\]",), {}, False),
        (("nothing", "gateway"), {}, True),
        (("gateway",), {"unless": ("pay1",)}, False),
        ((), {"unless": ("pay1",)}, False),
        ((), {"unless": ("pay2",)}, True),
        (("^the gateway",), {"field": "message"}, True),
        (("^17$",), {"field": "context.order"}, True),
        (("^17$",), {"field": "context.user"}, False),
        (("TimeoutError",), {"field": "message"}, False),
    ],
)
def test_a_pattern_is_about_what_follows_the_head(patterns: tuple[str, ...], more: dict[str, Any], fits: bool) -> None:
    assert bool(matches(rule(ReportSpec(), *patterns, **more), reported())) is fits


def test_a_field_is_what_was_reported_and_not_what_a_text_holds() -> None:
    wanted = rule(ReportSpec(), "^pay$", field="name")
    assert matches(wanted, reported(message="name=pay other=x")) == 0
    assert matches(wanted, reported(name="pay")) == 1


def test_the_traceback_is_below_what_failed() -> None:
    trace = 'Traceback (most recent call last):\n  File "shop/pay.py", line 7, in charge\nTimeoutError: x\n'
    wanted = rule(ReportSpec(), r'(?m)^  File "shop/pay\.py"')
    assert matches(wanted, reported(traceback=trace)) == 1
    assert matches(wanted, reported()) == 0


def captured(wanted: Rule, report: Report) -> Mapping[str, str]:
    (found,) = find(block_of(report), wanted).matches
    return found.captures


def test_captures_are_groups_and_else_fields_of_the_report() -> None:
    types = {"component": WORD, "request_id": WORD, "user": WORD, "gateway": WORD}
    wanted = rule(ReportSpec(), r"gateway (?P<gateway>\w+)", captures=types)
    assert captured(wanted, reported()) == {
        "component": "checkout",
        "request_id": "8f3c",
        "user": "shop",
        "gateway": "pay1",
    }


def test_a_group_comes_before_a_field_of_the_same_name() -> None:
    wanted = rule(ReportSpec(), r"^ERROR (?P<action>\w\w)", captures={"action": WORD, "error": WORD})
    assert captured(wanted, reported()) == {"action": "ch", "error": "TimeoutError"}


@pytest.mark.parametrize(
    ("name", "capture", "changes"),
    [
        ("action", WORD, {"action": "rm -rf; $(reboot)"}),
        ("action", WORD, {"action": ""}),
        ("request_id", WORD, {"request_id": "-x"}),
        ("component", Capture(CaptureType.ENUM, values=("cart",)), {}),
        ("message", WORD, {}),
    ],
)
def test_a_field_that_is_not_of_its_type_is_no_match_and_is_counted(
    name: str, capture: Capture, changes: dict[str, Any]
) -> None:
    found = find(block_of(reported(**changes)), rule(ReportSpec(), captures={name: capture}))
    assert (found.matches, found.captures_refused) == ((), 1)


def test_reports_are_counted_apart_by_what_they_say() -> None:
    wanted = rule(ReportSpec(), captures={"component": WORD}, when=When(Threshold(2, by=("component",))))
    found = find(block_of(reported(), reported(component="cart")), wanted)
    assert [each.group for each in found.matches] == ["checkout", "cart"]


# -- beside others -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scanner", ["auto", "plain"])
@pytest.mark.parametrize(
    ("sources", "hears"),
    [
        ((), False),
        (("app", "syslog", "journal"), False),
        (("reports:cart",), False),
        (("reports",), True),
        (("syslog", "reports:sshd"), True),
    ],
)
def test_no_application_speaks_as_another_program_to_rules_that_do_not_ask_for_reports(
    sources: tuple[str, ...], hears: bool, scanner: str
) -> None:
    """Anybody of the host may report with any component: a rule with a fix, about a log that only root writes, is not
    to be triggered by it."""
    spoken = reported("mallory", component="sshd", action="", message="Failed password for root from 192.0.2.1")
    pretended = Rule("sshd", "t", MatchSpec(("Failed password",), program=("sshd",)), sources=sources)
    plain = Rule("plain", "t", MatchSpec(("Failed password",)), sources=sources)
    in_field = Rule("field", "t", MatchSpec(("Failed password",), field="message"), sources=sources)
    found = find(block_of(spoken), pretended, plain, in_field, scanner=scanner)
    assert [each.rule_id for each in found.matches] == (["sshd", "plain", "field"] if hears else [])


def test_what_is_about_lines_in_a_rule_about_reports_hears_no_text_of_a_report() -> None:
    when = When(clear=Clear(match=MatchSpec(("is back",))))
    said = reported("mallory", component="cart", message="checkout is back")
    wanted = rule(ReportSpec(component=("checkout",)), when=when, sources=("reports", "app"))
    assert find(block_of(said), wanted).matches == ()


def test_an_application_ends_no_incident_of_lines() -> None:
    cleared = Rule("down", "t", MatchSpec(("went down",)), when=When(clear=Clear(match=MatchSpec(("came up",)))))
    assert find(block_of(reported(message="eth0 came up")), cleared).matches == ()


def test_a_rule_about_lines_keeps_no_report_from_being_learned() -> None:
    greedy = Rule("greedy", "t", MatchSpec(("TimeoutError",)))
    (unknown,) = find(block_of(reported()), greedy).unknown
    assert unknown.component == "checkout"


def test_rules_about_lines_and_about_reports_keep_their_order() -> None:
    rules = [
        Rule("a-line", "t", MatchSpec(("gateway",)), sources=("reports",)),
        rule(ReportSpec(), rule_id="b-report"),
        Rule("c-line", "t", MatchSpec(("TimeoutError",)), sources=("reports",)),
    ]
    for scanner in ("auto", "plain"):
        found = find(block_of(reported(), reported(component="cart")), *rules, scanner=scanner)
        assert [each.rule_id for each in found.matches] == ["a-line", "b-report", "c-line"] * 2


def test_what_a_rule_knows_is_not_learned_and_what_it_does_not_is() -> None:
    wanted = rule(ReportSpec(component=("checkout",)))
    assert find(block_of(reported()), wanted).unknown == ()
    (unknown,) = find(block_of(reported(component="cart")), wanted).unknown
    assert unknown.component == "cart"


def test_a_breaker_that_a_rule_hears_of_stays_a_known_issue_of_its_own() -> None:
    opened = reported(kind="circuit_breaker_open", name="payments")
    wanted = rule(ReportSpec(kind=(ReportKind.BREAKER_OPEN,)), captures={"name": WORD})
    found = find(block_of(opened), wanted)
    assert [each.captures for each in found.matches] == [{"name": "payments"}]
    assert [each.report for each in found.reports] == [opened]


def test_a_record_that_matches_has_the_report_whole() -> None:
    (found,) = find(block_of(reported()), rule(ReportSpec())).matches
    assert found.record.report == reported()


@pytest.mark.parametrize(
    ("sources", "hears"),
    [((), True), (("reports",), True), (("reports:checkout",), True), (("reports:cart",), False), (("app",), False)],
)
def test_a_component_can_be_named_as_a_part_of_the_source(sources: tuple[str, ...], hears: bool) -> None:
    assert bool(matches(rule(ReportSpec(), sources=sources), reported())) is hears


def test_each_part_of_a_rule_can_be_about_reports() -> None:
    closed = MatchSpec((), captures={"name": WORD}, report=ReportSpec(kind=(ReportKind.BREAKER_CLOSED,)))
    opened = MatchSpec((), report=ReportSpec(kind=(ReportKind.BREAKER_OPEN,)))
    gone = MatchSpec(("gave up",), report=ReportSpec())
    wanted = rule(ReportSpec(), when=When(Sequence((Stage(opened), Stage(gone))), Clear(closed)))
    breaker = {"kind": "circuit_breaker_open", "name": "pay"}
    told = (
        reported(),
        reported(**breaker),
        reported(message="gave up"),
        reported(kind="circuit_breaker_closed", name="p"),
    )
    found = find(block_of(*told), wanted)
    assert [each.part for each in found.matches] == ["", "then1", "then2", "", "clear"]


# -- the claims, of whatever is sent -----------------------------------------------------------------------------------

WORDS = st.sampled_from(["a", "b", "ab", "aab", "a.b", "b.a.b", "ba"])
GLOBS = st.one_of(WORDS, st.text(st.sampled_from("ab.*"), min_size=1, max_size=4))
MANY = st.lists(GLOBS, max_size=2).map(tuple)
NAMES = st.sampled_from(["shop", "www", "uid 7"])


@st.composite
def specs(draw: st.DrawFn) -> ReportSpec:
    kinds = draw(st.lists(st.sampled_from(list(ReportKind)), max_size=2, unique=True))
    users = draw(st.lists(st.one_of(NAMES, st.just("*"), st.just("uid *")), max_size=2).map(tuple))
    return ReportSpec(draw(MANY), draw(MANY), draw(MANY), users, tuple(kinds), draw(MANY))


@st.composite
def some_reports(draw: st.DrawFn) -> Report:
    told = {
        "component": draw(WORDS),
        "action": draw(st.one_of(st.just(""), WORDS)),
        "error": draw(WORDS),
        "message": draw(st.sampled_from(["", "a", "component=b error=b", "a]: b\nERROR a: b"])),
        "kind": draw(st.sampled_from(list(ReportKind))).value,
        "environment": draw(st.one_of(st.just(""), WORDS)),
        "name": draw(WORDS),
    }
    return told_by(told, draw(NAMES))


def reads(pattern: str, value: str) -> bool:
    """What a star is, letter by letter."""
    if not pattern:
        return not value
    if pattern[0] == "*":
        return reads(pattern[1:], value) or (bool(value) and reads(pattern, value[1:]))
    return bool(value) and pattern[0] == value[0] and reads(pattern[1:], value[1:])


def ought_to_fit(spec: ReportSpec, report: Report) -> bool:
    """The meaning of the keys, said again."""
    if spec.kind and report.kind not in spec.kind:
        return False
    told = (
        (spec.component, report.component),
        (spec.action, report.action),
        (spec.error, report.error),
        (spec.users, report.sender.user),
        (spec.environment, report.environment),
    )
    return all(not values or any(reads(each, value) for each in values) for values, value in told)


@pytest.mark.slow
@settings(deadline=None)  # two scanners are built, which takes what the host has time for
@given(st.lists(st.one_of(specs()), min_size=1, max_size=4), st.lists(some_reports(), min_size=1, max_size=4))
@example([ReportSpec(component=("a*b*b",))], [told_by({"component": "ab", "error": "a"})])
def test_exactly_what_fits_is_matched_whatever_the_scanner(wanted: list[ReportSpec], told: list[Report]) -> None:
    assert all(fits(spec, each) is not any(misfits(spec, each)) for spec in wanted for each in told)
    rules = [rule(spec, rule_id=f"r{number}") for number, spec in enumerate(wanted)]
    expected = [
        (n, f"r{m}") for n, each in enumerate(told) for m, spec in enumerate(wanted) if ought_to_fit(spec, each)
    ]
    event(f"fits: {bool(expected)}")
    starts = [entry.start for entry in block_of(*told).entries]
    for scanner in ("hyperscan", "plain"):
        found = find(block_of(*told), *rules, scanner=scanner)
        assert [(starts.index(each.record.start), each.rule_id) for each in found.matches] == expected


@pytest.mark.slow
@given(st.lists(specs(), min_size=1, max_size=4), st.lists(some_reports(), min_size=1, max_size=4), st.booleans())
def test_what_is_no_report_is_never_matched(wanted: list[ReportSpec], told: list[Report], known: bool) -> None:
    """Not even the text of one, nor an entry with all of its fields."""
    whole = block_of(*told)
    entries = tuple(Entry(each.start, each.at, each.fields, each.unit) for each in whole.entries) if known else ()
    block = Block("reports", "reports", whole.data, 0, whole.checkpoint, NOW, complete=True, entries=entries)
    rules = [rule(spec, ".", rule_id=f"r{number}") for number, spec in enumerate(wanted)]
    assert find(block, *rules).matches == ()


@given(GLOBS, st.text(st.sampled_from("ab.\n"), max_size=6))
def test_a_star_is_any_part(pattern: str, value: str) -> None:
    assert takes((pattern,), value) is reads(pattern, value)


def test_every_key_of_a_rule_is_told_of_when_it_does_not_fit() -> None:
    assert {each.name for each in fields(ReportSpec)} == set(KEYS)
    spec = ReportSpec(("a",), ("a",), ("a",), ("a",), (ReportKind.DEGRADED,), ("a",))
    assert [each.key for each in misfits(spec, reported())] == list(KEYS)


def test_all_that_can_be_captured_has_a_place_in_a_record() -> None:
    told = reported(name="n", attempts=3, strategy="s", tags=["t"])
    (entry,) = block_of(told).entries
    assert set(FIELDS) - {"context"} <= set(entry.fields)
