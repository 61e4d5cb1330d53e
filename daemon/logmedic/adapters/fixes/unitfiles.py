"""The units of installed fixes, as text. Pure.

What the sandbox shows: the service gets a root of its own, an empty directory, with /usr (and /bin, /lib, /lib64,
/sbin), a few files of /etc, its entry of the catalogue, the runner, and what its step declares. systemd puts /proc
(processes of its own user only), a /dev without devices and a /run there, in which /run/systemd/incoming is, empty.
/tmp is a directory of its own on a small disk in memory that all fixes share, gone with the process.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil
from posixpath import normpath

from logmedic.adapters.fixes.catalogue import Installable
from logmedic.core.stepneeds import needs_of
from logmedic.model.sandbox import Network
from logmedic.model.step import KillProcess, RotateLog, Step

UNITS = "/etc/systemd/system"
ENTRIES = "/etc/logmedic/fixes"
SOCKETS = "/run/logmedic-fix"
ROOTS = "/var/lib/logmedic-fix"
TEMPORARY = "/run/logmedic_fix_tmp"
MOUNT = "run-logmedic_fix_tmp.mount"
_TEMPORARY_BYTES, _TEMPORARY_FILES = 16 * 1024**2, 4096
"""For each that may run at the same time."""
_OWN_MEMORY = 24 * 1024**2
"""Of the runner around the step: 12 MB, measured, and room."""
_OWN_TASKS = 4
_SPARE_S = 5
"""After the step's own timeout: its result is told by then."""
_SMALLEST_FILE = 1024**2
"""The unit's limit; the step's own, which may be smaller, is set by the runner."""
_PLAIN = re.compile(r"/[A-Za-z0-9._/@+,=~-]*", re.ASCII)
"""What needs no quoting in a unit: no space, no colon, no percent sign."""
_ACCOUNT = re.compile(r"[a-z_][a-z0-9_-]{0,30}", re.ASCII)
_OF_ETC = ("ld.so.cache", "passwd", "group", "alternatives", "localtime", "ssl/openssl.cnf")
_OF_ETC_FOR_NETWORKS = ("hosts", "nsswitch.conf", "resolv.conf", "services", "ssl/certs", "pki")
_SYSTEM = ("/usr", "-/bin", "-/lib", "-/lib64", "-/sbin")
_HOMES = ("/home/", "/root/", "/run/user/")


@dataclass(frozen=True, slots=True)
class Ground:
    """Where logmedic is on this host. `python`: the base interpreter (no virtual environment's); `prefix`: what it
    needs beside /usr, or empty. `package`: the directory of logmedic. `daemon`: the daemon's user. `group`: one that
    fixes without a user of their own are in, or empty. `concurrency`: fixes that the daemon runs at the same time."""

    python: str
    package: str
    prefix: str = ""
    daemon: str = "logmedic"
    group: str = ""
    concurrency: int = 2


def unfit(fix: Installable, *, allow_root: bool) -> str:
    """Why it cannot be made a unit of, or nothing."""
    spec = needs_of(fix.step)
    if spec.user == "root" and not allow_root:
        return "`user: root` needs actions.allow_root"
    if spec.user and not _ACCOUNT.fullmatch(spec.user):
        return f"{spec.user!r} is no name of an account"
    for path in (*spec.write, *spec.read):
        if not _PLAIN.fullmatch(path) or path.rstrip("/") != _plainly(path):  # systemd would see it as another one
            return f"{path!r} cannot be written into a unit: letters, digits and ._/@+,=~- only, and no //, . or .."
    return fix.problem


def _plainly(path: str) -> str:
    return "/" + normpath(path).lstrip("/")


def socket_unit(fix: Installable, ground: Ground) -> str:
    """The trigger limit is the last resort: what passes it ends the socket until root starts it again. The runner's own
    count (fixrun/rate.py) comes long before."""
    return f"""# Made by `logmedic install fixes`: changes are overwritten.
[Unit]
Description=logmedic fix {fix.name}{_told(fix)}

[Socket]
ListenStream={SOCKETS}/{fix.name}.sock
Accept=yes
SocketMode=0600
SocketUser={ground.daemon}
DirectoryMode=0755
RemoveOnStop=yes
MaxConnections={2 * ground.concurrency}
TriggerLimitIntervalSec=1min
TriggerLimitBurst={max(200, 4 * fix.burst)}

[Install]
WantedBy=sockets.target
"""


