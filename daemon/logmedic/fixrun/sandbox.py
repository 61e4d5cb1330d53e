"""The command line of the sandbox around one step."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

SHARED_MEMORY_BYTES = 1 << 20
TEMPORARY_BYTES = 16 << 20
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_OF_ETC = ("ld.so.cache", "passwd", "group", "alternatives", "localtime", "ssl/openssl.cnf")
"""What programs need of /etc: libraries, names, Debian's links, the time zone, how to do cryptography."""
_OF_ETC_FOR_NETWORKS = (
    *("hosts", "nsswitch.conf", "resolv.conf", "services", "ssl/certs"),
    *("pki/tls", "pki/ca-trust", "ca-certificates"),
)
"""How names are looked up, and whom to believe."""
_OF_ROOT = ("bin", "lib", "lib64", "sbin")


def command(
    bwrap: str,
    argv: Sequence[str],
    *,
    write: Sequence[str],
    read: Sequence[str],
    isolation: Sequence[str],
    networked: bool,
    seccomp: int,
    status: int,
) -> list[str]:
    """`isolation`: options for it beside those for users and mounts; `networked`: it has the host's network; `seccomp`:
    the descriptor that the filter is read from; `status`: one that gets bubblewrap's JSON."""
    return [
        bwrap,
        *("--ro-bind", "/usr", "/usr"),
        *_system(),
        *(_of_etc(_OF_ETC_FOR_NETWORKS) if networked else ()),
        *("--proc", "/proc", "--dev", "/dev"),
        *("--size", str(SHARED_MEMORY_BYTES), "--tmpfs", "/dev/shm"),
        *("--size", str(TEMPORARY_BYTES), "--tmpfs", "/tmp"),
        *("--tmpfs", "/run"),
        *_binds(read, write),
        *("--remount-ro", "/dev", "--remount-ro", "/run", "--remount-ro", "/"),
        *("--unshare-user", *isolation, "--die-with-parent", "--new-session"),
        *("--cap-drop", "ALL", "--clearenv", "--setenv", "PATH", PATH),
        *("--setenv", "LANG", "C.UTF-8", "--setenv", "HOME", "/tmp"),
        *("--chdir", "/tmp"),
        *("--seccomp", str(seccomp), "--json-status-fd", str(status)),
        *("--", *argv),
    ]


def _system() -> Iterator[str]:
    """The directories beside /usr, as links where they are links."""
    for name in _OF_ROOT:
        path = f"/{name}"
        if os.path.islink(path):
            yield from ("--symlink", os.readlink(path), path)
        elif os.path.isdir(path):
            yield from ("--ro-bind", path, path)
    yield from _of_etc(_OF_ETC)


def _of_etc(names: Sequence[str]) -> Iterator[str]:
    for name in names:
        yield from ("--ro-bind-try", f"/etc/{name}", f"/etc/{name}")


def _binds(read: Sequence[str], write: Sequence[str]) -> Iterator[str]:
    """What lies deeper comes later, and so decides."""
    ways = [(path, "--ro-bind") for path in read] + [(path, "--bind") for path in write]
    for path, way in sorted(ways, key=lambda each: len(os.path.normpath(each[0]).strip("/").split("/"))):
        yield from (way, path, path)
