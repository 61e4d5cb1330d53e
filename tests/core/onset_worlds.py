"""Made-up histories of onsets, the same for the same seed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random

Onset = tuple[str, datetime]

START = datetime(2026, 8, 1, tzinfo=UTC)
DAYS = 90


def at(hours: float) -> datetime:
    return START + timedelta(seconds=round(hours * 3600, 3))


def series(issue: str, hours: list[float]) -> list[Onset]:
    """A new onset only after 15 minutes of silence, as the caller sees to."""
    kept: list[float] = []
    last = -1.0
    for hour in sorted(hours):
        if hour - last >= 0.25:
            kept.append(hour)
        last = hour
    return [(issue, at(hour)) for hour in kept]


def anytime(random: Random, number: int, days: float = DAYS) -> list[float]:
    return [random.uniform(0, days * 24) for _ in range(number)]


def independent(seed: int, issues: int = 40, most: int = 200) -> list[Onset]:
    """Each issue by itself, at any time; rare and frequent ones."""
    random = Random(seed)
    return [
        each
        for n in range(issues)
        for each in series(f"i{n}", anytime(random, round(3 * (most / 3) ** random.random())))
    ]


def in_spells(seed: int, issues: int = 40) -> list[Onset]:
    """Each issue by itself, and each in a few bad spells of some hours."""
    random = Random(seed)
    onsets = []
    for n in range(issues):
        hours = anytime(random, random.randint(2, 10))
        for spell in anytime(random, random.randint(2, 8)):
            hours += [spell + random.expovariate(1 / 3) for _ in range(random.randint(3, 15))]
        onsets += series(f"i{n}", hours)
    return onsets


def in_office_hours(seed: int, issues: int = 40) -> list[Onset]:
    """Each issue by itself, all when people work."""
    random = Random(seed)
    onsets = []
    for n in range(issues):
        days = (random.choice([d for d in range(DAYS) if d % 7 < 5]) for _ in range(random.randint(5, 120)))
        onsets += series(f"i{n}", [day * 24 + random.triangular(8, 18, 10) for day in days])
    return onsets


def on_timetables(seed: int, issues: int = 40) -> list[Onset]:
    """Each issue comes from a job of its own: each hour, 7 hours, day, workday or week; some runs are well."""
    random = Random(seed)
    onsets = []
    for n in range(issues):
        period = random.choice([1, 1, 7, 24, 24, 24, 24, 168])
        first = random.choice([3.0, 3.0, 2.0, 0.0]) + random.choice([0, 0, 5, 10, 30]) / 60
        ticks = [first + period * k for k in range(int(DAYS * 24 / period) - 1)]
        if period == 24 and random.random() < 0.3:
            ticks = [tick for tick in ticks if tick // 24 % 7 < 5]
        share = random.choice([1.0, 0.9, 0.5])
        onsets += series(f"i{n}", [tick + random.uniform(0, 0.02) for tick in ticks if random.random() < share])
    return onsets


def on_bad_days(seed: int, issues: int = 40) -> list[Onset]:
    """Each issue by itself, all of them mostly on the same ten bad days."""
    random = Random(seed)
    bad = random.sample(range(DAYS), 10)
    onsets = []
    for n in range(issues):
        hours = anytime(random, random.randint(2, 20))
        hours += [random.choice(bad) * 24 + random.uniform(0, 24) for _ in range(random.randint(10, 60))]
        onsets += series(f"i{n}", hours)
    return onsets


def in_outages(seed: int, issues: int = 20) -> list[Onset]:
    """A dozen outages, in which all begin within 40 minutes, in any order."""
    random = Random(seed)
    outages = anytime(random, 12)
    return [(f"i{n}", at(outage + random.uniform(0, 2 / 3))) for outage in outages for n in range(issues)]


def since_a_deploy(seed: int, issues: int = 40) -> list[Onset]:
    """Each issue by itself, half of them known for the last ten days only."""
    random = Random(seed)
    onsets = []
    for n in range(issues):
        first = (DAYS - 10) * 24 * (n % 2)
        onsets += series(f"i{n}", [random.uniform(first, DAYS * 24) for _ in range(random.randint(10, 80))])
    return onsets


def planted(seed: int, *, causes: int = 30, share: float = 0.6, noise: int = 40) -> list[Onset]:
    """`db` comes `causes` times; behind `share` of them `shop` follows, 2 to 10 minutes later; `shop` also comes
    10 times by itself; `noise` further issues."""
    random = Random(seed)
    first = anytime(random, causes)
    followed = [hour + random.uniform(2, 10) / 60 for hour in first if random.random() < share]
    return [
        *series("db", first),
        *series("shop", [*followed, *anytime(random, 10)]),
        *independent(seed + 1, noise),
    ]


COINCIDENCES = {
    "independent": independent,
    "in spells": in_spells,
    "in office hours": in_office_hours,
    "on timetables": on_timetables,
    "on bad days": on_bad_days,
    "since a deploy": since_a_deploy,
    "in outages": in_outages,
}
