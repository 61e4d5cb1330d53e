"""What a hostile step tries, for every tier. A step runs `python3 -I battery.py NAME SECRET SOCKET ABSTRACT PORT PID`:
its output begins with `blocked: ` when the try came to nothing, and with anything else when it did not, or when nobody
can tell. `python3 -I battery.py bait DIRECTORY` puts the bait out on the host: it prints the five words that follow
NAME, and takes everything away when its standard input ends. Standard library only."""

from __future__ import annotations

import ctypes
import errno
import json
import os
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

TRY_S = 2.0


@dataclass(frozen=True)
class Bait:
    """`secret`: a file that only its owner may read. `socket`: the path of one that takes everybody; `abstract`: the
    name of another one. `port`: of the host's loopback. `pid`: a process of the host."""

    secret: str
    socket: str
    abstract: str
    port: int
    pid: int

    @property
    def words(self) -> tuple[str, ...]:
        return self.secret, self.socket, self.abstract, str(self.port), str(self.pid)


@contextmanager
def bait(room: Path) -> Iterator[Bait]:
    """In `room`; the socket in /run where we may."""
    where = Path("/run") if os.access("/run", os.W_OK) else room
    with (
        tempfile.TemporaryDirectory(prefix="battery-", dir=room) as own,
        socket.socket(socket.AF_UNIX) as path,
        socket.socket(socket.AF_UNIX) as name,
        socket.socket(socket.AF_INET) as tcp,
        subprocess.Popen(["/bin/sleep", "600"], env={"SECRET": "of the host"}) as victim,
    ):
        secret, address = Path(own) / "secret", where / f"battery-{os.getpid()}.sock"
        secret.touch(0o600)
        secret.write_text("s3cret")
        try:
            path.bind(str(address))
            address.chmod(0o777)
            name.bind(f"\0battery-{os.getpid()}")
            tcp.bind(("127.0.0.1", 0))
            for each in (path, name, tcp):
                each.listen(50)
            yield Bait(str(secret), str(address), f"battery-{os.getpid()}", tcp.getsockname()[1], victim.pid)
        finally:
            address.unlink(missing_ok=True)
            victim.kill()


# -- tries: each raises OSError when it is kept from it ----------------------------------------------------------------


def read(path: str) -> None:
    with open(path, "rb") as file:
        file.read(1)


def write_etc(_: Bait) -> None:
    with open("/etc/logmedic-battery", "x"):
        os.unlink("/etc/logmedic-battery")


def connect(family: socket.AddressFamily, address: object) -> None:
    with socket.socket(family) as tried:
        tried.settimeout(TRY_S)
        tried.connect(address)


class Reached(Exception):
    """The kernel did look at the arguments, and was not content with them: nothing kept us from it."""


REFUSED = (errno.EPERM, errno.EACCES, errno.ENOSYS, errno.ESRCH)


def checked(result: int) -> int:
    """Raises Reached."""
    number = ctypes.get_errno()
    if result < 0 and number not in REFUSED:
        raise Reached(os.strerror(number))
    if result < 0:
        raise OSError(number, os.strerror(number))
    return result


def libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


NUMBERS = {
    "x86_64": {"clone": 56, "ptrace": 101, "add_key": 248, "keyctl": 250, "bpf": 321, "userfaultfd": 323},
    "aarch64": {"clone": 220, "ptrace": 117, "add_key": 217, "keyctl": 219, "bpf": 280, "userfaultfd": 282},
}
IO_URING_SETUP = 425
NEW_USER = 0x10000000
SESSION_KEYRING = -3


def call(name: str, *arguments: int) -> int:
    number = IO_URING_SETUP if name == "io_uring_setup" else NUMBERS[os.uname().machine][name]
    return checked(libc().syscall(ctypes.c_long(number), *map(ctypes.c_long, arguments)))


def ptrace(given: Bait) -> None:
    seize = 0x4206
    call("ptrace", seize, given.pid, 0, 0)


def mount(_: Bait) -> None:
    checked(libc().mount(b"none", b"/tmp", b"tmpfs", ctypes.c_ulong(0), None))


def clone_user(_: Bait) -> None:
    if call("clone", NEW_USER | 17, 0, 0, 0, 0) == 0:
        os._exit(0)


def io_uring(_: Bait) -> None:
    parameters = b"\0" * 120
    call("io_uring_setup", 1, ctypes.addressof(ctypes.create_string_buffer(parameters)))


