"""What is not told because something else is: its cause, what a rule or the config names, what tends to come before."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from logmedic.core.alerting.selecting import facts_of, means
from logmedic.core.draft import Draft
from logmedic.model.alert import Inhibition
from logmedic.model.issue import HoldReason, Incident
from logmedic.model.notice import Notice

INCIDENT = "incident:"
LONGEST_CHAIN = 10
"""Of inhibitions of inhibitions: what is longer than that is taken for a circle."""


@dataclass(slots=True)
class Inhibitors:
    """Looked for once a decision, and not for each notice: of thousands there may be."""

    draft: Draft
    _known: dict[int, dict[tuple[str, ...], str]] = field(default_factory=dict)
    """By place in the plan: the subject by the values of the labels that have to be equal."""

    def of(self, notice: Notice) -> tuple[str, str] | None:
        """The subject that is told instead, and why, for people. What is not told because of `notice` itself is not
        told instead of it: of two that inhibit each other, people hear of one."""
        found = self._found(notice)
        return None if found is None or self._leads_back(found[0], notice.subject) else found

    def _leads_back(self, subject: str, to: str) -> bool:
        for _ in range(LONGEST_CHAIN):
            other = self.draft.notice(subject)
            if other is None or not other.suppressed_by:
                return False
            subject = other.suppressed_by
            if subject == to:
                return True
        return True

    def _found(self, notice: Notice) -> tuple[str, str] | None:
        incident = self._incident(notice.subject)
        if incident is not None and (found := self._cause(incident)) is not None:
            return found
        for place, each in enumerate(self.draft.policy.alerts.inhibit):
            if not means(each.of, facts_of(notice), self.draft.now):
                continue
            by = self._active(place, each).get(_values(each, notice))
            if by is not None and by != notice.subject:
                return by, f"{self._title(by)} is open (alerts.inhibit[{place}])"
        return self._precursor(notice) if self.draft.policy.alerts.by_precursor else None

    def _incident(self, subject: str) -> Incident | None:
        return self.draft.incident(subject.removeprefix(INCIDENT)) if subject.startswith(INCIDENT) else None

    def _title(self, subject: str) -> str:
        incident = self._incident(subject)
        notice = self.draft.notice(subject)
        return incident.title if incident is not None else notice.title if notice is not None else subject

    def _cause(self, incident: Incident) -> tuple[str, str] | None:
        for rule_id, why in _causes(self.draft, incident):
            for group in self.draft.open_groups(rule_id):
                other = self.draft.open_incident(rule_id, group)
                if other is not None and other.id != incident.id and other.opened_at <= self.draft.now:
                    return f"{INCIDENT}{other.id}", f"{other.title} is open, {why}"
        return None

    def _active(self, place: int, inhibition: Inhibition) -> dict[tuple[str, ...], str]:
        if place not in self._known:
            self._known[place] = {
                _values(inhibition, each): each.subject
                for each in self.draft.notices()
                if not each.over and each.lasting and means(inhibition.by, facts_of(each), self.draft.now)
            }
        return self._known[place]

    def _precursor(self, notice: Notice) -> tuple[str, str] | None:
        """Only what is no more severe than what came before it: nobody wants to miss the worse one for a statistic."""
        issue_id = notice.labels.get("issue", "")
        before = {each.before for each in self.draft.precursors if each.after == issue_id}
        for other in self.draft.notices() if before else ():
            known = other.labels.get("issue", "") in before and other.subject != notice.subject
            if known and not other.over and other.told and notice.severity.rank <= other.severity.rank:
                return other.subject, f"{other.title} is open, which tends to come before it"
        return None


def _causes(draft: Draft, incident: Incident) -> Iterator[tuple[str, str]]:
    """Ids of rules whose open incidents are told instead, and in which way."""
    rule = draft.policy.rules.get(incident.rule_id)
    for rule_id in rule.alert.not_while if rule is not None else ():
        yield rule_id, "and the rule says that it is not told meanwhile"
    if rule is not None and rule.fix is not None and incident.hold is HoldReason.CAUSE:
        for rule_id in rule.fix.after:
            yield rule_id, "which is its cause, and fixed first"


def _values(inhibition: Inhibition, notice: Notice) -> tuple[str, ...]:
    return tuple(notice.labels.get(name, "") for name in inhibition.equal)
