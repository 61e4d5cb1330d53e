"""New inputs from known ones. Pure: the same chance gives the same inputs."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import pairwise
from random import Random

NUMBERS = (
    *(b"0", b"-1", b"1", b"255", b"256", b"65535", b"65536", b"2147483647", b"2147483648", b"4294967296"),
    *(b"9223372036854775807", b"9223372036854775808", b"18446744073709551616", b"1e309", b"-1e309", b"nan", b"1e-400"),
    *(b"0x7fffffff", b"00000000000000000001", b"9" * 400, b"0.1", b"-0", b"1_000", b"253402300800", b"-62135596801"),
)
"""Bounds of machine words, of floats, and of datetime."""
TEXTS = (
    *(b"", b"\0", b"\xff\xfe", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xef\xbb\xbf", b"\xe2\x80\xae"),
    *(
        b"\xe2\x80\xa8",
        b"\xc2\x85",
        b"\x1b[2J",
        b"\r\n",
        b"\r",
        b"\n\n",
        b"\t",
        b"'",
        b'"',
        b"`",
        b"\\",
        b"%s",
        b"{",
        b"}",
    ),
    *(b"{0}", b"{{", b"${file:/x}", b"..", b"../../", b"/dev/null", b"A" * 300, b"\xf0\x9f\x92\xa9", b"\xcc\x80" * 40),
    *(b"null", b"true", b"[]", b"{}", b'""', b"~", b"\\ud800", b"\\u0000", b"(?P<a>", b"(a+)+$", b".*"),
)
"""What readers of text stumble over: no UTF-8, controls, bidi, other newlines, quotes, other languages' words."""
OPENINGS = ((b"[", b"]"), (b"{", b"}"), (b'{"a":', b"}"), (b"(", b")"), (b"- ", b""), (b"&a [*a,", b"]"), (b"<", b">"))
_NUMBER = re.compile(rb"-?\d+(?:\.\d+)?")
_SCALAR = re.compile(rb'"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'|-?\d+(?:\.\d+)?|\b(?:true|false|null)\b|(?<=: )[^\n]+')
REPEATS = (2, 3, 8, 70, 1000)


class Mutator:
    """Of one run. `tokens`: words of the language that is read."""

    def __init__(self, chance: Random, tokens: Sequence[bytes], most_bytes: int) -> None:
        self._chance = chance
        self._tokens = (*tokens, *TEXTS)
        self._most_bytes = most_bytes
        self._ways: tuple[Callable[[bytes], bytes], ...] = (
            *(self._flip, self._byte, self._cut, self._truncate, self._repeat, self._insert, self._insert),
            *(self._number, self._scalar, self._scalar, self._nest, self._swap_lines, self._drop_lines),
            *(self._double_lines, self._indent),
        )

    def mutated(self, known: bytes, other: bytes) -> bytes:
        """`known`, changed once or a few times; or the beginning of it and the end of `other`."""
        changed = known
        if self._chance.random() < 0.15:
            changed = self._spliced(changed, other)
        for _ in range(min(8, 1 + int(self._chance.expovariate(0.7)))):
            changed = self._chance.choice(self._ways)(changed)[: self._most_bytes]
        return changed

    def _span(self, known: bytes, most: int) -> tuple[int, int]:
        start = self._chance.randint(0, len(known))
        return start, min(len(known), start + self._chance.randint(0, most))

    def _word(self) -> bytes:
        return self._chance.choice(self._tokens if self._chance.random() < 0.8 else NUMBERS)

    def _spliced(self, known: bytes, other: bytes) -> bytes:
        """Cut between lines as often as anywhere."""
        if self._chance.random() < 0.5:
            return known[: self._chance.randint(0, len(known))] + other[self._chance.randint(0, len(other)) :]
        ours, theirs = known.splitlines(True), other.splitlines(True)
        return b"".join((*ours[: self._chance.randint(0, len(ours))], *theirs[self._chance.randint(0, len(theirs)) :]))

    def _flip(self, known: bytes) -> bytes:
        if not known:
            return b"\0"
        at = self._chance.randrange(len(known))
        return known[:at] + bytes((known[at] ^ 1 << self._chance.randrange(8),)) + known[at + 1 :]

    def _byte(self, known: bytes) -> bytes:
        at = self._chance.randint(0, len(known))
        return known[:at] + bytes((self._chance.randrange(256),)) + known[at + self._chance.randint(0, 1) :]

    def _cut(self, known: bytes) -> bytes:
        start, end = self._span(known, 64)
        return known[:start] + known[end:]

    def _truncate(self, known: bytes) -> bytes:
        return known[: self._chance.randint(0, len(known))]

    def _repeat(self, known: bytes) -> bytes:
        start, end = self._span(known, self._chance.choice((1, 8, 200)))
        times = min(self._chance.choice(REPEATS), 1 + self._most_bytes // max(1, end - start))
        return known[:start] + known[start:end] * times + known[end:]

    def _insert(self, known: bytes) -> bytes:
        start, end = self._span(known, self._chance.choice((0, 0, 8)))
        return known[:start] + self._word() + known[end:]

    def _number(self, known: bytes) -> bytes:
        return self._replaced(known, _NUMBER, self._chance.choice(NUMBERS))

    def _scalar(self, known: bytes) -> bytes:
        """A value of YAML, JSON or a header gets another one, often in quotes."""
        word = self._word()
        return self._replaced(known, _SCALAR, self._chance.choice((word, b'"' + word + b'"', b"[" + word + b"]")))

    def _replaced(self, known: bytes, pattern: re.Pattern[bytes], by: bytes) -> bytes:
        found = list(pattern.finditer(known))
        if not found:
            return known + by
        start, end = self._chance.choice(found).span()
        return known[:start] + by + known[end:]

    def _nest(self, known: bytes) -> bytes:
        opening, closing = self._chance.choice(OPENINGS)
        start, end = self._span(known, 64)
        depth = min(self._chance.choice((1, 3, 70, 1200)), self._most_bytes // (len(opening) + len(closing)))
        closed = closing * depth if self._chance.random() < 0.7 else b""
        return known[:start] + opening * depth + known[start:end] + closed + known[end:]

    def _lines(self, known: bytes) -> tuple[list[bytes], int, int]:
        lines = known.splitlines(True)
        start = self._chance.randint(0, len(lines))
        return lines, start, min(len(lines), start + self._chance.randint(1, 6))

    def _drop_lines(self, known: bytes) -> bytes:
        lines, start, end = self._lines(known)
        return b"".join((*lines[:start], *lines[end:]))

    def _double_lines(self, known: bytes) -> bytes:
        lines, start, end = self._lines(known)
        at = self._chance.randint(0, len(lines))
        return b"".join((*lines[:at], *lines[start:end], *lines[at:]))

    def _swap_lines(self, known: bytes) -> bytes:
        lines = known.splitlines(True)
        cuts = sorted(self._chance.randint(0, len(lines)) for _ in range(3))
        parts = [lines[start:end] for start, end in pairwise((0, *cuts, len(lines)))]
        return b"".join(line for part in (parts[0], parts[2], parts[1], parts[3]) for line in part)

    def _indent(self, known: bytes) -> bytes:
        lines, start, end = self._lines(known)
        spaces = self._chance.choice((1, 2, 4))
        moved = [b" " * spaces + line for line in lines[start:end]]
        if self._chance.random() < 0.5:
            moved = [line.removeprefix(b" " * spaces) for line in lines[start:end]]
        return b"".join((*lines[:start], *moved, *lines[end:]))
