"""What a report said, from what is kept of it: for drafts of rules, and the samples in them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from logmedic.core.mining.masks import shape_of
from logmedic.core.reportmatch import SOURCE, said_of
from logmedic.core.reports import BadReport, entry_of
from logmedic.core.samplereports import HOST, told_by
from logmedic.core.telling import TRACE, Subject
from logmedic.model.match import ReportSpec
from logmedic.model.report import Report
from logmedic.model.rule import Rule
from logmedic.model.shape import text_of

MAX_VALUES = 3
"""Of a key: what has more different ones is not told apart by it."""
_HEAD = re.compile(r"\S+ \S+ (?P<component>[A-Za-z][A-Za-z0-9_.-]{0,63})\[\d+\]: ERROR (?P<said>[^\n]+)", re.ASCII)
_GAVE_UP = re.compile(r" \(gave up after (\d{1,4}) attempts\)\Z")
_TYPE = re.compile(
    r"(?:\w+\.)*(?:(?:[A-Z]\w*)?(?:Error|Exception|Warning|Expired|Timeout|Failure|DoesNotExist)"
    r"|(?<=\.)(?:error|timeout))\Z"
)
"""What types of errors are called: an action is hardly ever called so."""
_MASK = re.compile(r"<\w+>")
_ANY_TYPE = re.compile(r"(?:\w+\.)*\w+\Z")
_AT = datetime(2026, 1, 1, tzinfo=UTC)


def report_in(text: str) -> Report | None:
    """The error that the text of a report's record tells of. `action` and `error` are parts of what it says, and are
    told where it is clear which is which; else all of it is the message. None: it is none, or cannot be read again."""
    head = _HEAD.match(text)
    if head is None:
        return None
    said, attempts = head["said"], 0
    if (gave_up := _GAVE_UP.search(said)) is not None:
        said, attempts = said[: gave_up.start()], int(gave_up[1])
    told: dict[str, Any] = {"component": head["component"], "attempts": attempts, **_parts(said, _raised(text))}
    try:
        report = told_by(told)
    except BadReport:
        return None
    return report if _line_of(report) == f"ERROR {head['said']}" else None


def subject_of(text: str) -> Subject:
    """Of the text of a report's record: its first line is there whatever is cut off."""
    first, _, further = said_of(text).partition("\n")
    head = _HEAD.match(text)
    return Subject(first, True, not further, head["component"] if head is not None else "")


def of_reports(source: str, texts: Sequence[str]) -> bool:
    return source == SOURCE and all(report_in(each) is not None for each in texts)


def about_reports(rule: Rule, texts: Iterable[str]) -> Rule:
    """`rule`, which was drafted from the texts of reports as from those of lines, about reports."""
    reports = [report for each in texts if (report := report_in(each)) is not None]
    spec = ReportSpec(
        component=_values(each.component for each in reports),
        action=_values(_widened([each.action for each in reports])),
        error=_values(each.error for each in reports),
    )
    return replace(rule, match=replace(rule.match, program=(), report=spec), sources=())


def _values(told: Iterable[str]) -> tuple[str, ...]:
    """Empty when one of them says nothing, or they say too much."""
    values = tuple(dict.fromkeys(told))
    return values if all(values) and len(values) <= MAX_VALUES else ()


def _widened(actions: Sequence[str]) -> Iterator[str]:
    """`GET /stock/7` and `GET /stock/8` are `GET *`: there will be a `GET /stock/9`."""
    shapes = [text_of(shape_of(each)) for each in actions]
    alike = {shape for shape in shapes if len({a for a, s in zip(actions, shapes, strict=True) if s == shape}) > 1}
    for action, shape in zip(actions, shapes, strict=True):
        yield _MASK.sub("*", shape) if shape in alike else action


def _parts(said: str, raised: str) -> dict[str, str]:
    """`raised`: the type that the traceback names; may be empty."""
    first, _, rest = said.partition(": ")
    second, _, message = rest.partition(": ")
    of_action = {"action": first, "error": second, "message": message}
    if raised and raised in (first, second):
        return of_action if first != raised else {"error": first, "message": rest}
    if _TYPE.match(first):
        return {"error": first, "message": rest}
    return of_action if _TYPE.match(second) else {"message": said}


def _raised(text: str) -> str:
    """The type that its traceback ends with."""
    if TRACE not in text:
        return ""
    flat = [line for line in text.split("\n")[1:] if line.strip() and not line[0].isspace() and TRACE not in line]
    found = flat[-1].partition(": ")[0] if flat else ""
    return found if _ANY_TYPE.match(found) else ""


def _line_of(report: Report) -> str:
    return said_of(entry_of(report, 0, HOST, _AT)[0].decode().rstrip("\n"))
