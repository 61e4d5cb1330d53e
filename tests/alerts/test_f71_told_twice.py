"""F71: what arrived and was reported as failed is sent again, and its id says that it is the same."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from alerts.duty import hook, id_in, message, on_duty, plan
from alerts.sending import mail
from alerts.servers import Answer, HttpServer, SmtpServer
from logmedic.model.alert import AlertStatus, Receiver


@pytest.mark.slow
@pytest.mark.parametrize("cut", [0, 5, 39], ids=["no answer", "in its first line", "in its body"])
def test_a_web_hook_that_takes_it_and_closes_before_its_answer_is_through(tmp_path: Path, cut: int) -> None:
    async def scenario(server: HttpServer) -> list[tuple[str, int]]:
        async with on_duty(tmp_path, plan("chat"), {"chat": Receiver("chat", hook(server, "chat"))}) as duty:
            await duty.broken("shop")
            await duty.over()
            return [(row["status"], row["tries"]) for row in await duty.rows()]

    with HttpServer({"chat": [Answer(cut=cut), Answer()]}) as server:
        assert asyncio.run(scenario(server)) == [(AlertStatus.SENT, 2)]
    first, second = (id_in(message(each)) for each in server.posted)
    assert first == second


@pytest.mark.slow
def test_a_mail_server_that_has_the_letter_and_says_that_it_has_not(tmp_path: Path) -> None:
    async def scenario(mails: SmtpServer) -> None:
        async with on_duty(tmp_path, plan("mail"), {"mail": Receiver("mail", mail(mails.port))}) as duty:
            await duty.broken("shop")
            await duty.over()

    with SmtpServer(afterwards=["451 try again later"]) as mails:
        asyncio.run(scenario(mails))
    first, second = map(id_in, mails.plain)
    assert first == second
