"""How long to wait before the next try."""

from __future__ import annotations

import hashlib
from datetime import timedelta


def exponential(tries: int, base: timedelta, limit: timedelta, factor: float = 2.0) -> timedelta:
    """The wait after `tries` (>= 1) tries: base, base * factor, ... never more than `limit`."""
    exponent = min(tries - 1, 64)  # 2.0 ** 64 s is beyond any limit; more would overflow
    return min(limit, timedelta(seconds=min(base.total_seconds() * factor**exponent, limit.total_seconds())))


def jittered(wait: timedelta, seed: str) -> timedelta:
    """`wait` times 0.75 to 1.25, the same for the same `seed`: many messages that fail together come back apart, and
    a decision stays a pure function."""
    share = int.from_bytes(hashlib.blake2b(seed.encode(), digest_size=4).digest(), "big") / 0xFFFFFFFF
    return wait * (0.75 + share / 2)
