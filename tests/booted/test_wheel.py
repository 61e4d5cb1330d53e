"""A wheel in a virtual environment becomes a service, and is none afterwards: `logmedic install`, `uninstall`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from booted.host import Host, booted, package

PROGRAM = "/opt/logmedic/bin/logmedic"
UNITS = "/etc/systemd/system"
DROP_IN = f"{UNITS}/logmedic.service.d"
FOUND = "find /etc /usr/lib/systemd /usr/local /root /run /var/lib -xdev -name '*logmedic*' | sort"


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    with booted() as made:
        made.run("cp", "-a", "/debs/venv", "/opt/logmedic")
        yield made


def test_a_wheel_is_installed_as_a_service_runs_armed_and_is_taken_away_but_for_the_data(host: Host) -> None:
    assert f"{UNITS}/logmedic.service" in host.run(PROGRAM, "install", "--dry-run")
    assert host.run("sh", "-c", FOUND) == ""
    host.run(PROGRAM, "install")
    host.until('"sandbox": "unit"', PROGRAM, "status", "-o", "json")  # it observes, so the text says that no fix runs
    assert host.run("systemctl", "is-enabled", "logmedic").strip() == "enabled"
    assert host.run("systemctl", "show", "-P", "FragmentPath", "logmedic").strip() == f"{UNITS}/logmedic.service"
    assert "is what this logmedic installs" in host.run(PROGRAM, "install", "--check")
    host.run(PROGRAM, "rules", "list")
    assert "/root/.cache/logmedic" in host.run("sh", "-c", FOUND)
    host.run("mkdir", "-p", "/srv/moved", DROP_IN)
    host.run("sh", "-c", "echo 'storage: { path: /srv/moved/logmedic.duckdb }' >/etc/logmedic/logmedic.yaml")
    told = host.run(PROGRAM, "uninstall")
    assert f"kept: /etc/logmedic, /var/lib/logmedic, /var/log/logmedic, {DROP_IN}, /srv/moved, and the accounts" in told
    left = host.run("sh", "-c", FOUND).split()
    assert [each for each in left if not each.startswith(("/etc/logmedic", "/var/lib/logmedic"))] == [DROP_IN]
    assert "/var/lib/logmedic/logmedic.duckdb" in host.run("sh", "-c", "ls -d /var/lib/logmedic/*")
    assert host.run("systemctl", "list-units", "--all", "--no-legend", "--state=loaded", "logmedic*").strip() == ""
    assert host.run("sh", "-c", "pgrep -u logmedic || echo nobody").strip() == "nobody"


def test_a_wheel_becomes_the_package_by_what_the_refused_package_says(host: Host) -> None:
    """And before that nothing of the wheel was touched."""
    host.run(PROGRAM, "install")
    host.put("/etc/logmedic/logmedic.yaml", "mode: approve\n")
    pid = host.show("MainPID")
    ran = host.ran("apt-get", "-y", "-q", "install", package())
    assert ran.returncode != 0
    assert (host.show("MainPID"), host.show("ActiveState")) == (pid, "active")
    typed = [line.strip() for line in ran.stdout.splitlines() if line.startswith("  ") and "/opt/logmedic" in line]
    assert typed == [f"{PROGRAM} uninstall", "rm -r /opt/logmedic"]
    host.run("sh", "-ec", "; ".join(typed))
    host.install()
    assert host.show("FragmentPath").endswith("lib/systemd/system/logmedic.service")
    assert host.run("systemctl", "is-enabled", "logmedic").strip() == "enabled"
    host.until('"sandbox": "unit"', "logmedic", "status", "-o", "json")
    assert host.run("cat", "/etc/logmedic/logmedic.yaml") == "mode: approve\n"
