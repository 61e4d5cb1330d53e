"""Typed reading of a mapping. What is wrong is collected, with its place, and never raised: all mistakes at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from difflib import get_close_matches
from enum import StrEnum
from typing import TypeVar

from logmedic.core.durations import duration_text
from logmedic.core.sizes import size_text
from logmedic.model.problem import RuleProblem
from logmedic.yamldoc.document import MAX_PROBLEMS, Document, Node
from logmedic.yamldoc.units import parse_duration, parse_size

E = TypeVar("E", bound=StrEnum)
T = TypeVar("T")


def meant(word: str, known: Iterable[str]) -> str:
    """A hint: the nearest of the known words, or all of them."""
    names = sorted(known)
    close = get_close_matches(word, names, n=1)
    return f"did you mean `{close[0]}`?" if close else f"known here: {', '.join(names)}"


class Problems:
    """The mistakes of one document so far. `found`: the first MAX_PROBLEMS of them; `count` goes on, so that what
    comes after them is not taken for sound. `warnings` are beside them: they make nothing unsound."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self.found: list[RuleProblem] = []
        self.warnings: list[RuleProblem] = []
        self.count = 0

    def add(self, at: Node | tuple[int, int], text: str, hint: str = "") -> None:
        problem = self._problem(at, text, hint)
        if problem in self.found:  # a key that is read twice is wrong once
            return
        self.count += 1
        if len(self.found) < MAX_PROBLEMS:
            self.found.append(problem)

    def warn(self, at: Node | tuple[int, int], text: str, hint: str = "") -> None:
        problem = replace(self._problem(at, text, hint), warning=True)
        if problem not in self.warnings and len(self.warnings) < MAX_PROBLEMS:
            self.warnings.append(problem)

    def _problem(self, at: Node | tuple[int, int], text: str, hint: str) -> RuleProblem:
        line, column = at if isinstance(at, tuple) else (at.line, at.column)
        return RuleProblem(self._document.file, line, column, text, hint, self._document.excerpt(line))

    def column_in(self, node: Node, position: int) -> int | None:
        """The column of a character of a scalar (0-based); None when it is not written as it is, on one line."""
        line = self._document.excerpt(node.line)
        start = node.column - 1 + (line[node.column - 1 : node.column] in ("'", '"'))
        return start + position + 1 if line[start:].startswith(node.text) else None


