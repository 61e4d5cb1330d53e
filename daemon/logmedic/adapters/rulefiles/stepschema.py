"""The form of one step, and of a rung, as JSON Schema."""

from __future__ import annotations

from collections.abc import Iterable

from logmedic.adapters.rulefiles.actions import ACTIONS, MAX_BODY, MAX_KEPT, MAX_PATHS, METHODS
from logmedic.adapters.rulefiles.schemaparts import (
    LABEL,
    TEXT,
    Schema,
    argv,
    duration,
    mapping,
    number,
    one_of,
    ref,
    room,
    size,
    texts,
    told,
    whole,
)
from logmedic.adapters.rulefiles.steps import ALTERNATIVES
from logmedic.model.sandbox import Network, SandboxKind
from logmedic.model.step import UnitVerb


def step_schema() -> Schema:
    return {**mapping(_step_keys()), **_one(ACTIONS)}


def rung_schema() -> Schema:
    """A step, or alternatives with nothing beside them."""
    several: Schema = {"type": "array", "minItems": 2, "items": ref("step")}
    keys = {**_step_keys(), ALTERNATIVES: told(several, "Alternatives: what each has earned decides their order.")}
    alone = {"if": {"required": [ALTERNATIVES]}, "then": {"maxProperties": 1}}
    return {**mapping(keys), **_one((*ACTIONS, ALTERNATIVES)), **alone}


def rollback_schema() -> Schema:
    return {**mapping(_doing_keys()), **_one(ACTIONS)}


def sandbox_schema() -> Schema:
    limits = {
        "kind": told(one_of(SandboxKind), "none needs actions.allow_unsandboxed as well."),
        "write": texts("Paths that it may write to."),
        "read": texts("Paths that it may read, beside /usr."),
        "network": told(one_of(Network), "none (default); loopback: 127.0.0.0/8 and ::1 of the host; full."),
        "memory": size("Default 256M."),
        "tasks": told(whole(1, 4096), "Processes and threads. Default 64."),
        "file_size": size("The largest file that it may write. Default 16M."),
        "time": duration("Of processor time of each process. Default: the timeout."),
        "user": told(LABEL, "The account that it runs as. Default: one that owns nothing."),
    }
    return mapping(limits)


def _one(keys: Iterable[str]) -> Schema:
    return {"oneOf": [{"required": [key]} for key in keys]}


def _step_keys() -> Schema:
    retry = {
        "attempts": told(whole(1, 20), "With the first."),
        "base": duration("Before the second attempt."),
        "max": duration("The longest wait."),
        "factor": told(number(1, 10), "By which each wait is longer."),
    }
    return {
        **_doing_keys(),
        "retry": told(mapping(retry), "When it fails."),
        "expect": told(ref("checks"), "Checks that have to pass, or the step is passed over. Each within 5s."),
        "rollback": told(rollback_schema(), "Undoes it, when it failed in the middle or made things worse."),
    }


def _doing_keys() -> Schema:
    return {
        "name": told(LABEL, "For people; what the step earned is counted by it."),
        **_actions(),
        "timeout": duration("Default 30s; 5m for free, empty, rotate and renew."),
        "sandbox": told(ref("sandbox"), "What it can see and use."),
    }


def _actions() -> Schema:
    return {
        "run": argv(),
        "unit": told(_unit(), "{ restart: app.service }"),
        "kill": told(_kill(), "Ends the processes of that name of one service."),
        "free": told(_free(), "Deletes files, the oldest first, until there is room."),
        "empty": told(_empty(), "Empties a directory, which stays."),
        "rotate": told(TEXT, "Rotates logs now: the file of logrotate for one program."),
        "renew": told(_renew(), "Renews a certificate by a program, when it ends soon."),
        "http": told(_http(), "One request by the daemon."),
        "wait": duration("Does nothing for so long."),
    }


def _unit() -> Schema:
    words = {UnitVerb.RESTART: "Stops and starts it.", UnitVerb.RELOAD: "It reads its settings again."}
    keys = {verb.value: told(TEXT, words.get(verb, "Starts it, if it is not running.")) for verb in UnitVerb}
    return {**mapping(keys), **_one(keys)}


def _kill() -> Schema:
    keys = {
        "unit": told(TEXT, "A service; processes elsewhere are left alone."),
        "process": told(TEXT, "The name, as `ps -o comm` shows it."),
        "grace": duration("From SIGTERM to SIGKILL. Default 10s."),
    }
    return mapping(keys, ["unit", "process"])


def _free() -> Schema:
    many: Schema = {"type": "array", "minItems": 1, "maxItems": MAX_PATHS, "items": LABEL}
    keys = {
        "paths": told({"anyOf": [LABEL, many]}, "Directories of one program."),
        "pattern": told(LABEL, "Names of files: * and ?. Default all."),
        "older_than": duration("Younger files stay. Default 1h."),
        "keep": told(whole(0, MAX_KEPT), "So many of the newest stay."),
        "until": room("As much as has to be free: a share of the file system, or a size."),
        "at_most": size("Never deletes more. Default 10G."),
    }
    return mapping(keys, ["paths", "until"])


def _empty() -> Schema:
    keys = {
        "path": told(TEXT, "A directory of one program."),
        "older_than": duration("What is younger stays."),
    }
    return mapping(keys, ["path"])


def _renew() -> Schema:
    keys = {
        "certificate": told(TEXT, "The file (PEM)."),
        "run": argv(),
        "before": duration("Only when it ends so soon. Default 30d."),
    }
    return mapping(keys, ["certificate", "run"])


def _http() -> Schema:
    words = "The address; a capture in it needs a bound."
    keys = {
        **{method: told(TEXT, words) for method in METHODS},
        "status": told(whole(100, 599), "The answer has to have it. Default: any of 200 to 299."),
        "body": told({**LABEL, "maxLength": MAX_BODY}, "What is sent."),
    }
    return {**mapping(keys), **_one(METHODS), "dependencies": {"body": {"not": {"required": ["get"]}}}}
