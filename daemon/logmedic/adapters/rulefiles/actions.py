"""What one step does: each action in the form in which files have it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from logmedic.adapters.rulefiles.amounts import GIB, room, the_one
from logmedic.adapters.rulefiles.commands import EXAMPLE, HOUR, SECOND, build_argv
from logmedic.model.step import (
    Action,
    CallHttp,
    Command,
    DropCache,
    FreeSpace,
    KillProcess,
    RenewCertificate,
    RotateLog,
    UnitJob,
    UnitVerb,
    Wait,
)
from logmedic.yamldoc import Fields

METHODS = ("get", "post", "put", "delete")
MAX_PATHS = 32
MAX_KEPT = 100_000
MAX_BODY = 16 * 1024
LONGEST_WAIT = timedelta(minutes=30)
LONGEST_AGE = timedelta(days=3650)
LONGEST_GRACE = timedelta(minutes=10)
SHORTEST_BEFORE, LONGEST_BEFORE = HOUR, timedelta(days=365)
_SLOW = timedelta(minutes=5)


def build_action(step: Fields) -> Action:
    """A mistake gives a default."""
    written = the_one(step, tuple(ACTIONS), EXAMPLE)
    built = [ACTIONS[key](step) for key in ACTIONS if key in step]
    return built[0] if written else Command(())


def usual_timeout(action: Action) -> timedelta:
    """Of a step that says none."""
    match action:
        case Wait(time):
            return time + timedelta(seconds=5)
        case FreeSpace() | DropCache() | RotateLog() | RenewCertificate():
            return _SLOW
    return timedelta(seconds=30)


def _run(step: Fields) -> Action:
    return Command(build_argv(step))


def _unit(step: Fields) -> Action:
    fields = step.mapping("unit")
    if fields is None:
        return UnitJob(UnitVerb.RESTART, "")
    verb = the_one(fields, tuple(UnitVerb), "restart: app.service") or UnitVerb.RESTART
    job = UnitJob(UnitVerb(verb), fields.text(verb, required=verb in fields))
    fields.done()
    return job


def _kill(step: Fields) -> Action:
    fields = step.mapping("kill")
    if fields is None:
        return KillProcess("", "")
    kill = KillProcess(fields.text("unit", required=True), fields.text("process", required=True))
    kill = replace(kill, grace=fields.duration("grace", kill.grace, maximum=LONGEST_GRACE))
    fields.done()
    return kill


def _free(step: Fields) -> Action:
    fields = step.mapping("free")
    if fields is None:
        return FreeSpace(())
    usual = FreeSpace(())
    share, size = room(fields, "until", required=True)
    free = FreeSpace(
        paths=tuple(fields.texts("paths", required=True)),
        pattern=fields.text("pattern", usual.pattern),
        older_than=fields.duration("older_than", usual.older_than, maximum=LONGEST_AGE),
        keep=fields.integer("keep", usual.keep, minimum=0, maximum=MAX_KEPT),
        percent=share,
        free_bytes=size,
        at_most=fields.size("at_most", usual.at_most, minimum=1, maximum=1024 * GIB),
    )
    fields.done()
    if len(free.paths) > MAX_PATHS:
        fields.problems.add(fields.at("paths"), f"more than {MAX_PATHS} paths", "write several steps")
    return free


def _empty(step: Fields) -> Action:
    fields = step.mapping("empty")
    if fields is None:
        return DropCache("")
    path = fields.text("path", required=True)
    drop = DropCache(path, fields.duration("older_than", timedelta(0), maximum=LONGEST_AGE))
    fields.done()
    return drop


def _rotate(step: Fields) -> Action:
    return RotateLog(step.text("rotate", required=True))


def _renew(step: Fields) -> Action:
    fields = step.mapping("renew")
    if fields is None:
        return RenewCertificate("", ())
    renew = RenewCertificate(fields.text("certificate", required=True), build_argv(fields, required=True))
    before = fields.duration("before", renew.before, minimum=SHORTEST_BEFORE, maximum=LONGEST_BEFORE)
    fields.done()
    return replace(renew, before=before)


def _http(step: Fields) -> Action:
    fields = step.mapping("http")
    if fields is None:
        return CallHttp("", "")
    method = the_one(fields, METHODS, 'post: "http://127.0.0.1:8080/flush"')
    call = CallHttp(
        method=method.upper(),
        url=fields.text(method, required=True) if method else "",
        status=fields.integer("status", 0, minimum=100, maximum=599),
        body=fields.text("body"),
    )
    fields.done()
    if "body" in fields and "get" in fields:
        fields.problems.add(fields.at("body"), "a GET has no body", "use `post`, or remove `body`")
    if len(call.body) > MAX_BODY:
        fields.problems.add(fields.at("body"), f"`body` is longer than {MAX_BODY} characters", "let a program send it")
    return call


def _wait(step: Fields) -> Action:
    return Wait(step.duration("wait", SECOND, minimum=timedelta(milliseconds=100), maximum=LONGEST_WAIT))


ACTIONS: dict[str, Callable[[Fields], Action]] = {
    "run": _run,
    "unit": _unit,
    "kill": _kill,
    "free": _free,
    "empty": _empty,
    "rotate": _rotate,
    "renew": _renew,
    "http": _http,
    "wait": _wait,
}
"""By the key that stands in a step."""
