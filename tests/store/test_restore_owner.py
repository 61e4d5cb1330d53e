"""Root restores, and a daemon that is not root goes on with it: also before its first start on a new host."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from logmedic.adapters.store import backups
from logmedic.adapters.store.migrations import migrate

DAEMON = 61234


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_all_that_a_restore_makes_is_the_daemons(tmp_path: Path) -> None:
    backup, room = tmp_path / "backup.duckdb", tmp_path / "room"
    with duckdb.connect(str(backup)) as connection:
        migrate(connection)
    room.mkdir()
    os.chown(room, DAEMON, DAEMON)
    backups.restore(room / "logmedic.duckdb", backup, datetime.now(UTC))
    assert {(each.name, each.stat().st_uid) for each in room.iterdir()} == {
        ("logmedic.duckdb", DAEMON),
        ("logmedic.duckdb.lock", DAEMON),
    }
