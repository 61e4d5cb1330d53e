"""What people hear of the rules themselves: not loaded, or heard no more (F34, F43), trusted more or less."""

from __future__ import annotations

from collections.abc import Sequence

from logmedic.core import outbox
from logmedic.core.draft import Draft
from logmedic.core.messages import Message, of_quarantined, of_refused, of_rules_well, of_trust
from logmedic.core.trust import BY_ITSELF
from logmedic.model.rule import AlertEvent
from logmedic.model.severity import Severity
from logmedic.model.trust import TrustChangeKind


def on_quarantined(draft: Draft, rule_id: str, reason: str) -> None:
    """It is deaf from now on: what it waits for, it would not hear."""
    draft.tally("rules_quarantined")
    for window in [each for each in draft.waiting() if each.rule_id == rule_id]:
        draft.forget_window(rule_id, window.group_key)
    rule = draft.policy.rules.get(rule_id)
    message = of_quarantined(rule_id, reason, rule.file if rule is not None else "", draft.policy.hostname)
    _tell(draft, message, AlertEvent.QUARANTINED)


def on_refused(draft: Draft, problems: Sequence[str], stale: Sequence[str]) -> None:
    if not problems:
        _tell(draft, of_rules_well(draft.policy.hostname), AlertEvent.RECOVERED)
        return
    draft.tally("rules_refused")
    _tell(draft, of_refused(problems, stale, draft.policy.hostname), AlertEvent.RULES_REFUSED)


def on_trust(draft: Draft) -> None:
    """Proposals, and what was taken away without anybody's word. What people decided, they know."""
    for change in draft.trust_news():
        lowered = change.kind is TrustChangeKind.LOWERED and change.by == BY_ITSELF
        if lowered or change.kind is TrustChangeKind.PROPOSED:
            _tell(draft, of_trust(change, draft.policy.hostname), AlertEvent.TRUST)


def _tell(draft: Draft, message: Message, event: AlertEvent) -> None:
    outbox.post_to_default(draft, message, event, Severity.MEDIUM)
