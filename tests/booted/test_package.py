"""A host's life with the package: installed, used as docs/install.md says, removed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from booted.host import LOGMEDIC, Host, booted, ground, package
from logmedic.adapters.store.connection import connect

CONFIG = """\
mode: auto
sources: { journal: { journal: {} } }
rules: { paths: [/etc/logmedic/rules.d] }
alerts:
  receivers: { hook: "${credential:hook}" }
  routes: { oncall: { to: hook } }
"""
RULES = r"""
version: 1
rules:
  - id: till-died
    title: "{unit} has died"
    severity: high
    match:
      pattern: 'systemd\[1\]: (?P<unit>till\.service): Failed with result'
      captures: { unit: unit }
    fix:
      mode: auto
      steps: [{ name: start it again, unit: { restart: till.service }, timeout: 20s }]
      verify: { unit: { unit: till.service, state: active, within: 20s, every: 500ms } }
      limits: { cooldown: 1s }
    tests:
      - name: it died
        lines: ["Nov 26 03:12:41 web1 systemd[1]: till.service: Failed with result 'signal'."]
        expect: { fires: 1 }
      - name: another one died
        lines: ["Nov 26 03:12:41 web1 systemd[1]: other.service: Failed with result 'signal'."]
        expect: { fires: 0 }
  - id: ledger-away
    title: the ledger is away
    severity: critical
    match: { pattern: 'ledger-client(\[\d+\])?: cannot reach the ledger' }
    tests:
      - name: it is away
        lines: ["Nov 26 03:12:41 web1 ledger-client[7]: cannot reach the ledger"]
        expect: { fires: 1 }
      - name: it is there
        lines: ["Nov 26 03:12:41 web1 ledger-client[7]: reached the ledger"]
        expect: { fires: 0 }
"""
DROPPED = """\
version: 1
rules:
  - id: dropped
    title: dropped
    match: { pattern: 'lost the wheel' }
    fix:
      mode: auto
      steps: [{ name: make it, run: [/usr/bin/touch, /srv/shop/wheel], sandbox: { write: [/srv/shop] } }]
      verify: { file: { path: /srv/shop/wheel, within: 10s, every: 500ms } }
    tests:
      - { name: it is lost, lines: ["lost the wheel"], expect: { fires: 1 } }
      - { name: it is there, lines: ["the wheel turns"], expect: { fires: 0 } }
"""
SECRET = "canary7d1f0c2e9b54"
RECEIVER = """
import http.server
class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        open("/root/received", "a").write(self.path + " " + body + "\\n")
        self.send_response(200)
        self.end_headers()
