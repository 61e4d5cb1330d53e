"""A report of an application, from its line to a record as a log would have it. Pure; what comes in is hostile."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from logmedic.core.evidence import clean
from logmedic.model.record import Entry
from logmedic.model.report import Answer, Report, ReportKind, Sender
from logmedic.model.severity import Severity

MAX_LINE = 64 * 1024
"""Bytes of a line of the protocol, its newline included."""
MAX_WAIT = timedelta(minutes=10)
MAX_MESSAGE, MAX_TRACEBACK, MAX_WORDS = 4000, 32_000, 200
"""Characters."""
MAX_TAGS, MAX_CONTEXT, MAX_VALUE = 16, 32, 1000
MAX_ATTEMPTS = 1000
MAX_SKEW = timedelta(days=1)
"""A report says when it happened; what is older than this, or still to come by the clock of the same host, counts as
now: else one from tomorrow would make what others report today look old."""
ID = re.compile(r"[A-Za-z0-9_-]{1,64}\Z", re.ASCII)
COMPONENT = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}\Z", re.ASCII)
REQUEST_ID = re.compile(r"[A-Za-z0-9._:/=+@-]{1,128}\Z", re.ASCII)
TAG = re.compile(r"[A-Za-z0-9_.:-]{1,64}\Z", re.ASCII)
KEY = re.compile(r"[A-Za-z0-9_.-]{1,64}\Z", re.ASCII)
ENVIRONMENT = re.compile(r"[A-Za-z0-9_.:-]{0,64}\Z", re.ASCII)
FIELDS = (
    *("component", "action", "error", "message", "impact", "environment", "request_id", "kind", "name"),
    *("attempts", "strategy", "user", "uid", "pid", "report_id", "tags"),
)
"""Of a report's record, besides `context.NAME`; only those that it has."""


class BadReport(ValueError):
    """`reason`: "form" or "size". `id`: of the report, as far as it could be read; may be empty."""

    def __init__(self, reason: str, text: str, hint: str, report_id: str = "") -> None:
        super().__init__(text)
        self.reason, self.text, self.hint, self.id = reason, text, hint, report_id


def parsed(line: bytes) -> dict[str, Any]:
    """The object of one line. Raises BadReport."""
    if len(line) > MAX_LINE:
        raise BadReport("size", f"a line has at most {MAX_LINE} bytes", "cut the traceback")
    try:
        told = json.loads(line)
    except (ValueError, RecursionError):
        raise BadReport("form", "this is no line of JSON", 'send {"type": "report", ...} and a newline') from None
    if not isinstance(told, dict):
        raise BadReport("form", "this is no object", 'send {"type": "report", ...} and a newline')
    return told


def report_of(told: Mapping[str, Any], sender: Sender) -> Report:
    """Of an object of type `report`. Raises BadReport. Keys that are not known here are passed over."""
    read = _Reading(told)
    report = Report(
        id=read.id,
        component=read.like("component", COMPONENT, "a letter, then letters, digits, . _ -; at most 64"),
        error=read.text("error", MAX_WORDS),
        message=read.text("message", MAX_MESSAGE),
        sender=sender,
        kind=read.choice("kind", ReportKind, ReportKind.ERROR),
        action=read.text("action", MAX_WORDS),
        traceback=read.text("traceback", MAX_TRACEBACK),
        impact=read.choice("impact", Severity, Severity.MEDIUM),
        environment=read.like("environment", ENVIRONMENT, "letters, digits, . _ : -; at most 64", ""),
        request_id=read.like("request_id", REQUEST_ID, "letters, digits and ._:/=+@-; at most 128", ""),
        name=read.text("name", MAX_WORDS),
        attempts=int(read.number("attempts", MAX_ATTEMPTS)),
        strategy=read.text("strategy", MAX_WORDS),
        tags=read.tags(),
        context=read.context(),
        at=read.at(),
        wait=timedelta(seconds=read.number("wait", MAX_WAIT.total_seconds())),
    )
    if not report.what.strip():
        raise read.wrong("error", "it says neither `error` nor `message`", 'send "error": "TimeoutError"')
    if report.kind is not ReportKind.ERROR and not report.name.strip():
        raise read.wrong("name", f"a report of kind {report.kind} names its breaker or feature", 'send "name"')
    return report


def entry_of(report: Report, start: int, host: str, now: datetime) -> tuple[bytes, Entry]:
    """Its record, as a log would have it, with one newline at the end, and the entry that it is at byte `start` of a
    block."""
    at = report.at if report.at is not None and timedelta(0) <= now - report.at <= MAX_SKEW else now
    head = f"{at.astimezone(UTC).isoformat(timespec='microseconds')} {host} {report.component}[{report.sender.pid}]:"
    text = f"{head} {_said(report)}\n"
    return text.encode("utf-8", "replace"), Entry(start, at, fields_of(report), report.component, report)


