"""F73: ten thousand matches are a few messages, and what these say adds up; with the real daemon and a real server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from alerts.servers import HttpServer
from crash.process import Daemon, until
from crash.storm import furnish
from crash.test_told import CONFIG, RULES

LINES, ORDERS = 10_000, 40
WAIT = "6s"
"""Of a group: longer than all of it takes to be read."""


@pytest.mark.slow
def test_f73_ten_thousand_matches_are_a_few_messages_whose_counts_add_up(tmp_path: Path) -> None:
    with HttpServer() as server:
        furnish(tmp_path, CONFIG.format(home=tmp_path, port=server.port).replace("300ms", WAIT), RULES)
        daemon, log = Daemon(tmp_path), tmp_path / "log" / "shop.log"
        log.write_text("".join(f"order {number % ORDERS} is stuck\n" for number in range(LINES)))
        try:
            daemon.start()
            daemon.answers()
            until(lambda: told(server) >= LINES, 60, lambda: f"{told(server)} are told\n{daemon.said()}")
            daemon.stop()
        finally:
            daemon.put_down()
        assert told(server) == LINES
        assert len(server.posted) <= 2
        assert {len(each["stories"]) + each["more"] for each in messages(server)} == {ORDERS}


def messages(server: HttpServer) -> list[dict[str, Any]]:
    return [json.loads(each.body)["logmedic"] for each in server.posted]


def told(server: HttpServer) -> int:
    return max((each["matches"] for each in messages(server)), default=0)