class Fields:
    """One mapping, read key by key; `done` reports the keys that nobody asked for. A key that is missing or wrong gives
    the default, so that reading goes on."""

    def __init__(self, node: Node, problems: Problems, what: str) -> None:
        self.node = node
        self.problems = problems
        self.what = what
        self._known: dict[str, None] = {}
        self._values: Mapping[str, Node] = node.value if isinstance(node.value, Mapping) else {}
        if not isinstance(node.value, Mapping):
            problems.add(node, f"{what} has to be a mapping, and is {node.kind}", "write `key: value` lines")

    def __contains__(self, key: str) -> bool:
        return key in self._values

    def names(self) -> list[str]:
        """The keys that are there, in order."""
        return list(self._values)

    def at(self, key: str) -> tuple[int, int]:
        """Where `key` stands; the mapping's own place when it is not there."""
        return self.node.keys.get(key, (self.node.line, self.node.column))

    def node_of(self, key: str, *, required: bool = False) -> Node | None:
        self._known[key] = None
        node = self._values.get(key)
        if node is None and required and isinstance(self.node.value, Mapping):
            self.problems.add(self.node, f"{self.what} has no `{key}`", f"add `{key}: ...`")
        if node is not None and node.value is None:
            self.problems.add(self.at(key), f"`{key}` is empty", "write a value, or remove the key")
            return None
        return node

    def refuse(self, key: str, text: str, hint: str = "") -> None:
        """A key that is known and not served."""
        if key in self._values:
            self.problems.add(self.at(key), text, hint)
        self._known[key] = None

    def text(self, key: str, default: str = "", *, required: bool = False) -> str:
        node = self.node_of(key, required=required)
        if node is None:
            return default
        if required and node.value == "":
            self.problems.add(node, f"`{key}` is empty", "write some text")
        return self.text_of(node, key) or default

    def text_of(self, node: Node, key: str) -> str:
        """A number that stands where text is wanted is text."""
        if isinstance(node.value, str | int | float) and not isinstance(node.value, bool):
            return node.text
        self.problems.add(node, f"`{key}` has to be text, and is {node.kind}", "quote it" if node.text else "")
        return ""

    def texts(self, key: str, *, required: bool = False) -> list[str]:
        """One text, or a list of them."""
        return [self.text_of(each, key) for each in self.items(key, required=required)]

    def items(self, key: str, *, required: bool = False) -> list[Node]:
        """The items of a list; what is no list is its only item."""
        node = self.node_of(key, required=required)
        if node is None:
            return []
        if isinstance(node.value, tuple):
            if not node.value and required:
                self.problems.add(self.at(key), f"`{key}` is empty", "write at least one item")
            return list(node.value)
        return [node]

    def mapping(self, key: str, *, required: bool = False) -> Fields | None:
        node = self.node_of(key, required=required)
        if node is None:
            return None
        fields = Fields(node, self.problems, f"`{key}`")
        return fields if isinstance(node.value, Mapping) else None

    def boolean(self, key: str, default: bool) -> bool:
        node = self.node_of(key)
        if node is None:
            return default
        if isinstance(node.value, bool):
            return node.value
        self.problems.add(node, f"`{key}` has to be true or false, and is `{node.text[:40]}`", "write true or false")
        return default

    def integer(self, key: str, default: int | None, *, minimum: int, maximum: int) -> int:
        """`default` None: required."""
        node = self.node_of(key, required=default is None)
        if node is None:
            return minimum if default is None else default
        if isinstance(node.value, int) and not isinstance(node.value, bool) and minimum <= node.value <= maximum:
            return node.value
        self.problems.add(node, f"`{key}` has to be a whole number from {minimum} to {maximum}")
        return minimum if default is None else default

    def number(self, key: str, default: float, *, minimum: float, maximum: float) -> float:
        node = self.node_of(key)
        if node is None:
            return default
        value = node.value
        if isinstance(value, int | float) and not isinstance(value, bool) and minimum <= value <= maximum:
            return float(value)
        self.problems.add(node, f"`{key}` has to be a number from {minimum:g} to {maximum:g}")
        return default

    def duration(
        self,
        key: str,
        default: timedelta,
        *,
        minimum: timedelta = timedelta(0),
        maximum: timedelta = timedelta(days=30),
    ) -> timedelta:
        node = self.node_of(key)
        if node is None:
            return default
        found = self._parsed(node, parse_duration)
        if found is None:
            return default
        if not minimum <= found <= maximum:
            bounds = f"{duration_text(minimum)} to {duration_text(maximum)}"
            self.problems.add(node, f"`{key}` has to be from {bounds}, and is {node.text}")
        return found

    def size(self, key: str, default: int, *, minimum: int, maximum: int) -> int:
        node = self.node_of(key)
        if node is None:
            return default
        found = self._parsed(node, parse_size)
        if found is None:
            return default
        if not minimum <= found <= maximum:
            bounds = f"{size_text(minimum)} to {size_text(maximum)}"
            self.problems.add(node, f"`{key}` has to be from {bounds}, and is {node.text}", f"write a unit: {key}: 64M")
        return found

    def choice(self, key: str, kind: type[E], default: E | None) -> E | None:
        """`default` None: required."""
        node = self.node_of(key, required=default is None)
        return default if node is None else self.choice_of(node, key, kind) or default

    def choice_of(self, node: Node, key: str, kind: type[E]) -> E | None:
        names = [each.value for each in kind]
        if node.text in names:
            return kind(node.text)
        self.problems.add(node, f"`{node.text[:40] or node.kind}` is no {key}", meant(node.text, names))
        return None

    def done(self) -> None:
        """Report the keys that nobody asked for."""
        for key in self._values:
            if key not in self._known:
                self.problems.add(self.at(key), f"unknown key `{key}` in {self.what}", meant(key, self._known))

    def _parsed(self, node: Node, parse: Callable[[str], T]) -> T | None:
        try:
            return parse(node.text or str(node.kind))
        except ValueError as error:
            words, _, hint = str(error).partition("; ")
            self.problems.add(node, words, hint)
            return None
