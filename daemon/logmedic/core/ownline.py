"""A line of the daemon's own log: one JSON object. What it quotes comes from elsewhere, and may be an attacker's."""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import islice

from logmedic.core.secrets import masked

MAX_FIELDS = 40
MAX_CHARS = 16_384
"""Of one value; of a longer one the middle is left out: a trace tells most at its ends."""
FIRST = ("timestamp", "level", "event")
_ERRORS = ("error", "critical")


def told(fields: Mapping[str, object]) -> dict[str, object]:
    """What may be logged of `fields`: no secrets, bounded in number and size. Texts in lists count as well."""
    return {name: _told(value) for name, value in islice(fields.items(), MAX_FIELDS)}


def _told(value: object) -> object:
    match value:
        case None | bool() | int() | float():
            return value
        case list() | tuple() | set() | frozenset():
            return [_told(each) for each in islice(value, MAX_FIELDS)]
    return masked(_cut(str(value)))


def _cut(text: str) -> str:
    if len(text) <= MAX_CHARS:
        return text
    half = MAX_CHARS // 2
    return f"{text[:half]} [{len(text) - 2 * half} characters are left out] {text[-half:]}"


def own_line(fields: Mapping[str, object]) -> str:
    """One line of printable characters, whatever `fields` hold: FIRST comes first, the rest as it is given."""
    ordered = {name: fields[name] for name in FIRST if name in fields} | dict(fields)
    line = json.dumps(ordered, ensure_ascii=False, default=str)
    return line if line.isprintable() else "".join(each if each.isprintable() else _escaped(each) for each in line)


def _escaped(character: str) -> str:
    return json.dumps(character)[1:-1]


def is_error(line: str) -> bool:
    """Whether a line of the log, as the journal has it, says that something failed."""
    if line.startswith("Traceback"):
        return True
    try:
        read = json.loads(line)
    except (ValueError, RecursionError):
        return False
    return isinstance(read, dict) and read.get("level") in _ERRORS
