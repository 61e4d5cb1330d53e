"""What people ask of rules, one at a time: its own tests, run now; a draft of one for what was learned."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from logmedic.core.draftfile import draft_file
from logmedic.core.drafting import draft_learned
from logmedic.core.rowvalues import entity
from logmedic.core.ruletest import make_matcher, run_test
from logmedic.model.errors import NotFound, OrderRefused
from logmedic.model.issue import KnownIssue, Template
from logmedic.model.learned import FixedBefore
from logmedic.model.policy import Policy
from logmedic.model.rule import Rule
from logmedic.ports import Store

Row = dict[str, Any]
_UNHEARD = frozenset({"stdin", "argument"})
"""What a rule of a daemon cannot listen to: standard input, and files of a command line."""
_BY_A_LINE = "logmedic rules new --from 'LINE' drafts a rule from a line that you have"


class RuleDesk:
    """The part of ports.Control that is about single rules; its contracts are there. What takes its time is done in a
    thread, one after the other: lines are read meanwhile."""

    def __init__(self, store: Store, policy: Callable[[], Policy]) -> None:
        """`policy`: the one in force."""
        self._store = store
        self._policy = policy
        self._working = asyncio.Lock()

    async def test(self, rule_id: str) -> Row:
        rule = self._policy().rules.get(rule_id)
        if rule is None:
            raise NotFound(f"no rule that is in force is called {rule_id[:80]}", "logmedic rules list")
        async with self._working:
            return {"rule": rule.id, "file": rule.file, "cases": await asyncio.to_thread(_cases, rule)}

    async def draft(self, issue_id: str) -> Row:
        story = await self._store.ask("learned", issue_id=issue_id)
        if story["template"] is None:
            raise OrderRefused("what this issue was learned from is forgotten", _BY_A_LINE)
        async with self._working:
            rule = await asyncio.to_thread(_drafted, story)
        names = (rule.id, *(f"{rule.id}-{n}" for n in range(2, len(self._policy().rules) + 3)))
        rule = replace(rule, id=next(name for name in names if name not in self._policy().rules))
        similar = [entity(FixedBefore, each) for each in story["similar"]]
        content = draft_file(rule, made_from="what was seen", fixed_before=similar)
        return {"issue": story["issue"], "rule": rule.id, "file": content}


def _cases(rule: Rule) -> list[Row]:
    matcher = make_matcher(rule)
    cases: list[Row] = []
    for test in rule.tests:
        began = time.perf_counter()
        failure = run_test(rule, test, matcher)
        seconds = round(time.perf_counter() - began, 6)
        cases.append({"test": test.name, "line": test.line, "failure": failure, "seconds": seconds})
    return cases


def _drafted(story: Row) -> Rule:
    template = entity(Template, story["template"])
    source = "" if template.source in _UNHEARD else template.source
    issue = entity(KnownIssue, story["issue"])
    try:
        return draft_learned(issue, template, story["samples"], story["ordinary"], source=source)
    except ValueError as error:
        raise OrderRefused(f"no rule can be drafted: {error}", _BY_A_LINE) from None
