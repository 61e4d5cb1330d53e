"""When the daemon cannot run, the service manager starts what tells people so: without a daemon, without a config that
loads."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from booted.host import Host

RECEIVER = """
import http.server, json
class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        with open("/run/received", "a") as file:
            file.write(json.dumps({"path": self.path, "body": body}) + "\\n")
        self.send_response(200)
        self.end_headers()
http.server.HTTPServer(("127.0.0.1", 8099), Handler).serve_forever()
"""
CONFIG = """\
sources: { app: { files: [/var/log/app.log] } }
rules: { paths: [/etc/logmedic/rules.d] }
"""
TOLD = """\
alerts:
  receivers:
    hook: ${credential:hook}
    gone: "json://127.0.0.1:9/gone"
  routes: { oncall: { to: [gone], fallback: [hook] } }
"""
BROKEN = "nonsense: 1\n"
CREDENTIALS = "[Service]\nLoadCredential=hook:/etc/logmedic/hook-url\n"
ROOM = "/etc/systemd/system"


@pytest.fixture(scope="module")
def unit(host: Host) -> Iterator[Host]:
    before = host.run("sh", "-c", "cat /etc/logmedic/logmedic.yaml || true")
    host.put("/etc/logmedic/hook-url", "json://127.0.0.1:8099/secret-path\n", 0o600)
    host.put(f"{ROOM}/logmedic.service.d/credentials.conf", CREDENTIALS)
    host.run("mkdir", "-p", f"{ROOM}/logmedic-failed.service.d")
    host.run("ln", "-sf", "../logmedic.service.d/credentials.conf", f"{ROOM}/logmedic-failed.service.d/")
    host.put("/opt/tests/receiver.py", RECEIVER)
    host.run("systemctl", "daemon-reload")
    host.run("systemd-run", "--quiet", "--unit=receiver", "/usr/bin/python3", "/opt/tests/receiver.py")
    host.put("/var/log/app.log", "")
    yield host
    host.run("systemctl", "stop", "logmedic", "receiver")
    host.run("systemctl", "reset-failed", check=False)
    host.run("rm", "-r", f"{ROOM}/logmedic.service.d", f"{ROOM}/logmedic-failed.service.d")
    host.run("systemctl", "daemon-reload")
    host.put("/etc/logmedic/logmedic.yaml", before)


@pytest.fixture(autouse=True)
def afresh(unit: Host) -> None:
    unit.run("systemctl", "stop", "logmedic", "logmedic-failed")
    unit.run("systemctl", "reset-failed", check=False)
    unit.run("rm", "-f", "/run/received")


def received(unit: Host) -> list[dict[str, Any]]:
    unit.until("secret-path", "cat", "/run/received", timeout_s=60)
    return [json.loads(line) for line in unit.run("cat", "/run/received").splitlines()]


def test_a_config_that_does_not_load_is_told_with_its_mistake_and_what_to_type(unit: Host) -> None:
    unit.put("/etc/logmedic/logmedic.yaml", CONFIG + TOLD + BROKEN)
    assert unit.ran("systemctl", "start", "logmedic").returncode != 0
    (message,) = received(unit)
    for claim in ("logmedic does not run", "nonsense", "logmedic.yaml:8", "logmedic config check", "systemctl restart"):
        assert claim in message["body"], message
    assert unit.run("systemctl", "show", "-P", "NRestarts", "logmedic").strip() == "0"
    unit.until("gone", "journalctl", "-q", "-u", "logmedic-failed", "-o", "cat")  # it says so once all are through
    assert "secret-path" not in unit.journal("-u", "logmedic-failed", "-o", "cat")


def test_a_daemon_that_is_killed_again_and_again_is_told_once_it_is_started_no_more(unit: Host) -> None:
    unit.put("/etc/logmedic/logmedic.yaml", CONFIG + TOLD)
    unit.start()
    kill = "systemctl is-active -q logmedic && systemctl kill -s KILL logmedic; systemctl is-failed logmedic"
    unit.until("failed", "sh", "-c", kill, timeout_s=240)
    (message,) = received(unit)
    assert "it was killed by signal KILL" in message["body"], message
    assert "restarts did not help" in message["body"], message
    assert "journalctl -u logmedic -n 50" in message["body"]


def test_when_there_is_nobody_to_tell_it_stands_in_the_journal_as_critical(unit: Host) -> None:
    unit.put("/etc/logmedic/logmedic.yaml", CONFIG + BROKEN)
    unit.ran("systemctl", "start", "logmedic")
    unit.until("logmedic cannot run", "journalctl", "-q", "-p", "crit", "-u", "logmedic-failed", "-o", "cat")
    unit.until("failed", "systemctl", "is-failed", "logmedic-failed")


def test_it_runs_with_the_daemons_user_and_can_be_tried(unit: Host) -> None:
    unit.put("/etc/logmedic/logmedic.yaml", CONFIG + TOLD)
    unit.run("systemctl", "start", "logmedic-failed")
    (message,) = received(unit)
    assert "logmedic does not run" in message["body"]
    assert "logmedic" in unit.run("stat", "-c", "%U", "/var/lib/logmedic/told-of-failure")
