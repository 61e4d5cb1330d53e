"""Who may act over the Unix socket: root, the daemon's own user, and whom the config names."""

from __future__ import annotations

import grp
import os
import pwd
import time
from collections.abc import Callable, Sequence

from logmedic.adapters.web.callers import Caller
from logmedic.unixsocket.lookups import WAIT_S, Lookups
from logmedic.unixsocket.peers import Peer, is_own, number_of


def looked_up(peer: Peer, names: Sequence[str]) -> tuple[str, bool]:
    """The user's name, and whether one of `names` means them. A group counts when the process has it as its own, or
    the database says that its user is in it."""
    try:
        user = pwd.getpwuid(peer.uid)
    except (KeyError, OSError):
        return number_of(peer.uid), False
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


class Operators:
    """`names`: users, and groups with an `@` before them. `lookup` asks the host's user database, which may
    block: whoever it does not know in time may look."""

    def __init__(
        self,
        names: Sequence[str] = (),
        clock: Callable[[], float] = time.monotonic,
        lookup: Callable[[Peer, Sequence[str]], tuple[str, bool]] = looked_up,
        wait_s: float = WAIT_S,
    ) -> None:
        self._lookups: Lookups[Peer, tuple[str, bool]] = Lookups(
            lambda peer: lookup(peer, names), clock=clock, wait_s=wait_s
        )

    async def caller(self, peer: Peer) -> Caller:
        """Never raises."""
        name, named = await self._lookups.of(peer, (number_of(peer.uid), False))
        return Caller(name, named or is_own(peer.uid), "socket")

    @property
    def known(self) -> int:
        """Users whom the host was asked for, and whose answers count still."""
        return len(self._lookups)
