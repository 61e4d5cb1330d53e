"""What every command prints: JSON that can be read, lines that fit the terminal, help with an example."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.every import RULES, TALKS, TELLS_NO_DATA, commands
from cli.terminal import running
from cli.test_commands import logmedic
from contracts.test_store_contract import ALERT, EVERYTHING, INCIDENT, ISSUE, NEWS
from fakes.canned_control import CannedControl
from fakes.served import serving
from logmedic.cli.cells import width_of
from logmedic.cli.table import LONGEST_WORD, laid_out
from logmedic.model.changeset import Changeset

LONG = "the quick brown fox of the shop jumps over /srv/data/a/very/long/path/to/a/file/somewhere.log, and 日本語 too"
LONG_TITLES = Changeset(
    incidents=(
        replace(INCIDENT, title=LONG),
        replace(INCIDENT, id="0193-aaaa-3f9a01c2", title=f"{LONG}, {LONG}", rule_id="a-rule-with-quite-a-long-name"),
    ),
    issues=(replace(ISSUE, title=LONG),),
    alerts=(replace(ALERT, title=LONG),),
)


@pytest.fixture
def control(tmp_path: Path) -> Iterator[CannedControl]:
    with serving(tmp_path / "s", EVERYTHING, NEWS, LONG_TITLES) as control:
        control.known_receivers = [
            {
                "name": "chat-oncall",
                "scheme": "slack",
                "state": "breaker open",
                "failures": 7,
                "trial": False,
                "open_until": "2100-01-01T00:00:00Z",
                "last_error": LONG,
                "last_error_at": None,
                "sent_at": None,
                "routes": ["oncall"],
                "pending": 1,
                "deferred": 0,
                "dead": 2,
            }
        ]
        control.deliveries = [
            {"receiver": "chat", "scheme": "slack", "route": "", "status": "sent", "last_error": "", "took_s": 0.5}
        ]
        step = {"step": "free it", "rung": 0, "argv": ["free", "space"], "ok": True, "started": True, "exit_code": 0}
        control.steps = [{**step, "duration_s": 0.1, "sandbox": "bubblewrap", "output": LONG, "detail": ""}]
        control.checks = [{"name": "mode", "ok": False, "reason": "observe", "detail": LONG, "until": None}]
        preview = {"receiver": "chat", "scheme": "slack", "route": "oncall", "event": "opened", "format": "slack"}
        control.previews = [{**preview, "title": "t", "body": "b", "files": [], "held": ""}]
        control.pauses = [
            {"origin": "operator", "on": True, "at": "2026-11-24T03:00:00Z", "by": "ann", "why": LONG, "until": None}
        ]
        yield control


@pytest.fixture
def typed(tmp_path: Path, control: CannedControl) -> dict[str, list[str]]:
    """What is behind `logmedic`, by command."""
    rules, config, log = tmp_path / "r.yaml", tmp_path / "c.yaml", tmp_path / "a.log"
    rules.write_text(RULES)
    errors = "2026-11-24 03:00:00 ERROR shop: disk full\n2026-11-24 03:00:01 ERROR shop: cannot reach db\n"
    log.write_text(f"all is well\n{errors}" * 5)
    config.write_text(f"rules: {{ paths: [{rules}] }}\nstorage: {{ path: {tmp_path}/state/l.duckdb }}\n")
    filled = {"rules": str(rules), "config": str(config), "log": str(log)}
    socket = ["--socket", str(tmp_path / "s"), "--store", str(tmp_path / "none.duckdb")]
    return {
        name: [*name.split(), *shlex.split(TALKS[name].format(**filled)), *socket]
        for name, _ in commands()
        if name in TALKS
    }


def test_every_command_is_known_here() -> None:
    names = {name for name, _ in commands()}
    assert names - set(TALKS) - set(TELLS_NO_DATA) == set()
    assert set(TALKS) <= names


@pytest.mark.slow
def test_every_command_prints_json_and_json_a_line(typed: dict[str, list[str]], control: CannedControl) -> None:
    """The same in both: set out, and a line a row."""
    wrong, pauses = {}, control.pauses
    for name, arguments in typed.items():
        control.pauses = list(pauses)
        one = logmedic(*arguments, "-o", "json")
        control.pauses = list(pauses)
        many = logmedic(*arguments, "-o", "jsonl")
        try:
            rows = [json.loads(line) for line in many.stdout.splitlines()]
            whole = json.loads(one.stdout)
            assert len(rows) == (len(whole) if isinstance(whole, list) else 1)
        except (ValueError, AssertionError) as error:
            wrong[name] = f"{error!r} {one.stdout[:80]!r} {many.stdout[:80]!r} {one.stderr[-200:]} {many.stderr[-200:]}"
    assert not wrong, "\n".join(f"{name}: {why}" for name, why in wrong.items())


def test_nothing_but_what_was_asked_for_stands_on_stdout(typed: dict[str, list[str]]) -> None:
    for name in ("status", "incidents", "show", "issues", "alerts list"):
        for line in logmedic(*typed[name]).stdout.splitlines():
            assert "\x1b" not in line, name


FITS = (
    *("status", "incidents", "show", "why", "alerts list", "alerts receivers", "fixes", "fixes try", "sources"),
    *("silence list", "trust", "trust history", "trust show", "breakers", "issues", "learned", "learned show"),
    *(
        "learnings",
        "rules list",
        "rules costs",
        "rules show",
        "rules explain",
        "storage",
        "query",
        "pause",
        "silence add",
    ),
)


@pytest.mark.parametrize("width", [60, *(pytest.param(width, marks=pytest.mark.slow) for width in (80, 120, 200))])
def test_no_line_is_wider_than_the_terminal_and_no_id_is_cut(typed: dict[str, list[str]], width: int) -> None:
    wrong = {}
    for name in FITS:
        with running(*typed[name], columns=width, rows=200) as terminal:
            assert terminal.ended() in (0, 1, 5, 10, 11), f"{name}: {terminal.text}"
        lines = re.sub(r"\x1b\[[0-9;]*m", "", terminal.raw.decode()).replace("\r", "").splitlines()
        if too_wide := [line for line in lines if width_of(line) > width]:
            wrong[name] = too_wide[0]
    assert not wrong, "\n".join(f"{name}: {why}" for name, why in wrong.items())
    with running(*typed["incidents"], columns=width, rows=200) as terminal:
        terminal.ended()
    assert "3f9a01c2" in terminal.text.split()
    for word in ("quick", "brown", "critical", "jumps"):
        assert word in terminal.text.split()


def test_without_colour_nothing_is_coloured(typed: dict[str, list[str]]) -> None:
    for name in ("status", "incidents", "show", "why"):
        with running(*typed[name], columns=100, rows=200, NO_COLOR="1") as terminal:
            terminal.ended()
        assert b"\x1b[" not in terminal.raw, name
        with running(*typed[name], columns=100, rows=200) as terminal:
            terminal.ended()
        assert b"\x1b[" in terminal.raw, name


def test_every_help_has_an_example_and_fits() -> None:
    for name, command in commands():
        told = f"{command.help or ''}\n{command.epilog or ''}"
        assert f"logmedic {name}" in told, f"`logmedic {name} --help` has no example"


def test_the_help_is_grouped_a_line_a_command_also_in_sixty_columns() -> None:
    lines = logmedic("--help", COLUMNS="60").stdout.splitlines()
    for topic in ("Look:", "Decide:", "Rules:", "Learn:", "Run and install:"):
        assert topic in lines
    listed = [line for line in lines[lines.index("Look:") : lines.index("Options:")] if line.startswith("  ")]
    assert all(not line.startswith("    ") for line in listed), listed
    assert max(map(len, lines)) <= 60


WORDS = st.text(alphabet="abcdefghij日", min_size=1, max_size=30)
CELLS = st.lists(WORDS, max_size=6).map(" ".join)


@given(st.data(), st.integers(1, 9), st.integers(40, 200))
def test_a_table_fits_and_keeps_its_words(data: st.DataObject, columns: int, width: int) -> None:
    headings = [f"HEAD{number}" for number in range(columns)]
    rows = data.draw(st.lists(st.lists(CELLS, min_size=columns, max_size=columns), min_size=1, max_size=4))
    ids = [f"{number:08d}" for number in range(len(rows))]
    rows = [[name, *row[1:]] for name, row in zip(ids, rows, strict=True)]
    lines = ["".join(each.text for each in line) for line in laid_out(headings, rows, width, {"HEAD0"})]
    assert max(map(width_of, lines)) <= width
    told = " ".join(lines).split()
    assert [word for word in told if word in ids] == ids
    for row in rows:
        for word in " ".join(row[1:]).split():
            assert width_of(word) > min(LONGEST_WORD, width - 12) or word in told
