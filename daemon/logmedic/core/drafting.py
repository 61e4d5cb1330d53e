"""A whole rule from one line that somebody wants to be told of. It proves itself before it is shown: it matches the
line, and its tests pass. What it never has is a fix."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

from logmedic.core import templates
from logmedic.core.evidence import clean
from logmedic.core.fields import fields_of, level_of
from logmedic.core.generalising import Kind, generalised
from logmedic.core.heads import head_of
from logmedic.core.matcher import Matcher
from logmedic.core.records import decode, spans
from logmedic.core.ruletest import make_matcher, observe, run_test
from logmedic.model.match import CaptureType, Level, MatchSpec
from logmedic.model.rule import Rule
from logmedic.model.sample import Expectation, RuleTest, SampleLine
from logmedic.model.severity import Severity
from logmedic.model.when import Threshold, When

MAX_TEXT = 16_000
"""Characters of the line that are kept as a sample."""
MAX_TITLE = 100
MESSAGE_FIELDS = ("msg", "message")
DESCRIPTION = "Drafted from a line of a log. Say here what it means, and for whom."
RESOLUTION = "Say here what to look at first, and what to do about it."
_NOBODY = "nobody-says-who"
_TRACE = "Traceback (most recent call last)"
_GROUPED_BY = (
    *(CaptureType.UNIT, CaptureType.HOSTPORT, CaptureType.HOSTNAME),
    *(CaptureType.PATH, CaptureType.IP, CaptureType.WORD),
)
"""What tells one trouble from another of its kind, the best first."""
_VARYING_FRONT = re.compile(r"\A(?:[\[(<]?\.\.\.[\])>]?[\s:.-]*)+")
_NOT_IDS = re.compile(r"[^a-z0-9]+")
_SEVERITIES = {Level.CRITICAL: Severity.CRITICAL, Level.ERROR: Severity.HIGH, Level.WARNING: Severity.MEDIUM}


@dataclass(frozen=True, slots=True)
class _Subject:
    """Which part of a record the pattern is about. `line` is one line of it, at `at`; `front`: what the pattern begins
    with; `whole`: that line is all there is, so the pattern may end with it."""

    line: str
    front: str
    whole: bool
    program: str = ""
    field: str = ""


def draft(text: str, *, source: str = "", rule_id: str = "", severity: Severity | None = None) -> Rule:
    """`text` is what a source gave, without lone surrogates; of several records the first. Raises ValueError when it
    holds nothing but space."""
    record = first_record(text)
    text = writable(record)
    best = [replace(each, whole=each.whole and len(text) == len(record)) for each in _subjects(text)]
    tries = (
        (each, typed, literal) for typed, literal in ((True, False), (False, False), (False, True)) for each in best
    )
    for subject, typed, literal in tries:
        kind = generalised(subject.line, typed=typed, literal=literal)
        rule = _ruled(text, subject, kind, source)
        rule = replace(rule, id=rule_id or rule.id, severity=severity or rule.severity)
        if (proved := _proved(rule, text, subject)) is not None and _matches(proved, record):
            return proved
    raise ValueError("no pattern could be made that takes this line and no other")


def writable(text: str) -> str:
    """As a rule file can hold it and a block give it back. The pattern takes any character where one was replaced."""
    return re.sub(r"\r+(?=\n|\Z)", "", text.replace("\0", "\N{REPLACEMENT CHARACTER}"))


def first_record(text: str) -> str:
    """Raises ValueError when there is none."""
    raw = text[:MAX_TEXT].encode("utf-8", "replace")
    for start, end in spans(raw):
        if (record := decode(raw, start, end)).strip():
            return record
    raise ValueError("the line is empty")


def _subjects(text: str) -> Iterator[_Subject]:
    """The most telling part first, the record as a whole last."""
    head = head_of(text)
    program = head.program if head is not None else ""
    fields = fields_of(text)
    for name in MESSAGE_FIELDS:
        if fields.get(name, "").strip():
            yield _subject(fields[name], program, name)
    if head is not None and text[head.end :].strip():
        yield _subject(text[head.end :], program)
    yield _subject(text)


def _subject(body: str, program: str = "", field: str = "") -> _Subject:
    lines = body.split("\n")
    telling = [n for n, line in enumerate(lines) if line.strip()]
    if any(_TRACE in line for line in lines):
        flat = [n for n in telling if not lines[n][0].isspace() and _TRACE not in lines[n]]
        telling = flat[-1:] or telling
    number = telling[0]
    front = "^" if number == 0 else "(?m)^"
    return _Subject(lines[number], front, number > 0 or len(lines) == 1, program, field)


def _ruled(text: str, subject: _Subject, kind: Kind, source: str) -> Rule:
    """Without its tests."""
    who = subject.program or templates.component_of(text, source or _NOBODY).replace(_NOBODY, "")
    level = level_of(fields_of(text), text)
    whole = subject.whole and kind.covered == len(subject.line)
    pattern = subject.front + kind.pattern + ("$" if whole else "")
    programs = (subject.program,) if subject.program else ()
    grave = level is Level.CRITICAL or templates.is_critical(text)
    title, threshold = _title(who, subject, kind), _threshold(grave or templates.has_trace(text), level, kind)
    used = {name: each for name, each in kind.captures.items() if f"{{{name}}}" in title or name in threshold.by}
    return Rule(
        id=_id(who, kind),
        title=title,
        match=MatchSpec((pattern,), captures=used, field=subject.field, program=programs),
        severity=Severity.CRITICAL if grave else _SEVERITIES.get(level, Severity.LOW) if level else Severity.MEDIUM,
        description=DESCRIPTION,
        resolution=RESOLUTION,
        sources=(source,) if source else (),
        when=When(threshold),
        service=subject.program,
    )


def _threshold(at_once: bool, level: Level | None, kind: Kind) -> Threshold:
    """A guess: what is grave counts at once, what is an error when it comes again, anything else when it goes on."""
    by = next((name for t in _GROUPED_BY for name, each in kind.captures.items() if each.type is t), "")
    groups = (by,) if by else ()
    if at_once:
        return Threshold(1, timedelta(minutes=1), groups)
    if level is Level.ERROR:
        return Threshold(3, timedelta(minutes=5), groups)
    return Threshold(5, timedelta(minutes=10), groups)


def _title(who: str, subject: _Subject, kind: Kind) -> str:
    """What it says, with its captures; without the time and the level in front."""
    begins = _message_at(subject.line)
    words, length = [], 0
    for piece in kind.pieces:
        end = piece.start + len(piece.text)
        if end <= begins or length >= MAX_TITLE:
            continue
        kept = piece.fixed or piece.pattern == piece.text
        said = piece.text[max(0, begins - piece.start) :] if kept else "..."
        said = f"{{{piece.name}}}" if piece.name else re.sub(r"[{}]", "", clean(said, MAX_TITLE, keep=""))
        words.append(said)
        length += len(said)
    told = re.sub(r"(?:\.\.\.[\s:]*){2,}", "... ", " ".join("".join(words).split())).strip(" ,:;")
    told = _VARYING_FRONT.sub("", told)
    if not re.search(r"\w", told):
        told = "a line of its log"
    return f"{who}: {told}" if who else told


def _message_at(line: str) -> int:
    """Where what it says begins; never inside of a word."""
    begins = max(line.find(templates.message_of(line)), 0)
    while 0 < begins < len(line) and line[begins - 1].isalnum() and line[begins].isalnum():
        begins += 1
    return begins


def _id(who: str, kind: Kind) -> str:
    words = [who, *(word for word in kind.words if len(word) > 2)][:6]
    return _NOT_IDS.sub("-", " ".join(words).lower()).strip("-")[:48].strip("-") or "drafted-rule"


# -- its tests ---------------------------------------------------------------------------------------------------------


def _proved(rule: Rule, text: str, subject: _Subject) -> Rule | None:
    """With tests that pass; None when it does not know the line, or knows too much."""
    matcher = make_matcher(rule)
    seen = observe(rule, _test("", text, 1, Expectation()), matcher)
    misses = list(_misses(rule, text, subject, matcher))
    if seen.matches != 1 or not misses:
        return None
    tests = (*_hits(rule, text, seen.captures, matcher), *misses)
    if any(run_test(rule, test, matcher) for test in tests):
        return None
    return replace(rule, tests=tests)


def _matches(rule: Rule, text: str) -> bool:
    return observe(rule, RuleTest("", (SampleLine(text),), Expectation())).matches == 1


def _hits(rule: Rule, text: str, captures: dict[str, str], matcher: Matcher) -> Iterator[RuleTest]:
    count = rule.when.trigger.count if isinstance(rule.when.trigger, Threshold) else 1
    times = "once" if count == 1 else f"{count} times"
    yield _test(f"fires at the line, {times}", text, count, Expectation(fires=1, matches=count, captures=captures))
    other = text.translate(_OTHER_DIGITS)
    again = _test("fires at the same with other numbers", other, count, Expectation(fires=1, matches=count))
    if other != text and not run_test(rule, again, matcher):
        yield again
    if count > 1:
        few = f"{count - 1} of them are not enough" if count > 2 else "one of them is not enough"
        yield _test(few, text, count - 1, Expectation(fires=0, matches=count - 1))


_OTHER_DIGITS = str.maketrans("579", "346")
"""Smaller ones: addresses and dates stay what they are."""


def _misses(rule: Rule, text: str, subject: _Subject, matcher: Matcher) -> Iterator[RuleTest]:
    """Those that the rule rightly leaves alone; a hostile one is there as soon as one of its kind is."""
    for name, lines in (
        ("near miss, another program", _other_programs(text, subject)),
        ("near miss, another text", _other_texts(text, subject)),
        ("near miss, one word is another", _other_words(text, subject, rule)),
        ("hostile, the line inside of what a user wrote", _hostile(text, subject)),
    ):
        for each in lines:
            test = _test(name, each, 5, Expectation(fires=0, matches=0))
            if each.strip() and not run_test(rule, test, matcher):
                yield test
                break


def _other_programs(text: str, subject: _Subject) -> Iterator[str]:
    head = head_of(text)
    if subject.program and head is not None:
        at = text.rfind(subject.program, 0, head.end)
        for name in ("another", "other-program"):
            if at >= 0 and name != subject.program:
                yield f"{text[:at]}{name}{text[at + len(subject.program) :]}"


def _other_texts(text: str, subject: _Subject) -> Iterator[str]:
    head = head_of(text)
    for said in ("all is well", "started in 17 ms", "-"):
        if subject.field:
            yield json.dumps({subject.field: said})
        elif head is None and (at := text.find(templates.message_of(subject.line))) > 0:
            yield f"{text[:at]}{said}"
        yield f"{text[: head.end] if head is not None else ''}{said}"


def _other_words(text: str, subject: _Subject, rule: Rule) -> Iterator[str]:
    """The longest words first: what varies may stand in any of them."""
    words = sorted(set(re.findall(r"[A-Za-z]{3,}", subject.line)), key=lambda word: (-len(word), word))
    at = max(text.find(subject.line), 0)
    for word in words[:20]:
        for other in ("otherwise", "instead"):
            if other != word.lower():
                yield text[:at] + text[at:].replace(word, other)


def _hostile(text: str, subject: _Subject) -> Iterator[str]:
    line = " ".join(subject.line.split("\n"))
    quoted = line.replace("\\", "\\\\").replace('"', '\\"')
    yield f'203.0.113.9 - - [24/Nov/2026:10:00:00 +0000] "GET /search?q={quoted} HTTP/1.1" 404 153 "-" "{quoted}"'
    yield f"Nov 24 10:00:00 web1 sshd[811]: Invalid user {line} from 203.0.113.9 port 40022"
    yield json.dumps({"level": "info", "msg": "request done", "user_agent": line}, ensure_ascii=False)
    yield f'a visitor wrote "{quoted}"'


def _test(name: str, text: str, repeat: int, expect: Expectation) -> RuleTest:
    every = timedelta(seconds=1 if repeat > 1 else 0)
    return RuleTest(name, (SampleLine(writable(text), repeat, every),), expect)
