"""`logmedic install fixes`, below a directory that is no host."""

from __future__ import annotations

import fcntl
import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from logmedic.adapters.fixes.catalogue import installables
from logmedic.adapters.fixes.installing import Installation
from logmedic.adapters.fixes.layout import Layout, layout
from logmedic.adapters.fixes.unitfiles import Ground
from logmedic.cli.root import main
from logmedic.hostfiles.writing import HostFiles
from logmedic.model.errors import OrderRefused
from logmedic.model.match import MatchSpec
from logmedic.model.rule import Fix, Mode, Rule
from logmedic.model.step import Command, Step

GROUND = Ground("/usr/bin/python3", "/opt/logmedic")
RULES = """\
version: 1
rules:
  - id: broken
    title: broken
    match: { pattern: 'broken (?P<what>\\w+)', captures: { what: word } }
    fix:
      mode: approve
      steps: [{ name: mend, run: [/usr/bin/touch, "/srv/{what}"] }]
      verify: { quiet: 1s }
"""


def of(*programs: str) -> Layout:
    steps = tuple(Step("mend", Command((program,))) for program in programs)
    return layout(installables([Rule("r1", "r1", MatchSpec(("x",)), fix=Fix(Mode.AUTO, steps))]), GROUND, "polkit")


def files(room: Path) -> set[str]:
    return {str(path.relative_to(room)) for path in room.rglob("*") if not path.is_dir() or path.is_symlink()}


def test_what_was_put_there_is_what_is_wanted(tmp_path: Path) -> None:
    here, wanted = Installation(tmp_path), of("/bin/a")
    assert {each.split()[0] for each in here.differences(wanted)} == {"missing"}
    here.put(wanted)
    assert here.differences(wanted) == []
    assert {
        path.stat().st_mode & 0o777 for path in tmp_path.rglob("*") if path.is_file() and not path.is_symlink()
    } == {0o644}


def test_a_step_that_is_gone_leaves_nothing_behind(tmp_path: Path) -> None:
    here = Installation(tmp_path)
    here.put(of("/bin/a", "/bin/b"))
    assert any(each.startswith("left over") for each in here.differences(of("/bin/a")))
    here.put(of("/bin/a"))
    alone = tmp_path / "alone"
    Installation(alone).put(of("/bin/a"))
    assert files(tmp_path) - {f"alone/{each}" for each in files(alone)} == files(alone)


@pytest.mark.parametrize("kind", ["text", "mode", "a link"])
def test_what_somebody_changed_is_found_out_and_put_right(tmp_path: Path, kind: str) -> None:
    here, wanted = Installation(tmp_path), of("/bin/a")
    here.put(wanted)
    changed = tmp_path / "etc/logmedic/fixes/canary.json"
    if kind == "text":
        changed.write_text("{}")
    elif kind == "mode":
        changed.chmod(0o666)
    else:
        changed.rename(tmp_path / "elsewhere")
        changed.symlink_to(tmp_path / "elsewhere")
    assert here.differences(wanted) == ["changed /etc/logmedic/fixes/canary.json"]
    here.put(wanted)
    assert here.differences(wanted) == []


def test_all_of_it_can_be_taken_away(tmp_path: Path) -> None:
    here = Installation(tmp_path)
    here.put(of("/bin/a"))
    (tmp_path / "etc/systemd/system/mine.service").write_text("")
    here.remove()
    assert files(tmp_path) == {"etc/systemd/system/mine.service"}
    assert not (tmp_path / "var/lib/logmedic-fix").exists()


def test_the_directory_of_a_view_is_only_removed_when_it_is_empty(tmp_path: Path) -> None:
    here = Installation(tmp_path)
    here.put(of("/bin/a"))
    (tmp_path / "var/lib/logmedic-fix/canary/var/tmp/kept").write_text("text")
    here.remove()
    assert (tmp_path / "var/lib/logmedic-fix/canary/var/tmp/kept").exists()


def test_units_of_others_stay_though_their_names_begin_alike(tmp_path: Path) -> None:
    here, units = Installation(tmp_path), tmp_path / "etc/systemd/system"
    here.put(of("/bin/a"))
    theirs = [units / "logmedic-fix-mine.socket", units / "logmedic-fix-mine@.service"]
    for each in theirs:
        each.write_text("")
    assert here.differences(of("/bin/a")) == []
    here.remove()
    assert files(tmp_path) == {str(each.relative_to(tmp_path)) for each in theirs}


def test_an_image_whose_links_lead_out_of_it_is_left_alone(tmp_path: Path) -> None:
    image, host = tmp_path / "image", tmp_path / "host"
    host.mkdir()
    (image / "etc").mkdir(parents=True)
    (image / "etc/systemd").symlink_to(host)
    here = Installation(image)
    for order in (lambda: here.put(of("/bin/a")), here.remove):
        with pytest.raises(OrderRefused, match="leads out of"):
            order()
    assert list(host.iterdir()) == []


@contextmanager
def umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


@pytest.mark.parametrize("mask", [0, 0o002, 0o077])
def test_everybody_can_look_and_only_root_can_write_whatever_the_umask_of_root(tmp_path: Path, mask: int) -> None:
    """With 077 no fix would see the root of its view, and with 0 anybody could make another of it."""
    with umask(mask):
        Installation(tmp_path / "host").put(of("/bin/a"))
        assert os.umask(mask) == mask
    rooms = [path for path in (tmp_path / "host").rglob("*") if path.is_dir() and not path.is_symlink()]
    assert {path.stat().st_mode & 0o7777 for path in rooms} == {0o755}


