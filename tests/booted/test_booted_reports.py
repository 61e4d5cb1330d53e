"""The real service and ordinary users at its sockets: who they are is the kernel's word, also inside its hardening."""

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
web: { operators: [olga] }
"""
RULES = """\
version: 1
rules:
  - id: told
    title: told
    match: { report: { component: shop, users: [shopper] }, pattern: 'seldom' }
    tests:
      - name: it is told
        lines: [{ report: { component: shop, message: seldom, user: shopper } }]
        expect: { fires: 1 }
      - name: another says so
        lines: [{ report: { component: shop, message: seldom, user: x } }]
        expect: { fires: 0 }
  - id: make-good
    title: "app has lost {what}"
    match: { report: { component: shop, users: [shopper] }, pattern: 'lost (?P<what>\\S+)', captures: { what: word } }
    fix:
      mode: auto
      steps: [{ name: make it, run: [/usr/bin/touch, "/srv/app/{what}"], sandbox: { write: [/srv/app] } }]
      verify:
        command: { run: [/usr/bin/test, -e, "/srv/app/{what}"], sandbox: { read: [/srv/app] }, within: 5s, every: 1s }
      limits: { max_per_hour: 1000, cooldown: 1s }
    tests:
      - name: it is lost
        lines: [{ report: { component: shop, message: has lost x, user: shopper } }]
        expect: { fires: 1 }
      - name: it is there
        lines: [{ report: { component: shop, message: has x, user: shopper } }]
        expect: { fires: 0 }
"""
APPLICATION = """\
import json, socket, sys
wire = socket.socket(socket.AF_UNIX)
wire.settimeout(60)
wire.connect("/run/logmedic/report.sock")
for told in json.load(sys.stdin):
    wire.sendall(json.dumps(told).encode() + b"\\n")
for line in wire.makefile():
    print(line, end="", flush=True)
    told = json.loads(line)
    if told["type"] == "refused" or told.get("final") or (told["type"] == "taken" and sys.argv[1] == "taken"):
        break
"""
LOGMEDIC = "/opt/logmedic/bin/logmedic"


@pytest.fixture(scope="module")
def service(host: Host) -> Iterator[Host]:
    host.put("/etc/logmedic/logmedic.yaml", CONFIG)
    host.put("/etc/logmedic/rules.d/reports.yaml", RULES)
    host.put("/var/log/app.log", "")
    host.put("/opt/tests/application.py", APPLICATION)
    host.run("sh", "-c", "for user in shopper olga viewer; do useradd -r $user; done; usermod -aG logmedic olga")
    host.run("usermod", "-aG", "logmedic", "viewer")
    host.run("systemctl", "daemon-reload")
    host.logmedic("install", "fixes")
    host.start()
    host.until("armed (unit)", LOGMEDIC, "status")
    yield host
    host.run("systemctl", "stop", "logmedic")
    host.run("rm", "/etc/logmedic/rules.d/reports.yaml")


def tell(host: Host, *reports: dict[str, Any], user: str, until: str = "taken") -> list[dict[str, Any]]:
    """What a process of that user is told."""
    said = host.run(
        "/usr/bin/python3", "/opt/tests/application.py", until, user=user, stdin=json.dumps(reports), timeout_s=90
    )
    return [json.loads(line) for line in said.splitlines()]


def report(report_id: str, message: str, **said: Any) -> dict[str, Any]:
    return {
        "type": "report",
        "id": report_id,
        "component": "shop",
        "action": "pay",
        "error": "OSError",
        "message": message,
        **said,
    }


def story(host: Host, rule: str) -> Any:
    """Of the newest incident of the rule."""
    host.until(f'"{rule}"', LOGMEDIC, "incidents", "--all", "-o", "json")
    rows = json.loads(host.logmedic("incidents", "--all", "-o", "json"))
    return json.loads(host.logmedic("show", next(each["id"] for each in rows if each["rule_id"] == rule), "-o", "json"))


def test_an_ordinary_users_report_is_recorded_with_that_users_name(service: Host) -> None:
    told = tell(service, report("r1", "seldom is it so", request_id="order-17"), user="shopper")
    assert [each["type"] for each in told] == ["hello", "taken"]
    said = [each["text"] for each in story(service, "told")["events"] if each["kind"] == "request"]
    assert len(said) == 1
    assert "request order-17 of shop (pay), reported by shopper[" in said[0]


def test_who_waits_is_told_that_the_fix_was_verified(service: Host) -> None:
    service.run("rm", "-f", "/srv/app/till")
    told = tell(service, report("r2", "app has lost till", wait=60, request_id="order-18"), user="shopper", until="end")
    answers = [each["state"] for each in told if each["type"] == "answer"]
    assert answers[-1] == "fixed", told
    assert service.run("ls", "/srv/app/till")
    assert "order-18" in json.dumps(story(service, "make-good")["events"])


def test_an_operator_by_name_may_act_and_another_may_only_look(service: Host) -> None:
    assert "may look, and not act" in service.run(LOGMEDIC, "pause", "--for", "1h", user="viewer", check=False)
    assert service.ran(LOGMEDIC, "status", user="viewer").returncode == 0
    service.run(LOGMEDIC, "pause", "--for", "1h", user="olga")
    assert "olga" in service.logmedic("status", "-o", "json")
    service.run(LOGMEDIC, "resume", user="olga")


def test_what_stands_between_the_sockets_and_their_files_is_as_documented(service: Host) -> None:
    told = service.run("stat", "-c", "%a %U %G %n", "/run/logmedic/report.sock", "/run/logmedic/logmedic.sock")
    assert told.splitlines() == [
        "666 logmedic logmedic /run/logmedic/report.sock",
        "660 logmedic logmedic /run/logmedic/logmedic.sock",
    ]
