"""Built-in steps as a whole: what is started for them, what they get to see, and what comes of it in the sandbox."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from fixes.steps import ATTEMPT, open_to_all, reachable
from logmedic.adapters.fixes.acts import argv_for, programs_of
from logmedic.adapters.fixes.bubblewrap import BubblewrapRunner
from logmedic.core.stepneeds import needs_of
from logmedic.core.targets import filled
from logmedic.fixrun.acts import rotate as rotating
from logmedic.fixrun.acts.rotate import rotate
from logmedic.fixrun.acts.words import Unreached, age, shown, size
from logmedic.model.fix import FixResult
from logmedic.model.sandbox import SandboxKind, SandboxSpec
from logmedic.model.step import (
    Action,
    Command,
    DropCache,
    FreeSpace,
    KillProcess,
    RenewCertificate,
    RotateLog,
    Step,
)

ACT = Path(rotating.__file__).parents[1] / "act.py"
ALL: tuple[Action, ...] = (
    FreeSpace(("/c",), percent=5),
    DropCache("/c"),
    KillProcess("a.service", "w"),
    RotateLog("/etc/logrotate.d/a"),
    RenewCertificate("/etc/ssl/x.pem", ("/usr/bin/x",)),
)


def run(action: Action, *, dry: bool = False, **sandbox: Any) -> FixResult:
    step = Step("x", action, timeout=timedelta(seconds=10), sandbox=SandboxSpec(**sandbox))
    runner = BubblewrapRunner(allow_unsandboxed=True)
    return asyncio.run(runner.rehearse(step) if dry else runner.run(step, ATTEMPT))


def old(path: Path, days: float = 9, size: int = 4096) -> Path:
    path.write_bytes(b"x" * size)
    path.chmod(0o666)
    os.utime(path, (time.time() - days * 86400,) * 2)
    return path


# -- what is started ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", ALL, ids=lambda each: type(each).__name__)
def test_the_program_of_a_built_in_step_takes_what_it_is_given(action: Action) -> None:
    """Every field of the action, under its own name: act.py ends with an answer, and not with a traceback."""
    argv = argv_for(Step("x", action), python=sys.executable, package=str(ACT.parents[1]), dry=True)
    ran = subprocess.run(argv, capture_output=True, text=True, check=False, env={}, cwd="/")
    assert (ran.returncode, ran.stderr) == (3, "")
    assert ran.stdout


def test_a_value_of_a_log_line_is_never_an_option() -> None:
    step = filled(Step("x", FreeSpace(("{path}",), percent=5)), {"path": '--dry"]}'})
    *_, kind, told = argv_for(step, python="p", package="/l")
    assert kind == "free"
    assert json.loads(told)["paths"] == ['--dry"]}']


def test_a_command_is_started_as_it_is() -> None:
    assert argv_for(Step("x", Command(("/a", "-b"))), python="p", package="/l", dry=True) == ("/a", "-b")


def test_the_programs_that_nobody_else_may_have_replaced() -> None:
    assert [list(programs_of(each)) for each in ALL] == [[], [], [], [], ["/usr/bin/x"]]
    assert list(programs_of(Command(("/a", "/b")))) == ["/a"]


@pytest.mark.parametrize("kind", ["nothing", ""])
def test_what_is_no_act_is_an_error(kind: str) -> None:
    ran = subprocess.run([sys.executable, "-I", "-S", ACT, kind, "{}"], capture_output=True, check=False)
    assert ran.returncode == 1


# -- what they see -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "wanted"),
    [
        (FreeSpace(("/a", "/b")), {"write": ("/w", "/a", "/b")}),
        (FreeSpace(("/a/{name}",)), {}),
        (DropCache("/a"), {"write": ("/w", "/a")}),
        (DropCache("/w"), {}),
        (RotateLog("/etc/x"), {"read": ("/r", "/etc/x")}),
        (RenewCertificate("/etc/ssl/x.pem", ("/x",)), {"read": ("/r", "/etc/ssl")}),
        (RenewCertificate("/w/sub/x.pem", ("/x",)), {}),
        (RenewCertificate("/x.pem", ("/x",)), {"read": ("/r", "/x.pem")}),
        (RenewCertificate("/etc/{name}/x.pem", ("/x",)), {}),
        (KillProcess("a.service", "w"), {}),
        (Command(("/x",)), {}),
    ],
)
def test_a_step_sees_what_its_action_cannot_do_without(action: Action, wanted: Mapping[str, Any]) -> None:
    sandbox = SandboxSpec(write=("/w",), read=("/r",))
    expected = SandboxSpec(**{"write": ("/w",), "read": ("/r",), **wanted})
    assert needs_of(Step("x", action, sandbox=sandbox)) == expected


def test_what_a_log_line_says_opens_nothing() -> None:
    written = Step("x", FreeSpace(("/cache", "{path}")))
    assert needs_of(filled(written, {"path": "/etc"})) == needs_of(written) == SandboxSpec(write=("/cache",))


# -- in the sandbox ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", list(SandboxKind))
def test_free_deletes_in_its_own_paths(tmp_path: Path, kind: SandboxKind) -> None:
    room = open_to_all(tmp_path)
    old(room / "a.tmp")
    old(room / "b.log")
    result = run(FreeSpace((str(room),), "*.tmp", free_bytes=1 << 60), kind=kind)
    assert result.exit_code == 3
    assert "deleted   4.0K" in result.output
    assert [each.name for each in room.iterdir()] == ["b.log"]


def test_a_goal_that_is_met_is_a_success(tmp_path: Path) -> None:
    old(open_to_all(tmp_path) / "a")
    assert run(FreeSpace((str(tmp_path),), free_bytes=1)).exit_code == 0
    assert (tmp_path / "a").exists()


@pytest.mark.parametrize("action", ["free", "empty"])
def test_a_dry_run_in_the_sandbox_changes_nothing(tmp_path: Path, action: str) -> None:
    room = open_to_all(tmp_path)
    old(room / "a")
    made = FreeSpace((str(room),), free_bytes=1 << 60) if action == "free" else DropCache(str(room))
    assert f"{room}/a" in run(made, dry=True).output
    assert (room / "a").exists()


def test_empty_drops_what_is_in_its_directory(tmp_path: Path) -> None:
    room = open_to_all(tmp_path)
    old(room / "a")
    assert run(DropCache(str(room))).exit_code == 0
    assert list(room.iterdir()) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="one of our own we may delete")
def test_what_its_user_may_not_delete_stays_and_is_told(tmp_path: Path) -> None:
    old(reachable(tmp_path) / "a")
    result = run(DropCache(str(tmp_path)))
    assert result.exit_code == 3
    assert "1 could not be deleted (permissions?)" in result.output
    assert (tmp_path / "a").exists()


def test_a_certificate_is_seen_when_a_new_file_takes_its_place(tmp_path: Path) -> None:
    """Its directory is shown, and not the file alone."""
    room = open_to_all(tmp_path)
    (room / "x.pem").write_text("none yet")
    result = run(RenewCertificate(str(room / "x.pem"), ("/usr/bin/true",)), dry=True)
    assert f"{room}/x.pem holds no certificate (PEM)" in result.output


def test_a_process_of_the_host_is_not_ended_from_here() -> None:
    result = run(KillProcess("app.service", "worker"))
    assert (result.started, "needs the unit tier" in result.detail) == (False, True)


# -- rotate ------------------------------------------------------------------------------------------------------------


def config_of(room: Path, more: str = "") -> Path:
    (room / "app.log").write_text("a line\n")
    (room / "app.log").chmod(0o666)
    made = room / "conf"
    made.write_text(f"{room}/app.log {{\n  rotate 3\n  {more}\n}}\n")
    made.chmod(0o644)
    return made


needs_logrotate = pytest.mark.skipif(
    not any(Path(each).exists() for each in rotating.PROGRAMS), reason="logrotate is not installed"
)


@needs_logrotate
def test_a_log_is_rotated_now_and_the_hosts_state_is_left_alone(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    config = config_of(tmp_path)
    state = tmp_path / "state"
    rotate({"config": str(config)}, dry=True, state=str(state))
    assert not (tmp_path / "app.log.1").exists()
    assert "would rotate 1 of its logs" in capfd.readouterr().out
    rotate({"config": str(config)}, dry=False, state=str(state))
    assert (tmp_path / "app.log.1").read_text() == "a line\n"
    assert state.exists()


@needs_logrotate
def test_a_log_is_rotated_in_the_sandbox_by_its_owner(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    logs = open_to_all(tmp_path / "logs")
    config = config_of(logs).rename(tmp_path / "conf")
    result = run(RotateLog(str(config)), write=(str(logs),))
    assert (result.exit_code, (logs / "app.log.1").exists()) == (0, True), result.output


@needs_logrotate
def test_f66_nothing_to_rotate_is_no_success(tmp_path: Path) -> None:
    config = config_of(tmp_path, "missingok")
    (tmp_path / "app.log").unlink()
    with pytest.raises(Unreached, match="nothing is to be rotated"):
        rotate({"config": str(config)}, dry=False, state=str(tmp_path / "state"))


@needs_logrotate
def test_a_config_that_is_wrong_is_a_failure(tmp_path: Path) -> None:
    config = config_of(tmp_path, "rotate x")
    with pytest.raises(Unreached, match="logrotate failed"):
        rotate({"config": str(config)}, dry=False, state=str(tmp_path / "state"))


def test_a_config_has_to_be_one_file_that_others_cannot_write_to(tmp_path: Path) -> None:
    config = config_of(tmp_path)
    for path, why in ((tmp_path, "is no file"), (tmp_path / "nothing", "No such file")):
        with pytest.raises(Unreached, match=why):
            rotate({"config": str(path)}, dry=False)
    config.chmod(0o666)
    with pytest.raises(Unreached, match="others can write to"):
        rotate({"config": str(config)}, dry=False)


def test_without_logrotate_what_to_type_is_told(tmp_path: Path) -> None:
    with pytest.raises(Unreached, match="apt-get install logrotate"):
        rotate({"config": str(config_of(tmp_path))}, dry=False, programs=(str(tmp_path / "nothing"),))


# -- words -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bytes_", "told"), [(0, "0B"), (1023, "1023B"), (1536, "1.5K"), (500 << 20, "500M"), (3 << 40, "3.0T")]
)
def test_sizes_are_told_with_their_unit(bytes_: int, told: str) -> None:
    assert size(bytes_) == told


@pytest.mark.parametrize(
    ("seconds", "told"), [(-5, "0s"), (0, "0s"), (61, "1m 1s"), (7200, "2h"), (90_000, "1d 1h"), (86_401, "1d 1s")]
)
def test_ages_are_told_in_two_units(seconds: float, told: str) -> None:
    assert age(seconds) == told


def test_a_name_stays_on_its_line() -> None:
    assert shown("/a b/ä") == "/a b/ä"
    assert "\n" not in shown("/a\nb")
    assert "\u202e" not in shown("/a\u202eb")
