"""Patterns that some text could make slow: what looks like it, and the text to try.

A backtracking engine is slow where one text can be split in many ways and none of them leads on. What is found here is
a suspicion: `regex` is spared many of them by what it does beforehand, so each is tried before it is told (`attacks`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, islice
from re import _constants as sre  # type: ignore[attr-defined]  # private: a failure only costs the warning
from typing import Any

from logmedic.core.widening import members_of, parse_tree, scoped

MAX_SUSPICIONS = 8
"""Of one pattern: the worst come first."""
_MANY = 8
"""A repeat that may take so many is as good as unbounded."""
_BACKTRACKS = (sre.MAX_REPEAT, sre.MIN_REPEAT)
_REPEATS = (*_BACKTRACKS, sre.POSSESSIVE_REPEAT)
_SINGLE = (sre.LITERAL, sre.NOT_LITERAL, sre.ANY, sre.IN)
_STARTS = (sre.AT_BEGINNING, sre.AT_BEGINNING_STRING)
_LIKELY = b"a0 x1_.-/:=,A\"'"
"""Characters that are easiest to read in a warning."""
NESTED = "a repeat inside of a repeat can share out the same text in many ways"
BRANCHES = "branches under a repeat take the same text"
ADJACENT = "repeats that follow one another take the same text"


@dataclass(frozen=True, slots=True)
class Suspicion:
    """`reason`: why it may be slow. The text to try: `before`, `again` so often as it is long enough, an end on which
    the pattern fails, and `after`, without which the engine would not begin."""

    reason: str
    before: str
    again: str
    after: str


@dataclass(frozen=True)
class _Item:
    """One part of a pattern, with the flags that hold there."""

    op: Any
    argument: Any
    flags: int

    @property
    def long(self) -> bool:
        """It may take much, and gives it back piece by piece."""
        return self.op in _BACKTRACKS and (self.argument[1] is sre.MAXREPEAT or int(self.argument[1]) >= _MANY)

    @cached_property
    def ways(self) -> list[list[_Item]]:
        """What stands in it: branches, or the one sequence that is repeated."""
        if self.op in _REPEATS:
            return [_items(self.argument[2], self.flags)]
        if self.op is sre.BRANCH:
            return [_items(branch, self.flags) for branch in self.argument[1]]
        return [_items(self.argument, self.flags)] if self.op is sre.ATOMIC_GROUP else []

    @cached_property
    def alone(self) -> frozenset[int]:
        """The ASCII characters of which a text, or none at all, serves it."""
        if self.op in (sre.AT, sre.ASSERT, sre.ASSERT_NOT) or (self.op in _REPEATS and self.argument[0] == 0):
            return _ASCII
        if self.op in _SINGLE:
            return self._members & _ASCII
        return frozenset().union(*map(_alone, self.ways))

    @cached_property
    def sample(self) -> str:
        """A short text that it may take."""
        if self.op in _REPEATS:
            return _text(self.ways[0]) * min(int(self.argument[0]), 64)
        if self.op is sre.LITERAL:
            return chr(self.argument)
        if self.op in _SINGLE:
            return _first(self._members) or "\u00e9"
        return _text(self.ways[0]) if self.ways else ""

    @property
    def _members(self) -> frozenset[int]:
        members = members_of(self.op, self.argument, self.flags)
        if self.op is sre.LITERAL and self.flags & re.IGNORECASE and self.argument < 0x80:
            return members | {ord(chr(self.argument).lower()), ord(chr(self.argument).upper())}
        return members


_Items = Sequence[_Item]


@dataclass(frozen=True, slots=True)
class _Around:
    """Texts that lead to a sequence and on from it. `anchored`: no other place can be its start."""

    before: str
    after: str
    anchored: bool

    def inside(self, items: _Items, number: int) -> _Around:
        before, after = _text(items[:number]), _text(items[number + 1 :])
        return _Around(self.before + before, after + self.after, self.anchored)

    def suspicion(self, reason: str, again: str, before: str = "", after: str = "") -> Suspicion:
        return Suspicion(reason, self.before + before, again, after + self.after)


def suspicions(pattern: str) -> list[Suspicion]:
    """Empty also where the pattern is in a dialect that `re` does not read."""
    tree = parse_tree(pattern)
    if tree is None:
        return []
    items = _items(tree, tree.state.flags)
    anchored = bool(items) and items[0].op is sre.AT and items[0].argument in _STARTS
    found = sorted(_of_sequence(items, _Around("", "", anchored)), key=lambda each: each[0])
    return list(islice(dict.fromkeys(suspicion for _, suspicion in found), MAX_SUSPICIONS))


def _items(sequence: Any, flags: int) -> list[_Item]:
    """With groups opened, as they change nothing here."""
    flat: list[_Item] = []
    for op, argument in sequence:
        if op is sre.SUBPATTERN:
            flat += _items(argument[3], scoped(flags, argument[1], argument[2]))
        else:
            flat.append(_Item(op, argument, flags))
    return flat


def _of_sequence(items: _Items, around: _Around) -> Iterator[tuple[int, Suspicion]]:
    """Each with its rank: the lower, the worse."""
    yield from _adjacent(items, around)
    for number, item in enumerate(items):
        here = around.inside(items, number) if item.ways else around
        if item.long:
            yield from _nested(item.ways[0], here)
            yield from _branching(item.ways[0], here)
        for way in item.ways:
            yield from _of_sequence(way, here)


def _nested(inner: _Items, around: _Around) -> Iterator[tuple[int, Suspicion]]:
    """A repeat in the body that can take what all of the body takes."""
    for number, item in enumerate(inner):
        if not item.long or item.argument[0] == item.argument[1]:
            continue
        others = [each for n, each in enumerate(inner) if n != number]
        again = _first(_alone(item.ways[0]) & _alone(others)) or _text(inner)
        if again and _take(item.ways[0], again):
            yield 0, around.suspicion(NESTED, again)


def _branching(inner: _Items, around: _Around) -> Iterator[tuple[int, Suspicion]]:
    """Two branches of the body that can take the same."""
    for number, item in enumerate(inner):
        others = _alone([each for n, each in enumerate(inner) if n != number])
        for one, other in combinations(item.ways if item.op is sre.BRANCH else (), 2):
            again = _first(_alone(one) & _alone(other) & others)
            if not again and _text(one) == _text(other):
                again = _text(inner)
            if again:
                yield 1, around.suspicion(BRANCHES, again)


def _adjacent(items: _Items, around: _Around) -> Iterator[tuple[int, Suspicion]]:
    """Long repeats, and what stands between them over and over: each of them can take it as well. Two of them, or three
    behind a fixed start, are needed for trouble: the time grows with the number of ways."""
    longs = [n for n, item in enumerate(items) if item.long]
    for first, last in combinations(longs, 2):
        between = items[first + 1 : last]
        common = _alone(items[first].ways[0]) & _alone(items[last].ways[0])
        again = _first(common & _alone(between)) or _text(between)
        ways = sum(bool(again) and _take(items[n].ways[0], again) for n in longs)
        if common and ways + (not around.anchored) > 2:
            yield 9 - min(ways, 6), around.suspicion(ADJACENT, again, _text(items[:first]), _text(items[last:]))


def _alone(items: _Items) -> frozenset[int]:
    """The characters of which alone a text can be made that all of them take."""
    return _ASCII.intersection(*(item.alone for item in items))


def _take(items: _Items, text: str) -> bool:
    return _alone(items).issuperset(map(ord, text))


def _first(codes: frozenset[int]) -> str:
    """The most readable of them."""
    return next((chr(code) for code in _ORDER if code in codes), "")


def _text(items: _Items) -> str:
    return "".join(item.sample for item in items)


_ASCII = frozenset(range(0x80))
_ORDER = (*_LIKELY, *(code for code in range(0x80) if code not in _LIKELY and code != 0x0A))
