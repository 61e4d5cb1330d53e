"""F67: a receiver that cannot be reached now is told later, over restarts, and the next in line at once."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from alerts.duty import hook, id_in, message, on_duty, plan
from alerts.sending import mail
from alerts.servers import Answer, HttpServer, SmtpServer, closed_port
from logmedic.model.alert import AlertStatus, Receiver


@pytest.mark.slow
def test_what_was_refused_before_a_restart_arrives_after_it_with_the_same_id(tmp_path: Path) -> None:
    port = closed_port()
    receivers = {"chat": Receiver("chat", hook(port))}

    async def refused() -> str:
        async with on_duty(tmp_path, plan("chat"), receivers) as duty:
            await duty.broken("shop")
            await duty.until(lambda: any(each.tries for each in duty.waiting("chat")), "a try")
            return duty.waiting("chat")[0].id

    async def back() -> list[str]:
        async with on_duty(tmp_path, plan("chat"), receivers) as duty:
            await duty.over()
            return [row["status"] for row in await duty.rows("chat")]

    alert_id = asyncio.run(refused())
    with HttpServer(port=port) as server:
        assert asyncio.run(back()) == [AlertStatus.SENT]
    assert [id_in(message(each)) for each in server.posted] == [alert_id]


def test_what_is_under_way_at_a_stop_is_sent_again_with_its_id(tmp_path: Path) -> None:
    """It may have arrived: at least once, and recognisable."""
    port = closed_port()
    receivers = {"chat": Receiver("chat", hook(port))}

    async def stopped(hole: HttpServer) -> None:
        async with on_duty(tmp_path, plan("chat"), receivers) as duty:
            await duty.broken("shop")
            await duty.until(lambda: hole.posted, "it is on its way")

    async def again() -> None:
        async with on_duty(tmp_path, plan("chat"), receivers) as duty:
            await duty.over()

    with HttpServer({"": Answer(delay_s=5.0)}, port=port) as hole:
        asyncio.run(stopped(hole))
    with HttpServer(port=port) as server:
        asyncio.run(again())
    assert [id_in(message(each)) for each in server.posted] == [id_in(message(hole.posted[0]))]


def test_while_a_chat_is_down_mail_is_used_and_both_have_it_in_the_end(tmp_path: Path) -> None:
    port = closed_port()

    async def scenario(mails: SmtpServer) -> list[str]:
        receivers = {"chat": Receiver("chat", hook(port)), "mail": Receiver("mail", mail(mails.port))}
        async with on_duty(tmp_path, plan("chat", fallback=("mail",)), receivers) as duty:
            await duty.broken("shop")
            await duty.until(lambda: mails.plain, "the mail")
            with HttpServer(port=port) as server:
                await duty.over()
                assert len(server.posted) == 1
            return [row["status"] for row in await duty.rows()]

    with SmtpServer() as mails:
        assert asyncio.run(scenario(mails)) == [AlertStatus.SENT, AlertStatus.SENT]
    assert "\n\nChat could not be reached.\n" in mails.plain[0]


@pytest.mark.slow
def test_a_mail_server_that_is_busy_for_a_while_is_tried_until_it_takes_the_letter(tmp_path: Path) -> None:
    async def scenario(mails: SmtpServer) -> list[int]:
        receivers = {"mail": Receiver("mail", mail(mails.port))}
        async with on_duty(tmp_path, plan("mail"), receivers) as duty:
            await duty.broken("shop")
            await duty.over()
            return [row["tries"] for row in await duty.rows("mail")]

    with SmtpServer(afterwards=["451 try again later", "452 out of room"]) as mails:
        assert asyncio.run(scenario(mails)) == [3]
    assert len(mails.plain) == 3
