"""Disks that refuse: full ones, failing ones, read-only ones. All of them real: the kernel says no."""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import resource
import signal
import struct
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path


def may_mount() -> bool:
    """Root may, where the kernel lets it; others may not."""
    with tempfile.TemporaryDirectory() as room:
        mounted = subprocess.run(["mount", "-t", "tmpfs", "tmpfs", room], capture_output=True, check=False)
        if mounted.returncode == 0:
            subprocess.run(["umount", "-l", room], check=True)
        return mounted.returncode == 0


class Tmpfs:
    """A file system of `size`, filled and freed."""

    def __init__(self, path: Path, size: str = "3m") -> None:
        self._room = path.parent
        self._room.mkdir(parents=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", self._room], check=True)

    def fill(self) -> None:
        with (self._room / "ballast").open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(b"x" * 4096)

    def free(self) -> None:
        (self._room / "ballast").unlink(missing_ok=True)

    def make(self, mode: str) -> None:
        """`ro` or `rw`; nobody has a file of it open for writing."""
        subprocess.run(["mount", "-o", f"remount,{mode}", self._room], check=True)

    def close(self) -> None:
        subprocess.run(["umount", "-l", self._room], check=True)


class FileLimit:
    """No file may grow beyond `size` bytes, as for a user over quota."""

    def __init__(self, path: Path) -> None:
        self._before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        self._limits = resource.getrlimit(resource.RLIMIT_FSIZE)

    def fill(self, size: int = 4096) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, self._limits[1]))

    def free(self) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, self._limits)

    def close(self) -> None:
        self.free()
        signal.signal(signal.SIGXFSZ, self._before)


CALLS = {
    "x86_64": {"write": 1, "pwrite64": 18, "fsync": 74, "fdatasync": 75},
    "aarch64": {"write": 64, "pwrite64": 68, "fsync": 82, "fdatasync": 83},
}.get(platform.machine(), {})
_LOAD, _EQUAL, _AT_LEAST, _ANSWER = 0x20, 0x15, 0x35, 0x06
_ERROR, _ALLOW = 0x00050000, 0x7FFF0000
_NUMBER, _FIRST_ARGUMENT = 0, 16
_SET_NO_NEW_PRIVS, _SET_SECCOMP, _FILTER = 38, 22, 2
SICK_BELOW = 256
"""Files with a descriptor of this number or more are on a sound disk: a filter stays for as long as its thread lives,
and it sees numbers alone."""


def refuse_here(error: int, *calls: str) -> None:
    """From now on `calls` of this thread fail with `error`, in files whose descriptor is below SICK_BELOW (but for
    stdin, stdout and stderr). See seccomp(2), struct sock_filter."""
    program = b"".join(
        struct.pack("HBBI", code, yes, no, value)
        for code, yes, no, value in (
            (_LOAD, 0, 0, _NUMBER),
            *((_EQUAL, len(calls) - n, 0, CALLS[call]) for n, call in enumerate(calls)),
            (_ANSWER, 0, 0, _ALLOW),
            (_LOAD, 0, 0, _FIRST_ARGUMENT),
            (_AT_LEAST, 2, 0, SICK_BELOW),
            (_AT_LEAST, 0, 1, 3),
            (_ANSWER, 0, 0, _ERROR | error),
            (_ANSWER, 0, 0, _ALLOW),
        )
    )
    content = ctypes.create_string_buffer(program, len(program))
    whole = struct.pack("HxxxxxxQ", len(program) // 8, ctypes.addressof(content))
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    prctl.argtypes = [ctypes.c_int, *[ctypes.c_ulong] * 4]
    filtered = ctypes.create_string_buffer(whole, len(whole))
    if prctl(_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or prctl(_SET_SECCOMP, _FILTER, ctypes.addressof(filtered), 0, 0):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


@contextlib.contextmanager
def sound_again() -> Iterator[None]:
    """Files that are opened meanwhile are on a sound disk."""
    held = [os.open(os.devnull, os.O_RDONLY)]
    try:
        while held[-1] < SICK_BELOW:
            held.append(os.dup(held[0]))
        yield
    finally:
        for each in held:
            os.close(each)
