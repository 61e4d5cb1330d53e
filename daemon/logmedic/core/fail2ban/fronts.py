"""What stands in front of a message, and the time: fail2ban cuts it out of a line, wherever it is; a rule sees it."""

from __future__ import annotations

import re

import regex

from logmedic.core.fail2ban.dates import USUAL, Date
from logmedic.core.fail2ban.definition import PREFIX
from logmedic.core.fail2ban.tree import (
    END,
    START,
    Alternatives,
    Atom,
    Group,
    Node,
    Repeat,
    Row,
    parse,
    render,
    replaced,
)

_MARK = Atom(PREFIX)
_DATE, _OWN_DATE = Atom("\ue001"), Atom("\ue002")
"""Where a line may begin with its time; and where it does so in a log of the program's own, instead of a head."""
_UNWRAPPED = frozenset({"mlfid", "mlfforget", "mlfgained", "nofail", "content"})


class Fronts:
    """`own_log`: lines of `programs` stand in a file of their own too, where they may have another head than
    syslog's."""

    def __init__(self, date: Date, programs: tuple[str, ...], own_log: bool) -> None:
        self._date = date
        self._programs = programs
        self._own_log = own_log

    def text(self, row: Row) -> tuple[str, Row]:
        """The pattern, and the shape of what it matches."""
        marked = replaced((self._headed(row),), _plainer)[0]
        pattern = replaced((marked,), self._dates)
        return render(_with_dates_inside((_with_soft_end(pattern[0]),))), _with_samples_inside(marked, self._date)

    def _headed(self, row: Row) -> Row:
        """With what stands in front of the message in the place of the marks."""
        if _MARK not in row and not has_mark(row):
            if row[:1] != (START,) or not self._date.pattern or _empty_brackets(row, 1):
                return row
            ambit = row[1:2] and isinstance(row[1], Repeat) and render(((row[1],),)) == r"(?:\[\])?"
            rest = row[2 if ambit else 1 :]
            return (START, _DATE, *rest) if _follows_a_time(rest) else row
        front: Row = (_OWN_DATE,) if self._own_log else ()

        def change(node: Node) -> Row | None:
            return front if node == _MARK or (isinstance(node, Repeat) and node.item == _MARK) else None

        return replaced((row,), change)[0]

    def _own_head(self) -> str:
        """What a log of the program's own has in the place of syslog's head."""
        programs = "|".join(re.escape(each).replace(r"\*", r"\S*") for each in self._programs)
        head = rf"(?:(?:\S+\s+)?(?:{programs})(?:\[\d+\])?:?\s+)?"
        return rf"(?:\[?(?:{self._date.pattern or USUAL})\]?(?!\w)\s*{head})?"

    def _dates(self, node: Node) -> Row | None:
        if node == _OWN_DATE:
            return parse(self._own_head())[0]
        if node != _DATE:
            return None
        end = (Group("(?!", ((Atom(r"\w"),),)),)
        return (Repeat(Group("(?:", ((Group("(?:", parse(self._date.pattern)), *end),)), "?"),)


def _plainer(node: Node) -> Row | None:
    """Groups that only fail2ban needs, and those without a name, become plain ones."""
    if isinstance(node, Group) and (node.head == "(" or node.name in _UNWRAPPED):
        return (Group("(?:", replaced(node.body, _plainer)),)
    return None


def _follows_a_time(rest: Row) -> bool:
    """Whether it may begin with what separates a time from what follows it."""
    try:
        compiled = regex.compile(render(replaced((rest,), _plainer)))
        return any(compiled.fullmatch(each, partial=True, timeout=0.1) for each in (" ", "\t", ": ", ",", "]", "-"))
    except (regex.error, TimeoutError):
        return True


def has_mark(row: Row) -> bool:
    return PREFIX in render((row,))


def _empty_brackets(row: Row, start: int) -> bool:
    """Whether the time stood between brackets: `\\[\\]` is what fail2ban leaves of it."""
    text = render((row[start:],))
    ambit = r"(?:\[\])?"
    return r"\[\]" in text.removeprefix(ambit) or r"\(:" in text


def _with_dates_inside(body: Alternatives) -> Alternatives:
    return tuple(_filled(row, Repeat(Atom(r"[\w:/.,+ -]"), "{0,40}")) for row in body)


def _with_samples_inside(row: Row, date: Date) -> Row:
    def dated(node: Node) -> Row | None:
        if node == _OWN_DATE:
            return ()
        return tuple(Atom(_escaped(each)) for each in date.sample) if node == _DATE else None

    return replaced((_filled(row, *(Atom(_escaped(each)) for each in date.inside)),), dated)[0]


def _escaped(char: str) -> str:
    return char if char.isalnum() or char in " :/,-" else "\\" + char


def _filled(row: Row, *inside: Node) -> Row:
    """With `inside` between the two characters that the time was cut out of."""
    filled: list[Node] = []
    for node in row:
        if filled and isinstance(node, Atom) and _is_cut(filled[-1], node):
            filled += inside
        match node:
            case Group(head, body):
                filled.append(Group(head, tuple(_filled(each, *inside) for each in body)))
            case Repeat(Group(head, body), times):
                filled.append(Repeat(Group(head, tuple(_filled(each, *inside) for each in body)), times))
            case _:
                filled.append(node)
    return tuple(filled)


def _is_cut(before: Node, after: Atom) -> bool:
    return (before == Atom(r"\[") and after == Atom(r"\]")) or (before == Atom(r"\(") and after == Atom(":"))


def _with_soft_end(row: Row) -> Row:
    """fail2ban looks at lines with their line end, which white space at the end of a pattern may be."""
    for at in range(len(row) - 1, -1, -1):
        node = row[at]
        if node in (Atom(r"\s"), Repeat(Atom(r"\s"), "+")):
            return (*row[:at], Group("(?:", ((node,), (END,))), *row[at + 1 :])
        if not (node == END or (isinstance(node, Repeat) and node.times[0] in "*?")):
            break
    return row
