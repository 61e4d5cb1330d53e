"""From a pattern over text to one over raw bytes that accepts at least as much, and that Hyperscan takes.

A character of a record's text stands for these bytes: an ASCII character for itself, a newline for LF or CR LF, any
other character (U+FFFD among them, which stands for invalid bytes) for one to four bytes from 0x80 on. Each part of a
pattern is replaced by one that accepts the bytes of every text which that part accepts; what bytes cannot tell
(assertions, Unicode word boundaries, back-references) is dropped or repeated. A hit may be false; a miss cannot be.
"""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from re import _constants as sre  # type: ignore[attr-defined]  # private: any failure below only costs speed
from re import _parser as sre_parser  # type: ignore[attr-defined]
from typing import Any

LIGHT = 5_000
"""A pattern of no more elements compiles in milliseconds, wherever it is: F42 is about millions of them."""
MIN_LITERAL = 6
"""A required literal of this length stands for the whole pattern: literals scan about three times faster."""
_MAX_COUNT = 32
"""Counts above this are widened to "or more": Hyperscan unrolls them."""
_MAX_GROUP_COUNT = 3

# What `regex` reads and `re` reads differently without an error: fuzzy counts and POSIX classes.
_DIALECT = re.compile(r"\{[\s\d<=+]*[eids]\s*[<,}+:=]|\[:\^?\w+:\]")
_HIGH = frozenset(range(0x80, 0x100))
_ALL = frozenset(range(0x100))
_DIGIT = frozenset(b"0123456789")
_WORD = _DIGIT | frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_")
_SPACE = frozenset(b" \t\n\r\f\v")
_SPACE_TOO = frozenset(b"\x1c\x1d\x1e\x1f")  # space for some engines, not for others: in \s and in \S
_LF, _CR = 0x0A, 0x0D
_FOLDED = {  # the letters that equal a character outside ASCII when case is ignored
    "i": r"(?:[iI]|\xc4[\xb0\xb1])",
    "k": r"(?:[kK]|\xe2\x84\xaa)",
    "s": r"(?:[sS]|\xc5\xbf)",
}
_UNBOUNDED = sre.MAXREPEAT
_REPEATS = (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT)


@dataclass(frozen=True, slots=True)
class Widened:
    """`expression` is for Hyperscan in bytes mode with MULTILINE. `literal`: it is but the longest part that every
    match holds, so that common text may give many false hits."""

    expression: str
    literal: bool


def widen(pattern: str, *, whole: bool = False, inside: bool = False) -> Widened | None:
    """None when the pattern is in a dialect that is not understood here, or may match nothing at all. `whole`: not
    even a good literal stands for it. `inside`: it is about a part of a record, whose bounds bytes do not show."""
    tree = parse_tree(pattern)
    if tree is None or tree.getwidth()[0] == 0:  # an empty match may end before the first byte of its record
        return None
    flags = tree.state.flags
    literal = max(_literals(tree, flags), key=len, default=b"")
    if not whole and len(literal) >= MIN_LITERAL:
        return Widened("".join(map(_byte, literal)), literal=True)
    expression = _Emitter(inside).sequence(tree, flags, tail=True)
    return Widened(expression, literal=False) if expression else None


def weight(pattern: str) -> float:
    """What it grows to when its counted repeats are written out, in elements. Infinite for a dialect that is not
    understood here."""
    tree = parse_tree(pattern)
    return math.inf if tree is None else _weight(tree)


def _weight(items: Any) -> float:
    total = 0.0
    for op, argument in items:
        if op in _REPEATS:
            least, most, inner = argument
            total += max(1, least if most is _UNBOUNDED else most) * max(1.0, _weight(inner))
        elif op is sre.BRANCH:
            total += sum(_weight(each) for each in argument[1])
        elif op is sre.SUBPATTERN:
            total += _weight(argument[3])
        elif op in (sre.ATOMIC_GROUP, sre.ASSERT, sre.ASSERT_NOT):
            total += _weight(argument if op is sre.ATOMIC_GROUP else argument[1])
        elif op is sre.GROUPREF_EXISTS:
            total += _weight(argument[1]) + _weight(argument[2] or ())
        else:
            total += len(argument) if op is sre.IN else 1
    return total


def parse_tree(pattern: str) -> Any | None:
    if _DIALECT.search(pattern):
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # sets that look like set operations are plain ones, for `regex` too
        try:
            return sre_parser.parse(pattern)
        except (re.error, OverflowError, RecursionError):
            return None


def _byte(value: int) -> str:
    return chr(value) if chr(value).isalnum() and value < 0x80 else f"\\x{value:02x}"


def _class(members: frozenset[int]) -> str:
    """A byte class, as ranges."""
    ordered = sorted(members)
    ranges: list[list[int]] = []
    for value in ordered:
        if ranges and value == ranges[-1][1] + 1:
            ranges[-1][1] = value
        else:
            ranges.append([value, value])
    if len(ordered) == 1:
        return _byte(ordered[0])
    return "[" + "".join(_byte(a) if a == b else f"\\x{a:02x}-\\x{b:02x}" for a, b in ranges) + "]"


