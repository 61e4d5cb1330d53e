"""The real clock, and ids that sort by it."""

from __future__ import annotations

import asyncio
import re
import secrets
import time
import uuid
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

ZONE_FILE = Path("/etc/localtime")


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def steady() -> float:
    """Seconds since the boot, those in which the host was suspended included; nobody sets it."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Uuid7:
    """UUIDv7 (RFC 9562 §5.7): 48 bits of milliseconds, then a counter that keeps the ids of one millisecond in order,
    then chance. Never goes backwards in one process, whatever the clock does; nor behind the id `behind`, of a process
    before: whoever follows events resumes behind it, also when the clock was set back meanwhile."""

    def __init__(self, behind: str = "") -> None:
        self._last_ms = _milliseconds(behind)
        self._sequence = 0xFFF if behind else 0

    def __call__(self) -> str:
        now_ms = time.time_ns() // 1_000_000
        if now_ms > self._last_ms:
            self._last_ms, self._sequence = now_ms, 0
        else:
            self._sequence += 1
            if self._sequence > 0xFFF:
                self._last_ms, self._sequence = self._last_ms + 1, 0
        value = (self._last_ms & (1 << 48) - 1) << 80
        value |= 0x7 << 76 | self._sequence << 64 | 0b10 << 62 | secrets.randbits(62)
        return str(uuid.UUID(int=value))


def _milliseconds(of: str) -> int:
    """0 for what is no UUIDv7."""
    try:
        told = uuid.UUID(of)
    except ValueError:
        return 0
    return told.int >> 80 if told.version == 7 else 0


def local_zone() -> tzinfo:
    """The zone that log times without one are in: this host's, with its summer time; its offset of today where the
    zone's rules are not to be had."""
    try:
        with ZONE_FILE.open("rb") as rules:
            return ZoneInfo.from_file(rules, key=str(ZONE_FILE))
    except (OSError, ValueError):
        return datetime.now().astimezone().tzinfo or UTC


def boot_time() -> datetime | None:
    """When this host was started, or None where the kernel does not tell."""
    try:
        found = re.search(r"^btime (\d+)$", Path("/proc/stat").read_text(), re.MULTILINE)
    except OSError:
        return None
    return datetime.fromtimestamp(int(found[1]), UTC) if found else None
