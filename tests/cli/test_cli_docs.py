"""docs/cli.md is true: its examples run, and it tells of every command, and of none that is not there."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import click
import pytest

from cli.every import RULES, commands
from cli.test_commands import logmedic
from contracts.test_store_contract import ALERT, EVERYTHING, INCIDENT, ISSUE, NEWS
from fakes.served import serving
from logmedic.cli.examples import EXAMPLES, shown
from logmedic.cli.root import logmedic as command
from logmedic.model.alert import AlertStatus
from logmedic.model.changeset import Changeset
from logmedic.model.issue import HoldReason, IncidentStatus
from logmedic.model.notice import Silence

PAGE = (Path(__file__).parents[2] / "docs" / "cli.md").read_text(encoding="utf-8")
TYPED = [
    line.removeprefix("$ ")
    for block in re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL)
    for line in block.splitlines()
    if line.startswith("$ logmedic ")
]
OF_PAGES = Changeset(
    incidents=(
        replace(
            INCIDENT,
            id="0193-aaaa-3f9a01c2",
            group_key="g",
            status=IncidentStatus.OPEN,
            hold=HoldReason.AWAITING_APPROVAL,
        ),
    ),
    issues=(replace(ISSUE, id="0193-bbbb-9a8b7c6d", fingerprint="f2"),),
    alerts=(replace(ALERT, id="0193-cccc-77e0a1b2", status=AlertStatus.DEAD),),
    silences=(
        Silence(
            "0193-dddd-5b2c9d10",
            INCIDENT.opened_at,
            INCIDENT.opened_at.replace(year=2100),
            "ann",
            "w",
            INCIDENT.opened_at,
        ),
    ),
)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "shop.yaml").write_text(RULES)
    (tmp_path / "logmedic.yaml").write_text("mode: observe\n")
    with serving(tmp_path / "s", EVERYTHING, NEWS, OF_PAGES):
        yield tmp_path


def test_the_examples_of_the_page_run(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home)
    assert len(TYPED) > 30
    failed = {}
    for line in TYPED:
        words = shlex.split(line)[1:]
        ran = logmedic(*words, socket=home / "s" if "completion" not in words else None)
        if ran.returncode != 0:
            failed[line] = f"{ran.returncode}: {ran.stderr[-300:]}{ran.stdout[-300:]}"
    assert not failed, "\n".join(f"{line}: {why}" for line, why in failed.items())


def test_the_page_tells_of_every_command() -> None:
    told = "\n".join(line for line in PAGE.splitlines() if line.startswith("| `"))
    missing = [
        name
        for name, each in commands()
        if not isinstance(each, click.Group) and not re.search(rf"`(logmedic )?{_named(name)}(?!\w)", told)
    ]
    assert missing == []


def _named(name: str) -> str:
    """`silence add` is written `silence [add]`, for short."""
    return name.replace("silence add", r"silence \[add\]")


def test_the_page_tells_of_no_command_that_is_not_there() -> None:
    names = {name.split()[0] for name, _ in commands()}
    for line in PAGE.partition("## Output")[0].splitlines():
        if line.startswith("| `"):
            assert re.match(r"\| `([a-z]+)", line).group(1) in names, line  # type: ignore[union-attr]


EVERY = [(name, example) for name, examples in EXAMPLES.items() for example in examples]


@pytest.mark.parametrize(("name", "example"), EVERY, ids=[example for _, example in EVERY])
def test_an_example_of_a_help_can_be_typed(name: str, example: str) -> None:
    """It is read as the command line reads it, and not carried out."""
    typed = shown(example).partition(" > ")[0].partition(" && ")[0]
    words = shlex.split(typed.partition("| ")[0 if "| logmedic" not in example else 2])
    words = words[words.index("logmedic") + 1 :]
    context = click.Context(command, info_name="logmedic")
    found: click.Command = command
    while isinstance(found, click.Group) and words and not words[0].startswith("-"):
        below = found.get_command(context, words[0])
        if below is None:
            break
        context, found, words = click.Context(below, parent=context, info_name=words[0]), below, words[1:]
    found.make_context(name, words, parent=context.parent, resilient_parsing=False)
