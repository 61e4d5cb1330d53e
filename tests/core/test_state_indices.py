"""What the state keeps by rule, beside the incidents and windows themselves: never anything but what a scan finds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from builders import START, Bench, policy
from logmedic.core.draft import Draft
from logmedic.model.changeset import Changeset
from logmedic.model.issue import Incident, IncidentStatus, Window
from logmedic.model.severity import Severity
from logmedic.model.state import EngineState

RULES, GROUPS = ("disk", "web"), ("", "a", "b")
Step = Callable[[Draft], None]


def _opens_or_changes(rule_id: str, group: str, status: IncidentStatus) -> Step:
    def step(draft: Draft) -> None:
        known = draft.open_incident(rule_id, group)
        fresh = Incident(draft.mint(), "issue", rule_id, group, "title", Severity.LOW, START, START)
        draft.put_incident(replace(known or fresh, status=status))

    return step


def _remembers(rule_id: str, group: str, waits: bool) -> Step:
    window = Window(rule_id, group, (1.0,), due_at=START if waits else None)
    return lambda draft: draft.put_window(window)


def _forgets(rule_id: str, group: str) -> Step:
    return lambda draft: draft.forget_window(rule_id, group)


RULE, GROUP = st.sampled_from(RULES), st.sampled_from(GROUPS)
STATUS = st.sampled_from((IncidentStatus.OPEN, IncidentStatus.FIXING, IncidentStatus.RESOLVED))
STEP = st.one_of(
    st.builds(_opens_or_changes, RULE, GROUP, STATUS),
    st.builds(_remembers, RULE, GROUP, st.booleans()),
    st.builds(_forgets, RULE, GROUP),
)
DECISIONS = st.lists(st.lists(STEP, max_size=6), max_size=8)


def _open_of(incidents: list[Incident]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for each in incidents:
        found.setdefault(each.rule_id, {})[each.group_key] = each.id
    return found


def _groups_of(state: EngineState) -> dict[str, dict[str, None]]:
    found: dict[str, dict[str, None]] = {}
    for rule_id, group in state.windows:
        found.setdefault(rule_id, {})[group] = None
    return found


def _assert_indices_are_scans(state: EngineState) -> None:
    assert state.open_of_rule == _open_of(list(state.incidents.values()))
    assert state.groups_of_rule == _groups_of(state)
    assert state.waits == {key for key, each in state.windows.items() if each.due_at is not None}


def _assert_answers_are_scans(draft: Draft) -> None:
    """While it is under way: the state, and what is put so far."""
    after = EngineState()
    after.apply(Changeset(incidents=tuple(draft.state.incidents.values()), windows=tuple(draft.state.windows.values())))
    after.apply(draft.changeset())
    is_open = _open_of(list(after.incidents.values()))
    for rule_id in RULES:
        mine = is_open.get(rule_id, {})
        assert (draft.open_count(rule_id), draft.has_incident(rule_id)) == (len(mine), bool(mine))
        assert sorted(draft.open_groups(rule_id)) == sorted(mine)
        assert sorted(draft.groups_of(rule_id)) == sorted({*mine, *(g for rule, g in after.windows if rule == rule_id)})
        for group in GROUPS:
            found = draft.open_incident(rule_id, group)
            assert (found.id if found is not None else None) == mine.get(group)
            assert draft.window(rule_id, group) == after.windows.get((rule_id, group))
    assert {(each.rule_id, each.group_key) for each in draft.waiting()} == after.waits


@given(DECISIONS)
def test_after_any_decisions_and_between_them_the_indices_are_what_a_scan_finds(decisions: list[list[Step]]) -> None:
    bench = Bench(policy())
    for steps in decisions:
        draft = Draft(bench.state, bench.policy, START, bench.mint)
        for step in steps:
            step(draft)
            _assert_answers_are_scans(draft)
        bench.state.apply(draft.changeset())
        _assert_indices_are_scans(bench.state)


@given(DECISIONS)
def test_what_is_loaded_has_the_same_indices(decisions: list[list[Step]]) -> None:
    bench, loaded = Bench(policy()), EngineState()
    for steps in decisions:
        draft = Draft(bench.state, bench.policy, START, bench.mint)
        for step in steps:
            step(draft)
        bench.state.apply(draft.changeset())
    incidents, windows = tuple(bench.state.incidents.values()), tuple(bench.state.windows.values())
    loaded.apply(Changeset(incidents=incidents, windows=windows))
    assert loaded == bench.state


def test_what_waits_longest_comes_first() -> None:
    bench = Bench(policy())
    draft = Draft(bench.state, bench.policy, START, bench.mint)
    later = START.replace(minute=5)
    bench.state.apply(Changeset(windows=(Window("disk", "b", due_at=later), Window("disk", "c", due_at=START))))
    draft.put_window(Window("disk", "a", due_at=START))
    assert [each.group_key for each in draft.waiting()] == ["a", "c", "b"]
    assert [each.group_key for each in draft.waiting(START)] == ["a", "c"]
