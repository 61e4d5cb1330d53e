"""Jobs of units asked of a real systemd, under a real polkit: what is only said of them, and what is done."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from booted.host import Host
from builders import RULE
from logmedic.adapters.fixes.polkit import polkit_rules
from logmedic.model.rule import Fix, Mode
from logmedic.model.step import Step, UnitJob, UnitVerb

ALLOWED = (
    (UnitVerb.RESTART, "job-app.service"),
    (UnitVerb.RELOAD, "job-app.service"),
    (UnitVerb.START, "job-once.service"),
    (UnitVerb.RESTART, "job-broken.service"),
    (UnitVerb.RESTART, "job-slow.service"),
    (UnitVerb.RESTART, "job-absent.service"),
)
RULES = "/etc/polkit-1/rules.d/60-jobs.rules"
UNITS = {
    "job-app.service": "ExecStart=/bin/sleep infinity\nExecReload=/bin/true\n[Install]\nAlias=job-alias.service\n",
    "job-once.service": "Type=oneshot\nExecStart=/bin/true\n",
    "job-broken.service": "Type=exec\nExecStart=/nonexistent\n",
    "job-slow.service": "Type=oneshot\nExecStart=/bin/sleep 3\n",
}
_ASKING = """
import asyncio, dataclasses, json, sys
from datetime import UTC, datetime, timedelta
from logmedic.adapters.fixes.units import UnitControl
from logmedic.model.fix import FixAttempt
from logmedic.model.step import Step, UnitJob, UnitVerb

what, verb, unit, timeout_s = sys.argv[1:]
step = Step("x", UnitJob(UnitVerb(verb), unit), timeout=timedelta(seconds=float(timeout_s)))
attempt = FixAttempt("a", "i", "r", "", "r", 0, "x", 1, (), datetime.now(UTC))
control = UnitControl()
asked = control.rehearse(step) if what == "rehearse" else control.run(step, attempt)
print(json.dumps(dataclasses.asdict(asyncio.run(asked))))
"""


class Jobs:
    """The daemon's user, asking for jobs."""

    def __init__(self, host: Host) -> None:
        self.host = host

    def ask(self, what: str, verb: str, unit: str, timeout_s: float = 20, user: str = "logmedic") -> dict[str, Any]:
        argv = ("/opt/logmedic/bin/python", "-W", "ignore", "/opt/tests/jobs.py", what, verb, unit, str(timeout_s))
        return dict(json.loads(self.host.run(*argv, user=user).splitlines()[-1]))

    def began(self, unit: str) -> str:
        return self.host.run("systemctl", "show", "-P", "ActiveEnterTimestampMonotonic", unit).strip()


@pytest.fixture(scope="module")
def jobs(host: Host) -> Iterator[Jobs]:
    host.put("/opt/tests/jobs.py", _ASKING)
    for name, text in UNITS.items():
        host.put(f"/etc/systemd/system/{name}", f"[Service]\n{text}")
    host.run(
        "sh", "-c", "systemctl daemon-reload; systemctl enable -q job-app.service; systemctl start job-app.service"
    )
    steps = tuple(Step("x", UnitJob(verb, unit)) for verb, unit in ALLOWED)
    host.put(RULES, polkit_rules([replace(RULE, fix=Fix(Mode.AUTO, steps))], "logmedic"))
    made = Jobs(host)
    host.until('"exit_code": 0', "sh", "-c", f"{_as_user('rehearse restart job-app.service 20')}")
    yield made
    host.run("rm", RULES)


def _as_user(arguments: str) -> str:
    return f"runuser -u logmedic -- /opt/logmedic/bin/python -W ignore /opt/tests/jobs.py {arguments}"


@pytest.mark.parametrize("verb", ["restart", "reload"])
def test_whether_polkit_would_allow_a_job_is_known_without_doing_it(jobs: Jobs, verb: str) -> None:
    before = jobs.began("job-app.service")
    told = jobs.ask("rehearse", verb, "job-app.service")
    assert (told["exit_code"], told["detail"]) == (0, "")
    assert jobs.began("job-app.service") == before


@pytest.mark.parametrize(
    ("verb", "unit", "said"),
    [
        ("start", "job-app.service", "polkit does not allow to start job-app.service"),
        ("restart", "job-once.service", "polkit does not allow to restart job-once.service"),
        ("restart", "dbus.service", "polkit does not allow to restart dbus.service"),
    ],
)
@pytest.mark.parametrize("what", ["rehearse", "run"])
def test_what_no_rule_names_is_refused_and_said_beforehand(
    jobs: Jobs, what: str, verb: str, unit: str, said: str
) -> None:
    told = jobs.ask(what, verb, unit)
    assert said in told["detail"]
    assert told["exit_code"] != 0


def test_other_users_are_allowed_nothing(jobs: Jobs) -> None:
    told = jobs.ask("run", "restart", "job-app.service", user="nobody")
    assert not told["started"]
    assert "polkit does not allow" in told["detail"]


@pytest.mark.parametrize(
    ("verb", "unit", "code", "started", "said"),
    [
        ("restart", "job-app.service", 0, True, "the job is done; job-app.service is active (running)"),
        ("reload", "job-app.service", 0, True, "the job is done"),
        ("restart", "job-alias.service", 0, True, "the job is done"),
        ("start", "job-once.service", 0, True, "the job is done; job-once.service is inactive (dead)"),
        ("restart", "job-broken.service", 1, True, "the job failed; job-broken.service is failed, result exit-code"),
        ("restart", "job-absent.service", None, False, "there is no such unit"),
    ],
)
def test_what_comes_of_a_real_job(jobs: Jobs, verb: str, unit: str, code: int | None, started: bool, said: str) -> None:
    told = jobs.ask("run", verb, unit)
    assert (told["exit_code"], told["started"]) == (code, started)
    assert said in told["detail"]


def test_an_alias_needs_the_own_name_in_the_rule(jobs: Jobs) -> None:
    told = jobs.ask("run", "start", "job-alias.service")
    assert "whose own name is job-app.service: write that in the rule" in told["detail"]


def test_a_job_that_has_begun_goes_on_after_the_step(jobs: Jobs) -> None:
    told = jobs.ask("run", "restart", "job-slow.service", timeout_s=1)
    assert told["detail"] == "not done in 1 s; the service manager goes on with it"
    assert "activating" in jobs.host.run("systemctl", "is-active", "job-slow.service", check=False)
    jobs.host.until(
        "success", "sh", "-c", "systemctl is-active job-slow.service; systemctl show -P Result job-slow.service"
    )
