"""Texts that a pattern matches, made from the pattern."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import regex

from logmedic.core.fail2ban.tree import EDGES, Alternatives, Atom, Group, Node, Repeat, Row, render

HOST, HOST_6, NAME = "203.0.113.7", "2001:db8::7", "client.example"
_WORDS: Final = {"user": "anna", "alt_user": "anna", "cond_user": "anna"}
_WORD = "example"
_CHARACTERS = "x1A/ .-:=\"'[]()<>_,;@#!?*+%&|~^$`{}\\" + string.ascii_letters + string.digits + "\t\n"
_UNUSUAL = frozenset({r"\[", r"\]", "::[Ff]{4,6}:"})
"""Ways to write an address that make no good samples."""
ATTEMPTS = 60


def samples_of(body: Alternatives) -> Iterator[str]:
    """Different ways to write it, the plainest first. Some of them the pattern may not match: what it looks ahead for,
    or excludes, is not thought of."""
    seen: set[str] = set()
    for number in range(ATTEMPTS):
        try:
            text = _Writer(number).body(body)
        except ValueError:
            continue
        if text not in seen:
            seen.add(text)
            yield text


@dataclass(slots=True)
class _Writer:
    """`number` says which of the alternatives are taken, and how often what may be repeated is."""

    number: int
    _choices: int = 0
    _said: dict[str, str] = field(default_factory=dict)

    def body(self, body: Alternatives) -> str:
        return self._row(body[self._choose(len(body))])

    def _choose(self, among: int) -> int:
        """The first attempts take the first one everywhere; later ones mix."""
        if among < 2:
            return 0
        self._choices += 1
        if self.number < 2:
            return 0
        return (self.number * 2654435761 >> (self._choices % 24)) % among

    def _row(self, row: Row) -> str:
        return "".join(map(self._node, row))

    def _node(self, node: Node) -> str:
        match node:
            case Atom(text):
                return self._atom(text)
            case Repeat(item, times):
                return self._repeat(item, times)
            case Group(head, body):
                return self._group(node, head, body)

    def _atom(self, text: str) -> str:
        if text in EDGES:
            return ""
        if text.startswith("(?P="):
            return self._said.get(text[4:-1], "")
        return _character(text)

    def _group(self, group: Group, head: str, body: Alternatives) -> str:
        if group.looks:
            return ""
        if head.startswith("(?("):
            taken = head[3:-1] in self._said
            return self._row(body[0] if taken or len(body) < 2 else body[1]) if taken or len(body) > 1 else ""
        if group.name == "host":
            said = HOST if re.search(r"\\d\{1,3\}", render(body)) else HOST_6
        elif group.name == "name":
            said = NAME
        else:
            said = self.body(body)
        if group.name:
            said = self._named(group.name, said, body)
            self._said[group.name] = said
        return said

    def _named(self, name: str, said: str, body: Alternatives) -> str:
        """A name that reads well, where the group takes it."""
        word = _WORDS.get(name.rstrip("0123456789"))
        if word is None or (self.number % 2 == 1 and self.number > 2):
            return said
        try:
            return word if regex.fullmatch(render(body), word) else said
        except (regex.error, IndexError):
            return said

    def _repeat(self, item: Atom | Group, times: str) -> str:
        least, most = _bounds(times)
        if not least and render(((item,),)) in _UNUSUAL:
            return ""
        count = least if least else min(most, self._choose(2) if self.number != 1 else 1)
        if count and isinstance(item, Atom) and most > len(_WORD) and _takes(item.text, _WORD):
            return _WORD if least <= len(_WORD) else _WORD[0] * least
        return "".join(self._node(item) for _ in range(count))


def _bounds(times: str) -> tuple[int, int]:
    """Of a quantifier: least and most."""
    if times[0] in "*+?":
        return (1 if times[0] == "+" else 0), (1 if times[0] == "?" else 1000)
    least, comma, most = times[1 : times.index("}")].partition(",")
    return int(least or 0), int(most or 1000) if comma else int(least)


def _takes(atom: str, text: str) -> bool:
    try:
        return regex.fullmatch(f"(?:{atom})+", text) is not None
    except regex.error:
        return False


def _character(atom: str) -> str:
    if len(atom) == 1 and atom != ".":
        return atom
    if len(atom) == 2 and atom[0] == "\\" and not atom[1].isalnum():
        return atom[1]
    found = next((each for each in _CHARACTERS if _takes(atom, each)), None)
    if found is None:
        raise ValueError(f"no character for {atom}")
    return found
