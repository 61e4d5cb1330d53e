"""Those who are connected, by user: what one does beside the others' rights, over all its connections."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from logmedic.adapters.sources.reports.limits import Bucket, Limits
from logmedic.unixsocket.peers import is_own

MOST_KEPT = 1024
"""Users that are remembered without being connected: until their buckets are full again."""


class Visitor(Protocol):
    """A connection, as far as it is one of many."""

    def attune(self) -> None:
        """Read, or do not, as its user may."""


class Guest:
    """One user of this host. `full`: more waits than may, and nothing is read of it."""

    __slots__ = ("bucket", "full", "uid", "visitors")

    def __init__(self, uid: int, bucket: Bucket) -> None:
        self.uid = uid
        self.bucket = bucket
        self.visitors: set[Visitor] = set()
        self.full = False

    def fill(self, full: bool) -> None:
        if full != self.full:
            self.full = full
            for each in tuple(self.visitors):
                each.attune()


class Guests:
    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._known: dict[int, Guest] = {}
        self.connections = 0

    def __iter__(self) -> Iterator[Guest]:
        return iter(self._known.values())

    def of(self, uid: int, now: float) -> Guest:
        if uid not in self._known:
            self._forget_idle(now)
            self._known[uid] = Guest(uid, Bucket(self._limits.max_per_second, self._limits.burst, now))
        return self._known[uid]

    def enter(self, guest: Guest, visitor: Visitor) -> bool:
        """False: it is one connection too many."""
        most = self._limits.connections - (0 if is_own(guest.uid) else self._limits.own_connections)
        if self.connections >= most or len(guest.visitors) >= self._limits.user_connections:
            return False
        guest.visitors.add(visitor)
        self.connections += 1
        return True

    def leave(self, guest: Guest, visitor: Visitor) -> None:
        if visitor in guest.visitors:
            guest.visitors.discard(visitor)
            self.connections -= 1

    def _forget_idle(self, now: float) -> None:
        """A user who comes again at once is the same to its bucket."""
        if len(self._known) < MOST_KEPT:
            return
        idle = [each for each in self._known.values() if not each.visitors and not each.full]
        for guest in idle:
            if guest.bucket.is_full(now) or len(self._known) >= MOST_KEPT:
                del self._known[guest.uid]
