"""From a mined template and what was seen of it to a pattern, and what was done about errors that are like it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import regex

from logmedic.core import templates
from logmedic.core.aligning import SECRETS, Alike, words_of
from logmedic.core.classes import Narrow
from logmedic.core.evidence import clean
from logmedic.core.generalising import MAX_COVERED, Kind
from logmedic.core.secrets import masked
from logmedic.core.telling import TRACE, subjects
from logmedic.model.issue import KnownIssue, Template
from logmedic.model.learned import FixedBefore
from logmedic.model.shape import MASKS

MAX_PATTERN = 1000
"""Characters of a pattern."""
MAX_SAMPLES = 12
MIN_LETTERS = 4
"""That a pattern has to name: with fewer it is about anything."""
MAX_SIMILAR = 3
SIMILAR = 0.5
"""Of the words of the shorter title have to be in the other one."""
_SEARCH_S = 0.1
"""As long as the daemon gives a pattern for one record."""
_TOO_LITTLE = "its samples have too little in common"
_MASKS = re.compile("|".join(sorted(map(re.escape, MASKS))))


@dataclass(frozen=True, slots=True)
class Promoted:
    """`pattern` is for `regex`, to be searched in a record's text. Where it is empty, `reason` says why. `narrowed`: in
    how many steps it came to leave ordinary lines alone."""

    pattern: str
    reason: str = ""
    narrowed: int = 0


class _Attempt(NamedTuple):
    """`whole`: the pattern is about the line from its beginning, and not about the message alone."""

    whole: bool
    narrow: Narrow


ATTEMPTS = (
    _Attempt(False, Narrow.NOT),
    _Attempt(False, Narrow.TOLD),
    _Attempt(True, Narrow.TOLD),
    _Attempt(True, Narrow.CLASSES),
    _Attempt(True, Narrow.SAME),
    _Attempt(True, Narrow.VALUES),
)
"""From the widest pattern to the narrowest; the first that leaves the ordinary lines alone is taken."""


def pattern_of(template: Template, samples: Sequence[str], ordinary: Sequence[str]) -> Promoted:
    """A pattern that takes all of `samples` (raw records, as far as `distinct` has them) and none of `ordinary` (raw
    lines of the same source). Secrets of the samples are not in it."""
    raw = distinct(samples or (template.sample,))
    if not raw:
        return Promoted("", "no sample of it was kept")
    seen = _Seen(raw, tuple(map(masked, raw)), words_told(template))
    reasons = []
    for number, attempt in enumerate(ATTEMPTS):
        pattern, reason = _tried(seen, ordinary, attempt)
        if pattern:
            return Promoted(pattern, narrowed=number)
        reasons.append(reason)
    return Promoted("", next((each for each in reasons if each != _TOO_LITTLE), _TOO_LITTLE))


def distinct(samples: Sequence[str]) -> tuple[str, ...]:
    """Those that a pattern is made from, MAX_SAMPLES of them: each once, and none that is cut before it says anything,
    while there are others."""
    there = list(dict.fromkeys(each for each in samples if each.strip()))[:MAX_SAMPLES]
    return tuple([each for each in there if not _is_cut(each, there)] or there)


def _is_cut(record: str, others: Sequence[str]) -> bool:
    """The beginning of another one, or a Python trace without the line that says what happened."""
    if len(record) >= MAX_COVERED and any(len(each) > len(record) and each.startswith(record) for each in others):
        return True
    _, trace, rest = record.partition(TRACE)
    return bool(trace) and all(line[:1].isspace() for line in rest.split("\n")[1:] if line)


def words_told(template: Template) -> frozenset[str] | None:
    """Words that all errors of the template share; None when it says nothing."""
    text = _MASKS.sub(" ", template.template)
    return words_of(text) or None


class _Seen(NamedTuple):
    """The samples as they are and masked, and the words that their template has."""

    raw: Sequence[str]
    shown: Sequence[str]
    told: frozenset[str] | None


def _tried(seen: _Seen, ordinary: Sequence[str], attempt: _Attempt) -> tuple[str, str]:
    """The pattern, or else why there is none."""
    pattern = _taking(seen, attempt)
    if not pattern:
        return "", _TOO_LITTLE
    if len(pattern) > MAX_PATTERN:
        return "", f"its pattern would be longer than {MAX_PATTERN} characters"
    compiled = regex.compile(pattern)
    taken = [each for each in ordinary if _searches(compiled, each, late=True)]
    if taken:
        shown = clean(masked(taken[0]), 120, keep="")
        return "", f"{len(taken)} of {len(ordinary)} ordinary lines of its source look the same, as: {shown}"
    return pattern, ""


def _taking(seen: _Seen, attempt: _Attempt) -> str:
    """A pattern that takes the samples, masked or not; empty when none does."""
    lines = [_line_of(each, attempt.whole) for each in seen.shown]
    for secret in SECRETS:
        alike = Alike(tuple(each.text for each in lines), seen.told, lines[0].message_at, secret)
        kind = alike.kind(typed=False, narrow=attempt.narrow)
        if not is_telling(kind):
            return ""
        pattern = _fronted(kind, lines)
        compiled = regex.compile(pattern)
        if all(_searches(compiled, each, late=False) for each in (*seen.raw, *seen.shown)):
            return pattern
    return ""


def is_telling(kind: Kind) -> bool:
    """Whether it names enough for a pattern to be about something."""
    return sum(map(str.isalpha, "".join(each.text for each in kind.pieces if each.fixed))) >= MIN_LETTERS


class _Line(NamedTuple):
    """`starts`, `ends`: the text is the beginning, the end, of its line; `alone`: and there is no other line."""

    text: str
    message_at: int
    starts: bool
    ends: bool
    alone: bool


def _line_of(record: str, whole: bool) -> _Line:
    """What tells most of the record, as it stands there."""
    *_, subject = subjects(record)
    line, alone = subject.line, subject.first and subject.whole
    if whole:
        return _Line(line, subject.message_at, True, True, alone)
    message = templates.message_of(line)
    at = line.find(message) if message else -1
    if at < 0 or (at and line[at - 1].isalnum()):
        at, message = subject.message_at, line[subject.message_at :]
    return _Line(message, 0, at == 0, at + len(message) == len(line), alone)


def _fronted(kind: Kind, lines: Sequence[_Line]) -> str:
    """With what says where it begins and ends, as far as that is the same everywhere."""
    starts = all(each.starts for each in lines)
    ends = all(each.ends for each in lines) and kind.covered == len(lines[0].text) and not kind.is_open
    begins_with_word = kind.pieces[0].fixed and kind.pieces[0].text[:1].isalpha()
    front = "^" if starts else r"\b" if begins_with_word else ""
    multiple = "(?m)" if (starts or ends) and not all(each.alone for each in lines) else ""
    return f"{multiple}{front}{kind.pattern}{'$' if ends else ''}"


def _searches(pattern: regex.Pattern[str], text: str, *, late: bool) -> bool:
    """`late`: what is answered when it takes too long."""
    try:
        return pattern.search(text, timeout=_SEARCH_S) is not None
    except TimeoutError:
        return late


# -- what was fixed before ---------------------------------------------------------------------------------------------


def similar(issue: KnownIssue, template: Template, others: Sequence[FixedBefore]) -> tuple[FixedBefore, ...]:
    """Those of `others` that may be about the same: what they say shares half of its words with the issue, or fewer
    where the component or the source is the same. The most alike first, at most MAX_SIMILAR."""
    ours = _words(f"{issue.title} {template.template}") - {template.component.lower()}
    scored = [(_likeness(ours, template, each), each) for each in others]
    alike = sorted((each for each in scored if each[0] >= SIMILAR), key=lambda each: (-each[0], -each[1].worked))
    return tuple(each for _, each in alike[:MAX_SIMILAR])


def _likeness(ours: frozenset[str], template: Template, other: FixedBefore) -> float:
    """From 0 to a little above 1."""
    about = _words(f"{other.rule_id} {other.title}")
    nearest = max(_overlap(ours, about), _overlap(ours, _words(other.evidence)))
    component = template.component.lower() in about or _words(template.component) & about
    return nearest + SIMILAR / 2 * bool(
        nearest and (component or (template.source and template.source == other.source))
    )


def _overlap(ones: frozenset[str], others: frozenset[str]) -> float:
    """Szymkiewicz and Simpson: the share of the smaller set. One common word is too little."""
    common = len(ones & others)
    return common / min(len(ones), len(others)) if common > 1 else 0.0


def _words(text: str) -> frozenset[str]:
    return frozenset(
        each for each in re.findall(r"[a-z]{3,}", _MASKS.sub(" ", text).lower()) if each not in _EVERYWHERE
    )


_EVERYWHERE = frozenset(
    (
        *("the", "and", "for", "not", "with", "from", "was", "has", "are", "that", "this", "while", "during", "after"),
        *("error", "errors", "failed", "failure", "fatal", "critical", "warning", "could", "cannot", "unable"),
    )
)
"""Words that tell no trouble from another."""
