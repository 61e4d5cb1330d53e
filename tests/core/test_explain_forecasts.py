"""What would come of one more match: the daemon's own decision, and nothing of it stays."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from builders import AT_ONCE, FIX, RULE, START, Bench, match, observed, policy
from logmedic.core.foretell import Forecast, Outcome, foretell, progress, sentences
from logmedic.core.targets import breaker_key
from logmedic.model.alert import AlertPlan, Branch, Selector
from logmedic.model.changeset import AddSilence
from logmedic.model.circuit import BreakerStatus
from logmedic.model.fix import Arming, AttemptStatus, Breaker
from logmedic.model.issue import HoldReason, Window
from logmedic.model.match import MatchSpec
from logmedic.model.policy import Policy
from logmedic.model.rule import Limits, Mode, Rule
from logmedic.model.state import EngineState
from logmedic.model.when import Absence, Clear, Distinct, Rate, Sequence, Stage, Threshold, When

NOFIX = replace(RULE, fix=None)
FIVE = replace(RULE, when=When(Threshold(5, timedelta(minutes=1))))
MINUTE = timedelta(minutes=1)


def told(bench: Bench, rule: Rule = RULE, part: str = "") -> Forecast:
    return foretell(bench.state, bench.policy, replace(match(rule, bench.now), part=part), bench.now)


def test_a_count_goes_on_from_what_is_remembered() -> None:
    bench = Bench(policy(FIVE))
    for _ in range(3):
        bench.matched(1, FIVE)
    forecast = told(bench, FIVE)
    assert forecast.outcome is Outcome.COUNTED
    assert forecast.progress == "4 of 5; wants 5 matches within 1m"
    assert len(bench.state.windows["web-down", ""].times) == 3, "nothing of it is kept"


def test_the_match_that_reaches_the_trigger_opens_and_runs() -> None:
    forecast = told(Bench(policy()))
    assert (forecast.outcome, forecast.runs) == (Outcome.OPENS, (("restart it", ("/usr/bin/true",)),))
    assert sentences(forecast, RULE) == ["it opens an incident", "step 'restart it' runs: /usr/bin/true"]


HOLDS = {
    "the daemon observes": (policy(mode=Mode.OBSERVE), HoldReason.OBSERVE, "the daemon's mode is observe"),
    "the rule observes": (
        policy(replace(RULE, fix=replace(FIX, mode=Mode.OBSERVE))),
        HoldReason.OBSERVE,
        "the rule's mode",
    ),
    "disarmed": (policy(arming=Arming(False, "", "no bubblewrap")), HoldReason.DISARMED, "no bubblewrap"),
    "the budget is used up": (policy(host_max_per_hour=0), HoldReason.BUDGET, "0 fixes an hour for this host"),
    "approval": (policy(mode=Mode.APPROVE), HoldReason.AWAITING_APPROVAL, "waits for approval"),
    "it has only just started": (
        policy(replace(RULE, fix=replace(FIX, limits=Limits(min_uptime=timedelta(hours=2))))),
        HoldReason.WARMING_UP,
        "only just started",
    ),
}


@pytest.mark.parametrize(("given", "hold", "words"), HOLDS.values(), ids=HOLDS.keys())
def test_what_holds_the_fix_is_told(given: Policy, hold: HoldReason, words: str) -> None:
    rule = given.rules["web-down"]
    forecast = told(Bench(given), rule)
    assert (forecast.outcome, forecast.hold, forecast.runs) == (Outcome.OPENS, hold, ())
    assert words in "\n".join(sentences(forecast, rule))


def test_an_open_breaker_holds_the_fix() -> None:
    bench = Bench(policy())
    until = START + timedelta(minutes=30)
    key = breaker_key(RULE, {})
    bench.state.breakers[key] = Breaker(*key, status=BreakerStatus.OPEN, failures=2, open_until=until)
    assert told(bench).hold is HoldReason.BREAKER_OPEN


def test_a_cooldown_holds_the_fix_of_the_group() -> None:
    bench = Bench(policy())
    bench.matched()
    attempt = next(iter(bench.state.attempts.values()))
    before = bench.now - timedelta(seconds=5)
    bench.state.attempts[attempt.id] = replace(
        attempt, started_at=before, finished_at=before, status=AttemptStatus.FINISHED
    )
    bench.state.incidents.clear()
    bench.state.under_way.clear()
    bench.state.open_of_rule.clear()
    assert told(bench).hold is HoldReason.COOLDOWN


def test_a_further_match_is_a_part_of_the_open_incident() -> None:
    bench = Bench(policy(NOFIX))
    bench.matched(0, NOFIX)
    forecast = told(bench, NOFIX)
    assert (forecast.outcome, forecast.incident) == (Outcome.AGAIN, bench.incident().id)


def test_an_incident_of_another_rule_suppresses_it() -> None:
    cause = replace(NOFIX, id="rack-down")
    quiet = replace(NOFIX, when=When(unless_incident=("rack-down",)))
    bench = Bench(policy(cause, quiet))
    bench.matched(0, cause)
    forecast = told(bench, quiet)
    assert (forecast.outcome, forecast.cause) == (Outcome.SUPPRESSED, "rack-down")


def test_what_ends_it_ends_it() -> None:
    rule = replace(NOFIX, when=When(clear=Clear(MatchSpec(("up",)))))
    bench = Bench(policy(rule))
    bench.matched(0, rule)
    assert told(bench, rule, "clear").outcome is Outcome.ENDS
    assert told(Bench(policy(rule)), rule, "clear").outcome is Outcome.NOTHING


def test_who_is_told_and_what_else_it_brings_about_is_told() -> None:
    on_top = Rule("site-down", "the site is down", MatchSpec((), incidents=("web-down",)))
    given = policy(NOFIX, on_top).with_rules([NOFIX, on_top], Arming(True, "bubblewrap"))
    forecast = told(Bench(given), NOFIX)
    assert (forecast.told, forecast.routes) == (("chat",), ("oncall",))
    assert forecast.others == ("site-down",)
    assert "told: chat, by route oncall" in sentences(forecast, NOFIX)


def by_tree(**changes: object) -> Policy:
    """What is of the database goes to its team, everything else to the default route."""
    team = Branch(Selector(tags=frozenset({"db"})), ("team",))
    routes = {"oncall": AT_ONCE, "team": replace(AT_ONCE, name="team", to=("dba", "board"))}
    plan = AlertPlan(routes, "oncall", tree=(team,))
    return policy(NOFIX, replace(NOFIX, id="db-down", tags=("db",)), alerts=replace(plan, **changes))


def test_who_is_told_follows_from_the_route_tree() -> None:
    bench = Bench(by_tree())
    assert told(bench, bench.policy.rules["db-down"]).told == ("dba", "board")
    assert told(bench, NOFIX).told == ("chat",)


def test_the_way_of_a_route_that_waits_is_told_as_well() -> None:
    waits = {"oncall": replace(AT_ONCE, group_wait=MINUTE)}
    assert told(Bench(by_tree(routes=waits, tree=())), NOFIX).told == ("chat",)


def test_what_keeps_people_from_being_told_is_said() -> None:
    bench = Bench(by_tree())
    bench.give(AddSilence("ann", "new disks", START + MINUTE, labels={"rule": "web-*"}))
    forecast = told(bench, NOFIX)
    assert (forecast.told, forecast.routes) == ((), ())
    assert "nobody is told: silenced by ann until 2026-11-24 03:01 UTC: new disks" in sentences(forecast, NOFIX)
    assert told(Bench(by_tree(default_route="")), NOFIX).untold == "no route takes it"


def test_an_end_is_told_to_whoever_was_told_of_it() -> None:
    rule = replace(NOFIX, when=When(clear=Clear(MatchSpec(("up",)))))
    bench = Bench(policy(rule))
    bench.matched(0, rule)
    assert told(bench, rule, "clear").told == ("chat",)
    silent = Bench(policy(rule, alerts=by_tree(routes={"oncall": replace(AT_ONCE, group_wait=MINUTE)}).alerts))
    silent.matched(0, rule)
    assert told(silent, rule, "clear").told == ()


WINDOWS = {
    "distinct": (
        Distinct("user", 3, MINUTE),
        {"times": (1.0, 2.0), "marks": ("a", "b")},
        "2 of 3; wants 3 different values of `user` within 1m",
    ),
    "sequence": (
        Sequence((Stage(MatchSpec(("b",)), 2),), 1, MINUTE),
        {"times": (1.0, 2.0), "marks": ("#x", "then1#y")},
        "match 1 of 1, then1 1 of 2; wants the match and then 1 more, all within 1m",
    ),
    "absence": (
        Absence(MINUTE),
        {"times": (1.0,), "due_at": START},
        "waits until 03:00:00 UTC; wants no next match within 1m",
    ),
    "rate": (
        Rate(3, 10, MINUTE),
        {"counts": (1, 2), "usual": 1.5, "learned": 20},
        "3 now, usually 1.5; wants at least 10 within 1m, and more than 3 times the usual",
    ),
}


@pytest.mark.parametrize(("trigger", "window", "words"), WINDOWS.values(), ids=WINDOWS.keys())
def test_every_trigger_says_how_far_it_is(trigger: Distinct, window: dict[str, object], words: str) -> None:
    rule = replace(RULE, when=When(trigger))
    assert progress(rule, Window(rule.id, "", **window)) == words  # type: ignore[arg-type]


def test_the_state_is_only_read() -> None:
    bench = Bench(policy())
    bench.give(observed(match(RULE, START, "other")))
    before = repr(bench.state)
    told(bench)
    assert repr(bench.state) == before
    assert isinstance(bench.state, EngineState)
