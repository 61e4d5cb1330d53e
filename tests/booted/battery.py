"""What a hostile step tries, each as a program of its own; `escaped` in its output is an escape, and `tried` that it
ran."""

from __future__ import annotations

import os

from fixes.test_escape_battery import NUMBERS, SYSCALL

CONNECT = """
import socket
s = socket.socket({family})
s.settimeout(2)
s.connect({address!r})
print("escaped")
"""
PYTHON = "#!/usr/bin/python3 -I\nprint('tried', flush=True)\n"
SHELL = "#!/bin/sh\necho tried\n"
_HIDDEN = ("/etc/shadow", "/root/.x", "/var/log", "/etc/ssh", "/boot", "/srv/app", "/var/lib/logmedic", "/run/dbus")
_UNWRITABLE = (
    "/etc/x",
    "/usr/x",
    "/usr/bin/true",
    "/x",
    "/run/x",
    "/dev/x",
    "/bin/x",
    "/home/x",
    "/var/x",
    "/var/tmp/x",
)
_PRIVILEGED = {
    "mount": "mount -t tmpfs x /tmp",
    "user namespace": "unshare --user true",
    "mount namespace": "unshare --mount true",
    "chroot": "chroot / true",
    "mknod": "mknod /tmp/disk b 8 0",
    "su": "su -c true",
    "dmesg": "dmesg",
    "clock": "date -s 2020-01-01",
    "sysctl": "echo 1 > /proc/sys/kernel/panic",
    "sysrq": "echo c > /proc/sysrq-trigger",
    "hostname": "hostname x",
    "systemctl": "systemctl restart dbus.service",
    "busctl": "busctl list",
    "own entry": ": >> /etc/logmedic/fixes/canary.json",
    "sockets of fixes": "ls /run/logmedic-fix",
    "terminal": ": > /dev/tty",
    "runner's descriptors": 'ls "/proc/$PPID/fd/0"',
    "runner's memory": 'head -c 1 "/proc/$PPID/mem"',
    "runner's socket": 'echo unit success exited 0 > "/proc/$PPID/fd/0"',
}


def attempts() -> dict[str, str]:
    """Program text by name (a word)."""
    found: dict[str, str] = {}
    for path in _HIDDEN:
        found[f"see{path}"] = (
            f'{SHELL}[ -e {path} ] && [ -n "$(cat {path} 2>/dev/null || ls -A {path})" ] && echo escaped\n'
        )
    for path in _UNWRITABLE:
        found[f"write{path}"] = f"{SHELL}(: >> {path}) 2>/dev/null && echo escaped\n"
    for name, command in _PRIVILEGED.items():
        found[name] = f"{SHELL}({command}) >/dev/null 2>&1 && echo escaped\n"
    for name, numbers in NUMBERS[os.uname().machine].items():
        words = ["try", *map(str, numbers)]
        check = "print('escaped' if result != -1 else '')\n"
        found[f"call {name}"] = f"{PYTHON}import sys\nsys.argv = {words!r}\n{SYSCALL}{check}"
    found |= {
        "loopback": PYTHON + CONNECT.format(family="socket.AF_INET", address=("127.0.0.1", 4040)),
        "abstract socket": PYTHON + CONNECT.format(family="socket.AF_UNIX", address="\0logmedic-test"),
        "socket in run": PYTHON + CONNECT.format(family="socket.AF_UNIX", address="/run/logmedic-test"),
        "journal socket": PYTHON + CONNECT.format(family="socket.AF_UNIX", address="/run/systemd/private"),
        "processes": SHELL
        + "[ $(ls -d /proc/[0-9]* | wc -l) -gt 8 ] && echo escaped\nkill -9 1 2>/dev/null && echo escaped\n",
        "victim": SHELL + 'kill -9 "$(cat /usr/lib/battery/victim.pid)" 2>/dev/null && echo escaped\n',
        "root": SHELL + '[ "$(id -u)" = 0 ] && echo escaped\n',
        "privileges": SHELL
        + "grep -E '^(NoNewPrivs|CapEff|CapBnd|Seccomp):' /proc/self/status | tr -s '\\t\\n' ' ' | "
        + "grep -q 'CapEff: 0000000000000000 CapBnd: 0000000000000000 NoNewPrivs: 1 Seccomp: 2' || echo escaped\n",
        "devices": SHELL + "ls /dev | grep -E '^(sd|vd|nvme|mem|kmsg)' && echo escaped\n",
        "environment": SHELL + "env | cut -d= -f1 | grep -vE '^(PATH|LANG|HOME|PWD|_)$' && echo escaped\n",
        "descriptors": SHELL + "ls -l /proc/self/fd | grep -E 'socket|rate' && echo escaped\n",
    }
    return {name.replace("/", "_").replace(" ", "-").replace("'", ""): text for name, text in found.items()}
