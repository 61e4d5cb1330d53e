"""Which logs of the past are to be read, and which sources they stand for: for commands that look back."""

from __future__ import annotations

import glob
import os
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, tzinfo
from fnmatch import fnmatch, fnmatchcase

from logmedic.adapters.sources.opened import UTF16_MARKS
from logmedic.adapters.sources.packed import DAMAGED, is_packed, unpacking
from logmedic.adapters.sources.past import PastLog, words_of
from logmedic.adapters.sources.rotated import in_order, log_of, siblings_of
from logmedic.core.backtest import Log
from logmedic.core.framing import TRACES, Framing
from logmedic.core.matcher import Matcher
from logmedic.core.scanner import UNSAVED, Saved
from logmedic.core.sieve import Sieve
from logmedic.model.rule import Rule, RuleSet
from logmedic.rulesets import ARGUMENT
from logmedic.settings import Settings

Pulse = Callable[[str, int, int], None]
"""What is done now, how much of it is done, out of how much."""
READING = "reading"
Globs = Sequence[tuple[str, Sequence[str]]]
"""Names of sources, with what they read."""
MAX_DEPTH = 8
"""Directories below the one that was named."""
LOOKED_AT_BYTES = 8192
BINARY = "is no text"
_STORES = (".journal", ".journal~", ".duckdb", ".db", ".wal")
"""Read in other ways; a young one may look like text."""


@dataclass(slots=True)
class Chosen:
    """`paths`: what is to be read, log by log, each oldest first. `passed_by`: last written to before what was asked
    for. `broken`: what cannot be read, with the reason. `left_out`: what lies beside logs and is none, with the
    reason."""

    paths: list[str] = field(default_factory=list)
    passed_by: list[str] = field(default_factory=list)
    broken: list[Log] = field(default_factory=list)
    left_out: list[Log] = field(default_factory=list)

    @property
    def size(self) -> int:
        """Bytes on disk."""
        return sum(os.path.getsize(path) for path in self.paths)


def chosen(paths: Iterable[str], since: datetime | None) -> Chosen:
    """Of files. One that is there under two names, or packed beside itself, is read once."""
    answer = Chosen()
    wanted: dict[tuple[int, int], str] = {}
    given = list(dict.fromkeys(paths))
    for path in given:
        try:
            status = os.stat(path)
        except OSError as error:
            answer.broken.append(Log(path, "", problem=words_of(error)))
            continue
        if stat.S_ISDIR(status.st_mode):
            answer.broken.append(Log(path, "", problem="is a directory; name its files"))
        elif is_packed(path) and os.path.splitext(path)[0] in given:
            continue
        elif since is not None and status.st_mtime < since.timestamp():
            answer.passed_by.append(path)
        else:
            wanted.setdefault((status.st_dev, status.st_ino), path)
    answer.paths = in_order(wanted.values())
    return answer


def chosen_within(places: Iterable[str], since: datetime | None) -> Chosen:
    """As `chosen`, of files and directories: of these, every text file in them, at most MAX_DEPTH down."""
    files, broken, left_out = [], [], []
    for place in places:
        if os.path.isdir(place):
            within, unlisted, others = _logs_in(place)
            files += within
            broken += unlisted
            left_out += others
        elif reason := _no_log(place):
            broken.append(Log(place, "", problem=reason))
        else:
            files.append(place)
    answer = chosen(files, since)
    answer.broken += broken
    answer.left_out = left_out
    return answer


def _logs_in(directory: str) -> tuple[list[str], list[Log], list[Log]]:
    """What may be logs, what cannot be listed, and what is left out."""
    files, broken, left_out = [], [], []
    for path, problem in _listed(directory, MAX_DEPTH):
        if problem:
            broken.append(Log(path, "", problem=problem))
        elif reason := _no_log(path):
            left_out.append(Log(path, "", problem=reason))
        else:
            files.append(path)
    return files, broken, left_out


