"""Running steps for tests, in the real sandbox."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from logmedic.adapters.fixes.bubblewrap import BubblewrapRunner
from logmedic.model.fix import FixAttempt, FixResult
from logmedic.model.match import MatchSpec
from logmedic.model.rule import Fix, Mode, Rule
from logmedic.model.sandbox import SandboxSpec
from logmedic.model.step import Command, Step

PYTHON = next(path for path in ("/usr/bin/python3", "/usr/local/bin/python3") if Path(path).exists())
"""One that a step can see; a virtual environment is not there."""
ATTEMPT = FixAttempt("a1", "i1", "r1", "", "r1", 0, "x", 1, (), datetime.now(UTC))


def step(*argv: str, timeout_s: float = 10, **sandbox: Any) -> Step:
    return Step("x", Command(argv), timeout=timedelta(seconds=timeout_s), sandbox=SandboxSpec(**sandbox))


def run(*argv: str, runner: BubblewrapRunner | None = None, timeout_s: float = 10, **sandbox: Any) -> FixResult:
    made = runner or BubblewrapRunner()
    return asyncio.run(made.run(step(*argv, timeout_s=timeout_s, **sandbox), ATTEMPT))


def shell(script: str, *arguments: str, **options: Any) -> FixResult:
    return run("/bin/sh", "-c", script, "step", *arguments, **options)


def python(program: str, *arguments: str, **options: Any) -> FixResult:
    """By the system's own Python: what a real attacker would have at hand."""
    return run(PYTHON, "-I", "-c", program, *arguments, **options)


def a_rule(*steps: Step) -> Rule:
    """With a fix of these steps."""
    return Rule("r1", "r1", MatchSpec(("x",)), fix=Fix(Mode.AUTO, steps))


def open_to_all(room: Path) -> Path:
    """A directory that the fix user can reach and write to."""
    reachable(room).chmod(0o777)
    return room


def reachable(room: Path) -> Path:
    """A directory that the fix user can look into, and nobody but us can write to."""
    room.chmod(0o755)
    for parent in room.parents:
        if parent.stat().st_uid != 0 or parent.stat().st_mode & 0o001:
            continue
        parent.chmod(parent.stat().st_mode | 0o001)
    return room
