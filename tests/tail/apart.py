"""Runs a test's function in a process of its own: for what this process, or this host, must not be put through."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable

PROGRAM = "import sys, importlib; getattr(importlib.import_module(sys.argv[1]), sys.argv[2])(*sys.argv[3:])"
OWN_HOST = ["unshare", "--user", "--map-root-user", "--mount"]
"""Namespaces in which anybody is root: mounts and the limits under /proc/sys/user are its own, and end with it."""


def apart(function: Callable[..., None], *arguments: object, host: bool = False) -> None:
    """Call a module's function with `arguments`, as text; `host`: as root of namespaces of its own. What it raises is
    this test's failure."""
    words = [function.__module__, function.__qualname__, *map(str, arguments)]
    done = subprocess.run(
        [*(OWN_HOST if host else []), sys.executable, "-c", PROGRAM, *words],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
