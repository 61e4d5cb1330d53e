"""What a language model is asked about a known issue, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Question:
    """As it is known here: nothing of it is masked or cut yet. `samples`: records of the error, newest first. `nearby`:
    lines around it, or ordinary lines of its source, the most telling first. `host_facts`: a few words of our own, such
    as `Debian 12`."""

    issue_id: str
    title: str
    component: str
    template: str
    samples: tuple[str, ...]
    occurrences: int
    first_seen: datetime
    last_seen: datetime
    nearby: tuple[str, ...] = ()
    host_facts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """A suggestion that nobody verified: shown to people, run by nothing. All text is bounded and without control
    characters. `suggested_rule`: a rule file, or empty; once it was looked at (rulefiles/suggested.py) it loads and has
    no fix. `problem`: why there is no diagnosis, or, when `ok`, what was left out of it. `sent`: the question left this
    host, and may have cost the `tokens`.
    `retry_after_s`: seconds after which the same question may meet with more luck; None: it will not."""

    issue_id: str
    ok: bool
    model: str
    at: datetime
    likely_cause: str = ""
    checks: tuple[str, ...] = ()
    suggested_rule: str = ""
    tokens_in: int = 0
    tokens_out: int = 0
    problem: str = ""
    sent: bool = True
    retry_after_s: float | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """What asking may cost in a day (UTC), and how long after one question the next may follow."""

    per_day: int = 20
    tokens_per_day: int = 100_000
    gap: timedelta = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Spent:
    """What asking has cost since midnight (UTC) of `day_of`. `held_until`: the endpoint wants to be left alone."""

    day_of: datetime | None = None
    questions: int = 0
    tokens: int = 0
    last_at: datetime | None = None
    held_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Permit:
    """Ask after this wait; `why` it is not zero."""

    after: timedelta = timedelta(0)
    why: str = ""
