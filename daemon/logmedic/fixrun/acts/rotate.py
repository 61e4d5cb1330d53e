"""`rotate`: logrotate, now, with one file (model.step.RotateLog)."""

from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Mapping
from typing import Any

from logmedic.fixrun.acts.words import Unreached

PROGRAMS = ("/usr/sbin/logrotate", "/usr/bin/logrotate", "/sbin/logrotate")
STATE = "/tmp/logmedic-rotate.state"
"""In the sandbox's own /tmp: when the host's logrotate rotated last stays as it was."""
_DID = "rotating log "
"""Begins a line for each log that is rotated (logrotate 3.21, with --verbose and with --debug)."""


def rotate(asked: Mapping[str, Any], *, dry: bool, programs: tuple[str, ...] = PROGRAMS, state: str = STATE) -> None:
    """`asked`: the fields of RotateLog. Raises Unreached, OSError."""
    config = asked["config"]
    _check(config)
    program = next((each for each in programs if os.access(each, os.X_OK)), "")
    if not program:
        raise Unreached("logrotate is not installed; type: apt-get install logrotate")
    argv = [program, "--debug" if dry else "--verbose", "--force", "--state", state, config]
    ran = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    said = ran.stdout.decode("utf-8", "replace")
    print(said)
    if ran.returncode != 0:
        raise Unreached(f"logrotate failed (exit {ran.returncode})")
    done = [line for line in said.splitlines() if line.startswith(_DID)]
    if not done:
        raise Unreached(f"nothing is to be rotated by {config}")
    print(f"{'would rotate' if dry else 'rotated'} {len(done)} of its logs")


def _check(config: str) -> None:
    """Of a directory logrotate would take every file; what others can write to are commands of theirs. Raises
    Unreached."""
    try:
        status = os.stat(config)
    except OSError as error:
        raise Unreached(f"{config}: {error.strerror}") from None
    if not stat.S_ISREG(status.st_mode):
        raise Unreached(f"{config} is no file")
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise Unreached(f"others can write to {config}: chmod go-w {config}")
