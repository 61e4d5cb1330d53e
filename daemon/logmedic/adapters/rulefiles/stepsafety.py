"""What would be unsafe about a step, whoever writes the log line that starts it (I7, I8)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from logmedic.adapters.rulefiles.bounds import body_mistakes, not_filled, path_mistakes, unit_mistakes, url_mistakes
from logmedic.adapters.rulefiles.deleting import deleting_mistakes, unreachable
from logmedic.adapters.rulefiles.placeholders import Mistake, captures_in, names_in, possible, report
from logmedic.adapters.rulefiles.probesafety import check_probes
from logmedic.adapters.rulefiles.programs import command_mistakes, sandbox_mistakes
from logmedic.model.match import CaptureType
from logmedic.model.rule import Rule
from logmedic.model.step import (
    CallHttp,
    Command,
    DropCache,
    FreeSpace,
    KillProcess,
    RenewCertificate,
    RotateLog,
    Step,
    UnitJob,
    Wait,
)
from logmedic.yamldoc import Fields

COMM_LENGTH = 15
"""Bytes that Linux keeps of the name of a process (TASK_COMM_LEN is one more)."""
_PROCESS = re.compile(r"[A-Za-z0-9_.][A-Za-z0-9_.:+@-]*\Z", re.ASCII)
_ENDS_THE_HOST = re.compile(
    r"(?:systemd-)?(?:(?:soft-)?reboot|poweroff|halt|kexec|suspend|hibernate|hybrid-sleep|suspend-then-hibernate|shutdown"
    r"|rescue|emergency|sleep|exit|umount|final|ctrl-alt-del|factory-reset|runlevel[016])\.(?:target|service)\Z",
    re.ASCII,
)
"""Units that stop the host, or all of its work (systemd.special(7))."""
_OWN_UNIT = re.compile(r"logmedic(?:-fix[^/]*|@[^/]*)?\.(?:service|socket)\Z", re.ASCII)
_EVERY_LOG = "/etc/logrotate.conf"


def check_step(rule: Rule, step: Step, fields: Fields) -> None:
    """With its checks and its rollback."""
    _check_action(rule, step, fields)
    report(fields, "sandbox", sandbox_mistakes(step.sandbox))
    if (expect := fields.mapping("expect")) is not None:
        check_probes(rule, step.expect, expect)
    if step.rollback is not None and (undo := fields.mapping("rollback")) is not None:
        check_step(rule, step.rollback, undo)


def _check_action(rule: Rule, step: Step, fields: Fields) -> None:
    match action := step.action:
        case Command(argv):
            report(fields, "run", _run(rule, argv))
        case UnitJob(verb, unit):
            inner = _inside(fields, "unit")
            report(inner, verb.value, unit_mistakes(rule, unit) if verb in inner else iter(()))
            report(inner, verb.value, _never_told(rule, unit))
        case KillProcess():
            inner = _inside(fields, "kill")
            report(inner, "unit", _killed_unit(rule, action.unit))
            report(inner, "process", _process(rule, action.process))
        case FreeSpace():
            inner = _inside(fields, "free")
            for path in action.paths:
                report(inner, "paths", deleting_mistakes(rule, path, "`paths`"))
                report(inner, "paths", unreachable(rule, path, step.sandbox.write))
            report(inner, "pattern", _pattern(rule, action.pattern))
        case DropCache():
            if action.path:
                inner = _inside(fields, "empty")
                report(inner, "path", deleting_mistakes(rule, action.path, "`path`"))
                report(inner, "path", unreachable(rule, action.path, step.sandbox.write))
        case RotateLog():
            report(fields, "rotate", _rotated(action.config))
        case RenewCertificate():
            inner = _inside(fields, "renew")
            if action.file:
                report(inner, "certificate", path_mistakes(rule, action.file, "`certificate`"))
            report(inner, "run", _run(rule, action.argv))
        case CallHttp():
            inner, method = _inside(fields, "http"), action.method.lower()
            if method:
                report(inner, method, url_mistakes(rule, action.url, f"`{method}`"))
            report(inner, "body", body_mistakes(rule, action.body))
        case Wait():
            pass


def _inside(fields: Fields, key: str) -> Fields:
    """The mapping in `key`; what holds it, when that is none: said already."""
    return fields.mapping(key) or fields


def _run(rule: Rule, argv: tuple[str, ...]) -> Iterator[Mistake]:
    return command_mistakes(rule, argv) if argv else iter(())


def _never_told(rule: Rule, unit: str) -> Iterator[Mistake]:
    for real in possible(rule, unit):
        if _ENDS_THE_HOST.match(real):
            yield f"`{real}` would stop the host", "a fix is about one service; call people with `alert`"
        elif _OWN_UNIT.match(real):
            yield f"`{real}` runs the fix: it would end itself", "let the service manager watch over logmedic"


def _killed_unit(rule: Rule, unit: str) -> Iterator[Mistake]:
    wrong = list(unit_mistakes(rule, unit)) if unit else []
    yield from wrong
    for real in possible(rule, unit) if unit and not wrong else ():
        if not real.endswith(".service"):
            yield f"`{real[:80]}` is no service", "processes are killed of a .service only"
    yield from _never_told(rule, unit)


def _process(rule: Rule, process: str) -> Iterator[Mistake]:
    if not process:
        return
    named = list(captures_in(rule, process))
    for name in names_in(process):
        if not any(known == name and capture.type is CaptureType.ENUM for known, capture in named):
            yield f"`{{{name}}}` in `process` could name any", f"{name}: {{ type: enum, values: [worker] }}"
            return
    for real in possible(rule, process):
        if len(real) > COMM_LENGTH:
            yield (
                f"no process is called `{real[:80]}`: Linux keeps {COMM_LENGTH} characters of a name",
                f"write `{real[:COMM_LENGTH]}`, as `ps -o comm` shows it",
            )
        elif not _PROCESS.match(real):
            yield f"`{real}` is no name of a process", "letters, digits, _, ., :, +, @ and -, as `ps -o comm` shows it"


def _pattern(rule: Rule, pattern: str) -> Iterator[Mistake]:
    yield from not_filled(rule, pattern, "`pattern`")
    if "/" in pattern:
        yield "`pattern` is about names of files, and has a `/`", "name the directory in `paths`"


def _rotated(config: str) -> Iterator[Mistake]:
    if not config:
        return
    if names_in(config):
        yield "`rotate` must not come from a log line", "write the file out: /etc/logrotate.d/app"
    elif not config.startswith("/") or ".." in config.split("/"):
        yield f"`{config[:80]}` is no absolute path", "write it out, without `..`: /etc/logrotate.d/app"
    elif config == _EVERY_LOG:
        yield f"`{_EVERY_LOG}` is about every log of the host", "name that of one program: /etc/logrotate.d/app"
