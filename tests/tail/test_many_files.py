"""F25: more files than descriptors."""

from __future__ import annotations

import asyncio
import os
import random
import resource
from pathlib import Path

import pytest

from tail.apart import apart
from tail.collector import append, following

FILES = 10_000
DESCRIPTORS = 256
MEMORY_KB = 160 * 1024
"""A Python with the reader's libraries takes about 50 MB of it."""


def open_logs(room: Path) -> int:
    """How many of the logs in `room` are open in this process."""
    found = 0
    for name in os.listdir("/proc/self/fd"):
        try:
            found += os.readlink(f"/proc/self/fd/{name}").startswith(str(room))
        except FileNotFoundError:  # the one that lists
            continue
    return found


def largest_rss_kb() -> int:
    """Of this program alone: what getrusage tells counts the process too that it was started from."""
    return int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0])


def ten_thousand(room: Path | str) -> None:
    room = Path(room)
    resource.setrlimit(resource.RLIMIT_NOFILE, (DESCRIPTORS, DESCRIPTORS))
    chance = random.Random(25)
    logs = [room / f"{number}.log" for number in range(FILES)]
    for log in logs:
        log.write_bytes(b"from before\n")

    async def scenario() -> None:
        async with following(room / "*.log", reconcile_s=3600.0) as seen:
            await seen.until(lambda: len(seen.checkpoints) > FILES, within=60)
            assert open_logs(room) <= DESCRIPTORS // 2
            written = []
            for round_number in range(3):
                for log in chance.sample(logs, 400):
                    written.append(f"{log.name} {round_number}")
                    append(log, written[-1])
                await seen.until(lambda: len(seen.lines) == len(written), within=30)
                assert open_logs(room) <= DESCRIPTORS // 2
            assert sorted(seen.lines) == sorted(written)
            assert {row["problem"] for row in seen.source.health()} == {""}
        assert open_logs(room) == 0
        for log in chance.sample(logs, 200):
            append(log, f"{log.name} while nobody read")
        async with following(room / "*.log", checkpoints=seen.checkpoints, reconcile_s=3600.0) as after:
            await after.until(lambda: len(after.lines) == 200, within=60)

    asyncio.run(scenario())
    assert largest_rss_kb() < MEMORY_KB


@pytest.mark.slow
def test_f25_ten_thousand_files_are_followed_with_few_descriptors(tmp_path: Path) -> None:
    apart(ten_thousand, tmp_path)
