"""One part of a rule and its compiled patterns: what it says of one record's text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import Enum, auto
from functools import cached_property

import regex

from logmedic.core.budget import Use
from logmedic.core.captures import accept
from logmedic.core.scanner import search
from logmedic.model.match import Capture, MatchSpec
from logmedic.model.rule import Rule


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
    REPORT = auto()
    SOURCE = auto()
    QUARANTINED = auto()


class Patterns:
    """Those of one spec. They compile when they are asked for the first time: of 10,000 rules few ever are, and all
    would take six seconds. That they do compile is for the loader to know; a pattern that does not raises regex.error
    then."""

    def __init__(self, spec: MatchSpec) -> None:
        self.spec = spec

    @cached_property
    def wanted(self) -> tuple[regex.Pattern[str], ...]:
        """Of reports without a pattern: one that takes everything."""
        patterns = self.spec.patterns or (("",) if self.spec.report is not None else ())
        return tuple(regex.compile(each, cache_pattern=False) for each in patterns)

    @cached_property
    def unless(self) -> tuple[regex.Pattern[str], ...]:
        return tuple(regex.compile(each, cache_pattern=False) for each in self.spec.unless)

    @cached_property
    def captures(self) -> tuple[tuple[tuple[str, Capture], ...], ...]:
        """Of each pattern, those that it has a group for: a pattern that lacks the group altogether gives none."""
        return tuple(
            tuple((name, each) for name, each in self.spec.captures.items() if name in pattern.groupindex)
            for pattern in self.wanted
        )

    @cached_property
    def told(self) -> tuple[tuple[str, Capture], ...]:
        """The captures that no pattern has a group for: of reports, whose fields they are."""
        groups = {name for pattern in self.wanted for name in pattern.groupindex}
        return tuple((name, each) for name, each in self.spec.captures.items() if name not in groups)

    def search_report(
        self, candidates: Iterable[int], text: str, fields: Mapping[str, str], timeout_s: float
    ) -> dict[str, str] | No:
        """As `search`, of a report with these `fields`."""
        answer = self.search(candidates, text, timeout_s)
        if isinstance(answer, No):
            return answer
        told = {name: fields.get(name, "") for name, _ in self.told}
        if any(accept(told[name], capture) is None for name, capture in self.told):
            return No.REFUSED
        return {**told, **answer}

    def search(self, candidates: Iterable[int], text: str, timeout_s: float) -> dict[str, str] | No:
        """The captures of the first of the `candidates` (places in the spec) that matches and whose captures are all
        accepted: a forged part that is refused must not hide what another pattern sees."""
        answer: dict[str, str] | No = No.MATCH
        try:
            for place in candidates:
                if (match := search(self.wanted[place], text, timeout_s)) is None:
                    continue
                captures = _typed(self.captures[place], match)
                answer = No.REFUSED if captures is None else captures
                if captures is not None:
                    break
            if answer is not No.MATCH and any(search(each, text, timeout_s) for each in self.unless):
                return No.UNLESS
        except TimeoutError:
            return No.TIMEOUT
        return answer


_ONLY = (0,)


class Part:
    """`part` of `rule`, as Rule.parts names it. `first`: the number that its first pattern has in the scanner."""

    __slots__ = ("first", "is_plain", "of_reports", "part", "patterns", "rule", "spec", "use")

    def __init__(self, rule: Rule, part: str, spec: MatchSpec, first: int, patterns: Patterns) -> None:
        self.rule = rule
        self.part = part
        self.spec = spec
        self.first = first
        self.patterns = patterns
        self.of_reports = spec.report is not None
        self.is_plain = not (spec.field or spec.program or spec.level is not None or self.of_reports)
        self.use = Use()
        """Where its costs are counted: the rule's own, once there is a budget."""

    def places(self, indices: Sequence[int]) -> Sequence[int]:
        """Of its patterns, from their numbers in the scanner. A field's value may stand in the bytes in another form,
        and for reports nothing is looked for: then all of them are asked."""
        count = len(self.spec.patterns)
        if count <= 1:
            return _ONLY
        if self.spec.field or self.of_reports:
            return range(count)
        return [each - self.first for each in indices if each < self.first + count]


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


Answer = Mapping[str, str] | No
