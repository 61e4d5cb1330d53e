"""Amounts of room, and keys of which exactly one is wanted."""

from __future__ import annotations

import re
from collections.abc import Sequence

from logmedic.yamldoc import Fields, Node

MIB, GIB = 1024**2, 1024**3
_PERCENT = re.compile(r"(\d{1,2}(?:\.\d{1,3})?)\s*%\Z", re.ASCII)


def percent(fields: Fields, key: str) -> float:
    """More than 0, and less than 100; 0 when it is not there."""
    node = fields.node_of(key)
    return 0.0 if node is None else _percent_of(fields, key, node)


def room(fields: Fields, key: str, *, required: bool = False) -> tuple[float, int]:
    """`10%` or `2G`: percent and bytes, of which one is 0."""
    node = fields.node_of(key, required=required)
    if node is None:
        return 0.0, 0
    if node.text.rstrip().endswith("%"):
        return _percent_of(fields, key, node), 0
    return 0.0, fields.size(key, 0, minimum=MIB, maximum=1024 * 1024 * GIB)


def _percent_of(fields: Fields, key: str, node: Node) -> float:
    found = _PERCENT.match(node.text.strip())
    share = float(found[1]) if found is not None else 0.0
    if not share:
        shown = node.text[:40] or node.kind
        fields.problems.add(node, f"`{shown}` in `{key}` is no share between 0% and 100%", f"{key}: 10%")
    return share


def the_one(fields: Fields, keys: Sequence[str], example: str) -> str:
    """The only one of `keys` that is there; empty, and told of, when there are none or several."""
    written = [key for key in keys if key in fields]
    for key in keys:
        fields.node_of(key)
    if len(written) == 1:
        return written[0]
    if written:
        first, second = written[:2]
        fields.problems.add(
            fields.at(second), f"{fields.what} has both `{first}` and `{second}`", f"write one of them: {example}"
        )
    else:
        fields.problems.add(fields.node, f"{fields.what} has none of: {', '.join(keys)}", f"write one: {example}")
    return ""
