"""A backtest put together: files and the sources they stand for, the search, the replay."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, tzinfo
from functools import cached_property

from logmedic.adapters.sources.gathering import Matches
from logmedic.adapters.sources.searching import Search, Wanted
from logmedic.core.backtest import Kept, Log, Replay, Story, days_of, replay, replayed, span_of, with_causes
from logmedic.model.rule import Mode, Rule, RuleSet
from logmedic.pastlogs import READING, Labels, Pulse, chosen, files_of, globs_of
from logmedic.settings import Settings

REPLAYING = "replaying"
PULSE_EVERY = 1000
"""Matches."""


@dataclass(frozen=True, slots=True)
class Asked:
    """`files` empty: those that the sources find, with their rotations. `rules`: those that are told of. `source`: what
    all files stand for; empty: their paths tell. `mode` None: the config's."""

    rules: tuple[Rule, ...]
    files: tuple[str, ...] = ()
    source: str = ""
    mode: Mode | None = None
    since: datetime | None = None
    until: datetime | None = None
    zone: tzinfo = UTC

    def span_of(self, logs: Sequence[Log]) -> tuple[datetime, datetime] | None:
        return span_of(logs, self.since, self.until)


@dataclass(frozen=True)
class Backtest:
    """What came of it. `stories` in the order of the rules; `unheard`: ids of rules that listen to none of the sources
    that the files stand for; `passed_by`: files that are older than what was asked for; `quarantined`: rules that took
    too long too often, and were heard no more; `reading_s`: the part of `seconds` that reading took."""

    mode: Mode
    zone: tzinfo
    stories: tuple[Story, ...]
    logs: tuple[Log, ...]
    span: tuple[datetime, datetime] | None
    seconds: float
    reading_s: float
    passed_by: tuple[str, ...] = ()
    unheard: tuple[str, ...] = ()
    quarantined: tuple[str, ...] = ()
    timeouts: Mapping[str, int] = field(default_factory=dict)
    captures_refused: int = 0
    suppressed: int = 0
    receivers: bool = True

    @cached_property
    def days(self) -> list[date]:
        return days_of(self.span, self.zone)

    @property
    def bytes(self) -> int:
        return sum(log.bytes for log in self.logs)

    @property
    def lines(self) -> int:
        return sum(log.lines for log in self.logs)


def backtest(settings: Settings, ruleset: RuleSet, asked: Asked, pulse: Pulse) -> Backtest:
    """Raises LogmedicError for what leaves nothing to tell, OSError when matches cannot be kept on disk, and
    BrokenProcessPool when a process that searched was killed."""
    begun = time.monotonic()
    rules = with_causes(asked.rules, {rule.id: rule for rule in ruleset.rules})
    followed, brought = globs_of(settings, ruleset)
    files = chosen(asked.files or files_of(followed), asked.since)
    labels = Labels(settings, [*followed, *brought], asked.source)
    past = [labels.log(path, asked.zone) for path in files.paths]
    wanted = Wanted({rule.id: number for number, rule in enumerate(rules)}, asked.since, asked.until)
    total = files.size
    with closing(Matches()) as matches:
        matcher = labels.matcher(rules, asked.zone)
        search = Search(past, matcher, wanted, matches, lambda done: pulse(READING, min(done, total), total))
        ready = time.monotonic()
        logs = search.run(len(os.sched_getaffinity(0)))
        read = time.monotonic()
        seen = _replayed(settings, rules, asked, logs, _counted(matches, pulse))
    told = {rule.id for rule in asked.rules}
    return Backtest(
        mode=asked.mode or settings.mode,
        zone=asked.zone,
        stories=tuple(story for story in seen.stories.values() if story.rule.id in told),
        logs=(*logs, *files.broken),
        span=asked.span_of(logs),
        seconds=time.monotonic() - begun,
        reading_s=read - ready,
        passed_by=tuple(files.passed_by),
        unheard=tuple(rule.id for rule in asked.rules if not labels.reach(rule)),
        quarantined=tuple(sorted(search.quarantined)),
        timeouts=dict(search.timeouts),
        captures_refused=search.captures_refused,
        suppressed=seen.suppressed,
        receivers=bool(settings.alerts.receivers),
    )


def _replayed(
    settings: Settings, rules: Sequence[Rule], asked: Asked, logs: Sequence[Log], matches: Iterable[Kept]
) -> Replay:
    policy = settings.policy(hostname=socket.gethostname(), started_at=datetime.now(UTC), zone=asked.zone)
    seen, span = Replay(rules, asked.zone), asked.span_of(logs)
    replay(matches, logs, replayed(policy, rules, asked.mode or settings.mode), seen, span and span[1])
    return seen


def _counted(matches: Matches, pulse: Pulse) -> Iterator[Kept]:
    for number, each in enumerate(matches.in_order()):
        if number % PULSE_EVERY == 0:
            pulse(REPLAYING, number, matches.count)
        yield each
