"""The form of a `fix` as JSON Schema."""

from __future__ import annotations

from logmedic.adapters.rulefiles.checkschema import check_keys
from logmedic.adapters.rulefiles.fixes import MAX_FAILURES, MAX_GRADUATE, MAX_PER_HOUR, MAX_SUCCESSES
from logmedic.adapters.rulefiles.schemaparts import (
    LABEL,
    Schema,
    duration,
    mapping,
    number,
    one_of,
    ref,
    some,
    texts,
    told,
    whole,
)
from logmedic.model.rule import Mode, OnFailure


def fix_schema() -> Schema:
    verify = {**mapping({**check_keys(), "quiet": duration("The rule stays silent for so long.")}), "minProperties": 1}
    form = mapping(
        {
            "mode": told(one_of(Mode), "observe: say what would be done; approve: ask first; auto."),
            "graduate_after": told(
                whole(1, MAX_GRADUATE), "So many verified successes propose the next mode. Needs what auto needs."
            ),
            "after": texts("Rules whose open incidents are the cause: those are fixed first."),
            "steps": told(some(ref("rung"), least=1), "Tried in order: the next when the one before did not hold."),
            "verify": told(verify, "How a fix is proved; required for auto."),
            "guard": told(ref("checks"), "What a step must not break: else it is rolled back."),
            "on_failure": told(one_of(OnFailure), "When no step held: escalate (default) calls people; record."),
            "limits": told(_limits(), "What holds it back."),
            "breaker": told(_breaker(), "After failures, none for a while."),
        },
        ["mode", "steps"],
    )
    alone = {
        "anyOf": [
            {"properties": {"mode": {"const": Mode.AUTO.value}}, "required": ["mode"]},
            {"required": ["graduate_after"]},
        ]
    }
    return {**form, "if": alone, "then": {"required": ["verify"]}}


def _limits() -> Schema:
    return mapping(
        {
            "cooldown": duration("From the end of one execution to the next. Default 5m."),
            "max_per_hour": told(whole(1, MAX_PER_HOUR), "Over all groups of the rule. Default 12."),
            "one_at_a_time": told(
                LABEL, "What the fix acts on: never two at once, and a breaker of its own. Default: its unit."
            ),
            "min_uptime": duration("No fix so soon after the start of the unit; without one, of the daemon."),
        }
    )


def _breaker() -> Schema:
    return mapping(
        {
            "failures": told(whole(1, MAX_FAILURES), "So many executions in a row that did not fix. Default 3."),
            "open_for": duration("None for so long; then one trial. Default 30m."),
            "successes": told(whole(1, MAX_SUCCESSES), "So many trials in a row that did close it. Default 1."),
            "factor": told(number(1, 10), "By which each opening lasts longer than the one before. Default 2."),
            "open_max": duration("The longest. Default 24h."),
            "healthy_after": duration("Without a failure for so long, that begins anew. Default 24h."),
        }
    )
