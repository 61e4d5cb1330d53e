"""Reports in the `tests` of a rule: what an application would send, and who."""

from __future__ import annotations

import re
from typing import Any

from logmedic.core.reports import MAX_ATTEMPTS, BadReport
from logmedic.core.samplereports import USER, told_by
from logmedic.model.report import Report
from logmedic.yamldoc import Fields

TEXTS = (
    *("component", "action", "error", "message", "traceback", "impact", "environment", "request_id", "kind", "name"),
    "strategy",
)
"""Keys that are told as they are sent."""
_NAMED = re.compile(r"`(\w+)[`.]")


def build_report(line: Fields) -> Report | None:
    """Of a sample that has `report`. None: there is no mapping, and that was said."""
    fields = line.mapping("report")
    if fields is None:
        return None
    told: dict[str, Any] = {key: fields.text(key) for key in TEXTS if key in fields}
    told["tags"] = fields.texts("tags")
    told["attempts"] = fields.integer("attempts", 0, minimum=0, maximum=MAX_ATTEMPTS)
    context = fields.mapping("context")
    told["context"] = {key: context.text(key) for key in context.names()} if context is not None else {}
    user = fields.text("user", USER)
    for key in TEXTS:
        fields.node_of(key)
    fields.done()
    try:
        return told_by(told, user)
    except BadReport as bad:
        named = _NAMED.match(bad.text)
        fields.problems.add(fields.at(named[1]) if named else fields.node, f"the report: {bad.text}", bad.hint)
    return None
