"""What the parts of a rule mean together: names that stand for nothing, and what would be unsafe to run."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import regex

from logmedic.model.rule import (
    Capture,
    CaptureType,
    CommandProbe,
    Fix,
    HttpProbe,
    Mode,
    Probe,
    Rule,
    SandboxSpec,
    TcpProbe,
)
from logmedic.yamldoc import Fields, meant

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_NAME = re.compile(r"[A-Za-z_]\w*\Z")
_SHELLS = frozenset({"sh", "bash", "dash", "zsh", "ksh", "ash", "fish"})
_AIMED = frozenset({CaptureType.HOSTPORT, CaptureType.IP, CaptureType.HOSTNAME, CaptureType.INT, CaptureType.ENUM})
"""Types that may stand in the address of a probe."""
_NEVER_WRITTEN = ("/", "/usr", "/bin", "/sbin", "/lib", "/lib64", "/boot", "/proc", "/sys", "/dev", "/etc", "/root")

Mistake = tuple[str, str]
"""Text and hint."""


def check_rule(rule: Rule, fields: Fields, patterns: dict[str, regex.Pattern[str]]) -> None:
    """Add what is wrong to the problems of `fields`. `patterns`: those that compile."""
    _check_captures(rule, fields, patterns)
    _check_all_matching(fields, patterns)
    _report(fields, "title", _placeholders(rule, rule.title, "the title"))
    if (when := fields.mapping("when")) is not None and (threshold := when.mapping("threshold")) is not None:
        _report(threshold, "by", _names(rule, rule.when.by, "by"))
    if (alert := fields.mapping("alert")) is not None:
        _report(alert, "group_by", _names(rule, rule.alert.group_by, "group_by"))
    if rule.fix is not None and (fix := fields.mapping("fix")) is not None:
        _check_fix(rule, rule.fix, fix)
        _report(fields, "fix", _not_proved(rule, rule.fix))


def _report(fields: Fields, key: str, mistakes: Iterator[Mistake]) -> None:
    for text, hint in mistakes:
        fields.problems.add(fields.at(key), text, hint)


def _check_captures(rule: Rule, fields: Fields, patterns: dict[str, regex.Pattern[str]]) -> None:
    match = fields.mapping("match")
    captures = match.mapping("captures") if match is not None else None
    if captures is None:
        return
    for name, capture in rule.match.captures.items():
        _report(captures, name, _group_is_there(name, patterns))
        _report(captures, name, _allowed(name, capture))


def _check_all_matching(fields: Fields, patterns: dict[str, regex.Pattern[str]]) -> None:
    match = fields.mapping("match")
    for key in ("pattern", "patterns", "unless"):
        for node in match.items(key) if match is not None else ():
            if node.value == "" or (node.text in patterns and _matches_all(patterns[node.text])):
                fields.problems.add(node, f"the text in `{key}` matches every line", "write what has to be there")


def _matches_all(pattern: regex.Pattern[str]) -> bool:
    """It needs no character at all, and an odd one does not disturb it."""
    try:
        return all(pattern.search(text, timeout=0.1) for text in ("", "\ue000"))
    except TimeoutError:
        return False


def _group_is_there(name: str, patterns: dict[str, regex.Pattern[str]]) -> Iterator[Mistake]:
    for text, pattern in patterns.items():
        if name not in pattern.groupindex:
            shown = " ".join(text.split())[:60]
            yield f"the pattern has no group `{name}`: {shown}", f"write (?P<{name}>...) in each pattern"


def _allowed(name: str, capture: Capture) -> Iterator[Mistake]:
    match capture.type:
        case CaptureType.IP | CaptureType.HOSTPORT:
            for each in capture.allow:
                if not _is_network(each) and capture.type is CaptureType.IP:
                    yield f"`{each}` is no network", "10.0.0.0/8, 192.0.2.7, fd00::/8"
        case CaptureType.PATH:
            for each in capture.allow:
                if not each.startswith("/"):
                    yield f"`{each}` is no absolute path", "capture paths are allowed by directory: /var/spool/app"
        case CaptureType.WORD | CaptureType.INT | CaptureType.ENUM if capture.allow:
            yield f"`allow` means nothing for {capture.type}", "int has min and max, enum has values"
    if capture.values and capture.type is not CaptureType.ENUM:
        yield f"`values` means nothing for {capture.type}", "use type enum"
    if (capture.minimum, capture.maximum) != (None, None) and capture.type is not CaptureType.INT:
        yield f"`min` and `max` mean nothing for {capture.type}", "use type int"
    if capture.minimum is not None and capture.maximum is not None and capture.minimum > capture.maximum:
        yield "`min` is larger than `max`", f"nothing would ever be captured as `{name}`"


def _is_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return True


def _names(rule: Rule, names: tuple[str, ...], where: str) -> Iterator[Mistake]:
    for name in names:
        if name not in rule.match.captures:
            yield f"`{where}` names `{name}`, which is no typed capture", _give_it_a_type(rule, name)


def _placeholders(rule: Rule, text: str, where: str) -> Iterator[Mistake]:
    for name in _PLACEHOLDER.findall(text):
        if not _NAME.match(name):
            yield f"`{{{name[:40]}}}` in {where} is no capture", "write {name} of a typed capture"
        elif name not in rule.match.captures:
            yield f"`{{{name}}}` in {where} is no typed capture", _give_it_a_type(rule, name)


def _give_it_a_type(rule: Rule, name: str) -> str:
    known = list(rule.match.captures)
    hint = f"give it a type: captures: {{ {name}: word }}"
    return f"{meant(name, known)} else {hint}" if known else hint


# -- the fix -----------------------------------------------------------------------------------------------------------


def _not_proved(rule: Rule, fix: Fix) -> Iterator[Mistake]:
    """I8: what runs by itself has proved itself."""
    if fix.mode is not Mode.AUTO:
        return
    if not fix.verify.probes and fix.verify.quiet is None:
        yield "`mode: auto` needs `verify`", "say how a fix is proved: http, tcp, command or quiet"
    if not any(test.fires for test in rule.tests):
        yield "`mode: auto` needs a test that fires", "add to `tests` a sample with `expect: { fires: 1 }`"


def _check_fix(rule: Rule, fix: Fix, fields: Fields) -> None:
    for node, step in zip(fields.items("steps"), fix.steps, strict=False):
        at = Fields(node, fields.problems, step.name)
        if step.run:
            _report(at, "run", _command_mistakes(rule, step.run))
        if step.restart_unit is not None:
            _report(at, "unit", _unit_mistakes(rule, step.restart_unit))
        _report(at, "sandbox", _sandbox_mistakes(rule, step.sandbox))
    if (verify := fields.mapping("verify")) is None:
        return
    for probe in fix.verify.probes:
        _report(verify, _key_of(probe), _probe_mistakes(rule, probe))


def _key_of(probe: Probe) -> str:
    return {HttpProbe: "http", TcpProbe: "tcp", CommandProbe: "command"}[type(probe)]


def _command_mistakes(rule: Rule, argv: tuple[str, ...]) -> Iterator[Mistake]:
    if not argv[0].startswith("/") or "{" in argv[0]:
        yield f"the program `{argv[0][:80]}` is no fixed absolute path", "write it out: /usr/bin/systemctl"
    for argument in argv[1:]:
        yield from _placeholders(rule, argument, "`run`")
        yield from _free_paths(rule, argument)
    shell = argv[0].rpartition("/")[2] in _SHELLS
    if shell and any(_PLACEHOLDER.search(argument) for argument in argv[1:]):
        yield "a capture must not reach a shell", "put the shell's work into a script, and run that with the capture"


def _free_paths(rule: Rule, argument: str) -> Iterator[Mistake]:
    for name in _PLACEHOLDER.findall(argument):
        capture = rule.match.captures.get(name)
        if capture is not None and capture.type is CaptureType.PATH and not capture.allow:
            yield f"the path `{{{name}}}` could be any", f"bound it: {name}: {{ type: path, allow: [/var/spool/app] }}"


def _unit_mistakes(rule: Rule, unit: str) -> Iterator[Mistake]:
    yield from _placeholders(rule, unit, "`unit`")
    for name in _PLACEHOLDER.findall(unit):
        capture = rule.match.captures.get(name)
        if capture is not None and capture.type is not CaptureType.ENUM and not capture.allow:
            yield f"the unit `{{{name}}}` could be any", f"bound it: {name}: {{ type: unit, allow: [app.service] }}"


def _sandbox_mistakes(rule: Rule, sandbox: SandboxSpec) -> Iterator[Mistake]:
    for path in (*sandbox.write, *sandbox.read):
        if not path.startswith("/") or ".." in path.split("/"):
            yield f"`{path[:80]}` is no absolute path", "write it out, without `..`"
        if _PLACEHOLDER.search(path):
            yield f"`{path[:80]}`: what a sandbox may see must not come from a log line", "write the directory out"
    for path in sandbox.write:
        if (path.rstrip("/") or "/") in _NEVER_WRITTEN:
            yield f"`{path}` may not be writable", "name the directory that the fix is about"


def _probe_mistakes(rule: Rule, probe: Probe) -> Iterator[Mistake]:
    match probe:
        case CommandProbe():
            yield from _command_mistakes(rule, probe.run)
            yield from _sandbox_mistakes(rule, probe.sandbox)
        case HttpProbe():
            yield from _placeholders(rule, probe.url, "`get`")
            yield from _aim(rule, probe.url)
            yield from _url_mistakes(probe.url)
        case TcpProbe():
            yield from _placeholders(rule, probe.address, "`connect`")
            yield from _aim(rule, probe.address)
            if ":" not in probe.address and "{" not in probe.address:
                yield f"`{probe.address}` has no port", "write host:port"


def _url_mistakes(url: str) -> Iterator[Mistake]:
    try:
        parts = urlsplit(_PLACEHOLDER.sub("x", url))
        wrong = parts.scheme not in ("http", "https") or not parts.netloc or "@" in parts.netloc
    except ValueError:
        wrong = True
    if wrong:
        yield f"`{url[:80]}` is no http:// or https:// address", "http://127.0.0.1:8080/healthz"


def _aim(rule: Rule, address: str) -> Iterator[Mistake]:
    """A forged line must not aim the probe elsewhere."""
    for name in _PLACEHOLDER.findall(address):
        capture = rule.match.captures.get(name)
        if capture is None:
            continue
        if capture.type not in _AIMED:
            yield f"a {capture.type} cannot stand in an address", "use hostport, ip, hostname, int or enum"
        elif capture.type not in (CaptureType.INT, CaptureType.ENUM) and not capture.allow:
            hint = f"bound it: {name}: {{ type: {capture.type}, allow: [10.0.0.0/8] }}"
            yield f"a forged line could aim the probe by `{{{name}}}`", hint