http.server.HTTPServer(("127.0.0.1", 8099), Handler).serve_forever()
"""
CREDENTIAL = "/etc/logmedic/credentials/hook"
LEFT = (
    "find / -xdev -ipath '*logmedic*' -not -path '/proc/*' -not -path '/sys/*' -not -path '/var/lib/dpkg/*' "
    "-not -path '/var/lib/systemd/deb-systemd-helper*' -not -path '/var/log/*' -not -path '/var/cache/*' | sort"
)
ACCOUNTS = ("/etc/group", "/etc/passwd")


@pytest.fixture(scope="module")
def root() -> Iterator[Path]:
    with ground() as made:
        yield made


@pytest.fixture(scope="module")
def fresh(root: Path) -> Iterator[Host]:
    """The package is installed, and nothing was typed after that."""
    with booted(root) as made:
        made.install()
        yield made


@pytest.fixture(scope="module")
def used(fresh: Host) -> Host:
    """It has a config, a secret, and rules."""
    fresh.put("/etc/systemd/system/till.service", "[Service]\nExecStart=/usr/bin/sleep infinity\n")
    fresh.put("/root/receiver.py", RECEIVER)
    fresh.run("systemctl", "daemon-reload")
    fresh.run("systemctl", "start", "till")
    fresh.run("systemd-run", "--quiet", "--unit=receiver", "/usr/bin/python3", "/root/receiver.py")
    fresh.put(CREDENTIAL, f"json://127.0.0.1:8099/{SECRET}\n", 0o600)
    fresh.put("/etc/logmedic/logmedic.yaml", CONFIG)
    fresh.put("/etc/logmedic/rules.d/shop.yaml", RULES)
    fresh.restart()
    fresh.until("armed (unit)", LOGMEDIC, "status")
    fresh.until("till.service", "sh", "-c", "cat /etc/polkit-1/rules.d/50-logmedic.rules")
    return fresh


def say(host: Host, line: str, identifier: str = "ledger-client") -> None:
    """By a service, to its standard error."""
    command = ("/bin/sh", "-c", f"echo '{line}' >&2")
    host.run("systemd-run", "--quiet", "--wait", "-p", f"SyslogIdentifier={identifier}", *command)


def incident(host: Host, rule: str, status: str) -> Any:
    asked = f"{LOGMEDIC} incidents --all -o json | grep -A40 '\"{rule}\"'"
    host.until(f'"{status}"', "sh", "-c", asked)
    rows = json.loads(host.logmedic("incidents", "--all", "-o", "json"))
    return json.loads(host.logmedic("show", next(row["id"] for row in rows if row["rule_id"] == rule), "-o", "json"))


def test_installed_it_is_enabled_and_runs_with_fixes_armed_and_nothing_was_typed(fresh: Host) -> None:
    for unit in ("logmedic.service", "logmedic-fixes.path"):
        assert fresh.run("systemctl", "is-enabled", unit).strip() == "enabled"
        assert fresh.run("systemctl", "is-active", unit).strip() == "active"
    fresh.until('"armed": true', LOGMEDIC, "status", "-o", "json")
    arming = fresh.status()["arming"]
    assert (arming["armed"], arming["sandbox"], arming["refused"]) == (True, "unit", {})
    assert "is what the rules need" in fresh.logmedic("install", "fixes", "--check")
    assert fresh.show("NRestarts") == "0"


def test_what_a_service_writes_to_the_journal_as_an_error_is_an_incident_and_people_are_told(used: Host) -> None:
    say(used, "cannot reach the ledger")
    told = incident(used, "ledger-away", "open")
    assert "cannot reach the ledger" in json.dumps(told)
    assert "the ledger is away" in used.until("the ledger is away", "cat", "/root/received")


def test_a_secret_reaches_its_receiver_and_is_found_nowhere_else(used: Host, root: Path) -> None:
    """`/root` has the receiver's own record; the credential is its file, and what systemd made of it for the daemon."""
    assert f"/{SECRET} " in used.until(SECRET, "cat", "/root/received")
    used.put("/root/searched", SECRET)
    rooms = "/var /run /etc /tmp /opt /srv /proc/[0-9]*/environ /proc/[0-9]*/cmdline"
    found = used.run("sh", "-c", f"grep -rlaF -D skip -f /root/searched {rooms} 2>/dev/null", check=False).split()
    assert {at for at in found if not at.startswith("/run/credentials/")} == {CREDENTIAL}
    assert used.run("sh", "-c", "journalctl -a -o export | grep -acF -f /root/searched", check=False).strip() == "0"
    used.run("systemctl", "stop", "logmedic")
    assert SECRET not in everything_of(root / "var/lib/logmedic/logmedic.duckdb")
    used.start()
    assert SECRET not in used.logmedic("config", "show") + used.logmedic("status", "-o", "json")
    assert "ledger-away" in used.logmedic("incidents", "--all", "-o", "json")


def everything_of(store: Path) -> str:
    """Its tables as text, as what it writes is packed."""
    with connect(store, read_only=True) as opened:
        names = [row[0] for row in opened.execute("SELECT table_name FROM duckdb_tables()").fetchall()]
        told = "\n".join(str(opened.execute(f'SELECT * FROM "{name}"').fetchall()) for name in names)
    assert "cannot reach the ledger" in told
    return told


def test_a_service_that_dies_is_started_again_and_proved_to_run(used: Host) -> None:
    before = used.show("MainPID", "till")
    used.run("systemctl", "kill", "--signal=KILL", "till")
    told = incident(used, "till-died", "resolved")
    assert [(each["sandbox"], each["verdict"]) for each in told["attempts"]] == [("systemd", "fixed")]
    assert used.show("ActiveState", "till") == "active"
    assert used.show("MainPID", "till") not in (before, "0")


def test_a_rule_file_that_is_dropped_in_is_armed_without_a_second_command(used: Host) -> None:
    used.run("sh", "-c", "mkdir -p /srv/shop; chown root:logmedic-fix /srv/shop; chmod 2775 /srv/shop")
    used.put("/etc/logmedic/rules.d/dropped.yaml", DROPPED)
    used.until("/srv/shop", "sh", "-c", "cat /etc/logmedic/fixes/*.json")
    used.until('"refused": {}', "sh", "-c", f"{LOGMEDIC} rules show dropped && {LOGMEDIC} status -o json")
    say(used, "lost the wheel", "shop")
    told = incident(used, "dropped", "resolved")
    assert [(each["sandbox"], each["verdict"]) for each in told["attempts"]] == [("unit", "fixed")]


