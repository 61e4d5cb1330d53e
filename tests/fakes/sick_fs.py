"""A real file system whose files fail when a test says so, as those of a server that went away: FUSE, by its wire."""

from __future__ import annotations

import ctypes
import errno
import os
import stat
import struct
import threading
from pathlib import Path

LOOKUP, FORGET, GETATTR, OPEN, READ, RELEASE, FLUSH, INIT = 1, 2, 3, 14, 15, 18, 25, 26
OPENDIR, READDIR, RELEASEDIR, INTERRUPT, BATCH_FORGET = 27, 28, 29, 36, 42
UNANSWERED = (FORGET, INTERRUPT, BATCH_FORGET)
ROOT = 1
DIRECT_IO = 1
"""Every read asks: nothing comes from the kernel's cache."""


class SickFs:
    """Mounted at `where` for as long as this process lives, which is root of its mount namespace. `files`: their
    content by name. `failing`: the errors that reading a file gives, by name; with `all_fails`, whatever is asked."""

    def __init__(self, where: Path) -> None:
        self.files: dict[str, bytes] = {}
        self.failing: dict[str, int] = {}
        self.all_fails = False
        self._names = {ROOT: ""}
        self._wire = os.open("/dev/fuse", os.O_RDWR)
        options = f"fd={self._wire},rootmode=40000,user_id=0,group_id=0".encode()
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.mount(b"sick", str(where).encode(), b"fuse", 0, options):
            raise OSError(ctypes.get_errno(), "mount")
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            request = os.read(self._wire, 256 * 1024)
            _, opcode, unique, node = struct.unpack_from("<IIQQ", request)
            if opcode in UNANSWERED:
                continue
            try:
                answer, error = self._answer(opcode, node, request[40:]), 0
            except OSError as failure:
                answer, error = b"", failure.errno or errno.EIO
            os.write(self._wire, struct.pack("<IiQ", 16 + len(answer), -error, unique) + answer)

    def _answer(self, opcode: int, node: int, body: bytes) -> bytes:
        if opcode == INIT:
            return struct.pack("<IIIIHHIIHH32x", 7, 31, 0, 0, 1, 1, 128 * 1024, 1, 0, 0)
        if opcode == LOOKUP:
            return self._found(body.rstrip(b"\0").decode())
        name = self._names[node]
        if name in self.failing and (opcode == READ or self.all_fails):
            raise OSError(self.failing[name], "as the test says")
        match opcode:
            case 3:  # GETATTR
                return struct.pack("<QII", 0, 0, 0) + self._attributes(node)
            case 14 | 27:  # OPEN, OPENDIR
                return struct.pack("<QII", 0, DIRECT_IO, 0)
            case 15:  # READ
                offset, size = struct.unpack_from("<8xQI", body)
                return self.files[name][offset : offset + size]
            case 28:  # READDIR
                offset, _ = struct.unpack_from("<8xQI", body)
                return b"".join(self._entries()[offset:])
            case 18 | 25 | 29:  # RELEASE, FLUSH, RELEASEDIR
                return b""
        raise OSError(errno.ENOSYS, "is not done here")

    def _found(self, name: str) -> bytes:
        if name not in self.files:
            raise OSError(errno.ENOENT, name)
        if name in self.failing and self.all_fails:
            raise OSError(self.failing[name], "as the test says")
        node = next((node for node, known in self._names.items() if known == name), len(self._names) + 1)
        self._names[node] = name
        return struct.pack("<QQQQII", node, 0, 0, 0, 0, 0) + self._attributes(node)

    def _attributes(self, node: int) -> bytes:
        name = self._names[node]
        size = len(self.files.get(name, b""))
        mode = stat.S_IFREG | 0o644 if name else stat.S_IFDIR | 0o755
        return struct.pack("<QQQQQQIIIIIIIIII", node, size, 0, 0, size, 0, 0, 0, 0, mode, 1, 0, 0, 0, 4096, 0)

    def _entries(self) -> list[bytes]:
        rows = []
        for place, name in enumerate(sorted(self.files), 1):
            raw = name.encode()
            rows.append(struct.pack("<QQII", place + 1, place, len(raw), 8) + raw + b"\0" * (-len(raw) % 8))
        return rows
