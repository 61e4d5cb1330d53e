"""The answer to `learned`, of rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from typing import Any

from logmedic.core.promotion import similar
from logmedic.core.rowvalues import entity
from logmedic.model.errors import NotFound
from logmedic.model.issue import REPORTED, IssueSource, IssueStatus, KnownIssue, Template
from logmedic.model.learned import FixedBefore

FIXES_SHOWN = 100

Row = Mapping[str, Any]


def story(issue: Row, ordinary_of: Callable[[str], list[str]], fixed_before: Sequence[Row]) -> dict[str, Any]:
    """`issue`: as Queries.issue answers it. Raises NotFound when it is not a learned one, or part of another."""
    if issue["fingerprint"].startswith(REPORTED):
        raise NotFound(
            f"issue {issue['id'][-8:]} was reported by an application, and no rule can be drafted from it",
            "a rule can know such a report by what it says, match: { report: ... }; docs/rules.md has it",
        )
    if issue["source"] != IssueSource.LEARNED.value:
        raise NotFound(
            f"issue {issue['id'][-8:]} was not learned, it comes from a {issue['source']}",
            "logmedic learned lists those that were",
        )
    if issue["status"] == IssueStatus.MERGED.value and issue["merged_into"]:
        raise NotFound(
            f"issue {issue['id'][-8:]} is part of another one by now", f"ask for that: {issue['merged_into'][-8:]}"
        )
    template = next((each for each in issue["templates"] if not each["merged_into"]), None)
    samples = [text for each in issue["templates"] for text in (each["sample"], *each["samples"]) if text]
    alike: Sequence[FixedBefore] = ()
    if template is not None:
        others = [entity(FixedBefore, each) for each in fixed_before]
        alike = similar(entity(KnownIssue, issue), entity(Template, template), others)
    return {
        "issue": {each.name: issue[each.name] for each in fields(KnownIssue)},
        "template": template,
        "samples": list(dict.fromkeys(samples)),
        "ordinary": ordinary_of(template["source"]) if template is not None else [],
        "onsets": issue["onsets"],
        "fixed_before": list(fixed_before),
        "similar": [row for row in fixed_before if entity(FixedBefore, row) in alike],
    }
