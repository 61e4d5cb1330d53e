"""Text that leaves the host: without secrets, and with names that stand for those of people, hosts and addresses."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from ipaddress import ip_address
from typing import Any
from urllib.parse import quote, quote_plus, unquote

from logmedic.core.secrets import MASK, masked

SHORTEST_SECRET = 4
"""A known secret of fewer characters would be found in everything."""
_MAIL = r"(?P<mail>[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8})"
_URL = r"(?P<before>[A-Za-z][A-Za-z0-9+.-]{0,30}://(?:[^\s/@\"'<>]{0,200}@)?)(?P<site>[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?)"
_HOME = r"(?P<home>/home/)(?P<owner>[^\s/\"':,;)\]}]+)"
_MAC = r"(?P<mac>(?<![0-9A-Fa-f:])(?:[0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}(?![0-9A-Fa-f:]))"
_IPV6 = r"(?P<ipv6>(?<![0-9A-Za-z:.])(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f.]{0,15}(?![0-9A-Za-z:]))"
_IPV4 = r"(?P<ipv4>(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w.]*\d))"
_KEPT_SITES = ("localhost",)


class Pseudonyms:
    """One for all texts of a report: the same name stands for the same thing in each. `secrets`: those that are known,
    taken out whatever stands around them; `hosts`, `users`: the names of this host and of its people."""

    def __init__(self, *, secrets: Iterable[str] = (), hosts: Iterable[str] = (), users: Iterable[str] = ()) -> None:
        known = {form for each in secrets if len(each) >= SHORTEST_SECRET for form in _forms(each)}
        self._secrets = _any_of(known, words=False)
        self._names = _alternatives(
            _MAIL, _URL, _HOME, _MAC, _IPV6, _IPV4, _named("host", hosts), _named("user", users)
        )
        self._given: dict[tuple[str, str], str] = {}
        self._counts: dict[str, int] = {}

    def of(self, text: str) -> str:
        """Never raises. Its time is linear in the text."""
        if self._secrets is not None:
            text = self._secrets.sub(MASK, text)
        return self._names.sub(self._instead, masked(text))

    def of_row(self, value: Any) -> Any:
        """The same of every text in what JSON can hold; a text whose key names a secret is one."""
        match value:
            case dict():
                return {self.of(str(key)): self._under(str(key), each) for key, each in value.items()}
            case list() | tuple():
                return [self.of_row(each) for each in value]
            case str():
                return self.of(value)
        return value

    def _under(self, key: str, value: Any) -> Any:
        if not isinstance(value, str):
            return self.of_row(value)
        head = f'{key}: "'
        read = masked(f'{head}{value}"')
        return self.of(read[len(head) : -1] if read.startswith(head) and read.endswith('"') else MASK)

    def _instead(self, found: re.Match[str]) -> str:
        match found.lastgroup:
            case "site":
                return found["before"] + self._of_site(found["site"])
            case "owner":
                return found["home"] + self._name("user", found["owner"])
            case "ipv4" | "ipv6":
                return self._of_address(found[0])
            case kind:
                return self._name(str(kind), found[0])

    def _of_site(self, site: str) -> str:
        if _is_address(site):
            return self._of_address(site)
        return site if site.lower() in _KEPT_SITES else self._name("host", site)

    def _of_address(self, text: str) -> str:
        """Those that every host has stay: they say what is wrong, and of nobody."""
        if not _is_address(text):
            return text
        address = ip_address(text)
        return text if address.is_loopback or address.is_unspecified else self._name("ip", str(address))

    def _name(self, kind: str, original: str) -> str:
        key = kind, original.lower()
        if key not in self._given:
            self._counts[kind] = self._counts.get(kind, 0) + 1
            self._given[key] = f"{kind}-{self._counts[kind]}"
        return self._given[key]


def _forms(secret: str) -> set[str]:
    """As it may stand in a text: in JSON, in a URL."""
    return {
        secret,
        json.dumps(secret)[1:-1],
        quote(secret, safe=""),
        quote(secret),
        quote_plus(secret),
        unquote(secret),
    }


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _named(group: str, names: Iterable[str]) -> str:
    found = _any_of({each for each in names if len(each) > 1}, words=True)
    return f"(?P<{group}>{found.pattern})" if found is not None else ""


def _any_of(texts: Iterable[str], *, words: bool) -> re.Pattern[str] | None:
    """The longest first: a short one may be a part of it."""
    parts = [re.escape(each) for each in sorted(texts, key=lambda each: (-len(each), each)) if each]
    if not parts:
        return None
    either = "|".join(parts)
    return re.compile(rf"(?<![A-Za-z0-9])(?:{either})(?![A-Za-z0-9])" if words else either)


def _alternatives(*patterns: str) -> re.Pattern[str]:
    """In one pass: what stands for a name is not looked at again."""
    return re.compile("|".join(each for each in patterns if each), re.IGNORECASE)
