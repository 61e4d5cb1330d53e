"""The trust ladder: what proposes a level, what takes one away, who may give one, and the record of it all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import FIX, RULE, START, STEP, Bench, policy
from logmedic.core.draft import Draft
from logmedic.core.targets import fingerprint
from logmedic.core.trust import BY_ITSELF, RECENT, follow_files, level_of, on_observed, on_verdict, set_trust
from logmedic.model.changeset import Changeset, SetTrust
from logmedic.model.fix import Arming
from logmedic.model.issue import Incident
from logmedic.model.rule import Mode, Rule
from logmedic.model.severity import Severity
from logmedic.model.trust import Trust, TrustChange, TrustChangeKind

OBSERVED = Incident("i1", "k1", RULE.id, "", "web is down", Severity.MEDIUM, START, START, warranted=True)


def of_mode(mode: Mode, graduate_after: int = 0, **changes: object) -> Rule:
    return replace(RULE, fix=replace(FIX, mode=mode, graduate_after=graduate_after, **changes))  # type: ignore[arg-type]


class Ladder:
    """One rule, and what became of its trust."""

    def __init__(self, rule: Rule, ceiling: Mode = Mode.AUTO) -> None:
        self.rule = rule
        self.bench = Bench(policy(rule, mode=ceiling))
        self.record: list[TrustChange] = []

    def decide(self, decided: Callable[[Draft], None]) -> Changeset:
        """In a changeset of its own, a minute later."""
        self.bench.now += timedelta(minutes=1)
        draft = Draft(self.bench.state, self.bench.policy, self.bench.now, self.bench.mint)
        decided(draft)
        changeset = draft.changeset()
        self.bench.state.apply(changeset)
        self.bench.all.append(changeset)
        self.record += changeset.trust_changes
        return changeset

    def ran(self, *won: bool) -> None:
        for each in won:
            self.decide(lambda draft, each=each: on_verdict(draft, self.rule, won=each))  # type: ignore[misc]

    def observed(self, *, warranted: bool | None = True, recovered: bool = False) -> None:
        incident = replace(OBSERVED, warranted=warranted)
        self.decide(lambda draft: on_observed(draft, incident, self.rule, recovered=recovered))

    def said(self, level: Mode, by: str = "anna", why: str = "") -> None:
        self.decide(lambda draft: set_trust(draft, SetTrust(self.rule.id, level, by, why)))

    def reload(self, *rules: Rule) -> None:
        if rules:
            self.rule = rules[0]
        self.bench.policy = self.bench.policy.with_rules(rules, Arming(True, "bubblewrap"))
        self.decide(follow_files)

    @property
    def trust(self) -> Trust:
        return self.bench.state.trust[self.rule.id]

    @property
    def level(self) -> Mode:
        return level_of(self.rule, self.bench.state.trust.get(self.rule.id), self.bench.policy).mode

    @property
    def whose(self) -> str:
        return level_of(self.rule, self.bench.state.trust.get(self.rule.id), self.bench.policy).whose

    @property
    def kinds(self) -> list[str]:
        return [each.kind.value for each in self.record]

    @property
    def last(self) -> tuple[TrustChangeKind, Mode, Mode, str, str]:
        change = self.record[-1]
        return change.kind, change.before, change.after, change.by, change.why


# -- how far a fix may go ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ceiling", Mode)
@pytest.mark.parametrize("mode", Mode)
def test_the_lower_of_the_rules_and_the_daemons_mode_counts(mode: Mode, ceiling: Mode) -> None:
    ladder = Ladder(of_mode(mode), ceiling)
    assert ladder.level is min(mode, ceiling, key=lambda each: each.rank)


@pytest.mark.parametrize(
    ("mode", "ceiling", "whose"),
    [
        (Mode.OBSERVE, Mode.AUTO, "the rule's mode"),
        (Mode.AUTO, Mode.OBSERVE, "the daemon's mode"),
        (Mode.OBSERVE, Mode.OBSERVE, "the daemon's mode"),
        (Mode.AUTO, Mode.APPROVE, "the daemon's mode"),
        (Mode.APPROVE, Mode.APPROVE, "the rule's mode"),
        (Mode.AUTO, Mode.AUTO, "the rule's mode"),
    ],
)
def test_a_level_says_whose_it_is(mode: Mode, ceiling: Mode, whose: str) -> None:
    assert Ladder(of_mode(mode), ceiling).whose == whose


def test_a_level_that_somebody_set_says_so() -> None:
    ladder = Ladder(of_mode(Mode.AUTO))
    ladder.said(Mode.OBSERVE)
    assert (ladder.level, ladder.whose) == (Mode.OBSERVE, "the trust set by anna")
    ladder.said(Mode.AUTO)
    assert (ladder.level, ladder.whose) == (Mode.AUTO, "the rule's mode")


def test_the_daemons_mode_holds_whatever_a_rule_is_trusted_with() -> None:
    ladder = Ladder(of_mode(Mode.OBSERVE, graduate_after=1), ceiling=Mode.APPROVE)
    ladder.said(Mode.AUTO)
    assert (ladder.trust.level, ladder.level, ladder.whose) == (Mode.AUTO, Mode.APPROVE, "the daemon's mode")


def test_a_rule_without_a_fix_is_only_observed() -> None:
    rule = replace(RULE, fix=None)
    assert level_of(rule, None, policy(rule)).mode is Mode.OBSERVE


# -- up ----------------------------------------------------------------------------------------------------------------


def test_verified_successes_propose_the_next_level_and_only_a_person_grants_it() -> None:
    ladder = Ladder(of_mode(Mode.APPROVE, graduate_after=5))
    ladder.ran(*[True] * 4)
    assert ladder.record == []
    ladder.ran(True)
    assert ladder.last == (
        TrustChangeKind.PROPOSED,
        Mode.APPROVE,
        Mode.AUTO,
        BY_ITSELF,
        "5 verified successes in a row",
    )
    assert (ladder.trust.proposed, ladder.level) == (Mode.AUTO, Mode.APPROVE)
    ladder.said(Mode.AUTO, by="anna", why="it did well all week")
    assert ladder.last == (TrustChangeKind.RAISED, Mode.APPROVE, Mode.AUTO, "anna", "it did well all week")
    assert ladder.level is Mode.AUTO
    assert (ladder.trust.wins, ladder.trust.proposed, ladder.trust.since) == (0, None, ladder.bench.now)


def test_a_proposal_is_made_once() -> None:
    ladder = Ladder(of_mode(Mode.APPROVE, graduate_after=2))
    ladder.ran(*[True] * 9)
    assert ladder.kinds == ["proposed"]
    assert ladder.bench.tally("trust_proposed") == 1


def test_only_successes_in_a_row_count() -> None:
    ladder = Ladder(of_mode(Mode.APPROVE, graduate_after=3))
    ladder.ran(True, True, False, True, True, False)
    assert (ladder.trust.wins, ladder.trust.losses, ladder.kinds) == (4, 2, [])
    ladder.ran(True, True, True)
    assert ladder.kinds == ["proposed"]


def test_a_proposal_is_withdrawn_when_the_fix_then_fails() -> None:
    ladder = Ladder(of_mode(Mode.APPROVE, graduate_after=2))
    ladder.ran(True, True, False)
    assert ladder.kinds == ["proposed", "withdrawn"]
    assert ladder.trust.proposed is None
    ladder.ran(True, True)
    assert ladder.kinds == ["proposed", "withdrawn", "proposed"]


@pytest.mark.parametrize(
    ("mode", "graduate_after"), [(Mode.APPROVE, 0), (Mode.AUTO, 1)], ids=["not wanted", "at the top"]
)
def test_nothing_is_proposed_that_is_not_wanted_or_not_there(mode: Mode, graduate_after: int) -> None:
    ladder = Ladder(of_mode(mode, graduate_after))
    ladder.ran(*[True] * 20)
    assert ladder.record == []


def test_what_would_have_been_a_success_proposes_approval() -> None:
    ladder = Ladder(of_mode(Mode.OBSERVE, graduate_after=2))
    ladder.observed()
    ladder.observed()
    assert ladder.last == (
        TrustChangeKind.PROPOSED,
        Mode.OBSERVE,
        Mode.APPROVE,
        BY_ITSELF,
        "2 would-have-been successes in a row",
    )


def test_it_is_proposed_under_a_daemon_that_observes_too() -> None:
    ladder = Ladder(of_mode(Mode.OBSERVE, graduate_after=1), ceiling=Mode.OBSERVE)
    ladder.observed()
    assert ladder.trust.proposed is Mode.APPROVE
    ladder.said(Mode.APPROVE)
    assert ladder.level is Mode.OBSERVE


@pytest.mark.parametrize(
    ("warranted", "recovered", "wins", "losses"),
    [
        (True, False, 1, 0),
        (True, True, 0, 1),
        (False, False, 0, 1),
        (False, True, 0, 1),
        (None, True, 0, 1),
        (None, False, 0, 0),
    ],
)
def test_an_observed_incident_counts_for_the_fix_only_when_it_was_needed(
    warranted: bool | None, recovered: bool, wins: int, losses: int
) -> None:
    ladder = Ladder(of_mode(Mode.OBSERVE, graduate_after=5))
    ladder.observed(warranted=warranted, recovered=recovered)
    trust = ladder.bench.state.trust.get(RULE.id)
    assert ((trust.wins, trust.losses) if trust else (0, 0)) == (wins, losses)


def test_one_that_gets_well_by_itself_withdraws_the_proposal() -> None:
    ladder = Ladder(of_mode(Mode.OBSERVE, graduate_after=1))
    ladder.observed()
    ladder.observed(recovered=True)
    assert ladder.kinds == ["proposed", "withdrawn"]


@pytest.mark.parametrize("mode", [Mode.APPROVE, Mode.AUTO])
def test_what_the_daemons_mode_alone_observes_is_not_counted(mode: Mode) -> None:
    ladder = Ladder(of_mode(mode, graduate_after=1), ceiling=Mode.OBSERVE)
    ladder.observed()
    ladder.observed(recovered=True)
    assert ladder.bench.state.trust == {}


def test_an_execution_that_outlives_its_trust_says_nothing_of_what_is_observed() -> None:
    ladder = Ladder(of_mode(Mode.AUTO, graduate_after=1))
    ladder.said(Mode.OBSERVE)
    ladder.ran(True)
    assert (ladder.trust.wins, ladder.kinds) == (0, ["lowered"])


# -- down --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verdicts", "lowered"),
    [
        ([False] * 4, False),
        ([False] * 5, True),
        ([True, True, False, False, False], True),
        ([True, True, True, False, False], False),
        ([True] * 3 + [False] * 3, False),
        ([True] * 50 + [False] * 5, False),
        ([True] * 50 + [False] * 6, True),
    ],
    ids=["too few", "none", "two of five", "three of five", "half", "half of the last ten", "four of the last ten"],
)
def test_fewer_than_half_of_the_last_ones_take_auto_away(verdicts: list[bool], lowered: bool) -> None:
    ladder = Ladder(of_mode(Mode.AUTO))
    ladder.ran(*verdicts)
    assert ladder.level is (Mode.APPROVE if lowered else Mode.AUTO)
    assert ladder.kinds == (["lowered"] if lowered else [])


def test_what_is_taken_away_is_recorded_with_its_numbers() -> None:
    ladder = Ladder(of_mode(Mode.AUTO))
    ladder.ran(True, True, False, False, False)
    why = "2 of the last 5 executions fixed it"
    assert ladder.last == (TrustChangeKind.LOWERED, Mode.AUTO, Mode.APPROVE, BY_ITSELF, why)
    assert (ladder.trust.by, ladder.trust.why, ladder.whose) == (BY_ITSELF, why, "the trust set by logmedic")
    assert (ladder.trust.wins, ladder.trust.losses, ladder.trust.recent) == (0, 0, ())
    assert ladder.bench.tally("trust_lowered") == 1


def test_nothing_below_approval_is_taken_away_by_itself() -> None:
    ladder = Ladder(of_mode(Mode.AUTO))
    ladder.ran(*[False] * 40)
    assert (ladder.level, ladder.kinds) == (Mode.APPROVE, ["lowered"])


def test_what_was_taken_away_is_earned_again_where_the_file_lets_it() -> None:
    ladder = Ladder(of_mode(Mode.AUTO, graduate_after=3))
    ladder.ran(*[False] * 5, *[True] * 3)
    assert ladder.kinds == ["lowered", "proposed"]
    ladder.said(Mode.AUTO)
    assert ladder.level is Mode.AUTO


def test_what_was_granted_is_taken_away_again() -> None:
    ladder = Ladder(of_mode(Mode.APPROVE, graduate_after=1))
    ladder.said(Mode.AUTO)
    ladder.ran(*[False] * 5)
    assert (ladder.level, ladder.kinds) == (Mode.APPROVE, ["raised", "lowered"])


# -- what people say ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("graduate_after", [0, 3])
@pytest.mark.parametrize("level", [Mode.OBSERVE, Mode.APPROVE])
def test_a_person_may_lower_any_rule(level: Mode, graduate_after: int) -> None:
    ladder = Ladder(of_mode(Mode.AUTO, graduate_after))
    ladder.said(level, why="it made things worse")
    assert ladder.last == (TrustChangeKind.LOWERED, Mode.AUTO, level, "anna", "it made things worse")
    assert ladder.level is level


def test_a_person_may_raise_as_far_as_the_file() -> None:
    ladder = Ladder(of_mode(Mode.AUTO))
    ladder.said(Mode.OBSERVE)
    ladder.said(Mode.AUTO)
    assert (ladder.level, ladder.kinds) == (Mode.AUTO, ["lowered", "raised"])


@pytest.mark.parametrize(("graduate_after", "level"), [(0, Mode.OBSERVE), (1, Mode.AUTO)], ids=["not", "let"])
def test_a_person_raises_above_the_file_only_where_it_lets_the_rule_graduate(graduate_after: int, level: Mode) -> None:
    ladder = Ladder(of_mode(Mode.OBSERVE, graduate_after))
    ladder.said(Mode.AUTO)
    assert ladder.level is level
    assert ladder.bench.tally("trust_ignored") == (0 if graduate_after else 1)


@pytest.mark.parametrize(
    ("rule", "of"),
    [(of_mode(Mode.AUTO), "no-such-rule"), (replace(RULE, fix=None), RULE.id), (of_mode(Mode.AUTO), RULE.id)],
    ids=["unknown", "no fix", "the same level"],
)
def test_what_makes_no_sense_changes_nothing(rule: Rule, of: str) -> None:
    ladder = Ladder(rule)
    changeset = ladder.decide(lambda draft: set_trust(draft, SetTrust(of, Mode.AUTO, "anna")))
    assert (changeset.trust, changeset.trust_changes) == ((), ())
    assert ladder.bench.tally("trust_ignored") == 1


def test_to_say_the_present_level_again_turns_a_proposal_down() -> None:
    ladder = Ladder(of_mode(Mode.APPROVE, graduate_after=2))
    ladder.ran(True, True)
    ladder.said(Mode.APPROVE, why="not this one")
    assert ladder.last == (TrustChangeKind.WITHDRAWN, Mode.APPROVE, Mode.AUTO, "anna", "not this one")
    assert ladder.trust.proposed is None
    ladder.ran(True)
    assert ladder.trust.proposed is None
    ladder.ran(True)
    assert ladder.trust.proposed is Mode.AUTO


# -- what files say ----------------------------------------------------------------------------------------------------


def test_when_the_file_says_otherwise_the_file_counts() -> None:
    ladder = Ladder(of_mode(Mode.AUTO))
    ladder.said(Mode.OBSERVE)
    ladder.reload(of_mode(Mode.APPROVE))
    why = "its file says mode: approve by now"
    assert ladder.last == (TrustChangeKind.FILE, Mode.OBSERVE, Mode.APPROVE, BY_ITSELF, why)
    assert (ladder.level, ladder.whose, ladder.trust.given) == (Mode.APPROVE, "the rule's mode", Mode.APPROVE)


def test_the_file_counts_before_its_reload_is_recorded() -> None:
    ladder = Ladder(of_mode(Mode.AUTO))
    ladder.said(Mode.OBSERVE)
    ladder.rule = of_mode(Mode.APPROVE)
    assert ladder.level is Mode.APPROVE


def test_a_file_that_says_the_present_level_by_now_changes_no_trust() -> None:
    ladder = Ladder(of_mode(Mode.AUTO))
    ladder.said(Mode.APPROVE)
    ladder.ran(True)
    ladder.reload(of_mode(Mode.APPROVE))
    assert (ladder.kinds, ladder.trust.wins, ladder.whose) == (["lowered"], 1, "the rule's mode")
    assert ladder.trust.by == ladder.trust.why == ""


def test_a_reload_without_news_writes_nothing() -> None:
    ladder = Ladder(of_mode(Mode.AUTO))
    ladder.said(Mode.APPROVE)
    before = ladder.trust
    ladder.reload(of_mode(Mode.AUTO))
    assert ladder.trust == before
    assert ladder.bench.all[-1].empty


def test_a_rule_that_is_gone_keeps_its_trust_for_its_return() -> None:
    ladder = Ladder(of_mode(Mode.AUTO))
    ladder.said(Mode.OBSERVE)
    rule = ladder.rule
    ladder.reload()
    ladder.reload(rule)
    assert (ladder.level, ladder.kinds) == (Mode.OBSERVE, ["lowered"])


def test_a_level_above_the_file_ends_when_the_file_does_not_let_it_graduate_any_more() -> None:
    ladder = Ladder(of_mode(Mode.OBSERVE, graduate_after=1))
    ladder.said(Mode.AUTO)
    ladder.reload(of_mode(Mode.OBSERVE))
    assert (ladder.level, ladder.kinds) == (Mode.OBSERVE, ["raised", "file"])


OTHER_STEPS = {"steps": (replace(STEP, name="something else"), STEP)}


def test_a_level_above_the_file_is_of_the_fix_that_earned_it() -> None:
    ladder = Ladder(of_mode(Mode.OBSERVE, graduate_after=1))
    ladder.said(Mode.AUTO)
    changed = of_mode(Mode.OBSERVE, 1, **OTHER_STEPS)
    assert level_of(changed, ladder.trust, ladder.bench.policy).mode is Mode.OBSERVE
    ladder.reload(changed)
    assert (ladder.level, ladder.kinds, ladder.trust.fix) == (
        Mode.OBSERVE,
        ["raised", "file"],
        fingerprint(changed.fix),
    )  # type: ignore[arg-type]


def test_a_level_that_was_taken_away_stays_so_when_the_fix_changes() -> None:
    ladder = Ladder(of_mode(Mode.AUTO))
    ladder.ran(*[False] * 5)
    ladder.reload(of_mode(Mode.AUTO, **OTHER_STEPS))
    assert (ladder.level, ladder.kinds) == (Mode.APPROVE, ["lowered"])


def test_outcomes_of_another_fix_are_not_counted() -> None:
    ladder = Ladder(of_mode(Mode.APPROVE, graduate_after=3))
    ladder.ran(True, True, True)
    ladder.reload(of_mode(Mode.APPROVE, 3, **OTHER_STEPS))
    assert ladder.kinds == ["proposed", "withdrawn"]
    assert (ladder.trust.wins, ladder.trust.streak, ladder.trust.recent) == (0, 0, ())


# -- whatever happens --------------------------------------------------------------------------------------------------

EVENTS = st.one_of(
    st.tuples(st.just("ran"), st.booleans()),
    st.tuples(st.just("observed"), st.booleans()),
    st.tuples(st.just("said"), st.sampled_from(Mode)),
    st.tuples(st.just("file"), st.sampled_from(Mode)),
)


@settings(deadline=None)
@given(st.sampled_from(Mode), st.sampled_from(Mode), st.integers(0, 4), st.lists(EVENTS, max_size=40))
def test_trust_never_goes_up_without_a_person_or_the_file(
    mode: Mode, ceiling: Mode, graduate_after: int, events: list[tuple[str, bool | Mode]]
) -> None:
    ladder = Ladder(of_mode(mode, graduate_after), ceiling)
    for what, given_ in events:
        before = ladder.level
        match what, given_:
            case "ran", bool(won):
                ladder.ran(won)
            case "observed", bool(recovered):
                ladder.observed(recovered=recovered)
            case "said", Mode() as level:
                ladder.said(level)
            case "file", Mode() as level:
                ladder.reload(of_mode(level, graduate_after))
        assert ladder.level.rank <= ceiling.rank
        if what in ("ran", "observed"):
            assert ladder.level.rank <= before.rank
            assert ladder.level.rank >= min(before.rank, Mode.APPROVE.rank)
        if not graduate_after:
            assert ladder.level.rank <= ladder.rule.fix.mode.rank  # type: ignore[union-attr]
        if (trust := ladder.bench.state.trust.get(RULE.id)) is not None:
            assert trust.given is ladder.rule.fix.mode  # type: ignore[union-attr]
            assert trust.streak <= trust.wins
            assert len(trust.recent) == min(RECENT, trust.wins + trust.losses)
            assert trust.proposed is None or trust.proposed.rank == trust.level.rank + 1
    # the record alone tells where it stands
    moves = [each for each in ladder.record if each.kind not in (TrustChangeKind.PROPOSED, TrustChangeKind.WITHDRAWN)]
    assert all(each.before is not each.after for each in moves)
    if moves:
        assert moves[-1].after is ladder.trust.level