def scoped(flags: int, added: int, removed: int) -> int:
    """The flags inside of a group. A type flag (ASCII, Unicode) replaces the other one."""
    kinds = int(re.ASCII | re.UNICODE | re.LOCALE)
    if added & kinds:
        flags &= ~kinds
    return (flags | added) & ~removed


def _literals(sequence: Any, flags: int) -> Iterator[bytes]:
    """Every run of characters that each match holds."""
    run = bytearray()
    for op, argument in _flat(sequence, flags):
        if op is sre.LITERAL:
            run += chr(argument).encode()
        elif op in (sre.AT, sre.ASSERT, sre.ASSERT_NOT):
            continue  # no width: what stands on both sides is adjacent
        else:
            yield bytes(run)
            run.clear()
            if op in _REPEATS and argument[0] >= 1:
                yield from _literals(argument[2], argument[3])
    yield bytes(run)


def _flat(sequence: Any, flags: int) -> Iterator[tuple[Any, Any]]:
    """The parts in a row, with groups opened. Literals that one byte string cannot stand for come as None. Repeats
    carry their flags along."""
    for op, argument in sequence:
        if op is sre.SUBPATTERN:
            _, added, removed, inner = argument
            yield from _flat(inner, scoped(flags, added, removed))
        elif op is sre.ATOMIC_GROUP:
            yield from _flat(argument, flags)
        elif op is sre.LITERAL and not _exact(argument, flags):
            yield None, None
        elif op in _REPEATS:
            yield op, (*argument, flags)
        else:
            yield op, argument


def _exact(code: int, flags: int) -> bool:
    if code == _LF or code == 0xFFFD or 0xD800 <= code <= 0xDFFF:
        return False
    return not flags & re.IGNORECASE or (code < 0x80 and not chr(code).isalpha())


class _Emitter:
    """Emits one tree; keeps its groups for back-references. `tail`: nothing that follows is emitted, so that what may
    be left out is left out (each further byte it takes would be a hit of its own)."""

    def __init__(self, inside: bool) -> None:
        self._inside = inside
        self._groups: dict[int, tuple[Any, int]] = {}

    def sequence(self, items: Sequence[Any], flags: int, tail: bool) -> str:
        self._remember(items, flags)
        parts: list[str] = []
        for op, argument in reversed(list(items)):
            text = self._part(op, argument, flags, tail)
            tail = tail and not text
            parts.append(text)
        return "".join(reversed(parts))

    def _remember(self, items: Sequence[Any], flags: int) -> None:
        for op, argument in items:
            if op is sre.SUBPATTERN and argument[0] is not None:
                self._groups[argument[0]] = (argument[3], scoped(flags, argument[1], argument[2]))

    def _part(self, op: Any, argument: Any, flags: int, tail: bool) -> str:
        if op in _REPEATS:
            least, most, inner = argument
            return self._repeat(least, most, inner, flags, tail)
        if op is sre.BRANCH:
            return self._branches(argument[1], flags, tail)
        if op is sre.SUBPATTERN:
            return _group(self.sequence(argument[3], scoped(flags, argument[1], argument[2]), tail))
        if op is sre.ATOMIC_GROUP:
            return _group(self.sequence(argument, flags, tail))
        if op is sre.GROUPREF:
            return "" if tail else self._reference(argument, flags)
        if op is sre.GROUPREF_EXISTS:
            return self._branches((argument[1], argument[2] or ()), flags, tail)
        if op is sre.AT and self._inside:
            return ""
        if op is sre.AT:
            return _position(argument, flags)
        if op in (sre.ASSERT, sre.ASSERT_NOT):
            return ""
        return _character(op, argument, flags, tail)

    def _branches(self, branches: Sequence[Any], flags: int, tail: bool) -> str:
        texts = [self.sequence(branch, flags, tail) for branch in branches]
        if not all(texts) and (tail or not any(texts)):
            return ""
        return "(?:" + "|".join(dict.fromkeys(texts)) + ")"

    def _reference(self, group: int, flags: int) -> str:
        if group not in self._groups or flags & re.IGNORECASE:
            return _class(_ALL) + "*"
        return _group(self.sequence(*self._groups[group], tail=False))

    def _repeat(self, least: int, most: Any, inner: Any, flags: int, tail: bool) -> str:
        if most == 0 or (tail and least == 0):
            return ""
        if (single := _single(inner, flags)) is not None:
            members, wide = single
            most = least if tail else _UNBOUNDED if wide else most
            return _class(members) + _count(least, most, _MAX_COUNT)
        text = self.sequence(inner, flags, tail=False)
        if not text:
            return ""
        if not tail:
            return f"(?:{text})" + _count(least, most, _MAX_GROUP_COUNT)
        before = min(least, _MAX_GROUP_COUNT) - 1
        return f"(?:{text}){{{before}}}" * (before > 0) + _group(self.sequence(inner, flags, tail=True))


def _group(text: str) -> str:
    return f"(?:{text})" if text else ""


