"""What a fix can do wrong, and what bounds it, with the real daemon and real steps: no sandbox (F61), budgets over
kills (F63), a fix that writes to the log that started it (F64)."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from crash.process import until
from faults.scene import Scene

ALLOWED = 3
BWRAP = shutil.which("bwrap") or ""


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    made = Scene(tmp_path)
    yield made
    made.close()


def change(path: Path, before: str, after: str) -> None:
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))


def running(scene: Scene) -> None:
    scene.daemon.start()
    scene.daemon.answers()


def holds(scene: Scene) -> list[str]:
    """Of incidents whose fix is held."""
    return [str(row["hold"]) for row in scene.ask("incidents") or [] if row["hold"]]


# -- F61 ---------------------------------------------------------------------------------------------------------------


WITHOUT_BUBBLEWRAP = 'mount --bind /dev/null "$0" && exec "$@"'
"""In a mount namespace of its own."""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root hides a program from a daemon")
@pytest.mark.skipif(not BWRAP, reason="bubblewrap is not installed")
def test_f61_a_host_without_bubblewrap_runs_no_fix_and_does_everything_else(scene: Scene) -> None:
    rules = scene.home / "rules" / "rules.yaml"
    rules.write_text(re.sub(r"(,\s*)?sandbox: \{ kind: none \}", "", rules.read_text()))
    words = [sys.executable, "-m", "logmedic", "-c", str(scene.daemon.config)]
    scene.daemon.start("unshare", "--mount", "sh", "-c", WITHOUT_BUBBLEWRAP, BWRAP, *words, "run")
    scene.daemon.answers()
    scene.write(4)
    scene.until_counted()
    until(lambda: holds(scene) == ["disarmed"] * 4, 30, lambda: str(scene.ask("incidents")))
    status = subprocess.run([*words, "status"], capture_output=True, text=True, timeout=60, check=False)
    assert "DISARMED" in status.stdout
    assert "apt-get install bubblewrap" in status.stdout
    assert {row["source"] for row in scene.ask("issues") or []} == {"rule", "learned"}, "it matches, and it learns"
    scene.daemon.stop()
    assert scene.ran().total() == 0
    assert scene.differences() == []


# -- F63 ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("whose", ["the host", "the rule"])
def test_f63_what_may_run_in_an_hour_holds_over_kills(scene: Scene, whose: str) -> None:
    if whose == "the host":
        change(scene.daemon.config, "max_per_hour: 10000", f"max_per_hour: {ALLOWED}")
    else:
        change(scene.home / "rules" / "rules.yaml", "max_per_hour: 10000", f"max_per_hour: {ALLOWED}")
    running(scene)
    for _ in range(ALLOWED):
        scene.write()
        scene.until_mended()
    for _ in range(2):
        scene.daemon.kill()
        scene.write()
        running(scene)
        scene.until_counted()
        held = scene.wrote.rules.total() - ALLOWED
        until(lambda: holds(scene) == ["budget"] * held, 30, lambda: str(scene.ask("incidents")))  # noqa: B023
    scene.daemon.stop()
    assert scene.ran().total() == ALLOWED
    assert scene.differences() == []


# -- F64 ---------------------------------------------------------------------------------------------------------------


def test_f64_a_fix_that_writes_its_own_line_to_the_log_is_not_started_by_it(scene: Scene) -> None:
    """It writes the very line of its own order; nothing but the daemon's eye for its own doing holds it back."""
    change(scene.home / "rules" / "rules.yaml", "cooldown: 24h", "cooldown: 100ms")
    scene.log.chmod(0o666)
    with (scene.home / "bin" / "release").open("a") as script:
        script.write(f'echo "ERROR orders: order $1 is stuck" >> {scene.log}\n')
    running(scene)
    for order in range(1, 4):
        scene.write()
        written = scene.wrote.lines + order
        until(lambda: scene.counts().get("lines") == written, 30, scene.daemon.said)  # noqa: B023
        until(lambda: scene.ask("incidents") == [], 30, scene.daemon.said)
    scene.daemon.stop()
    assert scene.ran() == {"1": 1, "2": 1, "3": 1}
