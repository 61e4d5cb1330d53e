"""What is to be learned from logs of the past, put together: the files, the search, what it comes to."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, tzinfo
from typing import BinaryIO

from logmedic.adapters.sources.gathering import Rows
from logmedic.adapters.sources.packed import spacious
from logmedic.adapters.sources.past import PastLog
from logmedic.adapters.sources.searching import Search
from logmedic.core.backtest import Log, span_of
from logmedic.core.hindsight import Hindsight, Lesson, Scale, scale_of
from logmedic.core.scanner import UNSAVED, Saved
from logmedic.core.sightings import MICROSECOND, Sighting, Span, as_read
from logmedic.model.policy import LearningPolicy
from logmedic.model.rule import RuleSet
from logmedic.pastlogs import READING, Chosen, Labels, Pulse, chosen, chosen_within, files_of, globs_of
from logmedic.settings import Settings

HELD_SIGHTINGS = 5_000
"""In memory of each process, some 5 MB; more go to files."""
STDIN = "stdin"
"""The source of what is piped in, as in the daemon."""
SPOOLED = "standard input"
LEARNING = "learning"
PULSE_EVERY = 1000
"""Sightings."""


@dataclass(frozen=True, slots=True)
class Asked:
    """`places`: files and directories; none: the files that the sources find, with their rotations. `piped`: read as
    well, to its end. `source`: what all files stand for; empty: their paths tell. `ordinary`: some ordinary lines are
    wanted too."""

    places: tuple[str, ...] = ()
    piped: BinaryIO | None = None
    source: str = ""
    since: datetime | None = None
    until: datetime | None = None
    zone: tzinfo = UTC
    ordinary: bool = False


@dataclass(frozen=True)
class Lookback:
    """What came of it. `logs`: also those that could not be read; `read`: those that could, by the numbers that the
    lessons have. `left_out`: files beside them that are no logs; `passed_by`: what is older than what was asked for.
    `unknown`: errors that no rule knows; `forgotten`: templates that came seldom and that there was no room for.
    `ordinary`: lines that are no errors, by source. `unread`: sources that were asked for and are no files."""

    lessons: Sequence[Lesson]
    logs: tuple[Log, ...]
    read: tuple[Log, ...]
    left_out: tuple[Log, ...]
    passed_by: tuple[str, ...]
    span: tuple[datetime, datetime] | None
    scale: Scale | None
    zone: tzinfo
    seconds: float
    reading_s: float
    rules: int
    unknown: int = 0
    forgotten: int = 0
    timeouts: dict[str, int] = field(default_factory=dict)
    quarantined: tuple[str, ...] = ()
    ordinary: dict[str, list[str]] = field(default_factory=dict)
    unread: tuple[str, ...] = ()

    @property
    def bytes(self) -> int:
        return sum(log.bytes for log in self.logs)

    @property
    def lines(self) -> int:
        return sum(log.lines for log in self.logs)


def look_back(settings: Settings, ruleset: RuleSet, asked: Asked, pulse: Pulse, saved: Saved = UNSAVED) -> Lookback:
    """`saved`: as of Matcher. Raises LogmedicError for what leaves nothing to tell, OSError when there is no room on
    disk for what is found, and BrokenProcessPool when a process that searched was killed."""
    begun = time.monotonic()
    with ExitStack() as stack:
        past = _past(settings, ruleset, asked, stack)
        rows = stack.enter_context(closing(Rows(Sighting, as_read, HELD_SIGHTINGS)))
        search = past.search(ruleset, asked, rows, pulse, saved)
        ready = time.monotonic()
        logs = past.named(search.run(len(os.sched_getaffinity(0))))
        read = time.monotonic()
        covered = span_of(logs, asked.since, asked.until)
        scale = _scale_of(covered, asked)
        seen = Hindsight(LearningPolicy().max_templates, scale, [log.source for log in logs])
        for each in _counted(rows, pulse):
            seen.take(each)
    return Lookback(
        lessons=seen.lessons,
        logs=(*logs, *past.files.broken),
        read=tuple(logs),
        left_out=tuple(past.files.left_out),
        passed_by=tuple(past.files.passed_by),
        span=covered,
        scale=scale,
        zone=asked.zone,
        seconds=time.monotonic() - begun,
        reading_s=read - ready,
        rules=len(ruleset.rules),
        unknown=seen.unknown,
        forgotten=seen.forgotten,
        timeouts=dict(search.timeouts),
        quarantined=tuple(sorted(search.quarantined)),
        ordinary=search.ordinary,
        unread=() if asked.places or asked.piped is not None else _without_files(settings, ruleset),
    )


@dataclass(frozen=True, slots=True)
class _Past:
    """What is read. `spooled`: the path of what was piped in, the last of all."""

    files: Chosen
    labels: Labels
    logs: Sequence[PastLog]
    spooled: str = ""

    def search(
        self, ruleset: RuleSet, asked: Asked, rows: Rows[Sighting], pulse: Pulse, saved: Saved
    ) -> Search[Sighting]:
        total = self.files.size
        return Search(
            self.logs,
            self.labels.sieve(ruleset.rules, asked.zone, saved),
            Span(asked.zone, asked.since, asked.until),
            rows,
            lambda done: pulse(READING, min(done, total), total),
            drawing=asked.ordinary,
        )

    def named(self, logs: Iterable[Log]) -> list[Log]:
        """As people know them."""
        return [replace(log, path=SPOOLED) if log.path == self.spooled else log for log in logs]


def _past(settings: Settings, ruleset: RuleSet, asked: Asked, stack: ExitStack) -> _Past:
    followed, brought = globs_of(settings, ruleset)
    files, labels = _files(asked, followed), Labels(settings, [*followed, *brought], asked.source)
    logs = [labels.log(path, asked.zone) for path in files.paths]
    if asked.piped is None:
        return _Past(files, labels, logs)
    spooled = stack.enter_context(_spooled(asked.piped))
    files.paths.append(spooled)
    return _Past(files, labels, [*logs, labels.log(spooled, asked.zone, otherwise=STDIN)], spooled)


def _without_files(settings: Settings, ruleset: RuleSet) -> tuple[str, ...]:
    followed = settings.followed(ruleset.sources)
    return tuple(name for name, spec in followed.items() if spec.files is None)


def _scale_of(covered: tuple[datetime, datetime] | None, asked: Asked) -> Scale | None:
    if covered is None or covered[1] < covered[0]:
        return None
    begin, end = covered
    return scale_of((begin, max(begin, end - MICROSECOND) if end == asked.until else end), asked.zone)


def _files(asked: Asked, followed: Sequence[tuple[str, Sequence[str]]]) -> Chosen:
    if asked.places:
        return chosen_within(asked.places, asked.since)
    return chosen(files_of(followed) if asked.piped is None else (), asked.since)


@contextmanager
def _spooled(piped: BinaryIO) -> Iterator[str]:
    """All of it in a file, which is gone afterwards: it is read in parts, by several processes, as other logs are."""
    with tempfile.NamedTemporaryFile(prefix="logmedic-past-", dir=spacious()) as room:
        shutil.copyfileobj(piped, room, 1024 * 1024)
        room.flush()
        yield room.name


def _counted(rows: Rows[Sighting], pulse: Pulse) -> Iterable[Sighting]:
    for number, each in enumerate(rows.in_order()):
        if number % PULSE_EVERY == 0:
            pulse(LEARNING, number, rows.count)
        yield each
