"""Keeps the store small and copied: retention, snapshots, compaction, its limit. One of them at a time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import structlog

from logmedic.adapters.store import backups, copies
from logmedic.adapters.store.aging import Aging, newest, row
from logmedic.adapters.store.archive import Archive
from logmedic.adapters.store.compaction import Compacted, compact
from logmedic.adapters.store.connection import archive_of, compacted_of
from logmedic.adapters.store.contents import Contents
from logmedic.adapters.store.duck import DuckStore
from logmedic.adapters.store.retention import LEAVING, Retirement, days_of, last_day
from logmedic.adapters.store.room import Room, free_on_disk, measured, row_counts, unused_bytes
from logmedic.adapters.store.rows import utc
from logmedic.adapters.store.writer import Writer
from logmedic.model.errors import StoreBusy, StoreFull
from logmedic.model.retention import Calendar, Retention

log = structlog.get_logger("logmedic.store")

SNAPSHOT_EVERY = timedelta(hours=23)
"""Looked at every hour, it comes to one a day."""
WORTH_SHARE = 0.25
WORTH_BYTES = 32 * 1024 * 1024
"""A compaction reads and writes all of the file: it is worth that for so much of it, and so many bytes, at least."""
SPARE = 0.9
"""What has to go goes down to this share of the limit: else it would be again at the next look."""
FRESH = timedelta(hours=1)
"""What is younger was stored under the clock that is looked at."""
ROUNDS = 6
"""How often rows leave and a compaction follows, until the store is below its limit."""


@dataclass(slots=True)
class Work:
    """What is under way. `file`: what is being written; `of_bytes`: how large it may get."""

    what: str
    file: Path
    of_bytes: int

    def row(self) -> dict[str, Any]:
        done = self.file.stat().st_size if self.file.exists() else 0
        return {"what": self.what, "done_bytes": min(done, self.of_bytes), "of_bytes": self.of_bytes}


class DuckKeeper:
    """Implements ports.Keeper. `store` is open, and closed by its owner, after the last call here has ended. `aging` is
    that store's."""

    def __init__(self, store: DuckStore, retention: Retention, aging: Aging) -> None:
        self._store = store
        self._retention = retention
        self._aging = aging
        self._archive = Archive(archive_of(store.path))
        self._one_at_a_time = asyncio.Lock()
        self._work: Work | None = None
        self._compacted: dict[str, Any] | None = None
        self._notice = ""

    @property
    def notices(self) -> tuple[str, ...]:
        return (self._notice,) if self._notice else ()

    async def tidy(self, now: datetime) -> None:
        async with self._one_at_a_time:
            calendar = await self._looked_at(now)
            await self._retire(calendar.old_by)
            await self._snapshot(now)
            room = await self._room()
            if room.unused >= max(WORTH_BYTES, int(WORTH_SHARE * room.file)):
                await self._compact(now)
            await self._limit(now, calendar)

    async def looked(self, now: datetime) -> None:
        if not self._aging.is_unknown:  # what nothing was compared with is no measure
            await asyncio.to_thread(self._aging.look, now)

    def old_by(self, now: datetime) -> datetime:
        return self._aging.as_of(now).old_by

    async def _looked_at(self, now: datetime) -> Calendar:
        if self._aging.is_unknown:  # this life's own last hour says nothing of its clock
            before = await self._store.between_commits(lambda writer: newest(writer.live(), now - FRESH))
            self._aging.assume(before or now)
        return await asyncio.to_thread(self._aging.look, now)

    async def _retire(self, now: datetime) -> None:
        archive = self._archive if self._retention.archive else None
        gone = await Retirement(self._store, archive).retire(self._retention.keep, now)
        if gone:
            log.info("store_retired", rows=gone)
        forgotten = await asyncio.to_thread(self._archive.forget, (now - self._retention.archive_keep).date())
        if forgotten:
            log.info("archive_forgotten", days=len({each.day for each in forgotten}))

    async def backup(self, now: datetime) -> dict[str, Any]:
        async with self._one_at_a_time:
            return await self._copy(backups.BACKUP, now)

    async def storage(self, now: datetime) -> dict[str, Any]:
        room, calendar = await self._room(), self._aging.as_of(now)
        rows = await self._store.between_commits(lambda writer: row_counts(writer.live()))
        return {
            "path": str(self._store.path),
            "room": {**asdict(room), "total": room.total, "max": self._retention.max_bytes},
            "rows": rows,
            "archive": self._archive_row(),
            "keep": {kind.value: keep.total_seconds() for kind, keep in self._retention.keep.items()},
            "next": await self._next(calendar.old_by),
            "clock": row(calendar),
            "backups": [
                {"path": str(each.path), "kind": each.kind, "made_at": _iso(each.made_at), "bytes": each.bytes}
                for each in backups.listed(self._store.path)
            ],
            "last_compaction": self._compacted,
            "work": self._work.row() if self._work is not None else None,
            "notices": list(self.notices),
        }

    def _archive_row(self) -> dict[str, Any]:
        days = sorted({each.day for each in self._archive.days()})
        return {
            "on": self._retention.archive,
            "keep": self._retention.archive_keep.total_seconds(),
            "days": len(days),
            "oldest": days[0].isoformat() if days else None,
            "newest": days[-1].isoformat() if days else None,
        }

    async def _next(self, now: datetime) -> list[dict[str, Any]]:
        """What leaves at the next midnight or before, by table."""

        def leaving(writer: Writer) -> list[dict[str, Any]]:
            found = []
            for each in LEAVING:
                before = last_day(now, self._retention.keep[each.kind]) + timedelta(days=1)
                days = days_of(writer.live(), each, before)
                found.append({"table": each.table, "kind": each.kind.value, "days": len(days)})
            return found

        return await self._store.between_commits(leaving)

    async def _room(self) -> Room:
        unused = await self._store.between_commits(lambda writer: unused_bytes(writer.live()))
        return await asyncio.to_thread(measured, self._store.path, self._archive, unused)

    async def _snapshot(self, now: datetime) -> None:
        """When one is due, and there is room for it: it is for bad days, and must not make one. Those of a clock that
        was ahead are none of today's, and leave first."""
        snapshots = self._snapshots(now)
        past = [each for each in snapshots if each.made_at <= now + SNAPSHOT_EVERY]
        if self._retention.snapshots and (not past or now - past[0].made_at >= SNAPSHOT_EVERY):
            room = await self._room()
            size = room.file - room.unused
            if room.total + size <= self._retention.max_bytes and free_on_disk(self._store.path) > 2 * size:
                await self._copy(backups.SNAPSHOT, now)
                snapshots = self._snapshots(now)
        for each in snapshots[self._retention.snapshots :]:
            each.path.unlink(missing_ok=True)

    def _snapshots(self, now: datetime) -> list[backups.Copy]:
        """Newest first; behind them those that are of a time to come."""
        found = [each for each in backups.listed(self._store.path) if each.kind == backups.SNAPSHOT]
        return sorted(found, key=lambda each: each.made_at > now + SNAPSHOT_EVERY)

    async def _copy(self, kind: str, now: datetime) -> dict[str, Any]:
        path = backups.new_copy(self._store.path, kind, now)
        new, begun = backups.half_made(path), time.monotonic()
        cursor, _ = await self._store.between_commits(Writer.pinned)
        held_s = time.monotonic() - begun
        try:
            async with self._working(kind, new):
                contents = await copies.beside(cursor.interrupt, lambda: copies.copy_into(cursor, new))
                await copies.verify_beside(new, contents)
                backups.put(new, path)
        finally:
            cursor.close()
            copies.remove(new)
        return _made(path, contents, time.monotonic() - begun, held_s)

    async def _compact(self, now: datetime) -> Compacted | None:
        """None when it did not come to it; it is tried again at the next look."""
        try:
            async with self._working("compaction", compacted_of(self._store.path)):
                done = await compact(self._store)
        except (StoreBusy, StoreFull) as error:
            log.warning("store_not_compacted", error=error.text)
            return None
        self._compacted = {"at": _iso(now), **asdict(done)}
        return done

    @asynccontextmanager
    async def _working(self, what: str, file: Path) -> AsyncIterator[None]:
        room = await self._room()
        self._work = Work(what, file, room.file - room.unused)
        try:
            yield
        finally:
            self._work = None

    async def _limit(self, now: datetime, calendar: Calendar) -> None:
        """Keep the store below its limit (F51): first holes, then copies, then the archive's oldest days, then the
        oldest days of what is over, but for today's. What is open stays, whatever it takes."""
        room = await self._room()
        if room.total <= self._retention.max_bytes:
            return
        if room.unused >= room.file // 20:
            await self._compact(now)
        given_up = self._without_snapshots(await self._over()) + await self._without_archive()
        # a clock that is doubted saves its own today, and the one that it should say, as long as anything else is left
        for today in sorted({calendar.at, calendar.says}):
            given_up += await self._without_days(now, last_day(today, timedelta()))
        self._tell(await self._room(), given_up)

    async def _without_days(self, now: datetime, before: datetime) -> list[str]:
        given_up: list[str] = []
        for _ in range(ROUNDS):
            if await self._over() <= 0 or not (days := await self._without_rows(before)):
                break
            given_up += days
            await self._compact(now)
        return given_up

    async def _over(self) -> int:
        """Bytes over what is aimed at."""
        return (await self._room()).total - int(SPARE * self._retention.max_bytes)

    def _without_snapshots(self, over: int) -> list[str]:
        gone = []
        for each in reversed(backups.listed(self._store.path)):
            if over > 0 and each.kind == backups.SNAPSHOT:
                each.path.unlink(missing_ok=True)
                over -= each.bytes
                gone.append(each.path.name)
        return gone

    async def _without_archive(self) -> list[str]:
        over, gone = await self._over(), set[date]()
        for each in sorted(self._archive.days(), key=lambda found: found.day):
            if over > 0 or each.day in gone:
                each.path.unlink(missing_ok=True)
                over -= each.bytes
                gone.add(each.day)
        return [f"the archive's days before {max(gone) + timedelta(days=1)}"] if gone else []

    async def _without_rows(self, before: datetime) -> list[str]:
        """Days of what is over, oldest first, as many as their share of the rows makes up for."""
        room, over = await self._room(), await self._over()
        rows = sum((await self._store.between_commits(lambda writer: row_counts(writer.live()))).values())
        each_takes = (room.file - room.unused) / max(rows, 1)
        found = await self._store.between_commits(
            lambda writer: sorted(
                ((day, number) for number, each in enumerate(LEAVING) for day in days_of(writer.live(), each, before))
            )
        )
        gone: list[date] = []
        for day, number in found:
            if over <= 0 and day not in gone:
                break
            over -= int(each_takes * await Retirement(self._store, None).retire_day(LEAVING[number], day))
            gone.append(day)
        return [f"what was over before {max(gone) + timedelta(days=1)}"] if gone else []

    def _tell(self, room: Room, given_up: list[str]) -> None:
        limit = self._retention.max_bytes
        before, what = self._notice, ", ".join(given_up[-4:]) or "nothing"
        self._notice = f"the store reached storage.max_size ({limit:,} bytes); deleted: {what}"
        if room.total > limit:
            self._notice += f"; it still takes {room.total:,} bytes: what is open stays"
        if not before or room.total > limit:
            log.warning("store_over_limit", limit=limit, total=room.total, deleted=what)


def _made(path: Path, contents: Contents, took_s: float, held_s: float) -> dict[str, Any]:
    return {
        "path": str(path),
        "bytes": path.stat().st_size,
        "rows": {name: rows for name, (rows, _) in contents.items()},
        "contents": {name: list(both) for name, both in contents.items()},
        "took_s": round(took_s, 3),
        "held_s": round(held_s, 4),
    }


def _iso(at: datetime) -> str:
    return utc(at).isoformat() + "Z"
