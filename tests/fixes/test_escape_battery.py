"""What a hostile step tries, and does not get. battery.py is what every tier has to hold; the rest is bubblewrap's."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fixes import battery
from fixes.steps import PYTHON, open_to_all, python, run, shell
from logmedic.model.sandbox import Network

BATTERY = Path(battery.__file__).resolve()


@pytest.fixture(scope="module")
def bait(tmp_path_factory: pytest.TempPathFactory) -> Iterator[battery.Bait]:
    with battery.bait(tmp_path_factory.mktemp("bait")) as given:
        yield given


@pytest.mark.parametrize("name", battery.TRIES)
def test_the_battery_is_blocked(name: str, bait: battery.Bait) -> None:
    result = run(PYTHON, "-I", str(BATTERY), name, *bait.words, read=(str(BATTERY),))
    assert result.output.startswith("blocked: "), result
    assert result.exit_code == 0


@pytest.mark.parametrize("name", [each for each in battery.TRIES if each != "the host's loopback"])
def test_with_the_hosts_network_the_rest_of_the_battery_is_blocked(name: str, bait: battery.Bait) -> None:
    network = Network.FULL
    result = run(PYTHON, "-I", str(BATTERY), name, *bait.words, read=(str(BATTERY),), network=network)
    assert result.output.startswith("blocked: "), result


@pytest.mark.skipif(os.geteuid() != 0, reason="as root, every try gets out")
@pytest.mark.parametrize("name", battery.SHOWN)
def test_what_is_tried_would_get_out_without_a_sandbox(name: str, bait: battery.Bait) -> None:
    """Or the battery would prove nothing."""
    command = [sys.executable, "-I", str(BATTERY), name, *bait.words]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == f"escaped: {name}\n"


def test_the_hosts_network_is_there_when_it_is_asked_for(bait: battery.Bait) -> None:
    loopback = (PYTHON, "-I", str(BATTERY), "the host's loopback", *bait.words)
    assert run(*loopback, read=(str(BATTERY),), network=Network.FULL).output.startswith("escaped: ")


@pytest.mark.parametrize("path", ["/etc/shadow", "/root", "/home", "/var/log", "/etc/ssh", "/boot", "/sys", "/srv"])
def test_the_rest_of_the_host_is_not_there(path: str) -> None:
    assert shell('[ -e "$1" ] && echo escaped', path).output == ""


def test_a_secret_of_the_daemon_is_not_readable(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("s3cret")
    secret.chmod(0o600)
    assert "s3cret" not in shell('cat "$1"', str(secret)).output
    if os.geteuid() == 0:  # otherwise a fix has the daemon's own user, and what a rule binds it may read
        assert "s3cret" not in shell('cat "$1"', str(secret), read=(str(tmp_path),)).output


@pytest.mark.parametrize("path", ["/etc/x", "/usr/x", "/usr/bin/true", "/x", "/run/x", "/dev/x", "/bin/x"])
def test_nothing_of_the_system_can_be_written(path: str) -> None:
    result = shell(': > "$1" && echo escaped', path)
    assert "escaped" not in result.output


def test_only_the_named_directory_can_be_written(tmp_path: Path) -> None:
    (tmp_path / "room").mkdir()
    room, beside = open_to_all(tmp_path / "room"), tmp_path / "beside"
    beside.mkdir()
    beside.chmod(0o777)
    result = shell('echo x > "$1/in"; ls "$2" && echo escaped', str(room), str(beside), write=(str(room),))
    assert (room / "in").read_text() == "x\n"
    assert "escaped" not in result.output


def test_what_is_bound_to_read_cannot_be_written(tmp_path: Path) -> None:
    room = open_to_all(tmp_path)
    (room / "there").write_text("text")
    assert shell('cat "$1/there"; echo x > "$1/new"', str(room), read=(str(room),)).output.startswith("text")
    assert not (room / "new").exists()


def test_processes_of_the_host_are_neither_seen_nor_signalled() -> None:
    victim = subprocess.Popen(["/usr/bin/sleep", "60"])
    try:
        result = shell('ls -d /proc/[0-9]* | wc -l; kill -9 "$1" 2>/dev/null && echo escaped', str(victim.pid))
        assert "escaped" not in result.output
        assert int(result.output.split()[0]) < 10
        assert victim.poll() is None
    finally:
        victim.kill()
        victim.wait()


SYSCALL = """
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
result = libc.syscall(*[ctypes.c_long(int(each, 0)) for each in sys.argv[1:]])
print(result, os.strerror(ctypes.get_errno()))
"""
NUMBERS = {
    "x86_64": {
        "ptrace": (101, 0),
        "mount": (165, 0, 0, 0, 0),
        "unshare": (272, 0x10000000),
        "keyctl": (250, 0, -3),
        "add_key": (248, 0, 0, 0, 0, -3),
        "io_uring_setup": (425, 1, 0),
        "bpf": (321, 0, 0, 0),
        "perf_event_open": (298, 0, 0, -1, -1, 0),
        "clock_settime": (227, 0, 0),
        "setns": (308, 0, 0),
        "syslog": (103, 10, 0, 0),
        "userfaultfd": (323, 0),
        "clone with a user namespace": (56, 0x10000000, 0, 0, 0, 0),
    },
    "aarch64": {
        "ptrace": (117, 0),
        "mount": (40, 0, 0, 0, 0),
        "unshare": (97, 0x10000000),
        "keyctl": (219, 0, -3),
        "io_uring_setup": (425, 1, 0),
        "bpf": (280, 0, 0, 0),
        "setns": (268, 0, 0),
        "clone with a user namespace": (220, 0x10000000, 0, 0, 0, 0),
    },
}


@pytest.mark.parametrize("name", list(NUMBERS[os.uname().machine]))
def test_dangerous_system_calls_are_refused(name: str) -> None:
    numbers = NUMBERS[os.uname().machine][name]
    result = python(SYSCALL, *map(str, numbers))
    assert result.output == "-1 Operation not permitted\n", name


@pytest.mark.parametrize("family", ["AF_VSOCK", "AF_ALG", "AF_NETLINK", "AF_PACKET", "AF_BLUETOOTH"])
@pytest.mark.parametrize("network", [Network.NONE, Network.FULL])
def test_sockets_are_of_the_usual_families_only(family: str, network: Network) -> None:
    """AF_VSOCK belongs to no network namespace: in a virtual machine it leads to the host of that."""
    program = "import socket, sys\nfor each in sys.argv[1:]: socket.socket(getattr(socket, each), socket.SOCK_RAW)"
    result = python(program, family, network=network)
    assert "Address family not supported by protocol" in result.output


def test_clone3_is_said_not_to_exist() -> None:
    assert "Function not implemented" in python(SYSCALL, "435", "0", "0").output


@pytest.mark.parametrize(
    "script",
    [
        "mount -t tmpfs x /tmp",
        "unshare --user true",
        "unshare --mount true",
        "chroot / true",
        "mknod /tmp/disk b 8 0",
        "su -c true",
        "dmesg",
        "date -s 2020-01-01",
        "sysctl -w kernel.hostname=x",
        "hostname x",
        "echo 1 > /proc/sys/kernel/panic",
        "echo c > /proc/sysrq-trigger",
    ],
)
def test_what_needs_privileges_fails(script: str) -> None:
    result = shell(f"({script}) >/dev/null 2>&1 && echo escaped")
    assert "escaped" not in result.output


def test_set_user_id_programs_give_nothing() -> None:
    result = shell("grep -E '^(NoNewPrivs|CapEff|CapBnd|Seccomp):' /proc/self/status")
    assert result.output.split() == [
        *("CapEff:", "0000000000000000", "CapBnd:", "0000000000000000", "NoNewPrivs:", "1", "Seccomp:", "2")
    ]


def test_it_is_not_root() -> None:
    assert shell("id -u").output.strip() not in ("", "0")


def test_block_devices_and_the_daemons_descriptors_are_not_there() -> None:
    result = shell("ls /dev; ls /proc/self/fd")
    names = result.output.split()
    assert not any(name.startswith(("sd", "vd", "nvme", "mem", "kmsg")) for name in names)
    assert set(names[-4:]) <= {"0", "1", "2", "3"}


def test_the_environment_is_clean() -> None:
    os.environ["LOGMEDIC_TEST_SECRET"] = "s3cret"
    try:
        result = shell("env; cat /proc/*/environ")
    finally:
        del os.environ["LOGMEDIC_TEST_SECRET"]
    assert "s3cret" not in result.output
    assert {line.split("=")[0] for line in shell("env").output.splitlines()} <= {"PATH", "LANG", "HOME", "PWD"}


@pytest.mark.parametrize("text", ["$(id)", "; id", "`id`", "a b", "'\"", "--help", "\n", "*", "|id", "ä\u202e"])
def test_i7_an_argument_stays_one_argument(text: str) -> None:
    assert run("/usr/bin/printf", "[%s]", text).output == f"[{text}]"


def test_the_terminal_of_the_daemon_is_out_of_reach() -> None:
    result = shell("(: > /dev/tty) 2>/dev/null && echo escaped; tty -s && echo escaped")
    assert "escaped" not in result.output