def _count(least: int, most: Any, limit: int) -> str:
    least = min(least, limit)
    bound = "" if most is _UNBOUNDED or most > limit else str(most)
    return {"0,": "*", "1,": "+", "0,1": "?", "1,1": ""}.get(f"{least},{bound}", f"{{{least},{bound}}}")


def _position(where: Any, flags: int) -> str:
    if where in (sre.AT_BEGINNING, sre.AT_BEGINNING_STRING):
        return "^"
    if where in (sre.AT_END, sre.AT_END_STRING):
        return r"\x0d?$"
    if flags & re.ASCII:
        return r"\b" if where is sre.AT_BOUNDARY else r"\B"
    return ""


def _single(items: Any, flags: int) -> tuple[frozenset[int], bool] | None:
    """The class of a part that is one character wide, and whether one such character may be several bytes."""
    if len(items) != 1:
        return None
    op, argument = items[0]
    if op is sre.LITERAL and not (_exact(argument, flags) and argument < 0x80):
        return None
    if op not in (sre.LITERAL, sre.NOT_LITERAL, sre.ANY, sre.IN):
        return None
    members = members_of(op, argument, flags)
    return members, _is_wide(members)


def _is_wide(members: frozenset[int]) -> bool:
    return _LF in members or not _HIGH.isdisjoint(members)


def _character(op: Any, argument: Any, flags: int, tail: bool) -> str:
    if op is sre.LITERAL:
        return _literal(argument, flags)
    members = members_of(op, argument, flags)
    return _class(members) + ("{1,4}" if _is_wide(members) and not tail else "")


def _literal(code: int, flags: int) -> str:
    if code == _LF:
        return r"\x0d?\x0a"
    if _exact(code, flags):
        return "".join(map(_byte, chr(code).encode()))
    if code >= 0x80:
        return r"(?:[\x80-\xff]{1,4}|[A-Za-z])"
    letter = chr(code).lower()
    if letter in _FOLDED and not flags & re.ASCII:
        return _FOLDED[letter]
    return f"[{letter}{letter.upper()}]"


def members_of(op: Any, argument: Any, flags: int) -> frozenset[int]:
    """The bytes of the characters that a one-character part accepts; CR too where it accepts a newline."""
    if op is sre.ANY:
        members = _ALL if flags & re.DOTALL else _ALL - {_LF}
    elif op is sre.LITERAL:
        members = frozenset({argument})
    elif op is sre.NOT_LITERAL:
        members = _complement(_listed([(sre.LITERAL, argument)], flags, inside=True))
    elif argument and argument[0][0] is sre.NEGATE:
        members = _complement(_listed(argument[1:], flags, inside=True))
    else:
        members = _listed(argument, flags, inside=False)
    return members | {_CR} if _LF in members else members


def _complement(refused: frozenset[int]) -> frozenset[int]:
    return frozenset(range(0x80)) - refused | _HIGH


def _listed(items: Sequence[Any], flags: int, *, inside: bool) -> frozenset[int]:
    """The bytes of a class. `inside`: of a negated one, where only what it surely refuses counts."""
    members: set[int] = set()
    for op, argument in items:
        if op is sre.CATEGORY:
            members |= _category(argument, flags, inside)
        elif op is sre.LITERAL:
            members |= _span(argument, argument, flags, inside)
        elif op is sre.RANGE:
            members |= _span(argument[0], argument[1], flags, inside)
        elif not inside:
            return _ALL
    return frozenset(members)


def _span(first: int, last: int, flags: int, inside: bool) -> set[int]:
    members = set(range(first, min(last, 0x7F) + 1))
    if inside:
        return members
    if flags & re.IGNORECASE:
        members |= {
            ord(each) for code in members for each in (chr(code).lower(), chr(code).upper()) if ord(each) < 0x80
        }
        folded = not flags & re.ASCII and any(chr(code) in "iksIKS" for code in members)
        if folded or last >= 0x80:
            members |= set(_HIGH) | set(b"iksIKS")
    return members | set(_HIGH) if last >= 0x80 else members


def _category(category: Any, flags: int, inside: bool) -> frozenset[int]:
    plain = {
        sre.CATEGORY_DIGIT: _DIGIT,
        sre.CATEGORY_WORD: _WORD,
        sre.CATEGORY_SPACE: _SPACE,
        sre.CATEGORY_NOT_DIGIT: frozenset(range(0x80)) - _DIGIT,
        sre.CATEGORY_NOT_WORD: frozenset(range(0x80)) - _WORD,
        sre.CATEGORY_NOT_SPACE: frozenset(range(0x80)) - _SPACE,
    }[category]
    if inside:
        return plain - _SPACE_TOO if category in (sre.CATEGORY_SPACE, sre.CATEGORY_NOT_SPACE) else plain
    extra = _SPACE_TOO if category in (sre.CATEGORY_SPACE, sre.CATEGORY_NOT_SPACE) else frozenset()
    positive = category in (sre.CATEGORY_DIGIT, sre.CATEGORY_WORD, sre.CATEGORY_SPACE)
    return plain | extra | (frozenset() if positive and flags & re.ASCII else _HIGH)
