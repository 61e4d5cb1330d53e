"""What a step may see and use of the host; it gets nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class SandboxKind(StrEnum):
    """`sandbox` is the tier that this host has; `none` needs actions.allow_unsandboxed as well."""

    SANDBOX = "sandbox"
    NONE = "none"


class Network(StrEnum):
    """NONE: not even the host's loopback. LOOPBACK: 127.0.0.0/8 and ::1 of the host, which only the unit tier can
    hold to. FULL: all of the host's."""

    NONE = "none"
    LOOPBACK = "loopback"
    FULL = "full"


@dataclass(frozen=True, slots=True)
class SandboxSpec:
    """`write` and `read`: absolute paths that are there inside; nothing else of the host but /usr is. `memory_bytes`:
    of all of it together in the unit tier, of each process elsewhere. `cpu`: seconds of processor time of each process;
    None: as long as its timeout. `user`: the account that it runs as; empty: one that owns nothing. root needs
    actions.allow_root as well."""

    kind: SandboxKind = SandboxKind.SANDBOX
    write: tuple[str, ...] = ()
    read: tuple[str, ...] = ()
    network: Network = Network.NONE
    memory_bytes: int = 256 * 1024 * 1024
    tasks: int = 64
    file_bytes: int = 16 * 1024 * 1024
    cpu: timedelta | None = None
    user: str = ""
