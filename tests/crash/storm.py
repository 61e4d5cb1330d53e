"""The storm: three logs that are written and rotated all the time, and a daemon that is killed at random moments.

Whatever the moments, at the end the store holds what was written, to the line (I1)."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from crash.lines import LOGS, RULES, Speaker, Tally
from crash.logs import Dated, Log, Numbered, Packed, Rotation
from crash.process import Daemon
from crash.stored import gaps, positions, tally

CONFIG = """\
mode: observe
sources:
  shop: {{ files: ["{home}/log/shop.log"], from_start: true }}
  pay: {{ files: ["{home}/log/pay/*.log"], from_start: true }}
  depot: {{ files: ["{home}/log/depot.log"], from_start: true }}
rules: {{ paths: ["{home}/rules"] }}
incidents: {{ resolve_after: 24h }}
storage: {{ path: "{home}/state/logmedic.duckdb" }}
web: {{ socket: "{home}/state/logmedic.sock" }}
"""
PLACES = {"shop": "shop.log", "pay": "pay/pay.log", "depot": "depot.log"}
LOOK_S = 0.5
MOST_BEHIND = 30_000
"""Lines that are written and not yet stored: with more, the writers wait, or the oldest generations would go unread."""
EARLY = 0.3
"""The share of lives that end during start-up, or soon after."""
DARK = 0.25
"""The share of deaths in which the logs are rotated before the next life."""


@dataclass(frozen=True)
class Row:
    """One thing that was written and stored, in how many."""

    what: str
    written: int
    stored: int

    @property
    def difference(self) -> int:
        return self.stored - self.written


@dataclass
class Report:
    """What a storm came to. `largest_lag`: lines written and not yet stored. `descriptors`: of a daemon at rest,
    before and after the storm. `notices`: of damage to the store; `gaps`: what the daemon says that it passed over; of
    both there must be none."""

    rows: list[Row] = field(default_factory=list)
    kills: int = 0
    rotations: int = 0
    lines: int = 0
    bytes: int = 0
    largest_lag: int = 0
    largest_rss_kib: int = 0
    descriptors: tuple[int, int] = (0, 0)
    notices: int = 0
    gaps: list[str] = field(default_factory=list)

    @property
    def exact(self) -> bool:
        return not (differing(self.rows) or self.notices or self.gaps)

    def text(self) -> str:
        """The table, and what else came of it."""
        rows = [
            table(self.rows),
            f"kills {self.kills}, rotations {self.rotations}, lines {self.lines}, bytes {self.bytes}",
            f"largest catch-up {self.largest_lag} lines, largest memory {self.largest_rss_kib / 1024:.0f} MiB, "
            f"descriptors {self.descriptors[0]} at rest before it, {self.descriptors[1]} after it",
            *(f"passed over: {gap}" for gap in self.gaps),
        ]
        if self.notices:
            rows.append(f"the store was called damaged {self.notices} times")
        return "\n".join(rows)


class Storm:
    """`seed` decides what is written and how long each life is; when that is depends on the machine as well. `burst`:
    so many records come at once now and then. Rotated every `rotate_s` or so."""

    def __init__(self, home: Path, seed: int, *, burst: int = 0, rotate_s: float = 3.0) -> None:
        furnish(home, CONFIG.format(home=home), RULES)
        (home / "log" / "pay").mkdir()
        self.report = Report()
        self._chance = random.Random(seed)
        self._speakers = {name: Speaker(name, random.Random(f"{seed} {name}")) for name in LOGS}
        self._packed = Packed()
        rotations: Mapping[str, Rotation] = {"shop": Numbered(), "pay": Dated(), "depot": self._packed}
        self._logs = {
            name: Log(
                home / "log" / PLACES[name],
                self._speakers[name].record,
                rotations[name],
                random.Random(f"{seed} {name} rotates"),
                burst=burst,
                rotate_s=rotate_s,
                full=lambda: self._watch.behind() > MOST_BEHIND,
            )
            for name in LOGS
        }
        self._daemon = Daemon(home)
        self._watch = Watch(self._daemon, lambda: sum(each.wrote.lines for each in self._speakers.values()))
        self._start_s = 0.0
        self._pause = threading.Event()  # is never set

    def run(self, *, kills: int, seconds: float = 0.0, longest_s: float = 3.0, calm_s: float = 3.0) -> Iterator[Report]:
        """At least so many kills, and for at least so long; yields the report so far after each. No life goes on for
        longer than `longest_s` after its start-up. `calm_s`: how long the last one stands the storm, and is not
        killed. The report is whole when this ends."""
        with ExitStack() as stack:
            stack.callback(self._daemon.put_down)
            at_rest = self._first_life()
            with ExitStack() as weather:
                for log in self._logs.values():
                    weather.enter_context(log)
                weather.enter_context(self._watch)
                ends = time.monotonic() + seconds
                while self.report.kills < kills or time.monotonic() < ends:
                    self._live_and_die(longest_s)
                    yield self._counted()
                self._daemon.start()
                self._pause.wait(calm_s)
            self._daemon.settle(log.path for log in self._logs.values())
            self._note_size()
            self.report.descriptors = (at_rest, self._daemon.descriptors())
            self._daemon.stop()
        self._compare()

    def said(self) -> str:
        """The end of what the daemon said."""
        return self._daemon.said()

    def _first_life(self) -> int:
        """The daemon meets the logs: what was rotated away before that was never its to read. Answers its descriptors
        when it has nothing to do."""
        begun = time.monotonic()
        self._daemon.start()
        self._daemon.answers()
        self._start_s = time.monotonic() - begun
        self._daemon.settle(log.path for log in self._logs.values())
        at_rest = self._daemon.descriptors()
        self._daemon.stop()
        return at_rest

    def _live_and_die(self, longest_s: float) -> None:
        self._daemon.start()
        self._pause.wait(self._life_s(longest_s))
        self._note_size()
        self._daemon.kill()
        self.report.kills += 1
        if self._chance.random() < DARK:
            self._rotate_in_the_dark()

    def _life_s(self, longest_s: float) -> float:
        if self._chance.random() < EARLY:
            return self._chance.uniform(0, 1.3 * self._start_s)
        return self._start_s + self._chance.uniform(0, longest_s)

    def _rotate_in_the_dark(self) -> None:
        """Up to three times; most of the time one log is packed at once."""
        for _ in range(self._chance.randrange(1, 4)):
            chosen = self._chance.sample(tuple(self._logs.values()), 2)
            for log in chosen:
                if log.rotation is self._packed:
                    self._packed.at_once = self._chance.random() < 0.7
                log.rotate()
            self._pause.wait(self._chance.uniform(0, 0.3))

    def _note_size(self) -> None:
        self.report.largest_rss_kib = max(self.report.largest_rss_kib, self._daemon.largest_rss_kib())

    def _counted(self) -> Report:
        wrote = [speaker.wrote for speaker in self._speakers.values()]
        self.report.lines = sum(each.lines for each in wrote)
        self.report.bytes = sum(each.bytes for each in wrote)
        self.report.rotations = sum(log.rotations for log in self._logs.values())
        self.report.largest_lag = self._watch.largest
        return self.report

    def _compare(self) -> None:
        wrote = sum((speaker.wrote for speaker in self._speakers.values()), Tally())
        path, report = self._daemon.store, self._counted()
        report.rows = [*rows(wrote, tally(path)), *self._positions(positions(path))]
        report.gaps = gaps(path)
        report.notices = len(list(path.parent.glob("*.damaged-*")))

    def _positions(self, stored: Mapping[str, int]) -> Iterator[Row]:
        for name, log in self._logs.items():
            yield Row(f"position in the log of {name}", log.path.stat().st_size, stored.get(str(log.path), 0))


class Watch:
    """Asks the daemon all the time how far it is. `written`: lines so far. `largest`: how far it was behind at most. A
    context manager."""

    def __init__(self, daemon: Daemon, written: Callable[[], int]) -> None:
        self.largest = 0
        self._daemon, self._written = daemon, written
        self._stored = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._work, name="watch")

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def behind(self) -> int:
        """Lines that are written and, as far as is known, not yet stored."""
        return self._written() - self._stored

    def _work(self) -> None:
        while not self._over.wait(LOOK_S):
            counts = self._daemon.ask("counts", wait_s=20)
            if counts is not None:
                self._stored = counts.get("lines", 0)
                self.largest = max(self.largest, self.behind())


def furnish(home: Path, config: str, rules: str) -> None:
    """A home with its directories, config and rules."""
    home.chmod(0o755)
    for name in ("log", "rules", "state"):
        (home / name).mkdir()
    (home / "rules" / "rules.yaml").write_text(rules)
    (home / "logmedic.yaml").write_text(config)


def table(rows: Iterable[Row]) -> str:
    """What differs is marked."""
    told = (
        f"{row.what:44}{row.written:>10}{row.stored:>10}{row.difference:>12}{'  <--' * bool(row.difference)}"
        for row in rows
    )
    return "\n".join((f"{'':44}{'written':>10}{'stored':>10}{'difference':>12}", *told))


def differing(rows: Iterable[Row]) -> list[Row]:
    return [row for row in rows if row.difference]


def rows(wrote: Tally, stored: Tally) -> Iterator[Row]:
    """Written beside stored. Of groups, how many there are, and how many have all of their matches."""
    yield Row("lines", wrote.lines, stored.lines)
    yield Row("matches of all rules", wrote.rules.total(), stored.matched)
    yield Row("unknown errors", wrote.unknown.total(), stored.errors)
    for rule in sorted({*wrote.rules, *stored.rules}):
        yield Row(f"rule {rule}", wrote.rules[rule], stored.rules[rule])
        mine = {key for key in (*wrote.groups, *stored.groups) if key[0] == rule}
        yield Row(f"rule {rule}: groups", len(mine), sum(wrote.groups[key] == stored.groups[key] for key in mine))
    for component in sorted({*wrote.unknown, *stored.unknown}):
        yield Row(f"unknown of {component}", wrote.unknown[component], stored.unknown[component])
        yield Row(f"learned of {component}", wrote.unknown[component], stored.learned[component])
