"""The smallest input that still fails in the same way. Pure but for what `fails` does."""

from __future__ import annotations

from collections.abc import Callable

Fails = Callable[[bytes], bool]


def minimized(found: bytes, fails: Fails, tries: int = 400) -> bytes:
    """Takes away lines, then pieces, halves first (after Zeller's ddmin); asks `fails` at most `tries` times. `found`
    when nothing can go."""
    left = _Tries(fails, tries)
    lines = _reduced(found.splitlines(True), left)
    whole = b"".join(lines)
    return b"".join(_reduced([whole[at : at + 1] for at in range(len(whole))], left))


class _Tries:
    def __init__(self, fails: Fails, left: int) -> None:
        self._fails = fails
        self.left = left

    def fail(self, parts: list[bytes]) -> bool:
        self.left -= 1
        return self.left >= 0 and self._fails(b"".join(parts))


def _reduced(parts: list[bytes], tries: _Tries) -> list[bytes]:
    size = max(1, len(parts) // 2)
    while parts and tries.left > 0:
        at, before = 0, len(parts)
        while at < len(parts) and tries.left > 0:
            without = parts[:at] + parts[at + size :]
            if tries.fail(without):
                parts = without
            else:
                at += size
        if size == 1 and len(parts) == before:
            break
        size = max(1, size // 2)
    return parts
