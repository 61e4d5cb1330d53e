"""Jobs of units and their states, over a real bus, of a service manager that does what a test says."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from builders import RULE, START
from fakes.private_bus import private_bus
from fakes.service_manager import FakeServiceManager, FakeUnit, service_manager, spoof
from logmedic.adapters.fixes.systembus import BusGone
from logmedic.adapters.fixes.units import UnitControl
from logmedic.adapters.fixes.unitstate import state_of
from logmedic.model.fix import Arming, FixAttempt, FixResult
from logmedic.model.rule import Fix, Mode, Rule
from logmedic.model.step import Step, UnitJob, UnitVerb, Wait

ATTEMPT = FixAttempt("a1", "i1", "r1", "", "r1", 0, "x", 1, (), START)
APP = "app.service"
Scenario = Callable[[UnitControl, FakeServiceManager], Awaitable[FixResult]]


@pytest.fixture
def bus(tmp_path: Path) -> Iterator[str]:
    with private_bus(tmp_path) as private:
        yield private.address


def job(verb: UnitVerb = UnitVerb.RESTART, unit: str = APP, timeout_s: float = 10) -> Step:
    return Step("x", UnitJob(verb, unit), timeout=timedelta(seconds=timeout_s))


def rule(*steps: Step, rule_id: str = "r1", enabled: bool = True) -> Rule:
    return Rule(rule_id, "t", RULE.match, RULE.severity, enabled=enabled, fix=Fix(Mode.AUTO, steps))


def with_units(bus: str, scenario: Scenario, *units: FakeUnit) -> FixResult:
    async def play() -> FixResult:
        async with service_manager(bus, *units) as manager:
            return await scenario(UnitControl(bus), manager)

    return asyncio.run(play())


def run(bus: str, step: Step, *units: FakeUnit) -> FixResult:
    return with_units(bus, lambda control, _: control.run(step, ATTEMPT), *units)


# -- what comes of a job -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", list(UnitVerb))
def test_a_job_that_is_done_with_its_unit_active_is_a_success(bus: str, verb: UnitVerb) -> None:
    async def scenario(control: UnitControl, manager: FakeServiceManager) -> FixResult:
        result = await control.run(job(verb), ATTEMPT)
        assert manager.ended == [(verb.value, APP, "done")]
        assert manager.subscribed == 1
        return result

    result = with_units(bus, scenario, FakeUnit(APP, active="failed", sub="failed"))
    assert (result.exit_code, result.sandbox, result.started) == (0, "systemd", True)
    assert result.detail == "the job is done; app.service is active (running)"


@pytest.mark.parametrize(
    ("outcome", "then", "said"),
    [
        ("failed", ("failed", "failed"), "the job failed; app.service is failed, result exit-code"),
        ("timeout", ("failed", "failed"), "the job took longer than the unit allows"),
        ("dependency", ("inactive", "dead"), "a unit that it needs did not start; app.service is inactive (dead)"),
        ("canceled", ("active", "running"), "another job took its place"),
        ("skipped", ("inactive", "dead"), "the job was skipped"),
        ("invalid", ("inactive", "dead"), "the unit is not running"),
        ("news-of-a-later-systemd", ("active", "running"), "the job ended as news-of-a-later-systemd"),
        ("done", ("inactive", "dead"), "the job is done; app.service is inactive (dead)"),
        ("done", ("activating", "auto-restart"), "app.service is activating (auto-restart)"),
    ],
)
def test_anything_else_is_a_failure_that_says_how(bus: str, outcome: str, then: tuple[str, str], said: str) -> None:
    result = run(bus, job(), FakeUnit(APP, outcome=outcome, then=then, result="exit-code"))
    assert result.exit_code == 1
    assert result.started
    assert said in result.detail


@pytest.mark.parametrize(("result", "code"), [("success", 0), ("exit-code", 1)])
def test_a_unit_for_one_run_has_to_end_well(bus: str, result: str, code: int) -> None:
    unit = FakeUnit(APP, kind="oneshot", then=("inactive", "dead"), result=result)
    assert run(bus, job(UnitVerb.START), unit).exit_code == code


def test_what_the_service_says_of_itself_is_output_and_not_trusted_as_more(bus: str) -> None:
    result = run(bus, job(), FakeUnit(APP, outcome="failed", status="all is well"))
    assert result.output == "app.service says: all is well\n"
    assert not result.ok


def test_a_job_may_take_its_time(bus: str) -> None:
    async def scenario(control: UnitControl, manager: FakeServiceManager) -> FixResult:
        running = asyncio.create_task(control.run(job(), ATTEMPT))
        await manager.asked.wait()
        assert (await control.state(APP)).active == "deactivating"
        assert not running.done()
        manager.end()
        return await running

    assert with_units(bus, scenario, FakeUnit(APP, hold="running", active="deactivating")).ok


def test_starting_what_runs_has_no_effect_and_that_is_said(bus: str) -> None:
    result = run(bus, job(UnitVerb.START), FakeUnit(APP))
    assert result.ok
    assert result.detail.startswith("it was active already, and starting it has no effect")


def test_jobs_of_others_say_nothing_of_ours(bus: str) -> None:
    async def scenario(control: UnitControl, manager: FakeServiceManager) -> FixResult:
        running = asyncio.create_task(control.run(job(), ATTEMPT))
        await manager.asked.wait()
        assert (await control.run(job(unit="other.service"), ATTEMPT)).ok
        assert not running.done()
        manager.jobs.pop()
        manager.end("failed")
        return await running

    result = with_units(bus, scenario, FakeUnit(APP, hold="running"), FakeUnit("other.service"))
    assert result.exit_code == 1


def test_only_the_service_manager_is_believed_that_a_job_is_over(bus: str) -> None:
    async def scenario(control: UnitControl, manager: FakeServiceManager) -> FixResult:
        running = asyncio.create_task(control.run(job(), ATTEMPT))
        await manager.asked.wait()
        await spoof(bus, manager.jobs[-1].path, "done")
        await control.state(APP)
        assert not running.done()
        manager.end("failed")
        return await running

    assert with_units(bus, scenario, FakeUnit(APP, hold="running")).exit_code == 1


# -- what is refused ---------------------------------------------------------------------------------------------------


def test_what_polkit_refuses_never_started_and_the_hint_is_what_to_type(bus: str) -> None:
    result = run(bus, job(), FakeUnit(APP, allowed=("start",)))
    assert (result.exit_code, result.started) == (None, False)
    assert "polkit does not allow to restart app.service" in result.detail
    assert result.detail.endswith("type: sudo logmedic install fixes")


def test_of_an_alias_the_own_name_is_told(bus: str) -> None:
    async def scenario(control: UnitControl, manager: FakeServiceManager) -> FixResult:
        manager.aliases["mysql.service"] = "mariadb.service"
        return await control.run(job(unit="mysql.service"), ATTEMPT)

    result = with_units(bus, scenario, FakeUnit("mariadb.service", allowed=()))
    assert not result.started
    assert "whose own name is mariadb.service: write that in the rule" in result.detail


@pytest.mark.parametrize(
    ("unit", "verb", "said"),
    [
        (FakeUnit(APP, load="not-found", active="inactive"), UnitVerb.RESTART, "app.service: there is no such unit"),
        (FakeUnit(APP, load="masked", active="inactive"), UnitVerb.START, "it is masked; type: systemctl unmask"),
        (FakeUnit(APP, load="bad-setting"), UnitVerb.START, "its unit file is wrong; type: systemd-analyze verify"),
        (FakeUnit(APP, reloads=False), UnitVerb.RELOAD, "app.service: it has nothing to reload by (ExecReload)"),
    ],
    ids=["absent", "masked", "broken", "no reload"],
)
def test_what_cannot_have_the_job_never_started(bus: str, unit: FakeUnit, verb: UnitVerb, said: str) -> None:
    result = run(bus, job(verb), unit)
    assert (result.exit_code, result.started) == (None, False)
    assert said in result.detail


def test_without_a_bus_nothing_started(tmp_path: Path) -> None:
    result = asyncio.run(UnitControl(f"unix:path={tmp_path}/none").run(job(), ATTEMPT))
    assert (result.exit_code, result.started) == (None, False)
    assert "the system bus cannot be reached: No such file or directory" in result.detail


def test_a_bus_without_systemd_is_told_apart(bus: str) -> None:
    result = asyncio.run(UnitControl(bus).run(job(), ATTEMPT))
    assert not result.started
    assert "there is no systemd on the system bus" in result.detail


def test_a_socket_that_is_no_bus_is_given_up_at_the_deadline(tmp_path: Path) -> None:
    async def play() -> FixResult:
        with socket.socket(socket.AF_UNIX) as mute:
            mute.bind(f"{tmp_path}/mute")
            mute.listen()
            return await UnitControl(f"unix:path={tmp_path}/mute").run(job(timeout_s=0.05), ATTEMPT)

    result = asyncio.run(play())
    assert not result.started
    assert "not done in 0.05 s" in result.detail


def test_what_is_no_job_is_not_run() -> None:
    control = UnitControl("unix:path=/nowhere")
    assert not asyncio.run(control.run(Step("x", Wait(timedelta(1))), ATTEMPT)).started
    assert not asyncio.run(control.rehearse(Step("x", Wait(timedelta(1))))).started


# -- jobs that do not end ----------------------------------------------------------------------------------------------


def test_a_job_that_has_begun_outlives_the_step(bus: str) -> None:
    async def scenario(control: UnitControl, manager: FakeServiceManager) -> FixResult:
        result = await control.run(job(timeout_s=0.2), ATTEMPT)
        assert manager.ended == []
        return result

    result = with_units(bus, scenario, FakeUnit(APP, hold="running"))
    assert (result.exit_code, result.started) == (None, True)
    assert result.detail == "not done in 0.2 s; the service manager goes on with it"


def test_a_job_that_has_not_begun_is_taken_back(bus: str) -> None:
    async def scenario(control: UnitControl, manager: FakeServiceManager) -> FixResult:
        result = await control.run(job(timeout_s=0.2), ATTEMPT)
        assert manager.ended == [("restart", APP, "canceled")]
        return result

    result = with_units(bus, scenario, FakeUnit(APP, hold="waiting"))
    assert result.detail == "not done in 0.2 s; it had not begun, and was taken back"


@pytest.mark.parametrize(("hold", "ended"), [("waiting", [("restart", APP, "canceled")]), ("running", [])])
def test_a_cancel_does_the_same(bus: str, hold: str, ended: list[tuple[str, str, str]]) -> None:
    async def scenario(control: UnitControl, manager: FakeServiceManager) -> FixResult:
        running = asyncio.create_task(control.run(job(), ATTEMPT))
        await manager.asked.wait()
        await control.state(APP)  # the answer to the one who asked before came before this one
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        await control.state(APP)
        assert manager.ended == ended
        return FixResult(0, 0.0)

    with_units(bus, scenario, FakeUnit(APP, hold=hold))


def test_a_service_manager_that_goes_away_leaves_it_open_whether_there_is_a_job(bus: str) -> None:
    result = run(bus, job(), FakeUnit(APP, hold="dies"))
    assert (result.exit_code, result.started) == (None, True)
    assert result.detail == "the service manager went away; whether it was taken on is not known"


def test_a_bus_that_goes_away_leaves_it_open_how_the_job_ends(tmp_path: Path) -> None:
    async def play() -> FixResult:
        with private_bus(tmp_path) as bus:
            async with service_manager(bus.address, FakeUnit(APP, hold="running")) as manager:
                running = asyncio.create_task(UnitControl(bus.address).run(job(), ATTEMPT))
                await manager.asked.wait()
                await UnitControl(bus.address).state(APP)
                bus.end()
                return await running

    result = asyncio.run(play())
    assert (result.exit_code, result.started) == (None, True)
    assert "the connection to the system bus broke" in result.detail
    assert "the service manager goes on with it" in result.detail


def test_after_a_restart_of_the_bus_all_is_as_before(tmp_path: Path) -> None:
    control = UnitControl(f"unix:path={tmp_path}/bus")

    async def play() -> FixResult:
        async with service_manager(f"unix:path={tmp_path}/bus", FakeUnit(APP)):
            return await control.run(job(), ATTEMPT)

    for _ in range(2):
        with private_bus(tmp_path):
            assert asyncio.run(play()).ok


# -- whether it could be done ------------------------------------------------------------------------------------------


def armed(bus: str, rules: list[Rule], *units: FakeUnit) -> Arming:
    async def play() -> Arming:
        async with service_manager(bus, *units) as manager:
            arming = await UnitControl(bus).arm(rules)
            assert manager.jobs == []
            return arming

    return asyncio.run(play())


def test_arming_tells_what_polkit_would_refuse_and_makes_no_job(bus: str) -> None:
    rules = [
        rule(job(), rule_id="restarts"),
        rule(job(UnitVerb.RELOAD), rule_id="reloads"),
        rule(Step("x", Wait(timedelta(1)), rollback=job(UnitVerb.START)), rule_id="undoes"),
        rule(job(UnitVerb.START), rule_id="off", enabled=False),
    ]
    arming = armed(bus, rules, FakeUnit(APP, allowed=("restart",)))
    assert arming.units
    assert sorted(arming.refused) == ["reloads", "undoes"]
    assert arming.refused["reloads"].endswith("type: sudo logmedic install fixes")


def test_a_unit_that_is_not_there_yet_disarms_nothing(bus: str) -> None:
    assert armed(bus, [rule(job())]) == Arming(True, "systemd", units=True)


def test_without_a_bus_jobs_are_disarmed_with_the_reason(tmp_path: Path) -> None:
    arming = asyncio.run(UnitControl(f"unix:path={tmp_path}/none").arm([rule(job())]))
    assert not arming.units
    assert "No such file or directory" in arming.units_reason


def test_a_bus_without_systemd_disarms_them_too(bus: str) -> None:
    arming = asyncio.run(UnitControl(bus).arm([rule(job())]))
    assert arming.units_reason == "there is no systemd on the system bus"


def test_where_no_rule_has_a_job_no_bus_is_asked() -> None:
    assert asyncio.run(UnitControl("unix:path=/nowhere").arm([RULE])) == Arming(False, "systemd")


# -- states ------------------------------------------------------------------------------------------------------------


def test_the_state_of_a_unit_with_since_when(bus: str) -> None:
    async def play() -> None:
        at = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
        unit = FakeUnit(APP, entered_us=int(at.timestamp() * 1e6), entered_monotonic_us=90_000_000, status="ready")
        async with service_manager(bus, unit):
            state = await UnitControl(bus, monotonic=lambda: 100.0).state(APP)
        assert (state.active, state.sub, state.load, state.result) == ("active", "running", "loaded", "success")
        assert state.since == at
        assert state.lasted == timedelta(seconds=10)
        assert state.told == "ready"

    asyncio.run(play())


def test_what_never_ran_has_no_since(bus: str) -> None:
    async def play() -> None:
        async with service_manager(bus):
            state = await UnitControl(bus).state(APP)
        assert (state.load, state.since, state.lasted) == ("not-found", None, None)
        assert state.words == "there is no such unit"

    asyncio.run(play())


def test_without_a_bus_there_is_no_state(tmp_path: Path) -> None:
    with pytest.raises(BusGone, match="No such file"):
        asyncio.run(UnitControl(f"unix:path={tmp_path}/none").state(APP))


@pytest.mark.parametrize(
    ("active", "seconds"),
    [("active", 30), ("failed", 20), ("inactive", 20), ("activating", 10), ("deactivating", 5), ("maintenance", 1)],
)
def test_each_state_has_a_time_of_its_own(active: str, seconds: float) -> None:
    times = {"ActiveEnter": 70, "InactiveEnter": 80, "InactiveExit": 90, "ActiveExit": 95, "StateChange": 99}
    known = {f"{name}TimestampMonotonic": at * 1_000_000 for name, at in times.items()}
    assert state_of(APP, {"ActiveState": active, **known}, 100.0).lasted == timedelta(seconds=seconds)


# -- the dry run -------------------------------------------------------------------------------------------------------


def rehearse(bus: str, verb: UnitVerb, unit: FakeUnit) -> FixResult:
    async def scenario(control: UnitControl, manager: FakeServiceManager) -> FixResult:
        result = await control.rehearse(job(verb))
        assert manager.jobs == []
        return result

    return with_units(bus, scenario, unit)


def test_a_dry_run_tells_the_state_and_what_else_would_be_restarted(bus: str) -> None:
    unit = FakeUnit(APP, entered_us=1_795_500_000_000_000, consists_of=["worker.service"], required_by=["web.service"])
    result = rehearse(bus, UnitVerb.RESTART, unit)
    assert result.ok
    assert result.output == (
        "would restart app.service\n"
        "now: active (running) since 2026-11-24T06:00:00Z\n"
        "restarted with it, when they run: web.service, worker.service\n"
    )


@pytest.mark.parametrize(
    ("verb", "unit", "code", "said"),
    [
        (UnitVerb.START, FakeUnit(APP), 0, "it is active already: starting it has no effect"),
        (UnitVerb.RELOAD, FakeUnit(APP, active="inactive", sub="dead"), 1, "only what runs can be reloaded"),
        (UnitVerb.RELOAD, FakeUnit(APP, reloads=False), 1, "nothing to reload by"),
        (UnitVerb.RESTART, FakeUnit(APP, allowed=()), 1, "polkit does not allow to restart app.service"),
        (UnitVerb.RESTART, FakeUnit(APP, load="not-found"), 1, "there is no such unit"),
    ],
    ids=["no effect", "not running", "no reload", "not allowed", "absent"],
)
def test_a_dry_run_says_what_would_not_work(bus: str, verb: UnitVerb, unit: FakeUnit, code: int, said: str) -> None:
    result = rehearse(bus, verb, unit)
    assert result.exit_code == code
    assert said in result.output + result.detail


def test_the_library_is_loaded_at_the_first_use_only() -> None:
    program = "import sys, logmedic.adapters.fixes.probes; print('dbus_fast' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert told.stdout == "False\n"
