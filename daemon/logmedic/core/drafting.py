"""A whole rule from one line that somebody wants to be told of, or from what was seen of a learned issue. It proves
itself before it is shown: it matches what it was drafted from, and its tests pass. What it never has is a fix."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import islice, product

import regex

from logmedic.core import templates
from logmedic.core.aligning import SECRETS, Alike
from logmedic.core.classes import Narrow
from logmedic.core.drafttests import proved, takes, takes_any, writable
from logmedic.core.evidence import clean
from logmedic.core.fields import fields_of, level_of
from logmedic.core.generalising import Kind, literally
from logmedic.core.promotion import distinct, is_telling, words_told
from logmedic.core.records import decode, spans
from logmedic.core.reportdrafts import about_reports, of_reports, subject_of
from logmedic.core.secrets import MASK, masked
from logmedic.core.telling import Subject, subjects
from logmedic.model.issue import KnownIssue, Template
from logmedic.model.match import CaptureType, Level, MatchSpec
from logmedic.model.rule import Rule
from logmedic.model.severity import Severity
from logmedic.model.when import Threshold, When

MAX_TEXT = 16_000
"""Characters of the line that are kept as a sample."""
MAX_TITLE = 100
_TO_SAY = "Say here what it means, and for whom."
DESCRIPTION = f"Drafted from a line of a log. {_TO_SAY}"
RESOLUTION = "Say here what to look at first, and what to do about it."
_NOBODY = "nobody-says-who"
_GROUPED_BY = (
    *(CaptureType.UNIT, CaptureType.HOSTPORT, CaptureType.HOSTNAME),
    *(CaptureType.PATH, CaptureType.IP, CaptureType.WORD),
)
"""What tells one trouble from another of its kind, the best first."""
_VARYING_FRONT = re.compile(r"\A(?:[\[(<]?\.\.\.[\])>]?[\s:.-]*)+")
_NOT_IDS = re.compile(r"[^a-z0-9]+")
_SPANS = tuple(timedelta(minutes=each) for each in (1, 5, 15, 60))
_SELDOM = timedelta(minutes=60)
_SEVERITIES = {Level.CRITICAL: Severity.CRITICAL, Level.ERROR: Severity.HIGH, Level.WARNING: Severity.MEDIUM}


def draft(text: str, *, source: str = "", rule_id: str = "", severity: Severity | None = None) -> Rule:
    """`text` is what a source gave, without lone surrogates; of several records the first. Raises ValueError when it
    holds nothing but space."""
    record = first_record(text)
    text = writable(record)
    reported = of_reports(source, (text,))
    best = [
        replace(each, whole=each.whole and len(text) == len(record))
        for each in ((subject_of(text),) if reported else subjects(text))
    ]
    tries = (
        (each, typed, literal) for typed, literal in ((True, False), (False, False), (False, True)) for each in best
    )
    for subject, typed, literal in tries:
        kind = literally(subject.line) if literal else Alike((subject.line,)).kind(typed=typed)
        level = level_of(fields_of(text), text)
        grave = level is Level.CRITICAL or templates.is_critical(text)
        usual = Severity.CRITICAL if grave else _SEVERITIES.get(level, Severity.LOW) if level else Severity.MEDIUM
        threshold = _threshold(grave or templates.has_trace(text), level, _by(kind))
        rule = _ruled(_Made((subject,), kind, source), _who(text, subject, source), threshold)
        rule = replace(rule, id=rule_id or rule.id, severity=severity or usual)
        rule = about_reports(rule, (text,)) if reported else rule
        if (drafted := proved(rule, (text,), subject)) is not None and takes(drafted, (record,)):
            return drafted
    raise ValueError("no pattern could be made that takes this line and no other")


def draft_learned(
    issue: KnownIssue,
    template: Template,
    samples: Sequence[str],
    ordinary: Sequence[str],
    *,
    source: str = "",
    rule_id: str = "",
) -> Rule:
    """From `samples` (raw records) of a learned issue; it takes none of `ordinary` (raw lines of its source). Secrets
    are masked before anything is made of them. Raises ValueError when no rule can be made."""
    raw = distinct(samples or (template.sample or issue.description,))
    if not raw:
        raise ValueError("no sample of it was kept")
    records = [first_record(each) for each in raw]
    texts = list(dict.fromkeys(writable(first_record(masked(each))) for each in raw))
    calm = [writable(masked(each)) for each in ordinary if each.strip()]
    reported = of_reports(template.source, (*records, *texts))
    for made in _ways(texts, words_told(template), source, reported=reported):
        rule = _ruled(made, template.component, _as_seen(issue, template, made))
        rule = replace(
            rule,
            id=rule_id or rule.id,
            severity=issue.severity,
            description=f"{_seen(issue)} {_TO_SAY}",
            tags=issue.tags,
        )
        rule = about_reports(rule, texts) if reported else rule
        drafted = proved(rule, texts, made.subjects[0], calm)
        if drafted is not None and takes(drafted, records) and not takes_any(drafted, ordinary):
            return drafted
    raise ValueError("no pattern could be made that takes all of its samples and none of the ordinary lines")


@dataclass(frozen=True, slots=True)
class _Made:
    """`subjects`: one of each text, the first of which `kind` is about."""

    subjects: Sequence[Subject]
    kind: Kind
    source: str

    @property
    def pattern(self) -> str:
        first = self.subjects[0]
        whole = all(each.whole for each in self.subjects) and self.kind.covered == len(first.line)
        front = "^" if all(each.first for each in self.subjects) else "(?m)^"
        return f"{front}{self.kind.pattern}{'$' if whole and not self.kind.is_open else ''}"

    @property
    def numbers(self) -> range:
        return range(len(self.subjects))

    def value_of(self, capture: str, number: int) -> str:
        """In that subject; empty where the pattern does not take it."""
        found = regex.search(self.pattern, self.subjects[number].line, timeout=0.1)
        return str(found[capture]) if found is not None else ""


def _ways(texts: Sequence[str], told: frozenset[str] | None, source: str, *, reported: bool) -> Iterator[_Made]:
    """The best first: captures typed, and nothing narrower than need be."""
    secrets = SECRETS if any(MASK in each for each in texts) else SECRETS[:1]
    best = [[subject_of(each) for each in texts]] if reported else list(_common(texts))
    for narrow, typed, of_each, secret in product(Narrow, (True, False), best, secrets):
        lines = tuple(each.line for each in of_each)
        kind = Alike(lines, told, of_each[0].message_at, secret).kind(typed=typed, narrow=narrow)
        if is_telling(kind):
            yield _Made(of_each, kind, source)


def _common(texts: Sequence[str]) -> Iterator[Sequence[Subject]]:
    """The same part of each text, where all have it."""
    others = [list(subjects(each)) for each in texts[1:]]
    for first in subjects(texts[0]):
        alike = [[each for each in of_it if _place(each) == _place(first)] for of_it in others]
        if all(alike):
            yield (first, *(each[0] for each in alike))


def _place(subject: Subject) -> tuple[str, bool]:
    return subject.field, bool(subject.program)


def _seen(issue: KnownIssue) -> str:
    """How often, since when, in which versions."""
    begun, ended = (f"{at:%Y-%m-%d %H:%M}" for at in (issue.first_seen, issue.last_seen))
    when = f"on {begun} UTC" if begun == ended else f"from {begun} to {ended} UTC"
    times = "once" if issue.occurrences == 1 else f"{issue.occurrences} times"
    versions = list(dict.fromkeys(clean(each, 40, keep="") for each in (issue.first_version, issue.version) if each))
    told = f", in version{'s' if len(versions) > 1 else ''} {' to '.join(versions)}" if versions else ""
    return f"No rule knew this error: it was seen {times}, {when}{told}."


def _as_seen(issue: KnownIssue, template: Template, made: _Made) -> Threshold:
    """What is grave or came seldom counts at once, else when it comes three times as fast as it did on average; by
    group only where that is how it was seen."""
    by = _by(made.kind)
    each = (issue.last_seen - issue.first_seen) / max(issue.occurrences - 1, 1)
    if template.critical or template.trace or issue.severity is Severity.CRITICAL or each > _SELDOM:
        return Threshold(1, timedelta(minutes=1), by)
    within = next(span for span in _SPANS if span >= 3 * each or span is _SPANS[-1])
    return Threshold(3, within, by if len({made.value_of(name, n) for name in by for n in made.numbers}) == 1 else ())


def first_record(text: str) -> str:
    """Raises ValueError when there is none."""
    raw = text[:MAX_TEXT].encode("utf-8", "replace")
    for start, end in spans(raw):
        if (record := decode(raw, start, end)).strip():
            return record
    raise ValueError("the line is empty")


def _who(text: str, subject: Subject, source: str) -> str:
    return subject.program or templates.component_of(text, source or _NOBODY).replace(_NOBODY, "")


def _ruled(made: _Made, who: str, threshold: Threshold) -> Rule:
    """Without its tests."""
    kind, first = made.kind, made.subjects[0]
    programs = tuple(dict.fromkeys(each.program for each in made.subjects if each.program))
    title = _title(who, first, kind)
    used = {name: each for name, each in kind.captures.items() if f"{{{name}}}" in title or name in threshold.by}
    return Rule(
        id=_id(who, kind),
        title=title,
        match=MatchSpec((made.pattern,), captures=used, field=first.field, program=programs),
        description=DESCRIPTION,
        resolution=RESOLUTION,
        sources=(made.source,) if made.source else (),
        when=When(threshold),
        service=first.program,
    )


def _by(kind: Kind) -> tuple[str, ...]:
    """The capture that tells one trouble from another."""
    names = (name for wanted in _GROUPED_BY for name, each in kind.captures.items() if each.type is wanted)
    return tuple(islice(names, 1))


def _threshold(at_once: bool, level: Level | None, by: tuple[str, ...]) -> Threshold:
    """A guess: what is grave counts at once, what is an error when it comes again, anything else when it goes on."""
    if at_once:
        return Threshold(1, timedelta(minutes=1), by)
    if level is Level.ERROR:
        return Threshold(3, timedelta(minutes=5), by)
    return Threshold(5, timedelta(minutes=10), by)


def _title(who: str, subject: Subject, kind: Kind) -> str:
    """What it says, with its captures; without the time and the level in front."""
    begins = subject.message_at
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


def _id(who: str, kind: Kind) -> str:
    words = [who, *(word for word in kind.words if len(word) > 2)][:6]
    return _NOT_IDS.sub("-", " ".join(words).lower()).strip("-")[:48].strip("-") or "drafted-rule"
