"""From a block to its findings: scan as bytes, cut records at hits, confirm with `regex` alone."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from enum import Enum, auto
from functools import cached_property
from types import MappingProxyType

import regex

from logmedic.core import templates
from logmedic.core.captures import accept
from logmedic.core.entries import Entries
from logmedic.core.eventtime import event_time
from logmedic.core.fields import fields_of, level_of
from logmedic.core.framing import TRACES, Framing
from logmedic.core.heads import Head, head_of, programs
from logmedic.core.records import decode
from logmedic.core.scanner import make_scanner, search
from logmedic.core.unknowns import Judge, Kind
from logmedic.model.match import Capture, Level, MatchSpec
from logmedic.model.record import EVERY_GROUP, Block, Entry, Findings, Match, Record, UnknownError
from logmedic.model.rule import Rule

QUARANTINE_AFTER = 5
"""Timeouts after which a rule is heard no more (F43)."""
PLAIN = Entry(0)
"""Of lines whose origin knows nothing of them."""
GROUP_SEPARATOR = "\x1f"
"""Between the values of a group key; no typed capture can hold it."""


@dataclass(frozen=True, slots=True)
class _Compiled:
    """One part of a rule, what it is about, and its patterns by their index in the scanner, in their order.
    `captures`: of each pattern, those that it has a group for: a pattern that lacks the group altogether gives none."""

    rule: Rule
    part: str
    spec: MatchSpec
    patterns: dict[int, regex.Pattern[str]]
    captures: dict[int, tuple[tuple[str, Capture], ...]]
    unless: tuple[regex.Pattern[str], ...]


class No(Enum):
    """Why a rule has no match in a record. UNLESS: the rule knows it, and wants it left alone. SOURCE and QUARANTINED:
    it is not asked at all."""

    MATCH = auto()
    UNLESS = auto()
    REFUSED = auto()
    TIMEOUT = auto()
    PROGRAM = auto()
    FIELD = auto()
    LEVEL = auto()
    SOURCE = auto()
    QUARANTINED = auto()


@dataclass(frozen=True, slots=True)
class Asked:
    """What one part of a rule says of one record, and what that rests on. `hits`: which of its patterns the scanner
    found something of, by their place among them (one behind the last: a form that a field's value may have); a part
    without any is not asked. `text`: what the patterns are about; None when a condition before them does not hold, and
    then `found` is what the record has in its place. `answer`: the captures, or why not."""

    rule: Rule
    part: str
    spec: MatchSpec
    hits: tuple[int, ...]
    text: str | None
    found: str
    answer: Mapping[str, str] | No


@dataclass(slots=True)
class _Same:
    """Unknown errors of one fingerprint in one block: where the first and the last of them stand."""

    kind: Kind
    first: tuple[int, int]
    last: tuple[int, int]
    count: int = 1
    critical: bool = False


@dataclass(slots=True)
class _Found:
    """What one block gave so far. `unknown`: by fingerprint."""

    matches: list[Match] = field(default_factory=list)
    unknown: dict[str, _Same] = field(default_factory=dict)
    timeouts: Counter[str] = field(default_factory=Counter)
    captures_refused: int = 0

    def add(self, other: _Found) -> None:
        """What rules said of one more record."""
        self.matches += other.matches
        self.timeouts.update(other.timeouts)
        self.captures_refused += other.captures_refused


class Matcher:
    """All enabled `rules` and the error detectors in one scanner. `zone` is for times without an offset; `timeout_s`
    for one pattern on one record. Rules hear the sources that they name, and those in `any_source`.
    `framings`: how the lines of a source make records, by its name; stack traces for all others.
    `boot_at`: for times that count from the boot. `find` may be
    called from any thread. Raises regex.error for a pattern that does not compile."""

    def __init__(
        self,
        rules: Sequence[Rule],
        *,
        zone: tzinfo,
        scanner: str = "auto",
        timeout_s: float = 0.1,
        any_source: frozenset[str] = frozenset({"stdin"}),
        framings: Mapping[str, Framing] = MappingProxyType({}),
        boot_at: datetime | None = None,
    ) -> None:
        self._boot_at = boot_at
        self._framings = framings
        self._zone = zone
        self._timeout_s = timeout_s
        self._any_source = any_source
        self._careful = frozenset(rule.id for rule in rules for _, spec in rule.parts if spec.unless)
        self._rules: list[_Compiled] = []
        self._owner: list[_Compiled] = []
        self._counting = threading.Lock()  # guards the two below: blocks are searched in several threads
        self._overruns: Counter[str] = Counter()
        self._quarantined: frozenset[str] = frozenset()
        for rule in rules:
            for part, spec in rule.parts if rule.enabled else ():
                if spec.patterns:
                    self._add(rule, part, spec)
        self._judge = Judge(len(self._owner))
        self._of_fields = tuple(
            (compiled.spec.field, min(compiled.patterns)) for compiled in self._rules if compiled.spec.field
        )
        loose = [n for n, compiled in enumerate(self._owner) if compiled.spec.field or compiled.spec.program]
        patterns = [pattern for compiled in self._rules for pattern in _scanned(compiled.spec)]
        self._scanner = make_scanner([*patterns, *templates.ERROR_DETECTORS], scanner, timeout_s, loose)

    @property
    def quarantined(self) -> frozenset[str]:
        """Ids of rules that ran into the limit too often. They stay so until the rules are loaded again."""
        return self._quarantined

    def find(self, block: Block) -> Findings:
        """Matches in the order of the block; unknown errors put together by fingerprint, in the order of their first
        ones. What was told of the first record before (`block.told`) is not told again."""
        found, waits = _Found(), False
        entries = Entries(block) if block.entries else None
        if entries is None:
            framing = self._framings.get(block.source, TRACES)
            records = framing.cut(block.data, self._scanner.scan(block.data, framing.spans))
        else:
            hits = self._scanner.scan(block.data, entries.spans)
            records = entries.cut([*hits, *self._hits_in_fields(block)])
        detectors = len(self._owner)
        told, grows = block.told, block.grows
        for start, end, indices in records:
            if end <= told:
                continue
            span = start, end
            said = found if start != grows else _Found()
            known = indices[0] < detectors and self._is_known(block, entries, span, indices, said)
            kind = None if known or indices[-1] < detectors else self._kind(block, span, indices)
            if said is not found:
                waits = kind is not None or any(match.rule_id in self._careful for match in said.matches)
                if waits:
                    break
                found.add(said)
            if kind is not None:
                _note(found.unknown, kind, span)
        return Findings(
            matches=tuple(found.matches),
            unknown=tuple(self._unknown(block, entries, same) for same in found.unknown.values()),
            captures_refused=found.captures_refused,
            timeouts=dict(found.timeouts),
            lines=_lines(block.data, told, grows if waits else None),
            waits=waits,
        )

    def account(self, block: Block) -> list[Asked]:
        """Of a block that is one record: what every part of every rule says of it, as `find` asks them, in their order.
        Nothing is counted, and nobody is quarantined by it."""
        entry = block.entries[0] if block.entries else PLAIN
        names = (block.source, f"{block.source}:{entry.unit}") if entry.unit else (block.source,)
        read = _Read(decode(block.data, 0, len(block.data)), entry)
        hits = {index for index, _ in self._scanner.scan(block.data, lambda data: [(0, len(data))])}
        hits |= {index for index, _ in self._hits_in_fields(block)}
        return [self._asked(each, read, names, hits) for each in self._rules]

    def _asked(self, compiled: _Compiled, read: _Read, names: tuple[str, ...], hits: set[int]) -> Asked:
        first = min(compiled.patterns)
        found = [n for n in sorted(hits) if n < len(self._owner) and self._owner[n] is compiled]
        answer: Mapping[str, str] | No
        text = read.about(compiled.spec)
        if compiled.rule.id in self._quarantined:
            answer = No.QUARANTINED
        elif not self._hears(compiled.rule, names):
            answer = No.SOURCE
        else:
            answer = self._ask(compiled, found, read) if found else text if isinstance(text, No) else No.MATCH
        wrong = read.instead(answer) if isinstance(answer, No) else ""
        about = None if isinstance(text, No) else text
        return Asked(compiled.rule, compiled.part, compiled.spec, tuple(n - first for n in found), about, wrong, answer)

    def _hits_in_fields(self, block: Block) -> Iterator[tuple[int, int]]:
        """What an origin says of its entries stands in no line: every entry that has the field is a candidate."""
        for entry in block.entries if self._of_fields else ():
            for name, index in self._of_fields:
                if name in entry.fields:
                    yield index, entry.start + 1

    def _add(self, rule: Rule, part: str, spec: MatchSpec) -> None:
        first = len(self._owner)
        patterns = {first + n: regex.compile(each) for n, each in enumerate(spec.patterns)}
        captures = {
            n: tuple((name, each) for name, each in spec.captures.items() if name in pattern.groupindex)
            for n, pattern in patterns.items()
        }
        compiled = _Compiled(rule, part, spec, patterns, captures, tuple(map(regex.compile, spec.unless)))
        self._rules.append(compiled)
        self._owner += [compiled] * len(_scanned(spec))

    def _is_known(
        self, block: Block, entries: Entries | None, span: tuple[int, int], indices: list[int], found: _Found
    ) -> bool:
        """Ask the rules with a hit in one record (`indices` ascending). Whether one of them knows it: here, or by the
        lines that were told before."""
        entry = PLAIN if entries is None else entries.at(span[0])
        text = decode(block.data, *span)
        names = (block.source, f"{block.source}:{entry.unit}") if entry.unit else (block.source,)
        record: Record | None = None
        known = False
        read = _Read(text, entry)
        begun = _Read(decode(block.data, span[0], block.told), entry) if span[0] < block.told else None
        for compiled, candidates in self._candidates(indices, names):
            told = self._ask(compiled, candidates, begun) if begun is not None else No.MATCH
            if isinstance(told, dict) or told is No.UNLESS:
                known = True
                continue
            captures = self._ask(compiled, candidates, read)
            if captures is told:  # given up on, and counted, before
                continue
            if isinstance(captures, dict):
                record = record or self._record(block, entry, span, text)
                group = group_of(compiled.rule, captures)
                found.matches.append(Match(compiled.rule.id, record, captures, group, compiled.part))
            elif captures is No.REFUSED:
                found.captures_refused += 1
            elif captures is No.TIMEOUT:
                found.timeouts[compiled.rule.id] += 1
                self._count_overrun(compiled.rule.id)
            known = known or isinstance(captures, dict) or captures is No.UNLESS
        return known

    def _kind(self, block: Block, span: tuple[int, int], indices: list[int]) -> Kind | None:
        return self._judge.judge(block.source, block.data[span[0] : span[1]], indices)

    def _unknown(self, block: Block, entries: Entries | None, same: _Same) -> UnknownError:
        record, kind = self._record_of(block, entries, same.first), same.kind
        last_at = None if same.count == 1 else max(record.at, self._record_of(block, entries, same.last).at)
        return UnknownError(
            record, kind.component, kind.template, kind.fingerprint, kind.trace, same.critical, same.count, last_at
        )

    def _record_of(self, block: Block, entries: Entries | None, span: tuple[int, int]) -> Record:
        entry = PLAIN if entries is None else entries.at(span[0])
        return self._record(block, entry, span, decode(block.data, *span))

    def _ask(self, compiled: _Compiled, candidates: list[int], read: _Read) -> dict[str, str] | No:
        spec = compiled.spec
        if not spec.field and spec.level is None and not spec.program:
            return self._search(compiled, candidates, read.text)
        text = read.about(spec)
        if isinstance(text, No):
            return text
        return self._search(compiled, list(compiled.patterns) if spec.field else candidates, text)

    def _search(self, compiled: _Compiled, candidates: list[int], text: str) -> dict[str, str] | No:
        """The captures of the first pattern that matches and whose captures are all accepted: a forged part that is
        refused must not hide what another pattern sees."""
        answer: dict[str, str] | No = No.MATCH
        try:
            for index in candidates:
                if (match := search(compiled.patterns[index], text, self._timeout_s)) is None:
                    continue
                captures = _typed(compiled.captures[index], match)
                answer = No.REFUSED if captures is None else captures
                if captures is not None:
                    break
            if (
                compiled.unless
                and answer is not No.MATCH
                and any(search(each, text, self._timeout_s) for each in compiled.unless)
            ):
                return No.UNLESS
        except TimeoutError:
            return No.TIMEOUT
        return answer

    def _candidates(self, indices: list[int], names: tuple[str, ...]) -> list[tuple[_Compiled, list[int]]]:
        """The rules to be asked, each with its patterns that had a hit."""
        asked: list[tuple[_Compiled, list[int]]] = []
        for index in indices:
            if index >= len(self._owner):
                break
            compiled = self._owner[index]
            if asked and asked[-1][0] is compiled:
                asked[-1][1].append(index)
            elif compiled.rule.id not in self._quarantined and self._hears(compiled.rule, names):
                asked.append((compiled, [index]))
        return asked

    def _hears(self, rule: Rule, names: tuple[str, ...]) -> bool:
        """`names`: of the source, and of the part of it that spoke."""
        return not rule.sources or names[0] in self._any_source or any(name in rule.sources for name in names)

    def _record(self, block: Block, entry: Entry, span: tuple[int, int], text: str) -> Record:
        at = entry.at or event_time(text, block.read_at, self._zone, self._boot_at)
        start, end = span
        return Record(block.source, block.origin, text, block.start + start, block.start + end, at, entry.fields)

    def _count_overrun(self, rule_id: str) -> None:
        """At once, not at the end of the block: a block may hold thousands of such records (F43)."""
        with self._counting:
            self._overruns[rule_id] += 1
            if self._overruns[rule_id] != QUARANTINE_AFTER:
                return
            self._quarantined |= {rule_id}
            self._scanner.mute([n for n, owner in enumerate(self._owner) if owner.rule.id in self._quarantined])


class _Read:
    """One record while rules are asked. Fields are looked for once, when a rule asks for them."""

    def __init__(self, text: str, entry: Entry) -> None:
        self.text = text
        self._entry = entry

    @cached_property
    def fields(self) -> Mapping[str, str]:
        """What the line says, and what its origin says, which knows better."""
        return {**fields_of(self.text), **self._entry.fields}

    @cached_property
    def head(self) -> Head | None:
        return head_of(self.text)

    def said_by(self, names: tuple[str, ...]) -> str | None:
        """Its message; None when its head names another program."""
        if self.head is None:
            return self.text
        return self.text[self.head.end :] if programs(names).fullmatch(self.head.program) else None

    @property
    def level(self) -> Level | None:
        return level_of(self.fields, self.text)

    def about(self, spec: MatchSpec) -> str | No:
        """The text that its patterns are about; else the condition that does not hold."""
        text = self.said_by(spec.program) if spec.program else self.text
        if text is None:
            return No.PROGRAM
        if spec.field and (text := self.fields.get(spec.field)) is None:
            return No.FIELD
        told = self.level if spec.level is not None else None
        if spec.level is not None and (told is None or told.rank < spec.level.rank):
            return No.LEVEL
        return text

    def instead(self, no: No) -> str:
        """What it has where that condition wants something else."""
        match no:
            case No.PROGRAM if self.head is not None:
                return self.head.program
            case No.LEVEL if self.level is not None:
                return self.level.value
        return ""


def _scanned(spec: MatchSpec) -> list[str]:
    """What is looked for in the bytes of a block. The value of a field may stand there in another form: JSON and logfmt
    write what is special behind a backslash."""
    return [*spec.patterns, r"\\"] if spec.field else list(spec.patterns)


def _note(unknown: dict[str, _Same], kind: Kind, span: tuple[int, int]) -> None:
    same = unknown.get(kind.fingerprint)
    if same is None:
        unknown[kind.fingerprint] = _Same(kind, span, span, critical=kind.critical)
    else:
        same.last = span
        same.count += 1
        same.critical = same.critical or kind.critical


def _lines(content: bytes, start: int, end: int | None) -> int:
    whole = content.count(b"\n", start, end)
    return whole + (end is None and len(content) > start and not content.endswith(b"\n"))


def _typed(wanted: Iterable[tuple[str, Capture]], match: regex.Match[str]) -> dict[str, str] | None:
    """The captures that the rule types; None when one is refused. A group that took no part is refused too: a fix must
    never run with a hole in it."""
    captures: dict[str, str] = {}
    for name, capture in wanted:
        value = accept(match[name] or "", capture)
        if value is None:
            return None
        captures[name] = value
    return captures


def group_of(rule: Rule, captures: dict[str, str]) -> str:
    by = rule.when.by
    if by and not any(name in captures for name in by):
        return EVERY_GROUP  # a part of the rule that tells of no group
    return GROUP_SEPARATOR.join(captures.get(name, "") for name in by)
