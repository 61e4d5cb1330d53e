"""One container for most of these tests, with logmedic installed from its package."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from booted.battery import attempts
from booted.host import Host, booted, why_not

RULES = Path(__file__).with_name("rules.yaml")
ASKING = Path(__file__).with_name("asking.py")
LISTENERS = """
import socket, time
servers = []
for family, address in ((2, ("0.0.0.0", 4040)), (1, "/run/logmedic-test"), (1, "\\0logmedic-test")):
    server = socket.socket(family)
    server.bind(address)
    server.listen()
    servers.append(server)
__import__("os").chmod("/run/logmedic-test", 0o777)
time.sleep(10**6)
"""
NOT_LOOPBACK = "10.9.9.9"
"""An address of the container that is no loopback's, though it is on that device."""
REACH = f"""\
#!/usr/bin/python3 -I
import socket
for address in ("127.0.0.1", "{NOT_LOOPBACK}"):
    try:
        socket.create_connection((address, 4040), 1)
        print(address)
    except OSError:
        pass
try:
    socket.socket(socket.AF_UNIX)
    print("unix")
except OSError:
    pass
"""


@pytest.fixture(scope="session", autouse=True)
def bootable() -> None:
    if why := why_not():
        pytest.fail(f"no systemd can be booted here: {why}")


@pytest.fixture(scope="session")
def host() -> Iterator[Host]:
    with booted() as made:
        set_up(made)
        yield made


def set_up(host: Host) -> None:
    """Each of these tests starts the daemon as it needs it, and says itself when fixes are to be installed."""
    host.install()
    host.run("systemctl", "disable", "--now", "logmedic.service", "logmedic-fixes.path")
    host.run("sh", "-c", "useradd -r app; mkdir -p /srv/app; chown app:logmedic-fix /srv/app; chmod 2775 /srv/app")
    host.put("/usr/lib/battery/try", '#!/bin/sh\nexec "/usr/lib/battery/$1"\n', 0o755)
    for name, text in attempts().items():
        host.put(f"/usr/lib/battery/{name}", text, 0o755)
    host.put("/usr/lib/battery/reach", REACH, 0o755)
    host.run("ip", "address", "add", f"{NOT_LOOPBACK}/32", "dev", "lo")
    host.put("/opt/tests/listeners.py", LISTENERS)
    host.put("/opt/tests/asking.py", ASKING.read_text())
    host.run("systemd-run", "--quiet", "--unit=listeners", "/usr/bin/python3", "/opt/tests/listeners.py")
    host.put("/usr/lib/battery/victim.pid", host.run("systemctl", "show", "-P", "MainPID", "listeners").strip())
    host.put("/etc/logmedic/rules.d/tests.yaml", RULES.read_text())
    host.logmedic("install", "fixes")


class Asking:
    """The daemon's user, asking."""

    def __init__(self, host: Host) -> None:
        self.host = host

    def all(self, *requests: dict[str, Any], options: tuple[str, ...] = (), user: str = "logmedic") -> Any:
        told = self.host.run(
            *("/opt/logmedic/bin/python", "-W", "ignore", "/opt/tests/asking.py", *options),
            user=user,
            stdin=json.dumps(requests),
            timeout_s=120,
        )
        return json.loads(told.splitlines()[-1])

    def begin(self, rule: str) -> None:
        """By a process of its own, the unit asker.service."""
        command = f"echo '{json.dumps([{'rule': rule}])}' | /opt/logmedic/bin/python /opt/tests/asking.py"
        self.host.run("systemd-run", "--quiet", "--unit=asker", "-p", "User=logmedic", "/bin/sh", "-c", command)

    def one(self, rule: str, **captures: str) -> Any:
        return self.all({"rule": rule, "captures": captures})[0]

    def name_of(self, rule: str) -> str:
        """Of the first step of the rule, as it is installed."""
        found = self.host.run("grep", "-l", f'"{rule}": {{', "-r", "/etc/logmedic/fixes")
        return Path(found.split()[0]).stem

    def armed(self) -> Any:
        return self.all(options=("--arm",))


@pytest.fixture(scope="session")
def asking(host: Host) -> Asking:
    return Asking(host)