def _listed(directory: str, depth: int) -> Iterator[tuple[str, str]]:
    """Every regular file with nothing; what cannot be listed, with the reason. Links are not followed: what they lead
    to is read where it is, or is no log of this place."""
    try:
        with os.scandir(directory) as entries:
            found = sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        yield directory, words_of(error)
        return
    for entry in found:
        if entry.is_file(follow_symlinks=False):
            yield entry.path, ""
        elif entry.is_dir(follow_symlinks=False) and depth:
            yield from _listed(entry.path, depth - 1)


def _no_log(path: str) -> str:
    """Why a file is not read; nothing when it may be a log. What cannot be read is for the reader to tell."""
    if not os.path.isfile(path):  # to open a FIFO would hang
        return ""
    if path.endswith(_STORES):
        return "is a store of its own kind"
    try:
        with unpacking(path) if is_packed(path) else open(path, "rb", buffering=0) as file:
            beginning = file.read(LOOKED_AT_BYTES) or b""
    except DAMAGED:
        return ""
    return BINARY if b"\0" in beginning and not beginning.startswith(UTF16_MARKS) else ""


class Labels:
    """The sources that files stand for. One file may be of several; then it is searched once, under a name of its own
    that the rules of each of them listen to. `source`: what all files stand for; empty: their paths tell."""

    def __init__(self, settings: Settings, globs: Globs, source: str) -> None:
        self._globs = globs
        self._framings = settings.framings()
        self._source = source
        self._names: dict[str, tuple[str, ...]] = {}

    def log(self, path: str, zone: tzinfo, otherwise: str = ARGUMENT) -> PastLog:
        """`otherwise`: the name of what is of no source. Every rule hears that."""
        names = (self._source,) if self._source else _sources_of(path, self._globs)
        label = "+".join(names) or otherwise
        self._names[label] = names
        return PastLog(path, label, framing=self._framing(names), zone=zone)

    def matcher(self, rules: Iterable[Rule], zone: tzinfo) -> Matcher:
        """Of what rules know. Once all files are known."""
        return self._matcher(rules, zone, learning=False)

    def sieve(self, rules: Iterable[Rule], zone: tzinfo, saved: Saved = UNSAVED) -> Sieve:
        """Of what they do not know."""
        return Sieve(self._matcher(rules, zone, learning=True, saved=saved), self._framings_of_labels())

    def _matcher(self, rules: Iterable[Rule], zone: tzinfo, *, learning: bool, saved: Saved = UNSAVED) -> Matcher:
        listening = [replace(rule, sources=(*rule.sources, *self._heard_by(rule))) for rule in rules]
        return Matcher(
            listening,
            zone=zone,
            any_source=frozenset({ARGUMENT}),
            framings=self._framings_of_labels(),
            learning=learning,
            placing=learning,
            saved=saved,
        )

    def _framings_of_labels(self) -> dict[str, Framing]:
        return {label: self._framing(names) for label, names in self._names.items()}

    def reach(self, rule: Rule) -> bool:
        """Whether `rule` hears any of the files."""
        specs = [spec for _, spec in rule.parts]
        about_lines = any(spec.patterns and spec.report is None for spec in specs)
        if not about_lines and any(spec.report is not None for spec in specs):
            return False  # no log has reports
        return not (about_lines and rule.sources and self._names) or bool(self._heard_by(rule))

    def _heard_by(self, rule: Rule) -> list[str]:
        wanted = set(rule.sources)
        return [label for label, names in self._names.items() if wanted and (not names or wanted & set(names))]

    def _framing(self, names: Sequence[str]) -> Framing:
        return next((self._framings[name] for name in names if name in self._framings), TRACES)


def globs_of(settings: Settings, ruleset: RuleSet) -> tuple[Globs, Globs]:
    """Of the sources that the daemon follows; and of those that rule files bring along besides."""
    followed = [
        (name, spec.files) for name, spec in settings.followed(ruleset.sources).items() if spec.files is not None
    ]
    return followed, [(each.name, each.globs) for each in ruleset.sources]


def files_of(globs: Globs) -> list[str]:
    """What the sources find, and their rotations."""
    found = dict.fromkeys(
        path for _, patterns in globs for each in patterns for path in glob.iglob(each, recursive=True)
    )
    return [each for path in found for each in (*siblings_of(path).generations, path)]


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
