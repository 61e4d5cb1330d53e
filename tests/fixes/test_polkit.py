"""The polkit rule allows the jobs that rules have, to the daemon's user, and nothing else."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import RULE
from logmedic.adapters.fixes.polkit import MOST, jobs_of, polkit_rules
from logmedic.model.match import Capture, CaptureType, MatchSpec
from logmedic.model.rule import Fix, Mode, Rule
from logmedic.model.step import Step, UnitJob, UnitVerb, Wait

MANAGE = "org.freedesktop.systemd1.manage-units"
RESTART, RELOAD, START = UnitVerb.RESTART, UnitVerb.RELOAD, UnitVerb.START


def rule(*jobs: tuple[UnitVerb, str], enabled: bool = True, **captures: Capture) -> Rule:
    steps = tuple(Step("x", UnitJob(verb, unit)) for verb, unit in jobs)
    return replace(RULE, match=MatchSpec(("x",), captures=captures), fix=Fix(Mode.AUTO, steps), enabled=enabled)


def unit(*allow: str) -> Capture:
    return Capture(CaptureType.UNIT, allow=allow)


# -- which jobs --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("made", "jobs"),
    [
        (rule((RESTART, "a.service"), (START, "b.service")), ((RESTART, "a.service"), (START, "b.service"))),
        (rule((RESTART, "a.service"), (RESTART, "a.service")), ((RESTART, "a.service"),)),
        (rule((RELOAD, "{u}"), u=unit("a.service", "b.service")), ((RELOAD, "a.service"), (RELOAD, "b.service"))),
        (rule((START, "app@{n}.service"), n=Capture(CaptureType.ENUM, values=("x",))), ((START, "app@x.service"),)),
        (
            rule((START, "app@{n}.service"), n=Capture(CaptureType.INT, minimum=1, maximum=2)),
            ((START, "app@1.service"), (START, "app@2.service")),
        ),
        (
            rule((START, "{h}.service"), h=Capture(CaptureType.HOSTNAME, allow=("db1", ".example"))),
            ((START, "db1.service"),),
        ),
        (rule((START, "{u}"), u=unit()), ()),
        (rule((START, "{u}")), ()),
        (rule((START, "a@{i}.service"), i=Capture(CaptureType.IP, allow=("10.0.0.0/8",))), ()),
        (rule((START, "a@{w}.service"), w=Capture(CaptureType.WORD)), ()),
        (replace(RULE, fix=None), ()),
    ],
    ids=["steps", "once", "units", "enum", "numbers", "names", "any unit", "untyped", "networks", "words", "no fix"],
)
def test_the_jobs_of_a_rule(made: Rule, jobs: tuple[tuple[UnitVerb, str], ...]) -> None:
    assert jobs_of(made) == jobs


def test_a_rollback_counts_as_its_step_does() -> None:
    undo = Step("undo", UnitJob(START, "old.service"))
    step = Step("x", Wait(timedelta(1)), rollback=undo)
    assert jobs_of(replace(RULE, fix=Fix(Mode.AUTO, (step,)))) == ((START, "old.service"),)


def test_numbers_without_end_are_cut() -> None:
    numbers = Capture(CaptureType.INT, minimum=0, maximum=10**17)
    assert len(jobs_of(rule((START, "a@{a}-{b}.service"), a=numbers, b=numbers))) == MOST


# -- the text ----------------------------------------------------------------------------------------------------------


def listed(text: str) -> list[str]:
    """What stands in the list, by a parser of its own."""
    inside = text.split("var allowed = [", 1)[1].split("\n    ];", 1)[0]
    return list(json.loads(f"[{inside}]"))


def test_the_list_holds_what_is_allowed_sorted_and_once() -> None:
    rules = [rule((RESTART, "b.service"), (RELOAD, "a.service")), rule((RESTART, "b.service"))]
    assert listed(polkit_rules(rules, "logmedic")) == ["reload a.service", "restart b.service"]


def test_rules_that_are_off_allow_nothing() -> None:
    assert listed(polkit_rules([rule((RESTART, "a.service"), enabled=False)], "logmedic")) == []


HOSTILE = [
    'a"; return polkit.Result.YES; //.service',
    "a\nb.service",
    "a\\",
    '\\"',
    "\u2028.service",
    "*/",
    "</script>",
    "'",
    "`$(x)`",
    "\x00",
    "__proto__",
    "é.service",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_stays_inside_its_quotes(name: str) -> None:
    text = polkit_rules([rule((RESTART, name))], name)
    assert listed(text) == [f"restart {name}"]
    assert text.isascii()
    plain = polkit_rules([rule((RESTART, "x"))], "x")
    assert len(text.splitlines()) == len(plain.splitlines())
    assert text.replace(json.dumps(f"restart {name}"), '"restart x"').replace(json.dumps(name), '"x"') == plain


# -- evaluated ---------------------------------------------------------------------------------------------------------

_POLKIT = """
var rule = null, told = %s;
var polkit = { addRule: function (given) { rule = given; }, Result: { YES: "yes", NOT_HANDLED: null } };
(0, eval)(told.text);
print(JSON.stringify(told.asked.map(function (each) {
    var details = { verb: each[2], unit: each[3] };
    var lookup = function (key) { return details[key] === null ? undefined : details[key]; };
    return rule({ id: each[0], lookup: lookup }, { user: each[1], active: true, local: true });
})));
"""
"""For Duktape, which polkit has evaluated its rules with."""

Asked = tuple[str, str, str | None, str | None]


def answers(text: str, asked: list[Asked]) -> list[str | None]:
    script = _POLKIT % json.dumps({"text": text, "asked": asked})
    ran = subprocess.run(["duk", "/dev/stdin"], input=script, capture_output=True, text=True, check=True)
    return list(json.loads(ran.stdout))


def test_it_allows_the_pairs_and_nothing_else() -> None:
    text = polkit_rules([rule((RESTART, "a.service"), (RELOAD, "b.service"))], "logmedic")
    wanted: dict[Asked, str | None] = {
        (MANAGE, "logmedic", "restart", "a.service"): "yes",
        (MANAGE, "logmedic", "reload", "b.service"): "yes",
        (MANAGE, "logmedic", "restart", "b.service"): None,
        (MANAGE, "logmedic", "stop", "a.service"): None,
        (MANAGE, "logmedic", "restart", "c.service"): None,
        (MANAGE, "logmedic", "restart", "a.service.service"): None,
        (MANAGE, "nobody", "restart", "a.service"): None,
        (MANAGE, "root", "restart", "a.service"): None,
        ("org.freedesktop.systemd1.manage-unit-files", "logmedic", "restart", "a.service"): None,
        ("org.freedesktop.login1.power-off", "logmedic", "restart", "a.service"): None,
        # systemd-run asks without a unit and a verb: whoever allows that allows root
        (MANAGE, "logmedic", None, None): None,
        (MANAGE, "logmedic", "restart", None): None,
        (MANAGE, "logmedic", None, "a.service"): None,
        (MANAGE, "logmedic", "", "restart a.service"): None,
        (MANAGE, "logmedic", "restart a.service", ""): None,
    }
    assert answers(text, list(wanted)) == list(wanted.values())


def test_without_jobs_nothing_is_allowed() -> None:
    text = polkit_rules([], "logmedic")
    assert answers(text, [(MANAGE, "logmedic", None, None), (MANAGE, "logmedic", "restart", "")]) == [None, None]


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_breaks_out(name: str) -> None:
    text = polkit_rules([rule((RESTART, name))], "logmedic")
    asked: list[Asked] = [(MANAGE, "logmedic", "restart", name), (MANAGE, "logmedic", "restart", "other.service")]
    assert answers(text, asked) == ["yes", None]


@settings(max_examples=10, deadline=None)
@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=12), max_size=4), st.text(max_size=6))
def test_whatever_the_names_are_only_they_are_allowed(names: list[str], user: str) -> None:
    user = user.encode("utf-8", "replace").decode()
    text = polkit_rules([rule(*((RESTART, name.replace("{", "(")) for name in names))], user)
    units = [name.replace("{", "(") for name in names]
    asked: list[Asked] = [(MANAGE, user, verb, each) for verb in ("restart", "start") for each in [*units, "x\ny"]]
    wanted = ["yes" if verb == "restart" and each in units else None for _, _, verb, each in asked]
    assert answers(text, asked) == wanted
