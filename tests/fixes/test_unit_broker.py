"""The daemon's side of the unit tier, with a service manager that is played."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from fixes.steps import ATTEMPT
from logmedic.adapters.fixes.catalogue import CANARY, Installable, canary_fix, entry, installables
from logmedic.adapters.fixes.unitbroker import Told, UnitBroker, judged, parsed
from logmedic.core.targets import filled, step_fingerprint
from logmedic.model.fix import Arming, FixResult
from logmedic.model.match import Capture, CaptureType, MatchSpec
from logmedic.model.rule import Fix, Mode, Rule
from logmedic.model.step import Command, Step

PYTHON, PACKAGE = "/usr/bin/python3", "/opt/logmedic"
STEP = Step("mend", Command(("/bin/mend", "{n}")), timeout=timedelta(seconds=5))
RULE = Rule("r1", "r1", MatchSpec(("x",), captures={"n": Capture(CaptureType.INT)}), fix=Fix(Mode.AUTO, (STEP,)))
DONE = {"exit_code": 0, "duration_s": 0.1, "output": "", "detail": "", "started": True}
Reply = Callable[[dict[str, Any], asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def held(request: dict[str, Any], _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """As the canary says it when the sandbox holds."""
    await tell(writer, {**DONE, "output": f"held {request['captures']['nonce']}\n"}, "unit success exited 0")


async def tell(writer: asyncio.StreamWriter, answer: object, *more: str) -> None:
    writer.write("".join(f"{line}\n" for line in (json.dumps(answer), *more)).encode())
    await writer.drain()


class Manager:
    """Listens where sockets of installed fixes are; keeps the requests."""

    def __init__(self, room: Path) -> None:
        self.room = room
        self.requests: list[dict[str, Any]] = []
        self.ended = asyncio.Event()

    def broker(self) -> UnitBroker:
        return UnitBroker(python=PYTHON, package=PACKAGE, sockets=self.room, entries=self.room, runtime=self.room)

    def install(self, fix: Installable, **changes: Any) -> None:
        made = {**entry(fix, python=PYTHON, package=PACKAGE), **changes}
        (self.room / f"{fix.name}.json").write_text(json.dumps(made))

    @asynccontextmanager
    async def serving(self, name: str, reply: Reply) -> AsyncIterator[None]:
        async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            request = json.loads(await reader.readline())
            self.requests.append(request)
            await reply(request, reader, writer)
            writer.close()

        async with await asyncio.start_unix_server(one, self.room / f"{name}.sock"):
            yield


async def armed(manager: Manager, reply: Reply = held, *rules: Rule) -> Arming:
    manager.install(canary_fix(python=PYTHON, package=PACKAGE))
    async with manager.serving(CANARY, reply):
        return await manager.broker().arm(rules)


async def ran(manager: Manager, reply: Reply) -> FixResult:
    async with manager.serving(step_fingerprint(STEP), reply):
        return await manager.broker().run(filled(STEP, {"n": "7"}), replace(ATTEMPT, rule_id="r1"))


def test_it_is_armed_once_the_canary_held(tmp_path: Path) -> None:
    assert asyncio.run(armed(Manager(tmp_path))) == Arming(armed=True, sandbox="unit")


@pytest.mark.parametrize(
    ("output", "unit", "why"),
    [
        ("escaped: it has a network\n", "unit success exited 0", "it has a network"),
        ("held of another time\n", "unit success exited 0", "held of another time"),
        ("", "unit oom-kill killed KILL", "more memory"),
    ],
)
def test_i8_a_canary_that_did_not_hold_disarms(tmp_path: Path, output: str, unit: str, why: str) -> None:
    async def reply(_: object, __: object, writer: asyncio.StreamWriter) -> None:
        await tell(writer, {**DONE, "output": output}, unit)

    arming = asyncio.run(armed(Manager(tmp_path), reply))
    assert not arming.armed
    assert why in arming.reason


def test_f61_where_nothing_is_installed_the_command_to_type_is_told(tmp_path: Path) -> None:
    arming = asyncio.run(Manager(tmp_path).broker().arm([RULE]))
    assert not arming.armed
    assert "sudo logmedic install fixes" in arming.reason
    assert not UnitBroker(python="", package="", sockets=tmp_path / "x", entries=tmp_path / "x").installed


def test_a_rule_whose_step_is_not_installed_is_refused_and_the_others_go_on(tmp_path: Path) -> None:
    arming = asyncio.run(armed(Manager(tmp_path), held, RULE))
    assert arming.armed
    assert arming.refused == {"r1": "step 'mend' is not installed; type: sudo logmedic install fixes"}


@pytest.mark.parametrize("change", [{}, {"argv": ["/bin/other"]}], ids=["as it is", "changed"])
def test_a_rule_that_changed_since_is_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    async def tried() -> Arming:
        manager = Manager(tmp_path)
        (fix,) = installables([RULE])
        manager.install(fix, **change)
        async with manager.serving(fix.name, held):
            return await armed(manager, held, RULE)

    assert bool(asyncio.run(tried()).refused) == bool(change)


def test_what_is_asked_for_is_a_name_and_typed_captures_only(tmp_path: Path) -> None:
    async def reply(_: object, __: object, writer: asyncio.StreamWriter) -> None:
        await tell(writer, DONE, "unit success exited 0")

    async def tried() -> tuple[FixResult, list[dict[str, Any]]]:
        manager = Manager(tmp_path)
        return await ran(manager, reply), manager.requests

    result, requests = asyncio.run(tried())
    assert (result.ok, result.sandbox) == (True, "unit")
    assert requests == [{"rule": "r1", "captures": {"n": "7"}, "dry": False, "timeout_s": 5.0}]


def test_f62_a_cancelled_run_closes_the_connection_which_ends_the_fix(tmp_path: Path) -> None:
    async def tried() -> None:
        manager = Manager(tmp_path)
        asked = asyncio.Event()

        async def reply(_: object, reader: asyncio.StreamReader, __: object) -> None:
            asked.set()
            assert await reader.read() == b""
            manager.ended.set()

        task = asyncio.create_task(ran(manager, reply))
        await asked.wait()
        async with manager.serving("other", held):
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await asyncio.wait_for(manager.ended.wait(), 5)

    asyncio.run(tried())


@pytest.mark.parametrize(
    ("answer", "unit", "wanted"),
    [
        (DONE, ("success", "exited", "0"), (0, True, "")),
        ({**DONE, "exit_code": 3}, ("success", "exited", "0"), (3, True, "")),
        (DONE, ("oom-kill", "killed", "KILL"), (None, True, "killed: it used more memory than it may (MemoryMax)")),
        (
            None,
            ("timeout", "killed", "TERM"),
            (None, True, "killed by the service manager after its time (RuntimeMaxSec)"),
        ),
        (DONE, (), (None, True, "the service manager says nothing: ")),
        (None, (), (None, False, "the service manager did not start it: journalctl -u 'logmedic-fix-x*'")),
        ({"refused": "no"}, ("success", "exited", "0"), (None, False, "refused by the installed fix: no")),
        ({"words": 1}, ("success", "exited", "0"), (None, True, "the service manager says success: exited 0")),
    ],
)
def test_the_units_result_and_not_the_fixs_words_is_the_result(
    answer: dict[str, Any] | None, unit: tuple[str, ...], wanted: tuple[int | None, bool, str]
) -> None:
    result = judged(Told(answer, unit), "x")
    assert (result.exit_code, result.started, result.detail) == wanted


def test_what_else_comes_over_the_connection_counts_for_nothing() -> None:
    assert parsed(b'junk\n[1]\n{"a": 1}\n\xff\nunit success exited 0\n') == Told({"a": 1}, ("success", "exited", "0"))


def test_i8_what_cannot_be_looked_at_counts_as_installed(tmp_path: Path) -> None:
    """Else a directory that is closed to the daemon would have fixes run in another tier."""
    (tmp_path / "closed").symlink_to("closed")  # a loop: root may look into whatever is only closed
    nothing, closed = tmp_path / "nothing", tmp_path / "closed"
    installed = [
        UnitBroker(python=PYTHON, package=PACKAGE, sockets=nothing, entries=entries).installed
        for entries in (nothing, closed)
    ]
    assert installed == [False, True]