def test_a_view_that_somebody_closed_or_opened_is_found_out_and_put_right(tmp_path: Path) -> None:
    here, wanted = Installation(tmp_path), of("/bin/a")
    here.put(wanted)
    for path, mode in (("canary", 0o700), ("canary/var", 0o777)):
        (tmp_path / "var/lib/logmedic-fix" / path).chmod(mode)
    assert here.differences(wanted) == [
        "changed /var/lib/logmedic-fix/canary",
        "changed /var/lib/logmedic-fix/canary/var",
    ]
    here.put(wanted)
    assert here.differences(wanted) == []


def test_two_do_not_install_at_once(tmp_path: Path) -> None:
    here = Installation(tmp_path)
    (tmp_path / "etc/logmedic/fixes").mkdir(parents=True)
    with open(tmp_path / "etc/logmedic/fixes/.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for order in (lambda: here.put(of("/bin/a")), here.remove):
            with pytest.raises(OrderRefused, match="by somebody else"):
                order()
    assert files(tmp_path) == {"etc/logmedic/fixes/.lock"}


def test_one_that_is_at_it_is_waited_for(tmp_path: Path) -> None:
    """The unit that looks for changed rules, and a person behind it."""
    first, second = HostFiles(tmp_path), HostFiles(tmp_path, busy_s=30)
    order: list[str] = []
    os.umask(mask := os.umask(0o022))

    def installs() -> None:
        with second.alone("lock", "busy"):
            order.append("second")

    with first.alone("lock", "busy"):
        waiting = threading.Thread(target=installs)
        waiting.start()
        waiting.join(0.3)
        order.append("first")
    waiting.join(30)
    os.umask(mask)  # each puts back what it found, and two of one process find each other's
    assert order == ["first", "second"]
    assert not (tmp_path / "lock").exists()


def test_after_one_that_did_not_get_to_its_end_everything_is_put_there_again(tmp_path: Path) -> None:
    """Of what was there already the service manager may know nothing yet."""
    here, wanted = Installation(tmp_path), of("/bin/a")
    here.put(wanted)
    canary, lock = tmp_path / "etc/logmedic/fixes/canary.json", tmp_path / "etc/logmedic/fixes/.lock"
    before = canary.stat().st_ino
    here.put(wanted)
    assert canary.stat().st_ino == before
    lock.touch()
    here.put(wanted)
    assert canary.stat().st_ino != before
    assert not lock.exists()


@pytest.fixture
def config(tmp_path: Path) -> str:
    (tmp_path / "rules.yaml").write_text(RULES)
    (tmp_path / "logmedic.yaml").write_text(f"rules: {{ paths: [{tmp_path}/rules.yaml] }}\n")
    return str(tmp_path / "logmedic.yaml")


def test_the_command_installs_checks_and_removes(
    config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["install", "fixes", "-c", config, "--root", str(tmp_path / "host")]
    assert main([*command, "--check"]) == 1
    assert "hint: sudo logmedic install fixes" in capsys.readouterr().err
    assert main(command) == 0
    assert f"installed 1 step and the canary below {tmp_path}/host\n" in capsys.readouterr().out
    assert main([*command, "--check"]) == 0
    assert main([*command, "-o", "json"]) == 0
    assert '"installed": 1' in capsys.readouterr().out
    assert main([*command, "--remove"]) == 0
    assert f"removed what was installed below {tmp_path}/host\n" in capsys.readouterr().out
    assert files(tmp_path / "host") == set()


@pytest.mark.parametrize("other", ["--check", "--dry-run"])
def test_whoever_only_wants_to_look_removes_nothing(config: str, tmp_path: Path, other: str) -> None:
    command = ["install", "fixes", "-c", config, "--root", str(tmp_path / "host")]
    assert main(command) == 0
    before = files(tmp_path / "host")
    assert main([*command, "--remove", other]) == 2
    assert files(tmp_path / "host") == before


def test_a_dry_run_prints_what_would_be_written_and_writes_nothing(
    config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["install", "fixes", "-c", config, "--root", str(tmp_path / "host"), "--dry-run", "-o", "json"]
    assert main(command) == 0
    told = json.loads(capsys.readouterr().out)
    assert any(path.endswith("@.service") for path in told["files"])
    assert not (tmp_path / "host").exists()


def test_a_step_that_cannot_be_installed_is_left_out_and_told(
    config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = RULES.replace('"/srv/{what}"]', '"/srv/{what}"], sandbox: { read: ["/srv/a b"] }')
    (tmp_path / "rules.yaml").write_text(text)
    assert main(["install", "fixes", "-c", config, "--root", str(tmp_path / "host")]) == 1
    assert "broken: step 'mend' is left out: '/srv/a b'" in capsys.readouterr().err


def test_a_rule_file_that_does_not_load_changes_nothing(
    config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["install", "fixes", "-c", config, "--root", str(tmp_path / "host")]
    assert main(command) == 0
    before = files(tmp_path / "host")
    (tmp_path / "rules.yaml").write_text("version: 1\nrules: [{ id: broken }]\n")
    assert main(command) == 3
    assert files(tmp_path / "host") == before
