"""What other programs of the host say."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence


def lines_of(command: Sequence[str], wait_s: float) -> list[str]:
    """Of its standard output, whatever it exits with; none when it is not there, or takes longer than `wait_s`."""
    try:
        ran = subprocess.run(  # noqa: S603
            list(command),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=wait_s,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return []
    return ran.stdout.splitlines()
