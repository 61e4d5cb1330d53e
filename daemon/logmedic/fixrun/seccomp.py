"""A filter of system calls for fixes, as the bytes that bubblewrap loads.

What a fix has no business with is answered by EPERM; the rest is left to the namespaces and limits. Numbers are those
of the kernel's tables for each machine.
"""

from __future__ import annotations

import errno
import struct
from collections.abc import Sequence

_LOAD_WORD, _JUMP_EQUAL, _JUMP_AT_LEAST, _JUMP_ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _KILL = 0x7FFF0000, 0x80000000
_DENY = 0x00050000
_OFFSET_NUMBER, _OFFSET_MACHINE, _OFFSET_FIRST_ARGUMENT = 0, 4, 16
_NEW_USER_NAMESPACE = 0x10000000
_X32 = 0x40000000

_MACHINES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_CLONE = {"x86_64": 56, "aarch64": 220}
_SOCKET = {"x86_64": 41, "aarch64": 198}
_UNIX, _INTERNET = 1, (2, 10)
"""AF_UNIX; AF_INET, AF_INET6. No others: a host that is a virtual machine is reached by AF_VSOCK from whatever network
namespace, and AF_ALG and the like are much of the kernel for nothing."""
_CLONE3 = 435
_SAME = {
    "pidfd_getfd": 438,
    "io_uring_setup": 425,
    "io_uring_enter": 426,
    "io_uring_register": 427,
    "open_tree": 428,
    "move_mount": 429,
    "fsopen": 430,
    "fsconfig": 431,
    "fsmount": 432,
    "fspick": 433,
    "mount_setattr": 442,
}
"""Calls newer than the common numbering have one number everywhere."""
_DENIED = {
    "x86_64": {
        **_SAME,
        "ptrace": 101,
        "syslog": 103,
        "personality": 135,
        "vhangup": 153,
        "pivot_root": 155,
        "adjtimex": 159,
        "chroot": 161,
        "acct": 163,
        "settimeofday": 164,
        "mount": 165,
        "umount2": 166,
        "swapon": 167,
        "swapoff": 168,
        "reboot": 169,
        "iopl": 172,
        "ioperm": 173,
        "init_module": 175,
        "delete_module": 176,
        "quotactl": 179,
        "clock_settime": 227,
        "kexec_load": 246,
        "add_key": 248,
        "request_key": 249,
        "keyctl": 250,
        "unshare": 272,
        "move_pages": 279,
        "perf_event_open": 298,
        "name_to_handle_at": 303,
        "open_by_handle_at": 304,
        "clock_adjtime": 305,
        "setns": 308,
        "process_vm_readv": 310,
        "process_vm_writev": 311,
        "kcmp": 312,
        "finit_module": 313,
        "kexec_file_load": 320,
        "bpf": 321,
        "userfaultfd": 323,
    },
    "aarch64": {
        **_SAME,
        "umount2": 39,
        "mount": 40,
        "pivot_root": 41,
        "chroot": 51,
        "vhangup": 58,
        "quotactl": 60,
        "acct": 89,
        "personality": 92,
        "unshare": 97,
        "kexec_load": 104,
        "init_module": 105,
        "delete_module": 106,
        "clock_settime": 112,
        "syslog": 116,
        "ptrace": 117,
        "reboot": 142,
        "settimeofday": 170,
        "adjtimex": 171,
        "add_key": 217,
        "request_key": 218,
        "keyctl": 219,
        "swapon": 224,
        "swapoff": 225,
        "move_pages": 239,
        "perf_event_open": 241,
        "name_to_handle_at": 264,
        "open_by_handle_at": 265,
        "clock_adjtime": 266,
        "setns": 268,
        "process_vm_readv": 270,
        "process_vm_writev": 271,
        "kcmp": 272,
        "finit_module": 273,
        "bpf": 280,
        "userfaultfd": 282,
        "kexec_file_load": 294,
    },
}


def program(machine: str, *, internet_only: bool = False) -> bytes:
    """The filter for `machine` (`os.uname().machine`). `internet_only`: no sockets but of IPv4 and IPv6, not even Unix
    ones: beside the host's network its abstract ones are there too, and no mount hides those. Raises KeyError for an
    unknown machine: then no fix runs."""
    deny, unknown = _return(_DENY | errno.EPERM), _return(_DENY | errno.ENOSYS)
    code = [
        _load(_OFFSET_MACHINE),
        *_if(_JUMP_EQUAL, _MACHINES[machine], [_load(_OFFSET_NUMBER)], otherwise=[_return(_KILL)]),
    ]
    if machine == "x86_64":
        code += _if(_JUMP_AT_LEAST, _X32, [deny])
    for number in sorted(set(_DENIED[machine].values())):
        code += _if(_JUMP_EQUAL, number, [deny])
    code += _if(_JUMP_EQUAL, _CLONE3, [unknown])  # its flags lie in memory, where no filter looks: libc then uses clone
    families = _INTERNET if internet_only else (_UNIX, *_INTERNET)
    code += _if(_JUMP_EQUAL, _SOCKET[machine], _families(families))
    flags = [_load(_OFFSET_FIRST_ARGUMENT), *_if(_JUMP_ANY_BIT, _NEW_USER_NAMESPACE, [deny]), _return(_ALLOW)]
    code += _if(_JUMP_EQUAL, _CLONE[machine], flags)
    return b"".join([*code, _return(_ALLOW)])


def _families(families: Sequence[int]) -> list[bytes]:
    allowed = [each for family in families for each in _if(_JUMP_EQUAL, family, [_return(_ALLOW)])]
    return [_load(_OFFSET_FIRST_ARGUMENT), *allowed, _return(_DENY | errno.EAFNOSUPPORT)]


def _instruction(code: int, value: int, when_true: int = 0, when_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, when_true, when_false, value)


def _load(offset: int) -> bytes:
    return _instruction(_LOAD_WORD, offset)


def _return(value: int) -> bytes:
    return _instruction(_RETURN, value)


def _if(jump: int, value: int, then: list[bytes], otherwise: list[bytes] | None = None) -> list[bytes]:
    """`otherwise`, when given, has to return; `then` follows it."""
    if otherwise is None:
        return [_instruction(jump, value, 0, len(then)), *then]
    return [_instruction(jump, value, len(otherwise), 0), *otherwise, *then]
