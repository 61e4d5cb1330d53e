"""What is said of shared circuit breakers. What comes in is hostile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from logmedic.core.reports import MAX_WORDS, BadReport

MAX_NAMES = 128
"""Of one line."""


@dataclass(frozen=True, slots=True)
class Shared:
    """`open_for`: seconds; 0 of one that is closed."""

    name: str
    is_open: bool
    open_for: float = 0.0

    def told(self) -> dict[str, Any]:
        """As it is sent."""
        state = "open" if self.is_open else "closed"
        return {"type": "breaker", "name": self.name, "state": state, "open_for": self.open_for}


def shared(told: Mapping[str, Any]) -> Shared:
    """Of an object of type `breaker`. Raises BadReport."""
    name, state, open_for = _name(told.get("name"), "name"), told.get("state"), told.get("open_for", 0.0)
    if state not in ("open", "closed"):
        raise BadReport("form", "`state`: it is neither open nor closed", 'send "state": "open"')
    if isinstance(open_for, bool) or not isinstance(open_for, (int, float)) or not 0 <= open_for <= 1e9:
        raise BadReport("form", "`open_for`: this is no number of seconds", 'send "open_for": 60.0')
    return Shared(name, state == "open", float(open_for) if state == "open" else 0.0)


def followed(told: Mapping[str, Any]) -> tuple[str, ...]:
    """The names of an object of type `follow`. Raises BadReport."""
    names = told.get("names")
    if not isinstance(names, list) or len(names) > MAX_NAMES:
        raise BadReport("form", "`names`: this is no list of names", f"at most {MAX_NAMES}")
    return tuple(dict.fromkeys(_name(each, "names") for each in names))


def _name(told: object, key: str) -> str:
    if not isinstance(told, str) or not told.strip():
        raise BadReport("form", f"`{key}`: this is no name", 'send "name": "payments"')
    if len(told) > MAX_WORDS:
        raise BadReport("size", f"`{key}`: a name has at most {MAX_WORDS} characters", "cut it")
    return told
