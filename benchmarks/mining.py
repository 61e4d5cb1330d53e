"""Scenarios 23 and 24: how right the groups of unknown errors are, beside drain3; and a flood of new ones."""

from __future__ import annotations

import random
import re
import resource
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from drain3 import TemplateMiner

from benchmarks.labelled import Labelled, made, read
from benchmarks.table import Row
from logmedic.core.mining.groups import groups
from logmedic.core.mining.masks import shape_of
from logmedic.core.mining.placing import place
from logmedic.model.grove import Grove
from logmedic.model.issue import Template
from logmedic.model.policy import LearningPolicy

Grouped = list[tuple[str, str]]
Miner = Callable[[Sequence[str]], Grouped]
"""Messages to (group, template), in their order."""
FLOOD = 1_000_000
KEPT = LearningPolicy().max_templates
_RUN = re.compile(r"<\*>(?:[\s,:;=/.\-@_]*<\*>)+")
_MASK = re.compile(r"<[A-Za-z_*:]+>")
_BEGIN = datetime(2026, 11, 23, tzinfo=UTC)


def quality(folder: str | None) -> Iterator[Row]:
    """Per system and on average: grouping accuracy, F1 over groups, F1 over templates. `folder`: of labelled CSVs."""
    if folder is None:
        print("     (a corpus of our own making; --labelled DIR takes CSVs with Content, EventId and EventTemplate)")
    systems = list(read(Path(folder)) if folder else made())
    ours, theirs = ([(_scored(miner, each)) for each in systems] for miner in (_ours, _drain3))
    for at, each in enumerate(systems):
        yield _row(each.name, [ours[at]], [theirs[at]])
    yield _row("average", ours, theirs, reach=True)


Score = tuple[float, float, float, float]
"""GA, FGA, FTA, lines a second of CPU time."""


def _row(name: str, ours: list[Score], theirs: list[Score], *, reach: bool = False) -> Row:
    mine, other = ([sum(each) / len(scores) for each in zip(*scores, strict=True)] for scores in (ours, theirs))
    met = (mine[0] >= 0.97 and mine[1] >= 0.95 and mine[2] >= 0.80) if reach else None
    ratio = f"{mine[3] / other[3]:.2f}x the lines/s"
    return Row(
        "23", f"mining, {name}", _told(mine), f"drain3: {_told(other)}", ratio, "0.97/0.95/0.80" if reach else "", met
    )


def _told(score: Sequence[float]) -> str:
    return "GA {:.3f}, FGA {:.3f}, FTA {:.3f}, {:,.0f} lines/s".format(*score)


def _scored(miner: Miner, system: Labelled) -> Score:
    begun = time.process_time()
    grouped = miner(system.messages)
    spent = time.process_time() - begun
    return *accuracy(system, grouped), len(system.messages) / spent


def accuracy(system: Labelled, grouped: Grouped) -> tuple[float, float, float]:
    """GA: the share of messages whose group is exactly a kind (Zhu et al., ICSE-SEIP 2019). FGA: the harmonic mean of
    how many groups are kinds and how many kinds are groups; FTA: the same where the text is right as well, values in a
    row as one (Jiang et al., ISSTA 2024; Khan et al., ICSE 2022)."""
    wanted, had = defaultdict(set), defaultdict(set)
    for at, (kind, (group, _)) in enumerate(zip(system.kinds, grouped, strict=True)):
        wanted[kind].add(at)
        had[group].add(at)
    kinds = {frozenset(members): kind for kind, members in wanted.items()}
    right = {group: kinds[frozenset(members)] for group, members in had.items() if frozenset(members) in kinds}
    text = dict(grouped)
    exact = sum(_even(text[group]) == _even(system.templates[kind]) for group, kind in right.items())
    ga = sum(len(had[group]) for group in right) / len(system.messages)
    return ga, 2 * len(right) / (len(had) + len(wanted)), 2 * exact / (len(had) + len(wanted))


def _even(template: str) -> str:
    return " ".join(_RUN.sub("<*>", _MASK.sub("<*>", template)).split())


def _ours(messages: Sequence[str]) -> Grouped:
    return list(groups(messages))


def _drain3(messages: Sequence[str]) -> Grouped:
    miner = TemplateMiner()
    found = [miner.add_log_message(message)["cluster_id"] for message in messages]
    templates = {each.cluster_id: each.get_template() for each in miner.drain.clusters}
    return [(str(each), templates[each]) for each in found]


def soak(_: int) -> Iterator[Row]:
    """A million errors of which no two are of one kind: as many templates as are kept, and no more memory for more."""
    chance, flood = random.Random(7), _Flood()
    begun, early = time.process_time(), 0.0
    for n in range(FLOOD):
        flood.take(_novel(chance))
        if n == FLOOD // 5:
            early = _peak()
    spent, grown = time.process_time() - begun, _peak() - early
    ours = f"{_peak():.0f} MB at its peak, {len(flood.kept):,} templates, {FLOOD / spent:,.0f} lines/s"
    beside = f"{early:.0f} MB after {FLOOD // 5:,} of {FLOOD:,}"
    yield Row("24", "flood of new errors", ours, beside, f"{grown:+.0f} MB", "+10 MB", grown <= 10)


def _peak() -> float:
    """MB of this process, the most that it ever had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _novel(chance: random.Random) -> str:
    words = ("".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=chance.randint(3, 9))) for _ in range(8))
    return f"{' '.join(words)} {chance.randrange(10**6)}"


class _Flood:
    """Keeps at most KEPT templates: of those that came least often, the oldest go first."""

    def __init__(self) -> None:
        self.grove = Grove()
        self.kept: dict[str, Template] = {}
        self.taken = 0

    def take(self, message: str) -> None:
        self.taken += 1
        placed = place(self.grove, shape_of(message), "bench")
        template = placed.template
        if placed.fresh:
            self._make_room()
            template = replace(template, sample=message, first_seen=_BEGIN + timedelta(seconds=self.taken))
        template = replace(template, occurrences=template.occurrences + 1)
        self.grove.put(template)
        self.kept[template.fingerprint] = template
        for each in placed.absorbed:
            self._drop(each)

    def _make_room(self) -> None:
        if len(self.kept) >= KEPT:
            for each in sorted(self.kept.values(), key=lambda each: (each.occurrences, each.first_seen))[: KEPT // 50]:
                self._drop(each)

    def _drop(self, template: Template) -> None:
        del self.kept[template.fingerprint]
        self.grove.drop(template.fingerprint)
