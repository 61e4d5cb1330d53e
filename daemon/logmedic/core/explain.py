"""Why a record is known, or not: what each rule says of it, in words. The matcher decides; here it is told."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, tzinfo
from enum import StrEnum

import regex

from logmedic.core.asking import No, Patterns
from logmedic.core.captures import accept
from logmedic.core.eventtime import event_time
from logmedic.core.heads import head_of
from logmedic.core.matcher import Asked, Matcher, group_of
from logmedic.core.nearmiss import NearMiss, likeness, near_miss
from logmedic.core.records import decode
from logmedic.core.reportmatch import Misfit, misfits, wanted
from logmedic.core.reports import fields_of
from logmedic.core.scanner import search
from logmedic.model.match import Capture, CaptureType, MatchSpec
from logmedic.model.record import Block, Match, Record, UnknownError
from logmedic.model.rule import Rule

FEW = 3
"""Near misses that are told of when nobody named a rule."""
LOOKED_AT = 20
"""Rules that are likely enough to be compared with the record, element by element."""
LIKELY = 0.4
"""How much of a pattern has to be there for a near miss."""
SHOWN = 120
TIMEOUT_S = 0.1


class Why(StrEnum):
    """MATCHES, or what keeps a part of a rule from it."""

    MATCHES = "matches"
    PATTERN = "pattern"
    UNLESS = "unless"
    CAPTURE = "capture"
    TIMEOUT = "timeout"
    PROGRAM = "program"
    FIELD = "field"
    LEVEL = "level"
    REPORT = "report"
    SOURCE = "source"
    QUARANTINED = "quarantined"
    DISABLED = "disabled"
    INCIDENTS = "incidents"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Of one part of a rule on one record. `text` says why not. `hit`: the scanner found something of it, so the daemon
    asks it. `match`: when it matches; `by`: the captures that make its group. `misfits`: of a report, what does not fit
    the rule."""

    rule: Rule
    part: str
    why: Why
    text: str = ""
    hit: bool = False
    match: Match | None = None
    miss: NearMiss | None = None
    misfits: tuple[Misfit, ...] = ()

    @property
    def by(self) -> Mapping[str, str]:
        captures = self.match.captures if self.match is not None else {}
        return {name: captures[name] for name in self.rule.when.by if name in captures}


@dataclass(frozen=True, slots=True)
class Explanation:
    """Of one record. `at`: the time written in it, else when it was read. `program`: what its head names. `candidates`:
    ids of the rules that the scanner had a hit for. `verdicts`: what matches, then what nearly does. `unknown`: it is
    learned as that."""

    source: str
    text: str
    at: datetime
    program: str
    candidates: tuple[str, ...]
    verdicts: tuple[Verdict, ...]
    unknown: UnknownError | None = None
    rules: int = 0

    @property
    def matches(self) -> tuple[Verdict, ...]:
        return tuple(each for each in self.verdicts if each.why is Why.MATCHES)


@dataclass(frozen=True, slots=True)
class Explainer:
    """`rules`: all of them, those that `matcher` was not given too. `named`: ids of rules that are always told of, and
    then no others that do not match. `few`: so many near misses without a hit are looked for; it takes its time."""

    matcher: Matcher
    rules: Sequence[Rule]
    zone: tzinfo
    boot_at: datetime | None = None
    named: Collection[str] = field(default_factory=frozenset)
    few: int = FEW

    def explain(self, block: Block) -> Explanation:
        """`block` is one record, and complete. Nothing is counted: who asks gets no rule quarantined."""
        asked = self.matcher.account(block, everything=bool(self.few or self.named))
        text = decode(block.data, 0, len(block.data))
        at, head = event_time(text, block.read_at, self.zone, self.boot_at), head_of(text)
        report = block.entries[0].report if block.entries else None
        end = block.start + len(block.data)
        record = Record(block.source, block.origin, text, block.start, end, at, report=report)
        verdicts = [_matched(each, record, each.answer) for each in asked if not isinstance(each.answer, No)]
        missed = [each for each in asked if isinstance(each.answer, No)]
        known = verdicts or any(each.answer is No.UNLESS for each in missed)
        return Explanation(
            block.source,
            text,
            at,
            head.program if head is not None else "",
            tuple(dict.fromkeys(each.rule.id for each in asked if each.hits)),
            (*verdicts, *self._misses(missed), *self._not_asked()),
            None if known else self.matcher.unknown_of(block),
            sum(1 for rule in self.rules if rule.enabled and any(map(_is_asked, rule.parts))),
        )

    def _misses(self, missed: Sequence[Asked]) -> Iterator[Verdict]:
        """The named ones, or else all that have a hit and the nearest of the others."""
        if self.named:
            yield from (verdict_of(each) for each in missed if each.rule.id in self.named)
            return
        told = [verdict_of(each) for each in missed if each.hits]
        yield from sorted(told, key=lambda each: -each.miss.share if each.miss else 0.0)
        if self.few:
            yield from _nearest([each for each in missed if not each.hits])[: self.few]

    def _not_asked(self) -> Iterator[Verdict]:
        for rule in self.rules:
            if rule.id in self.named and not rule.enabled:
                yield Verdict(rule, "", Why.DISABLED, "the rule is disabled: `enabled: false`")
            elif rule.id in self.named and rule.match.incidents:
                of = ", ".join(rule.match.incidents)
                yield Verdict(rule, "", Why.INCIDENTS, f"it is about incidents of {of}, and not about lines")


