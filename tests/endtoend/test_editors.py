"""F35: rule files while somebody edits them. The editors are real where they are installed; those that are not write in
their way, which is what matters: in place, beside and renamed, or with the old file moved away first."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from endtoend.test_daemon import RULE, World, daemon, until

Save = Callable[[Path, str], None]
"""Writes the text to the path, as an editor does it."""
VIM = shutil.which("vim") or shutil.which("vim.tiny") or ""
BETWEEN_S = 0.3
"""Longer than the daemon waits for an editor to end."""


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def in_place(path: Path, text: str) -> None:
    """nano, vim with backupcopy=yes: the same inode, emptied and written."""
    path.write_text(text)


def moved_away_first(path: Path, text: str) -> None:
    """vim: a probe called 4913, the old file becomes the backup, a new one is written, the backup goes."""
    probe, backup = path.with_name("4913"), path.with_name(f"{path.name}~")
    probe.touch()
    probe.unlink()
    path.rename(backup)
    path.write_text(text)
    backup.unlink()


def renamed_into_place(path: Path, text: str) -> None:
    """sed -i, gedit, VS Code and most deployments."""
    beside = path.with_name(f"sed{os.getpid()}")
    beside.write_text(text)
    beside.rename(path)


def locked_by_a_link(path: Path, text: str) -> None:
    """emacs: a link that leads nowhere is the lock, and there is a copy of what is not saved yet."""
    lock, unsaved = path.with_name(f".#{path.name}"), path.with_name(f"#{path.name}#")
    lock.symlink_to("ann@host.4711:1")
    unsaved.write_text(text[: len(text) // 2])
    path.rename(path.with_name(f"{path.name}~"))
    path.write_text(text)
    unsaved.unlink()
    lock.unlink()


def by_vim(path: Path, text: str) -> None:
    by_hand = path.with_name("by-hand.txt")
    by_hand.write_text(text)
    typed = [VIM, "-Nu", "NONE", "-es", "-c", "%d", "-c", f"0r {by_hand}", "-c", "wq", str(path)]
    subprocess.run(typed, check=True, timeout=30, stdin=subprocess.DEVNULL)
    by_hand.unlink()


def by_sed(path: Path, text: str) -> None:
    word = text.partition('title: "')[2].partition(" ")[0]
    subprocess.run(["sed", "-i", "-E", rf"s/\b(smoke|sparks) (was|1|one|\()/{word} \2/", str(path)], check=True)
    assert path.read_text() == text


EDITORS = {
    "in place": in_place,
    "moved away first": moved_away_first,
    "renamed into place": renamed_into_place,
    "locked by a link": locked_by_a_link,
    "vim": by_vim,
    "sed": by_sed,
}


def rules(world: World) -> dict[str, object]:
    answer: dict[str, object] = world.ask("status")["rules"]
    return answer


@pytest.mark.slow
@pytest.mark.parametrize("save", EDITORS.values(), ids=EDITORS)
def test_f35_however_an_editor_saves_the_rule_is_never_out_of_force(world: World, save: Save) -> None:
    """Saved again and again, now with one word and now with another, while lines with both come: each is matched by
    whichever version is in force, and no save is taken for a file that is gone."""
    if save is by_vim and not VIM:
        assert not os.environ.get("CI"), "install vim-tiny: scripts/system-packages dev"
        pytest.skip("vim is not installed")
    path = world.home / "rules" / "smoke.yaml"
    with daemon(world):
        for number, word in enumerate(["sparks", "smoke"] * 4):
            save(path, RULE.format(id="smoke", word=word))
            with_both = f"smoke {number} and sparks {number}"
            world.write(*(f"{with_both} at {at}" for at in range(5)))
        until(lambda: (world.ask("counts") or {}).get("lines") == 40, "all is read")
        assert world.ask("counts")["matched"] == 40
        until(lambda: _matches(world, "smoke 1") and not _matches(world, "sparks 1"), "the last version is in force")
        assert (rules(world)["loaded"], rules(world)["problems"]) == (1, [])


TESTS_FIRST = """\
version: 1
rules:
  - id: smoke
    title: "sparks was seen"
    tests:
      - name: it fires
        lines: ["sparks 1"]
        expect: { fires: 1 }
    match: { pattern: 'sparks \\d+' }
"""
"""No beginning of it is a rule."""


def beginnings(text: str) -> Iterator[str]:
    """The file as it grows: nothing, and then a few lines more and half of another each time."""
    lines = text.splitlines(keepends=True)
    yield ""
    for end in range(1, len(lines), 2):
        yield "".join(lines[:end])
        yield "".join(lines[:end]) + lines[end][: len(lines[end]) // 2]


@pytest.mark.slow
def test_f35_a_file_that_is_written_slowly_comes_into_force_when_it_is_whole(world: World) -> None:
    """Each beginning stands for longer than the daemon waits. The last good version is in force all the time, and so is
    another file's rule."""
    world.drop_rule("other", "other")
    path, pause = world.home / "rules" / "smoke.yaml", threading.Event()
    with daemon(world):
        for beginning in beginnings(TESTS_FIRST):
            path.write_text(beginning)
            pause.wait(BETWEEN_S)
            assert _matches(world, "smoke 1"), f"the last good version went for:\n{beginning}"
            assert _matches(world, "other 1")
        path.write_text(TESTS_FIRST)
        until(lambda: _matches(world, "sparks 1"), "the whole file is in force")
        assert not rules(world)["problems"]
        assert not _matches(world, "smoke 1")


def _matches(world: World, line: str) -> bool:
    lines, matched = _counted(world)
    world.write(line)
    until(lambda: _counted(world)[0] > lines, "it is read")
    return _counted(world)[1] > matched


def _counted(world: World) -> tuple[int, int]:
    counts = world.ask("counts") or {}
    return counts.get("lines", 0), counts.get("matched", 0)


@pytest.mark.slow
def test_f35_a_new_file_that_is_half_written_is_told_and_harms_no_other(world: World) -> None:
    path, whole = world.home / "rules" / "sparks.yaml", RULE.format(id="sparks", word="sparks")
    with daemon(world):
        path.write_text(whole[: whole.index("captures") + 10])
        until(lambda: rules(world)["problems"], "the mistake is told")
        assert rules(world)["loaded"] == 1
        assert _matches(world, "smoke 1")
        path.write_text(whole)
        until(lambda: rules(world)["loaded"] == 2, "it is whole")
        assert not rules(world)["problems"]
        assert _matches(world, "sparks 1")
