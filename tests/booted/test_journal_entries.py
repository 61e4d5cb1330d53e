"""What the service logs is in the journal with fields to ask for; what the doctor says of a service that is well."""

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


@pytest.fixture(scope="module")
def service(host: Host) -> Iterator[Host]:
    host.put("/etc/logmedic/logmedic.yaml", CONFIG)
    host.put("/var/log/app.log", "")
    host.logmedic("install", "fixes")
    host.run("systemctl", "enable", "--now", "logmedic")
    host.until("armed (unit)", "/opt/logmedic/bin/logmedic", "status")
    yield host
    host.run("systemctl", "disable", "--now", "logmedic")


def doctor(host: Host, user: str = "") -> tuple[int, dict[str, list[dict[str, Any]]]]:
    ran = host.ran("/opt/logmedic/bin/logmedic", "doctor", "-o", "json", user=user, timeout_s=120)
    rows: dict[str, list[dict[str, Any]]] = {}
    for each in json.loads(ran.stdout):
        rows.setdefault(each["name"], []).append(each)
    return ran.returncode, rows


def test_an_event_can_be_asked_for_and_its_message_is_json(service: Host) -> None:
    told = service.journal("LOGMEDIC_EVENT=started", "-o", "json").splitlines()
    entry = json.loads(told[-1])
    assert (entry["PRIORITY"], entry["SYSLOG_IDENTIFIER"], entry["_TRANSPORT"]) == ("6", "logmedic", "journal")
    assert entry["_SYSTEMD_UNIT"] == "logmedic.service"
    assert json.loads(entry["MESSAGE"])["event"] == "started"
    assert entry["LOGMEDIC_PID"] == service.run("systemctl", "show", "-P", "MainPID", "logmedic").strip()


def test_root_sees_that_all_is_well(service: Host) -> None:
    code, rows = doctor(service)
    wrong = [each for found in rows.values() for each in found if each["state"] == "wrong"]
    assert (code, wrong) == (0, [])
    for name in (*("unit", "socket", "daemon", "store", "store lock", "state directory"), "unit tier", "sandbox"):
        assert [each["state"] for each in rows[name]] == ["well"], rows[name]
    assert "logmedic can read /var/log/app.log" in rows["source app"][0]["found"]


def test_a_log_that_the_services_user_cannot_read_is_wrong_with_what_to_type(service: Host) -> None:
    service.run("sh", "-c", "chown root:app /var/log/app.log; chmod 640 /var/log/app.log")
    code, rows = doctor(service)
    service.run("sh", "-c", "chmod 644 /var/log/app.log")
    assert code == 1
    (found,) = [each for each in rows["source app"] if each["state"] == "wrong" and "cannot be read" in each["found"]]
    assert found["repair"].startswith("usermod -aG app logmedic")


def test_an_ordinary_user_is_told_what_could_not_be_looked_at(service: Host) -> None:
    code, rows = doctor(service, user="app")
    assert code == 0, rows
    assert rows["you"][0]["repair"] == "sudo usermod -aG logmedic app"
    assert {rows[name][0]["state"] for name in ("daemon", "store", "sandbox")} == {"unknown"}
    assert [each["state"] for each in rows["wheels"]] == ["well"]
