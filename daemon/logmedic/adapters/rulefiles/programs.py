"""What would be unsafe about a program, its arguments and its sandbox (I7, I8)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from posixpath import normpath

from logmedic.adapters.rulefiles.bounds import how_to_bound
from logmedic.adapters.rulefiles.deleting import OF_THE_DAEMON, is_below
from logmedic.adapters.rulefiles.placeholders import Mistake, captures_in, names_in, placeholder_mistakes
from logmedic.model.match import CaptureType
from logmedic.model.rule import Rule
from logmedic.model.sandbox import SandboxSpec

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
_USER = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,31}\Z", re.ASCII)
_NEVER_WRITTEN = frozenset(
    "/" + each
    for each in (
        *("", "bin", "boot", "dev", "etc", "home", "lib", "lib32", "lib64", "proc", "root", "run", "sbin", "sys"),
        *("usr", "var", "var/lib", "var/run"),
    )
)
"""As a whole. What is below them may be what a fix is about."""
_NEVER_SHOWN = frozenset({"/", "/dev", "/proc", "/run", "/sys"})
"""Neither: all files of the host, its sockets, its devices."""
_OWN_ACCOUNT = "logmedic"


def command_mistakes(rule: Rule, argv: tuple[str, ...]) -> Iterator[Mistake]:
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
            yield f"the path `{{{name}}}` could be any", how_to_bound(name, capture, "/var/spool/app")


def sandbox_mistakes(sandbox: SandboxSpec) -> Iterator[Mistake]:
    for path in (*sandbox.write, *sandbox.read):
        if not path.startswith("/") or ".." in path.split("/"):
            yield f"`{path[:80]}` is no absolute path", "write it out, without `..`"
        if names_in(path):
            yield f"`{path[:80]}`: what a sandbox may see must not come from a log line", "write the directory out"
    for path in sandbox.write:
        whole = "/" + normpath(path).lstrip("/")
        if whole in _NEVER_WRITTEN or any(is_below(whole, each) for each in OF_THE_DAEMON):
            yield f"`{path[:80]}` may not be writable", "name the directory that the fix is about"
    for path in sandbox.read:
        if "/" + normpath(path).lstrip("/") in _NEVER_SHOWN:
            yield f"`{path[:80]}` may not be shown as a whole", "name the directories that the fix is about"
    if sandbox.user == _OWN_ACCOUNT:
        yield f"`{_OWN_ACCOUNT}` is the daemon's own account, which may read all that it stores", "user: app"
    if sandbox.user and not _USER.match(sandbox.user):
        yield f"`{sandbox.user[:80]}` is no fixed name of an account", "write it out: user: app"
