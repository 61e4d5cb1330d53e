"""What a language model made of an issue: shown, never run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from logmedic.core.issuewords import day


def suggestion(issue: Mapping[str, Any]) -> Iterator[str]:
    """The last one; nothing where no model was asked. Whoever writes log lines may have written it."""
    for told in issue["diagnoses"][:1]:
        yield f"{told['model']}, {day(told['at'])}" + ("" if told["ok"] else f": none, {told['problem']}")
        if told["ok"]:
            yield from _said(told)


def _said(told: Mapping[str, Any]) -> Iterator[str]:
    yield f"likely cause: {told['likely_cause']}"
    if told["checks"]:
        yield "what to check:"
        yield from (f"- {each}" for each in told["checks"])
    if told["suggested_rule"]:
        yield "a rule, nowhere in force; read it before you copy it:"
        yield from (f"| {line}" for line in told["suggested_rule"].splitlines())
    if told["problem"]:
        yield f"note: {told['problem']}"
