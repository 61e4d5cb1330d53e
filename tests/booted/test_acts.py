"""Built-in steps through the unit tier, on the host's own units, files and disks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from booted.conftest import Asking
from booted.host import Host

WRITTEN = "/etc/logmedic/rules.d/acts.yaml"
RULES = Path(__file__).with_name("acts.yaml")
CONFIG = "/srv/log/*.log {\n  rotate 2\n  missingok\n}\n"
ROOMS = """
mkdir -p /srv/cache /srv/stale/deep /srv/log /srv/tls
mountpoint -q /srv/cache || mount -t tmpfs -o size=8M none /srv/cache
touch /srv/stale/deep/x /srv/stale/y
echo a line > /srv/log/app.log
for n in 1 2 3 4 5 6 7; do
  dd if=/dev/zero of=/srv/cache/$n.tmp bs=1M count=1 status=none && touch -d "$n days ago" /srv/cache/$n.tmp
done
cd /srv/tls && openssl req -x509 -newkey ed25519 -nodes -subj /CN=x -days 3 -keyout key.pem -out x.pem 2>/dev/null
chown -R app: /srv/cache /srv/stale /srv/log /srv/tls
"""


@pytest.fixture(scope="module", autouse=True)
def acts(host: Host) -> Iterator[None]:
    host.run("sh", "-c", ROOMS)
    host.put("/etc/logrotate.d/app", CONFIG)
    host.put(WRITTEN, RULES.read_text())
    host.logmedic("install", "fixes")
    yield
    host.run("rm", WRITTEN, "/etc/logrotate.d/app")
    host.logmedic("install", "fixes")


def dry(host: Host, asking: Asking, rule: str) -> str:
    """What its dry run says."""
    entry = host.run("sh", "-c", f"grep -l '\"{rule}\"' /etc/logmedic/fixes/*.json").strip()
    request = json.dumps({"rule": rule, "dry": True}) + "\n"
    answer = asking.all({"name": Path(entry).stem, "text": request})[0]["told"]
    return str(json.loads(answer.splitlines()[0])["output"])


def names_in(host: Host, room: str) -> list[str]:
    return host.run("ls", room).split()


def test_free_says_what_it_would_delete_and_then_deletes_no_more_than_that(host: Host, asking: Asking) -> None:
    told = dry(host, asking, "act-free")
    assert "would delete 4 files, 4.0M" in told
    assert len(names_in(host, "/srv/cache")) == 7
    assert asking.one("act-free")["exit_code"] == 0
    assert names_in(host, "/srv/cache") == ["1.tmp", "2.tmp", "3.tmp"]


def test_empty_drops_what_is_in_its_directory(host: Host, asking: Asking) -> None:
    assert asking.one("act-empty")["exit_code"] == 0
    assert names_in(host, "/srv/stale") == []


def test_kill_ends_the_processes_of_that_unit_and_no_others(host: Host, asking: Asking) -> None:
    for unit, script in (("victims", "sleep 551 & trap '' TERM; sleep 552 &"), ("others", "sleep 553 &")):
        stay = "exec tail -f /dev/null"
        host.run("systemd-run", "--quiet", f"--unit={unit}", "-p", "User=app", "/bin/sh", "-c", f"{script} {stay}")
    host.until("2 sleeps", "sh", "-c", 'echo "$(pgrep -c -f "^sleep 55[12]") sleeps"')
    assert dry(host, asking, "act-kill").count("would end ") == 2
    result = asking.one("act-kill")
    assert (result["exit_code"], result["output"].count("ending ")) == (0, 2)
    assert "1 did not end within 1 s: SIGKILL" in result["output"]
    left = host.run("ps", "axo", "args=").splitlines()
    assert [f"sleep {each}" in left for each in (551, 552, 553)] == [False, False, True]
    again = asking.one("act-kill")
    assert (again["exit_code"], again["output"]) == (3, "no process of victims.service is called sleep\n"), "F66"
    host.run("systemctl", "kill", "--signal=KILL", "victims", "others")


def test_rotate_rotates_now(host: Host, asking: Asking) -> None:
    assert "would rotate 1 of its logs" in dry(host, asking, "act-rotate")
    result = asking.one("act-rotate")
    assert result["exit_code"] == 0, result
    assert names_in(host, "/srv/log") == ["app.log.1"]


def test_renew_renews_what_ends_soon_and_then_it_is_not_due(host: Host, asking: Asking) -> None:
    assert "would run: /usr/bin/openssl" in dry(host, asking, "act-renew")
    result = asking.one("act-renew")
    assert (result["exit_code"], result["output"].rstrip().endswith(" now")) == (0, True), result
    assert "it is not due" in asking.one("act-renew")["output"]
