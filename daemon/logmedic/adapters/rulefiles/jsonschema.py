"""The form of rule files as JSON Schema, for editors. What the parts mean together only the loader checks."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Any

from logmedic.model.match import CaptureType, Level
from logmedic.model.rule import AlertEvent, Mode, SandboxKind
from logmedic.model.severity import Severity

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
FLAG: Schema = {"type": "boolean"}
DURATION: Schema = {
    "type": "string",
    "pattern": r"^\d+(\.\d+)?\s*(ms|s|m|h|d)$",
    "description": "A number with its unit: 250ms, 30s, 5m, 2h, 7d.",
}
SIZE: Schema = {
    "type": ["string", "integer"],
    "pattern": r"^\d+\s*[KMG]?(i?B)?$",
    "description": "A number with its unit: 64K, 64M, 1G.",
}
REGEX: Schema = {"type": "string", "description": "A regular expression, as Python's `regex` module reads it."}
LABEL: Schema = {"type": ["string", "number"]}


def rules_schema() -> Schema:
    """JSON Schema, draft 2020-12."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "logmedic rule file",
        **_mapping({"version": {"const": 1}, "rules": {"type": "array", "items": _rule()}}, ["version", "rules"]),
    }


def _rule() -> Schema:
    return _mapping(
        {
            "id": {"type": "string", "pattern": "^[a-z0-9]([a-z0-9.-]{0,62}[a-z0-9])?$"},
            "title": {"type": "string", "description": "For people. {name} is replaced by a typed capture."},
            "severity": _one_of(Severity),
            "description": TEXT,
            "tags": _texts(),
            "runbook": {"type": "string", "pattern": r"^https?://\S+$"},
            "enabled": FLAG,
            "source": _texts("Names of sources; every source when left out."),
            "match": _match(),
            "when": _mapping({"threshold": _threshold()}, ["threshold"]),
            "fix": _fix(),
            "alert": _alert(),
            "tests": {"type": "array", "items": _test()},
        },
        ["id", "title", "match"],
    )


def _match() -> Schema:
    capture = _mapping(
        {
            "type": _one_of(CaptureType),
            "allow": _texts("Networks, names, directories or units that may be captured."),
            "values": _texts("Of an enum."),
            "min": {"type": "integer", "minimum": 0},
            "max": {"type": "integer", "minimum": 0},
        },
        ["type"],
    )
    simple = [each.value for each in CaptureType if each is not CaptureType.ENUM]
    return _mapping(
        {
            "pattern": _some(REGEX),
            "patterns": _some(REGEX),
            "unless": _some(REGEX),
            "field": TEXT,
            "level": _one_of(Level),
            "captures": {"type": "object", "additionalProperties": {"anyOf": [{"enum": simple}, capture]}},
        }
    )


def _threshold() -> Schema:
    return _mapping(
        {"count": {"type": "integer", "minimum": 1, "maximum": 10_000}, "within": DURATION, "by": _texts()}, ["count"]
    )


def _fix() -> Schema:
    return _mapping(
        {
            "mode": _one_of(Mode),
            "steps": {"type": "array", "minItems": 1, "items": _step()},
            "verify": _verify(),
            "limits": _mapping(
                {
                    "cooldown": DURATION,
                    "max_per_hour": {"type": "integer", "minimum": 1},
                    "one_at_a_time": TEXT,
                    "min_uptime": DURATION,
                }
            ),
            "breaker": _mapping({"failures": {"type": "integer", "minimum": 1}, "open_for": DURATION}),
        },
        ["mode", "steps"],
    )


def _step() -> Schema:
    retry = {
        "attempts": {"type": "integer", "minimum": 1, "maximum": 20},
        "base": DURATION,
        "max": DURATION,
        "factor": {"type": "number", "minimum": 1, "maximum": 10},
    }
    step = _mapping(
        {
            "name": TEXT,
            "run": _argv(),
            "unit": _mapping({"restart": TEXT}, ["restart"]),
            "timeout": DURATION,
            "retry": _mapping(retry),
            "sandbox": _sandbox(),
        }
    )
    return {**step, "oneOf": [{"required": ["run"]}, {"required": ["unit"]}]}


def _sandbox() -> Schema:
    return _mapping(
        {
            "kind": _one_of(SandboxKind),
            "write": _texts("Paths that the step may write to."),
            "read": _texts("Paths that the step may read, beside /usr."),
            "memory": SIZE,
            "tasks": {"type": "integer", "minimum": 1},
            "file_size": SIZE,
        }
    )


def _verify() -> Schema:
    times = {"within": DURATION, "every": DURATION}
    status = {"type": "integer", "minimum": 100, "maximum": 599}
    return _mapping(
        {
            "http": _some(_mapping({"get": TEXT, "status": status, "contains": TEXT, **times}, ["get"])),
            "tcp": _some(_mapping({"connect": TEXT, **times}, ["connect"])),
            "command": _some(_mapping({"run": _argv(), "sandbox": _sandbox(), **times}, ["run"])),
            "quiet": DURATION,
        }
    )


def _alert() -> Schema:
    return _mapping(
        {
            "routes": _texts(),
            "on": _some(_one_of(AlertEvent)),
            "group_by": _texts(),
            "repeat_every": DURATION,
        }
    )


def _test() -> Schema:
    count = {"type": "integer", "minimum": 0, "maximum": 10_000}
    repeat = {"type": "integer", "minimum": 1, "maximum": 10_000}
    line = _mapping({"text": LABEL, "repeat": repeat, "every": DURATION}, ["text"])
    captures = {"type": "object", "additionalProperties": LABEL}
    expect = _mapping({"fires": count, "matches": count, "captures": captures})
    lines = {"type": "array", "minItems": 1, "items": {"anyOf": [LABEL, line]}}
    return _mapping({"name": TEXT, "lines": lines, "expect": expect}, ["name", "lines", "expect"])


def _argv() -> Schema:
    return {"type": "array", "minItems": 1, "items": LABEL, "description": "Program and arguments; no shell."}


def _mapping(properties: Schema, required: Iterable[str] = ()) -> Schema:
    form = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**form, "required": list(required)} if required else form


def _some(item: Schema) -> Schema:
    """One, or a list of them."""
    return {"anyOf": [item, {"type": "array", "items": item}]}


def _texts(description: str = "") -> Schema:
    form = _some(LABEL)
    return {**form, "description": description} if description else form


def _one_of(kind: type[StrEnum]) -> Schema:
    return {"enum": [each.value for each in kind]}
