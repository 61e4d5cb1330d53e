"""A daemon's control over rows in memory: what is asked is what was put there, what is done is noted."""

from __future__ import annotations

from typing import Any

from fakes.memory_store import MemoryStore
from logmedic.core.attention import shown
from logmedic.model.errors import StoreBusy


class CannedControl:
    """Implements ports.Control. `did`: the commands, with who gave them. `busy`: every question fails for now.
    `origins`: how many there are."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self.did: list[tuple[str, ...]] = []
        self.busy = False
        self.deliveries: list[dict[str, Any]] = []
        self.origins = 1

    async def status(self) -> dict[str, Any]:
        return {
            "version": "0.1.0",
            "pid": 4711,
            "host": "db1",
            "started_at": "2026-11-24T03:00:00Z",
            "mode": "auto",
            "arming": {"armed": False, "sandbox": "", "reason": "bubblewrap is not installed"},
            "rules": {"loaded": 31, "problems": ["web.yaml:3:5: unknown key"], "stale_files": ["web.yaml"]},
            "sources": shown(await self.sources()),
            "sources_total": self.origins,
            "parts": [{"name": "source shop", "state": "restarting", "restarts": 2, "last_error": "OSError: EIO"}],
            "store": {"path": "/var/lib/logmedic/logmedic.duckdb", "notices": ["salvaged"], "problem": ""},
            "open_incidents": await self.ask("incidents"),
            "breakers": [],
            "alerts": {"pending": 1, "dead": 2},
            "counts": await self.ask("counts"),
            "stats": await self.ask("stats"),
        }

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

    async def ask(self, question: str, /, **arguments: Any) -> Any:
        if self.busy:
            raise StoreBusy("the store is busy", "try again")
        return await self._store.ask(question, **arguments)

    async def approve(self, incident_id: str, by: str) -> dict[str, Any]:
        return await self._command("approve", incident_id, by)

    async def reject(self, incident_id: str, by: str) -> dict[str, Any]:
        return await self._command("reject", incident_id, by)

    async def _command(self, name: str, incident_id: str, by: str) -> dict[str, Any]:
        row: dict[str, Any] = await self.ask("incident", incident_id=incident_id)
        self.did.append((name, str(row["id"]), by))
        return row

    async def reload(self) -> dict[str, Any]:
        self.did.append(("reload",))
        return {"loaded": 31, "problems": ["web.yaml:3:5: unknown key"], "stale_files": ["web.yaml"]}

    async def test_alert(self, route: str = "") -> list[dict[str, Any]]:
        self.did.append(("test", route))
        return self.deliveries
