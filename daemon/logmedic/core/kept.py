"""The windows of rules in the state: what is written, what is left out of them, what is dropped."""

from __future__ import annotations

from datetime import UTC, datetime

from logmedic.core import windows
from logmedic.core.draft import Draft
from logmedic.model.changed import changed
from logmedic.model.issue import Window
from logmedic.model.record import EVERY_GROUP, Match, Record
from logmedic.model.rule import Rule

_Groups = dict[str, list[tuple[float, str]]]
MAX_GROUPS = 10_000
"""Groups of one rule that are remembered at once; with more of them the oldest are dropped, and counted (I6). As many
have an open incident at most; what would open one more is counted as well."""


def keep(draft: Draft, window: Window) -> None:
    if window.times or window.counts or window.answered:
        draft.put_window(changed(window, touched=draft.now.timestamp()))
    else:
        draft.forget_window(window.rule_id, window.group_key)


def over_since(draft: Draft, rule: Rule, group: str) -> float:
    """The newest time at which a line told that it is over, of the group or of all; 0 for never."""
    told = (draft.window(rule.id, group), draft.window(rule.id, EVERY_GROUP))
    return max((each.answered for each in told if each is not None), default=0.0)


def since_over(draft: Draft, rule: Rule, window: Window) -> Window:
    """Without what a line for every group told to be over."""
    if rule.when.clear.match is None:
        return window
    every = draft.window(rule.id, EVERY_GROUP)
    is_older = every is not None and window.answered < every.answered
    return windows.over_at(window, every.answered) if every is not None and is_older else window


def of_window(rule: Rule, window: Window) -> Match:
    """The match that waits in it."""
    at = datetime.fromtimestamp(window.times[-1] if window.times else window.answered, UTC)
    record = Record(window.source, window.source, window.evidence, 0, 0, at)
    return Match(rule.id, record, window.captures, window.group_key)


def forget_old_windows(draft: Draft) -> None:
    """Windows that no later match can complete, those of rules that are gone, and the oldest of rules that have too
    many (I6)."""
    now, kept = draft.now.timestamp(), _Groups()
    for (rule_id, group), window in draft.state.windows.items():
        rule = draft.policy.rules.get(rule_id)
        if rule is None or not _is_of(window, rule) or now > windows.lives_until(window, rule.when.trigger):
            draft.forget_window(rule_id, group)
        else:
            kept.setdefault(rule_id, []).append((window.newest, group))
    for rule_id, groups in kept.items():
        for _, group in sorted(groups)[: max(0, len(groups) - MAX_GROUPS)]:
            draft.forget_window(rule_id, group)
            draft.tally("windows_dropped")


def _is_of(window: Window, rule: Rule) -> bool:
    return windows.is_of(window, rule.when.trigger) and (window.group_key != EVERY_GROUP or bool(rule.when.by))
