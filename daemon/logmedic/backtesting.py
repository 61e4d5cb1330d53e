"""A backtest put together: files and the sources they stand for, the search, the replay."""

from __future__ import annotations

import glob
import os
import socket
import stat
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, tzinfo
from fnmatch import fnmatch, fnmatchcase
from functools import cached_property

from logmedic.adapters.sources.packed import is_packed
from logmedic.adapters.sources.past import PastLog, words_of
from logmedic.adapters.sources.rotated import in_order, log_of, siblings_of
from logmedic.adapters.sources.searching import Matches, Search, Wanted
from logmedic.core.backtest import Kept, Log, Replay, Story, days_of, replay, replayed, span_of, with_causes
from logmedic.core.framing import TRACES, Framing
from logmedic.core.matcher import Matcher
from logmedic.model.rule import Mode, Rule, RuleSet
from logmedic.rulesets import ARGUMENT
from logmedic.settings import Settings

Pulse = Callable[[str, int, int], None]
"""What is done now, how much of it is done, out of how much."""
READING, REPLAYING = "reading", "replaying"
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
    followed, brought = _globs_of(settings, ruleset)
    paths, passed_by, broken = _sorted_out(asked.files or _files_of(followed), asked.since)
    labels = _Labels(settings, [*followed, *brought], asked.source)
    past = [labels.log(path, asked.zone) for path in paths]
    wanted = Wanted({rule.id: number for number, rule in enumerate(rules)}, asked.since, asked.until)
    total = sum(os.path.getsize(path) for path in paths)
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
        logs=(*logs, *broken),
        span=asked.span_of(logs),
        seconds=time.monotonic() - begun,
        reading_s=read - ready,
        passed_by=tuple(passed_by),
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
    policy = settings.policy(hostname=socket.gethostname(), started_at=datetime.now(UTC))
    seen, span = Replay(rules, asked.zone), asked.span_of(logs)
    replay(matches, logs, replayed(policy, rules, asked.mode or settings.mode), seen, span and span[1])
    return seen


def _counted(matches: Matches, pulse: Pulse) -> Iterator[Kept]:
    for number, each in enumerate(matches.in_order()):
        if number % PULSE_EVERY == 0:
            pulse(REPLAYING, number, matches.count)
        yield each


Globs = Sequence[tuple[str, Sequence[str]]]
"""Names of sources, with what they read."""


class _Labels:
    """The sources that files stand for. One file may be of several; then it is searched once, under a name of its own
    that the rules of each of them listen to."""

    def __init__(self, settings: Settings, globs: Globs, source: str) -> None:
        self._globs = globs
        self._framings = settings.framings()
        self._source = source
        self._names: dict[str, tuple[str, ...]] = {}

    def log(self, path: str, zone: tzinfo) -> PastLog:
        names = (self._source,) if self._source else _sources_of(path, self._globs)
        label = "+".join(names) or ARGUMENT
        self._names[label] = names
        return PastLog(path, label, framing=self._framing(names), zone=zone)

    def matcher(self, rules: Iterable[Rule], zone: tzinfo) -> Matcher:
        """Once all files are known."""
        framings = {label: self._framing(names) for label, names in self._names.items()}
        listening = [replace(rule, sources=(*rule.sources, *self._heard_by(rule))) for rule in rules]
        return Matcher(listening, zone=zone, any_source=frozenset({ARGUMENT}), framings=framings, learning=False)

    def reach(self, rule: Rule) -> bool:
        """Whether `rule` hears any of the files."""
        about_lines = any(spec.patterns for _, spec in rule.parts)
        return not (about_lines and rule.sources and self._names) or bool(self._heard_by(rule))

    def _heard_by(self, rule: Rule) -> list[str]:
        wanted = set(rule.sources)
        return [label for label, names in self._names.items() if wanted and (not names or wanted & set(names))]

    def _framing(self, names: Sequence[str]) -> Framing:
        return next((self._framings[name] for name in names if name in self._framings), TRACES)


def _globs_of(settings: Settings, ruleset: RuleSet) -> tuple[Globs, Globs]:
    """Of the sources that the daemon follows; and of those that rule files bring along besides."""
    followed = [
        (name, spec.files) for name, spec in settings.followed(ruleset.sources).items() if spec.files is not None
    ]
    return followed, [(each.name, each.globs) for each in ruleset.sources]


def _sources_of(path: str, globs: Globs) -> tuple[str, ...]:
    """Those that find the file, or the log that it was rotated from."""
    names = {os.path.abspath(path), log_of(path)}
    found = [name for name, patterns in globs if any(_finds(each, name) for each in patterns for name in names)]
    return tuple(dict.fromkeys(found))


def _finds(pattern: str, path: str) -> bool:
    """As glob does: a star stands for no slash."""
    if "**" in pattern:
        return fnmatch(path, pattern)
    parts, wanted = path.split("/"), os.path.abspath(pattern).split("/")
    return len(parts) == len(wanted) and all(map(fnmatchcase, parts, wanted))


def _files_of(globs: Globs) -> list[str]:
    """What the sources find, and their rotations."""
    found = dict.fromkeys(
        path for _, patterns in globs for each in patterns for path in glob.iglob(each, recursive=True)
    )
    return [each for path in found for each in (*siblings_of(path).generations, path)]


def _sorted_out(paths: Iterable[str], since: datetime | None) -> tuple[list[str], list[str], list[Log]]:
    """What is to be read, in order; what was last written to before `since`; what cannot be read, with the reason. A
    file that is there under two names, or packed beside itself, is read once."""
    wanted: dict[tuple[int, int], str] = {}
    passed_by, broken = [], []
    given = list(dict.fromkeys(paths))
    for path in given:
        try:
            status = os.stat(path)
        except OSError as error:
            broken.append(Log(path, "", problem=words_of(error)))
            continue
        if stat.S_ISDIR(status.st_mode):
            broken.append(Log(path, "", problem="is a directory; name its files"))
        elif is_packed(path) and os.path.splitext(path)[0] in given:
            continue
        elif since is not None and status.st_mtime < since.timestamp():
            passed_by.append(path)
        else:
            wanted.setdefault((status.st_dev, status.st_ino), path)
    return in_order(wanted.values()), passed_by, broken
