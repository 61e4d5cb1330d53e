"""How the loop hears that a child has ended."""

from __future__ import annotations

import asyncio
import os
import sys


def without_threads() -> None:
    """By a descriptor of each child, as asyncio does itself since Python 3.12. Before, it waits for each in a thread of
    its own, and a thread that finds no memory as it begins holds up the loop for good: who starts it waits for it
    (3.11.7, seen with an mmap that was refused). Before the loop runs. Kernels before 5.3 have no such descriptors."""
    if sys.version_info >= (3, 12):
        return
    try:
        os.close(os.pidfd_open(os.getpid()))
    except OSError:
        return
    asyncio.get_event_loop_policy().set_child_watcher(asyncio.PidfdChildWatcher())
