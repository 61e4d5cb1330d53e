"""`storage`: where the store is, how long what it holds stays, how much room it takes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field, field_validator

from logmedic.model.retention import GIB, KEEP, Kind, Retention
from logmedic.settings.parts import Duration, Part, Size, duration_of
from logmedic.settings.places import state_directory
from logmedic.yamldoc import size_text

SMALLEST = 64 * 1024**2


class Keep(Part):
    """How long what is stored stays in the tables, by kind. One duration instead is that of all kinds."""

    incidents: Duration = KEEP[Kind.INCIDENTS]
    """Resolved incidents, with their events and attempts."""
    alerts: Duration = KEEP[Kind.ALERTS]
    """Messages that were sent, or given up."""
    learnings: Duration = KEEP[Kind.LEARNINGS]
    counts: Duration = KEEP[Kind.COUNTS]
    """Counts by minute; the sums of each day stay."""
    sources: Duration = KEEP[Kind.SOURCES]
    """Gaps, quiet times, and positions of files that are gone."""
    templates: Duration = KEEP[Kind.TEMPLATES]
    """Unknown errors that were never promoted, by when they were last seen."""
    onsets: Duration = KEEP[Kind.ONSETS]
    """When episodes of known issues began: what precursors are found in."""


def _keep(value: object) -> object:
    return value if isinstance(value, Mapping | Keep) else dict.fromkeys(Keep.model_fields, duration_of(value))


class Storage(Part):
    path: Path = Field(default_factory=lambda: state_directory() / "logmedic.duckdb")
    keep: Annotated[Keep, BeforeValidator(_keep, json_schema_input_type=str | Keep)] = Keep()
    archive: bool = True
    """Write what leaves the tables to Parquet files first, one a table and day, in the directory `archive` beside the
    store."""
    archive_keep: Duration = timedelta(days=400)
    """How long those files stay."""
    max_size: Size = GIB
    """What the store, its log, the archive and the daily snapshots take together: 1G. Beyond it the oldest days go
    before their time, never what is open."""
    snapshots: Annotated[int, Field(ge=0, le=100)] = 2
    """Daily copies of the store that are kept in the directory `backups` beside it, for a bad day; 0: none."""

    @field_validator("max_size")
    @classmethod
    def _is_enough(cls, size: int) -> int:
        if size < SMALLEST:
            raise ValueError(f"`{size_text(size)}` is too little for a store; write {size_text(SMALLEST)} or more")
        return size

    def retention(self) -> Retention:
        keep = {kind: getattr(self.keep, kind.value) for kind in Kind}
        return Retention(keep, self.archive, self.archive_keep, self.max_size, self.snapshots)
