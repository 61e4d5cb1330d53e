"""The form of checks as JSON Schema."""

from __future__ import annotations

from logmedic.adapters.rulefiles.fixprobes import UNIT_STATES
from logmedic.adapters.rulefiles.schemaparts import (
    FLAG,
    LABEL,
    TEXT,
    Schema,
    argv,
    duration,
    mapping,
    percent,
    ref,
    room,
    size,
    some,
    told,
    whole,
)


def checks_schema() -> Schema:
    return {**mapping(check_keys()), "minProperties": 1}


def check_keys() -> Schema:
    several: Schema = {"type": "array", "minItems": 2, "items": ref("checks")}
    return {
        "http": told(_of(_http(), ["get"]), "Asks for a page."),
        "tcp": told(_of({"connect": told(TEXT, "host:port")}, ["connect"]), "Connects."),
        "command": told(
            _of({"run": argv(), "sandbox": told(ref("sandbox"), "What it can see and use.")}, ["run"]), "Exits 0."
        ),
        "unit": told(_of(_unit(), ["unit"]), "The state of a unit of the service manager."),
        "file": told(_file(), "Whether a file is there, how old it is, how large."),
        "disk": told(_disk(), "What is free where a path is."),
        "and": told(several, "Each of them."),
        "or": told(several, "One of them is enough."),
        "not": told(ref("checks"), "Turned round: passes when it does not. Asked once."),
    }


def _of(keys: Schema, required: list[str]) -> Schema:
    return some(_timed(keys, required), least=1)


def _timed(keys: Schema, required: list[str]) -> Schema:
    times = {"within": duration("How long it is tried."), "every": duration("Default 2s.")}
    return mapping({**keys, **times}, required)


def _http() -> Schema:
    return {
        "get": told(TEXT, "The address; a capture in it needs a bound."),
        "status": told(whole(100, 599), "Default 200."),
        "contains": told(LABEL, "What has to stand in the answer."),
    }


def _unit() -> Schema:
    return {
        "unit": told(TEXT, "Its whole name: app.service"),
        "state": told({"enum": list(UNIT_STATES)}, "Its ActiveState. Default active."),
        "up_for": duration("And it has been so for so long."),
    }


def _file() -> Schema:
    keys = {
        "path": told(TEXT, "Absolute."),
        "exists": told(FLAG, "false: it must not be there."),
        "newer_than": duration("It was changed within that time."),
        "at_most": size("Not larger."),
    }
    form = _timed(keys, ["path"])
    gone = {"properties": {"exists": {"const": False}}, "required": ["exists"]}
    neither = {"not": {"anyOf": [{"required": ["newer_than"]}, {"required": ["at_most"]}]}}
    return some({**form, "if": gone, "then": neither}, least=1)


def _disk() -> Schema:
    keys = {
        "path": told(TEXT, "Absolute; its file system is asked about."),
        "free": room("Room that users may fill: a share of the file system, or a size."),
        "inodes": percent("Inodes that are free."),
    }
    form = _timed(keys, ["path"])
    return some({**form, "anyOf": [{"required": ["free"]}, {"required": ["inodes"]}]}, least=1)
