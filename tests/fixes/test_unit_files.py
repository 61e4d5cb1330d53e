"""What is installed for a step: exactly its needs, and accepted by systemd's own checks."""

from __future__ import annotations

import re
import subprocess
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from logmedic.adapters.fixes.catalogue import Installable, Use, canary_fix, entry, installables, outdated
from logmedic.adapters.fixes.ground import host_problem
from logmedic.adapters.fixes.layout import layout
from logmedic.adapters.fixes.unitfiles import MOUNT, Ground, service_unit, socket_unit, temporary_mount, unfit
from logmedic.core.targets import step_fingerprint
from logmedic.model.match import Capture, CaptureType, MatchSpec
from logmedic.model.probe import AllOf, CommandProbe, Not
from logmedic.model.rule import Fix, Limits, Mode, Rule, Verify
from logmedic.model.sandbox import Network, SandboxKind, SandboxSpec
from logmedic.model.step import Action, Command, FreeSpace, KillProcess, Retry, RotateLog, Step, UnitJob, UnitVerb

GROUND = Ground("/usr/bin/python3", "/opt/logmedic/lib/logmedic", group="logmedic-fix")
NUMBER = Capture(CaptureType.INT, minimum=1, maximum=9)


def step(*argv: str, action: Action | None = None, timeout_s: float = 30, **sandbox: Any) -> Step:
    made = action or Command(argv or ("/usr/bin/true",))
    return Step("mend", made, timedelta(seconds=timeout_s), Retry(attempts=1), SandboxSpec(**sandbox))


def rule(*steps: Step, name: str = "r1", captures: dict[str, Capture] | None = None, **fix: Any) -> Rule:
    return Rule(name, name, MatchSpec(("x",), captures=captures or {}), fix=Fix(Mode.AUTO, steps, **fix))


def only(made: Step, **captures: Capture) -> Installable:
    (fix,) = installables([rule(made, captures=captures)])
    return fix


def lines(made: Step, ground: Ground = GROUND) -> list[str]:
    return service_unit(only(made), ground).splitlines()


def values(made: Step, key: str) -> list[str]:
    return [line.removeprefix(f"{key}=") for line in lines(made) if line.startswith(f"{key}=")]


# -- what is installed -------------------------------------------------------------------------------------------------


def test_steps_rollbacks_and_commands_of_checks_are_installed_and_nothing_else() -> None:
    undo, bare = step("/bin/undo"), step("/bin/bare", kind=SandboxKind.NONE)
    probes = (AllOf((Not(CommandProbe(("/bin/check",))),)),)
    steps = (replace(step("/bin/a"), rollback=undo), bare, step(action=UnitJob(UnitVerb.RESTART, "a.service")))
    made = rule(*steps, verify=Verify(probes), guard=(CommandProbe(("/bin/guard",)),))
    programs = [fix.step.action.argv[0] for fix in installables([made]) if isinstance(fix.step.action, Command)]
    assert programs == ["/bin/a", "/bin/undo", "/bin/check", "/bin/guard"]


def test_a_rule_that_is_switched_off_has_nothing_installed() -> None:
    assert installables([replace(rule(step()), enabled=False)]) == []


def test_its_name_is_the_fingerprint_of_the_step() -> None:
    assert only(step()).name == step_fingerprint(step())
    assert only(step(timeout_s=31)).name != only(step()).name


def test_what_may_be_asked_in_an_hour_follows_from_the_limits_of_the_rules_that_share_a_step() -> None:
    often = replace(step(), retry=Retry(attempts=3))
    one = rule(often, name="a", limits=Limits(max_per_hour=2))
    two = rule(often, name="b", limits=Limits(max_per_hour=10))
    (fix,) = installables([one, two])
    assert (fix.per_hour, fix.burst) == (36.0, 3 * 2 + 3 * 4)


def test_a_capture_without_a_type_keeps_it_from_being_installed() -> None:
    assert "`{n}` has no type in r1" in unfit(only(step("/bin/a", "{n}")), allow_root=False)


def test_the_entry_holds_what_may_be_run_and_with_what() -> None:
    made = entry(only(step("/bin/a", "{n}", memory_bytes=1 << 20), n=NUMBER), python="/p", package="/q")
    assert made["argv"] == ["/bin/a", "{n}"]
    assert made["rules"] == {
        "r1": {
            "step": "mend",
            "params": {"n": [{"type": "int", "allow": [], "values": [], "minimum": 1, "maximum": 9}]},
        }
    }
    assert made["limits"] == {"memory": 1 << 20, "tasks": 64, "file": 16 << 20, "cpu_s": None, "timeout_s": 30.0}
    assert made["nobodys"] == ["/bin/a"]


def test_the_entry_of_a_built_in_step_names_the_runner_and_its_arguments() -> None:
    made = entry(only(step(action=FreeSpace(("/var/x",), keep=2))), python="/p", package="/q")
    assert made["argv"] == ["/p", "-I", "-S", "/q/fixrun/act.py", "free"]
    assert (made["act"]["paths"], made["act"]["keep"], made["act"]["older_than"]) == (["/var/x"], 2, 3600.0)


