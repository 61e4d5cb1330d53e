"""Whether the service manager's filter of addresses is on. Standard library only."""

from __future__ import annotations

import errno
import socket

_NOT_LOOPBACK = ("224.0.0.1", 9)


def is_blocked() -> bool:
    """A packet to an address that is not loopback's, over the loopback device, which it does not leave: refused by the
    filter (EPERM), and by nothing else. So it can be asked on a host without any network. Everything else than that
    answer is a no."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        try:
            sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))
            sender.sendto(b"", _NOT_LOOPBACK)
        except OSError as error:
            return error.errno == errno.EPERM
    return False
