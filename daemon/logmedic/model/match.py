"""What a line has to look like: patterns, the types of their captures, and where they look."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from logmedic.model.report import ReportKind


class CaptureType(StrEnum):
    IP = "ip"
    HOSTPORT = "hostport"
    HOSTNAME = "hostname"
    INT = "int"
    PATH = "path"
    UNIT = "unit"
    WORD = "word"
    ENUM = "enum"


@dataclass(frozen=True, slots=True)
class Capture:
    """What a named group must be. `allow`: networks (ip, hostport), names (hostname; a leading dot allows the
    subdomains), directories (path), units (unit); empty allows all. `values`: for enum. Bounds: for int, inclusive."""

    type: CaptureType
    allow: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    minimum: int | None = None
    maximum: int | None = None


class Level(StrEnum):
    """How bad a line says that it is, in one set of words; from the least to the worst."""

    TRACE = "trace"
    DEBUG = "debug"
    INFO = "info"
    NOTICE = "notice"
    WARNING = "warning"
    ERROR = "error"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        return list(Level).index(self)


class IncidentStage(StrEnum):
    """What of an incident another rule can be about. FAILED: its fix did not hold, people are needed."""

    OPENED = "opened"
    FAILED = "failed"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class ReportSpec:
    """What a report of an application has to say; `*` stands for any part of a value, and a key without values takes
    every report. `users`: who reports, by the kernel's word."""

    component: tuple[str, ...] = ()
    action: tuple[str, ...] = ()
    error: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    kind: tuple[ReportKind, ...] = (ReportKind.ERROR,)
    environment: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MatchSpec:
    """Any of `patterns` matches and none of `unless` does. Groups that `captures` does not name stay evidence only.
    `field`: they are about the value of that field, and not about the text; a record without it does not match.
    `level`: the record says that it is so bad or worse. `program`: a record with a syslog head is of one of these
    programs (`*` stands for any part of a name), and its text is what follows the head; one without a head is taken
    whole. `report`: it is about reports of applications that fit, and about nothing else; the patterns (there need be
    none) are about what follows the head, and captures that no pattern has a group for are fields of the report.
    `incidents`: instead of lines it is about incidents of these rules, when they come to the stage `on`; then
    `captures` are those of the incident."""

    patterns: tuple[str, ...]
    unless: tuple[str, ...] = ()
    captures: Mapping[str, Capture] = field(default_factory=dict)
    field: str = ""
    level: Level | None = None
    program: tuple[str, ...] = ()
    report: ReportSpec | None = None
    incidents: tuple[str, ...] = ()
    on: IncidentStage = IncidentStage.OPENED
