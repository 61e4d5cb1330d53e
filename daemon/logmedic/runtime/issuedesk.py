"""What people ask about known issues, and what they decide about them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from logmedic.core.causes import precursor_sentence
from logmedic.model.changeset import Input, MergeIssue, MuteIssue, ResolveIssue, UnmuteIssue
from logmedic.model.errors import NotFound, OrderRefused
from logmedic.model.issue import IssueSource, IssueStatus, KnownIssue
from logmedic.model.precursor import Precursor
from logmedic.model.state import EngineState
from logmedic.ports import Store
from logmedic.runtime.engine import Engine

SHOWN = 8
"""Characters of the end of an id, as lists show it."""


class IssueDesk:
    """The part of ports.Control that is about known issues; its contracts are there."""

    def __init__(self, engine: Engine, store: Store) -> None:
        self._engine = engine
        self._store = store

    async def issue(self, issue_id: str) -> dict[str, Any]:
        row = await self._row(issue_id)
        return {**row, "precursors": _rows(self._engine.state, row["id"])}

    async def precursors(self, issue_id: str = "") -> list[dict[str, Any]]:
        return _rows(self._engine.state, (await self._row(issue_id))["id"] if issue_id else "")

    async def mute(
        self, issue_id: str, by: str, *, until: datetime | None = None, count: int = 0, next_version: bool = False
    ) -> dict[str, Any]:
        return await self._decide(issue_id, lambda issue: MuteIssue(issue.id, by, until, count, next_version))

    async def unmute(self, issue_id: str, by: str) -> dict[str, Any]:
        def order(issue: KnownIssue) -> Input:
            if issue.status is not IssueStatus.MUTED:
                raise OrderRefused(f"{_short(issue.id)} is not muted", f"logmedic learned show {_short(issue.id)}")
            return UnmuteIssue(issue.id, by)

        return await self._decide(issue_id, order)

    async def resolve(self, issue_id: str, by: str, *, notes: str = "", version: str = "") -> dict[str, Any]:
        def order(issue: KnownIssue) -> Input:
            under_way = self._incident_of(issue)
            if under_way:
                raise OrderRefused(
                    f"an incident of {_short(issue.id)} is open, and it says when it is over",
                    f"logmedic show {_short(under_way)}",
                )
            return ResolveIssue(issue.id, by, notes, version)

        return await self._decide(issue_id, order)

    async def merge(self, issue_id: str, into: str, by: str) -> dict[str, Any]:
        whole = self._known((await self._row(into))["id"])
        if whole.status is IssueStatus.MERGED:
            raise _is_merged(whole)
        if (await self._row(issue_id))["id"] == whole.id:
            raise OrderRefused("an issue is no part of itself", "name two: logmedic learned list")
        merged = await self._decide(issue_id, lambda part: MergeIssue(part.id, whole.id, by))
        if merged["merged_into"] != whole.id:
            both = f"{_short(merged['id'])} and {_short(whole.id)}"
            why = "both have to be learned from a log, of one component"
            raise OrderRefused(f"{both} cannot be one: {why}", "logmedic learned list")
        return await self._row(whole.id)

    async def _row(self, issue_id: str) -> dict[str, Any]:
        row: dict[str, Any] = await self._store.ask("issue", issue_id=issue_id)
        return row

    def _known(self, issue_id: str) -> KnownIssue:
        state = self._engine.state
        issue = state.issues.get(state.fingerprints.get(issue_id, ""))
        if issue is None:
            raise NotFound(f"issue {_short(issue_id)} is of the past", "logmedic issues lists those of the present")
        return issue

    async def _decide(self, issue_id: str, order: Callable[[KnownIssue], Input]) -> dict[str, Any]:
        """Answers the issue's row once that is committed. Raises NotFound, OrderRefused."""
        issue = self._known((await self._row(issue_id))["id"])
        if issue.status is IssueStatus.MERGED:
            raise _is_merged(issue)
        await self._engine.settled(order(issue))
        return await self._row(issue.id)

    def _incident_of(self, issue: KnownIssue) -> str:
        if issue.source is not IssueSource.RULE:
            return ""
        return next((each.id for each in self._engine.state.incidents.values() if each.issue_id == issue.id), "")


def _is_merged(issue: KnownIssue) -> OrderRefused:
    into = _short(issue.merged_into)
    return OrderRefused(f"{_short(issue.id)} is part of {into} by now", f"name that one: logmedic learned show {into}")


def _short(issue_id: str) -> str:
    return issue_id[-SHOWN:]


def _rows(state: EngineState, issue_id: str) -> list[dict[str, Any]]:
    """Of one issue, or of all when it is empty."""
    chosen = (each for each in state.precursors if issue_id in ("", each.before, each.after))
    return [_precursor_row(each, lambda known: _title(state, known)) for each in chosen]


def _precursor_row(precursor: Precursor, title: Callable[[str], str]) -> dict[str, Any]:
    return {
        **{name: _plain(value) for name, value in asdict(precursor).items()},
        "before_title": title(precursor.before),
        "after_title": title(precursor.after),
        "sentence": precursor_sentence(precursor, title),
    }


def _title(state: EngineState, issue_id: str) -> str:
    issue = state.issues.get(state.fingerprints.get(issue_id, ""))
    return issue.title if issue is not None else issue_id


def _plain(value: Any) -> Any:
    match value:
        case timedelta():
            return value.total_seconds()
        case datetime():
            return value.isoformat().replace("+00:00", "Z")
    return value