def _is_asked(part: tuple[str, MatchSpec]) -> bool:
    _, spec = part
    return bool(spec.patterns) or spec.report is not None


def _matched(asked: Asked, record: Record, captures: Mapping[str, str]) -> Verdict:
    match = Match(asked.rule.id, record, captures, group_of(asked.rule, captures), asked.part)
    return Verdict(asked.rule, asked.part, Why.MATCHES, hit=bool(asked.hits), match=match)


def _nearest(missed: Sequence[Asked]) -> list[Verdict]:
    """Of those without a hit: what most of fits the report that it is, then what is like a pattern."""
    fitting = sorted(((_share(each), each) for each in missed if each.report), key=lambda each: -each[0])
    reported = [verdict_of(each) for share, each in fitting if share >= LIKELY]
    others = [each for each in missed if each.answer is No.MATCH and each.spec.patterns]
    scored = [(max(likeness(p, each.text or "") for p in each.spec.patterns), each) for each in others]
    likely = sorted((each for each in scored if each[0] >= LIKELY), key=lambda each: -each[0])[:LOOKED_AT]
    told = [verdict_of(each) for _, each in likely]
    near = [each for each in told if each.miss is not None and each.miss.share >= LIKELY]
    return [*reported, *sorted(near, key=lambda each: -each.miss.share if each.miss else 0.0)]


def _share(asked: Asked) -> float:
    """How much of what the rule asks of a report is so; 0 for a rule about lines."""
    spec = asked.spec.report
    if spec is None or asked.report is None or asked.answer is not No.REPORT:
        return 0.0
    return 1 - len(list(misfits(spec, asked.report))) / len(list(wanted(spec)))


def verdict_of(asked: Asked) -> Verdict:
    """Of a part that does not match."""
    assert isinstance(asked.answer, No)  # noqa: S101  the caller has set aside what matches
    miss = _near(asked) if asked.answer is No.MATCH else None
    why, wrong = _WHY[asked.answer], _misfits(asked)
    return Verdict(asked.rule, asked.part, why, _words(asked, miss), bool(asked.hits), miss=miss, misfits=wrong)


_WHY = {
    No.MATCH: Why.PATTERN,
    No.UNLESS: Why.UNLESS,
    No.REFUSED: Why.CAPTURE,
    No.TIMEOUT: Why.TIMEOUT,
    No.PROGRAM: Why.PROGRAM,
    No.FIELD: Why.FIELD,
    No.LEVEL: Why.LEVEL,
    No.REPORT: Why.REPORT,
    No.SOURCE: Why.SOURCE,
    No.QUARANTINED: Why.QUARANTINED,
}


def _misfits(asked: Asked) -> tuple[Misfit, ...]:
    if asked.answer is not No.REPORT or asked.report is None or asked.spec.report is None:
        return ()
    return tuple(misfits(asked.spec.report, asked.report))


def misfit_words(misfit: Misfit) -> str:
    key, values, told = misfit
    has = f"has `{short(told)}`" if told else "has none"
    return f"`{key}` has to be {' or '.join(f'`{each}`' for each in values)}; the report {has}"


def _near(asked: Asked) -> NearMiss | None:
    found = [miss for each in asked.spec.patterns if (miss := near_miss(each, asked.text or "")) is not None]
    return max(found, key=lambda each: each.share, default=None)


