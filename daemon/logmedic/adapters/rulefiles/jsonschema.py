"""The form of rule files as JSON Schema (draft-07, which editors read). What the parts mean together only the loader
checks."""

from __future__ import annotations

from itertools import combinations

from logmedic.adapters.rulefiles.checkschema import checks_schema
from logmedic.adapters.rulefiles.deprecations import VERSION
from logmedic.adapters.rulefiles.fixschema import fix_schema
from logmedic.adapters.rulefiles.reportschema import report_schema, sent_schema
from logmedic.adapters.rulefiles.schemaparts import (
    FLAG,
    LABEL,
    TEXT,
    Schema,
    both,
    count,
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
from logmedic.adapters.rulefiles.stepschema import rung_schema, sandbox_schema, step_schema
from logmedic.adapters.rulefiles.triggers import MAX_COUNT, MAX_KEPT, MAX_STAGES
from logmedic.model.alertevent import AlertEvent
from logmedic.model.issue import Resolution
from logmedic.model.match import CaptureType, IncidentStage, Level
from logmedic.model.severity import Severity

ADDRESS = "https://logmedic.dev/schema/rules-v1.json"
"""Names the schema; a modeline may have it."""
_LINES_ONLY = ("unless", "field", "level", "program", "report")
_NOT_OF_REPORTS = ("level", "program", "incident")
_TRIGGERS = ("threshold", "distinct", "sequence", "absence", "rate")


def rules_schema() -> Schema:
    files = mapping(
        {"files": texts("Absolute globs: /var/log/app/*.log", least=1, item={**LABEL, "pattern": "^/"})}, ["files"]
    )
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$id": ADDRESS,
        "title": "logmedic rule file",
        **mapping(
            {
                "version": told({"const": int(VERSION)}, "Of the format."),
                "service": told(LABEL, "The program that the rules are about."),
                "sources": told(
                    {
                        "type": "object",
                        "additionalProperties": files,
                        "propertyNames": {"pattern": "^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$"},
                    },
                    "Log files that these rules bring along, by the name under which rules hear them.",
                ),
                "rules": told(some(ref("rule"), least=1), "The known issues."),
            },
            ["version", "rules"],
        ),
        "definitions": {
            "rule": _rule(),
            "capture": _capture(),
            "further": {"anyOf": [LABEL, _match()]},
            "stage": {"anyOf": [LABEL, _match({"count": count(1, MAX_KEPT)})]},
            "rung": rung_schema(),
            "step": step_schema(),
            "checks": checks_schema(),
            "sandbox": sandbox_schema(),
            "test": _test(),
            "sample": _sample(),
        },
    }


def _rule() -> Schema:
    return mapping(
        {
            "id": told(
                {"type": ["string", "number"], "pattern": "^[a-z0-9]([a-z0-9.-]{0,62}[a-z0-9])?$"},
                "Names the rule over all files: lower case letters, digits, - and .",
            ),
            "title": told(TEXT, "One line for people. {name} is replaced by a typed capture."),
            "severity": told(
                one_of(Severity), "critical: down or losing data; high: users notice; medium: today; low: a hint."
            ),
            "description": told(LABEL, "What is wrong, and the usual causes."),
            "resolution": told(LABEL, "What a tired person does, in order, with the commands."),
            "tags": texts("For people and filters."),
            "runbook": told({"type": "string", "pattern": r"^https?://\S+$"}, "An address that stands in alerts."),
            "enabled": told(FLAG, "false: it is loaded and hears nothing."),
            "source": texts("Names of the sources that it hears; every source but `reports` when left out."),
            "match": told(_match(), "What a line has to look like."),
            "when": told(_when(), "When matches become an incident, and when it is over. Default: the first match."),
            "fix": told(fix_schema(), "What is done about it, how that is proved, and what holds it back."),
            "alert": told(_alert(), "Who is told, and of what."),
            "tests": told(some(ref("test")), "Lines on a virtual clock. The rule does not load when one fails."),
        },
        ["id", "title", "match"],
    )


