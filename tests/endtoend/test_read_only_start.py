"""A daemon that is started while its state directory is read-only (F50)."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import forked
from endtoend.test_daemon import World, daemon, until
from logmedic.cli.client import Client
from logmedic.model.errors import DaemonUnreachable, TransientError
from store.disks import Tmpfs, may_mount

pytestmark = pytest.mark.skipif(not may_mount(), reason="only root mounts")


class ReadOnlyWorld(World):
    """Its store is on a disk of its own; its socket is not."""

    def __init__(self, home: Path) -> None:
        super().__init__(home)
        self.disk = Tmpfs(home / "disk" / "logmedic.duckdb")
        self.disk.make("ro")
        config = self.config.read_text().replace(f"{home}/state/logmedic.duckdb", f"{home}/disk/logmedic.duckdb")
        self.config.write_text(config)

    def ask(self, path: str) -> Any:
        """A refusal as its words; None while nobody answers."""
        try:
            return Client(self.home / "state" / "logmedic.sock", wait_s=5).get(path)
        except TransientError as error:
            return error.text
        except DaemonUnreachable:
            return None


@pytest.fixture
def world(tmp_path: Path) -> Iterator[ReadOnlyWorld]:
    made = ReadOnlyWorld(tmp_path)
    yield made
    made.disk.close()


def typed(world: World, *arguments: str) -> subprocess.CompletedProcess[str]:
    return forked.run(world.command(*arguments), capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.slow
def test_f50_it_waits_says_so_and_reads_all_lines_once_it_can_write(world: ReadOnlyWorld) -> None:
    world.write("smoke 1")
    with daemon(world):
        told = typed(world, "status")
        assert told.returncode == 1
        assert "nothing is stored: " in told.stderr
        assert "Read-only file system" in told.stderr
        assert "no fix runs" in told.stderr
        assert "hint: " in told.stderr
        doctor = typed(world, "doctor").stdout
        assert "does not answer: nothing is stored: " in doctor
        assert f"the file system of {world.home}/disk is read-only" in doctor
        assert f"mount -o remount,rw {world.home}/disk" in doctor
        world.write("smoke 2")
        world.disk.make("rw")
        until(lambda: isinstance(world.ask("status"), dict), "the daemon goes on", limit_s=60)
        until(lambda: world.ask("incidents"), "the lines are read")
        until(lambda: world.ask("incidents")[0]["occurrences"] == 2, "both of them")
        assert typed(world, "status").returncode == 0


def test_f50_it_stops_when_it_is_told_to(world: ReadOnlyWorld) -> None:
    with daemon(world) as process:
        assert "Read-only" in world.ask("status")
        process.send_signal(signal.SIGHUP)
        assert "Read-only" in world.ask("status"), "there is nothing to reload"
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    assert '"store_not_open"' in world.said()
    assert '"stopped"' in world.said()


def test_f50_a_run_over_one_file_does_not_wait_and_says_that_nothing_is_kept(world: ReadOnlyWorld) -> None:
    world.write("smoke 1")
    ran = typed(world, "run", "--once", str(world.log))
    assert ran.returncode == 0
    assert "Read-only file system; what is found now is not kept" in ran.stderr
