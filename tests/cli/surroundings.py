"""The environment of commands under test: nobody's home, and a cache that they share, which goes with the test run."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile

CACHE = tempfile.mkdtemp(prefix="logmedic-cache-")
atexit.register(shutil.rmtree, CACHE, ignore_errors=True)

ENVIRONMENT = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "LANG": "C.UTF-8", "XDG_CACHE_HOME": CACHE}
