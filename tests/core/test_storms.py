"""Thousands of groups at once: some at a time, nothing lost, and nobody is reminded of what is over."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from builders import ONCALL, RULE, START, Bench, breaker_of, match, observed, policy
from logmedic.core.decide import AT_ONCE, due
from logmedic.core.kept import MAX_GROUPS
from logmedic.core.synthetic import MAX_CARRIED
from logmedic.model.alert import Alert, AlertPlan
from logmedic.model.alertevent import AlertEvent
from logmedic.model.changeset import Changeset, RunStep, StepFinished, Tick
from logmedic.model.circuit import BreakerStatus
from logmedic.model.fix import FixResult
from logmedic.model.issue import Incident, IncidentStatus, Window
from logmedic.model.match import IncidentStage, MatchSpec
from logmedic.model.record import EVERY_GROUP
from logmedic.model.rule import AlertSpec, Rule
from logmedic.model.severity import Severity
from logmedic.model.when import CLEAR, Absence, Clear, Threshold, When

MANY = 2 * AT_ONCE + 1
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
PLAIN = Rule("web-down", "web is down", MatchSpec(("down",)), when=When(Threshold(), Clear(quiet=MINUTE)))
AFTER = Rule("web-up", "web is up", MatchSpec((), incidents=("web-down",), on=IncidentStage.RESOLVED))


def storm(bench: Bench, many: int = MANY, **changes: object) -> None:
    """So many open incidents of web-down, each of a group of its own."""
    one = Incident("", "", "web-down", "", "web is down", Severity.MEDIUM, START, START)
    made = (replace(one, id=f"i{n:05}", group_key=f"{n:05}", **changes) for n in range(many))  # type: ignore[arg-type]
    bench.state.apply(Changeset(incidents=tuple(made)))


def ended(changeset: Changeset) -> int:
    return sum(each.status is IncidentStatus.RESOLVED for each in changeset.incidents)


def ticked(bench: Bench) -> list[Changeset]:
    """Ticks of one moment, while one is due."""
    given = []
    while (at := due(bench.state, bench.policy)) is not None and at <= bench.now:
        given.append(bench.give(Tick()))
    return given


def heard(bench: Bench) -> int:
    """Of ends, by the rule about incidents."""
    return bench.state.issues[f"rule:{AFTER.id}"].occurrences


def test_what_is_silent_at_once_ends_some_at_a_time_and_all_of_it_at_once() -> None:
    bench = Bench(policy(PLAIN))
    storm(bench)
    bench.now += MINUTE
    assert [ended(each) for each in ticked(bench)] == [AT_ONCE, AT_ONCE, 1]
    assert bench.state.incidents == bench.state.open_of_rule == {}


def test_i5_a_rule_about_incidents_hears_of_every_end_of_a_storm() -> None:
    bench = Bench(policy(PLAIN, AFTER))
    storm(bench)
    bench.now += MINUTE
    ticked(bench)
    assert heard(bench) == MANY
    assert bench.tally("matched") == 0, "no line was read"
    assert bench.tally("synthetic_dropped") == 0


def test_i5_it_hears_of_all_that_one_line_ends() -> None:
    until_up = replace(PLAIN, when=When(Threshold(), Clear(MatchSpec(("up",)))))
    bench = Bench(policy(until_up, AFTER))
    storm(bench, MAX_CARRIED + 1)
    bench.give(observed(replace(match(until_up, group=EVERY_GROUP), part=CLEAR)))
    assert bench.state.open_of_rule.keys() == {"web-up"}
    assert heard(bench) == MAX_CARRIED + 1
    assert bench.tally("synthetic_dropped") == 0


def test_the_issue_of_a_storm_is_resolved_with_its_last_incident() -> None:
    bench = Bench(policy(PLAIN))
    bench.matched(0, PLAIN)
    storm(bench, AT_ONCE)
    bench.now += MINUTE
    assert [len(each.issues) for each in ticked(bench)] == [0, 1]


def test_waits_that_are_over_open_some_at_a_time_the_oldest_first() -> None:
    absent = replace(PLAIN, when=When(Absence(HOUR, of=MatchSpec(("up",)), by=("job",))))
    bench = Bench(policy(absent))
    one = Window("web-down", "", (START.timestamp(),), "absence", captures={})
    due_at = [START + timedelta(milliseconds=n) for n in range(MANY)]
    waits = [replace(one, group_key=f"{n:05}", due_at=at) for n, at in enumerate(due_at)]
    bench.state.apply(Changeset(windows=tuple(reversed(waits))))
    bench.now += MINUTE
    opened = [sorted(each.group_key for each in changeset.incidents) for changeset in ticked(bench)]
    assert [len(each) for each in opened] == [AT_ONCE, AT_ONCE, 1]
    assert [group for groups in opened for group in groups] == [each.group_key for each in waits]


def test_nobody_is_reminded_of_what_is_over() -> None:
    told = AlertSpec(routes=("oncall",), on=frozenset({AlertEvent.OPENED}), repeat_every=MINUTE)
    together = AlertPlan({"oncall": replace(ONCALL.routes["oncall"], group_by=("rule",))}, "oncall")
    bench = Bench(policy(replace(PLAIN, alert=told), alerts=together))
    bench.give(observed(*(match(PLAIN, group=f"{n:05}") for n in range(MANY))))
    assert [len(each.tells) for each in sent(bench)] == [MANY]
    bench.now += MINUTE
    ticked(bench)
    assert bench.state.incidents == {}
    assert len(sent(bench)) == 1


def test_i6_the_open_incidents_of_a_rule_are_bounded_and_what_opens_none_is_counted() -> None:
    bench = Bench(policy(PLAIN))
    storm(bench, MAX_GROUPS)
    bench.give(observed(match(PLAIN, group="one more"), match(PLAIN, group="00000")))
    assert (len(bench.state.incidents), bench.tally("incidents_dropped")) == (MAX_GROUPS, 1)
    assert bench.state.incidents["i00000"].occurrences == 1, "those that are open go on"
    bench.now += MINUTE
    ticked(bench)
    bench.matched(0, PLAIN, "one more")
    assert [each.group_key for each in bench.state.incidents.values()] == ["one more"]


def sent(bench: Bench) -> list[Alert]:
    return list(bench.messages)


def test_what_waits_for_the_trial_of_another_group_is_not_due_all_the_time() -> None:
    bench = Bench(policy())
    for after in (0, 11):
        bench.matched(after)
        (*_, step) = (each for each in bench.intents if isinstance(each, RunStep))
        bench.give(StepFinished(step.attempt.id, FixResult(1, 0.1)))
    for after, group in ((1790, "a"), (1, "b")):
        bench.matched(after, RULE, group)
    bench.give(Tick(), after=20)
    assert breaker_of(bench.state).status is BreakerStatus.HALF_OPEN
    at = due(bench.state, bench.policy)
    assert at is not None
    assert at > bench.now
