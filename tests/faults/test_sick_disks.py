"""Disks of the daemon that are full, out of inodes, or remounted read-only while it runs (F24, F48, F50): real file
systems on loop devices, in a mount namespace of their own."""

from __future__ import annotations

import contextlib
import itertools
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from crash.process import until
from faults.scene import Scene

SIZE = 24 * 1024 * 1024
APART = ["unshare", "--mount", "--propagation", "private"]
PROGRAM = "import sys, importlib; getattr(importlib.import_module(sys.argv[1]), sys.argv[2])(*sys.argv[3:])"


def no_loop() -> str:
    """Why there are no loop devices here; empty when there are."""
    if os.geteuid() != 0:
        return "only root mounts"
    tried = "f=$(mktemp) && truncate -s 4M $f && mkfs.ext4 -q -F $f && d=$(mktemp -d) && mount -o loop $f $d && rm $f"
    done = subprocess.run([*APART, "sh", "-ec", tried], capture_output=True, text=True, check=False)
    return f"no ext4 on a loop device here: {done.stderr.strip()}" if done.returncode else ""


WHY_NOT = no_loop()
pytestmark = pytest.mark.skipif(bool(WHY_NOT) and not os.environ.get("CI"), reason=WHY_NOT)


def in_own_mounts(scenario: Callable[[str], None], home: Path) -> None:
    """What it mounts is gone with its process."""
    done = subprocess.run(
        [*APART, sys.executable, "-c", PROGRAM, scenario.__module__, scenario.__name__, str(home)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-6000:]


class Disk:
    """An ext4 of its own at `room`, which is there and empty. An error makes it read-only."""

    def __init__(self, room: Path, inodes: int = 512) -> None:
        self.room = room
        self._image = room.with_name(f"{room.name}.img")
        with self._image.open("wb") as file:
            file.truncate(SIZE)
        run("mkfs.ext4", "-q", "-F", "-m", "0", "-N", str(inodes), str(self._image))
        self.mount()

    def mount(self) -> None:
        run("mount", "-o", "loop,errors=remount-ro", str(self._image), str(self.room))
        self.room.chmod(0o755)

    def fill(self) -> None:
        """Not one block more finds room; some are free only once what was written before is on the disk."""
        with (self.room / "ballast").open("ab", buffering=0) as file:
            for size in (1 << 20, 4096, 4096):
                with contextlib.suppress(OSError):
                    while True:
                        file.write(b"x" * size)
                os.sync()
        with pytest.raises(OSError, match="No space left"):
            (self.room / "ballast.more").write_bytes(b"x" * 4096)

    def use_up_inodes(self) -> None:
        crumbs = self.room / "crumbs"
        crumbs.mkdir()
        with contextlib.suppress(OSError):
            for number in itertools.count():
                (crumbs / str(number)).touch()
        assert os.statvfs(self.room).f_ffree == 0

    def free(self) -> None:
        run("rm", "-rf", f"{self.room}/ballast", f"{self.room}/ballast.more", f"{self.room}/crumbs")

    def fail(self) -> None:
        """As the kernel does it after an error: read-only at once, although files are open for writing."""
        (device,) = (
            line.split()[0] for line in Path("/proc/mounts").read_text().splitlines() if f" {self.room} " in line
        )
        Path(f"/sys/fs/ext4/{Path(device).name}/trigger_fs_error").write_text("a test")
        with pytest.raises(OSError, match=r"Read-only|Input/output"):
            (self.room / "try").touch()

    def repair(self) -> None:
        """Nobody has a file of it open."""
        run("umount", str(self.room))
        subprocess.run(["fsck.ext4", "-y", str(self._image)], capture_output=True, check=False)
        self.mount()


def run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)


def status(scene: Scene) -> dict[str, dict[str, object]]:
    return scene.ask("status") or {"store": {"problem": None}}


def stuck(scene: Scene, problem: str) -> None:
    """Nothing is stored, which is told, and no fix runs meanwhile (I3)."""
    before = scene.ran().total()
    scene.write(2)
    until(
        lambda: problem in str(status(scene)["store"]["problem"]), 40, lambda: f"{status(scene)}\n{scene.daemon.said()}"
    )
    assert scene.ran().total() == before
    assert scene.daemon.is_alive()


def begun(home: str, room: str) -> tuple[Scene, Disk]:
    """With `room` of its home on a disk of its own; the daemon runs."""
    scene = Scene(Path(home))
    disk = Disk(Path(home) / room)
    scene.log.touch()
    scene.daemon.start()
    scene.daemon.answers()
    scene.write()
    scene.until_mended()
    return scene, disk


def ended_well(scene: Scene) -> None:
    scene.write()
    scene.until_mended()
    scene.daemon.stop()
    assert scene.damaged() == []
    assert scene.differences() == []


@contextmanager
def on(home: str, room: str) -> Iterator[tuple[Scene, Disk]]:
    scene, disk = begun(home, room)
    try:
        yield scene, disk
    finally:
        scene.close()


def full(home: str) -> None:
    with on(home, "state") as (scene, disk):
        disk.fill()
        stuck(scene, "No space left")
        disk.free()
        ended_well(scene)


def full_after_a_kill(home: str) -> None:
    """The log that the kill left has to be read, and what is found is told; there is room for neither."""
    with on(home, "state") as (scene, disk):
        scene.daemon.kill()
        disk.fill()
        scene.write(2)
        scene.daemon.start()
        until(lambda: "No space left" in str(scene.ask("status") or scene.daemon.said()), 60, scene.daemon.said)
        assert scene.daemon.is_alive()
        disk.free()
        scene.daemon.answers()
        ended_well(scene)


def without_inodes(home: str) -> None:
    """What has its files goes on; what would need a new one is tried again, and a start as well."""
    with on(home, "state") as (scene, disk):
        disk.use_up_inodes()
        scene.write(3)
        scene.until_mended()
        scene.daemon.kill()
        scene.write(2)
        scene.daemon.start()
        until(lambda: scene.counts() != {} or "store_not_open" in scene.daemon.said(), 60, scene.daemon.said)
        assert scene.daemon.is_alive()
        disk.free()
        scene.daemon.answers()
        ended_well(scene)


def read_only(home: str) -> None:
    with on(home, "state") as (scene, disk):
        disk.fail()
        stuck(scene, "Read-only file system")
        scene.write()
        scene.daemon.kill()
        disk.repair()
        scene.daemon.start()
        scene.daemon.answers()
        ended_well(scene)


def test_f48_on_a_full_disk_nothing_runs_or_is_lost_and_all_is_stored_when_there_is_room(tmp_path: Path) -> None:
    in_own_mounts(full, tmp_path)


@pytest.mark.slow
def test_f48_a_daemon_that_starts_on_a_full_disk_says_so_and_goes_on_when_there_is_room(tmp_path: Path) -> None:
    in_own_mounts(full_after_a_kill, tmp_path)


@pytest.mark.slow
def test_f48_a_disk_without_inodes_ends_no_daemon_and_keeps_none_from_starting(tmp_path: Path) -> None:
    in_own_mounts(without_inodes, tmp_path)


@pytest.mark.slow
def test_f50_a_disk_that_the_kernel_made_read_only_is_told_of_and_after_its_repair_nothing_is_lost(
    tmp_path: Path,
) -> None:
    in_own_mounts(read_only, tmp_path)
