"""`rules explain` as it is typed: alone, and with a daemon that knows more."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import forked
from cli.surroundings import ENVIRONMENT
from fakes.served import serving
from logmedic.model.changeset import Changeset
from logmedic.model.issue import Window
from logmedic.model.match import Capture, CaptureType, MatchSpec
from logmedic.model.rule import Rule
from logmedic.model.when import Threshold, When

RULES = r"""version: 1
rules:
  - id: disk-io
    title: "disk {disk} does not answer"
    match: { pattern: 'I/O error on (?P<disk>\S+), giving up$', captures: { disk: word }, unless: [loop0] }
    when: { threshold: { count: 3, within: 1h, by: [disk] } }
  - id: disk-gone
    title: "a disk is gone"
    source: kernel
    match: { pattern: 'device (\S+) is gone' }
"""
LINE = "Nov 24 03:12:41 db1 app[811]: I/O error on sda, giving up"
DISK_IO = Rule(
    "disk-io",
    "t",
    MatchSpec((r"I/O error on (?P<disk>\S+)",), captures={"disk": Capture(CaptureType.WORD)}),
    when=When(Threshold(3, timedelta(hours=1), ("disk",))),
    file="elsewhere.yaml",
)


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    path = tmp_path / "disk.yaml"
    path.write_text(RULES)
    return path


def explain(*arguments: str, rules: Path, socket: Path | None = None, given: bytes = b"") -> tuple[int, str, str]:
    where = ["--rules", str(rules), "--socket", str(socket or "/nonexistent/logmedic.sock")]
    ran = forked.run(
        [sys.executable, "-m", "logmedic", "rules", "explain", *arguments, *where],
        input=given,
        capture_output=True,
        timeout=60,
        check=False,
        env=ENVIRONMENT,
    )
    return ran.returncode, ran.stdout.decode(), ran.stderr.decode()


def rows(*arguments: str, rules: Path, socket: Path | None = None, given: bytes = b"") -> list[dict[str, Any]]:
    _, out, err = explain(*arguments, "-o", "json", rules=rules, socket=socket, given=given)
    assert out, err
    found: list[dict[str, Any]] = json.loads(out)
    return found


def test_a_match_is_told_whole_and_exits_with_0(rules: Path) -> None:
    code, out, _ = explain(LINE, rules=rules)
    assert code == 0
    for told in ("✓ disk-io: matches", "disk = sda (word)", "1 of 3; wants 3 matches within 1h", "no incident yet"):
        assert told in out
    assert "as if nothing had come before" in out
    assert "\x1b" not in out


def test_a_near_miss_shows_where_it_parts_and_exits_with_1(rules: Path) -> None:
    code, out, _ = explain("I/O error on sda, trying again", rules=rules)
    assert code == 1
    lines = [line.strip() for line in out.splitlines()]
    assert "✗ disk-io: nearly" in out
    assert "matched   `I/O error on sda, `" in lines
    assert r"wanted    `giving up$`" in lines
    assert "found     `trying again`" in lines


def test_a_named_rule_tells_why_it_is_silent(rules: Path) -> None:
    _, out, _ = explain("device sda is gone", "--source", "web", "--rule", "disk-gone", rules=rules)
    assert "it does not hear this source, only kernel" in out
    code, _, err = explain(LINE, "--rule", "disc-io", rules=rules)
    assert code == 5
    assert "did you mean `disk-io`?" in err


def test_an_unknown_error_is_told_with_its_fingerprint(rules: Path) -> None:
    (row,) = rows("Nov 24 03:12:41 db1 app[811]: ERROR queue 17 is stuck", rules=rules)
    assert row["unknown"]["component"] == "app"
    assert row["unknown"]["template"] == "queue <n> is stuck"
    assert len(row["unknown"]["fingerprint"]) == 16


def test_a_file_is_cut_into_its_records(rules: Path, tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    trace = 'ERROR boom\nTraceback (most recent call last):\n  File "x"\nValueError: y\n'
    path.write_text(f"{LINE}\n\n{trace}all is well\n")
    found = rows("--file", str(path), rules=rules)
    assert [row["text"].count("\n") for row in found] == [0, 3, 0]
    assert [row["matched"] for row in found] == [["disk-io"], [], []]
    _, out, _ = explain("--file", str(path), rules=rules)
    assert "3 records: 1 known, 1 that no rule is near" in out


def test_standard_input_may_hold_any_bytes(rules: Path) -> None:
    code, out, _ = explain("-", rules=rules, given=b"\xff\x1b[31m\xe2\x80\xae I/O error on sda, giving up\r\n")
    assert code == 0
    assert not set(out) & {"\x1b", "\u202e", "\r"}


def test_jsonl_is_a_line_a_record(rules: Path) -> None:
    _, out, _ = explain("-", "-o", "jsonl", rules=rules, given=f"{LINE}\n{LINE}\n".encode())
    assert [json.loads(line)["matched"] for line in out.splitlines()] == [["disk-io"], ["disk-io"]]


def test_the_daemon_tells_what_it_has_counted_and_what_would_come_of_one_more(rules: Path, tmp_path: Path) -> None:
    at = datetime(2026, 11, 24, 2, 59, tzinfo=UTC).timestamp()
    window = Window("disk-io", "sda", (at, at + 1), "threshold")
    with serving(tmp_path / "s", Changeset(windows=(window,))) as control:
        control.rules = [DISK_IO]
        control.quarantined = {"disk-io": "too slow"}
        arguments = (LINE, "--at", "2026-11-24T03:00:00Z")
        (row,) = rows(*arguments, rules=rules, socket=tmp_path / "s")
        _, out, _ = explain(*arguments, rules=rules, socket=tmp_path / "s")
    now = row["rules"][0]["now"]
    assert now["daemon"]
    assert now["would"]["outcome"] == "opens"
    assert now["windows"] == [
        {"group": {"disk": "sda"}, "progress": "2 of 3; wants 3 matches within 1h", "newest": "2026-11-24T02:59:01Z"}
    ]
    for told in (
        "reached: 3 matches within 1h",
        "it opens an incident",
        "the rule has no fix",
        "too slow",
    ):
        assert told in out
    assert "the daemon has this rule from elsewhere.yaml" in out


def test_a_rule_that_the_daemon_does_not_have_is_told_of_alone(rules: Path, tmp_path: Path) -> None:
    with serving(tmp_path / "s") as control:
        control.rules = [replace(DISK_IO, id="other")]
        (row,) = rows(LINE, rules=rules, socket=tmp_path / "s")
    assert row["rules"][0]["now"]["note"] == "the daemon does not have this rule"


@pytest.mark.parametrize("arguments", [(), (LINE, "--file", "x"), (LINE, "--at", "noon")])
def test_what_makes_no_sense_is_wrong_usage(arguments: tuple[str, ...], rules: Path) -> None:
    assert explain(*arguments, rules=rules)[0] == 2


# -- reports of applications -------------------------------------------------------------------------------------------

SHOP = """version: 1
rules:
  - id: shop-pool
    title: "{component} has lost its database"
    match: { report: { component: checkout, error: "psycopg.*", users: shop }, captures: { component: word } }
