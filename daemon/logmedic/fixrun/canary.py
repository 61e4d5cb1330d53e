"""`python -I -S canary.py NONCE SECRET SOCKET PORT`: tries to get out of the sandbox that it is run in, before any fix
may be run there. Says `held NONCE`, or `escaped: ` and how. Standard library only."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress

TRY_S = 1.0
_OF_EVERY_HOST = ("/etc/shadow", "/run/systemd/private", "/var/log", "/boot")
FORKS = 200


def main(nonce: str, secret: str, address: str, port: str) -> str:
    tries: Sequence[tuple[str, Callable[[], bool]]] = (
        ("it is root", lambda: os.getuid() == 0),
        ("it could read a secret of the daemon", lambda: _reads(secret)),
        ("it sees the daemon's files", lambda: os.path.lexists(secret) or os.path.lexists(address)),
        ("it sees the rest of the host", lambda: any(map(os.path.lexists, _OF_EVERY_HOST))),
        ("it could connect to a socket in /run", lambda: _connects(socket.AF_UNIX, address)),
        ("it could connect to the host's loopback", lambda: _connects(socket.AF_INET, ("127.0.0.1", int(port)))),
        ("it has a network", _has_network),
        ("it could write to /etc", lambda: _writes("/etc/logmedic-canary")),
        ("it could write to /usr", lambda: _writes("/usr/logmedic-canary")),
        ("it could change its entry", lambda: _writes("/etc/logmedic/fixes/canary.json")),
        ("no filter of system calls is on", lambda: _status("Seccomp") != "2"),
        ("it could gain privileges", lambda: _status("NoNewPrivs") != "1"),
        ("it has capabilities", lambda: set(_status("CapBnd") + _status("CapEff")) != {"0"}),
        ("it could make a user namespace", _makes_namespace),
        ("it could start any number of tasks", _forks),
    )
    for said, escaped in tries:
        if escaped():
            return f"escaped: {said}"
    return f"held {nonce}"


def _reads(path: str) -> bool:
    try:
        with open(path, "rb"):
            return True
    except OSError:
        return False


def _writes(path: str) -> bool:
    try:
        with open(path, "ab"):
            return True
    except OSError:
        return False


def _connects(family: socket.AddressFamily, address: str | tuple[str, int]) -> bool:
    try:
        with socket.socket(family) as tried:
            tried.settimeout(TRY_S)
            tried.connect(address)
            return True
    except OSError:
        return False


def _has_network() -> bool:
    return [name for _, name in socket.if_nameindex()] not in ([], ["lo"]) if _may_ask() else False


def _may_ask() -> bool:
    """For the names of interfaces a netlink socket is needed, which the filter may refuse."""
    with suppress(OSError):
        socket.if_nameindex()
        return True
    return False


def _status(key: str) -> str:
    with open("/proc/self/status", encoding="ascii", errors="replace") as file:
        lines = dict(line.split(":", 1) for line in file if ":" in line)
    return lines[key].strip()


def _makes_namespace() -> bool:
    try:
        return (
            subprocess.run(["/usr/bin/unshare", "--user", "/bin/true"], capture_output=True, check=False).returncode
            == 0
        )
    except OSError:
        return False


def _forks() -> bool:
    """At the limit a fork fails. All of them are reaped."""
    children: list[int] = []
    reading, writing = os.pipe()
    try:
        for _ in range(FORKS):
            child = os.fork()
            if child == 0:
                os.close(writing)
                os.read(reading, 1)  # until all are there
                os._exit(0)
            children.append(child)
    except OSError:
        return False
    finally:
        os.close(writing)
        os.close(reading)
        for child in children:
            os.waitpid(child, 0)
    return True


if __name__ == "__main__":
    print(main(*sys.argv[1:5]))
