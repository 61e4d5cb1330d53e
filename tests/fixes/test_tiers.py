"""Which tier a step runs in, and that none is replaced by a weaker one."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest

from fixes.steps import ATTEMPT, step
from logmedic.adapters.fixes.tiers import Tiers
from logmedic.model.fix import Arming, FixAttempt, FixResult
from logmedic.model.match import MatchSpec
from logmedic.model.probe import CommandProbe
from logmedic.model.rule import Fix, Mode, Rule, Verify
from logmedic.model.sandbox import SandboxKind, SandboxSpec
from logmedic.model.step import CallHttp, KillProcess, Step, UnitJob, UnitVerb, Wait


@dataclass
class Tier:
    """Says its name as output."""

    name: str
    arming: Arming
    installed: bool = True
    cannot: dict[str, str] = field(default_factory=dict)

    async def arm(self, rules: Sequence[Rule] = ()) -> Arming:
        return self.arming

    def refusal(self, step: Step) -> str:
        return self.cannot.get(step.name, "")

    async def run(self, step: Step, attempt: FixAttempt) -> FixResult:
        return FixResult(0, 0.0, output=self.name)

    async def rehearse(self, step: Step) -> FixResult:
        return FixResult(0, 0.0, output=f"dry {self.name}")

    async def close(self) -> None:
        pass


HELD = {name: Arming(armed=True, sandbox=name) for name in ("unit", "bubblewrap")}
BROKEN = Arming(armed=False, sandbox="", reason="the canary got out")


def tiers(unit: Arming = HELD["unit"], *, installed: bool = True, jobs: Arming | None = None, **options: Any) -> Tiers:
    return Tiers(
        unit=Tier("unit", unit, installed),
        bubblewrap=Tier("bubblewrap", HELD["bubblewrap"], cannot={"loop": "`network: loopback` needs the unit tier"}),
        jobs=Tier("systemd", jobs or Arming(armed=True, sandbox="systemd", units=True)),
        inline=Tier("daemon", Arming(armed=True, sandbox="daemon")),
        **options,
    )


def rule(*steps: Step, verify: Verify | None = None) -> Rule:
    return Rule("r1", "r1", MatchSpec(("x",)), fix=Fix(Mode.AUTO, steps, verify or Verify()))


def where(tiers: Tiers, made: Step) -> str:
    async def tried() -> str:
        await tiers.arm()
        return (await tiers.run(made, ATTEMPT)).output

    return asyncio.run(tried())


@pytest.mark.parametrize(
    ("made", "tier"),
    [
        (step("/bin/true"), "unit"),
        (Step("k", KillProcess("a.service", "a")), "unit"),
        (step("/bin/true", kind=SandboxKind.NONE), "bubblewrap"),
        (Step("r", UnitJob(UnitVerb.RESTART, "a.service")), "systemd"),
        (Step("w", Wait(timedelta(seconds=1))), "daemon"),
        (Step("h", CallHttp("POST", "http://127.0.0.1/")), "daemon"),
    ],
    ids=["command", "built in", "no sandbox", "unit", "wait", "http"],
)
def test_each_step_runs_where_it_belongs(made: Step, tier: str) -> None:
    assert where(tiers(), made) == tier


@pytest.mark.parametrize(
    ("choice", "installed", "tier"),
    [
        ("auto", True, "unit"),
        ("auto", False, "bubblewrap"),
        ("bubblewrap", True, "bubblewrap"),
        ("unit", True, "unit"),
        ("unit", False, "unit"),
    ],
)
def test_the_operator_chooses_or_what_is_installed_does(choice: str, installed: bool, tier: str) -> None:
    assert where(tiers(choice=choice, installed=installed), step("/bin/true")) == tier


@pytest.mark.parametrize("choice", ["auto", "unit"])
def test_i8_what_is_installed_and_does_not_hold_is_replaced_by_nothing(choice: str) -> None:
    arming = asyncio.run(tiers(BROKEN, choice=choice).arm())
    assert not arming.armed
    assert arming.reason.startswith("the canary got out")


@pytest.mark.parametrize("arming", [BROKEN, None], ids=["did not hold", "was not tried"])
def test_i8_nothing_is_started_in_a_sandbox_that_does_not_hold_whoever_asks(arming: Arming | None) -> None:
    """The checks of a rule that is only watched, or a dry run, as little as a fix."""

    async def tried() -> list[FixResult]:
        made = tiers(arming or HELD["unit"])
        if arming is not None:
            await made.arm()
        return [await made.run(step("/bin/true"), ATTEMPT), await made.rehearse(step("/bin/true"))]

    for result in asyncio.run(tried()):
        assert (result.ok, result.started, result.output) == (False, False, "")
        assert "disarmed" in result.detail


def test_what_needs_no_sandbox_does_not_wait_for_one() -> None:
    wait, bare = Step("w", Wait(timedelta(seconds=1))), step("/bin/true", kind=SandboxKind.NONE)
    assert [where(tiers(BROKEN), each) for each in (wait, bare)] == ["daemon", "bubblewrap"]


def test_what_the_service_manager_takes_is_told_beside_the_sandbox() -> None:
    jobs = Arming(armed=False, sandbox="", units_reason="no D-Bus", refused={"r2": "app.service may not be restarted"})
    arming = asyncio.run(tiers(jobs=jobs).arm())
    assert (arming.armed, arming.units, arming.units_reason) == (True, False, "no D-Bus")
    assert arming.refused == {"r2": "app.service may not be restarted"}


ROOT = SandboxSpec(user="root")


@pytest.mark.parametrize(
    ("made", "options", "why"),
    [
        (step("/bin/true"), {}, ""),
        (step("/bin/true", kind=SandboxKind.NONE), {}, "allow_unsandboxed"),
        (step("/bin/true", kind=SandboxKind.NONE), {"allow_unsandboxed": True}, ""),
        (step("/bin/true", user="root"), {}, "allow_root"),
        (step("/bin/true", user="root"), {"allow_root": True}, ""),
        (replace(step("/bin/true"), name="loop"), {"choice": "bubblewrap"}, "needs the unit tier"),
        (replace(step("/bin/true"), rollback=step("/bin/undo", user="root")), {}, "allow_root"),
    ],
)
def test_a_rule_whose_step_cannot_run_here_is_refused_beforehand(made: Step, options: dict[str, Any], why: str) -> None:
    refused = asyncio.run(tiers(**options).arm([rule(made)])).refused
    assert why in refused.get("r1", "") if why else not refused


def test_a_check_that_cannot_run_here_refuses_its_rule_too() -> None:
    made = rule(step("/bin/true"), verify=Verify((CommandProbe(("/bin/true",), ROOT),)))
    assert "allow_root" in asyncio.run(tiers().arm([made])).refused["r1"]


def test_a_rehearsal_goes_to_the_same_tier() -> None:
    async def tried() -> str:
        made = tiers()
        await made.arm()
        return (await made.rehearse(step("/bin/true"))).output

    assert asyncio.run(tried()) == "dry unit"