def _told(fix: Installable) -> str:
    """For people who list units: names are the operator's text, and only their plainest characters stay."""
    words = sorted({re.sub(r"[^A-Za-z0-9._-]", "?", rule_id)[:60] for rule_id in fix.uses})
    return f" ({', '.join(words[:3])})" if words else ""


def temporary_mount(ground: Ground) -> str:
    """Where steps without a user of their own have their /tmp. In /run itself, which is the host's, they could fill
    that: of the memory and the files there only the memory controller of cgroup v2 keeps count, where there is one."""
    most = 2 * ground.concurrency
    return f"""# Made by `logmedic install fixes`: changes are overwritten.
[Unit]
Description=/tmp of logmedic fixes

[Mount]
What=tmpfs
Where={TEMPORARY}
Type=tmpfs
Options=mode=0755,nosuid,nodev,size={most * _TEMPORARY_BYTES},nr_inodes={most * _TEMPORARY_FILES}
"""


def service_unit(fix: Installable, ground: Ground) -> str:
    """ExecStopPost tells the service manager's own verdict on the same connection: it, and not what the fix says, is
    the result. The socket is standard input, of which the step gets nothing."""
    lines = [
        f"ExecStart={ground.python} -I -S {ground.package}/fixrun/serve.py {fix.name}",
        'ExecStopPost=/bin/sh -c "echo unit $$SERVICE_RESULT $$EXIT_CODE $$EXIT_STATUS >&0"',
        "StandardInput=socket",
        f"StandardOutput=append:{SOCKETS}/.{fix.name}.rate",
        "StandardError=journal",
        "SyslogIdentifier=logmedic-fix",
        *_identity(fix, ground),
        *_view(fix, ground),
        *_network(fix.step.sandbox.network),
        *_limits(fix.step),
        *_PROTECTED,
        *_calls(fix.step),
    ]
    needs_mount = f"Requires={MOUNT}\nAfter={MOUNT}\n"
    return f"""# Made by `logmedic install fixes`: changes are overwritten.
[Unit]
Description=logmedic fix {fix.name}{_told(fix)}
CollectMode=inactive-or-failed
{"" if fix.step.sandbox.user else needs_mount}
[Service]
""" + "".join(f"{line}\n" for line in lines)


def _identity(fix: Installable, ground: Ground) -> Iterator[str]:
    user = fix.step.sandbox.user
    if user:
        yield f"User={user}"
    else:
        yield "DynamicUser=yes"
        if ground.group:
            yield f"SupplementaryGroups={ground.group}"
    capabilities = _capabilities(fix.step)
    yield f"CapabilityBoundingSet={capabilities}"
    yield "AmbientCapabilities="
    yield f"PrivateUsers={'no' if capabilities else 'yes'}"


def _capabilities(step: Step) -> str:
    """Only root's steps have any, and only what they are for."""
    if step.sandbox.user != "root":
        return ""
    match step.action:
        case KillProcess():
            return "CAP_KILL"
        case RotateLog():
            return "CAP_CHOWN CAP_DAC_OVERRIDE CAP_FOWNER CAP_SETGID CAP_SETUID"
    return ""


