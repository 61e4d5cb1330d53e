"""What every store answers when a rule is to be drafted from what was learned: the real one and the fake alike."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from contracts.test_store_contract import ATTEMPT, INCIDENT, ISSUE, NASTY, NOW, Shelf, run, shelf
from logmedic.core.rowvalues import entity
from logmedic.model.changeset import Changeset
from logmedic.model.errors import NotFound
from logmedic.model.fix import AttemptStatus, Verdict
from logmedic.model.issue import IssueSource, IssueStatus, KnownIssue, Template
from logmedic.model.learned import FixedBefore, Onset, OrdinaryLine
from logmedic.ports import Store

__all__ = ["shelf"]

LEARNED = replace(
    ISSUE,
    id="0193-learned",
    source=IssueSource.LEARNED,
    fingerprint="learned:a",
    title="nginx: cannot reach upstream web",
    status=IssueStatus.ONGOING,
)
TEMPLATE = Template(
    *("t1", "cannot reach upstream <*>", "nginx", "cannot reach upstream a", 3, NOW, NOW),
    issue_id=LEARNED.id,
    samples=("cannot reach upstream a", NASTY),
    source="web",
)
FIXED = replace(
    ATTEMPT, status=AttemptStatus.FINISHED, finished_at=NOW, verdict=Verdict.FIXED, argv=("/bin/restart", NASTY)
)
INC = replace(INCIDENT, id=ATTEMPT.incident_id, title="upstream web cannot be reached", source="web", evidence=NASTY)
SEEN = Changeset(
    issues=(ISSUE, LEARNED, replace(LEARNED, id="0193-merged", status=IssueStatus.MERGED, merged_into=LEARNED.id)),
    templates=(TEMPLATE, replace(TEMPLATE, fingerprint="t0", merged_into="t1", samples=("an older one",))),
    incidents=(INC,),
    attempts=(
        FIXED,
        replace(FIXED, id="a2", finished_at=NOW + timedelta(hours=1), argv=("/bin/restart", "web")),
        replace(FIXED, id="a3", verdict=Verdict.NOT_FIXED),
        replace(FIXED, id="a4", rule_id="disk-full", step_name="free space", incident_id="gone", argv=("/bin/rm",)),
    ),
    onsets=tuple(Onset(LEARNED.id, NOW - timedelta(hours=n)) for n in range(30)),
    ordinary=(OrdinaryLine("web", 1, "second"), OrdinaryLine("web", 0, "first"), OrdinaryLine("other", 0, "x")),
)


def learned(shelf: Shelf, issue_id: str) -> dict[str, Any]:
    async def scenario(store: Store) -> Any:
        await store.commit(SEEN)
        return await store.ask("learned", issue_id=issue_id)

    story: dict[str, Any] = run(shelf, scenario)
    return story


@pytest.mark.parametrize("asked", ["0193-learned", "rned"])
def test_it_is_found_by_its_id_or_the_end_of_it(shelf: Shelf, asked: str) -> None:
    story = learned(shelf, asked)
    assert entity(KnownIssue, story["issue"]) == LEARNED
    assert entity(Template, story["template"]) == TEMPLATE
    assert sorted(story["samples"]) == sorted({"cannot reach upstream a", NASTY, "an older one"})
    assert story["ordinary"] == ["first", "second"]
    assert len(story["onsets"]) == 20


def test_fixes_that_worked_are_counted_by_step_and_those_of_something_alike_are_named(shelf: Shelf) -> None:
    story = learned(shelf, "learned")
    last = NOW + timedelta(hours=1)
    worked = FixedBefore(
        *("web-down", INC.title, "web", NASTY, FIXED.step_name, ("/bin/restart", "web"), 2, last),
    )
    other = FixedBefore("disk-full", "", "", "", "free space", ("/bin/rm",), 1, NOW)
    assert [entity(FixedBefore, each) for each in story["fixed_before"]] == [worked, other]
    assert [entity(FixedBefore, each) for each in story["similar"]] == [worked]


@pytest.mark.parametrize(
    ("asked", "says"),
    [(ISSUE.id, "was not learned"), ("0193-merged", "part of another one"), ("nowhere", "no issue nowhere")],
    ids=["of a rule", "merged", "unknown"],
)
def test_what_was_not_learned_is_told(shelf: Shelf, asked: str, says: str) -> None:
    with pytest.raises(NotFound, match=says):
        learned(shelf, asked)
