"""What would be unsafe to run, or to ask, with what a log line holds (I7, I8)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from posixpath import normpath
from urllib.parse import urlsplit

from logmedic.adapters.rulefiles.placeholders import (
    Mistake,
    captures_in,
    names_in,
    placeholder_mistakes,
    report,
    sampled,
)
from logmedic.core.captures import accept
from logmedic.core.targets import texts_of_fix
from logmedic.model import when
from logmedic.model.match import Capture, CaptureType
from logmedic.model.probe import CommandProbe, HttpProbe, Probe, TcpProbe
from logmedic.model.rule import Fix, Mode, Rule
from logmedic.model.sandbox import SandboxSpec
from logmedic.model.step import Command, UnitJob
from logmedic.yamldoc import Fields

_SHELLS = frozenset(
    {"sh", "bash", "rbash", "dash", "zsh", "ksh", "mksh", "ash", "csh", "tcsh", "fish", "su", "runuser", "ssh"}
)
"""What hands its arguments to a shell is one too."""
_INTERPRETERS = frozenset({"python", "perl", "ruby", "node", "php", "lua"})
_WRAPPERS = frozenset(
    {"env", "busybox", "sudo", "nice", "ionice", "timeout", "setsid", "nohup", "stdbuf", "chroot", "xargs", "setpriv"}
)
_CODE_OPTION = re.compile(r"-[A-Za-z]*[ceEpr]|--(?:eval|exec|print|run)", re.ASCII)
_VERSION = re.compile(r"[0-9.]+\Z", re.ASCII)
_AIMED = frozenset({CaptureType.HOSTPORT, CaptureType.IP, CaptureType.HOSTNAME, CaptureType.INT, CaptureType.ENUM})
"""Types that may stand in the address of a probe."""
_NEVER_WRITTEN = ("/", "/usr", "/bin", "/sbin", "/lib", "/lib64", "/boot", "/proc", "/sys", "/dev", "/etc", "/root")
_NOT_IN_URLS = re.compile(r"[\x00-\x20\x7f]")


def not_proved(rule: Rule, fix: Fix) -> Iterator[Mistake]:
    """I8: what runs by itself has proved itself."""
    if fix.mode is not Mode.AUTO:
        return
    if not fix.verify.probes and fix.verify.quiet is None:
        yield "`mode: auto` needs `verify`", "say how a fix is proved: http, tcp, command or quiet"
    if not any(test.expect.fires for test in rule.tests):
        yield "`mode: auto` needs a test that fires", "add to `tests` a sample with `expect: { fires: 1 }`"
    if not any(test.expect.fires == 0 for test in rule.tests):
        yield "`mode: auto` needs a test that stays silent", "add to `tests` a near miss with `expect: { fires: 0 }`"


def unknown_at_the_end(rule: Rule, fix: Fix) -> Iterator[Mistake]:
    """Any of the lines of a sequence can be the last to come, and an incident has what that one tells."""
    if not isinstance(rule.when.trigger, when.Sequence):
        return
    for name in sorted({name for text in filled_texts(fix) for name in names_in(text)} & set(rule.match.captures)):
        for part, spec in rule.when.parts:
            if name not in spec.captures:
                yield (
                    f"`{{{name}}}` is not known when {part} completes the sequence",
                    f"capture `{name}` in every pattern of the sequence, or do not use it in the fix",
                )


def filled_texts(fix: Fix) -> Iterator[str]:
    """In which captures are filled in."""
    yield from texts_of_fix(fix)


def check_fix(rule: Rule, fix: Fix, fields: Fields) -> None:
    for node, step in zip(fields.items("steps"), fix.steps, strict=False):
        at = Fields(node, fields.problems, step.name)
        match step.action:
            case Command(argv) if argv:
                report(at, "run", _command_mistakes(rule, argv))
            case UnitJob(_, unit):
                report(at, "unit", _unit_mistakes(rule, unit))
            case _:
                pass
        report(at, "sandbox", _sandbox_mistakes(step.sandbox))
    if (verify := fields.mapping("verify")) is None:
        return
    for probe in fix.verify.probes:
        report(verify, _key_of(probe), _probe_mistakes(rule, probe))


def _key_of(probe: Probe) -> str:
    keys: dict[type, str] = {HttpProbe: "http", TcpProbe: "tcp", CommandProbe: "command"}
    return keys[type(probe)]


def _is_bounded(capture: Capture) -> bool:
    """Whether whoever wrote the rule chose what may be captured, not whoever writes log lines."""
    match capture.type:
        case CaptureType.ENUM:
            return True
        case CaptureType.INT:
            return capture.maximum is not None
    return bool(capture.allow)


def _how_to_bound(name: str, capture: Capture, example: str) -> str:
    bounds = "min: 1, max: 8" if capture.type is CaptureType.INT else f"allow: [{example}]"
    return f"bound it: {name}: {{ type: {capture.type}, {bounds} }}"


# -- commands ----------------------------------------------------------------------------------------------------------


def _command_mistakes(rule: Rule, argv: tuple[str, ...]) -> Iterator[Mistake]:
    if not argv[0].startswith("/") or "{" in argv[0]:
        yield f"the program `{argv[0][:80]}` is no fixed absolute path", "write it out: /usr/bin/systemctl"
    for argument in argv[1:]:
        yield from placeholder_mistakes(rule, argument, "`run`")
        yield from _free_paths(rule, argument)
    if _as_code(argv):
        yield "a capture must not reach a shell", "put the shell's work into a script, and run that with the capture"


def _as_code(argv: Sequence[str]) -> bool:
    """Whether a capture would be read as a program, by a shell or by the `-c` of another interpreter."""
    programs = range(len(argv)) if _program(argv[0]) in _WRAPPERS else range(1)
    for n in programs:
        arguments = argv[n + 1 :]
        if _program(argv[n]) in _SHELLS and any(map(names_in, arguments)):
            return True
        if _program(argv[n]) in _INTERPRETERS and any(map(names_in, _code(arguments))):
            return True
    return False


def _program(argument: str) -> str:
    """`python3.11` is python."""
    return _VERSION.sub("", argument.rpartition("/")[2])


def _code(arguments: Sequence[str]) -> Sequence[str]:
    """What an interpreter reads as a program: an option such as -c with what follows it, before the first script."""
    for n, argument in enumerate(arguments):
        if not argument.startswith("-"):
            return ()
        if _CODE_OPTION.match(argument):
            return arguments[n : n + 2]
    return ()


def _free_paths(rule: Rule, argument: str) -> Iterator[Mistake]:
    for name, capture in captures_in(rule, argument):
        if capture.type is CaptureType.PATH and not capture.allow:
            yield f"the path `{{{name}}}` could be any", _how_to_bound(name, capture, "/var/spool/app")


def _unit_mistakes(rule: Rule, unit: str) -> Iterator[Mistake]:
    yield from placeholder_mistakes(rule, unit, "`unit`")
    for name, capture in captures_in(rule, unit):
        if not _is_bounded(capture):
            yield f"the unit `{{{name}}}` could be any", f"bound it: {name}: {{ type: unit, allow: [app.service] }}"
    if accept(_whole(sampled(rule, unit)), Capture(CaptureType.UNIT)) is None:
        yield f"`{unit[:80]}` is no unit", "write its whole name: app.service"


def _whole(text: str) -> str:
    """Without the names that are no captures: those are told of already."""
    for name in names_in(text):
        text = text.replace(f"{{{name}}}", "x.service")
    return text


def _sandbox_mistakes(sandbox: SandboxSpec) -> Iterator[Mistake]:
    for path in (*sandbox.write, *sandbox.read):
        if not path.startswith("/") or ".." in path.split("/"):
            yield f"`{path[:80]}` is no absolute path", "write it out, without `..`"
        if names_in(path):
            yield f"`{path[:80]}`: what a sandbox may see must not come from a log line", "write the directory out"
    for path in sandbox.write:
        if "/" + normpath(path).lstrip("/") in _NEVER_WRITTEN:
            yield f"`{path[:80]}` may not be writable", "name the directory that the fix is about"


# -- probes ------------------------------------------------------------------------------------------------------------


def _probe_mistakes(rule: Rule, probe: Probe) -> Iterator[Mistake]:
    match probe:
        case CommandProbe():
            if probe.run:
                yield from _command_mistakes(rule, probe.run)
            yield from _sandbox_mistakes(probe.sandbox)
        case HttpProbe():
            yield from placeholder_mistakes(rule, probe.url, "`get`")
            yield from _aim(rule, probe.url)
            if not _is_url(sampled(rule, probe.url)):
                yield f"`{probe.url[:80]}` is no http:// or https:// address", "http://127.0.0.1:8080/healthz"
        case TcpProbe():
            yield from placeholder_mistakes(rule, probe.address, "`connect`")
            yield from _aim(rule, probe.address)
            if accept(sampled(rule, probe.address), Capture(CaptureType.HOSTPORT)) is None:
                yield f"`{probe.address[:80]}` is no host with its port", "127.0.0.1:5432"


def _is_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
        whole = bool(parts.hostname) and parts.port != 0  # asking for a port that is none raises
    except ValueError:
        return False
    return whole and parts.scheme in ("http", "https") and "@" not in parts.netloc and not _NOT_IN_URLS.search(url)


def _aim(rule: Rule, address: str) -> Iterator[Mistake]:
    """A forged line must not aim the probe elsewhere."""
    for name, capture in captures_in(rule, address):
        if capture.type not in _AIMED:
            yield f"a {capture.type} cannot stand in an address", "use hostport, ip, hostname, int or enum"
        elif not _is_bounded(capture):
            yield f"a forged line could aim the probe by `{{{name}}}`", _how_to_bound(name, capture, "10.0.0.0/8")
