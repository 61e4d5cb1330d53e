"""Between values and rows: one codec for every entity, from its own field types."""

from __future__ import annotations

import json
import types
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from enum import Enum
from functools import cached_property
from math import isfinite
from operator import itemgetter
from typing import Any, Generic, TypeVar, get_args, get_origin, get_type_hints

from logmedic.model.alert import Alert, ReceiverState
from logmedic.model.diagnosis import Diagnosis
from logmedic.model.fix import Breaker, FixAttempt
from logmedic.model.gap import SourceEvent
from logmedic.model.issue import Incident, IncidentEvent, KnownIssue, Learning, Tally, Template, Window
from logmedic.model.learned import Onset, OrdinaryLine, Release
from logmedic.model.notice import AlertGroup, Notice, Silence
from logmedic.model.record import Checkpoint
from logmedic.model.trust import Earned, Pause, Trust, TrustChange

T = TypeVar("T")


Row = dict[str, Any]
"""A row as `from_json` reads it, by column."""
INT64 = 2**63


@dataclass(frozen=True)
class Column:
    """`type`: DuckDB's. `read` makes the field's value of what DuckDB answers, `write` what `from_json` reads of it."""

    name: str
    type: str
    read: Callable[[Any], Any]
    write: Callable[[Any], Any]

    def as_json(self, value: Any) -> Any:
        """As the API answers what DuckDB does."""
        return jsonable(self.read(value))


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

    def column(self, name: str) -> Column:
        """Raises KeyError."""
        return {each.name: each for each in self.columns}[name]

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
            f"ON CONFLICT ({key}) DO {f'UPDATE SET {changes}' if rest else 'NOTHING'}"
        )

    def select(self, where: str = "", order: str = "", limit: int | None = None, unread: Collection[str] = ()) -> str:
        """`unread`: columns of text that are answered empty, because they are long and nobody looks at them."""
        columns = ", ".join("''" if each.name in unread else f'"{each.name}"' for each in self.columns)
        parts = [f"SELECT {columns} FROM {self.name}"]  # noqa: S608
        parts += [f"WHERE {where}"] * bool(where) + [f"ORDER BY {order}"] * bool(order)
        parts += [f"LIMIT {limit}"] * (limit is not None)
        return " ".join(parts)

    @cached_property
    def key_of(self) -> Callable[[Row], Any]:
        """The key of a row, comparable with that of others of this table."""
        return itemgetter(*self.key)

    def encoded(self, entity: T) -> Row:
        """Raises ValueError for a number that no column takes."""
        return {each.name: each.write(getattr(entity, each.name)) for each in self.columns}

    def decoded(self, row: Sequence[Any]) -> T:
        values = {each.name: each.read(value) for each, value in zip(self.columns, row, strict=True)}
        return self.kind(**values)

    def as_json(self, row: Sequence[Any]) -> dict[str, Any]:
        """The row as the API answers it."""
        return {each.name: each.as_json(value) for each, value in zip(self.columns, row, strict=True)}


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


def answered(value: Any) -> Any:
    """What DuckDB answers, as the API does."""
    return jsonable(value.replace(tzinfo=UTC) if isinstance(value, datetime) else value)


def utc(at: datetime) -> datetime:
    """As DuckDB keeps it: UTC without saying so."""
    return at.astimezone(UTC).replace(tzinfo=None)


def _plain(value: Any) -> Any:
    """As JSON holds it, inside of tuples and mappings."""
    match value:
        case datetime():
            return _time(value)
        case Enum():
            return value.value
        case str():
            return _text(value)
        case tuple() | frozenset():
            return [_plain(each) for each in value]
        case Mapping():
            return {str(key): _plain(each) for key, each in value.items()}
    return value


def _text(value: str) -> str:
    """Lone surrogates are no JSON."""
    return value if value.isascii() else value.encode("utf-8", "replace").decode()


def _time(value: datetime) -> str:
    return utc(value).isoformat(sep=" ")


def _whole(value: int) -> int:
    if not -INT64 <= value < INT64:
        raise ValueError(f"{value} is no 64-bit number")
    return value


