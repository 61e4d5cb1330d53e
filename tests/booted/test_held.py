"""The daemon hangs, has no memory, has no tasks: the kernel and the service manager do what the unit says, and no line
is lost or counted twice."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from booted.host import LOGMEDIC, UNTIL_S, Host, ground
from booted.limits import limited, needs
from booted.witness import Witness

QUICK = "[Service]\nWatchdogSec=12s\n"
"""The unit's is 60 s; the engine's longest wait is 5 s."""
DROP_IN = "/etc/systemd/system/logmedic.service.d/quick.conf"
STEP_BYTES = 4 << 20
STARTS = 10
"""Of the unit, in twenty minutes. The first ones after a kill may come before the limit is gone."""


Held = tuple[Host, Witness]


@pytest.fixture(scope="module")
def held() -> Iterator[Held]:
    """The logs are written all the time, in each of these tests."""
    with ground() as root, limited(root) as host:
        host.install()
        witness = Witness(root)
        witness.met(host)
        with witness:
            yield host, witness


def limit(host: Host, prop: str, value: int | str) -> None:
    host.run("systemctl", "set-property", "--runtime", "logmedic.service", f"{prop}={value}")


def squeezed_until_it_is_killed(host: Host) -> None:
    """A little less than it has, again and again: the kernel gives back what it can, and then nothing is left."""
    pid, end = host.show("MainPID"), time.monotonic() + UNTIL_S
    try:
        while host.show("MainPID") == pid and (has := host.show("MemoryCurrent")).isdigit():
            assert time.monotonic() < end, "it lives on with ever less memory"
            limit(host, "MemoryMax", max(int(has) - STEP_BYTES, STEP_BYTES))
    finally:
        limit(host, "MemoryMax", "1G")


def test_f39_killed_for_its_memory_it_is_started_again_and_goes_on(held: Held) -> None:
    host, witness = held
    needs(host, "memory")
    witness.passed(host)
    squeezed_until_it_is_killed(host)
    host.until("code=killed, status=9/KILL", "journalctl", "-q", "-o", "cat", "_PID=1")
    host.until("armed (unit)", LOGMEDIC, "status")
    assert 1 <= int(host.show("NRestarts")) < STARTS
    assert host.show("MemoryMax") == str(1 << 30)
    witness.passed(host)


def test_f40_with_no_task_more_it_reads_on_and_what_needs_one_works_afterwards(held: Held) -> None:
    host, witness = held
    needs(host, "pids")
    pid = host.show("MainPID")
    limit(host, "TasksMax", host.show("TasksCurrent"))
    host.run("touch", "/etc/logmedic/rules.d/storm.yaml")
    told = host.logmedic("reload", check=False)
    witness.passed(host)
    limit(host, "TasksMax", 512)
    host.logmedic("reload")
    print(f"without tasks a reload says: {told.strip()}")
    assert host.show("MainPID") == pid


def test_a_daemon_that_hangs_is_killed_by_the_watchdog_and_goes_on(held: Held) -> None:
    """What hangs hears no signal either."""
    host, witness = held
    host.put(DROP_IN, QUICK)
    host.run("systemctl", "daemon-reload")
    host.restart()
    before, began = int(host.show("NRestarts")), time.monotonic()
    host.run("systemctl", "kill", "--kill-who=main", "--signal=STOP", "logmedic")
    host.until("Watchdog timeout", "journalctl", "-q", "-o", "cat", "_PID=1")
    host.until("Failed with result 'watchdog'", "journalctl", "-q", "-o", "cat", "_PID=1")
    host.until("armed (unit)", LOGMEDIC, "status")
    print(f"it hung, was killed by the watchdog of 12 s, and was well again after {time.monotonic() - began:.1f} s")
    assert int(host.show("NRestarts")) == before + 1
    witness.passed(host)


def test_after_all_of_it_each_line_is_in_the_store_once(held: Held) -> None:
    host, witness = held
    witness.close()
    print(witness.exact(host))