def _words(asked: Asked, miss: NearMiss | None) -> str:
    spec = asked.spec
    match asked.answer:
        case No.SOURCE:
            return _unheard(asked)
        case No.PROGRAM:
            return f"it is about {_few(spec.program)}; the head names `{asked.found}`"
        case No.FIELD:
            return f"the record has no field `{spec.field}`"
        case No.LEVEL:
            told = f"says `{asked.found}`" if asked.found else "tells no level"
            return f"it wants the level `{spec.level}` or worse; the record {told}"
        case No.REPORT:
            told = "; ".join(map(misfit_words, _misfits(asked)))
            return told or "it is about reports of applications, and this is a line of a log"
        case No.UNLESS:
            return _unless(asked)
        case No.REFUSED:
            return "; ".join(_refused(asked))
        case No.TIMEOUT:
            return f"a pattern of it took longer than {TIMEOUT_S:g} s on this record, and was given up"
        case No.QUARANTINED:
            return "it is quarantined: its patterns took too long too often; reload the rules when they are mended"
    return miss_words(miss)


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def miss_words(miss: NearMiss | None) -> str:
    if miss is None:
        return "nothing of the pattern is there"
    if miss.from_end:
        found = f"`{short(miss.found)}`" if miss.found else "the beginning of the text"
        return f"`{short(miss.matched)}` is there; before it the pattern wants `{short(miss.wanted)}` and finds {found}"
    found = f"`{short(miss.found)}`" if miss.found else "the end of the text"
    return f"it gets as far as `{short(miss.matched)}`; then it wants `{short(miss.wanted)}` and finds {found}"


def short(text: str) -> str:
    return text if len(text) <= SHOWN else f"{text[: SHOWN // 2]}...{text[-SHOWN // 2 :]}"


def _unheard(asked: Asked) -> str:
    if asked.report is not None and not asked.rule.sources:
        return "it is about lines, and hears of reports only with `source: reports`"
    return f"it does not hear this source, only {_few(asked.rule.sources)}"


def _unless(asked: Asked) -> str:
    for number, each in enumerate(asked.spec.unless, start=1):
        try:
            found = search(regex.compile(each), asked.text or "", TIMEOUT_S)
        except TimeoutError:
            continue
        if found is not None:
            return f"the pattern matches, and so does `unless` {number}, `{short(each)}`: `{short(found[0])}`"
    return "the pattern matches, and so does an `unless`"


def _refused(asked: Asked) -> Iterator[str]:
    spec = asked.spec
    every = range(len(spec.patterns))
    if spec.report is not None:
        yield from _refused_of_report(asked)
    numbers = every if spec.report is not None else [n for n in asked.hits if n in every] or every
    for number in numbers:
        try:
            found = search(regex.compile(spec.patterns[number]), asked.text or "", TIMEOUT_S)
        except TimeoutError:
            continue
        for name, capture in spec.captures.items() if found is not None else ():
            if found is not None and name in found.re.groupindex and accept(found[name] or "", capture) is None:
                yield refusal_words(name, found[name] or "", capture)


def _refused_of_report(asked: Asked) -> Iterator[str]:
    """Of the captures that are fields of the report."""
    said = fields_of(asked.report) if asked.report is not None else {}
    for name, capture in Patterns(asked.spec).told:
        if not said.get(name):
            yield f"capture `{name}`: the report has no {name}"
        elif accept(said[name], capture) is None:
            yield refusal_words(name, said[name], capture)


def refusal_words(name: str, value: str, capture: Capture) -> str:
    """Of a value that is not accepted."""
    if not value:
        return f"capture `{name}` took no part in the match, or is empty"
    free = replace(capture, allow=(), minimum=None, maximum=None)
    if capture.type is CaptureType.ENUM:
        bounds = f"it is none of {', '.join(capture.values)}"
    elif accept(value, free) is None:
        return f"capture `{name}`: `{short(value)}` is no {capture.type}"
    elif capture.allow:
        bounds = f"it is not in `allow`: {', '.join(capture.allow)}"
    else:
        least, most = capture.minimum or 0, "any" if capture.maximum is None else capture.maximum
        bounds = f"it is not from {least} to {most}"
    return f"capture `{name}`: `{short(value)}` is refused: {bounds}"
