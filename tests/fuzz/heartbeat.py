"""What a child is at, in a file that its parent sees also when the child hangs or dies."""

from __future__ import annotations

import mmap
import os
import struct
from pathlib import Path

_HEAD = struct.Struct("<QQ")
"""How many inputs were begun, and how long the one at hand is."""


class Heartbeat:
    """One writer, one reader, one mapping. `room_bytes`: of the longest input."""

    def __init__(self, path: Path, room_bytes: int) -> None:
        self._room = room_bytes
        opened = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            os.ftruncate(opened, _HEAD.size + room_bytes)
            self._map = mmap.mmap(opened, _HEAD.size + room_bytes)
        finally:
            os.close(opened)

    def begin(self, given: bytes) -> None:
        begun, _ = self.seen()
        cut = given[: self._room]
        self._map[_HEAD.size : _HEAD.size + len(cut)] = cut
        self._map[: _HEAD.size] = _HEAD.pack(begun + 1, len(cut))

    def seen(self) -> tuple[int, bytes]:
        """How many were begun, and the last of them."""
        begun, size = _HEAD.unpack(self._map[: _HEAD.size])
        return begun, self._map[_HEAD.size : _HEAD.size + size]

    def close(self) -> None:
        self._map.close()
