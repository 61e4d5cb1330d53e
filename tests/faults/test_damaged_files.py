"""Files that were cut, or changed by a byte, while nobody looked (F34, F46, F47): the daemon starts, keeps the
originals, tells of it, and what is not damaged is there. Lines are read again as far as the store does not know them,
so counts stay exact.

To repeat a failure: the id of the test names the file, how it was damaged, and where."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from crash.process import until
from faults.scene import Scene

ORDERS = 40
FEW, MANY = 1, int(os.environ.get("SWEEP", "6"))
"""Places in a file for each kind of damage; SWEEP=30 looks at more."""


@dataclass(frozen=True, slots=True)
class Damage:
    """`place`: a share of the file's length."""

    how: str
    place: float

    def do(self, path: Path) -> None:
        content = bytearray(path.read_bytes())
        at = min(len(content) - 1, int(self.place * len(content)))
        if self.how == "cut":
            del content[at:]
        elif self.how == "flipped":
            content[at] ^= 0xFF
        else:
            content[at : at + 4096] = bytes(len(content[at : at + 4096]))
        path.write_bytes(content)

    def __str__(self) -> str:
        return f"{self.how}-at-{self.place:.4f}"


def damages(count: int, seed: str) -> list[Damage]:
    """So many of each kind, spread over the file."""
    chance = random.Random(seed)
    places = [min(0.9999, (number + chance.random()) / count) for number in range(count)]
    return [Damage(how, place) for how in ("cut", "flipped", "zeroed") for place in places]


class Kept:
    """A home whose daemon was ended, and its state as it was then; brought back before each damage."""

    def __init__(self, home: Path) -> None:
        self.scene = Scene(home, mode="observe")
        self.state = home / "state"
        self._saved = home / "saved"

    def live(self, end: Callable[[], None]) -> None:
        self.scene.daemon.start()
        self.scene.daemon.answers()
        self.scene.write(ORDERS)
        self.scene.until_counted()
        until(
            lambda: list((self.state / "backups").glob("snapshot-*.duckdb")) != [], 30, self.scene.daemon.said
        )  # the first snapshot
        self.scene.write(ORDERS)
        self.scene.until_counted()
        end()
        shutil.copytree(self.state, self._saved, ignore=shutil.ignore_patterns("*.sock"))

    def restored(self) -> Scene:
        self.scene.close()
        shutil.rmtree(self.state)
        shutil.copytree(self._saved, self.state)
        return self.scene


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kept]:
    """Ended well: all is in the file."""
    kept = Kept(tmp_path_factory.mktemp("closed"))
    kept.live(kept.scene.daemon.stop)
    yield kept
    kept.scene.close()


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kept]:
    """Killed: the last changes are in the write-ahead log."""
    kept = Kept(tmp_path_factory.mktemp("killed"))
    kept.live(kept.scene.daemon.kill)
    yield kept
    kept.scene.close()


def goes_on(scene: Scene, damaged: bytes) -> list[str]:
    """It starts, keeps the original of what it salvages (`damaged`, or, where it met the damage only while it ran, what
    it had made of that), reads the log to its end, and stops as it is told to. What it told."""
    scene.daemon.start()
    scene.daemon.answers()
    notices = scene.ask("status")["store"]["notices"]
    until(lambda: scene.log_is_read(), 30, scene.daemon.said)
    scene.daemon.stop()
    kept = [(scene.home / "state" / name).read_bytes() for name in scene.damaged()]
    if kept:
        met_later = any("damaged inside" in each for each in notices) and max(map(len, kept)) >= len(damaged)
        assert damaged in kept or met_later, f"the original is kept as it was: {notices}\n{scene.daemon.said()}"
    assert bool(kept) == bool(notices), "what was set aside is told"
    return notices  # type: ignore[no-any-return]


def of_store(kept: Kept, damage: Damage) -> None:
    scene = kept.restored()
    damage.do(scene.daemon.store)
    notices = goes_on(scene, scene.daemon.store.read_bytes())
    wrong = scene.differences()
    assert notices or wrong == [], "nothing is wrong that nobody is told of"
    if any("more than once" in each for each in wrong):
        assert any("counted twice" in each for each in notices), (notices, wrong)


