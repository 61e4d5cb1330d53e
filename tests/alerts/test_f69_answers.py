"""F69: what a server answers decides: later, much later, or through somebody else."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise
from pathlib import Path

import pytest

from alerts.duty import Duty, hook, message, on_duty, plan
from alerts.servers import Answer, HttpServer
from logmedic.model.alert import AlertStatus, Receiver
from logmedic.model.changeset import Resend

PAUSE_S = 4.0


def in_a_while() -> str:
    return format_datetime(datetime.now(UTC) + timedelta(seconds=PAUSE_S + 1), usegmt=True)


@pytest.mark.slow
@pytest.mark.parametrize("is_date", [False, True], ids=["seconds", "date"])
def test_a_busy_receiver_is_left_alone_for_as_long_as_it_asks_by_all_messages(tmp_path: Path, is_date: bool) -> None:
    async def scenario(server: HttpServer) -> None:
        async with on_duty(tmp_path, plan("chat"), {"chat": Receiver("chat", hook(server, "chat"))}) as duty:
            await duty.broken("shop")
            await duty.until(lambda: duty.engine.state.receivers, "a first try")
            await duty.broken("db")
            await duty.over()

    busy = Answer(429, b"", {"Retry-After": in_a_while() if is_date else str(PAUSE_S).removesuffix(".0")})
    with HttpServer({"chat": [busy, Answer()]}) as server:
        asyncio.run(scenario(server))
    first, *rest = server.posted
    assert len(rest) == 2
    least = PAUSE_S - 1 if is_date else PAUSE_S  # a date has no fractions
    assert all(each.at - first.at >= least for each in rest)


@pytest.mark.slow
def test_messages_to_one_receiver_are_a_second_apart(tmp_path: Path) -> None:
    async def scenario(server: HttpServer) -> None:
        async with on_duty(tmp_path, plan("chat"), {"chat": Receiver("chat", hook(server))}) as duty:
            for n in range(4):
                await duty.broken(f"shop{n}")
            await duty.over()

    with HttpServer() as server:
        asyncio.run(scenario(server))
    assert len(server.posted) == 4
    starts = 0.9  # of a process that sends; one may take longer than the other
    assert all(later.at - earlier.at > 1 - starts for earlier, later in pairwise(server.posted))
    assert server.posted[-1].at - server.posted[0].at > 3 - starts


@pytest.mark.slow
def test_errors_of_the_server_are_tried_again(tmp_path: Path) -> None:
    async def scenario(server: HttpServer) -> list[dict[str, object]]:
        async with on_duty(tmp_path, plan("chat"), {"chat": Receiver("chat", hook(server, "chat"))}) as duty:
            await duty.broken("shop")
            await duty.over()
            return await duty.rows()

    with HttpServer({"chat": [Answer(500), Answer(503), Answer()]}) as server:
        (row,) = asyncio.run(scenario(server))
    assert (row["status"], row["tries"], len(server.posted)) == (AlertStatus.SENT, 3, 3)


@pytest.mark.slow
def test_a_revoked_hook_is_asked_once_and_people_hear_of_both_through_the_next_in_line(tmp_path: Path) -> None:
    async def scenario(server: HttpServer) -> None:
        receivers = {"chat": Receiver("chat", hook(server, "revoked")), "fine": Receiver("fine", hook(server, "fine"))}
        async with on_duty(tmp_path, plan("chat", fallback=("fine",)), receivers) as duty:
            await duty.broken("shop")
            await duty.until(lambda: len(told(server)) == 2, "the incident, and the news of the receiver")
            await duty.broken("db")
            await duty.over()
            assert [row["status"] for row in await duty.rows("chat")] == [AlertStatus.DEAD] * 2
            await restored(duty)

    async def restored(duty: Duty) -> None:
        dead = [row["id"] for row in await duty.rows("chat")]
        await duty.give(Resend((dead[0],), "ops"))
        await duty.over()
        assert [row["status"] for row in await duty.rows("chat")][:2] == [AlertStatus.SENT, AlertStatus.DEAD]
        assert duty.engine.state.receivers["chat"].disabled == ""

    def told(server: HttpServer) -> list[str]:
        return [message(each) for each in server.posted if each.path == "/fine"]

    with HttpServer({"revoked": [Answer(404, b"no_service"), Answer()]}) as server:
        asyncio.run(scenario(server))
    assert sum("chat refuses what is sent to it: HTTP 404" in each for each in told(server)) == 1
    assert sum("could not be reached" in each for each in told(server)) >= 2
