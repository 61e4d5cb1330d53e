"""From the expressions of a filter to the patterns of a rule. What cannot be carried over is told, never guessed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import regex

from logmedic.core.fail2ban.dates import Date, date_of
from logmedic.core.fail2ban.definition import PREFIX, Filter
from logmedic.core.fail2ban.ini import FilterInvalid
from logmedic.core.fail2ban.tags import with_patterns
from logmedic.core.fail2ban.tree import (
    END,
    START,
    Alternatives,
    Atom,
    Group,
    Node,
    Repeat,
    Row,
    names,
    parse,
    render,
    replaced,
)

MAX_LENGTH = 4096
"""Of a pattern of a rule file."""
_UNWRAPPED = frozenset({"mlfid", "mlfforget", "mlfgained", "nofail", "content"})
_NO_FAILURE = frozenset({"nofail", "mlfgained"})
_MARK = Atom(PREFIX)
_DATE, _OWN_DATE = Atom("\ue001"), Atom("\ue002")
"""Where a line may begin with its time; and where it does so in a log of the program's own, instead of a head."""
_ENDS = ("", "$", r"\s*$")
_REFERENCE = re.compile(r"\\[1-9]|\(\?\(\d+\)")


@dataclass(frozen=True, slots=True)
class Lost:
    """`what` the filter says, and `why` a rule does not say it."""

    what: str
    why: str


@dataclass(frozen=True, slots=True)
class Pattern:
    """`shape`: what samples are written from; at its beginning the time, where lines begin with one. `begins`: the
    letters that it has to begin with, behind the prefregex."""

    text: str
    shape: Row
    begins: str = ""


@dataclass(slots=True)
class Translation:
    """`by`: the capture that failures are counted by, with its type; `dated`: samples begin with a time of their own,
    and with no head of syslog."""

    by: str = "host"
    kind: str = "ip"
    programs: tuple[str, ...] = ()
    patterns: list[Pattern] = field(default_factory=list)
    unless: list[str] = field(default_factory=list)
    lost: list[Lost] = field(default_factory=list)

    def lose(self, what: str, why: str) -> None:
        self.lost.append(Lost(what, why))


def translate(given: Filter, *, own_log: bool, spared: str = "") -> Translation:
    """`own_log`: its lines stand in a file of the program's own too, where they may have another head than syslog's.
    Raises FilterInvalid when nothing is left."""
    return _Translator(given, own_log, spared).translation()


