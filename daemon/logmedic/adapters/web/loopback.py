"""Which user of this host is at the other end of a TCP connection, as the kernel's table of sockets says it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path

from starlette.requests import Request

Address = tuple[str, int]
_TABLES = (Path("/proc/self/net/tcp"), Path("/proc/self/net/tcp6"))
_UID, _INODE = 7, 9
"""Places in a line of the table (proc_pid_net(5))."""
_TRIES = 2
"""A table that changes while it is read may leave a line out."""


async def user_of(request: Request) -> int | None:
    """Asked once a connection, in a thread: the kernel looks through all that it has. None: it is no process of this
    host, or the kernel does not say."""
    kept, client, here = request.state.kept, request.scope["client"], request.scope["server"]
    if "user" not in kept:
        kept["user"] = await asyncio.to_thread(owner, client[:2], here[:2]) if client and here else None
    found: int | None = kept["user"]
    return found


def owner(client: Address, server: Address) -> int | None:
    """Of the socket at `client` that is connected to `server`."""
    found = (owner_in(text, client, server) for _ in range(_TRIES) for text in _tables())
    return next((uid for uid in found if uid is not None), None)


def owner_in(table: str, client: Address, server: Address) -> int | None:
    """Nobody's, when no process has it open any more."""
    for pair in zip(_written(client), _written(server), strict=True):
        _, found, rest = table.partition(f" {pair[0]} {pair[1]} ")
        if found:
            places = rest.partition("\n")[0].split()
            uid, inode = places[_UID - 3], places[_INODE - 3]
            return int(uid) if inode != "0" else None
    return None


def _tables() -> Iterator[str]:
    for path in _TABLES:
        try:
            yield path.read_text("ascii")
        except OSError:
            continue


def _written(address: Address) -> tuple[str, str]:
    """As the tables have it: of IPv4, and in IPv6, whose sockets reach IPv4 as well."""
    host = ip_address(address[0].partition("%")[0])
    mapped = IPv6Address(f"::ffff:{host}") if isinstance(host, IPv4Address) else host
    return tuple(f"{_hexadecimal(each.packed)}:{address[1]:04X}" for each in (host, mapped))  # type: ignore[return-value]


def _hexadecimal(packed: bytes) -> str:
    """Word by word, each as this machine reads it."""
    words = (packed[at : at + 4] for at in range(0, len(packed), 4))
    return "".join(f"{int.from_bytes(each, sys.byteorder):08X}" for each in words)
