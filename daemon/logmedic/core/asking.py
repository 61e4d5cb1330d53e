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
        return tuple(regex.compile(each, cache_pattern=False) for each in self.spec.patterns)

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

    __slots__ = ("first", "is_plain", "part", "patterns", "rule", "spec", "use")

    def __init__(self, rule: Rule, part: str, spec: MatchSpec, first: int, patterns: Patterns) -> None:
        self.rule = rule
        self.part = part
        self.spec = spec
        self.first = first
        self.patterns = patterns
        self.is_plain = not (spec.field or spec.program or spec.level is not None)
        self.use = Use()
        """Where its costs are counted: the rule's own, once there is a budget."""

    def places(self, indices: Sequence[int]) -> Sequence[int]:
        """Of its patterns, from their numbers in the scanner. A field's value may stand in the bytes in another form:
        then all of them are asked."""
        count = len(self.spec.patterns)
        if count == 1:
            return _ONLY
        return range(count) if self.spec.field else [each - self.first for each in indices if each < self.first + count]


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
