"""ack, silence and alerts as they are typed: output, exit codes, errors; over a real socket, and without a daemon."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cli.test_commands import logmedic, on_terminal, strip
from contracts.test_store_contract import ALERT, EVERYTHING, NOW
from fakes.served import serving
from logmedic.model.alert import AlertStatus
from logmedic.model.alertevent import AlertEvent
from logmedic.model.changeset import Changeset
from logmedic.model.notice import Notice, Silence
from logmedic.model.severity import Severity
from store.stores import use

STEERING = {"\x1b", "\x00", "\u202e", "\r"}
DEAD = replace(
    ALERT, id="0193-dead", receiver="mail", status=AlertStatus.DEAD, tries=9, last_error="550 \x1b[31mno such user"
)
WAITS = replace(ALERT, id="0193-wait", status=AlertStatus.DEFERRED, next_at=NOW + timedelta(hours=5))
FOLDED = replace(ALERT, id="0193-fold", status=AlertStatus.FOLDED, folded_into="0193-digest99")
SILENCE = Silence(
    *("0193-sil1", NOW - timedelta(hours=1), NOW + timedelta(hours=1), "ann", "known \x1b[2J", NOW),
    labels={"rule": "pg-*"},
)
TOLD = Changeset(
    alerts=(DEAD, WAITS, FOLDED),
    silences=(SILENCE, replace(SILENCE, id="0193-sil0", until=NOW - timedelta(minutes=1), ended_by="bob")),
)
NOTICE = Notice(
    *("incident:0193-i1", AlertEvent.OPENED, Severity.HIGH, "the database is down", NOW, NOW),
    labels={"rule": "pg-down", "host": "db1"},
    told={"chat": 1},
)
BROKEN = {
    "name": "chat",
    "scheme": "slack",
    "routes": ["oncall"],
    "state": "breaker open",
    "failures": 5,
    "open_until": "2100-01-01T00:00:00Z",
    "trial": False,
    "last_error": "timed out \x1b[31m",
    "last_error_at": None,
    "sent_at": None,
    "pending": 2,
    "deferred": 1,
    "dead": 3,
}
WELL = {**BROKEN, "name": "mail", "scheme": "mailto", "state": "ok", "failures": 0, "last_error": ""}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "logmedic.sock"


# -- ack ---------------------------------------------------------------------------------------------------------------


def test_ack_says_who_takes_care_of_it_and_how_long(path: Path) -> None:
    with serving(path, EVERYTHING) as control:
        ran = logmedic("ack", "3-i1", socket=path)
        timed = logmedic("ack", "3-i1", "--for", "4h", socket=path)
        undone = logmedic("ack", "3-i1", "--undo", socket=path)
        nowhere = logmedic("ack", "nowhere", socket=path)
        wrong = logmedic("ack", "3-i1", "--for", "4", socket=path)
    assert ran.stdout.startswith("0193-i1: root takes care of it until it is over: ")
    assert ", 3 h 59 m left: " in timed.stdout
    assert "nobody takes care of it: people are reminded again" in undone.stdout
    assert [each[0] for each in control.did] == ["ack", "ack", "unack"]
    assert (nowhere.returncode, wrong.returncode) == (5, 1)
    assert "`for`: `4` is no duration" in wrong.stderr
    assert not set(ran.stdout) & STEERING


# -- silence -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "typed",
    [
        ["silence", "3-i1", "--for", "2h", "--why", "known"],
        ["silence", "--for", "2h", "3-i1", "--why", "known"],
        ["silence", "-o", "table", "3-i1", "--why", "known", "--for", "2h"],
        ["silence", "add", "3-i1", "--for", "2h", "--why", "known"],
        ["silence", "--why", "list", "3-i1", "--for", "2h"],
    ],
    ids=" ".join,
)
def test_an_incident_is_silenced_in_as_few_words_as_possible(path: Path, typed: list[str]) -> None:
    with serving(path, EVERYTHING) as control:
        ran = logmedic(*typed, socket=path)
    assert ran.returncode == 0, ran.stderr
    assert control.silenced[0]["incident"] == "3-i1"


def test_a_silence_tells_what_it_covers_and_how_to_end_it(path: Path) -> None:
    asked = ["--rule", "pg-*", "--label", "host=db1", "--severity", "high", "--severity", "critical"]
    with serving(path, EVERYTHING) as control:
        control.notices = [NOTICE, *(replace(NOTICE, subject=f"issue:{n:08d}") for n in range(11))]
        ran = logmedic("silence", *asked, "--for", "2h", "--why", "a new disk", socket=path)
        dry = logmedic("silence", "--rule", "x", "--for", "2h", "--why", "x", "--dry-run", socket=path)
    assert ran.returncode == 0, ran.stderr
    (first, second, *shown), end = ran.stdout.splitlines()[:-1], ran.stdout.splitlines()[-1]
    assert first.startswith("silence 193-new1: nobody is told of high or critical, rule pg-*, host db1 until ")
    assert second == "it covers 12 of what is open now:"
    assert "  0193-i1  high      the database is down" in shown
    assert "  issue:00000003  high      the database is down" in shown
    assert shown[-1] == "  and 2 more"
    assert end == "to end it: logmedic silence end 193-new1"
    assert control.silenced[0]["severities"] == (Severity.HIGH, Severity.CRITICAL)
    assert dry.stdout.startswith("nothing is changed; the silence would be: nobody is told of rule x until ")
    assert "nothing that is open now is meant" in dry.stdout


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        (["3-i1", "--why", "known"], "a silence has an end: --for 2h"),
        (["3-i1", "--for", "2h"], "say why"),
        (["--label", "host", "--for", "2h", "--why", "x"], "write NAME=PATTERN"),
        (["--severity", "hihg", "--for", "2h", "--why", "x"], "hihg"),
    ],
)
def test_a_silence_without_an_end_or_a_reason_is_none(path: Path, typed: list[str], says: str) -> None:
    with serving(path, EVERYTHING) as control:
        ran = logmedic("silence", *typed, socket=path)
    assert ran.returncode == 2
    assert says in ran.stderr
    assert control.did == []


def test_silences_are_listed_and_ended(path: Path) -> None:
    with serving(path, EVERYTHING, TOLD) as control:
        control.notices = [NOTICE]
        short = logmedic("silence", socket=path)
        listed = logmedic("silence", "list", socket=path)
        past = logmedic("silence", "list", "--all", socket=path)
        rows = json.loads(logmedic("silence", "-o", "json", socket=path).stdout)
        ended = logmedic("silence", "end", "sil1", socket=path)
        nowhere = logmedic("silence", "end", "nowhere", socket=path)
    without_clock = r"\d+ m \d+ s left"
    assert re.sub(without_clock, "", short.stdout) == re.sub(without_clock, "", listed.stdout)
    head, row = listed.stdout.splitlines()
    assert head.split() == ["SILENCE", "STATE", "OF", "BY", "WHY", "COVERS"]
    assert row.startswith("193-sil1  until 2")
    assert "rule pg-*" in row
    assert row.endswith("1")
    assert "over since " in past.stdout
    assert "ended by bob" in past.stdout
    assert [row["id"] for row in rows] == ["0193-sil1"]
    assert ended.stdout == "silence 193-sil1 is over: people are told of rule pg-* again\n"
    assert nowhere.returncode == 5
    assert not set(past.stdout) & STEERING


def test_silences_and_messages_are_read_from_the_store_without_a_daemon(tmp_path: Path) -> None:
    store = tmp_path / "state" / "logmedic.duckdb"
    use(store, lambda opened, _: opened.commit(replace(EVERYTHING, alerts=TOLD.alerts, silences=TOLD.silences)))
    for command, there, not_there in (
        (["silence", "list"], "193-sil1", "193-sil0"),
        (["silence", "list", "--all"], "193-sil0", "\x1b"),
        (["alerts", "list", "--dead"], "193-dead", "193-wait"),
        (["alerts", "list", "--waiting", "--since", "1d"], "193-wait", "193-dead"),
        (["alerts", "list", "--receiver", "mail"], "193-dead", "193-wait"),
    ):
        ran = logmedic(*command, "--store", str(store), socket=tmp_path / "none.sock")
        assert ran.returncode == 0, ran.stderr
        assert there in ran.stdout, command
        assert not_there not in ran.stdout, command
        assert "no daemon is running" in ran.stderr


# -- messages ----------------------------------------------------------------------------------------------------------


def test_messages_are_listed_with_what_became_of_each(path: Path) -> None:
    with serving(path, EVERYTHING, TOLD):
        ran = logmedic("alerts", "list", socket=path)
        dead = json.loads(logmedic("alerts", "list", "--dead", "-o", "json", socket=path).stdout)
        none = logmedic("alerts", "list", "--dead", "--receiver", "pager", socket=path)
        both = logmedic("alerts", "list", "--dead", "--waiting", socket=path)
    assert ran.returncode == 0, ran.stderr
    told = {line.split()[0]: line for line in ran.stdout.splitlines()}
    assert "given up after 9 tries" in told["193-dead"]
    assert "waits until 2" in told["193-wait"]
    assert "told in digest99" in told["193-fold"]
    assert [row["id"] for row in dead] == ["0193-dead"]
    assert none.stdout == "no message was given up to pager\n"
    assert both.returncode == 2
    assert not set(ran.stdout) & STEERING


def test_receivers_are_told_with_what_ends_their_trouble(path: Path) -> None:
    with serving(path) as control:
        none = logmedic("alerts", "receivers", socket=path)
        control.known_receivers = [BROKEN, WELL]
        ran = logmedic("alerts", "receivers", socket=path)
    assert none.stdout == "there is nobody to tell: add alerts.receivers to the config\n"
    _, chat, mail = ran.stdout.splitlines()
    assert "breaker open until 2100-01-01 00:00Z" in chat
    assert chat.split()[-5:-2] == ["3", "3", "timed"]
    assert mail.split()[:3] == ["mail", "mailto", "ok"]
    assert not set(ran.stdout) & STEERING


@pytest.mark.parametrize(
    ("rows", "code", "says"),
    [
        ([BROKEN, WELL], 0, "! receiver chat: breaker open until 2100-01-01 00:00Z"),
        ([BROKEN, {**WELL, "state": "disabled"}], 11, "! NOBODY CAN BE TOLD: no receiver works"),
        ([WELL], 0, "alerts: 1 to be sent; 2 silences in force: logmedic silence list"),
        ([], 0, "alerts: 1 to be sent"),
    ],
    ids=["one is down", "none works", "all work", "there are none"],
)
def test_f72_a_status_exits_11_when_nobody_can_be_told(
    path: Path, rows: list[dict[str, Any]], code: int, says: str
) -> None:
    with serving(path) as control:
        control.known_receivers, control.silences_in_force = rows, 2
        ran = logmedic("status", socket=path)
    assert ran.returncode == code, ran.stderr
    assert says in ran.stdout


def test_dead_letters_are_sent_again(path: Path) -> None:
    with serving(path, EVERYTHING, TOLD) as control:
        one = logmedic("alerts", "resend", "dead", socket=path)
        every = logmedic("alerts", "resend", "--dead", socket=path)
        none = logmedic("alerts", "resend", socket=path)
        both = logmedic("alerts", "resend", "dead", "--dead", socket=path)
    assert one.stdout.splitlines()[-1] == "1 message on the way: logmedic alerts list says whether they arrive"
    assert every.returncode == 0
    assert [each[:2] for each in control.did] == [("resend", "0193-dead")] * 2
    assert (none.returncode, both.returncode) == (2, 2)


def test_a_test_tells_how_long_it_took(path: Path) -> None:
    with serving(path) as control:
        row = {"receiver": "chat", "scheme": "slack", "status": "sent", "last_error": "", "route": "", "took_s": 1.26}
        control.deliveries = [row]
        ran = logmedic("alerts", "test", "chat", socket=path)
        both = logmedic("alerts", "test", "chat", "--route", "oncall", socket=path)
    assert ran.stdout.splitlines()[1].split() == ["chat", "slack", "sent", "1.3", "s"]
    assert control.did == [("test", "", "chat")]
    assert both.returncode == 2


def test_a_preview_is_printed_as_it_is_sent(path: Path, tmp_path: Path) -> None:
    row = {"receiver": "chat", "scheme": "slack", "route": "oncall", "event": "opened", "format": "slack", "held": ""}
    row |= {
        "title": "[OPEN] db1: \x1b[31mdown",
        "body": "*What broke*\n```\nboom\u202e\n```",
        "files": ["evidence.txt"],
    }
    with serving(path, EVERYTHING) as control:
        control.previews = [row, {**row, "receiver": "mail", "held": ""}]
        ran = logmedic("alerts", "preview", "3-i1", socket=path)
        logmedic("alerts", "preview", "3-i1", "-w", str(tmp_path / "out"), socket=path)
        control.previews = [{**row, "held": "silenced by ann"}]
        held = logmedic("alerts", "preview", "3-i1", socket=path)
        control.previews = []
        nobody = logmedic("alerts", "preview", "3-i1", socket=path)
        unclear = logmedic("alerts", "preview", socket=path)
    assert ran.returncode == 0, ran.stderr
    assert "-- chat (slack), slack, over route oncall --" in ran.stdout
    assert "*What broke*\n```\nboom" in ran.stdout
    assert "with evidence.txt" in ran.stdout
    assert "it would not be told now: silenced by ann" in held.stdout
    assert (tmp_path / "out" / "chat.md").read_text().endswith("boom\u202e\n```\n")
    assert (nobody.returncode, unclear.returncode) == (1, 2)
    assert not set(ran.stdout) & STEERING


def test_the_story_of_an_incident_tells_who_was_told_who_cares_and_why_nobody_is_told(path: Path) -> None:
    stand_in = replace(ALERT, id="m2", receiver="mail", fallback_of="m1", status=AlertStatus.SENT, sent_at=NOW)
    acked = replace(NOTICE, acked_by="ann", acked_at=NOW, suppressed="silenced by bob until 05:00 UTC: \x1b[2Jknown")
    with serving(path, EVERYTHING, Changeset(alerts=(stand_in,), notices=(acked,))):
        ran = logmedic("show", "3-i1", socket=path)
    with serving(path, EVERYTHING, Changeset(alerts=(stand_in,), notices=(NOTICE,))):
        free = logmedic("show", "3-i1", socket=path)
    assert ran.returncode == 0, ran.stderr
    for told in (
        "  chat: opened, to be sent",
        "✓ told      mail instead of chat: opened, sent 0.0 s later",
        "  nobody is told now: silenced by bob until 05:00 UTC",
        "  acknowledged by ann 2",
    ):
        assert told in ran.stdout
    assert "next: logmedic ack" not in ran.stdout
    assert "next: logmedic ack 0193-i1 says that you take care of it" in free.stdout
    assert not set(ran.stdout) & STEERING


# -- from the config alone ---------------------------------------------------------------------------------------------

CONFIG = """
alerts:
  receivers:
    chat: "json://127.0.0.1:9/x"
    mail: "json://127.0.0.1:9/y"
  routes:
    oncall: { to: [chat], fallback: [mail] }
    quiet: [mail]
  default_route: oncall
