"""From a block to its findings: scan as bytes, cut records at hits, confirm with `regex` alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from itertools import chain
from threading import Lock
from types import MappingProxyType

from logmedic.core import templates
from logmedic.core.asking import No, Part, Patterns
from logmedic.core.budget import SLOW_S, Budget, Timer, Use, is_slow, no_time
from logmedic.core.entries import Entries
from logmedic.core.eventtime import event_time
from logmedic.core.framing import TRACES, Framing
from logmedic.core.ordinary import Draw, ordinary_line
from logmedic.core.read import Read
from logmedic.core.records import decode
from logmedic.core.reportmatch import SOURCE, Listeners
from logmedic.core.scanner import UNSAVED, Saved, make_scanner
from logmedic.core.stretches import stretches
from logmedic.core.unknowns import Judge, Kind
from logmedic.model.match import MatchSpec
from logmedic.model.record import EVERY_GROUP, Block, Entry, Findings, Match, Record, UnknownError
from logmedic.model.report import Report, ReportKind
from logmedic.model.rule import Rule
from logmedic.model.severity import Severity

PLAIN = Entry(0)
"""Of lines whose origin knows nothing of them."""
GROUP_SEPARATOR = "\x1f"
"""Between the values of a group key; no typed capture can hold it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What one part of a rule says of one record, and what that rests on. `hits`: which of its patterns the scanner
    found something of, by their place among them (one behind the last: a form that a field's value may have); a part
    without any is not asked. `text`: what the patterns are about; None when a condition before them does not hold, and
    then `found` is what the record has in its place. `answer`: the captures, or why not. `report`: what the record is,
    when an application reported it."""

    rule: Rule
    part: str
    spec: MatchSpec
    hits: tuple[int, ...]
    text: str | None
    found: str
    answer: Mapping[str, str] | No
    report: Report | None = None


@dataclass(slots=True)
class _Same:
    """Unknown errors of one fingerprint in one block: where they stand."""

    kind: Kind
    spans: list[tuple[int, int]]
    critical: bool


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
    `boot_at`: for times that count from the boot. `learning`: look for unknown errors as well; `placing`: and say where
    each of them stands. `timer`: what the rules' time is measured with; `worked`: the same for the calling thread
    alone, without its waiting for a processor (none: the timer's word is taken). `saved`: where part databases are
    kept. `before`: what is known of rules that are the very same objects there is taken over: part patterns, costs,
    quarantine. `find` may be called from any thread.
    A pattern has to be known to compile: it does when it is first asked, and raises regex.error then."""

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
        learning: bool = True,
        placing: bool = False,
        timer: Timer = no_time,
        worked: Timer | None = None,
        saved: Saved = UNSAVED,
        before: Matcher | None = None,
    ) -> None:
        self._boot_at = boot_at
        self._learning = learning
        self._placing = placing
        self._framings = framings
        self._zone = zone
        self._timeout_s = timeout_s
        self._any_source = any_source
        enabled = [rule for rule in rules if rule.enabled]
        self._careful = frozenset(rule.id for rule in enabled for _, spec in rule.parts if spec.unless)
        self._rules: list[Part] = []
        self._owner: list[Part] = []
        known = {id(part.spec): part.patterns for part in before._rules} if before is not None else {}
        for rule in enabled:
            for part, spec in rule.parts:
                if spec.patterns or spec.report is not None:
                    self._add(Part(rule, part, spec, len(self._owner), known.get(id(spec)) or Patterns(spec)))
        self._budget = Budget((rule.id for rule in enabled), timer)
        self._worked = worked or timer
        self._muting = Lock()  # else an older choice could come last
        if before is not None:
            was = {id(part.rule) for part in before._rules}
            self._budget.carry_over(before._budget, [rule.id for rule in enabled if id(rule) in was])
        for each in self._rules:
            each.use = self._budget.uses[each.rule.id]
        self._judge = Judge(len(self._owner))
        specs = [(part.first, part.spec) for part in self._rules]
        self._of_fields = tuple((spec.field, n) for n, spec in specs if spec.field and spec.report is None)
        self._listeners = Listeners((n, spec.report) for n, spec in specs if spec.report is not None)
        loose = [n for n, part in enumerate(self._owner) if part.spec.field or part.spec.program]
        patterns = [pattern for part in self._rules for pattern in _scanned(part.spec)]
        detectors = templates.ERROR_DETECTORS if learning else ()
        self._scanner = make_scanner([*patterns, *detectors], scanner, timeout_s, loose, saved)
        self._mute()

    @property
    def quarantined(self) -> Mapping[str, str]:
        """Rules that cost too much and are not heard, by id, with the reason: for an hour, or until they change."""
        return self._budget.quarantined

    @property
    def uses(self) -> Mapping[str, Use]:
        """What each rule cost so far, by id."""
        return self._budget.uses

    def find(self, block: Block, draw: Draw | None = None) -> Findings:
        """Matches in the order of the block. Unknown errors are put together by fingerprint, and where the block covers
        more by hour and episode: in the order of the first ones of a fingerprint, then of time. What was told of the
        first record before (`block.told`) is not told again. `draw`: an ordinary line is asked for; without learning
        there is none."""
        if self._budget.quarantined and self._budget.set_free():
            self._mute()
        found, waits = _Found(), False
        entries = Entries(block) if block.entries else None
        if entries is None:
            framing = self._framings.get(block.source, TRACES)
            records = framing.cut(block.data, self._scanner.scan(block.data, framing.spans))
        else:
            hits = self._scanner.scan(block.data, entries.spans)
            records = entries.cut([*hits, *self._hits_in_entries(block)])
        ordinary = None
        if draw is not None and self._learning:
            records = iter(whole := list(records))
            ordinary = ordinary_line(block, [(start, end) for start, end, _ in whole], draw)
        detectors = len(self._owner)
        told, grows = block.told, block.grows
        for start, end, indices in records:
            if end <= told:
                continue
            span = start, end
            said = found if start != grows else _Found()
            known = indices[0] < detectors and self._is_known(block, entries, span, indices, said)
            unknown = not known and indices[-1] >= detectors and not _tells_of_no_error(entries, start)
            kind = self._kind(block, span, indices) if unknown else None
            if said is not found:
                waits = kind is not None or any(match.rule_id in self._careful for match in said.matches)
                if waits:
                    break
                found.add(said)
            if kind is not None:
                _note(found.unknown, kind, span)
        return Findings(
            matches=tuple(found.matches),
            unknown=tuple(chain.from_iterable(self._unknown(block, entries, each) for each in found.unknown.values())),
            captures_refused=found.captures_refused,
            timeouts=dict(found.timeouts),
            lines=_lines(block.data, told, grows if waits else None),
            waits=waits,
            ordinary=ordinary,
            reports=self._reports(block, entries) if entries is not None else (),
        )

    def account(self, block: Block, *, everything: bool = True) -> list[Asked]:
        """Of a block that is one record: what every part of every rule says of it, as `find` asks them, in their order;
        without `everything` those with a hit. Nothing is counted, and nobody is quarantined by it."""
        entry = block.entries[0] if block.entries else PLAIN
        names = (block.source, f"{block.source}:{entry.unit}") if entry.unit else (block.source,)
        read = Read(decode(block.data, 0, len(block.data)), entry)
        hits = {index for index, _ in self._scanner.scan(block.data, lambda data: [(0, len(data))])}
        hits |= {index for index, _ in self._hits_in_entries(block)}
        owners = {id(self._owner[n]) for n in hits if n < len(self._owner)}
        return [self._asked(each, read, names, hits) for each in self._rules if everything or id(each) in owners]

    def unknown_of(self, block: Block) -> UnknownError | None:
        """Of a block that is one record, and that no rule knows: what is learned of it. Nothing is counted by it."""
        span, detectors = (0, len(block.data)), len(self._owner)
        hits = sorted({index for index, _ in self._scanner.scan(block.data, lambda data: [(0, len(data))])})
        entries = Entries(block) if block.entries else None
        unknown = bool(hits) and hits[-1] >= detectors and not _tells_of_no_error(entries, 0)
        kind = self._kind(block, span, hits) if unknown else None
        return next(self._unknown(block, entries, _Same(kind, [span], kind.critical))) if kind else None

    def _asked(self, part: Part, read: Read, names: tuple[str, ...], hits: set[int]) -> Asked:
        found = [n for n in sorted(hits) if n < len(self._owner) and self._owner[n] is part]
        answer: Mapping[str, str] | No
        text = read.about(part.spec)
        if part.rule.id in self._budget.quarantined:
            answer = No.QUARANTINED
        elif not self._hears(part, names, read.report):
            answer = No.SOURCE
        else:
            answer = self._answer(part, found, text, read) if found else text if isinstance(text, No) else No.MATCH
        wrong = read.instead(answer) if isinstance(answer, No) else ""
        about = None if isinstance(text, No) else text
        hits_of_it = tuple(n - part.first for n in found)
        return Asked(part.rule, part.part, part.spec, hits_of_it, about, wrong, answer, read.report)

    def _hits_in_entries(self, block: Block) -> Iterator[tuple[int, int]]:
        """What an origin says of its entries stands in no line: every entry that has the field is a candidate, and so
        is every report for those who listen to it."""
        for entry in block.entries if self._of_fields or self._listeners else ():
            for name, index in self._of_fields:
                if name in entry.fields:
                    yield index, entry.start + 1
            if entry.report is not None:
                for index in self._listeners.of(entry.report):
                    yield index, entry.start + 1

    def _add(self, part: Part) -> None:
        self._rules.append(part)
        self._owner += [part] * len(_scanned(part.spec))

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
        read = Read(text, entry)
        begun = Read(decode(block.data, span[0], block.told), entry) if span[0] < block.told else None
        for part, candidates in self._candidates(indices, names, entry.report):
            told = self._ask(part, candidates, begun) if begun is not None else No.MATCH
            if isinstance(told, dict) or told is No.UNLESS:
                known = True
                continue
            captures = self._ask(part, candidates, read)
            if captures is told:  # given up on, and counted, before
                continue
            if isinstance(captures, dict):
                record = record or self._record(block, entry, span, text)
                group = group_of(part.rule, captures)
                found.matches.append(Match(part.rule.id, record, captures, group, part.part))
            elif captures is No.REFUSED:
                found.captures_refused += 1
            elif captures is No.TIMEOUT:
                found.timeouts[part.rule.id] += 1
            known = known or isinstance(captures, dict) or captures is No.UNLESS
        return known

    def _kind(self, block: Block, span: tuple[int, int], indices: list[int]) -> Kind | None:
        return self._judge.judge(block.source, block.data[span[0] : span[1]], indices)

    def _unknown(self, block: Block, entries: Entries | None, same: _Same) -> Iterator[UnknownError]:
        """One for each stretch of time; where spans are asked for, one: who asks reads the times of each."""
        records: dict[int, Record] = {}

        def record(number: int) -> Record:
            if number not in records:
                records[number] = self._record_of(block, entries, same.spans[number])
            return records[number]

        count = len(same.spans)
        for begin, end in [(0, count - 1)] if self._placing else stretches(count, lambda number: record(number).at):
            yield self._stretch(same, begin, end, record)

    def _stretch(self, same: _Same, begin: int, end: int, record: Callable[[int], Record]) -> UnknownError:
        first, last, kind = record(begin), record(end), same.kind
        return UnknownError(
            first,
            kind.component,
            kind.template,
            kind.fingerprint,
            kind.trace,
            same.critical or (first.report is not None and first.report.impact is Severity.CRITICAL),
            end - begin + 1,
            None if begin == end else max(first.at, last.at),
            last_text=last.text if begin != end else "",
            spans=tuple(same.spans) if self._placing else (),
            shape=kind.shape,
        )

    def _record_of(self, block: Block, entries: Entries | None, span: tuple[int, int]) -> Record:
        entry = PLAIN if entries is None else entries.at(span[0])
        return self._record(block, entry, span, decode(block.data, *span))

    def _ask(self, part: Part, candidates: Sequence[int], read: Read) -> dict[str, str] | No:
        """As `_answer`, charged to the rule: what its patterns take, and not what is read of a record once for all."""
        timer = self._budget.timer
        text = read.text if part.is_plain else read.about(part.spec)
        begun = timer()
        answer = self._answer(part, candidates, text, read)
        spent_s = timer() - begun
        if spent_s < SLOW_S and answer is not No.TIMEOUT:
            part.use.take(spent_s, matched=answer.__class__ is dict)
            return answer
        return self._charged(part, candidates, text, read, answer, spent_s)

    def _charged(
        self,
        part: Part,
        candidates: Sequence[int],
        text: str | No,
        read: Read,
        answer: dict[str, str] | No,
        spent_s: float,
    ) -> dict[str, str] | No:
        """Of a record that took long, or too long."""
        timed_out, length = answer is No.TIMEOUT, len(read.text)
        if timed_out:
            spent_s = min(spent_s, self._timeout_s)  # which is of work
        elif is_slow(spent_s, length):
            spent_s = self._work_s(part, candidates, text, read)
        matched = isinstance(answer, dict)
        if self._budget.charge(part.rule.id, spent_s, length, matched=matched, timed_out=timed_out):
            self._mute()
        return answer

    def _work_s(self, part: Part, candidates: Sequence[int], text: str | No, read: Read) -> float:
        """Searched again, for this once by the thread's own clock: a thread that has to wait for a processor, or for
        the interpreter's lock, makes no rule slow. To look at that clock each time would cost a tenth of a match."""
        begun = self._worked()
        self._answer(part, candidates, text, read)
        return self._worked() - begun

    def _answer(self, part: Part, candidates: Sequence[int], text: str | No, read: Read) -> dict[str, str] | No:
        if isinstance(text, No):
            return text
        places = part.places(candidates)
        if part.of_reports:
            return part.patterns.search_report(places, text, read.told, self._timeout_s)
        return part.patterns.search(places, text, self._timeout_s)

    def _candidates(
        self, indices: list[int], names: tuple[str, ...], report: Report | None
    ) -> list[tuple[Part, list[int]]]:
        """The rules to be asked, each with its patterns that had a hit."""
        asked: list[tuple[Part, list[int]]] = []
        for index in indices:
            if index >= len(self._owner):
                break
            part = self._owner[index]
            if asked and asked[-1][0] is part:
                asked[-1][1].append(index)
            elif part.rule.id not in self._budget.quarantined and self._hears(part, names, report):
                asked.append((part, [index]))
        return asked

    def _hears(self, part: Part, names: tuple[str, ...], report: Report | None) -> bool:
        """`names`: of the source, and of the part of it that spoke. Anybody of the host may report, as any program: a
        part about lines hears the text of a report only where its rule names where reports come from, and has no part
        about reports themselves."""
        sources = part.rule.sources
        if report is not None and not part.of_reports:
            named = SOURCE in sources or f"{SOURCE}:{report.component}" in sources
            return named and all(spec.report is None for _, spec in part.rule.parts)
        return not sources or names[0] in self._any_source or any(name in sources for name in names)

    def _record(self, block: Block, entry: Entry, span: tuple[int, int], text: str) -> Record:
        at = entry.at or event_time(text, block.read_at, self._zone, self._boot_at)
        start, end = span
        start, end = start + block.start, end + block.start
        return Record(block.source, block.origin, text, start, end, at, entry.fields, entry.report)

    def _reports(self, block: Block, entries: Entries) -> tuple[Record, ...]:
        """Those of applications that tell of no error."""
        told = [each for each in block.entries if each.report is not None and each.report.kind is not ReportKind.ERROR]
        return tuple(self._record_of(block, entries, entries.span_at(each.start)) for each in told)

    def _mute(self) -> None:
        with self._muting:
            quarantined = self._budget.quarantined
            self._scanner.mute(frozenset(n for n, part in enumerate(self._owner) if part.rule.id in quarantined))