class _Translator:
    def __init__(self, given: Filter, own_log: bool, spared: str) -> None:
        self._given = given
        self._spared = spared
        self._own_log = own_log
        self._date = date_of(given.datepattern)
        self._done = Translation(programs=given.programs)
        self._prefix = parse(with_patterns(given.prefregex, spared)) if given.prefregex else ()

    def translation(self) -> Translation:
        done = self._done
        if self._date.unknown:
            done.lose(f"datepattern {self._date.unknown}", "this form of time is not known; the usual ones are taken")
        if self._given.maxlines > 1:
            done.lose(f"maxlines = {self._given.maxlines}", "a rule looks at one record at a time")
        refused: list[tuple[int, str]] = []
        for line in self._given.failregex:
            for row, begins in self._rows(line):
                before = len(done.patterns)
                no_failure = self._take(row, begins, line)
                if no_failure is not None:
                    refused.append((before, self._guarded(no_failure, begins, done.patterns[:before])))
        done.unless += [each for before, each in refused if before < len(done.patterns)]
        if refused or "F-MLFID" in self._given.prefregex:
            done.lose(
                "<F-MLFID>, <F-NOFAIL>, <F-MLFGAINED>",
                "fail2ban puts the lines of one connection together; here each line counts by itself",
            )
        self._ignore()
        if not done.patterns:
            reasons = "; ".join(dict.fromkeys(each.why for each in done.lost))
            raise FilterInvalid(f"nothing of the filter `{self._given.name}` can be carried over: {reasons}")
        self._count_by()
        done.patterns = list({each.text: each for each in done.patterns}.values())
        done.unless = list(dict.fromkeys(done.unless))
        return done

    # -- one expression ------------------------------------------------------------------------------------------------

    def _rows(self, line: str) -> Iterator[tuple[Row, str]]:
        """Its alternatives, each with what the prefregex puts in front, and with the letters that it begins with."""
        if "<SKIPLINES>" in line or re.search(r"(?<!\\)(?:\\\\)*\\n", line):
            self._done.lose(line, "it goes over several lines: write a sequence by hand (docs/from-fail2ban.md)")
            return
        body = parse(with_patterns(line, self._spared))
        for row in body:
            merged = self._merged(row, line)
            if merged is not None:
                yield merged, _beginning(row)

    def _merged(self, row: Row, line: str) -> Row | None:
        if not self._prefix:
            return row
        if len(self._prefix) > 1 or (place := _place_of(self._prefix[0], "content")) is None:
            self._done.lose(line, "its prefregex has no <F-CONTENT> at its top")
            return None
        prefix = self._prefix[0]
        content, after = prefix[place], prefix[place + 1 :]
        plain = render((_body_of(content)[0],)) in (".+", ".*") and len(_body_of(content)) == 1
        ends = render((after,)) in _ENDS
        look: Row = () if plain and ends else (Group("(?=", ((content, *after),)),)
        rest = row[1:] if row[:1] == (START,) else (Repeat(Atom("."), "*?"), *row)
        if not ends:
            rest = replaced((rest,), lambda node: (Group("(?=", (after,)),) if node == END else None)[0]
        return (*prefix[:place], *look, *rest)

    def _take(self, row: Row, begins: str, line: str) -> Row | None:
        """Add its pattern. What of it is no failure, as a row; None when there is nothing of that."""
        if _REFERENCE.search(render((row,))):
            self._done.lose(line, "it refers to a group by its number")
            return None
        required, always = _no_failure(row)
        if always:
            return required
        if not names((row,)) & {"host", "name", "fid"}:
            self._done.lose(line, "it holds no address: fail2ban takes that from an earlier line of the connection")
            return None
        text, shape = self._text(row)
        if not self._compiles(text, line):
            return None
        self._done.patterns.append(Pattern(text, (*shape, *self._after()), begins))
        return required

    def _after(self) -> Row:
        """What the prefregex wants behind the content."""
        if len(self._prefix) != 1 or (place := _place_of(self._prefix[0], "content")) is None:
            return ()
        after = self._prefix[0][place + 1 :]
        return () if render((after,)) in _ENDS else after

    def _guarded(self, row: Row, begins: str, earlier: Sequence[Pattern]) -> str:
        """The pattern of what is no failure, unless an earlier expression says that it is one: the first one counts."""
        before = [each.text for each in earlier if each.begins.startswith(begins) or begins.startswith(each.begins)]
        return "".join(f"(?!{each})" for each in before) + self._text(row)[0]

    def _compiles(self, text: str, line: str) -> bool:
        wrong = ""
        if len(text) > MAX_LENGTH:
            wrong = f"is longer than {MAX_LENGTH} characters"
        else:
            try:
                regex.compile(text)
            except regex.error as error:
                wrong = f"does not compile: {error}"
        if wrong:
            self._done.lose(line, f"the pattern of it {wrong}")
        return not wrong

    def _text(self, row: Row) -> tuple[str, Row]:
        """The pattern, and the shape of what it matches."""
        marked = replaced((self._headed(row),), _plainer)[0]
        pattern = replaced((marked,), lambda node: self._dates(node))
        return _with_soft_end(render(_with_dates_inside(pattern))), _with_samples_inside(marked, self._date)

    def _headed(self, row: Row) -> Row:
        """With what stands in front of the message in the place of the marks."""
        if _MARK not in row and not _has_mark(row):
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
        programs = "|".join(re.escape(each).replace(r"\*", r"\S*") for each in self._given.programs)
        head = rf"(?:(?:\S+\s+)?(?:{programs})(?:\[\d+\])?:?\s+)?"
        return rf"(?:\[?(?:{self._date.pattern})\]?(?!\w)\s*{head})?"

    def _dates(self, node: Node) -> Row | None:
        if node == _OWN_DATE:
            return parse(self._own_head())[0]
        if node != _DATE:
            return None
        end = (Group("(?!", ((Atom(r"\w"),),)),)
        return (Repeat(Group("(?:", ((Group("(?:", parse(self._date.pattern)), *end),)), "?"),)

    # -- what is left alone, what is told ------------------------------------------------------------------------------

    def _ignore(self) -> None:
        """fail2ban looks for them in the whole line when they are few, else behind the prefregex."""
        whole = len(self._given.ignoreregex) < len(self._given.failregex) - 2
        for line in self._given.ignoreregex:
            if whole or not self._prefix:
                rows = list(parse(with_patterns(line)))
            else:
                rows = [row for row, _ in self._rows(line)]
            for row in rows:
                text = self._text(row)[0]
                if self._given.programs and not _has_mark(row) and row[:1] == (START,):
                    self._done.lose(
                        f"ignoreregex {line}", "it is about the head of the line, which a rule does not see"
                    )
                elif self._compiles(text, f"ignoreregex {line}"):
                    self._done.unless.append(text)

    def _count_by(self) -> None:
        done = self._done
        groups = [set(regex.compile(each.text).groupindex) for each in done.patterns]
        for by, kind in (("host", "ip"), ("name", "hostname"), ("fid", "word")):
            if any(by in each for each in groups):
                done.by, done.kind = by, kind
                break
        without = [each for each, has in zip(done.patterns, groups, strict=True) if done.by not in has]
        for each in without:
            done.lose(each.text, f"it has no {done.by}, by which the others are counted: write a rule of its own")
        done.patterns = [each for each in done.patterns if each not in without]
        if any("fid" in each for each in groups) and done.by != "fid":
            done.lose("<F-ID>", f"failures are counted by {done.by}")


