"""Tests by their names, read from the files and not run: `test_f05_f08_...` is of two faults, `test_i6_...` of an
invariant, and all of test_f67_refused.py are of one fault. A module whose first words are "I3: ..." or "I3 and I7: ..."
is about those with all of its tests."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
_PREFIX = re.compile(r"test_((?:(?:f\d\d|i\d)_)+)")
_MODULE = re.compile(r"((?:I\d(?:, | and )?)+)[:,]")


@dataclass(frozen=True, slots=True, order=True)
class Named:
    """`file`: below tests/. `names`: F07 or I3, those that it is about."""

    file: str
    function: str
    names: tuple[str, ...]

    @property
    def id(self) -> str:
        return f"{self.file}::{self.function}"

    @property
    def claim(self) -> str:
        """What it says, without what it is about."""
        return _PREFIX.sub("", self.function).removeprefix("test_").replace("_", " ")


def everything(root: Path = TESTS) -> list[Named]:
    """All that name something, in the order of their files."""
    return [test for path in sorted(root.rglob("test_*.py")) for test in _of(path, root)]


def modules(root: Path = TESTS) -> dict[str, tuple[str, ...]]:
    """Files that are about invariants as a whole, with those."""
    found = {
        str(path.relative_to(root)): _about(ast.parse(path.read_text())) for path in sorted(root.rglob("test_*.py"))
    }
    return {file: names for file, names in found.items() if names}


def names_in(function: str) -> tuple[str, ...]:
    found = _PREFIX.match(function)
    return tuple(found[1].upper().strip("_").split("_")) if found else ()


def _of(path: Path, root: Path) -> Iterator[Named]:
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            names = tuple(dict.fromkeys((*names_in(path.stem), *names_in(node.name))))
            if names:
                yield Named(str(path.relative_to(root)), node.name, names)


def _about(module: ast.Module) -> tuple[str, ...]:
    found = _MODULE.match(ast.get_docstring(module) or "")
    return tuple(re.findall(r"I\d", found[1])) if found else ()
