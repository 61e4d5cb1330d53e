"""What a config file could say: of variables, whose bytes may be anything."""

from __future__ import annotations

import re
from typing import Any

from logmedic.yamldoc.document import DEPTH_LIMIT

_HALVES = re.compile("[\ud800-\udfff]")
"""Of characters: bytes that are no UTF-8 come so, and escapes of JSON may."""


def is_sayable(value: Any, depth: int = 0) -> bool:
    """Whether all of it is Unicode, and nothing is nested deeper than in a file."""
    match value:
        case str():
            return value.isascii() or _HALVES.search(value) is None
        case dict():
            return all(is_sayable(each, depth) for each in value) and is_sayable(list(value.values()), depth)
        case list():
            return depth < DEPTH_LIMIT and all(is_sayable(each, depth + 1) for each in value)
    return True