# -- match -------------------------------------------------------------------------------------------------------------


def _match(more: Schema | None = None, required: bool = True) -> Schema:
    """`more`: what may stand beside it. Not `required`: nothing of it has to be there."""
    form = mapping({**_match_keys(), **(more or {})})
    kinds = ("pattern", "patterns", "incident")
    forms = (*kinds, "report")
    needed = [{"required": [kind]} for kind in forms]
    form["dependencies"] = {
        "incident": {"not": {"anyOf": [{"required": [key]} for key in _LINES_ONLY]}},
        "on": ["incident"],
        "report": {"not": {"anyOf": [{"required": [key]} for key in _NOT_OF_REPORTS]}},
        "field": {"anyOf": [{"required": [key]} for key in ("pattern", "patterns")]},
    }
    form["allOf"] = [both(*pair) for pair in combinations(kinds, 2)]
    if required:
        form["anyOf"] = needed
    else:
        form["dependencies"] |= {key: {"anyOf": needed} for key in ("unless", "level", "program", "captures")}
    return form


def _match_keys() -> Schema:
    regex = told(LABEL, "A regular expression, as Python's `regex` module reads it. Anchor it.")
    return {
        "pattern": told(some(regex, least=1), "A regular expression; it matches somewhere in the record."),
        "patterns": told(some(regex, least=1), "Several; any of them matches."),
        "unless": told(some(regex), "None of these matches."),
        "field": told(LABEL, "The patterns are about the value of this field of a JSON, logfmt or journal record."),
        "level": told(one_of(Level), "The record says that it is so bad or worse."),
        "program": texts("The program in the syslog head; then the patterns are about what follows. `*` is any part."),
        "captures": told(
            {"type": "object", "additionalProperties": ref("capture")},
            "The types of the named groups; of a report also of its fields.",
        ),
        "report": told(
            report_schema(), "Instead of lines: reports of applications that fit. A pattern is not needed then."
        ),
        "incident": texts("Instead of lines: incidents of these rules.", least=1),
        "on": told(one_of(IncidentStage), "Of the incident: opened (default), failed (its fix), resolved."),
    }


def _capture() -> Schema:
    bound = {"type": "integer", "minimum": 0, "maximum": 10**18}
    full = mapping(
        {
            "type": told(one_of(CaptureType), "What the group has to be; else the record does not match."),
            "allow": texts("Networks, names, directories or units that may be captured.", least=1),
            "values": texts("Of an enum."),
            "min": told(bound, "Of an int."),
            "max": told(bound, "Of an int."),
        },
        ["type"],
    )
    enum = {"properties": {"type": {"const": CaptureType.ENUM.value}}, "required": ["type"]}
    listed = {"required": ["values"], "properties": {"values": {"not": {"type": "array", "maxItems": 0}}}}
    simple = [each.value for each in CaptureType if each is not CaptureType.ENUM]
    return {"anyOf": [{"enum": simple}, {**full, "if": enum, "then": listed}]}


# -- when --------------------------------------------------------------------------------------------------------------


def _when() -> Schema:
    form = mapping(
        {
            "threshold": told(
                _span({"count": count(1)}, ["count"]), "So many matches inside that time: { count: 5, within: 60s }"
            ),
            "distinct": told(
                _span(
                    {"of": told(TEXT, "The capture that has to differ."), "count": count(2, MAX_KEPT)}, ["of", "count"]
                ),
                "So many different values of one capture.",
            ),
            "sequence": told(_sequence(), "The match, and then each of `then`, all inside `within`."),
            "absence": told(
                _span({"of": told(ref("further"), "What has to follow; without it, the next match.")}, ["within"]),
                "The match, and then nothing for `within`.",
            ),
            "rate": told(_rate(), "A jump over the usual, which is learned."),
            "clear": told(_clear(), "What ends the incident: a pattern, { quiet: 10m } or { after: 10m }."),
            "unless_incident": texts("No incident is opened while one of these rules has an open one."),
        }
    )
    return {**form, "minProperties": 1, "allOf": [both(*pair) for pair in combinations(_TRIGGERS, 2)]}


