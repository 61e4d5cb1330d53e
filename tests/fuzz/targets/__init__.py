"""Every target, by name; each room's module is imported when one of its targets is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from fuzz.target import Target

ROOMS = {
    "yaml": "rulefiles",
    "rules": "rulefiles",
    "fail2ban": "rulefiles",
    "config": "configs",
    "environment": "configs",
    "lines": "lines",
    "fields": "lines",
    "long": "lines",
    "drafts": "drafts",
    "explained": "drafts",
    "packed": "packed",
    "syslog": "listeners",
    "journal": "journal",
    "reports": "reports",
    "answers": "reports",
    "socket": "doors",
    "dashboard": "doors",
    "links": "doors",
    "events": "events",
    "workers": "children",
    "requests": "children",
    "query": "queries",
    "messages": "templates",
    "stored": "stored",
}
"""In which module of this package each target is."""
NAMES = tuple(ROOMS)
CORPUS = Path(__file__).resolve().parents[1] / "corpus"
WORDS = CORPUS.with_name("words")
PROJECT = Path(__file__).resolve().parents[3]


def named(name: str) -> Target:
    """One of NAMES; or `MODULE:NAME`, of a module of its own. Raises KeyError."""
    module, colon, _ = name.partition(":")
    targets: dict[str, Target] = import_module(module if colon else f"fuzz.targets.{ROOMS[name]}").TARGETS
    return targets[name]


def corpus_of(name: str) -> Iterator[bytes]:
    """Inputs that broke something once, in the order of their names."""
    for path in sorted((CORPUS / name).glob("*")):
        yield path.read_bytes()


def words(name: str) -> tuple[bytes, ...]:
    """Words of a language: of each line of a file, with the escapes of Python (`\\n`, `\\xff`)."""
    lines = (WORDS / name).read_text("ascii").splitlines()
    return tuple(line.encode().decode("unicode_escape").encode("latin-1") for line in lines)


def by_name(*targets: Target) -> dict[str, Target]:
    return {each.name: each for each in targets}