def of_wal(kept: Kept, damage: Damage) -> None:
    scene = kept.restored()
    wal = scene.daemon.store.with_name(f"{scene.daemon.store.name}.wal")
    damage.do(wal)
    notices = goes_on(scene, wal.read_bytes())
    assert scene.differences() == [], notices


@pytest.mark.parametrize("damage", damages(FEW, "store"), ids=str)
def test_f47_a_store_that_is_damaged_anywhere_opens_and_what_is_wrong_is_told(closed: Kept, damage: Damage) -> None:
    of_store(closed, damage)


@pytest.mark.parametrize("damage", damages(FEW, "wal"), ids=str)
def test_f46_a_write_ahead_log_that_is_damaged_anywhere_costs_no_count(killed: Kept, damage: Damage) -> None:
    of_wal(killed, damage)


@pytest.mark.slow
@pytest.mark.parametrize("damage", damages(MANY, "dense store"), ids=str)
def test_f47_a_store_that_is_damaged_at_any_place_opens_and_tells_what_is_wrong(closed: Kept, damage: Damage) -> None:
    of_store(closed, damage)


@pytest.mark.slow
@pytest.mark.parametrize("damage", damages(MANY, "dense wal"), ids=str)
def test_f46_a_write_ahead_log_that_is_damaged_at_any_place_costs_no_count(killed: Kept, damage: Damage) -> None:
    of_wal(killed, damage)


@pytest.mark.slow
@pytest.mark.parametrize("damage", damages(1, "snapshot"), ids=str)
def test_f47_garbage_with_a_damaged_snapshot_beside_it_ends_no_start_and_all_is_read_again(
    closed: Kept, damage: Damage
) -> None:
    scene = closed.restored()
    (snapshot,) = (scene.home / "state" / "backups").glob("snapshot-*.duckdb")
    damage.do(snapshot)
    scene.daemon.store.write_bytes(b"\0garbage" * 4096)
    assert goes_on(scene, scene.daemon.store.read_bytes())
    assert scene.differences() == [], "all lines are in the log yet"


PAUSES = (b"", b"\xff\xfe\x00", b"stop\x1b[31m", b"x" * 100_000, b"{" * 5000)


def test_f47_a_pause_file_with_anything_in_it_pauses(tmp_path: Path) -> None:
    """Whatever became of its content, nothing runs while it is there (I8)."""
    scene = Scene(tmp_path)
    file = tmp_path / "paused"
    try:
        file.write_bytes(PAUSES[0])
        scene.daemon.start()
        scene.daemon.answers()
        for content in PAUSES:
            file.write_bytes(content)
            scene.write()
            until(lambda: scene.held_as_paused() == scene.orders, 30, scene.daemon.said)
        assert scene.ran().total() == 0
        file.unlink()
        scene.until_mended()
        scene.daemon.stop()
        assert scene.differences() == []
    finally:
        scene.close()


@pytest.mark.parametrize("damage", damages(1, "rules"), ids=str)
def test_f34_a_rule_file_that_is_damaged_while_it_is_in_force_stays_in_force_as_it_was(
    tmp_path: Path, damage: Damage
) -> None:
    """Or the damage is none (in a comment, in a text of a test), and the file is loaded."""
    scene = Scene(tmp_path)
    rules = tmp_path / "rules" / "rules.yaml"
    try:
        scene.daemon.start()
        scene.daemon.answers()
        before = scene.daemon.said().count('"rules_loaded"')
        damage.do(rules)
        until(lambda: scene.daemon.said().count('"rules_loaded"') > before, 30, scene.daemon.said)
        told = scene.ask("status")["rules"]
        assert told["loaded"] == 1 or told["problems"]
        assert bool(told["problems"]) == bool(told["stale_files"])
        scene.write()
        if told["stale_files"]:
            scene.until_mended()
        scene.until_counted()
    finally:
        scene.close()
