"""The built-in fix that tries to get out, before any other may run (I8)."""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from logmedic.model.sandbox import SandboxSpec

TASKS = 20
SPEC = SandboxSpec(tasks=TASKS, memory_bytes=256 * 1024 * 1024)

_SCRIPT = """
say() { echo "escaped: $1"; exit 3; }
cat "$2" >/dev/null 2>&1 && say "it could read a secret of the daemon"
[ -e "$2" ] && say "it sees the daemon's files"
for pair in $3; do
  [ "$(readlink /proc/self/ns/${pair%%=*})" = "${pair#*=}" ] && say "it shares the host's ${pair%%=*} namespace"
done
[ "$(grep -c : /proc/net/dev)" -gt 1 ] && say "it has a network"
[ -n "$(ls -A /run)" ] && say "it sees /run"
(: > /etc/logmedic-canary) 2>/dev/null && say "it could write to /etc"
(: > /usr/logmedic-canary) 2>/dev/null && say "it could write to /usr"
[ -r /etc/shadow ] && say "it could read /etc/shadow"
[ "$(id -u)" -eq 0 ] && say "it is root"
status() { sed -n "s/^$1:[[:space:]]*//p" /proc/self/status; }
[ "$(status Seccomp)" = 2 ] || say "no filter of system calls is on"
[ "$(status NoNewPrivs)" = 1 ] || say "it could gain privileges"
[ "$(status CapBnd)" = 0000000000000000 ] || say "it has capabilities"
tasks=$(sed -n 's/^Max processes *\\([0-9]*\\).*/\\1/p' /proc/self/limits)
[ "$tasks" -le "$4" ] || say "the number of its tasks is not limited"
unshare --user true 2>/dev/null && say "it could make a user namespace"
echo "held $1"
"""


@dataclass(frozen=True, slots=True)
class Canary:
    """`argv` to run in the sandbox; it held when the output is exactly `answer`."""

    argv: tuple[str, ...]
    answer: str


@contextmanager
def canary(most_tasks: int, namespaces: Iterable[str]) -> Iterator[Canary]:
    """With a secret that it must not reach; removed at the end. `most_tasks`: the limit that it may see; `namespaces`:
    those that it must not share with us."""
    nonce = secrets.token_hex(8)
    ours = " ".join(f"{name}={os.readlink(f'/proc/self/ns/{name}')}" for name in namespaces)
    with tempfile.TemporaryDirectory(prefix="logmedic-canary-") as room:
        secret = Path(room) / "secret"
        secret.touch(0o600)
        secret.write_text(nonce)
        yield Canary(("/bin/sh", "-c", _SCRIPT, "canary", nonce, str(secret), ours, str(most_tasks)), f"held {nonce}\n")
