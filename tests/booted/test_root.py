"""`user: root`: only where the operator allows it, and then with no more than the step is for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from booted.conftest import Asking
from booted.host import Host

CONFIG = "/etc/logmedic/logmedic.yaml"
WRITTEN = "/etc/logmedic/rules.d/root.yaml"
TRIES = (
    "id -u; grep CapBnd /proc/self/status; ls /etc/shadow; "
    "echo x > /srv/roots/x; echo y > /srv/apps/y; chown app /srv/roots"
)
RULES = f"""\
version: 1
rules:
  - id: root-tries
    title: tries
    match: {{ pattern: 'root tries' }}
    fix:
      mode: approve
      steps: [{{ name: try, run: [/bin/sh, -c, "{TRIES}"], sandbox: {{ user: root, write: [/srv/roots, /srv/apps] }} }}]
      verify: {{ quiet: 1s }}
  - id: root-kills
    title: kills
    match: {{ pattern: 'root kills' }}
    fix:
      mode: approve
      steps: [{{ name: kill, kill: {{ unit: rooted.service, process: sleep, grace: 1s }}, sandbox: {{ user: root }} }}]
      verify: {{ quiet: 1s }}
"""

LED = "/etc/logmedic/rules.d/led.yaml"
LED_RULE = """\
version: 1
rules:
  - id: led
    title: led
    match: {{ pattern: 'led elsewhere' }}
    fix:
      mode: approve
      steps: [{{ name: drop, empty: {{ path: /srv/stranger/cache }}, sandbox: {{ user: {user} }} }}]
      verify: {{ quiet: 1s }}
"""


@pytest.fixture(scope="module", autouse=True)
def rules(host: Host) -> Iterator[None]:
    host.run("sh", "-c", "mkdir -p /srv/roots /srv/apps; chown app /srv/apps; chmod 700 /srv/apps")
    host.run("sh", "-c", f"[ ! -e {CONFIG} ] || mv {CONFIG} {CONFIG}.before")
    host.put(WRITTEN, RULES)
    yield
    host.run("sh", "-c", f"rm -f {WRITTEN} {CONFIG}; [ ! -e {CONFIG}.before ] || mv {CONFIG}.before {CONFIG}")
    host.logmedic("install", "fixes")


def test_without_the_operators_word_it_is_left_out_and_told(host: Host) -> None:
    told = host.logmedic("install", "fixes", check=False)
    assert "root-kills: step 'kill' is left out: `user: root` needs actions.allow_root" in told


def test_with_it_root_has_no_capabilities(host: Host, asking: Asking) -> None:
    """What it owns it may change, and nothing of anybody else's."""
    host.put(CONFIG, "actions: { allow_root: true }\n")
    host.logmedic("install", "fixes")
    told = asking.one("root-tries")["output"]
    assert told.startswith("0\nCapBnd:\t0000000000000000\n")
    assert "'/etc/shadow': No such file" in told
    assert "/srv/apps/y: Permission denied" in told
    assert "Operation not permitted" in told
    assert host.run("ls", "/srv/roots") == "x\n"


def test_it_ends_processes_of_others_where_that_is_what_it_is_for(host: Host, asking: Asking) -> None:
    stay = "sleep 771 & exec tail -f /dev/null"
    host.run("systemd-run", "--quiet", "--unit=rooted", "-p", "User=app", "/bin/sh", "-c", stay)
    host.until("sleep 771", "ps", "axo", "args=")
    result = asking.one("root-kills")
    assert result["exit_code"] == 0, result
    assert "sleep 771" not in host.run("ps", "axo", "args=")
    host.run("systemctl", "kill", "--signal=KILL", "rooted")


@pytest.mark.parametrize("user", ["root", "app"])
def test_what_somebody_else_can_lead_elsewhere_is_left_out(host: Host, user: str) -> None:
    """systemd shows what a path leads to, and follows links for that: /srv/stranger/cache may be /etc by then."""
    host.run(
        "sh", "-c", "id stranger || useradd -r stranger; mkdir -p /srv/stranger/cache; chown stranger /srv/stranger"
    )
    host.put(LED, LED_RULE.format(user=user))
    try:
        told = host.logmedic("install", "fixes", check=False)
    finally:
        host.run("rm", LED)
    assert "led: step 'drop' is left out: /srv/stranger/cache could be led elsewhere: /srv/stranger belongs to" in told