def _view(fix: Installable, ground: Ground) -> Iterator[str]:
    spec = needs_of(fix.step)
    yield f"RootDirectory={ROOTS}/{fix.name}"
    yield "MountAPIVFS=yes"
    etc = [*_OF_ETC, *(_OF_ETC_FOR_NETWORKS if spec.network is not Network.NONE else ())]
    yield f"BindReadOnlyPaths={' '.join([*_SYSTEM, *(f'-/etc/{each}' for each in etc)])}"
    own = [ground.prefix, f"{ground.package}/__init__.py", f"{ground.package}/fixrun", f"{ENTRIES}/{fix.name}.json"]
    yield f"BindReadOnlyPaths={' '.join(each for each in own if each)}"
    yield from (f"BindReadOnlyPaths={path}" for path in spec.read)
    yield from (f"BindPaths={path}" for path in spec.write)
    homes = any(f"{path}/".startswith(_HOMES) for path in (*spec.read, *spec.write))
    yield f"ProtectHome={'tmpfs' if homes else 'yes'}"
    yield "TemporaryFileSystem=/run:ro /dev/shm:size=1M,mode=1777"
    yield "InaccessiblePaths=+/var/tmp +/sys"
    if spec.user:
        yield f"TemporaryFileSystem=/tmp:size=16M,nr_inodes={_TEMPORARY_FILES},mode=1777"
    else:  # with DynamicUser /tmp is the host's disk; a bind over it wins
        yield f"RuntimeDirectory={TEMPORARY.removeprefix('/run/')}/{fix.name}-%i"
        yield "RuntimeDirectoryMode=0700"
        yield f"BindPaths={TEMPORARY}/{fix.name}-%i:/tmp"
    kills = isinstance(fix.step.action, KillProcess)  # it has to see whom its unit has
    yield f"ProtectProc={'default' if kills else 'invisible'}"
    yield "ProcSubset=pid"


def _network(network: Network) -> tuple[str, ...]:
    """Beside a network of the host its abstract Unix sockets are there too, and nothing but their whole family can be
    closed."""
    match network:
        case Network.NONE:
            return "PrivateNetwork=yes", "RestrictAddressFamilies=AF_UNIX", "IPAddressDeny=any"
        case Network.LOOPBACK:
            return (
                "PrivateNetwork=no",
                "RestrictAddressFamilies=AF_INET AF_INET6",
                "IPAddressDeny=any",
                "IPAddressAllow=localhost",
            )
        case Network.FULL:
            return "PrivateNetwork=no", "RestrictAddressFamilies=AF_INET AF_INET6"


def _limits(step: Step) -> tuple[str, ...]:
    spec = step.sandbox
    timeout_s = ceil(step.timeout.total_seconds())
    cpu_s = ceil(spec.cpu.total_seconds()) if spec.cpu is not None else timeout_s
    return (
        f"MemoryMax={spec.memory_bytes + _OWN_MEMORY}",
        "MemorySwapMax=0",
        f"TasksMax={spec.tasks + _OWN_TASKS}",
        f"RuntimeMaxSec={timeout_s + _SPARE_S}",
        "TimeoutStopSec=5",
        f"LimitFSIZE={max(spec.file_bytes, _SMALLEST_FILE)}",
        f"LimitCPU={cpu_s + _SPARE_S}",
        "LimitCORE=0",
        "LimitNOFILE=1024",
        "LimitMEMLOCK=0",
        "LimitMSGQUEUE=0",
        "OOMPolicy=kill",
        "KillMode=control-group",
    )


_PROTECTED = (
    "UMask=0077",
    "NoNewPrivileges=yes",
    "ProtectSystem=strict",
    "PrivateDevices=yes",
    "DevicePolicy=closed",
    "PrivateMounts=yes",
    "PrivateIPC=yes",
    "RemoveIPC=yes",
    "KeyringMode=private",
    "ProtectClock=yes",
    "ProtectHostname=yes",
    "ProtectControlGroups=yes",
    "ProtectKernelLogs=yes",
    "ProtectKernelModules=yes",
    "ProtectKernelTunables=yes",
    "RestrictNamespaces=yes",
    "RestrictRealtime=yes",
    "RestrictSUIDSGID=yes",
    "LockPersonality=yes",
    "MemoryDenyWriteExecute=yes",
    "SystemCallArchitectures=native",
    "SystemCallErrorNumber=EPERM",
    "SystemCallFilter=@system-service",
)


def _calls(step: Step) -> Iterator[str]:
    yield "SystemCallFilter=~@aio @keyring"
    yield "SystemCallFilter=~@privileged"
    if "CAP_CHOWN" in _capabilities(step):
        yield "SystemCallFilter=@chown @setuid"
