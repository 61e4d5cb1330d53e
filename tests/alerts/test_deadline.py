"""F68: nothing a server does or does not do outlasts the deadline, and no process is left."""

from __future__ import annotations

import asyncio
import os
import time
from contextlib import ExitStack
from pathlib import Path

from alerts.sending import ALERT, mail, spying_python
from alerts.servers import Dripping
from logmedic.adapters.alerts.sender import AppriseSender
from logmedic.model.alert import Delivery, Receiver

SHORT_S = 2.0


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def pids(notes: Path) -> list[int]:
    return [int(line) for line in notes.read_text().splitlines() if line.isdecimal()]


def test_f68_black_holes_and_dripping_servers_are_given_up_together_and_leave_no_process(tmp_path: Path) -> None:
    python, notes = spying_python(tmp_path)

    async def scenario(urls: list[str]) -> list[Delivery]:
        sender = AppriseSender(deadline_s=SHORT_S, python=python)
        return await asyncio.gather(*(sender.send(ALERT, Receiver(url, url)) for url in urls))

    with ExitStack() as stack:
        hole, header, status, greeting = (
            stack.enter_context(Dripping(line))
            for line in (b"", b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 ok ok ok ok ok", b"220-welcome ")
        )
        began = time.monotonic()
        deliveries = asyncio.run(
            scenario(
                [
                    f"json://127.0.0.1:{hole.port}/",
                    f"json://127.0.0.1:{header.port}/",
                    f"json://127.0.0.1:{status.port}/",
                    mail(hole.port),
                    mail(greeting.port),
                ]
            )
        )
        assert time.monotonic() - began < 5 * SHORT_S, "and not one after another"
    assert deliveries == [Delivery(False, "no result within 2 s, given up")] * 5
    assert len(pids(notes)) == 5
    assert not any(alive(pid) for pid in pids(notes))


def test_a_cancelled_send_kills_its_worker(tmp_path: Path) -> None:
    python, notes = spying_python(tmp_path)

    async def scenario() -> None:
        with Dripping() as hole:
            receiver = Receiver("hole", f"json://127.0.0.1:{hole.port}/")
            sending = asyncio.create_task(AppriseSender(deadline_s=60, python=python).send(ALERT, receiver))
            async with asyncio.timeout(20):
                while not hole.seen:
                    await asyncio.sleep(0.01)
            sending.cancel()
            (outcome,) = await asyncio.gather(sending, return_exceptions=True)
            assert isinstance(outcome, asyncio.CancelledError)

    asyncio.run(scenario())
    (pid,) = pids(notes)
    assert not alive(pid)


def test_i6_a_receiver_has_two_workers_at_a_time_and_the_wait_for_them_counts(tmp_path: Path) -> None:
    python, notes = spying_python(tmp_path)
    notes.touch()

    async def scenario(url: str) -> tuple[list[Delivery], int]:
        sender = AppriseSender(deadline_s=3.0, python=python)
        sending = asyncio.gather(*(sender.send(ALERT, Receiver("hole", url)) for _ in range(5)))
        most = 0
        while not sending.done():
            most = max(most, sum(alive(pid) for pid in pids(notes)))
            await asyncio.sleep(0.01)
        return await sending, most

    with Dripping() as hole:
        began = time.monotonic()
        deliveries, most = asyncio.run(scenario(f"json://127.0.0.1:{hole.port}/"))
        assert time.monotonic() - began < 8, "and not three rounds of three seconds"
    assert not any(delivery.delivered or delivery.permanent for delivery in deliveries)
    assert most == 2


def test_a_worker_that_dies_or_does_not_start_is_a_failed_delivery(tmp_path: Path) -> None:
    dying = tmp_path / "dying"
    dying.write_text("#!/bin/sh\ncat >/dev/null\necho '{\"deliv'\nexit 7\n")
    dying.chmod(0o755)

    async def scenario(python: Path) -> Delivery:
        return await AppriseSender(deadline_s=10, python=str(python)).send(ALERT, Receiver("it", "json://127.0.0.1/"))

    assert asyncio.run(scenario(dying)) == Delivery(False, "the process ended without an answer (status 7)")
    missing = asyncio.run(scenario(tmp_path / "missing"))
    assert missing == Delivery(False, "the sending process does not start: No such file or directory")