def _scanned(spec: MatchSpec) -> Sequence[str | None]:
    """What is looked for in the bytes of a block. The value of a field may stand there in another form: JSON and logfmt
    write what is special behind a backslash. For reports nothing is: no line costs anything."""
    if spec.report is not None:
        return (None,)
    return [*spec.patterns, r"\\"] if spec.field else list(spec.patterns)


def _tells_of_no_error(entries: Entries | None, start: int) -> bool:
    """A report of another kind is an issue by itself, whatever error it names as its reason."""
    report = entries.at(start).report if entries is not None else None
    return report is not None and report.kind is not ReportKind.ERROR


def _note(unknown: dict[str, _Same], kind: Kind, span: tuple[int, int]) -> None:
    same = unknown.get(kind.fingerprint)
    if same is None:
        unknown[kind.fingerprint] = _Same(kind, [span], kind.critical)
    else:
        same.spans.append(span)
        same.critical = same.critical or kind.critical


def _lines(content: bytes, start: int, end: int | None) -> int:
    whole = content.count(b"\n", start, end)
    return whole + (end is None and len(content) > start and not content.endswith(b"\n"))


def group_of(rule: Rule, captures: Mapping[str, str]) -> str:
    by = rule.when.trigger.by
    if not by:
        return ""
    if not any(name in captures for name in by):
        return EVERY_GROUP  # a part of the rule that tells of no group
    return GROUP_SEPARATOR.join([captures.get(name, "") for name in by])
