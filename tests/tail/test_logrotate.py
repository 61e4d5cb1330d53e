"""F01, F03, F06, F07: the real logrotate, in its modes, while the log is followed and while nobody follows it."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from logmedic.model.record import Checkpoint
from tail.collector import Collector, append, following

LOGROTATE = shutil.which("logrotate", path="/usr/sbin:/usr/bin:/sbin")
MODES = [
    "create",
    "nocreate",
    "copytruncate",
    "create compress",
    "nocreate compress",
    "copytruncate compress",
    "create compress delaycompress",
    "copytruncate compress delaycompress",
    "create dateext",
    "copytruncate dateext",
    "create compress dateext",
    "copytruncate compress dateext",
    "create compress delaycompress dateext",
    "copytruncate compress delaycompress dateext",
    "create compress xz",
    "create olddir",
    "nocreate olddir",
    "copytruncate olddir",
    "create compress olddir",
    "create compress delaycompress dateext olddir",
    "copytruncate compress olddir",
]
LINES = 20


@dataclass
class Host:
    """A log, its writer and its logrotate. `written`: every line, in order. `first`: of those in the log now."""

    room: Path
    mode: str
    written: list[str] = field(default_factory=list)
    first: str = ""
    rotations: int = 0
    keep: int = 50

    @property
    def log(self) -> Path:
        return self.room / "app.log"

    def write(self, count: int = LINES) -> None:
        fresh = [f"line {len(self.written) + number} of generation {self.rotations}" for number in range(count)]
        append(self.log, *fresh)
        self.written += fresh
        self.first = self.first or fresh[0]

    def rotate(self) -> None:
        """As cron does. Names by the date have one more digit, for rotations in one second."""
        config = self.room / "rotate.conf"
        config.write_text(f"{self.log} {{\n" + "\n".join(self._directives()) + "\n}\n")
        config.chmod(0o600)
        self.room.chmod(0o700)
        assert LOGROTATE is not None, "logrotate is not installed"
        done = subprocess.run(
            [LOGROTATE, "-f", "-s", str(self.room / "state"), str(config)], capture_output=True, text=True, timeout=30
        )
        assert (done.returncode, done.stderr) == (0, "")
        self.rotations += 1
        self.first = ""

    def _directives(self) -> list[str]:
        words = {
            "create": "create 0600",
            "dateext": f"dateext\ndateformat -%Y%m%d-%s{self.rotations}",
            "xz": "compresscmd /usr/bin/xz\ncompressext .xz",
            "olddir": "olddir old\ncreateolddir 0700",
        }
        return [f"rotate {self.keep}", "missingok", *(words.get(word, word) for word in self.mode.split())]


def gaps(seen: Collector) -> list[str]:
    return [f"{gap.kind}: {gap.detail}" for block in seen.commits for gap in block.gaps]


async def read_all(host: Host, known: dict[str, Checkpoint], days: int = 0, *, stalled: bool = False) -> Collector:
    """From `known` on, to the last line written; `days` go by while it is followed, or, `stalled`, while the follower
    gets no turn."""
    async with following(host.log, checkpoints=known, from_start=True, rotate_grace_s=0.1) as seen:
        if days:
            await seen.until_settled(host.log)
        for _ in range(days):
            host.write()
            if stalled:
                host.rotate()
            else:
                await rotated(host, seen)
            host.write()
        await seen.until(lambda: seen.lines[-1:] == host.written[-1:], within=20)
        await seen.until_settled(host.log)
    return seen


async def rotated(host: Host, seen: Collector) -> None:
    """While the follower goes on. A copy of what it had read nothing of would be passed over: docs/guarantees.md."""
    if "copytruncate" in host.mode:
        await seen.until(lambda: host.first in seen.lines)
    await asyncio.to_thread(host.rotate)


@pytest.mark.parametrize("stalled", [False, True], ids=["at once", "stalled"])
@pytest.mark.parametrize("mode", MODES)
def test_f01_f03_rotations_while_the_log_is_followed_lose_and_double_nothing(
    tmp_path: Path, mode: str, stalled: bool
) -> None:
    host = Host(tmp_path, mode)
    host.write()
    seen = asyncio.run(read_all(host, {}, days=4, stalled=stalled))
    assert seen.lines == host.written
    assert gaps(seen) == []


@pytest.mark.parametrize("mode", MODES)
def test_f06_f07_rotations_while_nobody_follows_lose_and_double_nothing(tmp_path: Path, mode: str) -> None:
    host = Host(tmp_path, mode)
    host.write()
    before = asyncio.run(read_all(host, {}))
    for _ in range(3):
        host.write()
        host.rotate()
    host.write()
    after = asyncio.run(read_all(host, before.checkpoints))
    assert before.lines + after.lines == host.written
    assert gaps(after) == []


@pytest.mark.parametrize("mode", ["create", "copytruncate", "create compress", "create olddir"])
def test_f06_what_was_rotated_away_for_good_while_nobody_followed_is_told(tmp_path: Path, mode: str) -> None:
    host = Host(tmp_path, mode, keep=1)
    host.write()
    before = asyncio.run(read_all(host, {}))
    for _ in range(3):
        host.write()
        host.rotate()
    host.write()
    after = asyncio.run(read_all(host, before.checkpoints))
    assert after.lines[-LINES:] == host.written[-LINES:]
    assert len(set(after.lines)) == len(after.lines)
    assert [told.partition(":")[0] for told in gaps(after)] == ["vanished"]
