"""The real service, as docs/install.md sets it up: a line is written, and the fix that it asks for is run and
verified."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from booted.host import Host

CONFIG = """\
mode: auto
sources: { app: { files: [/var/log/app.log] } }
rules: { paths: [/etc/logmedic/rules.d] }
"""
SERVICE = "[Service]\nExecStart=/usr/bin/sleep infinity\n"


@pytest.fixture(scope="module")
def daemon(host: Host) -> Iterator[Host]:
    host.put("/etc/logmedic/logmedic.yaml", CONFIG)
    host.put("/var/log/app.log", "")
    for name in ("app", "other"):
        host.put(f"/etc/systemd/system/{name}.service", SERVICE)
    host.run("systemctl", "daemon-reload")
    host.run("systemctl", "start", "app", "other")
    host.logmedic("install", "fixes")
    host.start()
    host.until("armed (unit)", "/opt/logmedic/bin/logmedic", "status")
    yield host
    host.run("systemctl", "stop", "logmedic")


def write(host: Host, line: str) -> None:
    host.run("sh", "-c", f"echo '{line}' >> /var/log/app.log")


def incident(host: Host, rule: str, status: str) -> Any:
    """The newest of the rule, once it is so."""
    host.until(
        f'"{status}"', "sh", "-c", f"/opt/logmedic/bin/logmedic incidents --all -o json | grep -A40 '\"{rule}\"'"
    )
    rows = json.loads(host.logmedic("incidents", "--all", "-o", "json"))
    row = next(each for each in rows if each["rule_id"] == rule)
    return json.loads(host.logmedic("show", row["id"], "-o", "json"))


def main_pid(host: Host, unit: str) -> str:
    return host.run("systemctl", "show", "-P", "MainPID", unit).strip()


def test_the_canary_held_in_the_service_and_status_says_so(daemon: Host) -> None:
    arming = json.loads(daemon.logmedic("status", "-o", "json"))["arming"]
    assert (arming["armed"], arming["sandbox"], arming["refused"]) == (True, "unit", {}), arming
    assert "armed (unit)" in daemon.logmedic("status")


def test_a_fix_is_run_in_the_unit_tier_and_verified(daemon: Host) -> None:
    daemon.run("rm", "-f", "/srv/app/wheel")
    write(daemon, "app has lost wheel")
    told = incident(daemon, "mend", "resolved")
    (attempt,) = told["attempts"]
    assert (attempt["sandbox"], attempt["exit_code"], attempt["verdict"]) == ("unit", 0, "fixed")
    assert daemon.run("ls", "/srv/app/wheel")
    assert "'what'='wheel' accepted" in daemon.journal("-t", "logmedic-fix", "-n", "50")


def test_f62_a_fix_dies_with_the_daemon_and_its_outcome_is_not_guessed(daemon: Host) -> None:
    write(daemon, "long")
    told = incident(daemon, "long", "awaiting_approval")
    daemon.logmedic("approve", told["id"])
    daemon.until("98", "sh", "-c", "pgrep -fa 'sleep 9[78]'")
    daemon.run("systemctl", "kill", "--kill-whom=main", "--signal=KILL", "logmedic")
    daemon.until("gone", "sh", "-c", "pgrep -f 'sleep 9[78]' || echo gone")
    daemon.until("armed (unit)", "/opt/logmedic/bin/logmedic", "status")
    (attempt,) = json.loads(daemon.logmedic("show", told["id"], "-o", "json"))["attempts"]
    assert attempt["exit_code"] is None, attempt


def test_a_unit_is_restarted_over_the_bus_by_the_generated_rule(daemon: Host) -> None:
    before = main_pid(daemon, "app")
    write(daemon, "app.service hangs")
    told = incident(daemon, "restart", "resolved")
    assert [(each["sandbox"], each["verdict"]) for each in told["attempts"]] == [("systemd", "fixed")]
    assert main_pid(daemon, "app") not in (before, "0")


@pytest.mark.parametrize(("verb", "unit"), [("RestartUnit", "other.service"), ("StopUnit", "app.service")])
def test_a_unit_or_a_verb_that_no_rule_names_is_refused_to_the_daemons_user(daemon: Host, verb: str, unit: str) -> None:
    before = main_pid(daemon, unit)
    manager = ("org.freedesktop.systemd1", "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager")
    ran = daemon.ran("busctl", "call", *manager, verb, "ss", unit, "replace", user="logmedic")
    assert ran.returncode != 0
    assert "denied" in ran.stdout.lower() or "authentication required" in ran.stdout.lower(), ran.stdout
    assert main_pid(daemon, unit) == before


def test_the_daemons_user_starts_no_unit_of_its_own_making(daemon: Host) -> None:
    assert daemon.ran("systemd-run", "--quiet", "/bin/true", user="logmedic").returncode != 0


def test_what_changed_since_the_installation_is_refused_and_status_says_what_to_type(daemon: Host) -> None:
    told = daemon.run("cat", "/etc/logmedic/rules.d/tests.yaml")
    daemon.put(
        "/etc/logmedic/rules.d/tests.yaml", told.replace("name: make it", "name: make it\n          timeout: 31s")
    )
    daemon.until("logmedic install fixes", "/opt/logmedic/bin/logmedic", "status", "-o", "json")
    daemon.run("rm", "-f", "/srv/app/door")
    write(daemon, "app has lost door")
    daemon.until('"mend"', "/opt/logmedic/bin/logmedic", "incidents", "-o", "json")
    assert daemon.ran("ls", "/srv/app/door").returncode != 0
    daemon.put("/etc/logmedic/rules.d/tests.yaml", told)
    daemon.logmedic("reload")


def test_f61_without_a_sandbox_that_holds_the_daemon_runs_nothing(daemon: Host) -> None:
    daemon.run("systemctl", "stop", "logmedic-fix-canary.socket")
    daemon.logmedic("reload")
    assert "DISARMED" in daemon.logmedic("status")
    daemon.logmedic("install", "fixes")
    daemon.logmedic("reload")
    assert "armed (unit)" in daemon.logmedic("status")
