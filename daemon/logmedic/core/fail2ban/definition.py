"""What a filter or a jail says, with all of its includes, interpolations and tags resolved."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice

from logmedic.core.fail2ban.ini import DEFAULT, FilterInvalid, Options, Sections
from logmedic.core.fail2ban.tags import call_of, resolved
from logmedic.core.fail2ban.tree import Alternatives, Atom, Group, Node, Repeat, Row, parse

PREFIX = "\ue000"
"""Stands where the filter writes the usual head of a syslog line (`%(__prefix_line)s` of common.conf)."""
_PREFIX_OPTION = "__prefix_line"
_PATTERN_OPTIONS = ("prefregex", "failregex", "ignoreregex", "datepattern", "journalmatch", "maxlines", "usedns")
_MAX_NAMES = 24
_MANY = frozenset({r"\w", r"\S", r"\d", ".", r"[^\s]"})


@dataclass(frozen=True, slots=True)
class Filter:
    """`programs`: the names that `_daemon` stands for, `*` for any part; empty when they cannot be named.
    `guessed`: `_daemon` is narrower than `programs`."""

    name: str
    failregex: tuple[str, ...]
    ignoreregex: tuple[str, ...] = ()
    prefregex: str = ""
    datepattern: tuple[str, ...] = ()
    journalmatch: tuple[str, ...] = ()
    maxlines: int = 1
    programs: tuple[str, ...] = ()
    guessed: bool = False


@dataclass(frozen=True, slots=True)
class Jail:
    """`filter` and `options`: which it uses, and how. `overrides`: what it says in the filter's place. Durations are as
    they are written."""

    name: str
    filter: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    overrides: Mapping[str, str] = field(default_factory=dict)
    maxretry: str = "5"
    findtime: str = "10m"
    bantime: str = "10m"
    logpath: tuple[str, ...] = ()
    backend: str = ""
    ignoreip: tuple[str, ...] = ()
    ignoreself: bool = True
    ignorecommand: str = ""
    port: str = ""
    banaction: str = ""


def filter_of(name: str, sections: Sections, given: Mapping[str, str]) -> Filter:
    """Raises FilterInvalid."""
    if "Definition" not in sections:
        raise FilterInvalid(
            f"the filter `{name}` has no section [Definition]", hint="it is made to be included: name one"
        )
    programs, guessed = _programs(sections, given)
    read = _Reader(_marked(sections), given)
    if not programs or not _all_marked(read):
        programs, guessed, read = (), False, _Reader(sections, given)
    failregex = read.lines("failregex")
    if not failregex:
        raise FilterInvalid(f"the filter `{name}` has no failregex", hint="it is made to be included: name another one")
    maxlines = read.text("maxlines")
    return Filter(
        name,
        failregex=failregex,
        ignoreregex=read.lines("ignoreregex"),
        prefregex=read.text("prefregex"),
        datepattern=read.lines("datepattern"),
        journalmatch=read.lines("journalmatch"),
        maxlines=int(maxlines) if re.fullmatch(r"[0-9]{1,9}", maxlines) else 1,
        programs=programs,
        guessed=guessed,
    )


def combined(sections: Sections, given: Mapping[str, str]) -> dict[str, str]:
    """The filter's own words, for `%(known/failregex)s` in a jail."""
    read = _Reader(sections, given)
    return {f"known/{name}": read.text(name) for name in _PATTERN_OPTIONS}


class _Reader:
    """[Init] stands behind what is given, and in front of [Definition]; its values are known as tags only."""

    def __init__(self, sections: Sections, given: Mapping[str, str]) -> None:
        lower = {name.lower(): value for name, value in given.items()}
        self._definition = Options(sections, "Definition", lower)
        init = Options(sections, "Init", lower)
        self._first = {name: value for name in sections.get("Init", {}) if (value := init.get(name)) is not None}
        self._first = {"logtype": "file", **self._first, **lower}
        if "logtype" in sections.get("Definition", {}):
            self._first.pop("logtype")

    def text(self, name: str) -> str:
        found = self._first.get(name)
        if found is None:
            found = self._definition.get(name) or ""
        return resolved(found, self._tag).strip()

    def lines(self, name: str) -> tuple[str, ...]:
        return tuple(line.strip() for line in self.text(name).split("\n") if line.strip())

    def _tag(self, name: str) -> str | None:
        found = self._first.get(name.lower())
        return found if found is not None else self._definition.get(name)


