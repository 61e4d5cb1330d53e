"""The form of what rules say of reports, as JSON Schema: see `jsonschema`."""

from __future__ import annotations

from logmedic.adapters.rulefiles.reporting import FORMS
from logmedic.adapters.rulefiles.schemaparts import LABEL, Schema, mapping, one_of, some, texts, told, whole
from logmedic.core.reports import MAX_ATTEMPTS, MAX_WORDS
from logmedic.model.report import ReportKind
from logmedic.model.severity import Severity


def report_schema() -> Schema:
    word = {**LABEL, "minLength": 1, "maxLength": MAX_WORDS}
    anchored = {key: f"^(?:{form.pattern})".replace(r"\Z", "$") for key, (form, _) in FORMS.items()}
    formed = {key: {**LABEL, "pattern": pattern} for key, pattern in anchored.items()}
    form = mapping(
        {
            "component": texts("The part of the application; `*` is any part.", least=1, item=formed["component"]),
            "action": texts("What it was doing.", least=1, item=word),
            "error": texts("The type of the error: TimeoutError, redis.*", least=1, item=word),
            "users": texts("Who reports it, by the kernel's word.", least=1, item=formed["users"]),
            "kind": told(some(one_of(ReportKind), least=1), "What it tells. Default: error."),
            "environment": texts("Where it runs: production.", least=1, item=formed["environment"]),
        }
    )
    return {**form, "minProperties": 1}


def sent_schema() -> Schema:
    return mapping(
        {
            **{key: told(LABEL, words) for key, words in _SENT.items()},
            "kind": told(one_of(ReportKind), "Default: error."),
            "impact": told(one_of(Severity), "As the application says. Default: medium."),
            "tags": texts("Of the report."),
            "attempts": told(whole(0, MAX_ATTEMPTS), "Of a retry that gave up."),
            "context": told({"type": "object", "additionalProperties": LABEL}, "More of it, by name."),
        },
        ["component"],
    )


_SENT = {
    "component": "The part of the application.",
    "action": "What it was doing.",
    "error": "The type of the error.",
    "message": "What the error says.",
    "traceback": "Where it came from.",
    "environment": "Where it runs: production.",
    "request_id": "Of the request that failed.",
    "name": "Of the breaker, or of the feature.",
    "strategy": "Of the retry, in words.",
    "user": "Who reports it. Default: nobody.",
}
