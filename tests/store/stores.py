"""Stores on disk, for the tests beside: opened, filled, killed."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

import builders as make
from logmedic.adapters.store.duck import DuckStore
from logmedic.model.alert import Alert, AlertStatus
from logmedic.model.alertevent import AlertEvent
from logmedic.model.changeset import Changeset
from logmedic.model.fix import AttemptStatus, FixAttempt
from logmedic.model.issue import (
    Incident,
    IncidentEvent,
    IncidentStatus,
    Learning,
    PatternType,
    Resolution,
    Tally,
)
from logmedic.model.severity import Severity
from logmedic.model.state import EngineState

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
MINUTE = NOW.replace(second=0, microsecond=0)
TESTS = Path(__file__).parents[1]


def counted(n: int, room: int = 200) -> Changeset:
    """Everything in it says `n`: a half of it would show."""
    incident = Incident(f"i{n:06d}", "s1", "web", str(n), "t", Severity.LOW, NOW, NOW)
    event = IncidentEvent(f"e{n:06d}", incident.id, NOW, "opened", f"{n:06d}" * (room // 6))
    return Changeset(
        incidents=(incident,),
        events=(event,),
        tallies=(Tally(MINUTE, "lines", 1),),
        checkpoints=(replace(make.checkpoint(n), at=NOW),),
    )


def over(n: int, at: datetime, room: int = 200) -> Changeset:
    """An incident that was fixed at `at`, ten seconds after it was opened, and all that comes with one."""
    name, begun = f"{n:06d}", at - timedelta(seconds=10)
    incident = Incident(
        f"o{name}", "s1", "web", name, "t", Severity.LOW, begun, begun, status=IncidentStatus.RESOLVED,
        resolution=Resolution.FIXED, resolved_at=at,
    )  # fmt: skip
    attempt = FixAttempt(
        id=f"a{name}", incident_id=incident.id, rule_id="web", group_key=name, target="", step=0, step_name="again",
        try_no=1, argv=("true",), sandbox="bubblewrap", status=AttemptStatus.FINISHED, started_at=begun,
        finished_at=at,
    )  # fmt: skip
    alert = Alert(
        id=f"m{name}", incident_id=incident.id, event=AlertEvent.RECOVERED, severity=Severity.LOW, route="oncall",
        receiver="mail", title="t", body="x" * room, created_at=at, next_at=at,
        status=AlertStatus.SENT,
    )  # fmt: skip
    return Changeset(
        incidents=(incident,),
        events=(IncidentEvent(f"x{name}", incident.id, at, "resolved", name * (room // 6)),),
        attempts=(attempt,),
        alerts=(alert,),
        learnings=(Learning(f"l{name}", PatternType.AUTO_FIX_SUCCESS, "it worked", 0.9, at),),
        tallies=(Tally(at.replace(second=0, microsecond=0), "matched", 3),),
    )


def use(path: Path, scenario: Callable[[DuckStore, EngineState], Awaitable[Any]]) -> Any:
    async def whole() -> Any:
        store = DuckStore(path)
        state = await store.open()
        try:
            return await scenario(store, state)
        finally:
            await store.close()

    return asyncio.run(whole())


async def fill(store: DuckStore, n: int, room: int = 200) -> None:
    for each in range(1, n + 1):
        await store.commit(counted(each, room))


async def numbers(store: DuckStore, _: EngineState) -> list[int]:
    """Of the changesets that are there; each is whole."""
    rows = await store.ask("incidents", everything=True, limit=10_000)
    found = sorted(int(each["id"][1:]) for each in rows if each["id"].startswith("i"))
    assert (await store.ask("counts")).get("lines", 0) == len(found)
    for n in found[:3]:
        assert len((await store.ask("incident", incident_id=f"i{n:06d}"))["events"]) == 1
    return found


def child(program: str, *given: object) -> subprocess.CompletedProcess[str]:
    """Run `program` in a process of its own; `stores` can be imported there, `given` is in `sys.argv`."""
    head = f"import sys\nsys.path[:0] = {[str(Path(__file__).parent), str(TESTS)]!r}\n"
    command = [sys.executable, "-c", head + program, *map(str, given)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def was_killed(ran: subprocess.CompletedProcess[str]) -> bool:
    assert ran.returncode in (0, -signal.SIGKILL), ran.stderr
    return ran.returncode == -signal.SIGKILL


def sql(path: Path, question: str) -> list[tuple[Any, ...]]:
    """Asked of any DuckDB file."""
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.execute(question).fetchall()


def archived(path: Path, table: str, what: str = "*") -> list[tuple[Any, ...]]:
    """Of the archive of the store at `path`, read by a DuckDB that knows nothing of ours."""
    files = path.with_name("archive") / table / "*.parquet"
    with contextlib.closing(duckdb.connect()) as connection:
        return connection.execute(f"SELECT {what} FROM read_parquet('{files}', union_by_name := true)").fetchall()
