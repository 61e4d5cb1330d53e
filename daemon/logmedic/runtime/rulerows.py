"""Rules in force as rows: all of them in short, and what one says."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Any

from logmedic.core.explainrows import iso
from logmedic.core.rulewords.ladder import headline, ladder_rows
from logmedic.core.rulewords.spec import expected_text, spec_rows, when_rows
from logmedic.core.rulewords.triggers import when_text
from logmedic.core.trust import level_of
from logmedic.model.errors import NotFound
from logmedic.model.rule import Rule
from logmedic.model.state import EngineState
from logmedic.runtime.live import Generation

Row = dict[str, Any]


def rule_rows(generation: Generation, state: EngineState) -> list[Row]:
    """As ports.Control.rules_in_force. `state` is only read."""
    return sorted((_short(each, generation, state) for each in generation.policy.rules.values()), key=_place)


def _place(row: Row) -> tuple[str, str]:
    return row["service"], row["id"]


def _short(rule: Rule, generation: Generation, state: EngineState) -> Row:
    issue = state.issues.get(f"rule:{rule.id}")
    level = level_of(rule, state.trust.get(rule.id), generation.policy) if rule.fix is not None else None
    return {
        "id": rule.id,
        "title": rule.title,
        "service": rule.service or PurePosixPath(rule.file).stem,
        "severity": rule.severity.value,
        "enabled": rule.enabled,
        "sources": list(rule.sources),
        "tags": list(rule.tags),
        "fix": rule.fix.mode.value if rule.fix is not None else None,
        "mode": level.mode.value if level is not None else None,
        "whose": level.whose if level is not None else "",
        "matched": issue.occurrences if issue is not None else 0,
        "last_match_at": iso(issue.last_seen) if issue is not None else None,
        "tests": len(rule.tests),
        "file": rule.file,
        "line": rule.line,
        "quarantined": generation.matcher.quarantined.get(rule.id, ""),
    }


def rule_said(generation: Generation, state: EngineState, rule_id: str) -> Row:
    """As ports.Control.rule_said."""
    rule = generation.policy.rules.get(rule_id)
    if rule is None:
        raise NotFound(f"no rule that is in force is called {rule_id[:80]}", "logmedic rules list")
    return {
        **_short(rule, generation, state),
        "description": rule.description,
        "resolution": rule.resolution,
        "runbook": rule.runbook,
        "in_short": when_text(rule.when),
        "speaks": _named((*spec_rows("match", rule.match), *when_rows(rule.when, rule.match))),
        "fix_in_short": headline(rule.fix) if rule.fix is not None else "",
        "fix_steps": _named(ladder_rows(rule.fix)) if rule.fix is not None else [],
        "tested": [{"test": each.name, "line": each.line, "expects": expected_text(each)} for each in rule.tests],
    }


def _named(rows: Iterable[tuple[str, str]]) -> list[Row]:
    return [{"name": name, "text": text} for name, text in rows]
