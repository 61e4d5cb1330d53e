"""What was learned from old logs, as people read it and as programs do."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from os.path import basename
from typing import Any

from logmedic.cli.output import print_json, several
from logmedic.cli.past import file_row, iso, zone_name
from logmedic.cli.styled import say
from logmedic.core.backtest import Log
from logmedic.core.evidence import clean
from logmedic.core.hindsight import Lesson, columns_of, ranked
from logmedic.core.secrets import masked
from logmedic.core.sparkline import sparkline
from logmedic.lookback import Lookback
from logmedic.rulesets import ARGUMENT

WIDEST = 92
"""Columns of a picture."""
SAMPLE_SHOWN = 400
"""Characters."""
SAMPLE_LINES = 6
NAMES_SHOWN = 3


@dataclass(frozen=True)
class Telling:
    """What is told of: at most `most`, of `component` when one is named, that came `least` times. `drafted`: drafts of
    them are written as well."""

    done: Lookback
    most: int
    least: int
    component: str
    drafted: bool = False

    @cached_property
    def picked(self) -> list[Lesson]:
        return ranked(self.done.lessons, self.component, self.least)

    @property
    def lessons(self) -> list[Lesson]:
        return self.picked[: self.most]

    def files(self, lesson: Lesson) -> list[Log]:
        return [self.done.read[number] for number in sorted(lesson.logs)]

    def component_of(self, lesson: Lesson) -> str:
        """The file's name where nobody else is named."""
        named = lesson.template.component
        return basename(self.files(lesson)[0].path) if named == ARGUMENT else named


def print_lookback(telling: Telling, output: str) -> None:
    if output == "json":
        print_json(_report(telling))
    elif output == "jsonl":
        for lesson in telling.lessons:
            print(json.dumps(_row(lesson, telling)))
    else:
        for line in _lines(telling):
            say(line)


def _report(telling: Telling) -> dict[str, Any]:
    done = telling.done
    return {
        "zone": zone_name(done.zone, done.span),
        "since": iso(done.span[0]) if done.span else None,
        "until": iso(done.span[1]) if done.span else None,
        "files": [file_row(log) for log in done.logs],
        "left_out": [{"path": log.path, "reason": log.problem} for log in done.left_out],
        "unread": list(done.unread),
        "passed_by": list(done.passed_by),
        "bytes": done.bytes,
        "lines": done.lines,
        "seconds": round(done.seconds, 3),
        "reading_seconds": round(done.reading_s, 3),
        "rules": done.rules,
        "unknown": done.unknown,
        "kinds": len(done.lessons),
        "picked": len(telling.picked),
        "forgotten": done.forgotten,
        "timeouts": dict(done.timeouts),
        "quarantined": list(done.quarantined),
        "errors": [_row(lesson, telling) for lesson in telling.lessons],
    }


def _row(lesson: Lesson, telling: Telling) -> dict[str, Any]:
    template, scale, files = lesson.template, telling.done.scale, telling.files(lesson)
    return {
        "fingerprint": template.fingerprint,
        "component": template.component,
        "template": masked(template.template),
        "count": template.occurrences,
        "first": iso(template.first_seen),
        "last": iso(template.last_seen),
        "spread": {"unit": scale.unit, "seen": len(lesson.slots), "of": scale.slots} if scale is not None else None,
        "counts": columns_of(lesson.slots, scale, WIDEST) if scale is not None else [],
        "files": [log.path for log in files],
        "sources": sorted({log.source for log in files}),
        "trace": template.trace,
        "critical": template.critical,
        "sample": masked(template.sample),
    }


def _lines(telling: Telling) -> Iterator[str]:
    for number, lesson in enumerate(telling.lessons, 1):
        yield from _lesson(number, lesson, telling)
        yield ""
    yield from _remarks(telling)
    yield from _totals(telling)


