"""What people decide about known issues: it is done, or they hear why not."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

import builders as make
from fakes.memory_store import MemoryStore
from logmedic.model.changeset import Changeset, PrecursorsFound
from logmedic.model.errors import NotFound, OrderRefused
from logmedic.model.issue import IssueSource, IssueStatus, KnownIssue, Template
from logmedic.model.severity import Severity
from logmedic.runtime.issuedesk import IssueDesk
from runtime.test_engine import running
from runtime.test_foresight import PRECURSOR


def issue(name: str, **changes: Any) -> KnownIssue:
    made = KnownIssue(
        f"0193-{name}", IssueSource.LEARNED, f"learned:{name}", "recurring_error", name, Severity.HIGH, make.START,
        make.START, occurrences=5, tags=("auto_detected", "shop"), version="1.2",
    )  # fmt: skip
    return replace(made, **changes)


def template(name: str, component: str = "shop") -> Template:
    return Template(name, f"{name} <n>", component, f"{name} 1", 5, make.START, make.START, issue_id=f"0193-{name}")


DISK, OTHER, APART = issue("disk"), issue("other"), issue("apart")
GONE = issue("gone", status=IssueStatus.MERGED, merged_into=DISK.id)
KNOWN = Changeset(
    issues=(DISK, OTHER, APART, GONE), templates=(template("disk"), template("other"), template("apart", "web"))
)


def asked(scene: Callable[[IssueDesk, Any], Awaitable[Any]]) -> Any:
    async def run() -> Any:
        async with running(store=MemoryStore([KNOWN])) as bench:
            return await scene(IssueDesk(bench.engine, bench.store), bench.engine)

    return asyncio.run(run())


def test_a_mute_says_who_and_until_when() -> None:
    until = make.START + timedelta(days=7)
    row = asked(lambda desk, _: desk.mute("disk", "ann", until=until, count=3))
    assert (row["status"], row["decided_by"], row["muted_count"]) == ("muted", "ann", 8)
    assert row["muted_until"] == "2026-12-01T03:00:00Z"


def test_a_mute_until_the_next_version_remembers_this_one() -> None:
    assert asked(lambda desk, _: desk.mute("disk", "ann", next_version=True))["muted_version"] == "1.2"


def test_a_mute_ends_by_hand() -> None:
    async def scene(desk: IssueDesk, _: Any) -> dict[str, Any]:
        await desk.mute("disk", "ann")
        return await desk.unmute("disk", "bob")

    row = asked(scene)
    assert (row["status"], row["decided_by"]) == ("new", "bob")


def test_what_is_not_muted_is_not_unmuted() -> None:
    with pytest.raises(OrderRefused, match="193-disk is not muted"):
        asked(lambda desk, _: desk.unmute("disk", "ann"))


def test_an_issue_is_resolved_by_hand_in_a_version() -> None:
    row = asked(lambda desk, _: desk.resolve("disk", "ann", notes="a new disk", version="1.3"))
    assert (row["status"], row["resolution_notes"], row["resolved_version"]) == ("resolved", "a new disk", "1.3")


def test_an_issue_with_an_open_incident_is_not_resolved_by_hand() -> None:
    async def scene(desk: IssueDesk, engine: Any) -> None:
        await engine.settled(make.observed(make.match()))
        (known,) = (each for each in engine.state.issues.values() if each.source is IssueSource.RULE)
        await desk.resolve(known.id, "ann")

    with pytest.raises(OrderRefused, match=r"an incident of .* is open") as refused:
        asked(scene)
    assert refused.value.hint.startswith("logmedic show ")


def test_two_learned_issues_of_one_component_become_one() -> None:
    async def scene(desk: IssueDesk, _: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        return await desk.merge("other", "disk", "ann"), await desk.issue("other")

    whole, part = asked(scene)
    assert (whole["id"], whole["occurrences"]) == (DISK.id, 10)
    assert (part["status"], part["merged_into"], part["decided_by"]) == ("merged", DISK.id, "ann")


@pytest.mark.parametrize("into", ["apart", "other"])
def test_what_cannot_be_one_stays_two(into: str) -> None:
    with pytest.raises(OrderRefused, match=r"cannot be one|no part of itself"):
        asked(lambda desk, _: desk.merge("other", into, "ann"))


def test_who_decides_about_a_part_is_told_the_whole() -> None:
    for act in ("mute", "unmute", "resolve"):
        with pytest.raises(OrderRefused, match="193-gone is part of 193-disk by now"):
            asked(lambda desk, _, act=act: getattr(desk, act)("gone", "ann"))  # type: ignore[misc]
    with pytest.raises(OrderRefused, match="193-gone is part of"):
        asked(lambda desk, _: desk.merge("disk", "gone", "ann"))


def test_nothing_is_decided_about_what_is_not_there() -> None:
    with pytest.raises(NotFound):
        asked(lambda desk, _: desk.mute("nowhere", "ann"))


def test_precursors_are_told_with_titles_and_a_sentence() -> None:
    found = replace(PRECURSOR, before=DISK.id, after=OTHER.id)

    async def scene(desk: IssueDesk, engine: Any) -> list[list[dict[str, Any]]]:
        await engine.settled(PrecursorsFound((found,)))
        whole = await desk.issue("disk")
        return [
            await desk.precursors(),
            await desk.precursors("other"),
            await desk.precursors("apart"),
            whole["precursors"],
        ]

    everything, of_other, of_apart, of_disk = asked(scene)
    assert everything == of_other == of_disk
    assert of_apart == []
    (row,) = everything
    assert (row["before_title"], row["after_title"], row["lag_p90"]) == ("disk", "other", 720.0)
    assert row["sentence"].startswith("disk usually comes before other: 9 of 11 times within 20 min")
    assert row["last_at"] == "2026-11-24T03:00:00Z"
