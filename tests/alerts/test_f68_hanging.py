"""F68: who hangs or drips is given up in time, and holds up nobody else."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from alerts.duty import hook, on_duty, plan
from alerts.sending import mail
from alerts.servers import Dripping, HttpServer
from logmedic.model.alert import Receiver

SHORT_S = 3.0


@pytest.mark.slow
@pytest.mark.parametrize("line", [b"", b"HTTP/1.1 200 OK\r\nX: "], ids=["black hole", "dripping"])
def test_others_are_told_while_one_hangs(tmp_path: Path, line: bytes) -> None:
    async def scenario(fine: HttpServer, hole: Dripping) -> None:
        receivers = {"chat": Receiver("chat", hook(hole.port)), "fine": Receiver("fine", hook(fine))}
        async with on_duty(tmp_path, plan("chat", "fine"), receivers, deadline_s=60.0) as duty:
            for n in range(3):
                await duty.broken(f"shop{n}")
            await duty.until(lambda: len(fine.posted) == 3, "the other one has all three")
            assert all(each.tries == 0 for each in duty.waiting("chat"))
            assert hole.seen <= 1

    with HttpServer() as fine, Dripping(line) as hole:
        asyncio.run(scenario(fine, hole))


@pytest.mark.slow
def test_after_two_deadlines_the_next_in_line_is_used(tmp_path: Path) -> None:
    async def scenario(fine: HttpServer, hole: Dripping) -> list[str]:
        receivers = {"mail": Receiver("mail", mail(hole.port)), "fine": Receiver("fine", hook(fine))}
        async with on_duty(tmp_path, plan("mail", fallback=("fine",)), receivers, deadline_s=SHORT_S) as duty:
            await duty.broken("shop")
            await duty.until(lambda: fine.posted, "the other way")
            return [row["last_error"] for row in await duty.rows("mail")]

    with HttpServer() as fine, Dripping(b"220-welcome ") as hole:
        assert asyncio.run(scenario(fine, hole)) == [f"no result within {SHORT_S:g} s, given up"]
