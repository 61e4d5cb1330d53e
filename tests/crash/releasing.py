"""The fix of orders that are stuck: a program that leaves a mark for each run, where whoever runs it may go."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def put_release(home: Path) -> Path:
    """`home`/bin/release, which writes its order to the file that is answered, a line for each run. A fix of root's
    daemon runs as somebody else, and gets there."""
    for name in ("bin", "done"):
        (home / name).mkdir()
    (home / "done").chmod(0o777)
    _open_to_others(home)
    release, runs = home / "bin" / "release", home / "done" / "runs"
    release.write_text(f'#!/bin/sh\necho "$1" >> {runs}\n')
    release.chmod(0o755)
    return runs


def _open_to_others(home: Path) -> None:
    for each in (home, *home.parents):
        if each == Path(tempfile.gettempdir()):
            return
        if each.stat().st_uid == os.geteuid():
            each.chmod(0o755)