# -- the programs ------------------------------------------------------------------------------------------------------


def _marked(sections: Sections) -> Sections:
    """With a mark in the place of the usual head."""
    default = sections.get(DEFAULT, {})
    if not default.get(_PREFIX_OPTION, "").startswith("<lt_"):
        return sections
    return {**sections, DEFAULT: {**default, _PREFIX_OPTION: PREFIX}}


def _all_marked(read: _Reader) -> bool:
    return PREFIX in read.text("prefregex") or all(PREFIX in each for each in read.lines("failregex"))


def _programs(sections: Sections, given: Mapping[str, str]) -> tuple[tuple[str, ...], bool]:
    if not sections.get(DEFAULT, {}).get(_PREFIX_OPTION, "").startswith("<lt_"):
        return (), False
    daemon = _Reader(sections, given).text("_daemon")
    try:
        found = list(islice(dict.fromkeys(_names(parse(daemon))), _MAX_NAMES + 1))
    except (FilterInvalid, ValueError):
        return (), False
    plain = tuple(each for each in found if each.strip("*"))
    if not plain or len(plain) < len(found) or len(found) > _MAX_NAMES:
        return (), False
    return tuple(each for each in plain if not _covered(each, plain)), any("*" in each for each in plain)


def _covered(name: str, others: tuple[str, ...]) -> bool:
    """Another name with a star stands for it as well."""
    return any(
        "*" in other and other != name and name.startswith(other[: other.index("*")]) and other.endswith("*")
        for other in others
    )


def _names(body: Alternatives) -> list[str]:
    """All texts of a pattern. Raises ValueError when they cannot be told."""
    return [text for row in body for text in _texts(row)]


def _texts(row: Row) -> list[str]:
    texts = [""]
    for node in row:
        texts = [text + more for text in texts for more in _parts(node)][: _MAX_NAMES * 4]
    return texts


def _parts(node: Node) -> list[str]:
    match node:
        case Group(_, body) if not node.looks:
            return _names(body)
        case Repeat(Atom(text), _) if text == r"\s":
            return [""]
        case Repeat(Atom(text), times) if times[0] in "*+{":
            if text in _MANY:
                return ["*"]
        case Repeat(item, "?"):
            return [*_parts(item), ""]
        case Atom(text):
            if len(text) == 2 and text[0] == "\\" and not text[1].isalnum():
                return [text[1]]
            if len(text) == 1 and text not in ".^$":
                return [text]
            if text in _MANY:
                return ["*"]
            if text.startswith("[") and not text.startswith("[^") and text[1:-1].isalnum():
                return list(text[1:-1])
    raise ValueError("no names")


# -- the jail ----------------------------------------------------------------------------------------------------------


def jail_of(name: str, sections: Sections, known: Mapping[str, str]) -> Jail:
    """`known`: the options of its filter, as `known/name`. Raises FilterInvalid."""
    if name not in sections or name in (DEFAULT, "INCLUDES"):
        raise FilterInvalid(f"there is no jail `{name}`")
    options = Options(sections, name, known)
    call, given = call_of(options.get("filter") or name)
    own = sections[name]
    return Jail(
        name,
        filter=call,
        options=given,
        overrides={each: options.get(each) or "" for each in _PATTERN_OPTIONS if each in own},
        maxretry=options.get("maxretry") or "5",
        findtime=options.get("findtime") or "10m",
        bantime=options.get("bantime") or "10m",
        logpath=tuple(_paths(options.get("logpath") or "")),
        backend=options.get("backend") or "",
        ignoreip=tuple((options.get("ignoreip") or "").replace(",", " ").split()),
        ignoreself=(options.get("ignoreself") or "true").lower() not in ("false", "no", "off", "0"),
        ignorecommand=options.get("ignorecommand") or "",
        port=options.get("port") or "",
        banaction=options.get("banaction") or "",
    )


def _paths(logpath: str) -> list[str]:
    """Without the word (`head`, `tail`) that may follow a path."""
    return [line.split(" ")[0] for line in (each.strip() for each in logpath.split("\n")) if line]
