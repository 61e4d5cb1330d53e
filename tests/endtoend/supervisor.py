"""Keeps a service running, as runit does: starts it again when it ends, and when `restart` is written into a FIFO.

    supervisor.py FIFO COMMAND... SOCKET

It makes the FIFO, for everybody to write to, hands the listening socket (the number of a descriptor) on to the service,
so that callers wait while there is none, and ends with its own standard input."""

from __future__ import annotations

import os
import select
import subprocess
import sys


def supervise(fifo: str, command: list[str], handed: int) -> None:
    os.mkfifo(fifo)
    os.chmod(fifo, 0o666)
    control = os.open(fifo, os.O_RDWR | os.O_CLOEXEC)  # for writing as well: then it has no end
    while _one_life(control, command, handed):
        pass


def _one_life(control: int, command: list[str], handed: int) -> bool:
    """Whether another one is wanted."""
    service = subprocess.Popen(command, stdin=subprocess.DEVNULL, pass_fds=[handed])
    ended = os.pidfd_open(service.pid)
    try:
        ready, _, _ = select.select([control, ended, 0], [], [])
        if control in ready:
            os.read(control, 4096)
        return 0 not in ready
    finally:
        service.kill()
        service.wait()
        os.close(ended)


if __name__ == "__main__":
    supervise(sys.argv[1], sys.argv[2:], int(sys.argv[-1]))
