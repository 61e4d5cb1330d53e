"""Completion in the shells themselves: commands, options, choices, and ids that the daemon knows."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from cli.surroundings import ENVIRONMENT
from cli.terminal import programme
from cli.test_commands import logmedic
from contracts.test_store_contract import ALERT, EVERYTHING, INCIDENT, ISSUE
from fakes.canned_control import CannedControl
from fakes.served import serving
from logmedic.cli.completing import ANSWER_S
from logmedic.model.alert import AlertStatus
from logmedic.model.changeset import Changeset
from logmedic.model.issue import Incident

BROKEN: Incident = replace(INCIDENT, id="0193-aaaa-3f9a01c2", title="nginx: cannot $(reach) `it`; 'quoted' \"twice\"")
KNOWN = replace(ISSUE, id="0193-bbbb-9a8b7c6d", title="disk: full")
DEAD = replace(ALERT, id="0193-cccc-77e0a1b2", status=AlertStatus.DEAD)
SHELLS = ("bash", "zsh", "fish")


@pytest.fixture
def control(tmp_path: Path) -> Iterator[CannedControl]:
    with serving(
        tmp_path / "s", EVERYTHING, Changeset(incidents=(BROKEN,), issues=(KNOWN,), alerts=(DEAD,))
    ) as control:
        control.known_receivers = [{"name": "chat-oncall", "scheme": "slack", "state": "ok"}]
        yield control


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Where `logmedic` is a command."""
    command = tmp_path / "bin" / "logmedic"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m logmedic "$@"\n')
    command.chmod(0o755)
    for shell in SHELLS:
        (tmp_path / f"completion.{shell}").write_text(logmedic("completion", shell).stdout)
    return tmp_path


def needed(shell: str) -> str:
    found = shutil.which(shell)
    if found is None:
        assert not os.environ.get("CI"), f"{shell} is missing: apt-get install {shell}"
        pytest.skip(f"{shell} is not installed")
    return found


def ran(home: Path, *argv: str, given: str = "") -> str:
    environment = {
        **ENVIRONMENT,
        "PATH": f"{home / 'bin'}:{ENVIRONMENT['PATH']}",
        "LOGMEDIC_WEB__SOCKET": str(home / "s"),
        "HOME": str(home),
        "TERM": "dumb",
    }
    done = subprocess.run(
        argv, input=given, capture_output=True, text=True, timeout=60, env=environment, cwd=home, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


def in_bash(home: Path, typed: str) -> set[str]:
    words = typed.split(" ")
    program = (
        f"source {home}/completion.bash\nCOMP_WORDS=({' '.join(words)} {chr(39) * 2 if not words[-1] else ''})\n"
        f"COMP_CWORD={len(words) - 1}\n_logmedic_completion logmedic\n"
        '[ ${#COMPREPLY[@]} -eq 0 ] || printf "%s\\n" "${COMPREPLY[@]}"'
    )
    return set(ran(home, needed("bash"), "--norc", "--noprofile", "-c", program).split())


def in_fish(home: Path, typed: str) -> set[str]:
    program = f"source {home}/completion.fish; complete -C '{typed}'"
    lines = ran(home, needed("fish"), "--no-config", "-c", program).splitlines()
    return {line.partition("\t")[0] for line in lines}


def in_zsh(home: Path, typed: str) -> set[str]:
    """Its line editor is typed into; what became of the line is printed instead of run."""
    environment = {"PATH": f"{home / 'bin'}:{ENVIRONMENT['PATH']}", "LOGMEDIC_WEB__SOCKET": str(home / "s")}
    with programme(needed("zsh"), "-f", "-i", columns=120, **environment, HOME=str(home)) as shell:
        shell.type(f"bindkey -e; PS1='ready> '; autoload -U compinit; compinit -u -D; . {home}/completion.zsh\r")
        shell.until(lambda: shell.lines[-1].startswith("ready>") or "\nready>" in shell.text, "it is ready")
        shell.type(f"{typed}\t\x01print -r -- RESULT:\r")
        shell.until(lambda: any(line.startswith("RESULT:") for line in shell.lines), "the line is printed")
        (told,) = (line for line in shell.lines if line.startswith("RESULT:"))
        shell.signal(signal.SIGKILL)
        shell.ended()
    line = told.removeprefix("RESULT:")
    return set() if line == typed else {line.split()[-1]}


COMPLETES = {"bash": in_bash, "fish": in_fish, "zsh": in_zsh}
TYPED = [
    ("logmedic sho", {"show"}),
    ("logmedic status --fail-on h", {"high"}),
    ("logmedic incidents --sev", {"--severity"}),
    ("logmedic rules ch", {"check"}),
    ("logmedic show 3f", {"3f9a01c2"}),
    ("logmedic ack 3f", {"3f9a01c2"}),
    ("logmedic learned mute 9a", {"9a8b7c6d"}),
    ("logmedic alerts test ch", {"chat-oncall"}),
    ("logmedic fixes --rule web-d", {"web-down"}),
    ("logmedic sources sh", {"shop"}),
    ("logmedic alerts resend 77", {"77e0a1b2"}),
    ("logmedic completion z", {"zsh"}),
]


@pytest.mark.parametrize("shell", ["bash", *(pytest.param(each, marks=pytest.mark.slow) for each in ("zsh", "fish"))])
def test_a_shell_completes_commands_options_choices_and_ids(home: Path, control: CannedControl, shell: str) -> None:
    needed(shell)
    for typed, wanted in TYPED:
        assert COMPLETES[shell](home, typed) == wanted, typed


@pytest.mark.parametrize("shell", SHELLS)
def test_without_a_daemon_nothing_is_completed_and_nothing_is_said(home: Path, shell: str) -> None:
    needed(shell)
    assert COMPLETES[shell](home, "logmedic show 3f") == set()
    assert COMPLETES[shell](home, "logmedic approv") == {"approve"}


def test_a_daemon_that_hangs_is_given_up_at_once(home: Path) -> None:
    import socket

    with socket.socket(socket.AF_UNIX) as deaf:
        deaf.bind(str(home / "s"))
        deaf.listen()
        began = time.monotonic()
        assert in_bash(home, "logmedic show 3f") == set()
        slow = time.monotonic() - began
    began = time.monotonic()
    in_bash(home, "logmedic show 3f")
    assert slow - (time.monotonic() - began) < ANSWER_S + 1


def test_the_list_of_commands_imports_none_of_them() -> None:
    program = (
        "import os, sys\n"
        "os.environ.update(_LOGMEDIC_COMPLETE='bash_complete', COMP_WORDS='logmedic s', COMP_CWORD='1')\n"
        "from logmedic.cli.root import main\ntry:\n    main([])\nexcept SystemExit:\n    pass\n"
        "print('loaded:', sorted(each for each in sys.modules if each in "
        "('logmedic.cli.status', 'logmedic.settings', 'pydantic', 'rich')))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "plain,silence" in done.stdout
    assert "loaded: []" in done.stdout


def test_the_way_to_install_it_stands_in_its_help() -> None:
    told = logmedic("completion", "--help").stdout
    for shell in SHELLS:
        assert f"logmedic completion {shell} > " in told
