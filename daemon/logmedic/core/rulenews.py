"""What people hear of the rules themselves: not loaded, or heard no more (F34, F43), trusted more or less."""

from __future__ import annotations

from collections.abc import Sequence

from logmedic.core.alerting import news
from logmedic.core.draft import Draft
from logmedic.core.ownstories import of_quarantined, of_refused, of_rules_well, of_trust
from logmedic.core.trust import BY_ITSELF
from logmedic.model.trust import TrustChangeKind


def on_quarantined(draft: Draft, rule_id: str, reason: str) -> None:
    """It is deaf from now on: what it waits for, it would not hear."""
    draft.tally("rules_quarantined")
    for window in [each for each in draft.waiting() if each.rule_id == rule_id]:
        draft.forget_window(rule_id, window.group_key)
    rule = draft.policy.rules.get(rule_id)
    story = of_quarantined(rule_id, reason, rule.file if rule is not None else "", draft.now)
    news.raise_(draft, story, lasting=False)


def on_refused(draft: Draft, problems: Sequence[str], stale: Sequence[str]) -> None:
    if not problems:
        news.end(draft, "rules", of_rules_well(draft.now))
        return
    draft.tally("rules_refused")
    news.raise_(draft, of_refused(problems, stale, draft.now))


def on_trust(draft: Draft) -> None:
    """Proposals, and what was taken away without anybody's word. What people decided, they know."""
    for change in draft.trust_news():
        lowered = change.kind is TrustChangeKind.LOWERED and change.by == BY_ITSELF
        if lowered or change.kind is TrustChangeKind.PROPOSED:
            news.raise_(draft, of_trust(change), labels={"rule": change.rule_id}, lasting=False)