def fields_of(report: Report) -> dict[str, str]:
    """By the names of FIELDS, and `context.NAME`."""
    sender = report.sender
    told = {
        "component": report.component,
        "action": report.action,
        "error": report.error,
        "message": report.message,
        "impact": report.impact.value,
        "environment": report.environment,
        "request_id": report.request_id,
        "kind": report.kind.value,
        "name": report.name,
        "attempts": str(report.attempts) if report.attempts else "",
        "strategy": report.strategy,
        "user": sender.user,
        "uid": str(sender.uid),
        "pid": str(sender.pid),
        "report_id": report.id,
        "tags": ",".join(report.tags),
    }
    told.update((f"context.{name}", value) for name, value in report.context.items())
    return {name: value for name, value in told.items() if value}


def answer_line(answer: Answer) -> dict[str, Any]:
    """As it is sent."""
    told = {
        "issue": answer.issue,
        "incident": answer.incident,
        "rule": answer.rule,
        "hold": answer.hold,
        "detail": answer.detail,
    }
    return {"type": "answer", "id": answer.report_id, "state": answer.state.value, "final": answer.final, **told}


def _said(report: Report) -> str:
    what = _line(report.what)
    match report.kind:
        case ReportKind.BREAKER_OPEN:
            return f"WARNING circuit breaker {_line(report.name)} opened: {what}"
        case ReportKind.BREAKER_CLOSED:
            return f"INFO circuit breaker {_line(report.name)} closed again: {what}"
        case ReportKind.DEGRADED:
            return f"WARNING {_line(report.name)} degraded: {what}"
    action = f"{_line(report.action)}: " if report.action else ""
    after = f" (gave up after {report.attempts} attempts)" if report.attempts > 1 else ""
    trace = clean(report.traceback, MAX_TRACEBACK).strip("\n")
    return f"ERROR {action}{what}{after}" + (f"\n{trace}" if trace else "")


def _line(text: str) -> str:
    """On one line: newlines are shown as spaces, and nothing that a terminal obeys is left."""
    return " ".join(clean(text, MAX_MESSAGE).split())


class _Reading:
    """Takes what is told apart, key by key."""

    def __init__(self, told: Mapping[str, Any]) -> None:
        self._told = told
        self.id = ""
        self.id = self.like("id", ID, "letters, digits, _ and -; at most 64")

    def wrong(self, key: str, text: str, hint: str, reason: str = "form") -> BadReport:
        return BadReport(reason, f"`{key}`: {text}", hint, self.id)

    def text(self, key: str, longest: int) -> str:
        told = self._told.get(key)
        if told is None:
            return ""
        if not isinstance(told, str):
            raise self.wrong(key, "this is no text", f'send "{key}": "..."')
        if len(told) > longest:
            raise self.wrong(key, f"it has {len(told)} characters, and at most {longest} are taken", "cut it", "size")
        return told if told.isascii() else told.encode("utf-8", "replace").decode()  # halves of characters come in JSON

    def like(self, key: str, form: re.Pattern[str], words: str, usual: str | None = None) -> str:
        """`usual` None: it has to be there."""
        told = self.text(key, MAX_MESSAGE)
        if not told and usual is not None:
            return usual
        if not form.match(told):
            raise self.wrong(key, "it is missing" if not told else f"{told[:40]!r} is none", f"it has {words}")
        return told

    def choice(self, key: str, of: Callable[[str], Any], usual: Any) -> Any:
        told = self.text(key, MAX_MESSAGE)
        try:
            return of(told) if told else usual
        except ValueError:
            choices = ", ".join(each.value for each in type(usual))
            raise self.wrong(key, f"{told[:40]!r} is none", f"one of {choices}") from None

    def number(self, key: str, most: float) -> float:
        told = self._told.get(key)
        if told is None:
            return 0
        if isinstance(told, bool) or not isinstance(told, (int, float)) or not 0 <= told <= most:
            raise self.wrong(key, "this is no number that is taken", f"0 to {most:g}")
        return told

    def tags(self) -> tuple[str, ...]:
        told = self._told.get("tags")
        if told is None:
            return ()
        if not isinstance(told, list) or len(told) > MAX_TAGS:
            raise self.wrong("tags", "this is no list of tags", f"at most {MAX_TAGS}")
        if not all(isinstance(each, str) and TAG.match(each) for each in told):
            raise self.wrong("tags", "one of them is no tag", "letters, digits, . _ : -; at most 64")
        return tuple(dict.fromkeys(told))

    def context(self) -> dict[str, str]:
        told = self._told.get("context")
        if told is None:
            return {}
        if not isinstance(told, dict) or len(told) > MAX_CONTEXT:
            raise self.wrong("context", "this is no object of texts", f"at most {MAX_CONTEXT} names")
        for name, value in told.items():
            if not KEY.match(name) or not isinstance(value, str):
                raise self.wrong("context", f"{name[:40]!r} is no name with a text", 'send "context": {"order": "17"}')
            if len(value) > MAX_VALUE:
                raise self.wrong(f"context.{name}", f"it is longer than {MAX_VALUE} characters", "cut it", "size")
        return {name: value.encode("utf-8", "replace").decode() for name, value in told.items()}

    def at(self) -> datetime | None:
        told = self.text("at", MAX_WORDS)
        if not told:
            return None
        try:
            at = datetime.fromisoformat(told)
            return at.astimezone(UTC) if at.tzinfo is not None else at.replace(tzinfo=UTC)
        except (ValueError, OverflowError):
            raise self.wrong("at", f"{told[:40]!r} is no time", "2026-11-26T11:22:33Z") from None
