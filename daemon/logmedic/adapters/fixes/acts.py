"""Built-in steps as programs: how one is started, and what of the host it has to see. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from posixpath import dirname

from logmedic.adapters.fixes.catalogue import done_by
from logmedic.core.captures import names_in
from logmedic.model.sandbox import SandboxSpec
from logmedic.model.step import Action, Command, DropCache, FreeSpace, RenewCertificate, RotateLog, Step


def argv_for(step: Step, *, python: str, package: str, dry: bool = False) -> tuple[str, ...]:
    """What is executed for a sandboxed step whose captures are filled in. `package`: the directory of logmedic. `dry`:
    only for what is built in; a command has no dry run of its own."""
    argv, arguments = done_by(step, python=python, package=package)
    if arguments is None:
        return argv
    return (*argv, json.dumps(arguments), *(("--dry",) if dry else ()))


def needs_of(step: Step) -> SandboxSpec:
    """The step's sandbox with what its action cannot do without: `free` and `empty` write to their own paths, `rotate`
    reads its config, `renew` the directory of the certificate (a new one is moved into it). Both tiers show these to
    the step, and a rule need not name them. Of a step that is filled in, as the rule has it: a path that holds a
    capture is never added, so what a log line says opens nothing; it has to lie below what `write` names. What
    `rotate` rotates and what the program of `renew` writes is for the rule to name."""
    written = step.written or step
    spec = written.sandbox
    match written.action:
        case FreeSpace(paths):
            return replace(spec, write=_with(spec.write, paths))
        case DropCache(path):
            return replace(spec, write=_with(spec.write, (path,)))
        case RotateLog(config):
            return replace(spec, read=_with(spec.read, (config,)))
        case RenewCertificate(file):
            room = dirname(file)
            seen = any(_is_below(room, each) for each in (*spec.write, *spec.read))
            return spec if seen else replace(spec, read=_with(spec.read, (file if room == "/" else room,)))
        case _:
            return spec


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
    return next((each for each in asked if not any(_is_below(each, room) for room in open_to_it)), "")


def programs_of(action: Action) -> Iterator[str]:
    """Absolute paths of what a rule has run, which nobody else may have replaced (F60)."""
    match action:
        case Command(argv) | RenewCertificate(_, argv):
            yield argv[0]
        case _:
            return


def _with(known: tuple[str, ...], more: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*known, *(each for each in more if not names_in(each)))))


def _is_below(path: str, room: str) -> bool:
    return path == room or path.startswith(room.rstrip("/") + "/")
