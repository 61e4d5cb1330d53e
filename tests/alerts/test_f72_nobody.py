"""F72: when nobody can be reached, the journal has it, and the messages stay to be sent again."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from alerts.duty import hook, id_in, message, on_duty, plan
from alerts.sending import mail
from alerts.servers import Answer, HttpServer, closed_port
from logmedic.model.alert import AlertStatus, Receiver
from logmedic.model.changeset import Resend


@pytest.mark.slow
def test_what_reaches_nobody_is_logged_as_critical_once_an_alert_and_is_sent_later(tmp_path: Path) -> None:
    port = closed_port()

    async def scenario() -> list[dict[str, Any]]:
        receivers = {"chat": Receiver("chat", hook(port)), "mail": Receiver("mail", mail(closed_port()))}
        async with on_duty(tmp_path, plan("chat", fallback=("mail",)), receivers) as duty:
            await duty.broken("shop")
            await duty.until(lambda: lost(), "the journal has it")
            with HttpServer(port=port) as server:
                await duty.until(lambda: server.posted, "it arrives after all")
                await duty.until(lambda: not duty.waiting("chat"), "and is sent")
            return await duty.rows("mail")

    def lost() -> list[Any]:
        return [each for each in logs if each["event"] == "alert_not_delivered"]

    with capture_logs() as logs:
        (row,) = asyncio.run(scenario())
    (entry,) = lost()
    assert (entry["log_level"], entry["title"], entry["alert"]) == ("critical", row["title"], row["id"])
    assert entry["why"] == "SMTP: Connection refused"


def test_dead_letters_outlive_a_restart_and_are_sent_again(tmp_path: Path) -> None:
    async def scenario(server: HttpServer) -> None:
        receivers = {"chat": Receiver("chat", hook(server, "chat"))}
        async with on_duty(tmp_path, plan("chat"), receivers) as duty:
            await duty.broken("shop")
            await duty.until(lambda: duty.engine.state.dead, "it is refused for good")
        async with on_duty(tmp_path, plan("chat"), receivers) as duty:
            await duty.give(Resend(tuple(duty.engine.state.dead), "ops"))
            await duty.until(lambda: len(server.posted) == 2, "again")
            await duty.until(lambda: not duty.waiting("chat"), "and sent")
            assert [row["status"] for row in await duty.rows("chat")][:1] == [AlertStatus.SENT]

    with HttpServer({"chat": [Answer(410), Answer()]}) as server, capture_logs() as logs:
        asyncio.run(scenario(server))
    assert [each["event"] for each in logs].count("alert_not_delivered") >= 1
    first, second = (id_in(message(each)) for each in server.posted)
    assert first == second
