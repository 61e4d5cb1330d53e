"""Names of rotated files, and the order in which they were written."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from logmedic.adapters.sources.packed import is_packed

MAX_GENERATIONS = 64
"""How many rotated files of one log are looked into; the youngest."""

COUNTS_UP_NS = 1_000_000_000
"""A late write to a renamed file makes it younger than it is, by less than this."""

_NUMBER = re.compile(r"\.(\d{1,4})$")
_DATE = re.compile(r"[.\-_](\d{4}-?\d{2}-?\d{2}[0-9T:._\-]*)$")
_DIGITS = re.compile(r"\d+")
_OLD = re.compile(r"[.\-_](old|bak|prev)$", re.IGNORECASE)


class File(Protocol):
    """As os.scandir gives them."""

    @property
    def name(self) -> str: ...

    @property
    def path(self) -> str: ...

    def stat(self, *, follow_symlinks: bool = True) -> os.stat_result: ...


@dataclass(frozen=True, slots=True)
class Named:
    """A file that was named, and not listed."""

    path: str

    @property
    def name(self) -> str:
        return os.path.basename(self.path)

    def stat(self, *, follow_symlinks: bool = True) -> os.stat_result:
        return os.stat(self.path, follow_symlinks=follow_symlinks)


def rotated_base(name: str) -> str:
    """What `name` was rotated from: app.log for app.log.1, app.log-20261124 and app-20261124.log; else empty."""
    for pattern in (_NUMBER, _DATE, _OLD):
        if found := pattern.search(name):
            return name[: found.start()]
    stem, extension = os.path.splitext(name)
    found = _DATE.search(stem)
    return stem[: found.start()] + extension if found and extension else ""


def log_of(path: str) -> str:
    """The log that `path` is, or is a rotated file of."""
    directory, name = os.path.split(os.path.abspath(path))
    return os.path.join(directory, rotated_base(_unpacked_name(name)) or _unpacked_name(name))


def in_order(paths: Iterable[str]) -> list[str]:
    """Files that exist: log by log, each of them oldest first; what is still written to comes last."""
    logs: dict[str, list[str]] = {}
    for path in dict.fromkeys(paths):
        logs.setdefault(log_of(path), []).append(path)
    ordered: list[str] = []
    for log, files in logs.items():
        rotated = [Named(path) for path in files if _unpacked_name(os.path.abspath(path)) != log]
        ordered += _oldest_first(rotated)
        ordered += [path for path in files if _unpacked_name(os.path.abspath(path)) == log]
    return ordered


def _oldest_first(entries: Sequence[File]) -> list[str]:
    """Numbered files by their number: logrotate's highest is the oldest; where the highest was clearly written last,
    its rotator counts up. Dated ones by their date: a late write to one says nothing. Others by their last write."""
    numbers = [(int(found[1]), entry) for entry in entries if (found := _NUMBER.search(_unpacked_name(entry.name)))]
    if len(numbers) < len(entries) or not entries:
        dates = {entry.path: _date_of(entry.name) for entry in entries}
        dated = all(dates.values())
        return [
            entry.path for entry in sorted(entries, key=lambda entry: (dates[entry.path] if dated else (), _age(entry)))
        ]
    numbers.sort(key=lambda pair: pair[0])
    counts_up = _age(numbers[-1][1])[0] - _age(numbers[0][1])[0] > COUNTS_UP_NS
    return [entry.path for _, entry in (numbers if counts_up else reversed(numbers))]


def _date_of(name: str) -> tuple[int, ...]:
    """Year, month, day, and what of the time follows; empty for a name without a date."""
    name = _unpacked_name(name)
    found = _DATE.search(name) or _DATE.search(os.path.splitext(name)[0])
    if not found:
        return ()
    digits = found[1].replace("-", "", 2) if found[1][4] == "-" else found[1]
    year, month, day = int(digits[:4]), int(digits[4:6]), int(digits[6:8])
    if not (1970 <= year < 2200 and 1 <= month <= 12 and 1 <= day <= 31):  # the day stands first in it
        return ()
    return (year, month, day, *map(int, _DIGITS.findall(digits[8:])))


def _age(entry: File) -> tuple[int, str]:
    return entry.stat(follow_symlinks=False).st_mtime_ns, entry.name


@dataclass(frozen=True, slots=True)
class Siblings:
    """Rotated files beside a log, oldest first: `paths` those that are plain, `generations` with the packed ones."""

    paths: tuple[str, ...] = ()
    generations: tuple[str, ...] = ()


def siblings_of(path: str, renamed: Callable[[os.DirEntry[str]], bool] = lambda _: False) -> Siblings:
    """Files beside `path` (or beside what it links to) with a rotated name, or those that are the log as `renamed`
    says, whatever they are called."""
    wanted: dict[str, os.DirEntry[str]] = {}
    for place in dict.fromkeys((os.path.abspath(path), os.path.realpath(path))):
        directory, base = os.path.split(place)
        try:
            with os.scandir(directory) as entries:
                for entry in entries:
                    if entry.name == base:
                        continue
                    rotated = rotated_base(_unpacked_name(entry.name)) == base
                    if entry.is_file(follow_symlinks=False) and (rotated or renamed(entry)):
                        wanted[entry.path] = entry
        except OSError:  # the directory went or may not be listed: then there is nothing to be found in it
            continue
    plain = [entry for path, entry in wanted.items() if not is_packed(path)]
    # A file that is being packed is there twice, and the plain one is whole.
    packed = [entry for path, entry in wanted.items() if is_packed(path) and _unpacked_name(path) not in wanted]
    return Siblings(
        tuple(_oldest_first(plain)[-MAX_GENERATIONS:]), tuple(_oldest_first([*plain, *packed])[-MAX_GENERATIONS:])
    )


def _unpacked_name(name: str) -> str:
    return os.path.splitext(name)[0] if is_packed(name) else name
