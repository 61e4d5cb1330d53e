"""Whether a fix worked is decided by what answers, against real servers."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import START
from fakes.clock import FakeClock
from fakes.private_bus import private_bus
from fakes.scripted_fixes import ScriptedRunner
from fakes.service_manager import FakeUnit, service_manager
from fakes.web_server import Talk, answering, dripping, rude, serving, strange
from logmedic.adapters.fixes.bubblewrap import BubblewrapRunner
from logmedic.adapters.fixes.ondisk import of_disk, of_file, size_text
from logmedic.adapters.fixes.probes import Probes
from logmedic.adapters.fixes.units import UnitControl
from logmedic.model.fix import FixAttempt, FixResult, ProbeResult
from logmedic.model.probe import (
    AllOf,
    AnyOf,
    CommandProbe,
    DiskProbe,
    FileProbe,
    HttpProbe,
    Not,
    Probe,
    TcpProbe,
    UnitProbe,
)
from logmedic.model.step import Command, Step


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def http(port: int, within_s: float = 2, path: str = "/healthz", **options: object) -> HttpProbe:
    return HttpProbe(
        f"http://127.0.0.1:{port}{path}",
        within=timedelta(seconds=within_s),
        every=timedelta(seconds=0.05),
        **options,  # type: ignore[arg-type]
    )


async def probe(*probes: Probe, runner: object = None) -> ProbeResult:
    return await Probes(runner=runner or ScriptedRunner(), clock=SystemClock()).probe(probes)  # type: ignore[arg-type]


def against(talk: Talk, within_s: float = 1, **options: object) -> ProbeResult:
    async def scenario() -> ProbeResult:
        async with serving(talk) as port:
            result = await probe(http(port, within_s, **options))
            return ProbeResult(result.passed, result.detail.replace(str(port), "PORT"))

    return asyncio.run(scenario())


def test_the_wanted_status_passes() -> None:
    assert against(answering(200)) == ProbeResult(True, "http http://127.0.0.1:PORT/healthz: answered 200")


def test_it_is_tried_until_it_passes() -> None:
    assert against(answering(503, 503, 200), within_s=5).passed


def test_what_was_wrong_is_said_with_the_number_of_tries() -> None:
    result = against(answering(503), within_s=0.3)
    assert not result.passed
    assert "answered 503, wanted 200" in result.detail
    assert "tries in 0.3 s" in result.detail


def test_a_redirect_is_not_followed() -> None:
    assert "answered 302" in against(answering(302, head="Location: /elsewhere\r\n"), within_s=0.1).detail


def test_the_text_that_has_to_be_there() -> None:
    assert against(answering(200, body="status: green"), contains="green").passed
    assert "without 'green'" in against(answering(200, body="red"), within_s=0.1, contains="green").detail


@pytest.mark.parametrize(("talk", "why"), [(dripping, "no answer in time"), (rude, "no HTTP"), (strange, "no HTTP")])
def test_bad_servers_do_not_pass(talk: Talk, why: str) -> None:
    result = against(talk, within_s=0.4)
    assert not result.passed
    assert why in result.detail


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1/",
        "http://no-such-host.invalid/",
        "http://[::1",
        "http://127.0.0.1:99999/",
        "https://127.0.0.1:1",
        "http://127.0.0.1:1/\xe4 b",
    ],
)
def test_what_cannot_be_reached_does_not_pass_and_does_not_raise(url: str) -> None:
    result = asyncio.run(probe(HttpProbe(url, within=timedelta(seconds=0.2), every=timedelta(seconds=0.1))))
    assert not result.passed


def test_a_port_that_accepts_passes() -> None:
    async def scenario() -> None:
        async with serving(rude) as port:
            passed = await probe(TcpProbe(f"127.0.0.1:{port}", timedelta(seconds=1), timedelta(seconds=0.1)))
            assert passed.passed
        refused = await probe(TcpProbe("127.0.0.1:1", timedelta(seconds=0.2), timedelta(seconds=0.1)))
        assert "connection refused" in refused.detail

    asyncio.run(scenario())


def command(*argv: str) -> CommandProbe:
    return CommandProbe(argv, within=timedelta(seconds=0.3), every=timedelta(seconds=0.05))


def test_a_command_is_tried_until_it_exits_0() -> None:
    runner = ScriptedRunner({"probe": [FixResult(1, 0.0), FixResult(1, 0.0), FixResult(0, 0.0)]})
    assert asyncio.run(probe(command("/usr/bin/test"), runner=runner)).passed
    assert len(runner.ran) == 3


def test_a_command_runs_in_the_real_sandbox() -> None:
    real = BubblewrapRunner()
    assert asyncio.run(probe(command("/usr/bin/test", "-d", "/usr"), runner=real)).passed
    failed = asyncio.run(probe(command("/usr/bin/test", "-e", "/etc/shadow"), runner=real))
    assert not failed.passed
    assert "exit 1" in failed.detail


def test_all_must_pass_in_order_and_the_first_failure_is_told() -> None:
    async def scenario() -> None:
        async with serving(answering(200)) as port:
            runner = ScriptedRunner({"probe": [FixResult(1, 0.0)]})
            result = await probe(http(port), command("/bin/x"), http(1), runner=runner)
            assert not result.passed
            assert result.detail.startswith("command /bin/x")

    asyncio.run(scenario())


def test_a_command_that_could_not_even_start_says_nothing() -> None:
    runner = ScriptedRunner({"probe": [FixResult(None, 0.0, detail="no sandbox", started=False)]})
    assert asyncio.run(probe(command("/bin/x"), runner=runner)) == ProbeResult(
        None, "command /bin/x: no sandbox (6 tries in 0.3 s)"
    )


def test_a_command_that_started_at_last_decides() -> None:
    runner = ScriptedRunner({"probe": [FixResult(None, 0.0, started=False), FixResult(0, 0.0)]})
    assert asyncio.run(probe(command("/bin/x"), runner=runner)).passed


def test_a_command_keeps_what_it_was_made_of() -> None:
    ran: list[Step] = []

    class Recording(ScriptedRunner):
        async def run(self, step: Step, attempt: FixAttempt) -> FixResult:
            ran.append(step)
            return FixResult(0, 0.0)

    filled = CommandProbe(("/bin/x", "10.0.0.1"), written=("/bin/x", "{ip}"), captures=(("ip", "10.0.0.1"),))
    assert asyncio.run(probe(filled, runner=Recording())).passed
    assert ran[0].captures == (("ip", "10.0.0.1"),)
    assert ran[0].written is not None
    assert ran[0].written.action == Command(("/bin/x", "{ip}"))


# -- and, or, not ------------------------------------------------------------------------------------------------------

ONCE = {"within": timedelta(seconds=1), "every": timedelta(seconds=1)}
YES, NO, UNKNOWN = (CommandProbe((f"/{name}",), **ONCE) for name in ("yes", "no", "unknown"))
WORTH = {YES: 2, NO: 0, UNKNOWN: 1}
PASSED = (False, None, True)


class ByName(ScriptedRunner):
    """What a command is called is what comes of it; `/hangs` never ends."""

    async def run(self, step: Step, attempt: FixAttempt) -> FixResult:
        assert isinstance(step.action, Command)
        name = step.action.argv[0]
        self.ran.append((name,))
        if name == "/hangs":
            try:
                await asyncio.Event().wait()
            finally:
                self.cancelled += 1
        return {"/yes": FixResult(0, 0.0), "/no": FixResult(1, 0.0)}.get(name, FixResult(None, 0.0, started=False))


def worth(given: Probe) -> int:
    """Two for yes, none for no."""
    match given:
        case AllOf(probes):
            return min((worth(each) for each in probes), default=2)
        case AnyOf(probes):
            return max((worth(each) for each in probes), default=0)
        case Not(inner):
            return 2 - worth(inner)
        case _:
            assert isinstance(given, CommandProbe)
            return WORTH[given]


def asked(*probes: Probe, runner: ScriptedRunner | None = None) -> ProbeResult:
    return asyncio.run(Probes(runner=runner or ByName(), clock=FakeClock(START)).probe(probes))


def trees() -> st.SearchStrategy[Probe]:
    def grow(inner: st.SearchStrategy[Probe]) -> st.SearchStrategy[Probe]:
        several = st.lists(inner, max_size=3).map(tuple)
        return st.one_of(several.map(AllOf), several.map(AnyOf), inner.map(Not))

    return st.recursive(st.sampled_from([YES, NO, UNKNOWN]), grow, max_leaves=8)


@given(trees())
def test_no_beats_unknown_beats_yes_and_the_other_way_round(tree: Probe) -> None:
    assert asked(tree).passed is PASSED[worth(tree)]


@pytest.mark.parametrize(
    ("given", "detail"),
    [
        (AllOf((YES, NO, YES)), "command /no: exit 1"),
        (AllOf((YES, UNKNOWN, YES)), "command /unknown: it could not be started"),
        (AllOf((YES, YES)), "command /yes: exit 0; command /yes: exit 0"),
        (AnyOf((NO, YES)), "command /yes: exit 0"),
        (AnyOf((NO, NO)), "command /no: exit 1; command /no: exit 1"),
        (AnyOf((NO, UNKNOWN)), "command /unknown: it could not be started"),
        (Not(YES), "not: command /yes: exit 0"),
        (Not(Not(NO)), "not: not: command /no: exit 1"),
    ],
)
def test_what_decided_is_told(given: Probe, detail: str) -> None:
    assert asked(given).detail == detail


def test_all_of_them_are_asked_in_order_until_one_says_no() -> None:
    runner = ByName()
    asked(AllOf((YES, UNKNOWN, NO, YES)), runner=runner)
    assert runner.ran == [("/yes",), ("/unknown",), ("/no",)]


def test_any_of_them_are_asked_at_once_and_one_is_enough() -> None:
    runner = ByName()
    hangs = CommandProbe(("/hangs",), **ONCE)
    assert asked(AnyOf((hangs, NO, YES, hangs)), runner=runner).passed
    assert runner.cancelled == 2


def test_a_cancel_ends_all_that_were_asked() -> None:
    async def play() -> int:
        runner = ByName()
        hangs = CommandProbe(("/hangs",), **ONCE)
        task = asyncio.create_task(Probes(runner=runner, clock=FakeClock(START)).probe([AnyOf((hangs, hangs))]))
        while len(runner.ran) < 2:
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return runner.cancelled

    assert asyncio.run(play()) == 2


def test_not_is_asked_once_and_does_not_wait() -> None:
    runner = ScriptedRunner({"probe": [FixResult(1, 0.0), FixResult(0, 0.0)]})
    patient = CommandProbe(("/bin/x",), within=timedelta(hours=1), every=timedelta(seconds=1))
    assert asked(Not(patient), runner=runner).passed
    assert len(runner.ran) == 1


# -- units -------------------------------------------------------------------------------------------------------------

APP = "app.service"


@pytest.fixture
def bus(tmp_path: Path) -> Iterator[str]:
    with private_bus(tmp_path) as private:
        yield private.address


def unit(bus: str, given: Probe, *units: FakeUnit) -> ProbeResult:
    async def play() -> ProbeResult:
        async with service_manager(bus, *units):
            control = UnitControl(bus, monotonic=lambda: 100.0)
            return await Probes(runner=ScriptedRunner(), clock=FakeClock(START), units=control).probe([given])

    return asyncio.run(play())


@pytest.mark.parametrize(
    ("given", "found", "passed", "detail"),
    [
        (UnitProbe(APP, **ONCE), FakeUnit(APP), True, "active (running)"),
        (UnitProbe(APP, **ONCE), FakeUnit(APP, entered_monotonic_us=97_400_000), True, "active (running) for 2 s"),
        (
            UnitProbe(APP, up_for=timedelta(seconds=10), **ONCE),
            FakeUnit(APP, entered_monotonic_us=97_000_000),
            False,
            "active (running) for 3 s, wanted 10 s",
        ),
        (
            UnitProbe(APP, up_for=timedelta(seconds=10), **ONCE),
            FakeUnit(APP, entered_monotonic_us=90_000_000),
            True,
            "active (running) for 10 s",
        ),
        (
            UnitProbe(APP, **ONCE),
            FakeUnit(APP, active="failed", sub="failed", result="oom-kill"),
            False,
            "failed, result oom-kill, wanted active",
        ),
        (UnitProbe(APP, "failed", **ONCE), FakeUnit(APP, active="failed", sub="failed"), True, "failed"),
        (UnitProbe(APP, "inactive", **ONCE), FakeUnit(APP, load="not-found"), False, "there is no such unit"),
    ],
)
def test_the_state_of_a_unit_decides(bus: str, given: Probe, found: FakeUnit, passed: bool, detail: str) -> None:
    assert unit(bus, given, found) == ProbeResult(passed, f"unit app.service: {detail}")


def test_without_a_bus_nobody_can_say(tmp_path: Path) -> None:
    probes = Probes(runner=ScriptedRunner(), clock=FakeClock(START), units=UnitControl(f"unix:path={tmp_path}/none"))
    result = asyncio.run(probes.probe([UnitProbe(APP, **ONCE)]))
    assert result.passed is None
    assert result.detail == "unit app.service: the system bus cannot be reached: No such file or directory"
    turned = asyncio.run(probes.probe([Not(UnitProbe(APP))]))
    assert turned.passed is None


def test_without_a_service_manager_nobody_can_say() -> None:
    assert asked(UnitProbe(APP, **ONCE)) == ProbeResult(None, "unit app.service: there is no service manager to ask")


def test_a_unit_is_asked_until_it_is_up(bus: str) -> None:
    async def play() -> ProbeResult:
        found = FakeUnit(APP, active="activating", sub="start")
        async with service_manager(bus, found) as manager:
            probes = Probes(runner=ScriptedRunner(), clock=SystemClock(), units=UnitControl(bus))
            every = timedelta(seconds=0.02)
            task = asyncio.create_task(probes.probe([UnitProbe(APP, within=timedelta(seconds=10), every=every)]))
            await manager.looked_up.wait()
            found.active, found.sub = "active", "running"
            return await task

    assert asyncio.run(play()) == ProbeResult(True, "unit app.service: active (running)")


# -- files -------------------------------------------------------------------------------------------------------------


def test_a_file_is_waited_for(tmp_path: Path) -> None:
    wanted = tmp_path / "ready"

    async def play() -> ProbeResult:
        given = FileProbe(str(wanted), within=timedelta(seconds=10), every=timedelta(seconds=0.02))
        task = asyncio.create_task(probe(given))
        await asyncio.sleep(0)
        wanted.write_text("yes")
        return await task

    result = asyncio.run(play())
    assert result.passed
    assert "is there, 3 B" in result.detail


def test_a_file_that_has_to_be_gone(tmp_path: Path) -> None:
    stale = tmp_path / "app.pid"
    gone = FileProbe(str(stale), exists=False, **ONCE)
    assert asyncio.run(probe(gone)) == ProbeResult(True, f"file {stale}: is not there")
    stale.touch()
    assert asyncio.run(probe(gone)) == ProbeResult(False, f"file {stale}: is there, and should not be")
    assert asyncio.run(probe(FileProbe(f"{stale}/below", exists=False, **ONCE))).passed


def test_what_may_not_be_looked_at_is_neither_there_nor_gone(tmp_path: Path) -> None:
    endless = tmp_path / "loop"
    endless.symlink_to(endless)
    for exists in (True, False):
        result = asyncio.run(probe(FileProbe(str(endless), exists=exists, **ONCE)))
        assert result.passed is None
        assert "cannot be looked at: Too many levels of symbolic links" in result.detail


@pytest.mark.parametrize(
    ("given", "age_s", "size", "passed", "words"),
    [
        (FileProbe("/x"), 100, 10, True, "is there, 10 B, changed 100 s ago"),
        (FileProbe("/x", newer_than=timedelta(minutes=5)), 300, 1, True, "is there, 1 B, changed 5 min ago"),
        (FileProbe("/x", newer_than=timedelta(minutes=5)), 720, 1, False, "changed 12 min ago, wanted 5m"),
        (FileProbe("/x", max_bytes=2048), 0, 2048, True, "is there, 2 KiB, changed 0 s ago"),
        (FileProbe("/x", max_bytes=2048), 0, 2049, False, "2 KiB, wanted at most 2 KiB"),
        (FileProbe("/x", max_bytes=1024**3), 0, 3 * 1024**3, False, "3 GiB, wanted at most 1 GiB"),
        (FileProbe("/x", newer_than=timedelta(0)), -5, 1, True, "is there, 1 B, changed 0 s ago"),
    ],
)
def test_the_age_and_size_of_a_file(given: FileProbe, age_s: int, size: int, passed: bool, words: str) -> None:
    at = int(START.timestamp()) - age_s
    status = os.stat_result((0o100644, 1, 1, 1, 0, 0, size, at, at, at))
    assert of_file(given, status, START) == (passed, words)


# -- disks -------------------------------------------------------------------------------------------------------------


def disk(
    blocks: int = 1000, free: int = 200, for_users: int = 150, inodes: int = 100, left: int = 50
) -> os.statvfs_result:
    return os.statvfs_result((4096, 4096, blocks, free, for_users, inodes, left, left, 0, 255))


@pytest.mark.parametrize(
    ("given", "found", "passed", "words"),
    [
        (DiskProbe("/", percent=15), disk(), True, "15 % free (600 KiB)"),
        (DiskProbe("/", percent=16), disk(), False, "15 % free, wanted 16 %"),
        (DiskProbe("/", percent=10), disk(for_users=40), False, "4 % free, wanted 10 %"),
        (DiskProbe("/", percent=10), disk(blocks=10**6, for_users=99_999), False, "9.99 % free, wanted 10 %"),
        (DiskProbe("/", free_bytes=600 * 1024), disk(), True, "15 % free (600 KiB)"),
        (DiskProbe("/", free_bytes=2 * 1024**3), disk(), False, "600 KiB free, wanted 2 GiB"),
        (DiskProbe("/", inodes_percent=50), disk(), True, "15 % free (600 KiB), 50 % of the inodes"),
        (DiskProbe("/", inodes_percent=51), disk(), False, "50 % of the inodes free, wanted 51 %"),
        (DiskProbe("/", inodes_percent=51), disk(inodes=0, left=0), True, "15 % free (600 KiB), 100 % of the inodes"),
        (DiskProbe("/", percent=1), disk(for_users=0), False, "0 % free, wanted 1 %"),
        (DiskProbe("/proc", percent=1), disk(blocks=0, free=0, for_users=0), None, "has no size"),
    ],
)
def test_what_users_may_still_take_decides(
    given: DiskProbe, found: os.statvfs_result, passed: bool | None, words: str
) -> None:
    assert of_disk(given, found) == (passed, words)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Of 1 MiB and 10 inodes."""
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1M,nr_inodes=10", "none", tmp_path], check=False, capture_output=True
    )
    if mounted.returncode != 0:
        pytest.skip("nothing can be mounted here")
    try:
        yield tmp_path
    finally:
        subprocess.run(["umount", tmp_path], check=True)


