"""An application of an ordinary user, on a host as docs/install.md sets it up: its dependency, a unit, is down; the
service starts it again through the unit tier and the bus, proves it, and the call is made once more."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from booted.host import Host

CONFIG = """\
mode: auto
sources: { app: { files: [/var/log/app.log] } }
rules: { paths: [/etc/logmedic/rules.d] }
"""
RULES = """\
version: 1
rules:
  - id: shop-payments-down
    title: "{component} gets no answer of the payments"
    severity: high
    match:
      report: { component: shop, error: ConnectionRefusedError, users: [shop] }
      captures: { component: word }
    fix:
      mode: auto
      steps: [{ name: restart the payments, unit: { restart: payments.service }, timeout: 20s }]
      verify: { http: { get: "http://127.0.0.1:9100/healthz", status: 200, within: 20s, every: 200ms } }
      limits: { cooldown: 1s, max_per_hour: 100 }
    tests:
      - name: they refuse
        lines: [{ report: { component: shop, error: ConnectionRefusedError, user: shop } }]
        expect: { fires: 1 }
      - name: somebody else says so
        lines: [{ report: { component: shop, error: ConnectionRefusedError, user: nobody } }]
        expect: { fires: 0 }
"""
PAYMENTS = """\
from http.server import BaseHTTPRequestHandler, HTTPServer
class Payments(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"12")
HTTPServer(("127.0.0.1", 9100), Payments).serve_forever()
"""
UNIT = """\
[Service]
ExecStart=/usr/bin/python3 /opt/tests/payments.py
"""
PYTHON = "/opt/logmedic/bin/python"
LOGMEDIC = "/opt/logmedic/bin/logmedic"
EXAMPLES = Path(__file__).parents[2] / "examples"
APPLICATION = """\
import os, sys
from logmedic.client import configure, requestid, self_healing
from stock import pieces
client = configure(spool=f"/var/tmp/reports-{os.getuid()}")
healed = self_healing("shop", action="pay", wait=60.0, repeat=True)(pieces)
with requestid.bound(sys.argv[1]):
    try:
        print("answered", healed("7"))
    except OSError as error:
        print("raised", type(error).__name__)
client.close(20)
"""


@pytest.fixture(scope="module")
def shop(host: Host) -> Iterator[Host]:
    """The payments have been started once, and are down."""
    host.put("/etc/logmedic/logmedic.yaml", CONFIG)
    host.put("/etc/logmedic/rules.d/shop.yaml", RULES)
    host.put("/var/log/app.log", "")
    host.put("/opt/tests/payments.py", PAYMENTS)
    host.put("/opt/shop/stock.py", (EXAMPLES / "stock.py").read_text())
    host.put("/opt/shop/shop.py", APPLICATION)
    host.put("/etc/systemd/system/payments.service", UNIT)
    host.run("sh", "-c", "for user in shop stranger; do id $user || useradd -r $user; done")
    host.run("systemctl", "daemon-reload")
    host.logmedic("install", "fixes")
    start(host)
    yield host
    host.run("systemctl", "stop", "logmedic", "payments")
    host.run("rm", "/etc/logmedic/rules.d/shop.yaml")
    host.logmedic("install", "fixes")


def start(host: Host) -> None:
    host.run("systemctl", "reset-failed", "logmedic", check=False)  # other tests have started it often
    host.start()
    host.until("armed (unit)", LOGMEDIC, "status")


def calls(host: Host, request_id: str, user: str = "shop") -> str:
    """What the application says."""
    return host.run(PYTHON, "/opt/shop/shop.py", request_id, user=user, timeout_s=120)


def incident_of(host: Host, request_id: str) -> Any:
    rows = json.loads(host.logmedic("incidents", "--request", request_id, "-o", "json"))
    return json.loads(host.logmedic("show", rows[0]["id"], "-o", "json")) if rows else None


def test_a_call_is_made_once_more_after_its_unit_was_restarted(shop: Host) -> None:
    shop.run("systemctl", "stop", "payments")
    assert calls(shop, "basket-17") == "answered 12\n"
    told = incident_of(shop, "basket-17")
    assert [(each["sandbox"], each["verdict"]) for each in told["attempts"]] == [("systemd", "fixed")]
    assert shop.run("systemctl", "is-active", "payments").strip() == "active"
    story = shop.logmedic("show", told["id"])
    assert "request basket-17 of shop (pay), reported by shop[" in story
    assert "ConnectionRefusedError" in story
    assert "answered 200" in story


def test_a_stranger_who_says_the_same_restarts_nothing(shop: Host) -> None:
    shop.run("systemctl", "stop", "payments")
    assert calls(shop, "basket-18", user="stranger") == "raised ConnectionRefusedError\n"
    assert incident_of(shop, "basket-18") is None
    assert shop.run("systemctl", "is-active", "payments", check=False).strip() == "inactive"


def test_while_the_service_is_down_the_application_has_its_own_error_and_its_report_comes_later(shop: Host) -> None:
    shop.run("systemctl", "stop", "payments", "logmedic")
    assert calls(shop, "basket-19") == "raised ConnectionRefusedError\n"
    assert "basket-19" in shop.run("sh", "-c", "cat /var/tmp/reports-*/*")
    start(shop)
    assert calls(shop, "basket-20") == "answered 12\n"
    shop.until("basket-19", LOGMEDIC, "incidents", "--request", "basket-19", "-o", "json")
