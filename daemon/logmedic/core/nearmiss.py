"""How far a pattern gets in a text that it does not match: what of it is there, and where it parts from the text.

A pattern is cut at its elements (a character, a class, a group, each with its quantifier); a group that stands once and
has one branch is cut inside as well. Whatever matches is matched by the part before any cut, too, so the longest part
that matches is found by halving.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import regex

from logmedic.core.scanner import search

TIMEOUT_S = 0.02
"""For one part of a pattern: a report must not take longer than what it reports on."""
ENOUGH = 0.25
"""So much of a pattern that matches from its start says where it parts from the text; of less, its end may say more."""
SHOWN = 60
"""Characters of the text that are shown where it goes another way."""

_ESCAPE = re.compile(
    r"\\(?:x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|[pPN]\{[^}]*\}|[gL]<[^>]*>|\d{1,3}|.)", re.DOTALL
)
_CLASS = re.compile(r"\[\^?\]?(?:\\.|\[:\^?\w+:\]|[^\]\\])*\]", re.DOTALL)
_QUANTIFIER = re.compile(r"(?:[*+?]|\{[^{}]*\})[?+]?")
_OPTIONAL = re.compile(r"[*?]|\{(?:0?,\d*|0)\}")
_OPENS = re.compile(r"\((?!\?)|\(\?P?<\w+>|\(\?(?:[a-zA-Z]*(?:-[a-zA-Z]+)?):")
_FLAGS = re.compile(r"(?:\(\?[a-zA-Z]+\))+")
_VERBOSE = re.compile(r"\(\?[a-zA-Z]*x")
_ZERO_WIDTH = re.compile(r"[\^$]|\\[bBAZmMG]|\(\?(?:[=!]|<[=!]|[a-zA-Z]+\)|#)")
_WORD = re.compile(r"(?<!\\)[A-Za-z][a-z]{2,}")
_NOT_WORDS = re.compile(r"\(\?P?<\w+>|\[(?:\\.|[^\]\\])*\]|\\[a-zA-Z]")


@dataclass(frozen=True, slots=True)
class NearMiss:
    """`got` is the part of the pattern that matches, and `matched` what it matches of the text; `wanted` is the rest,
    and `found` what the text has there, from place `at` on. `from_end`: it is the pattern's end that matches, and what
    is wanted stands before it. `share`: how much of what the pattern asks for is there, from 0 to 1."""

    pattern: str
    got: str
    matched: str
    wanted: str
    found: str
    at: int
    share: float
    from_end: bool = False


@dataclass(frozen=True, slots=True)
class _Cut:
    """A place to cut at. `before` is the part before it, with its groups closed, `end` where it is in the pattern;
    `weight`: how much that part asks for. `loose`: its last element may as well match nothing."""

    before: str
    end: int
    weight: float
    loose: bool
    top: bool


@dataclass(frozen=True, slots=True)
class _Branch:
    """One alternative of a pattern; `flags` are those of the whole."""

    text: str
    flags: str
    cuts: tuple[_Cut, ...]

    @property
    def weight(self) -> float:
        return self.cuts[-1].weight if self.cuts else 0.0


def near_miss(pattern: str, text: str) -> NearMiss | None:
    """The best that any alternative of `pattern` does in `text`, from its start or from its end; None when nothing of
    it is there, or all of it."""
    if _search(pattern, text) is not None:
        return None
    found = [miss for branch in _branches(pattern) for miss in _misses(pattern, branch, text)]
    return max(found, key=lambda miss: miss.share, default=None)


def likeness(pattern: str, text: str) -> float:
    """A cheap guess, from 0 to 1: how many of the words in `pattern` stand in `text`."""
    words = _words(pattern)
    return sum(each in text for each in words) / len(words) if words else 0.0


@lru_cache(maxsize=16_384)
def _words(pattern: str) -> frozenset[str]:
    return frozenset(_WORD.findall(_NOT_WORDS.sub(" ", pattern)))


def _misses(pattern: str, branch: _Branch, text: str) -> Iterator[NearMiss]:
    forward = _forward(pattern, branch, text)
    if forward is not None:
        yield forward
    if forward is not None and forward.share >= ENOUGH:
        return
    backward = _backward(pattern, branch, text)
    if backward is not None and (forward is None or backward.share > forward.share):
        yield backward


def _forward(pattern: str, branch: _Branch, text: str) -> NearMiss | None:
    cuts = branch.cuts
    count = _most(len(cuts), lambda n: _search(branch.flags + cuts[n - 1].before, text) is not None)
    if count == len(cuts):
        return None
    while count and cuts[count - 1].loose:  # what it takes by being greedy is told of as wanted
        count -= 1
    if not count or not cuts[count - 1].weight:
        return None
    cut = cuts[count - 1]
    match = _search(branch.flags + cut.before, text)
    assert match is not None  # noqa: S101  a longer part matched
    return NearMiss(
        pattern,
        branch.text[: cut.end],
        match[0],
        branch.text[cut.end :],
        text[match.end() : match.end() + SHOWN],
        match.end(),
        cut.weight / branch.weight,
    )


def _backward(pattern: str, branch: _Branch, text: str) -> NearMiss | None:
    tops = [cut for cut in branch.cuts if cut.top]
    count = _most(len(tops), lambda n: _search(branch.flags + branch.text[tops[-n].end :], text) is not None)
    while count > 1 and tops[1 - count].loose:
        count -= 1
    if count < 2 or not branch.weight:
        return None
    cut = tops[-count]
    match = _search(branch.flags + branch.text[cut.end :], text)
    if match is None or not match[0]:
        return None
    share = 1 - cut.weight / branch.weight
    before = text[max(0, match.start() - SHOWN) : match.start()]
    return NearMiss(
        pattern, branch.text[cut.end :], match[0], branch.text[: cut.end], before, match.start(), share, from_end=True
    )


def _most(limit: int, holds: Callable[[int], bool]) -> int:
    """The largest number up to `limit` that holds, where each number holds that is smaller than one that does."""
    low, high = 0, limit
    while low < high:
        middle = (low + high + 1) // 2
        if holds(middle):
            low = middle
        else:
            high = middle - 1
    return low


def _search(part: str, text: str) -> regex.Match[str] | None:
    """None as well for a part that does not stand alone (it refers to a group of the rest), or that takes long."""
    try:
        return search(regex.compile(part), text, TIMEOUT_S)
    except (regex.error, TimeoutError):
        return None


@lru_cache(maxsize=1024)
def _branches(pattern: str) -> tuple[_Branch, ...]:
    flags = found[0] if (found := _FLAGS.match(pattern)) else ""
    inner = pattern[len(flags) :]
    if _VERBOSE.search(pattern):
        return ()  # white space and comments are no elements
    return tuple(_Branch(each, flags, tuple(_cuts(each))) for each in _alternatives(inner))


def _alternatives(text: str) -> Sequence[str]:
    alternatives, start, at = [], 0, 0
    while at < len(text):
        if text[at] == "|":
            alternatives.append(text[start:at])
            start = at + 1
        at = _atom_end(text, at)
    return [*alternatives, text[start:]]


def _cuts(text: str) -> Iterator[_Cut]:
    weight, at = 0.0, 0
    while at < len(text):
        end = _atom_end(text, at)
        quantifier = _QUANTIFIER.match(text, end)
        behind = quantifier.end() if quantifier else end
        opens = _OPENS.match(text, at) if text[at] == "(" and quantifier is None and text[end - 1] == ")" else None
        inner = text[opens.end() : end - 1] if opens else ""
        if opens is not None and inner and len(_alternatives(inner)) == 1:
            last = weight
            for cut in _cuts(inner):
                last = weight + cut.weight
                if opens.end() + cut.end < end - 1:
                    before = text[: opens.end()] + cut.before + ")"
                    yield _Cut(before, opens.end() + cut.end, last, cut.loose, top=False)
            weight = last
        else:
            weight += _weight(text[at:end])
        loose = quantifier is not None and _OPTIONAL.match(quantifier[0]) is not None
        yield _Cut(text[:behind], behind, weight, loose, top=True)
        at = behind


def _atom_end(text: str, at: int) -> int:
    """Behind the element that begins there, without its quantifier."""
    if text[at] == "(":
        return _group_end(text, at)
    form = {"\\": _ESCAPE, "[": _CLASS}.get(text[at])
    found = form.match(text, at) if form else None
    return found.end() if found else at + 1


def _group_end(text: str, at: int) -> int:
    if text.startswith("(?#", at):
        return text.find(")", at) + 1 or len(text)
    at += 1
    while at < len(text) and text[at] != ")":
        at = _atom_end(text, at)
    return min(at + 1, len(text))


def _weight(atom: str) -> float:
    """A character that has to stand there counts most."""
    if _ZERO_WIDTH.match(atom):
        return 0.0
    literal = (len(atom) == 1 and atom != ".") or (len(atom) == 2 and atom[0] == "\\" and not atom[1].isalnum())
    return 1.0 if literal else 0.25
