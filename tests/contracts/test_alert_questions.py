"""What is asked about messages and silences, of the real store and of the fake alike."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from contracts.test_store_contract import ALERT, EVERYTHING, INCIDENT, NASTY, NOW, Shelf, run
from logmedic.model.alert import AlertStatus
from logmedic.model.alertevent import AlertEvent
from logmedic.model.changeset import Changeset
from logmedic.model.errors import NotFound
from logmedic.model.notice import Notice, Silence
from logmedic.model.query import Limits
from logmedic.model.severity import Severity
from logmedic.ports import Store

DEAD = replace(ALERT, id="m2-dead", receiver="mail", status=AlertStatus.DEAD)
OLD = replace(DEAD, id="m0-olds", created_at=NOW - timedelta(days=30))
WAITS = replace(
    ALERT,
    id="m3-wait",
    incident_id="other",
    tells=("incident:other", f"incident:{INCIDENT.id}"),
    status=AlertStatus.DEFERRED,
)
SENT = replace(ALERT, id="m4-sent", status=AlertStatus.SENT, sent_at=NOW)
NOTICE = Notice(
    *(f"incident:{INCIDENT.id}", AlertEvent.OPENED, Severity.HIGH, NASTY, NOW, NOW),
    tags=(NASTY,),
    labels={"host": NASTY},
    told={"chat": 2},
    acked_by="ann",
    acked_at=NOW,
)
SILENCE = Silence("n1-sil1", NOW, NOW + timedelta(hours=1), "ann", NASTY, NOW, ("high",), ("db",), {"rule": NASTY})
OVER = replace(SILENCE, id="n0-sil0", until=NOW - timedelta(hours=1), ended_by="bob")
TOLD = Changeset(alerts=(DEAD, OLD, WAITS, SENT), notices=(NOTICE,), silences=(SILENCE, OVER))
SIGNED = "https://logmedic.example/a/AbC-_9"


@pytest.fixture(params=["memory", "duckdb"])
def shelf(request: pytest.FixtureRequest, tmp_path: Path) -> Shelf:
    return Shelf(request.param, tmp_path)


def asked(shelf: Shelf, question: str, **arguments: Any) -> Any:
    async def scenario(store: Store) -> Any:
        await store.commit(EVERYTHING)
        await store.commit(TOLD)
        return await store.ask(question, **arguments)

    return run(shelf, scenario)


@pytest.mark.parametrize(
    ("given", "ids"),
    [
        ({}, ["m4-sent", "m3-wait", "m2-dead", "m1", "m0-olds"]),
        ({"status": "dead"}, ["m2-dead", "m0-olds"]),
        ({"status": "waiting"}, ["m3-wait", "m1"]),
        ({"status": "deferred"}, ["m3-wait"]),
        ({"receiver": "mail", "since": NOW - timedelta(days=1)}, ["m2-dead"]),
        ({"limit": 1}, ["m4-sent"]),
    ],
    ids=lambda given: " ".join(given) or "all",
)
def test_messages_are_chosen(shelf: Shelf, given: dict[str, Any], ids: list[str]) -> None:
    assert [row["id"] for row in asked(shelf, "alerts", **given)] == ids


def test_a_message_is_found_by_the_end_of_its_id(shelf: Shelf) -> None:
    assert asked(shelf, "alert", alert_id="dead")["id"] == "m2-dead"
    for wrong in ("nowhere", "ad"):
        with pytest.raises(NotFound):
            asked(shelf, "alert", alert_id=wrong)


def test_deliveries_are_counted_by_receiver_and_state(shelf: Shelf) -> None:
    rows = asked(shelf, "deliveries", since=NOW - timedelta(days=7))
    assert [(row["receiver"], row["status"], row["n"]) for row in rows] == [
        ("chat", "deferred", 1),
        ("chat", "pending", 1),
        ("chat", "sent", 1),
        ("mail", "dead", 1),
    ]
    assert {"receiver": "mail", "status": "dead", "n": 2} in asked(shelf, "deliveries")


def test_silences_are_asked_with_or_without_the_past(shelf: Shelf) -> None:
    (row,) = asked(shelf, "silences", since=NOW)
    assert (row["id"], row["why"], row["severities"], row["labels"]) == ("n1-sil1", NASTY, ["high"], {"rule": NASTY})
    assert [row["id"] for row in asked(shelf, "silences")] == ["n1-sil1", "n0-sil0"]
    assert asked(shelf, "silence", silence_id="sil0")["ended_by"] == "bob"


def test_an_incident_has_its_news(shelf: Shelf) -> None:
    notice = asked(shelf, "incident", incident_id=INCIDENT.id)["notice"]
    assert (notice["title"], notice["labels"], notice["told"]) == (NASTY, {"host": NASTY}, {"chat": 2})
    assert (notice["acked_by"], notice["acked_until"]) == ("ann", None)


def test_an_incident_has_the_messages_that_tell_of_it_beside_others(shelf: Shelf) -> None:
    told = asked(shelf, "incident", incident_id=INCIDENT.id)["alerts"]
    assert [row["id"] for row in told] == ["m0-olds", "m1", "m2-dead", "m3-wait", "m4-sent"]


def test_nobody_who_may_only_read_gets_a_link_that_acts(shelf: Shelf) -> None:
    async def scenario(store: Store) -> Any:
        await store.commit(EVERYTHING)
        await store.commit(Changeset(alerts=(replace(ALERT, body=f"Approve: {SIGNED}", content=SIGNED),)))
        rows = await store.ask("alerts")
        incident = await store.ask("incident", incident_id=INCIDENT.id)
        answer = await store.query("SELECT * FROM v_alerts", Limits(rows=10, time_s=30))
        return f"{rows}{incident['alerts']}{answer!r}"

    told = run(shelf, scenario)
    assert "/a/..." in told
    assert "AbC" not in told
