"""The files of fail2ban as sections of options: merged in the order of reading, with `%(name)s` filled in."""

from __future__ import annotations

import configparser
import re
from collections.abc import Iterable, Mapping

from logmedic.model.errors import RulesInvalid

Sections = dict[str, dict[str, str]]
"""By the name of the section: options in lower case, raw values. [DEFAULT] is a section like the others."""
DEFAULT, INCLUDES, KNOWN = "DEFAULT", "INCLUDES", "KNOWN/"
_MAX_DEPTH = 20
_VALUE = re.compile(r"%(?:%|\((?P<name>[^)]+)\)s)")


class FilterInvalid(RulesInvalid):
    """A filter or a jail that says nothing that could be carried over."""


def parse(text: str, file: str) -> Sections:
    """Raises FilterInvalid."""
    parser = configparser.RawConfigParser(default_section="", inline_comment_prefixes=(";",))
    try:
        parser.read_string(text, file)
    except configparser.Error as error:
        raise FilterInvalid(f"{file}: {' '.join(str(error).split())}") from None
    return {name: dict(parser.items(name)) for name in parser.sections()}


def includes(sections: Sections) -> tuple[list[str], list[str]]:
    """What is read before this file, and what after it; as it is written there."""
    own = sections.get(INCLUDES, {})
    return own.get("before", "").split(), own.get("after", "").split()


def merged(files: Iterable[Sections]) -> Sections:
    """Later files win. What an option was before stays in KNOWN/section, for `%(known/name)s`."""
    every: Sections = {}
    for file in files:
        for name, options in file.items():
            before = every.setdefault(name, {})
            known = {option: before[option] for option in options if option in before}
            if known and name != DEFAULT:
                every.setdefault(KNOWN + name, {}).update(known)
            before.update(options)
    return every


class Options:
    """The options of one section, with [DEFAULT] behind it. `given` (from `filter[name=value]`, or from the jail) wins
    over both. Raises FilterInvalid for what is not there or never ends."""

    def __init__(self, sections: Sections, section: str, given: Mapping[str, str]) -> None:
        self._sections = sections
        self._section = section
        self._given = given

    def get(self, name: str) -> str | None:
        """None: it is nowhere. `name` may be `section/option`."""
        raw = self._raw(name)
        return None if raw is None else self._filled(raw, 0)

    def _raw(self, name: str) -> str | None:
        section, _, option = name.rpartition("/")
        if not section:
            return self._own(name)
        if section.lower() == "known":
            known = self._sections.get(KNOWN + self._section, {}).get(option, self._given.get(name))
            return known if known is not None else self._of(DEFAULT, option)
        if section.lower() == DEFAULT.lower():
            return self._of(DEFAULT, option)
        found = self._of(section, option)
        return found if found is not None else self._of(DEFAULT, option)

    def _own(self, name: str) -> str | None:
        if name in self._given:
            return self._given[name]
        found = self._of(self._section, name)
        return found if found is not None else self._of(DEFAULT, name)

    def _of(self, section: str, option: str) -> str | None:
        return self._sections.get(section, {}).get(option.lower())

    def _filled(self, text: str, depth: int) -> str:
        if depth > _MAX_DEPTH:
            raise FilterInvalid(f"[{self._section}]: an option that contains itself")

        def fill(found: re.Match[str]) -> str:
            name = found["name"]
            if name is None:
                return "%"
            if name == "__name__":
                return self._section
            raw = self._raw(name)
            if raw is None:
                raise FilterInvalid(f"[{self._section}]: `%({name})s` is nowhere defined")
            return self._filled(raw, depth + 1)

        return _VALUE.sub(fill, text)
