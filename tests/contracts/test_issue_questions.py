"""What every store answers about known issues, templates, lessons and onsets: the real one and the fake alike."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from contracts.test_store_contract import EVERYTHING, INCIDENT, ISSUE, NASTY, NOW, Shelf, run, shelf
from logmedic.model.changeset import Changeset
from logmedic.model.errors import NotFound
from logmedic.model.issue import IssueSource, IssueStatus, Learning, PatternType, Template
from logmedic.model.learned import Onset
from logmedic.ports import Store

__all__ = ["shelf"]

LEARNED = replace(
    ISSUE,
    id="0193-aaaa",
    source=IssueSource.LEARNED,
    fingerprint="learned:a",
    tags=("auto_detected", NASTY),
    last_seen=NOW + timedelta(seconds=5),
)
MERGED = replace(
    LEARNED, id="0193-bbbb", fingerprint="learned:b", status=IssueStatus.MERGED, merged_into=LEARNED.id, tags=("shop",)
)
TEMPLATE = Template("t1", NASTY, "shop", NASTY, 3, NOW, NOW, issue_id=LEARNED.id)
LESSON = Learning("l2", PatternType.REGRESSION, NASTY, 0.4, NOW, {"issue": LEARNED.id, "x": NASTY})
ISSUES = Changeset(
    issues=(LEARNED, MERGED),
    templates=(
        TEMPLATE,
        replace(TEMPLATE, fingerprint="t2", occurrences=9),
        replace(TEMPLATE, fingerprint="t3", issue_id="", last_seen=NOW + timedelta(seconds=9)),
        replace(TEMPLATE, fingerprint="t4", issue_id="", component=NASTY),
        replace(TEMPLATE, fingerprint="t5", issue_id="", merged_into="t1"),
    ),
    learnings=(
        LESSON,
        replace(
            LESSON,
            id="l0",
            pattern_type=PatternType.ERROR_PATTERN,
            confidence=0.9,
            updated_at=NOW + timedelta(seconds=1),
        ),
    ),
    onsets=tuple(Onset(LEARNED.id, NOW - timedelta(hours=n)) for n in range(30)),
    incidents=(replace(INCIDENT, id="0193-i9", issue_id=LEARNED.id),),
)
"""Beside EVERYTHING."""


async def filled(store: Store) -> Store:
    await store.commit(EVERYTHING)
    await store.commit(ISSUES)
    return store


def test_issues_are_chosen_by_source_status_and_component(shelf: Shelf) -> None:
    async def scenario(store: Store) -> None:
        await filled(store)

        async def ids(**asked: str) -> list[str]:
            return [row["id"] for row in await store.ask("issues", **asked)]

        assert await ids() == [MERGED.id, LEARNED.id, ISSUE.id]
        assert await ids(source="rule") == [ISSUE.id]
        assert await ids(source="learned", status="merged") == [MERGED.id]
        assert await ids(component="shop") == [MERGED.id]
        assert await ids(component=NASTY) == [LEARNED.id, ISSUE.id]
        assert await ids(component="sho") == []

    run(shelf, scenario)


def test_an_issue_comes_with_what_belongs_to_it(shelf: Shelf) -> None:
    async def scenario(store: Store) -> None:
        await filled(store)
        for wanted in (LEARNED.id, "aaaa"):
            issue = await store.ask("issue", issue_id=wanted)
            assert issue["id"] == LEARNED.id
            assert [each["fingerprint"] for each in issue["templates"]] == ["t2", "t1"]
            assert [each["id"] for each in issue["merged"]] == [MERGED.id]
            assert [each["id"] for each in issue["learnings"]] == ["l0", "l2"]
            assert [each["id"] for each in issue["incidents"]] == ["0193-i9"]
            onsets = [each["at"] for each in issue["onsets"]]
            assert len(onsets) == 20
            assert onsets == sorted(onsets)
            assert onsets[-1] == NOW.isoformat().replace("+00:00", "Z")

    run(shelf, scenario)


@pytest.mark.parametrize("wanted", ["", "aaa", "0193", "%", "' OR 1=1 --"])
def test_what_is_no_issue_is_not_found(shelf: Shelf, wanted: str) -> None:
    async def scenario(store: Store) -> None:
        await filled(store)
        with pytest.raises(NotFound):
            await store.ask("issue", issue_id=wanted)

    run(shelf, scenario)


def test_an_end_that_two_issues_have_names_neither(shelf: Shelf) -> None:
    async def scenario(store: Store) -> None:
        await filled(store)
        await store.commit(Changeset(issues=(replace(LEARNED, id="0194-aaaa", fingerprint="learned:c"),)))
        with pytest.raises(NotFound):
            await store.ask("issue", issue_id="-aaaa")
        assert (await store.ask("issue", issue_id="0194-aaaa"))["id"] == "0194-aaaa"

    run(shelf, scenario)


def test_templates_are_those_that_are_no_issue_yet(shelf: Shelf) -> None:
    async def scenario(store: Store) -> None:
        await filled(store)
        names = [row["fingerprint"] for row in await store.ask("templates")]
        assert names == ["t3", "t4", "f" * 16]
        assert [row["fingerprint"] for row in await store.ask("templates", component=NASTY)] == ["t4"]
        assert len(await store.ask("templates", limit=1)) == 1

    run(shelf, scenario)


def test_lessons_are_newest_first_and_chosen_by_kind_and_confidence(shelf: Shelf) -> None:
    async def scenario(store: Store) -> None:
        await filled(store)

        async def ids(**asked: object) -> list[str]:
            return [row["id"] for row in await store.ask("learnings", **asked)]

        assert await ids() == ["l0", "l2", "l1"]
        assert await ids(kind="error_pattern") == ["l0", "l1"]
        assert await ids(min_confidence=0.5) == ["l0", "l1"]
        assert await ids(min_confidence=0.8, kind="error_pattern", limit=5) == ["l0"]

    run(shelf, scenario)


def test_onsets_are_told_a_line_each_oldest_first(shelf: Shelf) -> None:
    async def scenario(store: Store) -> None:
        assert await store.ask("onsets", since=NOW) == ""
        await filled(store)
        micros = round(NOW.timestamp() * 1_000_000)
        assert await store.ask("onsets", since=NOW) == f"{LEARNED.id} {micros}\n"
        lines = (await store.ask("onsets", since=NOW - timedelta(hours=3), limit=2)).splitlines()
        assert lines == [f"{LEARNED.id} {micros - 3_600_000_000}", f"{LEARNED.id} {micros}"]

    run(shelf, scenario)
