"""What the engine starts with, from the tables."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, TypeVar

import duckdb

from logmedic.adapters.store import rows
from logmedic.adapters.store.rows import utc
from logmedic.core.mining.restoring import restored
from logmedic.model.alert import UNDELIVERED, AlertStatus
from logmedic.model.changeset import Changeset
from logmedic.model.fix import AttemptStatus
from logmedic.model.gap import SourceEventKind
from logmedic.model.issue import IncidentStatus
from logmedic.model.state import ATTEMPT_MEMORY, DEAD_KEPT, EngineState

T = TypeVar("T")
_QUIETNESS = (SourceEventKind.QUIET.value, SourceEventKind.SPEAKING.value)


def load_state(connection: duckdb.DuckDBPyConnection) -> EngineState:
    """What is unfinished, and what limits ask for."""

    def every(table: rows.Table[T], where: str = "", *given: Any, order: str = "", limit: int | None = None) -> list[T]:
        answer = connection.execute(table.select(where, order, limit), list(given))
        return [table.decoded(row) for row in answer.fetchall()]

    recent = utc(datetime.now(UTC) - ATTEMPT_MEMORY)
    undelivered = sorted(UNDELIVERED)
    dead = every(rows.ALERTS, "status = ?", AlertStatus.DEAD.value, order="id DESC", limit=DEAD_KEPT)
    state = EngineState()
    state.apply(
        Changeset(
            issues=tuple(every(rows.ISSUES)),
            incidents=tuple(every(rows.INCIDENTS, "status <> ?", IncidentStatus.RESOLVED.value, order="id")),
            windows=tuple(every(rows.WINDOWS)),
            breakers=tuple(every(rows.BREAKERS)),
            attempts=tuple(
                every(rows.ATTEMPTS, "status <> ? OR started_at >= ?", AttemptStatus.FINISHED.value, recent, order="id")
            ),
            templates=tuple(map(restored, every(rows.TEMPLATES, order="last_seen"))),
            alerts=(*reversed(dead), *every(rows.ALERTS, "status IN (?, ?, ?)", *undelivered, order="id")),
            checkpoints=tuple(every(rows.CHECKPOINTS)),
            releases=tuple(every(rows.RELEASES)),
            ordinary=tuple(every(rows.ORDINARY)),
            trust=tuple(every(rows.TRUST)),
            earned=tuple(every(rows.EARNED)),
            pauses=tuple(every(rows.PAUSES)),
            notices=tuple(every(rows.NOTICES, "NOT done", order='"at", subject')),
            groups=tuple(every(rows.GROUPS, "NOT done")),
            silences=tuple(every(rows.SILENCES, "until > ?", utc(datetime.now(UTC)), order="id")),
            receivers=tuple(every(rows.RECEIVERS)),
            diagnoses=tuple(every(rows.DIAGNOSES, order='"at"')),
            source_events=tuple(every(rows.SOURCE_EVENTS, "kind IN (?, ?)", *_QUIETNESS, order="id")),
        )
    )
    return state
