"""Which expression says that a line is a failure, and which one says first that it is none."""

from __future__ import annotations

from collections.abc import Sequence

from logmedic.core.fail2ban.definition import PREFIX
from logmedic.core.fail2ban.tree import START, Atom, Group, Node, Repeat, Row

Beginnings = tuple[str, ...]
"""Letters that a text may begin with; an empty one: with anything."""
_MAX_BEGINNINGS = 32
_NO_FAILURE = frozenset({"nofail", "mlfgained"})


def no_failure(row: Row) -> tuple[Row | None, bool]:
    """The row with what makes it no failure required, None when nothing does; and whether it always does."""
    taken: list[Node] = []
    found, always = False, False
    for node in row:
        required, whole = _no_failure_of(node)
        found, always = found or required is not None, always or whole
        taken.append(node if required is None else required)
    return (tuple(taken) if found else None), always


def _no_failure_of(node: Node) -> tuple[Node | None, bool]:
    match node:
        case Group() if node.name in _NO_FAILURE:
            return node, True
        case Group(head, body):
            rows = [no_failure(row) for row in body]
            required = tuple(row for row, _ in rows if row is not None)
            always = all(whole for _, whole in rows)
            return (Group(head, required) if required else None), always and bool(required)
        case Repeat(item, times):
            inner, whole = _no_failure_of(item)
            if inner is None:
                return None, False
            optional = times[0] in "*?"
            return (inner if optional else Repeat(inner, times)), whole and not optional  # type: ignore[arg-type]
    return None, False


def beginnings(row: Row) -> tuple[tuple[str, ...], bool]:
    """The letters that it may begin with; and whether they are all of it."""
    begun: tuple[str, ...] = ("",)
    for node in row:
        more, whole = _letters(node)
        begun = tuple(dict.fromkeys(each + letters for each in begun for letters in more))
        if not whole or len(begun) > _MAX_BEGINNINGS:
            return _short(begun), False
    return begun, True


def _letters(node: Node) -> tuple[tuple[str, ...], bool]:
    match node:
        case Group(head, body) if head in ("(", "(?:", "(?>") or node.name:
            rows = [beginnings(row) for row in body]
            return tuple(each for letters, _ in rows for each in letters), all(whole for _, whole in rows)
        case Atom(text):
            if node in (START, Atom(PREFIX)):
                return ("",), True
            if len(text) == 1 and (text.isalnum() or text == " "):
                return (text,), True
            if text[0] == "[" and text[1:-1].isalnum():
                return tuple(text[1:-1]), True
    return ("",), False


def _short(begun: tuple[str, ...]) -> tuple[str, ...]:
    """Too many of them are none."""
    return begun if len(begun) <= _MAX_BEGINNINGS else ("",)


def may_be_one(left: Sequence[str], right: Sequence[str]) -> bool:
    """Whether one text may begin in both ways."""
    return any(one.startswith(other) or other.startswith(one) for one in left for other in right)
