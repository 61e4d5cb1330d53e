"""A daemon's control over a day of varied incidents: for pages, for pictures of them, and for browsers."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from fakes.canned_control import CannedControl
from fakes.furnished_day import RULES, Furnished
from fakes.memory_store import MemoryStore
from logmedic.core.needs import Facts, count_of, needs_of
from logmedic.model.changeset import Changeset
from logmedic.model.errors import NotFound
from logmedic.model.state import EngineState
from logmedic.runtime.fixrows import row_of


class FurnishedControl(CannedControl):
    """With the engine's own view of what needs people. `facts`: of the daemon itself; empty: it is well."""

    def __init__(self, made: Furnished, facts: Facts | None = None) -> None:
        super().__init__(MemoryStore((made.changeset,)))
        self.made = made
        self.facts = facts or TROUBLES
        self.state = EngineState()
        self.state.apply(made.changeset)
        self.state.quiet_sources["billing"] = made.ago(minutes=70)
        self.rules = list(RULES)
        self.notices = list(made.notices)
        self.origins = 12
        self.arming = {"armed": True, "sandbox": "bubblewrap", "reason": ""}
        self.checks = [
            {"name": "mode", "ok": True, "reason": None, "detail": "approve, by the rule's file", "until": None},
            {
                "name": "breaker",
                "ok": True,
                "reason": None,
                "detail": "closed, no failure on app.service",
                "until": None,
            },
            {"name": "budget", "ok": True, "reason": None, "detail": "3 of 30 fixes in the last hour", "until": None},
            {"name": "cooldown", "ok": True, "reason": None, "detail": "over since 3 h", "until": None},
        ]
        self.known_receivers = [self._receiver("oncall-chat", "slack"), self._receiver("oncall-mail", "mailtos", FACT)]
        self.known_precursors = [
            {
                "before": "issue-disk-nearly-full",
                "after": "issue-nginx-upstream-down",
                "before_title": "a filesystem is nearly full",
                "after_title": "nginx cannot reach its upstream",
                "sentence": "'a filesystem is nearly full' came first in 4 of 5 times, 6 min before it.",
                "support": 4,
                "before_count": 6,
                "after_count": 5,
                "preceded": 4,
                "confidence": 0.67,
                "recall": 0.8,
                "lift": 9.1,
                "p_value": 0.0001,
                "within": 900.0,
                "lag_median": 360.0,
                "lag_p90": 700.0,
                "last_at": made.ago(hours=9).isoformat().replace("+00:00", "Z"),
                "confirmed": True,
            }
        ]

    def _receiver(self, name: str, scheme: str, error: str = "") -> dict[str, Any]:
        at = self.made.ago(minutes=4).isoformat().replace("+00:00", "Z")
        failing = {"state": "disabled", "failures": 9, "last_error": error, "last_error_at": at}
        well = {"state": "ok", "failures": 0, "last_error": "", "last_error_at": None, "sent_at": at}
        usual = {
            "sent_at": None,
            "open_until": None,
            "trial": False,
            "pending": 1,
            "deferred": 0,
            "dead": int(bool(error)),
        }
        return {"name": name, "scheme": scheme, "routes": ["oncall"], **usual, **(failing if error else well)}

    async def commit(self, changeset: Changeset) -> None:
        """More of what happens, without telling those who listen."""
        self.state.apply(changeset)
        await self._store.commit(changeset)

    async def why(self, incident_id: str) -> dict[str, Any]:
        """What holds it, as it was told, among questions that pass."""
        told = await super().why(incident_id)
        row = told["incident"]
        name = str(row["hold"]).replace("_", " ")
        held = {"name": name, "ok": False, "reason": row["hold"], "detail": row["hold_detail"], "until": row["due_at"]}
        return {**told, "checks": [held, *told["checks"]] if row["hold"] else told["checks"]}

    async def add_silence(self, by: str, why: str, until: datetime, **meant: Any) -> dict[str, Any]:
        usual = {"starts_at": None, "severities": (), "tags": (), "labels": {}, "incident": "", "everything": False}
        return await super().add_silence(by, why, until, **{**usual, "rehearse": False, **meant})

    async def _acked(self, name: str, subject: str, by: str, until: datetime | None) -> dict[str, Any]:
        """Of an issue as well."""
        try:
            return await super()._acked(name, subject, by, until)
        except NotFound:
            row = await self.ask("issue", issue_id=subject)
        self.did.append((name, row["id"], by, ""))
        return {"subject": f"issue:{row['id']}", "title": row["title"], "acked_by": by, "acked_until": None}

    async def needs(self) -> list[dict[str, Any]]:
        return [row_of(each) for each in needs_of(self.state, self.made.policy, self.facts, self.made.now)[0]]

    async def brief(self) -> dict[str, Any]:
        total = count_of(self.state, self.made.policy, self.facts, self.made.now)
        return {"host": "db1", "needs_you": total, "open_incidents": len(self.made.open), "alerts_waiting": 1}


FACT = "550 5.1.1 no such user"
TROUBLES = Facts(
    problems=("/etc/logmedic/rules/web.yaml:3:5: unknown key `patern`, did you mean `pattern`?",),
    stale=("/etc/logmedic/rules/web.yaml",),
    quarantined={"web-slow": "5 records took longer than they may"},
    receivers={"oncall-mail": FACT},
    receivers_total=2,
    waiting=1,
)


def furnished(now: datetime | None = None, facts: Facts | None = None) -> FurnishedControl:
    return FurnishedControl(Furnished(now or datetime.now(UTC)), facts)


def calm(now: datetime | None = None) -> CannedControl:
    """A host that nothing is wrong with, and nothing ever was."""
    control = CannedControl(MemoryStore())
    control.arming = {"armed": True, "sandbox": "bubblewrap", "reason": ""}
    control.origins = 12
    return control