"""
RULES = """
version: 1
rules:
  - id: pg-down
    title: the database is down
    severity: critical
    tags: [db]
    match: { pattern: boom }
    alert: { routes: [quiet] }
    tests:
      - { name: it fires, lines: [boom], expect: { fires: 1 } }
      - { name: it does not, lines: [calm], expect: { fires: 0 } }
"""


@pytest.fixture
def config(tmp_path: Path) -> list[str]:
    """What is typed to use it, without any daemon."""
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "pg.yaml").write_text(RULES)
    file = tmp_path / "logmedic.yaml"
    file.write_text(f"{CONFIG}rules: {{ paths: [{tmp_path / 'rules'}] }}\n")
    return ["-c", str(file), "--socket", str(tmp_path / "none.sock")]


def test_where_news_would_go_is_explained_from_the_config(config: list[str]) -> None:
    ran = logmedic("alerts", "route", "--severity", "high", "--tag", "db", "--label", "role=x", *config)
    assert ran.returncode == 0, ran.stderr
    for told in (
        "opened, high, tags db",
        "role = x",
        "✓ default_route  nothing else took it -> oncall",
        "route oncall",
        "when one of them is down: mail",
        "✓ told: chat",
    ):
        assert told in ran.stdout


def test_a_rule_brings_its_severity_its_tags_and_its_routes(config: list[str]) -> None:
    row = json.loads(logmedic("alerts", "route", "--rule", "pg-down", "-o", "json", *config).stdout)
    unknown = logmedic("alerts", "route", "--rule", "nobody", *config)
    assert (row["severity"], row["tags"], row["labels"]["rule"]) == ("critical", ["db"], "pg-down")
    assert row["steps"][0] == {
        "place": "the rule",
        "taken": True,
        "why": "it names its routes itself",
        "routes": ["quiet"],
    }
    assert [(each["route"], [told["receiver"] for told in each["told"]]) for each in row["routes"]] == [
        ("quiet", ["mail"])
    ]
    assert "no rule that loads is called nobody" in unknown.stderr


def test_silences_count_when_a_daemon_runs(config: list[str], path: Path) -> None:
    typed = ["alerts", "route", "--rule", "pg-down", "-c", config[1]]
    with serving(path, TOLD):
        ran = logmedic(*typed, socket=path)
        later = logmedic(*typed, "--at", f"{datetime.now(UTC) + timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}", socket=path)
    assert ran.returncode == 1
    assert "✗ nobody is told now: silenced by ann until" in ran.stdout
    assert later.returncode == 0


def test_a_route_that_ends_nowhere_exits_1(tmp_path: Path) -> None:
    ran = logmedic("alerts", "route", "--socket", str(tmp_path / "none.sock"), LOGMEDIC_ALERTS="{}")
    assert ran.returncode == 1
    assert "✗ nobody would be told: no route takes it" in ran.stdout


def test_messages_of_nothing_are_shown_from_the_config(config: list[str]) -> None:
    ran = logmedic("alerts", "preview", "--sample", "fix_failed", *config)
    one = json.loads(
        logmedic("alerts", "preview", "--sample", "quiet", "--receiver", "mail", "-o", "json", *config).stdout
    )
    nobody = logmedic("alerts", "preview", "--sample", "quiet", "--receiver", "pager", *config)
    assert ran.returncode == 0, ran.stderr
    assert "the shop does not answer" in ran.stdout
    assert [(row["receiver"], row["event"]) for row in one] == [("mail", "quiet")]
    assert nobody.returncode == 5
    assert "there are: chat, mail" in nobody.stderr


def test_without_a_daemon_a_test_is_sent_from_here(config: list[str]) -> None:
    ran = logmedic("alerts", "test", "chat", *config)
    assert ran.returncode == 1
    assert "sent from here, with the config as it is now" in ran.stderr
    assert ran.stdout.splitlines()[1].split()[0] == "chat"
    assert "failed" in ran.stdout


def test_on_a_terminal_a_preview_stands_out(config: list[str]) -> None:
    told = on_terminal(["alerts", "preview", "--sample", "opened", *config], 80)
    assert "\x1b[1m" in told
    assert "the shop does not answer" in strip(told)