def _span(more: Schema, required: list[str]) -> Schema:
    by = texts("Captures; each of their values is counted apart, and has an incident of its own.")
    return mapping({**more, "within": duration("From the first to the last. Default 60s."), "by": by}, required)


def _sequence() -> Schema:
    stage = ref("stage")
    many = {"type": "array", "minItems": 1, "maxItems": MAX_STAGES, "items": stage}
    more = {
        "then": told({"anyOf": [stage, many]}, "What has to follow, in this order."),
        "count": told(count(1, MAX_KEPT), "How often the match itself has to be seen."),
        "any_order": told(FLAG, "The order does not matter."),
    }
    return _span(more, ["then"])


def _rate() -> Schema:
    more = {
        "times": told(number(1.1, 1000), "More than so many times the usual. Default 3."),
        "at_least": told(count(1), "And at least so many matches."),
    }
    return _span(more, ["at_least"])


def _clear() -> Schema:
    times = {
        "quiet": duration("No match for so long."),
        "after": duration("So long after it was opened, whatever comes."),
    }
    form = _match(times, required=False)
    form["allOf"].append(both("quiet", "after"))
    return {"anyOf": [LABEL, {**form, "minProperties": 1}]}


# -- alert, tests ------------------------------------------------------------------------------------------------------


def _alert() -> Schema:
    return mapping(
        {
            "routes": texts("Of the config; where its route tree leads when left out."),
            "on": told(some(one_of(AlertEvent)), "Of what people are told."),
            "group_by": texts("Captures: what has the same values of them is told together."),
            "repeat_every": told(
                {"anyOf": [{"enum": ["never"]}, duration("Then twice as long, and so on.")]},
                "Tell again while it lasts and nobody acknowledged it. As the config says when left out.",
            ),
            "page_after": duration("So long its fix may work before people hear of it."),
            "not_while": texts("Rules: while one of them has an open incident, nobody is told of this one."),
        }
    )


def _test() -> Schema:
    plain = {"type": "object", "additionalProperties": LABEL}
    times = whole(0, MAX_COUNT)
    expect = mapping(
        {
            "fires": told(times, "How many incidents are opened."),
            "matches": told(times, "How many lines match."),
            "captures": told(plain, "Of the last match."),
            "steps": texts("Names of the steps that would be run."),
            "run": told({"type": "array", "items": {"type": "array", "items": LABEL}}, "Their arguments, filled in."),
            "resolved": told(times, "How many incidents end."),
            "resolution": told(one_of(Resolution), "How the last one ended."),
        }
    )
    lines = some({"anyOf": [LABEL, ref("sample")]}, least=1)
    return mapping(
        {
            "name": told(TEXT, "What is claimed: fires at ..., near miss, hostile."),
            "lines": told(lines, "Real lines, in order."),
            "until": duration("The clock goes on so long after the last line."),
            "expect": told({**expect, "minProperties": 1}, "What has to come of it."),
        },
        ["name", "lines", "expect"],
    )


def _sample() -> Schema:
    plain = {"type": "object", "additionalProperties": LABEL}
    form = mapping(
        {
            "text": told(LABEL, "The line."),
            "repeat": told(whole(1, MAX_COUNT), "So often."),
            "every": duration("From one to the next."),
            "at": duration("From the start of the test."),
            "source": told(LABEL, "Where it is read. Default: where the rule listens."),
            "fields": told(plain, "What its origin says of it."),
            "report": told(sent_schema(), "Instead of a line: what an application reports."),
            "incident": told(TEXT, "Instead of a line: an incident of this rule."),
            "captures": told(plain, "Of that incident."),
            "on": told(one_of(IncidentStage), "To which stage that incident comes."),
        }
    )
    form["oneOf"] = [{"required": [each]} for each in ("text", "report", "incident")]
    form["dependencies"] = {
        "captures": ["incident"],
        "fields": ["text"],
        "source": {"not": {"required": ["report"]}},
    }
    return form