"""
LOST = {"component": "checkout", "error": "psycopg.OperationalError", "message": "connection refused", "user": "shop"}


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    path = tmp_path / "shop.yaml"
    path.write_text(SHOP)
    return path


def test_a_report_is_explained_as_an_application_sends_it(shop: Path) -> None:
    code, out, err = explain("--report", json.dumps(LOST), rules=shop)
    assert (code, err) == (0, "")
    for told in ("✓ shop-pool: matches", "component = checkout (word)", "source    reports; its head names checkout"):
        assert told in out


def test_each_key_that_does_not_fit_is_told_with_what_is_there(shop: Path) -> None:
    odd = {**LOST, "error": "ValueError", "user": "mallory"}
    code, out, _ = explain("--report", json.dumps(odd), rules=shop)
    assert code == 1
    assert "✗ shop-pool: the report does not fit" in out
    assert "error: wanted `psycopg.*`, found `ValueError`" in out
    assert "users: wanted `shop`, found `mallory`" in out
    (row,) = rows("--report", json.dumps(odd), rules=shop)
    assert [each["key"] for each in row["rules"][0]["misfits"]] == ["error", "users"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--report", "{"), "--report: this is no line of JSON"),
        (("--report", '{"component": "a b"}'), "--report: `component`: 'a b' is none"),
        (("--report", json.dumps(LOST), "LINE"), "name one thing to explain"),
        (("--report", json.dumps(LOST), "--source", "reports"), "name one thing to explain"),
    ],
)
def test_what_no_application_could_send_is_a_wrong_use(arguments: tuple[str, ...], words: str, shop: Path) -> None:
    code, _, err = explain(*arguments, rules=shop)
    assert code == 2
    assert words in err


def test_a_line_is_none_whatever_it_says(shop: Path) -> None:
    line = "2026-11-26T11:22:33.123456+00:00 h checkout[7]: ERROR psycopg.OperationalError: connection refused"
    code, out, _ = explain(line, "--rule", "shop-pool", rules=shop)
    assert code == 1
    assert "it is about reports of applications, and this is a line of a log" in out
