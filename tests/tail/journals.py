"""Real journal files for tests, written by systemd's own systemd-journal-remote."""

from __future__ import annotations

import itertools
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

WRITER = "/lib/systemd/systemd-journal-remote"
BOOT = "0123456789abcdef0123456789abcdef"
_ticks = itertools.count(1)


def log_to(
    journal: Path, *messages: str | bytes, fields: Mapping[str, str] | None = None, pids: Sequence[int] = (7,)
) -> None:
    """Append entries to the journal file; `pids` are used in turn."""
    journal.parent.mkdir(exist_ok=True)
    export = b"".join(
        _entry(message, {"_PID": str(pids[index % len(pids)]), **(fields or {})})
        for index, message in enumerate(messages)
    )
    subprocess.run([WRITER, "-o", str(journal), "-"], input=export, check=True, capture_output=True, timeout=30)


def _entry(message: str | bytes, fields: Mapping[str, str]) -> bytes:
    tick = next(_ticks)
    usual = {
        "__REALTIME_TIMESTAMP": str(int(time.time() * 1e6) + tick),
        "__MONOTONIC_TIMESTAMP": str(int(time.monotonic() * 1e6) + tick),
        "_BOOT_ID": BOOT,
        "_HOSTNAME": "web1",
        "SYSLOG_IDENTIFIER": "shop",
        "_SYSTEMD_UNIT": "shop.service",
        "PRIORITY": "3",
    }
    lines = b"".join(f"{name}={value}\n".encode() for name, value in {**usual, **fields}.items())
    raw = message if isinstance(message, bytes) else message.encode()
    return lines + b"MESSAGE\n" + len(raw).to_bytes(8, "little") + raw + b"\n\n"