def _number(value: float) -> float:
    if not isfinite(value):
        raise ValueError(f"{value} is no number")
    return value


def _value(value: Enum) -> Any:
    return value.value


def _nested(value: Any) -> str:
    return json.dumps(_plain(value))


def _same(value: Any) -> Any:
    return value


def _or_none(call: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: None if value is None else call(value)


def _column(name: str, hint: Any) -> Column:
    if get_origin(hint) is types.UnionType:
        (hint,) = (each for each in get_args(hint) if each is not type(None))
        plain = _column(name, hint)
        return Column(name, plain.type, _or_none(plain.read), _or_none(plain.write))
    if get_origin(hint) is tuple:
        return Column(name, "VARCHAR", lambda value: tuple(json.loads(value)), _nested)
    if isinstance(get_origin(hint), type) and issubclass(get_origin(hint), Mapping):
        return Column(name, "VARCHAR", json.loads, _nested)
    if issubclass(hint, Enum):
        return Column(name, "VARCHAR", hint, _value)
    if issubclass(hint, datetime):
        return Column(name, "TIMESTAMP", lambda value: value.replace(tzinfo=UTC), _time)
    kind, write = _TYPES[hint]
    return Column(name, kind, _same, write)


_TYPES: dict[Any, tuple[str, Callable[[Any], Any]]] = {
    str: ("VARCHAR", _text),
    int: ("BIGINT", _whole),
    float: ("DOUBLE", _number),
    bool: ("BOOLEAN", _same),
}

ISSUES = Table("known_issues", KnownIssue, ("id",))
INCIDENTS = Table("incidents", Incident, ("id",))
EVENTS = Table("incident_events", IncidentEvent, ("id",))
LEARNINGS = Table("learning_patterns", Learning, ("id",))
TEMPLATES = Table("templates", Template, ("fingerprint",))
WINDOWS = Table("windows", Window, ("rule_id", "group_key"))
ATTEMPTS = Table("fix_attempts", FixAttempt, ("id",))
BREAKERS = Table("breakers", Breaker, ("rule_id", "fix", "target"))
ALERTS = Table("alerts", Alert, ("id",))
TALLIES = Table("tallies", Tally, ("minute", "kind"), sums=("n",))
CHECKPOINTS = Table("checkpoints", Checkpoint, ("source", "origin"))
SOURCE_EVENTS = Table("source_events", SourceEvent, ("id",))
ONSETS = Table("onsets", Onset, ("issue_id", "at"))
RELEASES = Table("releases", Release, ("source", "version"))
ORDINARY = Table("ordinary_lines", OrdinaryLine, ("source", "slot"))
DIAGNOSES = Table("diagnoses", Diagnosis, ("issue_id", "at"))
TRUST = Table("trust", Trust, ("rule_id",))
TRUST_CHANGES = Table("trust_changes", TrustChange, ("id",))
EARNED = Table("earned", Earned, ("rule_id", "step"))
PAUSES = Table("pauses", Pause, ("origin",))
NOTICES = Table("notices", Notice, ("subject",))
GROUPS = Table("alert_groups", AlertGroup, ("key",))
SILENCES = Table("silences", Silence, ("id",))
RECEIVERS = Table("receivers", ReceiverState, ("name",))

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
TABLES: tuple[Table[Any], ...] = (
    *FIRST_TABLES,
    SOURCE_EVENTS,
    ONSETS,
    RELEASES,
    ORDINARY,
    DIAGNOSES,
    TRUST,
    TRUST_CHANGES,
    EARNED,
    PAUSES,
    NOTICES,
    GROUPS,
    SILENCES,
    RECEIVERS,
)
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
    "onsets": ONSETS,
    "releases": RELEASES,
    "ordinary": ORDINARY,
    "diagnoses": DIAGNOSES,
    "trust": TRUST,
    "trust_changes": TRUST_CHANGES,
    "earned": EARNED,
    "pauses": PAUSES,
    "notices": NOTICES,
    "groups": GROUPS,
    "silences": SILENCES,
    "receivers": RECEIVERS,
}
"""Which field of a changeset goes where."""