def _lesson(number: int, lesson: Lesson, telling: Telling) -> Iterator[str]:
    template, done = lesson.template, telling.done
    graver = "critical, " if template.critical else ""
    yield f"{number}. {telling.component_of(lesson)}  {graver}{several(template.occurrences, 'time')}"
    yield f"   {clean(masked(template.template), SAMPLE_SHOWN, keep='')}"
    first, last = (_at(each, done) for each in (template.first_seen, template.last_seen))
    yield f"   {first}" + (f" to {last}" if last != first else "") + _spread(lesson, done)
    if done.scale is not None and done.scale.slots > 1:
        width = max(10, min(WIDEST, shutil.get_terminal_size().columns - 10))
        yield f"   {sparkline(columns_of(lesson.slots, done.scale, width))}"
    yield f"   in {_names([log.path for log in telling.files(lesson)])}"
    yield from (f"   > {line}" for line in _sample(template.sample))


def _sample(text: str) -> list[str]:
    """Its first lines, secrets masked."""
    lines = clean(masked(text), SAMPLE_SHOWN, keep="\n").strip().splitlines()
    return [*lines[:SAMPLE_LINES], *(["..."] if len(lines) > SAMPLE_LINES else [])]


def _spread(lesson: Lesson, done: Lookback) -> str:
    scale = done.scale
    if scale is None or scale.slots < 2:
        return ""
    return f", in {len(lesson.slots):,} of {several(scale.slots, scale.unit)}"


def _names(names: Sequence[str]) -> str:
    more = f" and {several(len(names) - NAMES_SHOWN, 'more file')}" if len(names) > NAMES_SHOWN else ""
    return ", ".join(names[:NAMES_SHOWN]) + more


def _at(at: datetime, done: Lookback) -> str:
    return f"{at.astimezone(done.zone):%Y-%m-%d %H:%M:%S}"


def _remarks(telling: Telling) -> Iterator[str]:
    """What limits the answer."""
    done = telling.done
    for log in done.left_out:
        yield f"left out: {log.path} {log.problem}"
    if done.unread:
        yield f"no files, not read: {', '.join(done.unread)} (the journal: journalctl -o short-iso | logmedic learn -)"
    if done.quarantined:
        yield f"rules that took too long too often were heard no more, as in the daemon: {', '.join(done.quarantined)}"
    elif done.timeouts:
        yield f"records given up because a pattern took too long: {sum(done.timeouts.values()):,}"
    if done.forgotten:
        yield f"more kinds than are kept: {done.forgotten:,} that had come seldom were forgotten on the way"
    timeless = [log.path for log in done.logs if log.lines and log.first is None and log.last is None]
    if timeless:
        yield f"no times in the lines, the file's last write stands for all of them: {_names(timeless)}"
    if done.passed_by:
        yield f"older than --since, not read: {several(len(done.passed_by), 'file')}"


def _totals(telling: Telling) -> Iterator[str]:
    done = telling.done
    shown, picked, kinds = len(telling.lessons), len(telling.picked), len(done.lessons)
    if not kinds:
        yield f"no error that the rules do not know ({several(done.rules, 'rule')})"
    else:
        asked = f"; {picked:,} asked for" if picked != kinds else ""
        cut = f"; {shown:,} shown (--top N shows more)" if shown != picked else ""
        errors = f"{several(done.unknown, 'error')} of {several(kinds, 'kind')}"
        yield f"{errors} that no rule knows ({several(done.rules, 'rule')}){asked}{cut}"
    read, size = [log for log in done.logs if log.lines], done.bytes / 1e6
    speed = f"read at {size / max(done.reading_s, 1e-3):,.0f} MB/s, all in {done.seconds:.1f} s"
    yield f"{several(len(read), 'file')}, {several(done.lines, 'line')}, {size:,.1f} MB: {speed}"
    if done.span:
        first, last = (_at(each, done) for each in done.span)
        yield f"{first} to {last} in {zone_name(done.zone, done.span)}"
    if shown and not telling.drafted:
        yield "hint: --drafts DIR writes a draft rule for each of them"
