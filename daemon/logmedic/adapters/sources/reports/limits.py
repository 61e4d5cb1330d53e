"""How much one user, and how much all users together, may ask of the daemon."""

from __future__ import annotations

from dataclasses import dataclass

from logmedic.core.reports import MAX_LINE

MIB = 1024 * 1024
LEAST_WAIT_S = 1.0
"""Whoever is refused comes again with what has gathered meanwhile, not with one report at a time."""


@dataclass(frozen=True, slots=True)
class Limits:
    """`max_per_second`, `burst`: lines of a user. `connections`: of all, of which `own_connections` are kept for root
    and the daemon's own user. `waiting_bytes`: what is read and not handed on; above it, and above `user_waiting_bytes`
    for one user, nothing more is read, save a line of who has nothing there. `questions`: that are not answered.
    `unread_bytes`: answers that wait for one connection to read them."""

    max_per_second: float = 100.0
    burst: int = 1000
    connections: int = 512
    own_connections: int = 64
    user_connections: int = 64
    waiting_bytes: int = 4 * MIB
    user_waiting_bytes: int = MIB
    line_bytes: int = MAX_LINE
    questions: int = 1024
    user_questions: int = 256
    unread_bytes: int = 64 * 1024


class Bucket:
    """Tokens that come back at a steady rate (the token bucket of traffic shaping). It begins full. Times are seconds
    of any clock that only goes on."""

    __slots__ = ("_at", "_burst", "_per_second", "_tokens")

    def __init__(self, per_second: float, burst: int, now: float) -> None:
        self._per_second = per_second
        self._burst = float(burst)
        self._tokens = self._burst
        self._at = now

    def take(self, now: float) -> float:
        """0: one was taken. Else none was, and in so many seconds it is worth while to come again."""
        self._fill(now)
        if self._tokens >= 1.0:
            self._tokens -= 1.0
            return 0.0
        return max(LEAST_WAIT_S, (1.0 - self._tokens) / self._per_second)

    def is_full(self, now: float) -> bool:
        self._fill(now)
        return self._tokens >= self._burst

    def _fill(self, now: float) -> None:
        self._tokens = min(self._burst, self._tokens + max(0.0, now - self._at) * self._per_second)
        self._at = max(self._at, now)
