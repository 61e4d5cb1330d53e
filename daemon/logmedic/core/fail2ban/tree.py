"""Patterns of Python's `re` as trees, and back as `regex` reads them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from logmedic.core.fail2ban.ini import FilterInvalid


@dataclass(frozen=True, slots=True)
class Atom:
    """One character (`a`, `\\.`, `\\w`, `[^"]`, `.`), or the edge of a text (`^`, `$`, `\\b`), or a backreference."""

    text: str


@dataclass(frozen=True, slots=True)
class Group:
    """`head` is how it begins: `(`, `(?:`, `(?P<name>`, `(?=`, `(?!`, `(?i:`, `(?(name)`, ..."""

    head: str
    body: Alternatives

    @property
    def name(self) -> str:
        return self.head[4:-1] if self.head.startswith("(?P<") else ""

    @property
    def looks(self) -> bool:
        """It takes no characters."""
        return self.head in ("(?=", "(?!", "(?<=", "(?<!")


@dataclass(frozen=True, slots=True)
class Repeat:
    item: Atom | Group
    times: str


Node = Atom | Group | Repeat
Row = tuple[Node, ...]
Alternatives = tuple[Row, ...]

START, END = Atom("^"), Atom("$")
EDGES = frozenset({"^", "$", "\\b", "\\B", "\\A", "\\Z"})
_HEAD = re.compile(r"\((?:\?(?:P<\w+>|P=\w+|<[=!]|[:=!>]|\(\w+\)|[aiLmsux-]+:?|#[^)]*))?")
_TIMES = re.compile(r"(?:[*+?]|\{\d+(?:,\d*)?\}|\{,\d+\})[?+]?")
MAX_DEPTH = 50
"""Of groups inside groups; fail2ban's own filters have 6."""
_ESCAPE = re.compile(r"\\(?:x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|0[0-7]{0,2}|[1-9]\d?|.)", re.DOTALL)


def parse(text: str) -> Alternatives:
    """Raises FilterInvalid for what is no pattern."""
    parser = _Parser(text)
    body = parser.alternatives()
    if parser.at < len(text):
        raise FilterInvalid(f"the pattern `{text[:120]}` has a `)` too many")
    return body


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self._depth = 0

    def alternatives(self) -> Alternatives:
        rows: list[Row] = [self._row()]
        while self.text.startswith("|", self.at):
            self.at += 1
            rows.append(self._row())
        return tuple(rows)

    def _row(self) -> Row:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise FilterInvalid(f"the pattern `{self.text[:120]}` has groups in groups, more than {MAX_DEPTH} deep")
        row = self._nodes()
        self._depth -= 1
        return row

    def _nodes(self) -> Row:
        row: list[Node] = []
        while self.at < len(self.text) and self.text[self.at] not in "|)":
            node = self._node()
            if isinstance(node, Group) and re.fullmatch(r"\(\?[aiLmsux]+", node.head):
                return (*row, Group(f"{node.head}:", (self._row(), *self._rest())))  # (?i) is about all that follows
            times = _TIMES.match(self.text, self.at)
            if times is not None and not (isinstance(node, Atom) and node.text in EDGES):
                self.at = times.end()
                row.append(Repeat(node, times[0]))
            elif not (isinstance(node, Group) and node.head.startswith("(?#")):
                row.append(node)
        return tuple(row)

    def _rest(self) -> Alternatives:
        """The alternatives that follow, of the same group."""
        rows: list[Row] = []
        while self.text.startswith("|", self.at):
            self.at += 1
            rows.append(self._row())
        return tuple(rows)

    def _node(self) -> Atom | Group:
        char = self.text[self.at]
        if char == "(":
            return self._group()
        if char == "[":
            return self._set()
        if char == "\\":
            found = _ESCAPE.match(self.text, self.at)
            if found is None:
                raise FilterInvalid(f"the pattern `{self.text[:120]}` ends with a backslash")
            self.at = found.end()
            return Atom(found[0])
        self.at += 1
        return Atom("\\" + char if char in "{}" else char)

    def _group(self) -> Atom | Group:
        found = _HEAD.match(self.text, self.at)
        head = found[0] if found is not None else "("
        self.at += len(head)
        if head == "(" and self.text.startswith("?", self.at):
            raise FilterInvalid(f"the pattern `{self.text[:120]}` has a group that is not known")
        body: Alternatives = ((),) if head.startswith(("(?#", "(?P=")) else self.alternatives()
        if not self.text.startswith(")", self.at):
            raise FilterInvalid(f"the pattern `{self.text[:120]}` has a `(` too many")
        self.at += 1
        return Atom(f"{head})") if head.startswith("(?P=") else Group(head, body)

    def _set(self) -> Atom:
        """`regex` takes `[:` and further `[` for more than a character."""
        at = self.at + 1
        if self.text.startswith("^", at):
            at += 1
        parts = [self.text[self.at : at]]
        first = True
        while at < len(self.text) and (first or self.text[at] != "]"):
            step = 2 if self.text[at] == "\\" else 1
            piece = self.text[at : at + step]
            parts.append("\\" + piece if piece == "[" or (first and piece == "]") else piece)
            at, first = at + step, False
        if at >= len(self.text):
            raise FilterInvalid(f"the pattern `{self.text[:120]}` has a `[` too many")
        self.at = at + 1
        return Atom("".join(parts) + "]")


def render(body: Alternatives) -> str:
    return "|".join("".join(map(_text, row)) for row in body)


def _text(node: Node) -> str:
    if isinstance(node, Atom):
        return node.text
    if isinstance(node, Repeat):
        item = node.item
        if isinstance(item, Group) and item.head == "(?:" and _is_atom(item.body):
            return f"{render(item.body)}{node.times}"
        return (f"{item.head}{render(item.body)})" if isinstance(item, Group) else item.text) + node.times
    if node.head == "(?:" and len(node.body) == 1:
        return render(node.body)
    return f"{node.head}{render(node.body)})"


def _is_atom(body: Alternatives) -> bool:
    return len(body) == 1 and len(body[0]) == 1 and isinstance(body[0][0], Atom)


Change = Callable[[Node], "Row | None"]


def replaced(body: Alternatives, change: Change) -> Alternatives:
    """Each node for which `change` gives a row becomes that row, from the outside to the inside."""
    return tuple(tuple(each for node in row for each in _replaced(node, change)) for row in body)


def _replaced(node: Node, change: Change) -> Row:
    row = change(node)
    if row is not None:
        return row
    match node:
        case Group(head, body):
            return (Group(head, replaced(body, change)),)
        case Repeat(item, times):
            inner = _replaced(item, change)
            if not inner:
                return ()
            if len(inner) == 1 and not isinstance(inner[0], Repeat):
                return (Repeat(inner[0], times),)
            return (Repeat(Group("(?:", (inner,)), times),)
    return (node,)


def names(body: Alternatives) -> frozenset[str]:
    """Of its groups."""
    return frozenset(re.findall(r"\(\?P<(\w+)>", render(body)))
