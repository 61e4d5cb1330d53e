"""A rule drafted from a line takes that line, stays silent at others, and is a rule file that loads."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logmedic.adapters.rulefiles.attacks import slow_patterns
from logmedic.adapters.rulefiles.building import build_form, build_rule
from logmedic.adapters.rulefiles.checks import check_rule
from logmedic.adapters.rulefiles.loader import RuleFileLoader
from logmedic.core.aligning import Alike
from logmedic.core.draftfile import draft_file, scalar
from logmedic.core.drafting import draft, first_record
from logmedic.core.matcher import Matcher
from logmedic.core.ruletest import run_tests
from logmedic.model.match import CaptureType
from logmedic.model.record import Block, Checkpoint
from logmedic.model.rule import Rule
from logmedic.model.severity import Severity
from logmedic.model.when import Threshold
from logmedic.yamldoc import Fields, Problems, parse_document

NOW = datetime(2026, 11, 24, 3, 30, tzinfo=UTC)
SSHD = "Nov 24 03:12:41 web1 sshd[811]: Failed password for invalid user bob from 203.0.113.9 port 4022 ssh2"
NGINX = (
    "2026/11/24 03:12:41 [error] 611#611: *9 connect() failed (111: Connection refused) while connecting to upstream,"
    ' client: 203.0.113.7, server: shop, request: "GET / HTTP/1.1", upstream: "http://10.0.0.12:8080/"'
)
JSON = '{"ts":"2026-11-24T03:12:41Z","level":"error","msg":"job \\"mail\\" failed after 3 tries","queue":"slow"}'
TRACE = 'ERROR boom\nTraceback (most recent call last):\n  File "x", line 1\nshop.DbError: lost 10.0.0.1:5432'


def loaded(text: str) -> Rule:
    """What the loader makes of a file with one rule; its own tests are another claim."""
    document = parse_document("draft.yaml", text.encode())
    problems = Problems(document)
    form = build_form(document, problems)
    fields = Fields(form.nodes[0], problems, "the rule")
    rule = build_rule(fields, "draft.yaml", form.service)
    check_rule(rule, fields, {})
    assert not problems.found, problems.found
    return rule


def matches(rule: Rule, text: str) -> bool:
    raw = text.encode() + b"\n"
    read = Block("x", "x", raw, 0, Checkpoint("x", "x", len(raw), NOW), NOW, complete=True)
    return bool(Matcher([rule], zone=UTC, scanner="plain", any_source=frozenset({"x"})).find(read).matches)


PATTERNS = {
    "behind a syslog head": (SSHD, r"^Failed password for invalid user (?P<user>[\w.-]+) from (?P<ip>[0-9A-Fa-f:.]+) "),
    "the head of nginx": (NGINX, r"^\d+/\d+/\d+ +\d+:\d+:\d+ \[error\] \d+#\d+: \*\d+ connect\(\) failed \(\d+: Conn"),
    "the message of a JSON record": (JSON, r'^job "(?P<job>[^"]+)" failed after \d+ tries$'),
    "the last line of a trace": (TRACE, r"(?m)^shop\.DbError: lost (?P<hostport>[\w.-]+:\d+)$"),
    "a month is no constant": (
        "23 Nov 2026 03:12:41.118 # it broke",
        r"^\d+ +[A-Z][a-z]{2} +\d+ +\d+:\d+:\d+\.\d+ # it",
    ),
    "a path and its error": ("cannot open /var/lib/x.db: EIO", r"^cannot open (?P<path>/[\w.@%+=~/-]+): EIO$"),
    "a unit": (
        "app.service: Failed with result 'oom'",
        r"^(?P<unit>[\w@:.\\-]+\.service): Failed with result '[^']*'$",
    ),
    "a word behind its key": ("lost job=mail-7 code=E1", r"^lost job=(?P<job>[\w.-]+) code=E\d+$"),
    "what regular expressions know": ("a(b)[c]{d}.*|^$\\e+?", r"^a\(b\)\[c\]\{d\}\.\*\|\^\$\\e\+\?$"),
    "the status of a request": ('10.0.0.1 - - "GET / HTTP/1.1" 502 5', r'^(?P<ip>[0-9A-Fa-f:.]+) - - "[^"]*" 502 \d+$'),
}


@pytest.mark.parametrize(("line", "begins"), PATTERNS.values(), ids=PATTERNS.keys())
def test_what_varies_becomes_a_class_and_the_rest_stays(line: str, begins: str) -> None:
    assert draft(line).match.patterns[0].startswith(begins)


def test_captures_have_types_and_the_best_one_tells_groups_apart() -> None:
    rule = draft(NGINX, source="nginx-error")
    assert {name: each.type for name, each in rule.match.captures.items()} == {
        "client": CaptureType.IP,
        "upstream": CaptureType.HOSTPORT,
    }
    assert rule.when.trigger == replace(rule.when.trigger, by=("upstream",))
    assert rule.sources == ("nginx-error",)


def test_every_typed_capture_is_used() -> None:
    for line in (SSHD, NGINX, JSON, TRACE, "a " * 40 + "10.0.0.1 10.0.0.2 /var/x /var/y port 80 user b-1"):
        rule = draft(line)
        assert all(f"{{{name}}}" in rule.title or name in rule.when.by for name in rule.match.captures), line


def test_a_syslog_head_gives_the_program() -> None:
    rule = draft(SSHD)
    assert rule.match.program == ("sshd",)
    assert rule.service == "sshd"
    assert rule.title == "sshd: Failed password for invalid user {user} from {ip} port {port} ssh2"


@pytest.mark.parametrize(
    ("line", "severity", "count"),
    [
        ("CRITICAL it burns", "critical", 1),
        ("ERROR it broke", "high", 3),
        ("WARNING it creaks", "medium", 5),
        (TRACE, "high", 1),
    ],
)
def test_what_the_line_says_of_itself_decides_how_bad_it_is(line: str, severity: str, count: int) -> None:
    rule = draft(line)
    assert isinstance(rule.when.trigger, Threshold)
    assert (rule.severity, rule.when.trigger.count) == (Severity(severity), count)


def test_the_tests_tell_hits_from_near_misses_and_from_what_users_write() -> None:
    names = [test.name for test in draft(SSHD).tests]
    assert names == [
        "fires at the line, 5 times",
        "fires at the same with other numbers",
        "4 of them are not enough",
        "near miss, another program",
        "near miss, another text",
        "near miss, one word is another",
        "hostile, the line inside of what a user wrote",
    ]


def test_a_draft_never_fixes_anything() -> None:
    text = draft_file(draft(SSHD))
    assert loaded(text).fix is None
    assert "    # fix:" in text


def test_of_several_records_the_first_is_drafted_from() -> None:
    assert first_record(f"\n  \n{SSHD}\n{NGINX}\n") == SSHD


@pytest.mark.parametrize("line", ["", " \t ", "\n\n"])
def test_nothing_is_drafted_from_nothing(line: str) -> None:
    with pytest.raises(ValueError, match="empty"):
        draft(line)


def test_a_long_line_is_told_by_its_beginning() -> None:
    rule = draft("it broke: " + "x" * 40_000)
    assert len(rule.match.patterns[0]) < 1000
    assert matches(rule, "it broke: " + "x" * 40_000)


def test_the_given_id_and_severity_are_taken() -> None:
    rule = draft(SSHD, rule_id="mine", severity=Severity.LOW)
    assert (rule.id, rule.severity) == ("mine", Severity.LOW)


@pytest.mark.slow
def test_drafts_of_real_lines_know_them_and_are_not_slow() -> None:
    shipped = [Path(__file__).parents[2] / "rules" / f"{name}.yaml" for name in ("kernel", "nginx", "postgresql")]
    rules = RuleFileLoader(shipped, owners=None, prove=lambda _: []).load().rules
    lines = {
        line.text for rule in rules for test in rule.tests if test.expect.fires for line in test.lines if line.text
    }
    drafts = {line: draft(line) for line in sorted(lines)}
    assert len(drafts) > 20
    assert all(matches(rule, line) for line, rule in drafts.items())
    assert slow_patterns([rule.match.patterns[0] for rule in drafts.values()]) == {}


HEADS = (
    "",
    "Nov 24 03:12:41 web1 app[811]: ",
    "2026-11-24T03:12:41Z host app*: ",
    "2026-11-24 03:12:41,123 ERROR shop.db: ",
    "[ 12.300000] ",
    '{"level":"error","msg":"',
    'level=error msg="',
    "Traceback (most recent call last):\n",
)
TOKENS = (
    *(
        "10.0.0.1",
        "10.0.0.1:80",
        "[::1]:80",
        "fe80::1",
        "1.2.3.4.5",
        "/var/lib/x",
        "/",
        "//x",
        "../x",
        "x.service",
        "a@b.cc",
    ),
    *(
        '"q"',
        '"',
        "'s'",
        "'",
        '\\"',
        "0x1f",
        "deadbeef01",
        "12",
        "-3.4",
        "5ms",
        "user bob",
        "user x-1",
        "port 80",
        "0",
        "%s",
    ),
    *(
        "key=val",
        "null=x",
        "true=y",
        "on=z",
        "http://a:1/x?y",
        "http://",
        "(",
        ")",
        "[",
        "]",
        "{x}",
        "{",
        "*",
        "+",
        "?",
        "\\d",
    ),
    *(
        "|",
        "^",
        "$",
        " ",
        "  ",
        "\t",
        ":",
        ",",
        "#",
        "--",
        "é",
        "中",
        "\u2028",
        "\x85",
        "\x00",
        "\x1b[31m",
        "\n",
        "\r",
        "\r\n",
    ),
    *("ERROR", "WARNING", "2026-11-24 03:12:41", "Nov  3 03:12:41", "Traceback (most recent call last):", "at x.y(z)"),
    *("\ufffd", "\ufeff", "\U0001f600", "\ue000", "a" * 300, "Zx1y2z3w4v5u"),
)
ODD = st.one_of(
    st.text(max_size=60),
    st.text(alphabet="ab1.:/\"'= []()\\", max_size=40),
    st.builds(
        lambda head, tokens, between: head + between.join(tokens),
        st.sampled_from(HEADS),
        st.lists(st.sampled_from(TOKENS), max_size=14),
        st.sampled_from(["", " ", ", "]),
    ),
)


@settings(deadline=None)
@given(ODD)
def test_whatever_the_line_the_draft_loads_passes_its_tests_and_matches_it(line: str) -> None:
    try:
        record = first_record(line)
    except ValueError:
        return
    rule = draft(line, source="app")
    assert matches(rule, record)
    assert run_tests(rule) == []
    assert any(test.expect.fires for test in rule.tests)
    assert any(test.expect.matches == 0 for test in rule.tests)
    back = loaded(draft_file(rule))
    tests = tuple(replace(test, line=0) for test in back.tests)
    assert replace(back, file="", line=0, tests=tests) == rule


@given(st.text(max_size=80).filter(lambda text: "\n" not in text), st.booleans())
def test_a_pattern_covers_its_line_piece_by_piece(line: str, typed: bool) -> None:
    kind = Alike((line,)).kind(typed=typed)
    assert "".join(piece.text for piece in kind.pieces) == line[: kind.covered]
    assert typed or not kind.captures


@given(st.text(max_size=60).filter(lambda text: "\0" not in text))
def test_every_text_comes_back_from_its_quotes(text: str) -> None:
    document = parse_document("x.yaml", f"a: {scalar(text)}\n".encode())
    assert document.plain() == {"a": text}