def kernel_log(_: Bait) -> None:
    read_all = 3
    room = ctypes.create_string_buffer(100)
    checked(libc().klogctl(read_all, room, 100))


def sysctl(_: Bait) -> None:
    """What it is already: even where it works, nothing is changed."""
    path = "/proc/sys/kernel/panic"
    with open(path) as file:
        now = file.read()
    with open(path, "w") as file:
        file.write(now)


def block_device(_: Bait) -> None:
    for entry in os.scandir("/dev"):
        if stat.S_ISBLK(entry.stat(follow_symlinks=False).st_mode):
            return read(entry.path)
    raise OSError(errno.ENOENT, "no block device is there")


def mknod(_: Bait) -> None:
    path = f"/tmp/battery-{os.getpid()}"
    os.mknod(path, stat.S_IFBLK | 0o600, os.makedev(7, 0))
    os.unlink(path)


def su(_: Bait) -> None:
    ran = subprocess.run(["/bin/su", "-c", "true"], stdin=subprocess.DEVNULL, capture_output=True, check=False)
    with open("/proc/self/status") as file:
        may_gain = "NoNewPrivs:\t1" not in file.read()
    if ran.returncode != 0 and not may_gain:
        raise OSError(errno.EPERM, "su failed, and no program gives privileges")


def raw_socket(_: Bait) -> None:
    socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP).close()


TRIES: dict[str, Callable[[Bait], object]] = {
    "/etc/shadow": lambda _: read("/etc/shadow"),
    "the daemon's secret": lambda given: read(given.secret),
    "write to /etc": write_etc,
    "the host's loopback": lambda given: connect(socket.AF_INET, ("127.0.0.1", given.port)),
    "a socket in /run": lambda given: connect(socket.AF_UNIX, given.socket),
    "an abstract socket": lambda given: connect(socket.AF_UNIX, f"\0{given.abstract}"),
    "signal a process of the host": lambda given: os.kill(given.pid, 0),
    "ptrace a process of the host": ptrace,
    "the environment of a process of the host": lambda given: read(f"/proc/{given.pid}/environ"),
    "the memory of a process of the host": lambda given: os.open(f"/proc/{given.pid}/mem", os.O_RDONLY),
    "mount": mount,
    "a new user namespace": lambda _: checked(libc().unshare(NEW_USER)),
    "a child in a new user namespace": clone_user,
    "the keyring": lambda _: call("keyctl", 0, SESSION_KEYRING, 1),
    "a key": lambda _: call("add_key", 0, 0, 0, 0, SESSION_KEYRING),
    "io_uring": io_uring,
    "bpf": lambda _: call("bpf", 0, 0, 0),
    "userfaultfd": lambda _: call("userfaultfd", 0),
    "the clock": lambda _: time.clock_settime(time.CLOCK_REALTIME, time.time()),
    "the kernel's log": kernel_log,
    "/dev/kmsg": lambda _: read("/dev/kmsg"),
    "sysctl": sysctl,
    "a block device": block_device,
    "mknod": mknod,
    "su": su,
    "become root": lambda _: os.setuid(0),
    "chroot": lambda _: os.chroot("/tmp"),
    "a raw socket": raw_socket,
}
SHOWN = (
    *("/etc/shadow", "the daemon's secret", "the host's loopback", "a socket in /run", "an abstract socket"),
    *("signal a process of the host", "ptrace a process of the host", "the environment of a process of the host"),
    *("the memory of a process of the host", "a new user namespace", "a child in a new user namespace", "a raw socket"),
)
"""Those that can be let go ahead, as root and without a sandbox, to see that they would get out."""


def tried(name: str, given: Bait) -> str:
    try:
        TRIES[name](given)
    except OSError as error:
        return f"blocked: {error.strerror or error}"
    except Reached as error:
        return f"reached the kernel: {error}"
    return f"escaped: {name}"


def main(name: str, *words: str) -> None:
    if name == "bait":
        with bait(Path(words[0])) as given:
            print(*given.words, flush=True)
            sys.stdin.read()
    elif name == "names":
        print(json.dumps(list(TRIES)))
    else:
        secret, path, abstract, port, pid = words
        print(tried(name, Bait(secret, path, abstract, int(port), int(pid))))


if __name__ == "__main__":
    main(*sys.argv[1:])
