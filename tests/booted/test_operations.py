"""docs/operations.md is true: what needs systemd and apt is typed here, in the order of the page, on one host."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import operationspage as page
from booted.host import LOGMEDIC, Host, booted, package
from booted.test_package import CONFIG, CREDENTIAL, RECEIVER

NEW_SECRET = "/root/new-secret"


@pytest.fixture(scope="module")
def operated() -> Iterator[Host]:
    """A host that is in use: a config, a receiver, its secret."""
    with booted() as host:
        host.install()
        host.put("/root/receiver.py", RECEIVER)
        host.run("systemd-run", "--quiet", "--unit=receiver", "/usr/bin/python3", "/root/receiver.py")
        host.put(CREDENTIAL, "json://127.0.0.1:8099/old\n", 0o600)
        host.put(NEW_SECRET, "json://127.0.0.1:8099/new\n", 0o600)
        host.put("/etc/logmedic/logmedic.yaml", CONFIG)
        host.restart()
        host.until("armed", LOGMEDIC, "status")
        yield host


def type_in(host: Host, block: page.Block) -> str:
    """As people do who keep their config when apt asks; doctor may find something here."""
    values = {"DEB": package(), "OLDER": package("previous"), "NEW_SECRET": NEW_SECRET}
    given = "".join(f"export {name}={value}\n" for name, value in values.items())
    host.put("/etc/apt/apt.conf.d/90keep", 'Dpkg::Options { "--force-confold"; };\n')
    host.put("/root/typed", given + block.text.replace("logmedic doctor", "logmedic doctor || true"))
    return host.run("env", "DEBIAN_FRONTEND=noninteractive", "bash", "-eu", "/root/typed", timeout_s=300)


@pytest.mark.parametrize("block", page.of("booted"), ids=str)
def test_a_block_that_needs_systemd_works_and_the_daemon_runs_afterwards(block: page.Block, operated: Host) -> None:
    type_in(operated, block)
    if "systemctl stop logmedic" in block.text and "systemctl start logmedic" not in block.text:
        operated.start()  # the page goes on, on another host
    operated.until('"armed"', LOGMEDIC, "status", "-o", "json")
    assert operated.show("NRestarts") == "0"


def test_the_new_secret_is_in_use_and_the_store_is_where_the_page_put_it(operated: Host) -> None:
    assert "/new " in operated.run("cat", "/root/received")
    assert '"path": "/srv/logmedic/logmedic.duckdb"' in operated.logmedic("storage", "-o", "json")


def test_another_user_has_the_service_and_its_fixes_also_after_rules_changed(operated: Host) -> None:
    """The unit that looks for changed rules knows of the drop-in as well."""
    operated.run("systemctl", "start", "logmedic-fixes")
    assert operated.show("User") == "watcher"
    assert "SocketUser=watcher" in operated.run("cat", "/etc/systemd/system/logmedic-fix-canary.socket")
    operated.until('"armed": true', LOGMEDIC, "status", "-o", "json")
    assert "type: logmedic reload" not in operated.run("journalctl", "-u", "logmedic-fixes", "--no-pager")


def test_without_the_directory_of_credentials_the_page_and_doctor_say_what_makes_it(operated: Host) -> None:
    operated.run("sh", "-c", "systemctl stop logmedic; mv /etc/logmedic/credentials /root/kept-credentials")
    assert operated.ran("systemctl", "start", "logmedic").returncode != 0
    assert "243/CREDENTIALS" in operated.run("systemctl", "status", "logmedic", check=False)
    (repair,) = (line for line in page.PAGE.splitlines() if line.startswith("systemd-tmpfiles"))
    repair = repair.partition("#")[0].strip()
    assert f"→ {repair}" in operated.logmedic("doctor", check=False)
    operated.run("sh", "-c", repair)
    assert operated.run("stat", "-c", "%U %a", "/etc/logmedic/credentials").split() == ["root", "700"]
    operated.run("sh", "-c", "cp -a /root/kept-credentials/. /etc/logmedic/credentials/")
    operated.restart()
    operated.until('"armed"', LOGMEDIC, "status", "-o", "json")


def test_a_store_that_is_restored_into_a_directory_of_roots_says_whose_it_has_to_become(operated: Host) -> None:
    operated.run("sh", "-c", "systemctl stop logmedic; rm -rf /srv/logmedic; mkdir -m 700 /srv/logmedic")
    told = operated.logmedic("restore", "/srv/logmedic.duckdb")
    (next_,) = [line.removeprefix("next: ") for line in told.splitlines() if line.startswith("next: ")]
    assert next_ == "chown -R watcher: /srv/logmedic; systemctl start logmedic"
    operated.run("sh", "-c", next_)
    operated.until('"armed"', LOGMEDIC, "status", "-o", "json")


def test_a_lost_store_comes_back_from_a_copy(operated: Host) -> None:
    (block,) = page.of("lost")
    operated.run("sh", "-c", "systemctl stop logmedic; rm -rf /srv/logmedic/*")
    type_in(operated, block)
    operated.until('"armed"', LOGMEDIC, "status", "-o", "json")


def test_an_older_package_is_installed_once_the_newer_store_is_put_aside() -> None:
    (block,) = page.of("downgrade")
    with booted() as host:
        host.install()
        host.put("/etc/logmedic/logmedic.yaml", "mode: observe\n")
        host.until('"armed"', LOGMEDIC, "status", "-o", "json")
        type_in(host, block)
        assert package("previous").split("_")[1] in host.logmedic("--version")
        host.until("mode", LOGMEDIC, "status")
