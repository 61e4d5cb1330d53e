"""Built-in steps as programs: how one is started, and what of the host it has to see. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator

from logmedic.adapters.fixes.catalogue import done_by
from logmedic.core.stepneeds import is_below, needs_of
from logmedic.model.step import Action, Command, DropCache, FreeSpace, RenewCertificate, Step


def argv_for(step: Step, *, python: str, package: str, dry: bool = False) -> tuple[str, ...]:
    """What is executed for a sandboxed step whose captures are filled in. `package`: the directory of logmedic. `dry`:
    only for what is built in; a command has no dry run of its own."""
    argv, arguments = done_by(step, python=python, package=package)
    if arguments is None:
        return argv
    return (*argv, json.dumps(arguments), *(("--dry",) if dry else ()))


def out_of_reach(step: Step) -> str:
    """The first path that a `free` or `empty` step, filled in, may not write to; or nothing."""
    match step.action:
        case FreeSpace(paths):
            asked = paths
        case DropCache(path):
            asked = (path,)
        case _:
            return ""
    open_to_it = needs_of(step).write
    return next((each for each in asked if not any(is_below(each, room) for room in open_to_it)), "")


def programs_of(action: Action) -> Iterator[str]:
    """Absolute paths of what a rule has run, which nobody else may have replaced (F60)."""
    match action:
        case Command(argv) | RenewCertificate(_, argv):
            yield argv[0]
        case _:
            return
