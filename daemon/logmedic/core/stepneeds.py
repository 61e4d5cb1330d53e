"""What a step of a fix has to see of the host, whatever its rule says of it."""

from __future__ import annotations

from dataclasses import replace
from posixpath import dirname

from logmedic.core.captures import names_in
from logmedic.model.sandbox import SandboxSpec
from logmedic.model.step import DropCache, FreeSpace, RenewCertificate, RotateLog, Step


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
            seen = any(is_below(room, each) for each in (*spec.write, *spec.read))
            return spec if seen else replace(spec, read=_with(spec.read, (file if room == "/" else room,)))
        case _:
            return spec


def _with(known: tuple[str, ...], more: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*known, *(each for each in more if not names_in(each)))))


def is_below(path: str, room: str) -> bool:
    return path == room or path.startswith(room.rstrip("/") + "/")
