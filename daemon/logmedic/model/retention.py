"""How long what is stored stays, and how much room it may take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum


class Kind(StrEnum):
    """INCIDENTS: resolved ones, with their events and attempts. ALERTS: sent or given up. LEARNINGS: recorded lessons,
    and diagnoses that a later one of the same issue followed. COUNTS: by minute; the sums of a day stay. SOURCES: gaps,
    quiet times, positions of files that are gone. TEMPLATES: unknown errors that were never promoted, by when they were
    last seen. ONSETS: when episodes of known issues began."""

    INCIDENTS = "incidents"
    ALERTS = "alerts"
    LEARNINGS = "learnings"
    COUNTS = "counts"
    SOURCES = "sources"
    TEMPLATES = "templates"
    ONSETS = "onsets"


KEEP: Mapping[Kind, timedelta] = {
    Kind.INCIDENTS: timedelta(days=90),
    Kind.ALERTS: timedelta(days=90),
    Kind.LEARNINGS: timedelta(days=365),
    Kind.COUNTS: timedelta(days=30),
    Kind.SOURCES: timedelta(days=90),
    Kind.TEMPLATES: timedelta(days=90),
    Kind.ONSETS: timedelta(days=180),
}
GIB = 1024**3


@dataclass(frozen=True, slots=True)
class Retention:
    """`keep`: by kind; whole days (UTC) leave, the last one once all of it is that old. `archive`: what leaves goes to
    Parquet files first, which stay for `archive_keep`. `max_bytes`: for the file, its log, the archive and the daily
    snapshots together, of which the newest `snapshots` stay."""

    keep: Mapping[Kind, timedelta] = field(default_factory=lambda: dict(KEEP))
    archive: bool = True
    archive_keep: timedelta = timedelta(days=400)
    max_bytes: int = GIB
    snapshots: int = 2


@dataclass(frozen=True, slots=True)
class Calendar:
    """What time it is for what gets old. `at`: as it should be, by the time that passed since it was right; `says`: as
    the daemon's clock has it. `claim`: the earliest of what it said when it was far ahead, by the time that passed
    since, and for how much longer it said so than not (`said_for`); None: it was not. `behind_for`: how long it has
    been far behind."""

    at: datetime
    says: datetime
    claim: datetime | None = None
    said_for: timedelta = timedelta()
    behind_for: timedelta = timedelta()

    @property
    def old_by(self) -> datetime:
        """What things are old by: the earlier one, for what left does not come back."""
        return min(self.at, self.says)

    @property
    def is_ahead(self) -> bool:
        """Far ahead, and not believed."""
        return self.claim is not None and self.says > self.at
