"""A daemon's control over rows in memory: what is asked is what was put there, what is done is noted."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import Any

from fakes.memory_store import MemoryStore
from logmedic.adapters.store.rows import jsonable
from logmedic.core.attention import shown
from logmedic.core.figures import families
from logmedic.core.figures.snapshot import Snapshot
from logmedic.core.matcher import Matcher
from logmedic.model.alert import AlertPlan
from logmedic.model.changeset import Changeset
from logmedic.model.errors import NotFound, OrderRefused, StoreBusy
from logmedic.model.fix import Arming
from logmedic.model.frame import Frame
from logmedic.model.metric import Family
from logmedic.model.notice import Notice, Silence
from logmedic.model.policy import Policy
from logmedic.model.query import Limits
from logmedic.model.report import ReportCounts
from logmedic.model.rule import Mode, Rule, RuleSet
from logmedic.runtime.alertroute import route_row
from logmedic.runtime.alertrows import silence_row
from logmedic.runtime.clock import SystemClock
from logmedic.runtime.explaining import ANYWHERE, Explaining
from logmedic.runtime.feed import Feed
from logmedic.runtime.live import Generation
from logmedic.runtime.reportrow import report_row
from logmedic.runtime.ruledesk import RuleDesk
from logmedic.runtime.rulerows import rule_rows, rule_said
from logmedic.runtime.standing import standing

_NOT_TOLD = frozenset({"story", "version", "lasting", "groups", "repeat_s", "done"})
"""Of a notice, where only its news are asked for."""


class CannedControl:
    """Implements ports.Control. `did`: the commands, with who gave them. `busy`: every question fails for now.
    `answers`: cleared, a query never ends; `asked` and `given_up` are set as it begins and is cancelled.
    `origins`: how many there are. `pauses`, `checks` and `note` (of `why`), `steps` (of a dry run), `arming`,
    `maintenance`, `known_receivers`, `previews`, `needed`, `stages`: rows as they are answered. `rules`: those in
    force; `quarantined`: why, by id. `feed`: tells of what `happen` commits. `figures`: what metrics are made of.
    `silenced`: what silences were to mean; `notices`: what they cover. `plan`: the routes of messages. `reports`: what
    a status says of them."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self.did: list[tuple[str, ...]] = []
        self.busy = False
        self.answers, self.asked, self.given_up = threading.Event(), threading.Event(), threading.Event()
        self.answers.set()
        self.deliveries: list[dict[str, Any]] = []
        self.origins = 1
        self.rules: list[Rule] = []
        self.quarantined: dict[str, str] = {}
        self.known_precursors: list[dict[str, Any]] = []
        self.pauses: list[dict[str, Any]] = []
        self.checks: list[dict[str, Any]] = []
        self.note = ""
        self.steps: list[dict[str, Any]] = []
        self.arming: dict[str, Any] = {"armed": False, "sandbox": "", "reason": "bubblewrap is not installed"}
        self.maintenance: list[dict[str, Any]] = []
        self.known_receivers: list[dict[str, Any]] = []
        self.silences_in_force = 0
        self.silenced: list[dict[str, Any]] = []
        self.notices: list[Notice] = []
        self.previews: list[dict[str, Any]] = []
        self.figures = Snapshot()
        self.reports: dict[str, Any] | None = report_row("/run/logmedic/report.sock", ReportCounts(), "")
        self.needed: list[dict[str, Any]] = []
        self.stages: list[dict[str, Any]] = []
        self.plan = AlertPlan()
        self.loop: asyncio.AbstractEventLoop | None = None
        self.feed = Feed(self.ask, clock=SystemClock(), titles=lambda _: None)

    async def status(self) -> dict[str, Any]:
        return {
            "version": "0.1.0",
            "pid": 4711,
            "host": "db1",
            "started_at": "2026-11-24T03:00:00Z",
            "mode": "auto",
            "arming": {"units": False, "units_reason": "", "refused": {}, **self.arming},
            "pauses": self.pauses,
            "maintenance": self.maintenance,
            "proposals": [row for row in await self.trust() if row["proposed"]],
            "rules": {
                "loaded": 31,
                "problems": ["web.yaml:3:5: unknown key"],
                "stale_files": ["web.yaml"],
                "quarantined": [{"rule": "web-slow", "reason": "5 records took longer than they may"}],
                "revision": "0123456789ab",
                "loaded_at": "2026-11-24T03:00:00Z",
            },
            "sources": shown(await self.sources()),
            "sources_total": self.origins,
            "parts": [{"name": "source shop", "state": "restarting", "restarts": 2, "last_error": "OSError: EIO"}],
            "store": {"path": "/var/lib/logmedic/logmedic.duckdb", "notices": ["salvaged"], "problem": ""},
            "open_incidents": await self.ask("incidents"),
            "breakers": [],
            "alerts": {
                "pending": 1,
                "deferred": 0,
                "dead": 2,
                "receivers": [row for row in self.known_receivers if row["state"] != "ok"],
                "receivers_total": len(self.known_receivers),
                "silences": self.silences_in_force,
                "acked": 0,
            },
            "reports": self.reports,
            "counts": await self.ask("counts"),
            "stats": await self.ask("stats"),
        }

    async def needs(self) -> list[dict[str, Any]]:
        return self.needed

    async def brief(self) -> dict[str, Any]:
        open_incidents = len(await self.ask("incidents"))
        return {"host": "db1", "needs_you": len(self.needed), "open_incidents": open_incidents, "alerts_waiting": 1}

    async def metrics(self) -> Sequence[Family]:
        return families(self.figures)

    async def sources(self, name: str = "") -> list[dict[str, Any]]:
        row = {
            "source": "shop",
            "origin": "/var/log/shop.log",
            "offset": 2048,
            "size": 4096,
            "lag_bytes": 2048,
            "last_read_at": None,
            "lines": 17,
            "bytes": 2048,
            "gaps": 0,
            "truncations": 0,
            "skipped_bytes": 0,
            "last_line_at": None,
            "lag_s": None,
            "quiet_since": None,
            "problem": "\x1b[31mgone",
        }
        rows = [{**row, "origin": f"/var/log/shop.{n}.log", "problem": ""} for n in range(1, self.origins)]
        return [row, *rows] if name in ("", "shop") else []

    async def rule_costs(self) -> list[dict[str, Any]]:
        row = {"service": "web", "asked": 4000, "matched": 7, "overruns": 0, "quarantined": ""}
        return [
            {**row, "rule": "web-slow", "spent_s": 2.5, "overruns": 5, "quarantined": "5 records took longer"},
            {**row, "rule": "web-down", "spent_s": 0.02},
        ]

    async def rule(self, rule_id: str, asked: Mapping[str, Any] | None = None) -> dict[str, Any]:
        state, policy = await self._store.open(), Policy().with_rules(self.rules, Arming(True, "canned"))
        now = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
        return standing(state, policy, rule_id, self.quarantined, now, asked)

    async def test_rule(self, rule_id: str) -> dict[str, Any]:
        return await RuleDesk(self._store, self._policy).test(rule_id)

    def _generation(self) -> Generation:
        ruleset = RuleSet(tuple(self.rules), ())
        return Generation(ruleset, self._policy(), Matcher(self.rules, zone=UTC, any_source=frozenset({ANYWHERE})))

    async def rules_in_force(self) -> list[dict[str, Any]]:
        return rule_rows(self._generation(), await self._store.open())

    async def rule_said(self, rule_id: str) -> dict[str, Any]:
        return rule_said(self._generation(), await self._store.open(), rule_id)

    async def explain(self, line: str, source: str = "", rule: str = "", report: str = "") -> dict[str, Any]:
        generation, state = self._generation(), await self._store.open()
        asked = Explaining(lambda: generation, lambda: state, clock=SystemClock(), zone=UTC, boot_at=None)
        return await asked.explain(line, source, rule, report)

    async def draft_rule(self, issue_id: str) -> dict[str, Any]:
        return await RuleDesk(self._store, self._policy).draft(issue_id)

    def _policy(self) -> Policy:
        return Policy().with_rules(self.rules, Arming(True, "canned"))

    async def ask(self, question: str, /, **arguments: Any) -> Any:
        if self.busy:
            raise StoreBusy("the store is busy", "try again")
        return await self._store.ask(question, **arguments)

    async def query(self, sql: str, limits: Limits) -> bytes:
        if self.busy:
            raise StoreBusy("the store is busy", "try again")
        if self.answers.is_set():
            return await self._store.query(sql, limits)
        self.asked.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.given_up.set()
        return b""

    def live(self, after: str | None = None) -> AsyncGenerator[Frame, None]:
        return self.feed.listen(after)

    def happen(self, changeset: Changeset) -> None:
        """It is committed, and whoever listens is told. For the test's own thread."""

        async def commit() -> None:
            await self._store.commit(changeset)
            self.feed.publish(changeset)

        assert self.loop is not None
        asyncio.run_coroutine_threadsafe(commit(), self.loop).result(10)

    async def approve(self, incident_id: str, by: str) -> dict[str, Any]:
        return await self._command("approve", incident_id, by)

    async def reject(self, incident_id: str, by: str) -> dict[str, Any]:
        return await self._command("reject", incident_id, by)

    async def why(self, incident_id: str) -> dict[str, Any]:
        row = await self.ask("incident", incident_id=incident_id)
        return {"incident": row, "note": self.note, "checks": self.checks}

    async def rehearse(self, rule_id: str, captures: Mapping[str, str]) -> dict[str, Any]:
        if not self.steps:
            raise NotFound(f"no rule that is in force is called {rule_id}", "logmedic rules list")
        return {"rule": rule_id, "captures": dict(captures), "steps": self.steps}

    async def reset_breaker(self, rule_id: str, by: str, target: str = "") -> list[dict[str, Any]]:
        rows = [row for row in await self.ask("breakers") if row["rule_id"] == rule_id]
        if not rows:
            raise NotFound(f"rule {rule_id} has no breaker: nothing went wrong with its fix", "logmedic breakers")
        self.did.append(("reset", rule_id, target, by))
        return [{**row, "status": "closed", "failures": 0} for row in rows if target in ("", row["target"])]

    async def trust(self) -> list[dict[str, Any]]:
        more = {"mode": "approve", "whose": "the daemon's mode", "graduate_after": 5, "in_force": True}
        return [{**row, **more} for row in await self.ask("trust")]

    async def trust_of(self, rule_id: str) -> dict[str, Any]:
        for row in await self.trust():
            if row["rule_id"] == rule_id:
                return {**row, "steps": [], "changes": await self.ask("trust_changes", rule=rule_id)}
        raise NotFound(f"no rule that is in force is called {rule_id}", "logmedic rules list")

    async def set_trust(self, rule_id: str, level: Mode, by: str, why: str) -> dict[str, Any]:
        row = await self.trust_of(rule_id)
        self.did.append(("trust", rule_id, level.value, by, why))
        return {**row, "level": level.value, "proposed": None, "by": by, "why": why}

    async def pause(
        self, by: str, *, why: str = "", until: datetime | None = None, stop: bool = False
    ) -> dict[str, Any]:
        self.did.append(("pause", by, why, "stop" if stop else "", "until" if until else ""))
        ends = f"{until:%Y-%m-%dT%H:%M:%SZ}" if until else None
        mine = {"origin": "operator", "on": True, "at": "2026-11-24T03:00:00Z", "by": by, "why": why, "until": ends}
        self.pauses.append(mine)
        return {"paused": True, "pauses": self.pauses}

    async def resume(self, by: str) -> dict[str, Any]:
        if not self.pauses:
            raise OrderRefused("fixes are not paused", "logmedic status says whether they are armed")
        self.did.append(("resume", by))
        self.pauses = [each for each in self.pauses if each["origin"] != "operator"]
        return {"paused": bool(self.pauses), "pauses": self.pauses}

    async def _command(self, name: str, incident_id: str, by: str) -> dict[str, Any]:
        row: dict[str, Any] = await self.ask("incident", incident_id=incident_id)
        self.did.append((name, str(row["id"]), by))
        return row

    async def issue(self, issue_id: str) -> dict[str, Any]:
        row: dict[str, Any] = await self.ask("issue", issue_id=issue_id)
        return {**row, "precursors": await self.precursors(issue_id)}

    async def precursors(self, issue_id: str = "") -> list[dict[str, Any]]:
        full = (await self.ask("issue", issue_id=issue_id))["id"] if issue_id else ""
        return [row for row in self.known_precursors if full in ("", row["before"], row["after"])]

    async def mute_issue(
        self, issue_id: str, by: str, *, until: datetime | None = None, count: int = 0, next_version: bool = False
    ) -> dict[str, Any]:
        asked = f"until {until:%Y-%m-%d}" if until else "", f"count {count}", "next version" if next_version else ""
        changes = {"muted_until": f"{until:%Y-%m-%dT%H:%M:%SZ}" if until else None, "muted_count": count}
        return await self._issue_command("mute", issue_id, by, *asked, status="muted", **changes)

    async def unmute_issue(self, issue_id: str, by: str) -> dict[str, Any]:
        return await self._issue_command("unmute", issue_id, by, status="ongoing")

    async def resolve_issue(self, issue_id: str, by: str, *, notes: str = "", version: str = "") -> dict[str, Any]:
        return await self._issue_command(
            "resolve", issue_id, by, notes, version, status="resolved", resolved_at="2026-11-24T03:00:00Z"
        )

    async def merge_issue(self, issue_id: str, into: str, by: str) -> dict[str, Any]:
        await self._issue_command("merge", issue_id, by, into)
        row: dict[str, Any] = await self.ask("issue", issue_id=into)
        return row

    async def _issue_command(self, name: str, issue_id: str, by: str, *more: str, **changes: Any) -> dict[str, Any]:
        row: dict[str, Any] = await self.ask("issue", issue_id=issue_id)
        if row["status"] == "merged":
            raise OrderRefused("it is part of another one by now", "name that one")
        self.did.append((name, str(row["id"]), by, *more))
        return {**row, **changes}

    async def storage(self) -> dict[str, Any]:
        room = {"file": 5 << 20, "unused": 1 << 20, "log": 4096, "archive": 2048, "snapshots": 0, "backups": 0}
        return {
            "path": "/var/lib/logmedic/logmedic.duckdb",
            "room": {**room, "total": (5 << 20) + 6144, "max": 1 << 30},
            "rows": {"incidents": 1200, "breakers": 2},
            "archive": {"on": True, "keep": 34560000.0, "days": 2, "oldest": "2026-08-01", "newest": "2026-08-02"},
            "keep": {"incidents": 7776000.0},
            "next": [{"table": "incidents", "kind": "incidents", "days": 1}],
            "clock": {
                "says": "2027-12-29T03:00:00Z",
                "expected": "2026-11-24T03:00:00Z",
                "believed_in_s": 79200.0,
            },
            "backups": [],
            "last_compaction": None,
            "work": None,
            "notices": [],
        }

    async def backup(self) -> dict[str, Any]:
        self.did.append(("backup",))
        raise StoreBusy("the copy of the store does not have the same rows", "look at the disk, and try again")

    async def reload(self) -> dict[str, Any]:
        self.did.append(("reload",))
        problems, stale = ["web.yaml:3:5: unknown key"], ["web.yaml"]
        return {"loaded": 31, "revision": "0123456789ab", "problems": problems, "stale_files": stale}

    async def receivers(self) -> list[dict[str, Any]]:
        return self.known_receivers

    async def acknowledge(self, subject: str, by: str, until: datetime | None = None) -> dict[str, Any]:
        return await self._acked("ack", subject, by, until)

    async def unacknowledge(self, subject: str, by: str) -> dict[str, Any]:
        return await self._acked("unack", subject, by, datetime.now(UTC))

    async def _acked(self, name: str, subject: str, by: str, until: datetime | None) -> dict[str, Any]:
        row = await self.ask("incident", incident_id=subject)
        if row["status"] == "resolved":
            raise OrderRefused(f"incident {subject} is over, or was no news", f"logmedic show {subject}")
        ends = f"{until:%Y-%m-%dT%H:%M:%SZ}" if until else None
        self.did.append((name, row["id"], by, ends or ""))
        return {"subject": f"incident:{row['id']}", "title": row["title"], "acked_by": by, "acked_until": ends}

    async def silences(self, everything: bool = False) -> list[dict[str, Any]]:
        now = datetime.now(UTC)
        rows = await self.ask("silences", since=None if everything else now)
        return [silence_row(row, self.notices, now) for row in rows]

    async def add_silence(self, by: str, why: str, until: datetime, **meant: Any) -> dict[str, Any]:
        self.did.append(("silence", by, why))
        self.silenced.append(meant)
        now = datetime.now(UTC)
        given = Silence(
            id="" if meant.get("rehearse") else "0193-new1",
            starts_at=meant.get("starts_at") or now,
            until=until,
            by=by,
            why=why,
            created_at=now,
            severities=tuple(each.value for each in meant.get("severities", ())),
            tags=meant.get("tags", ()),
            labels=meant.get("labels", {}),
        )
        row = {each.name: jsonable(getattr(given, each.name)) for each in fields(given)}
        return silence_row(row, self.notices, now)

    async def end_silence(self, silence_id: str, by: str) -> dict[str, Any]:
        row: dict[str, Any] = await self.ask("silence", silence_id=silence_id)
        self.did.append(("end silence", row["id"], by))
        return {**row, "state": "over", "covers": [], "covers_total": 0}

    async def resend(self, ids: Sequence[str] | None, by: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = await self.ask("alerts", status="dead")
        if ids is not None:
            rows = [await self.ask("alert", alert_id=each) for each in ids]
        self.did.append(("resend", *(row["id"] for row in rows), by))
        return rows

    async def preview(self, incident_id: str, event: str = "", receiver: str = "") -> list[dict[str, Any]]:
        row = await self.ask("incident", incident_id=incident_id)
        self.did.append(("preview", row["id"], event, receiver))
        return self.previews

    async def why_alert(self, asked: str) -> dict[str, Any]:
        told = {"note": "", "stages": self.stages}
        try:
            row = await self.ask("alert", alert_id=asked.removeprefix("alert:"))
        except NotFound:
            row = await self.ask("incident", incident_id=asked.removeprefix("incident:"))
            kept = {name: value for name, value in (row["notice"] or {}).items() if name not in _NOT_TOLD}
            return {**told, "subject": f"incident:{row['id']}", "alert": None, "notice": kept or None}
        return {**told, "subject": f"alert:{row['id']}", "alert": row, "notice": None}

    async def route_of(self, *, at: datetime | None = None, incident: str = "", **meant: Any) -> dict[str, Any]:
        of = await self.ask("incident", incident_id=incident) if incident else {}
        policy = replace(self._policy(), alerts=self.plan, hostname="db1")
        silent = list((await self._store.open()).silences.values())
        labels = meant.pop("labels", None) or {}
        return route_row(policy, of, silent, at or datetime.now(UTC), labels=labels, **meant)

    async def test_alert(self, route: str = "", receiver: str = "") -> list[dict[str, Any]]:
        self.did.append(("test", route, receiver))
        return self.deliveries
