"""The tests of a drafted rule: it takes what it was drafted from, and stays silent at what is only like it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta

from logmedic.core import templates
from logmedic.core.heads import head_of
from logmedic.core.matcher import Matcher
from logmedic.core.reportdrafts import report_in
from logmedic.core.ruletest import make_matcher, observe, run_test
from logmedic.core.telling import Subject
from logmedic.model.report import Report
from logmedic.model.rule import Rule
from logmedic.model.sample import Expectation, RuleTest, SampleLine
from logmedic.model.when import Threshold

MAX_IN_TURN = 5
MAX_ORDINARY = 3


def writable(text: str) -> str:
    """As a rule file can hold it and a block give it back. The pattern takes any character where one was replaced."""
    return re.sub(r"\r+(?=\n|\Z)", "", text.replace("\0", "\N{REPLACEMENT CHARACTER}"))


def proved(rule: Rule, texts: Sequence[str], subject: Subject, ordinary: Sequence[str] = ()) -> Rule | None:
    """With tests that pass; None when it does not know one of `texts`, or knows too much. `texts` are writable, and
    `subject` is of the first."""
    matcher = make_matcher(rule)
    seen = [observe(rule, _test("", _line(rule, each), 1, Expectation()), matcher) for each in texts]
    misses = list(_misses(rule, texts[0], subject, matcher))
    if any(each.matches != 1 for each in seen) or not misses or takes_any(rule, ordinary, matcher):
        return None
    in_turn = _in_turn(rule, texts, matcher)
    calm = _ordinary(rule, texts[0], ordinary)
    tests = (*_hits(rule, texts[0], seen[0].captures, matcher), *in_turn, *misses, *calm)
    if any(run_test(rule, test, matcher) for test in tests):
        return None
    return replace(rule, tests=tests)


def takes(rule: Rule, texts: Sequence[str]) -> bool:
    """Whether each of `texts` matches."""
    matcher = make_matcher(rule)
    return all(_matches(rule, each, matcher) == 1 for each in texts)


def takes_any(rule: Rule, lines: Sequence[str], matcher: Matcher | None = None) -> bool:
    matcher = matcher or make_matcher(rule)
    return any(_matches(rule, each, matcher) for each in lines)


def _matches(rule: Rule, text: str, matcher: Matcher) -> int:
    return observe(rule, RuleTest("", (_line(rule, text),), Expectation()), matcher).matches


def _line(rule: Rule, text: str) -> SampleLine:
    """`text` as it was seen: of a rule about reports, as it was reported."""
    report = report_in(text) if rule.match.report is not None else None
    return SampleLine(text) if report is None else SampleLine("", report=report)


def _hits(rule: Rule, text: str, captures: dict[str, str], matcher: Matcher) -> Iterator[RuleTest]:
    count = _count(rule)
    times = "once" if count == 1 else f"{count} times"
    line, fires = _line(rule, text), Expectation(fires=1, matches=count)
    what = "line" if line.report is None else "report"
    yield _test(f"fires at the {what}, {times}", line, count, replace(fires, captures=captures))
    other = text.translate(_OTHER_DIGITS)
    again = _test("fires at the same with other numbers", _line(rule, other), count, fires)
    if other != text and not run_test(rule, again, matcher):
        yield again
    if count > 1:
        few = f"{count - 1} of them are not enough" if count > 2 else "one of them is not enough"
        yield _test(few, line, count - 1, Expectation(fires=0, matches=count - 1))


def _count(rule: Rule) -> int:
    return rule.when.trigger.count if isinstance(rule.when.trigger, Threshold) else 1


def _in_turn(rule: Rule, texts: Sequence[str], matcher: Matcher) -> Iterator[RuleTest]:
    """What was seen, one after the other, often enough."""
    some = texts[:MAX_IN_TURN]
    repeat = -(-_count(rule) // len(some))
    lines = tuple(replace(_line(rule, each), repeat=repeat, every=timedelta(seconds=1)) for each in some)
    seen = observe(rule, RuleTest("", lines, Expectation()), matcher)
    if len(lines) > 1 and seen.fires:
        expected = Expectation(fires=seen.fires, matches=seen.matches)
        yield RuleTest("fires at what was seen, in turn", lines, expected)


def _ordinary(rule: Rule, text: str, lines: Sequence[str]) -> Iterator[RuleTest]:
    """Those that are most like it."""
    words = set(re.findall(r"\w+", text))
    near = sorted(dict.fromkeys(lines), key=lambda line: (-len(words & set(re.findall(r"\w+", line))), line))
    for number, line in enumerate(near[:MAX_ORDINARY], 1):
        yield _test(f"ordinary line {number} of its source", _line(rule, line), 5, Expectation(fires=0, matches=0))


_OTHER_DIGITS = str.maketrans("579", "346")
"""Smaller ones: addresses and dates stay what they are."""


def _misses(rule: Rule, text: str, subject: Subject, matcher: Matcher) -> Iterator[RuleTest]:
    """Those that the rule rightly leaves alone; a hostile one is there as soon as one of its kind is."""
    reported = _line(rule, text).report
    kinds = _misses_of_lines(rule, text, subject) if reported is None else _misses_of_reports(text, reported)
    for name, lines in kinds:
        for each in lines:
            test = _test(name, each, 5, Expectation(fires=0, matches=0))
            if (each.report is not None or each.text.strip()) and not run_test(rule, test, matcher):
                yield test
                break


_Misses = Iterator[tuple[str, Iterator[SampleLine]]]


def _misses_of_lines(rule: Rule, text: str, subject: Subject) -> _Misses:
    for name, texts in (
        ("near miss, another program", _other_programs(text, subject)),
        ("near miss, another text", _other_texts(text, subject)),
        ("near miss, one word is another", _other_words(text, subject, rule)),
        ("hostile, the line inside of what a user wrote", _hostile(text, subject)),
    ):
        yield name, map(SampleLine, texts)


def _misses_of_reports(text: str, report: Report) -> _Misses:
    others = ("all is well", "started in 17 ms", "-")
    yield "near miss, another component", iter((SampleLine("", report=replace(report, component="another")),))
    yield "near miss, another error", iter((SampleLine("", report=replace(report, error="OtherError")),))
    yield "near miss, another text", (SampleLine("", report=replace(report, message=each)) for each in others)
    yield "hostile, the same written to a log", iter((SampleLine(text),))


def _other_programs(text: str, subject: Subject) -> Iterator[str]:
    head = head_of(text)
    if subject.program and head is not None:
        at = text.rfind(subject.program, 0, head.end)
        for name in ("another", "other-program"):
            if at >= 0 and name != subject.program:
                yield f"{text[:at]}{name}{text[at + len(subject.program) :]}"


def _other_texts(text: str, subject: Subject) -> Iterator[str]:
    head = head_of(text)
    for said in ("all is well", "started in 17 ms", "-"):
        if subject.field:
            yield json.dumps({subject.field: said})
        elif head is None and (at := text.find(templates.message_of(subject.line))) > 0:
            yield f"{text[:at]}{said}"
        yield f"{text[: head.end] if head is not None else ''}{said}"


def _other_words(text: str, subject: Subject, rule: Rule) -> Iterator[str]:
    """The longest words first: what varies may stand in any of them."""
    words = sorted(set(re.findall(r"[A-Za-z]{3,}", subject.line)), key=lambda word: (-len(word), word))
    at = max(text.find(subject.line), 0)
    for word in words[:20]:
        for other in ("otherwise", "instead"):
            if other != word.lower():
                yield text[:at] + text[at:].replace(word, other)


def _hostile(text: str, subject: Subject) -> Iterator[str]:
    line = " ".join(subject.line.split("\n"))
    quoted = line.replace("\\", "\\\\").replace('"', '\\"')
    yield f'203.0.113.9 - - [24/Nov/2026:10:00:00 +0000] "GET /search?q={quoted} HTTP/1.1" 404 153 "-" "{quoted}"'
    yield f"Nov 24 10:00:00 web1 sshd[811]: Invalid user {line} from 203.0.113.9 port 40022"
    yield json.dumps({"level": "info", "msg": "request done", "user_agent": line}, ensure_ascii=False)
    yield f'a visitor wrote "{quoted}"'


def _test(name: str, line: SampleLine, repeat: int, expect: Expectation) -> RuleTest:
    every = timedelta(seconds=1 if repeat > 1 else 0)
    return RuleTest(name, (replace(line, text=writable(line.text), repeat=repeat, every=every),), expect)