@pytest.mark.parametrize(
    "change",
    [{"argv": ["/bin/other"]}, {"form": 0}, {"network": "full"}, {"rules": {}}, {"limits": {}}, {"nobodys": []}],
    ids=lambda change: next(iter(change)),
)
def test_what_is_installed_differently_is_found_out(change: dict[str, Any]) -> None:
    fix = only(step("/bin/a", "{n}"), n=NUMBER)
    made = entry(fix, python="/p", package="/q")
    assert outdated(fix, made, "r1", made) == ""
    assert "sudo logmedic install fixes" in outdated(fix, {**made, **change}, "r1", made)
    assert "is not installed" in outdated(fix, None, "r1", made)


def test_wider_bounds_in_the_rule_need_an_installation() -> None:
    narrow = only(step("/bin/a", "{n}"), n=NUMBER)
    wide = only(step("/bin/a", "{n}"), n=replace(NUMBER, maximum=10))
    told = [entry(each, python="/p", package="/q") for each in (narrow, wide)]
    assert "not as it was installed" in outdated(wide, told[0], "r1", told[1])


# -- units -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("made", "key", "wanted"),
    [
        (step(), "PrivateNetwork", ["yes"]),
        (step(), "RestrictAddressFamilies", ["AF_UNIX"]),
        (step(network=Network.LOOPBACK), "IPAddressAllow", ["localhost"]),
        (step(network=Network.LOOPBACK), "IPAddressDeny", ["any"]),
        (step(network=Network.LOOPBACK), "RestrictAddressFamilies", ["AF_INET AF_INET6"]),
        (step(network=Network.FULL), "PrivateNetwork", ["no"]),
        (step(network=Network.FULL), "IPAddressDeny", []),
        (step(memory_bytes=1 << 20), "MemoryMax", [str(25 << 20)]),
        (step(tasks=3), "TasksMax", ["7"]),
        (step(timeout_s=1.5), "RuntimeMaxSec", ["7"]),
        (step(cpu=timedelta(seconds=2)), "LimitCPU", ["7"]),
        (step(file_bytes=0), "LimitFSIZE", [str(1 << 20)]),
        (step(), "DynamicUser", ["yes"]),
        (step(), "SupplementaryGroups", ["logmedic-fix"]),
        (step(user="app"), "User", ["app"]),
        (step(user="app"), "DynamicUser", []),
        (step(user="app"), "CapabilityBoundingSet", [""]),
        (step(user="root"), "CapabilityBoundingSet", [""]),
        (step(action=KillProcess("a.service", "a"), user="root"), "CapabilityBoundingSet", ["CAP_KILL"]),
        (step(action=KillProcess("a.service", "a"), user="app"), "CapabilityBoundingSet", [""]),
        (step(action=KillProcess("a.service", "a")), "ProtectProc", ["default"]),
        (step(), "ProtectProc", ["invisible"]),
        (step(write=("/srv/app",)), "BindPaths", ["/srv/app"]),
        (step(action=FreeSpace(("/var/x", "{p}"))), "BindPaths", ["/var/x"]),
        (step(action=RotateLog("/etc/logrotate.d/a")), "BindReadOnlyPaths", ["/etc/logrotate.d/a"]),
        (step(read=("/etc/app",)), "BindReadOnlyPaths", ["/etc/app"]),
    ],
    ids=str,
)
def test_a_step_gets_what_it_declares_and_no_more(made: Step, key: str, wanted: list[str]) -> None:
    own = ("/usr ", "/opt/logmedic/", "/run/logmedic_fix_tmp/")
    assert [each for each in values(made, key) if not each.startswith(own)] == wanted


def test_the_unit_says_nothing_that_a_log_line_said() -> None:
    fix = only(step("/bin/a", "{n}"), n=NUMBER)
    assert "{n}" not in service_unit(fix, GROUND) + socket_unit(fix, GROUND)


def test_only_the_daemon_can_connect_and_only_so_often() -> None:
    told = socket_unit(only(step()), replace(GROUND, daemon="someone", concurrency=3)).splitlines()
    assert {"SocketMode=0600", "SocketUser=someone", "MaxConnections=6", "Accept=yes"} <= set(told)
    assert any(line.startswith("TriggerLimitBurst=") for line in told)


@pytest.mark.parametrize(
    "path",
    [
        "/srv/a b",
        "/srv/%i",
        "/srv/a:b",
        '/srv/"',
        "/srv/a\nUser=root",
        "srv",
        "/srv/../etc",
        "//proc/1",
        "/./proc",
        "/srv/.",
    ],
)
def test_a_path_that_a_unit_would_read_differently_is_refused(path: str) -> None:
    assert "cannot be written into a unit" in unfit(only(step(write=(path,))), allow_root=True)


