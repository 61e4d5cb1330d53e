"""The circuit breakers that processes of one user share: which are open, and who wants to hear of them."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from typing import Generic, TypeVar

MAX_OPEN, MAX_OPEN_OF_USER = 4096, 256
MAX_FOLLOWED = 128
"""Names, of one follower."""
LONGEST_S = 3600.0
"""A breaker is open for no longer by one word of its process: it says so again while it is."""

F = TypeVar("F", bound=Hashable)
"""Who follows: a connection."""


class Board(Generic[F]):
    """What one user shares, no other hears. Times are seconds of any clock that only goes on. An open breaker is
    forgotten when its time is over, and nobody is told: each process tries for itself then."""

    def __init__(self) -> None:
        self._open: dict[tuple[int, str], float] = {}
        """By user and name: until when."""
        self._followers: dict[tuple[int, str], set[F]] = {}
        self._followed: dict[F, set[tuple[int, str]]] = {}

    def __len__(self) -> int:
        """Those that are open, or were when it was last looked."""
        return len(self._open)

    def opened(self, uid: int, name: str, open_for: float, now: float) -> bool:
        """False: it is one too many."""
        if (uid, name) not in self._open and not self._has_room(uid, now):
            return False
        self._open[uid, name] = now + min(open_for, LONGEST_S)
        return True

    def closed(self, uid: int, name: str) -> bool:
        """False: it was not open."""
        return self._open.pop((uid, name), None) is not None

    def follow(self, follower: F, uid: int, names: Iterable[str]) -> bool:
        """False: some of them are too many, and not followed."""
        followed = self._followed.setdefault(follower, set())
        for name in names:
            if (uid, name) not in followed and len(followed) >= MAX_FOLLOWED:
                return False
            followed.add((uid, name))
            self._followers.setdefault((uid, name), set()).add(follower)
        return True

    def followers(self, uid: int, name: str) -> frozenset[F]:
        return frozenset(self._followers.get((uid, name), ()))

    def left(self, follower: F) -> None:
        for key in self._followed.pop(follower, ()):
            followers = self._followers[key]
            followers.discard(follower)
            if not followers:
                del self._followers[key]

    def open_now(self, uid: int, names: Iterable[str], now: float) -> Iterator[tuple[str, float]]:
        """Each of `names` that is open, and for how many seconds."""
        for name in names:
            rest = self._open.get((uid, name), now) - now
            if rest > 0:
                yield name, rest

    def sweep(self, now: float) -> None:
        """Forget those whose time is over."""
        self._open = {key: until for key, until in self._open.items() if until > now}

    def _has_room(self, uid: int, now: float) -> bool:
        if self._is_full(uid):
            self.sweep(now)
        return not self._is_full(uid)

    def _is_full(self, uid: int) -> bool:
        return len(self._open) >= MAX_OPEN or sum(key[0] == uid for key in self._open) >= MAX_OPEN_OF_USER
