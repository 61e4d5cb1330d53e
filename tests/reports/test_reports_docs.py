"""docs/reports.md is true: its example is what really happens, its config loads, its numbers are those in force."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from logmedic.adapters.sources.reports import board, receipts
from logmedic.adapters.sources.reports.limits import Limits
from logmedic.core import reports
from logmedic.model.report import REFUSALS, Answer, AnswerState, Report, ReportKind, Sender
from logmedic.settings import load_settings
from reports.talking import reporting

TEXT = (Path(__file__).parents[2] / "docs" / "reports.md").read_text(encoding="utf-8")
(EXAMPLE,) = re.findall(r"^```sh\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
(TOLD,) = re.findall(r"^```console\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
(CONFIG,) = re.findall(r"^```yaml\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
(RECORD,) = re.findall(r"^```\n(2026.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
USUAL = Limits()


def row(head: str) -> str:
    return next(line for line in TEXT.splitlines() if line.startswith(f"| {head} |"))


def test_the_example_is_what_happens(tmp_path: Path) -> None:
    """Up to what is told before: what is refused is told at once, what is taken after the commit."""
    at_work: dict[str, Any] = {"incident": "0193", "rule": "gateway-down"}

    async def scenario() -> str:
        async with reporting(tmp_path / "s", commits=False) as store:
            command = ["bash", "-euc", EXAMPLE]
            given = {"SOCKET": str(tmp_path / "s"), "PATH": "/usr/bin:/bin"}
            ran = asyncio.to_thread(
                subprocess.run, command, env=given, capture_output=True, text=True, timeout=60, check=False
            )
            running = asyncio.create_task(ran)
            await store.until(lambda: store.answers.asked and store.source.counts().refused)
            store.commit()
            tell = store.answers.asked["a1"]
            tell(Answer("a1", AnswerState.FIXING, final=False, **at_work))
            tell(Answer("a1", AnswerState.FIXED, final=True, **at_work))
            done = await running
            assert done.returncode == 0, done.stderr
            return done.stdout

    assert asyncio.run(scenario()) == TOLD


def test_its_config_loads(tmp_path: Path) -> None:
    config = tmp_path / "logmedic.yaml"
    config.write_text(CONFIG)
    assert load_settings(config, {}).reports.group == "apps"


def test_the_record_that_it_shows_is_that_of_such_a_report() -> None:
    sent = {"id": "a", "component": "checkout", "action": "charge", "at": "2026-11-26T11:22:33.123456Z"}
    sent |= {"error": "TimeoutError", "message": "no answer from the gateway"}
    report = reports.report_of(sent, Sender(33, 33, 4711, "www-data"))
    assert report.at is not None
    assert reports.entry_of(report, 0, "web1", report.at)[0].decode() == RECORD


def test_every_field_every_state_every_reason_and_every_kind_is_named() -> None:
    assert [each for each in reports.FIELDS if f"`{each}`" not in TEXT] == []
    assert [each for each in AnswerState if f"| `{each}` |" not in TEXT] == []
    assert [each for each in REFUSALS if f"`{each}`" not in TEXT] == []
    assert [each for each in ReportKind if f"`{each}`" not in TEXT] == []


def test_every_key_of_a_report_is_named() -> None:
    keys = {each for each in Report.__slots__ if each != "sender"}
    told = TEXT[TEXT.index("**`report`**") : TEXT.index("**`breaker`**")]
    assert [each for each in sorted(keys) if f"`{each}`" not in told] == []


@pytest.mark.parametrize(
    ("head", "numbers"),
    [
        ("connections", (USUAL.connections, USUAL.user_connections, USUAL.own_connections)),
        ("what is read and waits", (USUAL.waiting_bytes >> 20, USUAL.user_waiting_bytes >> 20)),
        ("reports that wait for an answer", (USUAL.questions, USUAL.user_questions)),
        ("a line", (reports.MAX_LINE >> 10,)),
        ("answers that one connection has not read", (USUAL.unread_bytes >> 10,)),
        ("open breakers that are shared", (board.MAX_OPEN, board.MAX_OPEN_OF_USER, board.MAX_FOLLOWED)),
        ("`message`, `traceback`", (reports.MAX_MESSAGE, reports.MAX_TRACEBACK)),
        ("`error`, `action`, `name`, `strategy`", (reports.MAX_WORDS,)),
        ("`tags`", (reports.MAX_TAGS,)),
        ("`context`", (reports.MAX_CONTEXT, reports.MAX_VALUE)),
        ("`attempts`", (reports.MAX_ATTEMPTS,)),
        ("`wait`", (int(reports.MAX_WAIT.total_seconds()),)),
    ],
    ids=lambda given: given if isinstance(given, str) else "",
)
def test_its_numbers_are_those_in_force(head: str, numbers: tuple[int, ...]) -> None:
    told = re.findall(r"[\d,]*\d", row(head))
    assert [str(each) for each in numbers if str(each) not in [number.replace(",", "") for number in told]] == []


def test_so_many_ids_are_remembered() -> None:
    assert f"last {receipts.KEPT_OF_USER:,} ids of each user ({receipts.KEPT:,} of all)" in TEXT.replace("\n  ", " ")


def test_its_lines_of_json_are_lines_of_json() -> None:
    assert [json.loads(line)["type"] for line in TOLD.splitlines()] == ["hello", "refused", "taken", "answer", "answer"]