@pytest.mark.parametrize("user", ["0", "a b", "app\nCapabilityBoundingSet=~", "%i", "-x", "App"])
def test_a_user_that_is_no_plain_name_is_refused(user: str) -> None:
    assert "no name of an account" in unfit(only(step(user=user)), allow_root=True)


def test_root_is_refused_unless_the_operator_allows_it() -> None:
    assert "actions.allow_root" in unfit(only(step(user="root")), allow_root=False)
    assert unfit(only(step(user="root")), allow_root=True) == ""


def test_no_step_runs_as_the_daemon_itself() -> None:
    """By whatever name: its store and its memory would be the step's."""
    assert "is the daemon's own account" in host_problem(only(step(user="daemon")), replace(GROUND, daemon="daemon"))


def test_more_at_once_than_can_be_counted_is_not_allowed() -> None:
    fix = Installable("0123456789ab", step(), {"r1": Use("x", {}, 1e6, 10**6)})
    assert entry(fix, python="/p", package="/x")["rate"]["burst"] == 1000


def test_the_name_of_a_rule_cannot_add_a_line() -> None:
    fix = Installable("0" * 12, step(), {"a\nUser=root %n": only(step()).uses["r1"]})
    assert "\nUser=root" not in service_unit(fix, GROUND) + socket_unit(fix, GROUND)
    assert "%n" not in service_unit(fix, GROUND)


# -- systemd's own checks ----------------------------------------------------------------------------------------------

KINDS = {
    "none": step(),
    "loopback": step(network=Network.LOOPBACK),
    "full": step(network=Network.FULL),
    "user": step(user="daemon"),
    "kill": step(action=KillProcess("a.service", "a"), user="daemon"),
}
EXPOSED = {"none": 0.3, "loopback": 1.0, "full": 1.2, "user": 0.4, "kill": 0.6}


def systemd_analyze(*arguments: str) -> str:
    ran = subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout[-2000:] + ran.stderr
    return ran.stdout + ran.stderr


def test_the_tmp_of_fixes_is_bounded_also_without_a_memory_controller() -> None:
    told = temporary_mount(replace(GROUND, concurrency=3)).splitlines()
    assert f"Options=mode=0755,nosuid,nodev,size={6 * 16 * 1024**2},nr_inodes={6 * 4096}" in told
    assert [line.partition("=")[0] for line in lines(step()) if line.endswith("=run-logmedic_fix_tmp.mount")] == [
        "Requires",
        "After",
    ]


def written(made: Step, room: Path) -> list[str]:
    fix = only(made)
    for name, text in (("@.service", service_unit(fix, GROUND)), (".socket", socket_unit(fix, GROUND))):
        (room / f"logmedic-fix-{fix.name}{name}").write_text(text)
    (room / MOUNT).write_text(temporary_mount(GROUND))
    return [str(room / f"logmedic-fix-{fix.name}{name}") for name in ("@.service", ".socket")]


@pytest.mark.parametrize("kind", list(KINDS))
def test_the_unit_is_exposed_as_little_as_was_measured(kind: str, tmp_path: Path) -> None:
    service, _ = written(KINDS[kind], tmp_path)
    told = systemd_analyze("security", "--offline=true", "--no-pager", service)
    found = re.search(r"exposure level for \S+: ([\d.]+)", told)
    assert found is not None, told
    assert float(found[1]) <= EXPOSED[kind], told


@pytest.mark.parametrize("kind", list(KINDS))
def test_the_units_are_verified_without_a_complaint(kind: str, tmp_path: Path) -> None:
    service, socket = written(KINDS[kind], tmp_path)
    instance = service.replace("@.", "@0-1-2.")
    assert systemd_analyze("verify", "--recursive-errors=yes", instance, socket, str(tmp_path / MOUNT)).strip() == ""


# -- where it goes -----------------------------------------------------------------------------------------------------


def test_an_installation_is_an_entry_a_socket_and_a_service_each_and_the_canary() -> None:
    fix = only(step())
    made = layout([fix], GROUND, "rules")
    assert sorted(made.files) == sorted(
        [
            *(f"/etc/logmedic/fixes/{name}.json" for name in (fix.name, "canary")),
            *(f"/etc/systemd/system/logmedic-fix-{name}.socket" for name in (fix.name, "canary")),
            *(f"/etc/systemd/system/logmedic-fix-{name}@.service" for name in (fix.name, "canary")),
            "/etc/polkit-1/rules.d/50-logmedic.rules",
            "/etc/systemd/system/run-logmedic_fix_tmp.mount",
        ]
    )
    assert made.names == ("canary", fix.name)


def test_the_canary_is_held_as_tightly_as_any_other() -> None:
    canary = canary_fix(python=GROUND.python, package=GROUND.package)
    theirs, ours = (
        service_unit(each, GROUND).replace(each.name, "X") for each in (only(step(timeout_s=10, tasks=20)), canary)
    )
    assert [line for line in ours.splitlines() if "Description" not in line] == [
        line for line in theirs.splitlines() if "Description" not in line
    ]
