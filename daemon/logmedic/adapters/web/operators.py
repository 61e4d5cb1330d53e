"""Who may act over the Unix socket: root, the daemon's own user, and whom the config names."""

from __future__ import annotations

import asyncio
import grp
import os
import pwd
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from logmedic.adapters.web.callers import Caller

KEPT_S = 60.0
"""So long an answer of the host's user database counts: who was put into a group may act a minute later."""
WAIT_S = 3.0
"""For that database, which may be somewhere else: whoever it does not know in time may look."""
MOST_KEPT = 256
LOOKUPS = 4
"""At once, in threads of their own: however long that database takes, the engine has its own."""


@dataclass(frozen=True, slots=True)
class Peer:
    """The process at the other end, as the kernel says it was when it connected."""

    uid: int
    gid: int


def is_own(peer: Peer) -> bool:
    return peer.uid in (0, os.geteuid())


def looked_up(peer: Peer, names: Sequence[str]) -> tuple[str, bool]:
    """The user's name, and whether one of `names` means them. A group counts when the process has it as its own, or
    the database says that its user is in it."""
    try:
        user = pwd.getpwuid(peer.uid)
    except (KeyError, OSError):
        return f"uid {peer.uid}", False
    if user.pw_name in names:
        return user.pw_name, True
    wanted = {gid for name in names if name.startswith("@") for gid in _gid(name[1:])}
    return user.pw_name, bool(wanted) and bool(wanted & {peer.gid, *_groups(user)})


def _gid(group: str) -> tuple[int, ...]:
    """Nothing where there is no such group."""
    try:
        return (grp.getgrnam(group).gr_gid,)
    except (KeyError, OSError):
        return ()


def _groups(user: pwd.struct_passwd) -> list[int]:
    try:
        return os.getgrouplist(user.pw_name, user.pw_gid)
    except OSError:
        return []


@dataclass(slots=True)
class Operators:
    """`names`: users, and groups with an `@` before them. `lookup` asks the host's user database, which may
    block: it is called in a thread."""

    names: Sequence[str] = ()
    clock: Callable[[], float] = time.monotonic
    lookup: Callable[[Peer, Sequence[str]], tuple[str, bool]] = looked_up
    wait_s: float = WAIT_S
    _threads: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(LOOKUPS, "users"))
    _known: dict[Peer, tuple[float, Caller]] = field(default_factory=dict)
    _asked: dict[Peer, asyncio.Future[tuple[str, bool]]] = field(default_factory=dict)

    async def caller(self, peer: Peer) -> Caller:
        """Never raises. Asks once for many that come at the same time."""
        until, known = self._known.get(peer, (0.0, None))
        if known is not None and self.clock() < until:
            return known
        asked = self._asked.get(peer) or self._ask(peer)
        try:
            name, named = await asyncio.wait_for(asyncio.shield(asked), self.wait_s)
        except TimeoutError:
            return Caller(f"uid {peer.uid}", is_own(peer), "socket")
        return self._keep(peer, Caller(name, named or is_own(peer), "socket"))

    def _ask(self, peer: Peer) -> asyncio.Future[tuple[str, bool]]:
        asked = asyncio.get_running_loop().run_in_executor(self._threads, self.lookup, peer, self.names)
        self._asked[peer] = asked
        asked.add_done_callback(lambda _: self._asked.pop(peer, None))
        return asked

    def _keep(self, peer: Peer, caller: Caller) -> Caller:
        if len(self._known) >= MOST_KEPT:
            self._known.clear()
        self._known[peer] = (self.clock() + KEPT_S, caller)
        return caller