def _plainer(node: Node) -> Row | None:
    """Groups that only fail2ban needs, and those without a name, become plain ones."""
    if isinstance(node, Group) and (node.head == "(" or node.name in _UNWRAPPED):
        return (Group("(?:", replaced(node.body, _plainer)),)
    return None


def _place_of(row: Row, name: str) -> int | None:
    return next((n for n, node in enumerate(row) if isinstance(node, Group) and node.name == name), None)


def _body_of(node: Node) -> Alternatives:
    return node.body if isinstance(node, Group) else ((node,),)


def _beginning(row: Row) -> str:
    """The letters in front of anything else."""
    letters = ""
    for node in row:
        if node in (START, _MARK):
            continue
        if isinstance(node, Group) and not node.looks and len(node.body) == 1:
            inner = _beginning(node.body[0])
            letters += inner
            if inner != render(node.body):
                break
        elif isinstance(node, Atom) and len(node.text) == 1 and (node.text.isalnum() or node.text == " "):
            letters += node.text
        else:
            break
    return letters


def _follows_a_time(rest: Row) -> bool:
    """Whether it may begin with what separates a time from what follows it."""
    try:
        compiled = regex.compile(render(replaced((rest,), _plainer)))
        return any(compiled.fullmatch(each, partial=True, timeout=0.1) for each in (" ", "\t", ":", ",", "]", " -"))
    except (regex.error, TimeoutError):
        return True


def _has_mark(row: Row) -> bool:
    return PREFIX in render((row,))


def _no_failure(row: Row) -> tuple[Row | None, bool]:
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
            rows = [_no_failure(row) for row in body]
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


# -- times inside of a line --------------------------------------------------------------------------------------------


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


def _with_soft_end(text: str) -> str:
    """fail2ban looks at lines with their line end, which white space at the end of a pattern may be."""
    return re.sub(r"\\s\+?\$$", r"\\s*$", text)
