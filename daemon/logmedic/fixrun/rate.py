"""How often an installed fix may be asked for, kept where neither the daemon nor the fix can change it. Standard
library only."""

from __future__ import annotations

import fcntl
import os
import time

_ONE = 1000
"""Of a request; so that a part of one can have leaked away."""


def take(file: int, burst: int, per_hour: float) -> bool:
    """Whether one more request is within `burst` at once and `per_hour` in the long run (a leaky bucket). `file`: a
    descriptor that may only be written to, of a file that only the service manager can open: its size is how full the
    bucket was when it was last written to. It is sparse, and holds nothing."""
    fcntl.flock(file, fcntl.LOCK_EX)
    try:
        return _taken(file, burst, per_hour)
    finally:
        fcntl.flock(file, fcntl.LOCK_UN)  # or the next request would wait for the end of this one


def _taken(file: int, burst: int, per_hour: float) -> bool:
    status = os.fstat(file)
    if status.st_mtime > time.time() + 1:  # the clock was set back: it leaks from now on
        os.ftruncate(file, status.st_size)
    leaked = max(0.0, time.time() - status.st_mtime) * per_hour * _ONE / 3600
    full = max(0, status.st_size - int(leaked))
    if full + _ONE > burst * _ONE:
        return False
    os.ftruncate(file, full + _ONE)
    return True
