"""The packages that the locks name, with what their installed metadata says of them, and why each is here."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
"""A package belongs to the closure when one of them needs it, on Linux."""
_PINNED = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^ ;\\]+)(?: ; (?P<marker>.*?))? ?\\?$", re.MULTILINE)
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class Pinned:
    """One entry of a lock."""

    name: str
    version: str
    marker: str
    """Where it is installed; empty: everywhere."""
    hashes: tuple[str, ...]
    """sha256 of each of its files that may be installed, sorted."""

    @property
    def on_linux(self) -> bool:
        return not self.marker or any(Marker(self.marker).evaluate(each) for each in _environments())


@dataclass(frozen=True, slots=True)
class Why:
    """Why a package is here: the first of these that needs it, and through which packages."""

    group: str
    """run, extra llm, extra otlp, build, demo or dev"""
    through: tuple[str, ...]
    """Who needs it, sorted; empty when pyproject.toml names it."""


def locked(lock: Path) -> dict[str, Pinned]:
    """By canonical name. Where it names one twice, for older and newer Pythons, the one for this Python."""
    text = lock.read_text()
    found = list(_PINNED.finditer(text))
    ends = [each.start() for each in found[1:]] + [len(text)]
    by: dict[str, Pinned] = {}
    for each, end in zip(found, ends, strict=True):
        name, marker = canonicalize_name(each["name"]), each["marker"] or ""
        pinned = Pinned(name, each["version"], marker, tuple(sorted(_HASH.findall(text[each.end() : end]))))
        if name not in by or Marker(marker).evaluate():
            by[name] = pinned
    return by


def installed(name: str) -> Distribution | None:
    try:
        return distribution(name)
    except PackageNotFoundError:
        return None


def roots() -> dict[str, list[Requirement]]:
    """What pyproject.toml asks for, by group, the most needed first."""
    told = tomllib.loads((ROOT / "pyproject.toml").read_text())
    extras: Mapping[str, list[str]] = told["project"]["optional-dependencies"]
    groups: Mapping[str, list[str]] = told["dependency-groups"]
    asked = {"run": told["project"]["dependencies"], **{f"extra {name}": of for name, of in extras.items()}, **groups}
    return {name: [Requirement(each) for each in of] for name, of in asked.items()}


def needed(asked: Iterable[Requirement]) -> dict[str, set[str]]:
    """The closure, by canonical name: who in it needs that package ("" for `asked`). Packages that are not installed
    are in it, and nothing that only they need."""
    by: dict[str, set[str]] = {}
    left = [("", each) for each in asked]
    seen: set[tuple[str, frozenset[str]]] = set()
    while left:
        who, requirement = left.pop()
        name = canonicalize_name(requirement.name)
        by.setdefault(name, set()).add(who)
        if (name, frozenset(requirement.extras)) in seen:
            continue
        seen.add((name, frozenset(requirement.extras)))
        left += [(name, each) for each in _asked_by(name, requirement.extras)]
    return by


def whys() -> dict[str, Why]:
    """Of every package of the closure of all groups."""
    found: dict[str, Why] = {}
    for group, asked in roots().items():
        for name, by in needed(asked).items():
            found.setdefault(name, Why(group, () if "" in by else tuple(sorted(by))))
    return found


def run_time() -> dict[str, set[str]]:
    """What an installed logmedic consists of, besides itself, with what each of it needs, sorted by name."""
    by = needed(roots()["run"])
    return {name: {other for other, who in by.items() if name in who} for name in sorted(by)}


def _asked_by(name: str, extras: Iterable[str]) -> Iterator[Requirement]:
    found = installed(name)
    for each in (found.requires if found else None) or ():
        requirement = Requirement(each)
        if requirement.marker is None or any(
            requirement.marker.evaluate({**environment, "extra": extra})
            for environment in _environments()
            for extra in (*extras, "")
        ):
            yield requirement


def _environments() -> Iterator[dict[str, str]]:
    for version in PYTHONS:
        yield {"python_version": version, "python_full_version": f"{version}.0", "sys_platform": "linux",
               "platform_system": "Linux", "os_name": "posix", "platform_python_implementation": "CPython",
               "implementation_name": "cpython"}  # fmt: skip


def project() -> dict[str, Any]:
    told: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return told