def test_a_reload_says_reloading_and_then_ready_and_is_waited_for(used: Host) -> None:
    """The manager's states, as it tells them on the bus."""
    watching = "busctl --json=short monitor --match=\"type='signal',path_namespace='/org/freedesktop/systemd1/unit'\""
    used.run("systemd-run", "--quiet", "--unit=watching", "/bin/sh", "-c", f"exec {watching}")
    pid = used.show("MainPID")
    used.until("active", "systemctl", "is-active", "watching")
    used.run("busctl", "call", "org.freedesktop.systemd1", "/org/freedesktop/systemd1",
             "org.freedesktop.systemd1.Manager", "Subscribe")  # fmt: skip
    used.run("systemctl", "reload", "logmedic")
    used.until("active", "systemctl", "is-active", "logmedic")
    states = used.until('"reload"', "journalctl", "-q", "-o", "cat", "-u", "watching")
    used.run("systemctl", "stop", "watching")
    assert '"reloading"' in states
    assert (used.show("MainPID"), used.show("NRestarts")) == (pid, "0")


def test_removed_only_the_data_is_left_and_it_is_said_where_and_purged_nothing(used: Host) -> None:
    told = used.apt("remove", "logmedic")
    assert "its data stays in /var/lib/logmedic, its config and your rules in /etc/logmedic" in told
    left = used.run("sh", "-c", LEFT).split()
    allowed = ("/var/lib/logmedic", "/etc/logmedic", "/var/log/logmedic", "/etc/logrotate.d/logmedic")
    enabled = "/etc/systemd/system/"  # links: whether it was enabled, which an installation after this goes by
    assert [at for at in left if not at.startswith(allowed) and not (at.startswith(enabled) and ".wants" in at)] == []
    assert "/var/lib/logmedic/logmedic.duckdb" in left
    assert "/etc/logmedic/rules.d/shop.yaml" in left
    assert used.run("systemctl", "list-units", "--all", "--no-legend", "--state=loaded", "logmedic*").strip() == ""
    assert used.run("sh", "-c", "pgrep -u logmedic || echo nobody").strip() == "nobody"
    used.apt("purge", "logmedic")
    assert used.run("sh", "-c", LEFT).split() == []
    assert used.run("systemctl", "list-unit-files", "--no-legend", "logmedic*", check=False).strip() == ""
    assert used.run("systemctl", "list-units", "--all", "--no-legend", "logmedic*").strip() == ""


def test_an_attempt_that_failed_half_way_leaves_the_daemon_running_after_the_next_one(used: Host) -> None:
    """postinst ends at the accounts. apt only configures again what is half configured; dpkg also replaces it."""
    used.install()
    broken = "/etc/sysusers.d/logmedic.conf"
    used.put(broken, "nonsense\n")
    again = ("dpkg", "--force-confold", "--install", package())
    for _ in range(2):
        assert used.ran(*again).returncode != 0
        assert used.show("ActiveState") == "inactive"
    used.run("rm", broken)
    used.run(*again)
    for unit in ("logmedic.service", "logmedic-fixes.path"):
        assert used.show("ActiveState", unit) == "active"


def test_arming_that_a_person_disabled_stays_so_when_the_daemon_is_enabled_or_upgraded(used: Host) -> None:
    used.run("systemctl", "disable", "--now", "logmedic-fixes.path")
    used.run("systemctl", "enable", "--now", "logmedic")
    used.run("systemctl", "restart", "logmedic")
    used.apt("install", "--reinstall", package())
    assert used.run("systemctl", "is-enabled", "logmedic-fixes.path", check=False).strip() == "disabled"
    assert used.show("ActiveState", "logmedic-fixes.path") == "inactive"


def test_what_was_stopped_stays_so_over_an_upgrade_and_it_is_said(used: Host) -> None:
    used.run("systemctl", "stop", "logmedic")
    told = used.apt("install", "--reinstall", package())
    assert "logmedic.service was stopped before, and stays so: systemctl start logmedic.service" in told
    assert used.show("ActiveState") == "inactive"
    used.start()


def test_a_moved_store_is_named_when_the_package_is_removed_and_stays_when_it_is_purged(used: Host) -> None:
    used.run("install", "-d", "-o", "logmedic", "-g", "logmedic", "-m", "700", "/srv/moved")
    used.put("/etc/systemd/system/logmedic.service.d/x.conf", "[Service]\nReadWritePaths=/srv/moved\n")
    used.put("/etc/logmedic/logmedic.yaml", "storage: { path: /srv/moved/logmedic.duckdb }\n")
    used.run("systemctl", "daemon-reload")
    used.restart()
    assert "its store stays in /srv/moved/logmedic.duckdb" in used.apt("remove", "logmedic")
    assert "its store is left in /srv/moved/logmedic.duckdb" in used.apt("purge", "logmedic")
    assert "logmedic.duckdb" in used.run("ls", "/srv/moved")
