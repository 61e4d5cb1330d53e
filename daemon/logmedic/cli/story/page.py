"""The whole story of an incident, to be read from above by somebody who was woken by it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from logmedic.cli.output import at, short, span
from logmedic.cli.story import people
from logmedic.cli.story.entry import Entry
from logmedic.cli.story.timeline import timeline
from logmedic.cli.styled import Piece, Text, text
from logmedic.cli.why import check_lines
from logmedic.core.rowwords import hold_of, requests_of, state_of

Row = Mapping[str, Any]
_ALWAYS_TOLD = ("mode", "breaker")
_TONES = {"resolved": "good", "failed": "bad"}
_INDENT = 2
SIMILAR_SHOWN = 5
SENTENCES_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Story:
    """`row`: as Queries.incident. `checks`: what the governor says now. `similar`: as Queries.similar. `precursors`: as
    of its issue."""

    row: Row
    checks: Sequence[Row] = ()
    similar: Sequence[Row] = ()
    precursors: Sequence[Row] = ()


def page(story: Story) -> Iterator[Text]:
    row = story.row
    yield from _head(row)
    yield from _section("what happened (UTC; + since it was opened)", _happened(row))
    yield from _section("how it stands with people", (text(each, hang=2) for each in people.now(row)))
    yield from _section(f"what the governor says now (all of it: logmedic why {short(row)})", _governor(story.checks))
    yield from _section("what may be behind it", _causes(story))
    yield from _section("like it before", _similar(story.similar))
    yield from (Text((Piece(each, "head"),), hang=6) for each in _next_step(row))


def _head(row: Row) -> Iterator[Text]:
    yield text(row["title"], "head", hang=2)
    state = Piece(state_of(row), _TONES.get(row["status"], "wait"))
    yield Text((Piece(f"{row['severity']}, "), state, Piece(f", seen {row['occurrences']}x")), hang=2)
    source = f", source {row['source']}" if row.get("source") else ""
    yield text(f"incident {short(row)}, rule {row['rule_id']}{source}, opened {at(row['opened_at'])}", hang=2)
    if requests := requests_of(row):
        yield text(f"failed requests of applications: {requests}", hang=2)
    if hold := hold_of(row):
        yield text(f"held ({hold}): {row['hold_detail']}", "wait", hang=2)
    if row["resolved_at"]:
        yield text(f"over after {_took(row)}: {row['resolution_notes']}", hang=2)
    if row.get("approved_by"):
        yield text(f"its fix was approved by {row['approved_by']}", hang=2)


def _took(row: Row) -> str:
    took = datetime.fromisoformat(row["resolved_at"]) - datetime.fromisoformat(row["opened_at"])
    return span(took.total_seconds())


def _section(heading: str, lines: Iterator[Text]) -> Iterator[Text]:
    """Nothing at all where there are no lines."""
    for number, line in enumerate(lines):
        if number == 0:
            yield text("")
            yield text(heading, "head")
        yield Text((Piece(" " * _INDENT), *line.pieces), line.hang + _INDENT)


def _happened(row: Row) -> Iterator[Text]:
    entries, opened = timeline(row), datetime.fromisoformat(row["opened_at"])
    since = [_since(each.at, opened) for each in entries]
    width = max(map(len, since), default=0)
    day: date | None = None
    for entry, told in zip(entries, since, strict=True):
        if entry.at.date() != day:
            day = entry.at.date()
            yield text(f"{day}", "faint")
        yield from _entry(entry, told.rjust(width))


def _since(at: datetime, opened: datetime) -> str:
    seconds = (at - opened).total_seconds()
    return f"-{span(-seconds)}" if seconds < 0 else f"+{span(seconds)}"


def _entry(entry: Entry, since: str) -> Iterator[Text]:
    """The time, how long after the opening, the mark, the stage, and what there is to say."""
    stage = entry.stage
    clock = f"{entry.at:%H:%M:%S}Z  {since}  "
    head = (Piece(clock, "faint"), Piece(f"{stage.mark} {stage.name:<8}", stage.style), Piece(f"  {entry.told}"))
    column = len(clock) + 2
    yield Text(head, hang=column)
    for line in entry.more:
        yield Text((Piece(" " * column), *line.pieces), column + line.hang)


def _governor(checks: Sequence[Row]) -> Iterator[Text]:
    """How far its fix may go, its breaker, and all that holds it."""
    told = [each for each in checks if not each["ok"] or each["name"] in _ALWAYS_TOLD]
    for check, line in zip(told, check_lines(told), strict=True):
        yield text(line, "good" if check["ok"] else "wait", hang=4)


def _causes(story: Story) -> Iterator[Text]:
    """Fixes that seem to have set it off, and what tends to come before it."""
    if story.row.get("chain"):
        yield text(f"it came about right after fixes of {', '.join(story.row['chain'])}", hang=2)
    mine = [each for each in story.precursors if each["after"] == story.row["issue_id"]]
    yield from (text(each["sentence"], hang=2) for each in mine[:SENTENCES_SHOWN])


def _similar(rows: Sequence[Row]) -> Iterator[Text]:
    for row in rows[:SIMILAR_SHOWN]:
        took = f" after {span(row['took_s'])}" if row.get("took_s") is not None else ""
        fixed = row.get("fixed_by")
        by = f"; {fixed['step_name']} fixed it" if fixed else ""
        mark, style = ("✓", "good") if row["status"] == "resolved" else ("·", "wait")
        told = f" {short(row)}  {at(row['opened_at'])}: {state_of(row)}{took}{by}"
        yield Text((Piece(mark, style), Piece(told)), hang=12)


def _next_step(row: Row) -> Iterator[str]:
    notice, name = row.get("notice") or {}, short(row)
    if row["hold"] == "awaiting_approval":
        steps = [f"logmedic approve {name}, or logmedic reject {name}"]
    elif notice and not notice["over"] and notice["told"] and not notice["acked_by"]:
        steps = [f"logmedic ack {name} says that you take care of it"]
    elif row["status"] not in ("resolved",):
        steps = [f"logmedic why {name} has all that is asked before its fix runs"]
    else:
        steps = []
    for each in steps:
        yield from ("", f"next: {each}")
