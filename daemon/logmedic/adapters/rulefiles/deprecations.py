"""Keys that were replaced: they go on working, with a warning, until a new version of the format."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from logmedic.yamldoc import Node, Problems

VERSION = "1"
"""Of the format. What is newer is refused: it may say what this program does not know."""
ANY = "*"
"""In a way: every item of a list, every key of a mapping."""


@dataclass(frozen=True, slots=True)
class Deprecated:
    """`way`: the keys from the top of the file to the mapping that has `key`. `instead`: its new name there. `since`:
    the version of logmedic that brought it."""

    way: tuple[str, ...]
    key: str
    instead: str
    since: str


DEPRECATED: tuple[Deprecated, ...] = ()
"""Of version 1: nothing so far."""


def renewed(root: Node, table: Sequence[Deprecated], problems: Problems) -> Node:
    """`root` with the new names in the place of the old ones. Each is warned of; both together are a mistake."""
    for entry in table:
        root = _along(root, entry.way, entry, problems)
    return root


def _along(node: Node, way: tuple[str, ...], entry: Deprecated, problems: Problems) -> Node:
    if not way:
        return _renamed(node, entry, problems)
    first, rest = way[0], way[1:]
    if isinstance(node.value, tuple) and first == ANY:
        return replace(node, value=tuple(_along(each, rest, entry, problems) for each in node.value))
    if not isinstance(node.value, Mapping):
        return node
    chosen = {key for key in node.value if first in (key, ANY)}
    values = {
        key: _along(value, rest, entry, problems) if key in chosen else value for key, value in node.value.items()
    }
    return replace(node, value=values)


def _renamed(node: Node, entry: Deprecated, problems: Problems) -> Node:
    if not isinstance(node.value, Mapping) or entry.key not in node.value:
        return node
    place = node.keys[entry.key]
    if entry.instead in node.value:
        problems.add(place, f"both `{entry.key}` and `{entry.instead}`", f"remove `{entry.key}`, which is the old name")
        return node
    problems.warn(place, f"`{entry.key}` is the old name of `{entry.instead}` (since {entry.since})", "rename it")
    new = {entry.key: entry.instead}
    return replace(
        node,
        value={new.get(key, key): value for key, value in node.value.items()},
        keys={new.get(key, key): at for key, at in node.keys.items()},
    )
