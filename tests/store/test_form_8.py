"""A store of form 7, of a version that told of each incident by itself, goes on in this one."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path

import duckdb
import pytest

import builders as make
from logmedic.adapters.store import rows
from logmedic.adapters.store.duck import DuckStore
from logmedic.core.decide import decide, due
from logmedic.model.alert import Alert, AlertStatus, Delivery
from logmedic.model.alertevent import AlertEvent
from logmedic.model.changeset import Changeset, Delivered, Input, Send, Started, Tick
from logmedic.model.issue import Incident
from logmedic.model.severity import Severity
from logmedic.model.state import EngineState
from store.stores import NOW, use

RULE = replace(make.RULE, fix=None)
OPEN = Incident("i1", "s1", RULE.id, "a", RULE.title, Severity.HIGH, NOW, NOW, told=("opened",))
ALERT = Alert("m1", "i1", AlertEvent.OPENED, Severity.HIGH, "oncall", "chat", "[OPEN] db1: web", "it is down", NOW, NOW)
ALERTS = (
    ALERT,
    replace(ALERT, id="m2", status=AlertStatus.SENDING, tries=1),
    replace(ALERT, id="m3", receiver="mail", status=AlertStatus.SENT, sent_at=NOW),
    replace(ALERT, id="m4", receiver="mail", status=AlertStatus.DEAD, tries=9, last_error="410 gone"),
)
NEW_COLUMNS = ("group_id", "content", "tells", "folded_into", "passed_on", "give_up_at")
NEW_TABLES = ("notices", "alert_groups", "silences", "receivers")


async def _fill(store: DuckStore, _: EngineState) -> None:
    await store.commit(Changeset(incidents=(OPEN,), alerts=ALERTS))


def _as_form_7(path: Path) -> None:
    """With a change that was committed, and not brought into its tables before the end."""
    alert = rows.ALERTS.encoded(replace(ALERT, id="m5"))
    incident = rows.INCIDENTS.encoded(replace(OPEN, id="i2", group_key="b")) | {"told_at": "2026-11-24 12:00:00"}
    left = {"alerts": [{name: alert[name] for name in alert if name not in NEW_COLUMNS}], "incidents": [incident]}
    with duckdb.connect(str(path)) as old:
        for (view,) in old.execute("SELECT view_name FROM duckdb_views() WHERE NOT internal").fetchall():
            old.execute(f'DROP VIEW "{view}"')
        for table in NEW_TABLES:
            old.execute(f"DROP TABLE {table}")
        for name in NEW_COLUMNS:
            old.execute(f"ALTER TABLE alerts DROP COLUMN {name}")
        old.execute("ALTER TABLE incidents ADD COLUMN told_at TIMESTAMP")
        old.execute("UPDATE incidents SET told_at = TIMESTAMP '2026-11-24 12:00:00'")
        old.execute("DELETE FROM schema_migrations WHERE version > 7")
        body = json.dumps({"forgotten": [], "rows": left})
        old.execute("INSERT INTO changes SELECT changes + 1, ? FROM progress", [body])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "logmedic.duckdb"
    use(path, _fill)
    _as_form_7(path)
    return path


async def _state(store: DuckStore, state: EngineState) -> EngineState:
    assert not store.notices
    return state


class Daemon:
    """Decides on a state that was loaded; every message arrives, a second after it was sent."""

    def __init__(self, state: EngineState) -> None:
        self.state, self.sent, self._ids = state, list[Alert](), count(1)
        self._policy = make.policy(RULE, resolve_after=timedelta(hours=1))

    def give(self, given: Input, at: datetime) -> None:
        changeset = decide(self.state, self._policy, given, at, lambda: f"n{next(self._ids):04}")
        self.state.apply(changeset)
        for alert in [each.alert for each in changeset.intents if isinstance(each, Send)]:
            self.sent.append(alert)
            self.give(Delivered(alert.id, Delivery(True)), at + timedelta(seconds=1))

    def run(self, begin: datetime, end: datetime) -> None:
        self.give(Started(), begin)
        while (at := due(self.state, self._policy)) is not None and at <= end:
            begin = max(begin + timedelta(milliseconds=1), at)
            self.give(Tick(), begin)


def test_everything_that_was_in_it_is_there_and_its_tables_are_those_of_a_new_store(path: Path) -> None:
    for _ in range(2):  # from the changes, and from the tables
        state = use(path, _state)
        assert state.incidents == {"i1": OPEN, "i2": replace(OPEN, id="i2", group_key="b")}
        assert state.alerts == {"m1": ALERT, "m2": ALERTS[1], "m5": replace(ALERT, id="m5")}
        assert state.dead == {"m4": ALERTS[3]}
    with duckdb.connect(str(path)) as new:
        for table in rows.TABLES:
            columns = {row[1]: row[2] for row in new.execute(f"PRAGMA table_info('{table.name}')").fetchall()}
            assert columns == {each.name: each.type for each in table.columns}, table.name


def test_what_was_not_delivered_is_sent_as_it_was_written(path: Path) -> None:
    daemon = Daemon(use(path, _state))
    daemon.run(NOW + timedelta(minutes=10), NOW + timedelta(minutes=11))
    old = [each for each in daemon.sent if each.id.startswith("m")]
    assert sorted((each.id, each.title, each.body) for each in old) == [
        (name, "[OPEN] db1: web", "it is down") for name in ("m1", "m2", "m5")
    ]


def test_f75_the_end_of_what_a_version_before_told_is_told(path: Path) -> None:
    daemon = Daemon(use(path, _state))
    daemon.run(NOW + timedelta(minutes=10), NOW + timedelta(hours=2))
    assert daemon.state.incidents == {}
    ends = [each for each in daemon.sent if each.event is AlertEvent.RECOVERED]
    assert sorted(subject for each in ends for subject in each.tells) == ["incident:i1", "incident:i2"]
