"""The form of a `fix` as JSON Schema."""

from __future__ import annotations

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
    size,
    some,
    texts,
    told,
    whole,
)
from logmedic.model.rule import Mode
from logmedic.model.sandbox import SandboxKind


def fix_schema() -> Schema:
    limits = mapping(
        {
            "cooldown": duration("From the end of one execution to the next. Default 5m."),
            "max_per_hour": told(whole(1, 10_000), "Over all groups of the rule. Default 12."),
            "one_at_a_time": told(LABEL, "Fixes with the same name never run together. Default: the rule's id."),
            "min_uptime": duration("No fix so soon after the daemon's start."),
        }
    )
    breaker = mapping(
        {
            "failures": told(whole(1, 1000), "So many executions in a row that did not fix. Default 3."),
            "open_for": duration("None for so long; then one trial. Default 30m."),
        }
    )
    form = mapping(
        {
            "mode": told(one_of(Mode), "observe: say what would be done; approve: ask first; auto."),
            "steps": told(some(ref("step"), least=1), "Tried in order: the next when the one before did not hold."),
            "verify": told(_verify(), "How a fix is proved; required for auto."),
            "limits": told(limits, "What holds it back."),
            "breaker": told(breaker, "After failures, none for a while."),
        },
        ["mode", "steps"],
    )
    auto = {"properties": {"mode": {"const": Mode.AUTO.value}}, "required": ["mode"]}
    return {**form, "if": auto, "then": {"required": ["verify"]}}


def step_schema() -> Schema:
    retry = {
        "attempts": told(whole(1, 20), "With the first."),
        "base": duration("Before the second attempt."),
        "max": duration("The longest wait."),
        "factor": told(number(1, 10), "By which each wait is longer."),
    }
    step = mapping(
        {
            "name": told(LABEL, "For people."),
            "run": argv(),
            "unit": told(mapping({"restart": told(TEXT, "Its whole name.")}, ["restart"]), "{ restart: app.service }"),
            "timeout": duration("Default 30s."),
            "retry": told(mapping(retry), "When it exits with an error."),
            "sandbox": told(ref("sandbox"), "What it can see and use."),
        }
    )
    return {**step, "oneOf": [{"required": ["run"]}, {"required": ["unit"]}]}


def sandbox_schema() -> Schema:
    limits = {
        "kind": told(one_of(SandboxKind), "none needs actions.allow_unsandboxed as well."),
        "write": texts("Paths that the step may write to."),
        "read": texts("Paths that the step may read, beside /usr."),
        "memory": size("Default 256M."),
        "tasks": told(whole(1, 4096), "Processes and threads. Default 64."),
        "file_size": size("The largest file that it may write. Default 16M."),
    }
    return mapping(limits)


def _verify() -> Schema:
    times = {"within": duration("How long it is tried. Default 30s."), "every": duration("Default 2s.")}
    http = {
        "get": told(TEXT, "The address; a capture in it needs a bound."),
        "status": told(whole(100, 599), "Default 200."),
        "contains": told(LABEL, "What has to stand in the answer."),
    }
    form = mapping(
        {
            "http": told(some(mapping({**http, **times}, ["get"])), "Asks for a page."),
            "tcp": told(some(mapping({"connect": told(TEXT, "host:port"), **times}, ["connect"])), "Connects."),
            "command": told(
                some(
                    mapping(
                        {"run": argv(), "sandbox": told(ref("sandbox"), "What it can see and use."), **times}, ["run"]
                    )
                ),
                "Exits 0.",
            ),
            "quiet": duration("The rule stays silent for so long."),
        }
    )
    return {**form, "minProperties": 1}
