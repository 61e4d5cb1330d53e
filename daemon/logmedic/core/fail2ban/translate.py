"""From the expressions of a filter to the patterns of a rule. What cannot be carried over is told, never guessed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import regex

from logmedic.core.fail2ban.dates import date_of
from logmedic.core.fail2ban.definition import PREFIX, Filter
from logmedic.core.fail2ban.failures import Beginnings, beginnings, may_be_one, no_failure
from logmedic.core.fail2ban.fronts import Fronts, has_mark
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
    letters that it may begin with, behind the prefregex. `origin`: the expression of the filter."""

    text: str
    shape: Row
    begins: Beginnings
    origin: str


@dataclass(slots=True)
class Translation:
    """`by`: the capture that failures are counted by, with its type."""

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
        self._date = date_of(given.datepattern)
        self._fronts = Fronts(self._date, given.programs, own_log)
        self._done = Translation(programs=given.programs)
        self._prefix = parse(with_patterns(given.prefregex, spared)) if given.prefregex else ()

    def translation(self) -> Translation:
        done = self._done
        self._take_all()
        self._ignore()
        if not done.patterns:
            reasons = "; ".join(dict.fromkeys(each.why for each in done.lost))
            raise FilterInvalid(f"nothing of the filter `{self._given.name}` can be carried over: {reasons}")
        self._count_by()
        self._tell()
        done.patterns = list({each.text: each for each in done.patterns}.values())
        done.unless = list(dict.fromkeys(done.unless))
        return done

    def _take_all(self) -> None:
        """What is no failure counts for the expressions behind it, and for its own."""
        done = self._done
        if self._given.maxlines > 1:
            done.lose(f"maxlines = {self._given.maxlines}", "a rule looks at one record at a time")
        refused: list[tuple[int, str]] = []
        for line in self._given.failregex:
            for row, begins in self._rows(line):
                before = len(done.patterns)
                none = self._take(row, begins, line)
                if none is not None:
                    text = self._guarded(none, begins, done.patterns[:before])
                    refused += [(before, text)] if self._compiles(text, f"no failure: {line}") else []
        done.unless += [each for before, each in refused if before < len(done.patterns)]
        if refused or "F-MLFID" in self._given.prefregex:
            done.lose(
                "<F-MLFID>, <F-NOFAIL>, <F-MLFGAINED>",
                "fail2ban puts the lines of one connection together; here each line counts by itself",
            )

    def _tell(self) -> None:
        if self._date.unknown:
            self._done.lose(
                f"datepattern {self._date.unknown}", "this form of time is not known; the usual ones are taken"
            )
        if any("<HOST>" in each for each in (self._given.prefregex, *self._given.failregex)):
            self._done.lose("<HOST>", "lines with the name of a host in its place do not count: no name is looked up")

    # -- one expression ------------------------------------------------------------------------------------------------

    def _rows(self, line: str) -> Iterator[tuple[Row, Beginnings]]:
        """Its alternatives, each with what the prefregex puts in front, and with how it begins."""
        if "<SKIPLINES>" in line or re.search(r"(?<!\\)(?:\\\\)*\\n", line):
            self._done.lose(line, "it goes over several lines: write a sequence by hand (docs/from-fail2ban.md)")
            return
        body = parse(with_patterns(line, self._spared))
        for row in body:
            merged = self._merged(row, line)
            if merged is not None:
                yield merged, beginnings(row)[0]

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
        lead = max(
            (n for n, node in enumerate(prefix[:place]) if node == START or PREFIX in render(((node,),))), default=-1
        )
        front = (*prefix[lead + 1 : place], *look)
        if not all(isinstance(node, Atom) for node in front):
            front = (Group("(?>", (front,)),)  # fail2ban does not look for another way through it, either
        return (*prefix[: lead + 1], *front, *rest)

    def _take(self, row: Row, begins: Beginnings, line: str) -> Row | None:
        """Add its pattern. What of it is no failure, as a row; None when there is nothing of that."""
        if _REFERENCE.search(render((row,))):
            self._done.lose(line, "it refers to a group by its number")
            return None
        required, always = no_failure(row)
        if always:
            return required
        if not names((row,)) & {"host", "name", "fid"}:
            self._done.lose(line, "it holds no address: fail2ban takes that from an earlier line of the connection")
            return None
        text, shape = self._fronts.text(row)
        if not self._compiles(text, line):
            return None
        self._done.patterns.append(Pattern(text, (*shape, *self._after()), begins, line))
        return required

    def _after(self) -> Row:
        """What the prefregex wants behind the content."""
        if len(self._prefix) != 1 or (place := _place_of(self._prefix[0], "content")) is None:
            return ()
        after = self._prefix[0][place + 1 :]
        return () if render((after,)) in _ENDS else after

    def _guarded(self, row: Row, begins: Beginnings, earlier: Sequence[Pattern]) -> str:
        """The pattern of what is no failure, unless an earlier expression says that it is one: the first one counts."""
        before = [each.text for each in earlier if may_be_one(each.begins, begins)]
        return "".join(f"(?!{each})" for each in before) + self._fronts.text(row)[0]

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
                text = self._fronts.text(row)[0]
                if self._given.programs and not has_mark(row) and row[:1] == (START,):
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
            done.lose(each.origin, f"it has no {done.by}, by which the others are counted: write a rule of its own")
        done.patterns = [each for each in done.patterns if each not in without]
        if any("fid" in each for each in groups) and done.by != "fid":
            done.lose("<F-ID>", f"failures are counted by {done.by}")


def _place_of(row: Row, name: str) -> int | None:
    return next((n for n, node in enumerate(row) if isinstance(node, Group) and node.name == name), None)


def _body_of(node: Node) -> Alternatives:
    return node.body if isinstance(node, Group) else ((node,),)
