"""What each service is sent, recorded on the wire. The golden files: `python tests/alerts/test_formats.py` writes them
anew; they are read by a person before they are kept."""

from __future__ import annotations

import json
import re
import sys
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

import pytest

from alerts.messages import ALERT_ID, MESSAGES, THREAD
from alerts.servers import Posted
from alerts.services import URLS, payload_of, told
from logmedic.model.alert import Delivery

GOLDEN = Path(__file__).parent / "golden"
OBEYED = ("\x1b", "\x00", "\x07", "\u202e", "\u2066", "\ufeff", "\r")
RECORDED = cache(lambda kind: told(MESSAGES[kind]))
FIRST = ("approval", "recovered", "hostile")
"""A message to ten services is ten processes: the other kinds are for `make test-slow`."""
KINDS = [pytest.param(kind, marks=() if kind in FIRST else pytest.mark.slow) for kind in MESSAGES]
CASES = [pytest.param(*kind.values, service, marks=kind.marks) for kind in KINDS for service in URLS]


def recorded(kind: str, service: str) -> Posted:
    return RECORDED(kind)[1][service]


def golden_of(kind: str, service: str) -> str:
    posted = recorded(kind, service)
    path = re.sub(r"(?<=m\.room\.message/).*", "ID", posted.path.partition("?")[0])
    shown = {"path": path, "payload": payload_of(posted)}
    return json.dumps(shown, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


@pytest.mark.parametrize("kind", KINDS)
def test_every_service_takes_every_kind_of_message(kind: str) -> None:
    assert RECORDED(kind)[0] == dict.fromkeys(URLS, Delivery(True))


@pytest.mark.parametrize(("kind", "service"), CASES)
def test_what_is_sent_is_what_was_read_and_kept(kind: str, service: str) -> None:
    assert golden_of(kind, service) == (GOLDEN / f"{service}-{kind}.json").read_text("utf-8")


@pytest.mark.parametrize(("kind", "service"), CASES)
def test_f71_the_alerts_id_is_in_each_but_for_the_end_that_has_no_room_for_it(kind: str, service: str) -> None:
    assert ALERT_ID in golden_of(kind, service) or (kind, service) == ("recovered", "pagerduty")


@pytest.mark.parametrize("service", URLS)
def test_f74_no_control_character_arrives(service: str) -> None:
    assert not any(
        character in each for each in texts_in(payload_of(recorded("hostile", service))) for character in OBEYED
    )


def texts_in(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [each for inner in value.values() for each in texts_in(inner)]
    if isinstance(value, list):
        return [each for inner in value for each in texts_in(inner)]
    return [value] if isinstance(value, str) else []


@pytest.mark.parametrize("service", ["slack", "slack-bot"])
@pytest.mark.parametrize("kind", KINDS)
def test_slacks_limits_are_kept(kind: str, service: str) -> None:
    blocks = payload_of(recorded(kind, service))["blocks"]
    assert len(blocks) <= 50
    assert [each["type"] for each in blocks].count("header") == 1
    assert len(blocks[0]["text"]["text"]) <= 150
    assert all(1 <= len(each["text"]["text"]) <= 3000 for each in blocks if each["type"] == "section")


@pytest.mark.parametrize("service", ["slack", "slack-bot"])
def test_f74_slack_gets_no_mention_and_no_link_but_ours(service: str) -> None:
    for block in payload_of(recorded("hostile", service))["blocks"]:
        if block["type"] == "section":
            text = block["text"]["text"].replace("<https://wiki.example/runbooks/shop-database|Runbook>", "")
            assert "<" not in text
            assert text.count("```") in (0, 2)
            assert "&amp;lt;" not in text.replace("&amp;lt; &lt;b&gt;", "")


def test_f74_discord_pings_nobody_and_telegram_gets_its_own_tags_alone() -> None:
    discord = payload_of(recorded("hostile", "discord"))
    assert discord["allowed_mentions"] == {"parse": []}
    assert discord["embeds"][0]["description"].count("```") % 2 == 0
    telegram = payload_of(recorded("hostile", "telegram"))["text"]
    for tag in ("<b>", "</b>", "<pre>", "</pre>", "</a>"):
        telegram = telegram.replace(tag, "")
    assert telegram.replace('<a href="https://', "").count("<") == 0


@pytest.mark.parametrize("kind", KINDS)
def test_limits_of_the_others_are_kept(kind: str) -> None:
    embed = payload_of(recorded(kind, "discord"))["embeds"][0]
    assert (len(embed["title"]) <= 256, len(embed["description"]) <= 4096) == (True, True)
    assert len(payload_of(recorded(kind, "telegram"))["text"]) <= 4096
    assert len(payload_of(recorded(kind, "ntfy"))["message"].encode()) <= 4096
    assert len(recorded(kind, "teams").body) <= 28_000
    assert len(payload_of(recorded(kind, "opsgenie")).get("message", "")) <= 130


def test_the_end_resolves_what_the_beginning_raised() -> None:
    raised, resolved = (payload_of(recorded(kind, "pagerduty")) for kind in ("approval", "recovered"))
    assert (raised["event_action"], resolved["event_action"]) == ("trigger", "resolve")
    assert raised["dedup_key"] == resolved["dedup_key"] == THREAD
    assert payload_of(recorded("approval", "opsgenie"))["alias"] == THREAD
    assert recorded("recovered", "opsgenie").path == f"/opsgenie/v2/alerts/{THREAD}/close?identifierType=alias"


if __name__ == "__main__":
    for kind, service in product(MESSAGES, URLS):
        (GOLDEN / f"{service}-{kind}.json").write_text(golden_of(kind, service), "utf-8")
