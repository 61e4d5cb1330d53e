"""Between values and rows: one codec for every entity, from its own field types."""

from __future__ import annotations

import json
import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from enum import Enum
from functools import cached_property
from typing import Any, Generic, TypeVar, get_args, get_origin, get_type_hints

from logmedic.model.alert import Alert
from logmedic.model.fix import Breaker, FixAttempt
from logmedic.model.gap import SourceEvent
from logmedic.model.issue import Incident, IncidentEvent, KnownIssue, Learning, Tally, Template, Window
from logmedic.model.record import Checkpoint

T = TypeVar("T")


@dataclass(frozen=True)
class Column:
    """`type`: DuckDB's. `read` makes the field's value of what DuckDB answers."""

    name: str
    type: str
    read: Callable[[Any], Any]


@dataclass(frozen=True)
class Table(Generic[T]):
    """Where entities of `kind` are kept, one row each, by `key`. `sums`: columns to add to instead of replacing."""

    name: str
    kind: type[T]
    key: tuple[str, ...]
    sums: tuple[str, ...] = ()

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        hints = get_type_hints(self.kind)
        return tuple(_column(each.name, hints[each.name]) for each in fields(self.kind))  # type: ignore[arg-type]

    @cached_property
    def create(self) -> str:
        columns = ", ".join(f'"{each.name}" {each.type}' for each in self.columns)
        key = ", ".join(f'"{name}"' for name in self.key)
        return f"CREATE TABLE {self.name} ({columns}, PRIMARY KEY ({key}))"

    @cached_property
    def upsert(self) -> str:
        """One parameter: a JSON list of rows, each key at most once. Strict: else what does not fit becomes NULL."""
        shape = json.dumps([{each.name: each.type for each in self.columns}])
        key = ", ".join(f'"{name}"' for name in self.key)
        rest = [each.name for each in self.columns if each.name not in self.key]
        changes = ", ".join(
            f'"{name}" = {self.name}."{name}" + excluded."{name}"'
            if name in self.sums
            else f'"{name}" = excluded."{name}"'
            for name in rest
        )
        return (
            f"INSERT INTO {self.name} BY NAME "  # noqa: S608
            f"SELECT * FROM (SELECT unnest(from_json_strict(?::JSON, '{shape}'), recursive := true)) "
            f"ON CONFLICT ({key}) DO UPDATE SET {changes}"
        )

    def select(self, where: str = "", order: str = "", limit: int | None = None) -> str:
        columns = ", ".join(f'"{each.name}"' for each in self.columns)
        parts = [f"SELECT {columns} FROM {self.name}"]  # noqa: S608
        parts += [f"WHERE {where}"] * bool(where) + [f"ORDER BY {order}"] * bool(order)
        parts += [f"LIMIT {limit}"] * (limit is not None)
        return " ".join(parts)

    def encoded(self, entities: Iterable[T]) -> list[dict[str, Any]]:
        """JSON-ready rows, the last of each key (sums are added up)."""
        rows: dict[tuple[Any, ...], dict[str, Any]] = {}
        for entity in entities:
            row = {each.name: _plain(getattr(entity, each.name)) for each in self.columns}
            key = tuple(row[name] for name in self.key)
            for name in self.sums if key in rows else ():
                row[name] += rows[key][name]
            rows[key] = row
        return list(rows.values())

    def decoded(self, row: Sequence[Any]) -> T:
        values = {each.name: each.read(value) for each, value in zip(self.columns, row, strict=True)}
        return self.kind(**values)

    def as_json(self, row: Sequence[Any]) -> dict[str, Any]:
        """The row as the API answers it."""
        return {each.name: jsonable(each.read(value)) for each, value in zip(self.columns, row, strict=True)}


def jsonable(value: Any) -> Any:
    """Times become ISO 8601 with a `Z`."""
    match value:
        case datetime():
            return value.isoformat().replace("+00:00", "Z")
        case Enum():
            return value.value
        case tuple():
            return [jsonable(each) for each in value]
        case Mapping():
            return {str(key): jsonable(each) for key, each in value.items()}
    return value


def utc(at: datetime) -> datetime:
    """As DuckDB keeps it: UTC without saying so."""
    return at.astimezone(UTC).replace(tzinfo=None)


def _plain(value: Any) -> Any:
    """As `from_json` reads it."""
    match value:
        case datetime():
            return utc(value).isoformat(sep=" ")
        case Enum():
            return value.value
        case str():
            return value.encode("utf-8", "replace").decode()  # lone surrogates are no JSON
        case tuple() | frozenset():
            return json.dumps([_plain(each) for each in value])
        case Mapping():
            return json.dumps({str(key): _plain(each) for key, each in value.items()})
    return value


def _column(name: str, hint: Any) -> Column:
    if get_origin(hint) is types.UnionType:
        (hint,) = (each for each in get_args(hint) if each is not type(None))
    if get_origin(hint) is tuple:
        return Column(name, "VARCHAR", lambda value: tuple(json.loads(value)))
    if isinstance(get_origin(hint), type) and issubclass(get_origin(hint), Mapping):
        return Column(name, "VARCHAR", json.loads)
    if issubclass(hint, Enum):
        return Column(name, "VARCHAR", lambda value: None if value is None else hint(value))
    if issubclass(hint, datetime):
        return Column(name, "TIMESTAMP", lambda value: None if value is None else value.replace(tzinfo=UTC))
    return Column(name, _TYPES[hint], lambda value: value)


_TYPES = {str: "VARCHAR", int: "BIGINT", float: "DOUBLE", bool: "BOOLEAN"}

ISSUES = Table("known_issues", KnownIssue, ("id",))
INCIDENTS = Table("incidents", Incident, ("id",))
EVENTS = Table("incident_events", IncidentEvent, ("id",))
LEARNINGS = Table("learning_patterns", Learning, ("id",))
TEMPLATES = Table("templates", Template, ("fingerprint",))
WINDOWS = Table("windows", Window, ("rule_id", "group_key"))
ATTEMPTS = Table("fix_attempts", FixAttempt, ("id",))
BREAKERS = Table("breakers", Breaker, ("rule_id",))
ALERTS = Table("alerts", Alert, ("id",))
TALLIES = Table("tallies", Tally, ("minute", "kind"), sums=("n",))
CHECKPOINTS = Table("checkpoints", Checkpoint, ("origin",))
SOURCE_EVENTS = Table("source_events", SourceEvent, ("id",))

FIRST_TABLES: tuple[Table[Any], ...] = (
    ISSUES,
    INCIDENTS,
    EVENTS,
    LEARNINGS,
    TEMPLATES,
    WINDOWS,
    ATTEMPTS,
    BREAKERS,
    ALERTS,
    TALLIES,
    CHECKPOINTS,
)
"""Those of the first form of the store."""
TABLES: tuple[Table[Any], ...] = (*FIRST_TABLES, SOURCE_EVENTS)
OF_CHANGESET: dict[str, Table[Any]] = {
    "issues": ISSUES,
    "incidents": INCIDENTS,
    "events": EVENTS,
    "learnings": LEARNINGS,
    "templates": TEMPLATES,
    "windows": WINDOWS,
    "attempts": ATTEMPTS,
    "breakers": BREAKERS,
    "alerts": ALERTS,
    "tallies": TALLIES,
    "checkpoints": CHECKPOINTS,
    "source_events": SOURCE_EVENTS,
}
"""Which field of a changeset goes where."""