def test_a_real_disk_that_fills_up(small_disk: Path) -> None:
    given = DiskProbe(str(small_disk), percent=50, **ONCE)
    assert asyncio.run(probe(given)).detail == f"disk {small_disk}: 100 % free (1 MiB)"
    (small_disk / "a").write_bytes(bytes(768 * 1024))
    assert asyncio.run(probe(given)) == ProbeResult(False, f"disk {small_disk}: 25 % free, wanted 50 %")
    for number in range(6):
        (small_disk / str(number)).touch()
    result = asyncio.run(probe(DiskProbe(str(small_disk), inodes_percent=50, **ONCE)))
    assert result.passed is False
    assert "% of the inodes free, wanted 50 %" in result.detail


def test_a_disk_that_is_not_there_says_nothing(tmp_path: Path) -> None:
    result = asyncio.run(probe(DiskProbe(f"{tmp_path}/none", percent=1, **ONCE)))
    assert result == ProbeResult(None, f"disk {tmp_path}/none: cannot be looked at: No such file or directory")


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0 B"), (1023, "1023 B"), (1024, "1 KiB"), (1536, "1.5 KiB"), (5 * 1024**4, "5 TiB")]
)
def test_sizes_as_people_write_them(size: int, text: str) -> None:
    assert size_text(size) == text
