"""What learning costs and counts when there is much of it: merges that meet, full tables, floods that last."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import START, Bench, learning, observed, policy, report, report_record, unknown
from logmedic.core import issues
from logmedic.core.draft import Draft
from logmedic.core.learning import REPORTS_SHARE
from logmedic.core.mining.masks import shape_of
from logmedic.core.mining.placing import fingerprint
from logmedic.model.changeset import Send, Sweep
from logmedic.model.issue import ALIVE, MUTE_ENDED, IssueSource, IssueStatus, KnownIssue
from logmedic.model.record import UnknownError
from logmedic.model.severity import Severity


def draft_with(*known: KnownIssue) -> Draft:
    bench = Bench(policy())
    draft = Draft(bench.state, bench.policy, START, bench.mint)
    for each in known:
        draft.put_issue(each)
    return draft


def issue(name: str, occurrences: int) -> KnownIssue:
    return KnownIssue(
        id=name,
        source=IssueSource.LEARNED,
        fingerprint=f"learned:{name}",
        issue_type="recurring_error",
        title=name,
        severity=Severity.LOW,
        first_seen=START,
        last_seen=START,
        status=IssueStatus.ONGOING,
        occurrences=occurrences,
    )


def whole(draft: Draft, name: str) -> KnownIssue:
    found = draft.issue_of_id(name)
    assert found is not None
    return found


# -- merges ------------------------------------------------------------------------------------------------------------


def test_what_is_merged_twice_counts_once() -> None:
    draft = draft_with(issue("part", 5), issue("whole", 7))
    issues.merge(draft, "part", "whole")
    issues.merge(draft, "part", "whole")
    assert whole(draft, "whole").occurrences == 12


def test_what_is_merged_into_a_part_counts_for_the_whole() -> None:
    draft = draft_with(issue("part", 5), issue("whole", 7), issue("late", 11))
    issues.merge(draft, "part", "whole")
    issues.merge(draft, "late", "part")
    assert (whole(draft, "whole").occurrences, whole(draft, "late").merged_into) == (23, "whole")


def test_a_merge_uses_up_no_mute_for_a_count() -> None:
    draft = draft_with(issue("part", 500), issues.muted(issue("whole", 7), "eva", count=2))
    issues.merge(draft, "part", "whole")
    heard = [issues.occurred(draft, whole(draft, "whole"), START).status for _ in range(3)]
    assert heard == [IssueStatus.MUTED, IssueStatus.MUTED, IssueStatus.NEW]


def test_what_was_muted_is_heard_as_part_of_what_nobody_muted_and_says_so() -> None:
    draft = draft_with(issues.muted(issue("part", 5), "eva"), issue("whole", 7))
    issues.merge(draft, "part", "whole")
    assert whole(draft, "whole").status in ALIVE
    assert whole(draft, "part").resolution_notes.endswith(MUTE_ENDED)
    assert whole(draft, "part").decided_by == "", "eva muted it; she made it no part of anything"


def test_what_becomes_part_of_a_muted_one_is_muted_with_it() -> None:
    for part in (issue("part", 5), issues.muted(issue("part", 5), "ann", count=1)):
        draft = draft_with(part, issues.muted(issue("whole", 7), "eva"))
        issues.merge(draft, "part", "whole")
        assert issues.occurred(draft, whole(draft, "whole"), START, 100).status is IssueStatus.MUTED
        assert not whole(draft, "part").resolution_notes.endswith(MUTE_ENDED)


WORDS = ("alpha", "beta", "gamma", "delta", "eps", "zeta", "eta", "theta")


@pytest.mark.slow
@given(st.lists(st.tuples(st.sampled_from(WORDS), st.sampled_from(WORDS)), min_size=20, max_size=120))
def test_an_issue_has_all_occurrences_of_its_templates_whatever_became_one(lines: list[tuple[str, str]]) -> None:
    bench = Bench(policy(learning=learning(promote_after=2)))
    for verb, user in lines:
        bench.give(observed(said(f"ERROR cannot {verb} the file for user {user} now")), after=1)
    counts: Counter[str] = Counter()
    for template in bench.state.templates.values():
        if template.issue_id:
            known = bench.state.issues[bench.state.fingerprints[template.issue_id]]
            counts[known.merged_into or known.id] += template.occurrences
    alive = {each.id: each.occurrences for each in bench.state.issues.values() if not each.merged_into}
    assert alive == counts


def said(text: str) -> UnknownError:
    return replace(unknown(START, text), fingerprint=fingerprint("shop", shape_of(text)))


# -- floods ------------------------------------------------------------------------------------------------------------


def test_a_flood_that_lasts_calls_people_no_more_than_its_first_hours() -> None:
    bench = Bench(policy(learning=learning(escalate_after=10**9)))
    for _ in range(72):
        again(bench, 20, timedelta(hours=1))
    for _ in range(24 * 12):
        again(bench, 13, timedelta(minutes=5))
    assert sum(isinstance(each, Send) for each in bench.intents) <= 2
    for _ in range(24 * 5):
        again(bench, 20, timedelta(hours=1))
    before = sum(isinstance(each, Send) for each in bench.intents)
    for _ in range(24):
        again(bench, 13 * 6, timedelta(minutes=5))
    assert sum(isinstance(each, Send) for each in bench.intents) > before, "the next flood is another one"


def again(bench: Bench, times: int, after: timedelta) -> None:
    bench.now += after
    bench.give(observed(replace(unknown(bench.now), count=times)))


# -- a full table ------------------------------------------------------------------------------------------------------

MOST = 300


def distinct(n: int) -> UnknownError:
    """No two of them have a word in common."""
    letters = str.maketrans("0123456789", "abcdefghij")
    text = "ERROR " + " ".join(f"{n * 7919 + at * 104729}".translate(letters) for at in range(6))
    return said(text)


@pytest.fixture
def full() -> Bench:
    """Each template is a known issue."""
    bench = Bench(policy(learning=learning(max_templates=MOST, promote_after=1, escalate_after=10**9)))
    bench.give(observed(*map(distinct, range(MOST))))
    assert len(bench.state.templates) == len(bench.state.issues) == MOST
    return bench


class Walked(dict[str, object]):
    """Counts how often it was walked over."""

    walks = 0

    def items(self):  # type: ignore[no-untyped-def]
        self.walks += 1
        return super().items()

    def values(self):  # type: ignore[no-untyped-def]
        self.walks += 1
        return super().values()


def test_errors_that_find_no_room_are_counted_and_cost_one_walk_over_the_templates(full: Bench) -> None:
    walked = full.state.templates = Walked(full.state.templates)  # type: ignore[assignment]
    full.give(observed(*map(distinct, range(1000, 1200))))
    assert full.tally("templates_refused") == 200
    assert walked.walks <= 1


def test_issues_that_end_together_cost_no_walk_each(full: Bench) -> None:
    walked = full.state.templates = Walked(full.state.templates)  # type: ignore[assignment]
    full.give(Sweep(), after=timedelta(days=60).total_seconds())
    assert {each.status for each in full.state.issues.values()} == {IssueStatus.RESOLVED}
    assert walked.walks == 0


def test_templates_are_counted_as_they_come_and_go() -> None:
    bench = Bench(policy())
    bench.give(observed(*map(distinct, range(3))))
    draft = Draft(bench.state, bench.policy, START, bench.mint)
    first, second, third = bench.state.templates.values()
    new = replace(first, fingerprint="new")
    for template in (first, new, new):
        draft.put_template(template)
    for name in (second.fingerprint, second.fingerprint, "new", "unknown"):
        draft.forget_template(name)
    assert draft.template_count() == 2
    draft.put_template(second)
    assert draft.template_count() == 3
    assert third.fingerprint in bench.state.templates


# -- the share of reports ----------------------------------------------------------------------------------------------

SHARE = MOST // REPORTS_SHARE
ALMOST_NEVER = learning(max_templates=MOST, escalate_after=10**9)


def invented(n: int, times: int = 1) -> UnknownError:
    """An application says that it is component `n`, and what failed there; no two have a word in common."""
    told = report(f"r{n}", component=f"c{n}", wait=timedelta(0))
    return replace(distinct(n), record=report_record(told), component=f"c{n}", fingerprint=f"{n:016x}", count=times)


def of_reports(bench: Bench) -> int:
    return sum(each.source == "reports" for each in bench.state.templates.values())


def test_i6_whoever_invents_components_takes_no_more_than_the_share_of_reports() -> None:
    bench = Bench(policy(learning=ALMOST_NEVER))
    for first in range(0, 10 * MOST, 50):
        bench.give(observed(*(invented(n, times=3) for n in range(first, first + 50))))
    assert of_reports(bench) == len(bench.state.issues) == SHARE
    assert bench.tally("templates_refused") == 3 * (10 * MOST - SHARE), "what found no room is counted"


def test_i6_logs_are_learned_from_whatever_was_reported() -> None:
    bench = Bench(policy(learning=ALMOST_NEVER))
    bench.give(observed(*(invented(n, times=3) for n in range(MOST))))
    bench.give(observed(*(replace(distinct(n), count=3) for n in range(MOST - SHARE))))
    assert len(bench.state.templates) == len(bench.state.issues) == MOST
    assert of_reports(bench) == SHARE


def test_i6_what_is_reported_goes_on_to_be_counted_when_the_share_is_full() -> None:
    bench = Bench(policy(learning=ALMOST_NEVER))
    bench.give(observed(*(invented(n, times=3) for n in range(MOST))))
    bench.give(observed(invented(0, times=5), invented(MOST - 1)))
    assert bench.state.templates[invented(0).fingerprint].occurrences == 8
    assert invented(MOST - 1).fingerprint not in bench.state.templates


def test_i6_a_full_share_forgets_of_its_own_what_never_came_back() -> None:
    bench = Bench(policy(learning=ALMOST_NEVER))
    bench.give(observed(*map(distinct, range(5000, 5040))))
    bench.give(observed(*map(invented, range(SHARE))))
    bench.give(observed(*map(invented, range(SHARE, SHARE + 10))))
    assert of_reports(bench) == SHARE
    assert bench.tally("templates_forgotten") == 10
    assert len(bench.state.templates) == SHARE + 40, "nothing of a log had to go"


def test_i6_a_full_share_costs_one_walk_over_the_templates() -> None:
    bench = Bench(policy(learning=ALMOST_NEVER))
    bench.give(observed(*(invented(n, times=3) for n in range(SHARE))))
    walked = bench.state.templates = Walked(bench.state.templates)  # type: ignore[assignment]
    bench.give(observed(*map(invented, range(SHARE, SHARE + 100))))
    assert walked.walks <= 1


FEW = 12
STEPS = st.lists(st.lists(st.tuples(st.booleans(), st.integers(0, 40), st.integers(1, 3)), max_size=8), max_size=12)


@given(STEPS)
def test_i6_no_order_of_logs_and_reports_breaks_a_limit(steps: list[list[tuple[bool, int, int]]]) -> None:
    bench = Bench(policy(learning=learning(max_templates=FEW, escalate_after=10**9)))
    for step in steps:
        bench.give(observed(*((invented if told else distinct)(n + 7) for told, n, _ in step)), after=1)
        bench.give(observed(*(replace((invented if told else distinct)(n + 7), count=k) for told, n, k in step)))
        assert of_reports(bench) == bench.state.templates_of["reports"] <= FEW // REPORTS_SHARE
        assert bench.state.templates_of.total() == len(bench.state.templates) <= FEW
