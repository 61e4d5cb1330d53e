"""The real daemon as its service manager sees it: signals (F31, F37), what it tells the watchdog (F32), and what it
needs to start (F41)."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from endtoend.test_daemon import RULE, World, sleeping, until

FIX = """\
    fix:
      mode: auto
      steps: [{{ name: wait, run: [/usr/bin/sleep, "{seconds}"], timeout: 60s, retry: {{ attempts: 1 }} }}]
      verify: {{ command: {{ run: [/usr/bin/true], within: 5s, every: 100ms }} }}
"""
LONGEST_WAIT_S = 5.0
"""Of an engine that has nothing to do."""


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


class Manager:
    """The service manager's end of the notify socket."""

    def __init__(self, home: Path) -> None:
        self.path = str(home / "notify")
        self._heard: list[str] = []
        self._end = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._end.bind(self.path)

    def heard(self) -> list[str]:
        """All so far."""
        while True:
            try:
                self._heard.append(self._end.recv(4096).decode())
            except BlockingIOError:
                return self._heard

    def close(self) -> None:
        self._end.close()


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    made = Manager(tmp_path)
    yield made
    made.close()


@contextmanager
def run(world: World, **env: str) -> Iterator[subprocess.Popen[bytes]]:
    """`world`'s daemon; nothing is waited for."""
    with (world.home / "daemon.log").open("ab") as out:
        usual = {"PATH": os.environ["PATH"]}
        process = subprocess.Popen(
            world.command("run"), stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=usual | env
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@contextmanager
def daemon(world: World, **env: str) -> Iterator[subprocess.Popen[bytes]]:
    """It answers."""
    with run(world, **env) as process:
        until(lambda: world.ask("status") or process.poll() is not None, "the daemon answers")
        assert process.poll() is None, world.said()
        yield process


# -- F31 ---------------------------------------------------------------------------------------------------------------


def with_fix(world: World, seconds: str) -> None:
    rule = world.home / "rules" / "smoke.yaml"
    rule.write_text(
        RULE.format(id="smoke", word="smoke").replace("    tests:", FIX.format(seconds=seconds) + "    tests:")
    )
    world.config.write_text("mode: auto\n" + world.config.read_text())


def attempts(world: World) -> list[dict[str, object]]:
    """Of the only incident."""
    (row,) = world.ask("incidents?all=true")
    return list(world.ask(f"incidents/{row['id']}")["attempts"])


@pytest.mark.slow
def test_f31_a_fix_that_ends_in_time_is_finished_and_stored_before_it_exits_0(world: World) -> None:
    seconds = f"2.{os.getpid()}"
    with_fix(world, seconds)
    with daemon(world) as process:
        world.write("smoke 1")
        until(lambda: sleeping(seconds), "the fix runs")
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0, world.said()
    with daemon(world):
        until(lambda: attempts(world)[0]["verdict"] == "fixed", "what it did is known")
        (attempt,) = attempts(world)
        assert attempt["exit_code"] == 0


@pytest.mark.slow
def test_f31_a_fix_that_takes_too_long_is_cancelled_and_is_not_run_again(world: World) -> None:
    """It would take a minute; the daemon drains for 20 seconds, and systemd kills it after 45."""
    seconds = f"55.{os.getpid()}"
    with_fix(world, seconds)
    with daemon(world) as process:
        world.write("smoke 1")
        until(lambda: sleeping(seconds), "the fix runs")
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=40) == 0, world.said()
        until(lambda: not sleeping(seconds), "the fix is gone")
    with daemon(world):
        until(lambda: attempts(world)[0]["status"] == "finished", "its checks were asked")
        (attempt,) = attempts(world)
        assert attempt["exit_code"] is None
        assert not sleeping(seconds)


# -- F32 ---------------------------------------------------------------------------------------------------------------


def beats(manager: Manager) -> int:
    return manager.heard().count("WATCHDOG=1")


@contextmanager
def disk(home: Path) -> Iterator[Path]:
    """An ext4 of its own, mounted on `home`/state: one that can be frozen."""
    image, place = home / "disk.img", home / "state"
    with image.open("wb") as file:
        file.truncate(64 << 20)
    subprocess.run(["mkfs.ext4", "-q", "-F", str(image)], check=True)
    mounted = subprocess.run(
        ["mount", "-o", "loop", str(image), str(place)], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"this kernel, or who runs this, mounts nothing: {mounted.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


@contextmanager
def frozen(place: Path) -> Iterator[None]:
    """Whoever writes there waits, in the kernel."""
    subprocess.run(["fsfreeze", "--freeze", str(place)], check=True)
    try:
        yield
    finally:
        subprocess.run(["fsfreeze", "--unfreeze", str(place)], check=True)


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts and freezes a file system")
def test_f32_while_a_commit_hangs_the_watchdog_hears_nothing(world: World, manager: Manager) -> None:
    with disk(world.home) as place, daemon(world, NOTIFY_SOCKET=manager.path):
        before = beats(manager)
        until(lambda: beats(manager) >= before + 2, "an idle engine is alive", limit_s=3 * LONGEST_WAIT_S)
        with frozen(place):
            world.write("smoke 1")
            settled = time.monotonic() + LONGEST_WAIT_S
            until(lambda: time.monotonic() > settled, "what was under way is over")
            before, ends = beats(manager), time.monotonic() + 3 * LONGEST_WAIT_S
            until(lambda: time.monotonic() > ends, "it hangs", limit_s=60)
            assert beats(manager) == before
        until(lambda: beats(manager) > before, "it goes on")
        until(lambda: "smoke was seen" in world.titles(), "and loses nothing")


# -- F37 ---------------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_f37_a_thousand_hangups_are_a_few_reloads_and_stop_nothing(world: World) -> None:
    with daemon(world) as process:
        begun = time.monotonic()
        loaded = world.said().count('"rules_loaded"')
        for number in range(1000):
            process.send_signal(signal.SIGHUP)
            if number % 100 == 0:
                world.write(f"smoke {number}")
        until(lambda: (world.ask("counts") or {}).get("matched") == 10, "every line is read meanwhile")
        until(lambda: world.said().count('"rules_loaded"') > loaded, "they were loaded again")
        took = time.monotonic() - begun
        assert world.said().count('"rules_loaded"') - loaded <= 2 + took / 0.1, "one after another, with a pause"
        assert world.said().count('"rules_loaded"') - loaded < 100
        assert process.poll() is None


# -- F41 ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("module", ["duckdb", "regex", "yaml", "structlog"])
def test_f41_without_a_library_it_ends_before_it_says_that_it_is_ready(
    world: World, manager: Manager, tmp_path: Path, module: str
) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / f"{module}.py").write_text(f"raise ImportError('lib{module}.so.7: cannot open shared object file')\n")
    with run(world, NOTIFY_SOCKET=manager.path, PYTHONPATH=str(broken)) as process:
        assert process.wait(timeout=30) != 0
    assert "READY=1" not in manager.heard()
    assert f"lib{module}.so.7: cannot open shared object file" in world.said()


def test_a_daemon_with_all_of_them_says_that_it_is_ready(world: World, manager: Manager) -> None:
    with daemon(world, NOTIFY_SOCKET=manager.path):
        until(lambda: "READY=1" in manager.heard(), "it is ready")
    assert json.loads(world.said().splitlines()[0])["event"]
