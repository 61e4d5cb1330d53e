"""Every count that the engine keeps (I5)."""

from __future__ import annotations

from collections.abc import Iterator

from logmedic.core.figures.snapshot import Snapshot
from logmedic.model.issue import HoldReason, Resolution
from logmedic.model.metric import OTHER, Family, Kind, Metric
from logmedic.model.trust import TrustChangeKind

REFUSED = {
    "form": "no report, or not as it should be",
    "size": "too long",
    "rate": "more a second than one user may send",
    "busy": "too much waited already",
}
"""By reason; see model.report.REFUSALS."""
MEANINGS = {
    "lines": "lines read",
    "gaps": "places that were passed over unread",
    "bytes_lost": "bytes that were passed over unread",
    "clock_set": "times that somebody set the wall clock; what lasts lasts as long as it would have",
    "event_overflows": "overflows of the kernel's events; each time every file was looked at",
    "captures_refused": "matches whose captures are not what their rule allows",
    "pattern_timeouts": "records that a rule's pattern took too long for",
    "records_given_up": "records that could not be decided",
    "sources_quiet": "times a source was silent for longer than its quiet_after",
    "versions_refused": "versions that came too fast to be remembered",
    "matched": "records that a rule matched",
    "suppressed": "triggers during an incident that explains them (depends_on)",
    "incidents_opened": "incidents that began",
    "incidents_dropped": "triggers of rules that have as many open incidents as they may",
    "own_cause": "incidents that a fix of the same rule seems to have brought about",
    "windows_dropped": "groups that a rule no longer remembers, for it had too many",
    "synthetic_dropped": "news of incidents that rules were not told of, for there was too much",
    "unknown": "records that look like an error, and that no rule knows",
    "templates_refused": "such records without a place among the templates",
    "templates_forgotten": "templates that gave their place to newer ones",
    "promoted": "templates that became known issues",
    "forewarned": "times people were told of what tends to follow an issue",
    "diagnoses": "issues that a language model explained",
    "diagnoses_failed": "issues that it could not explain",
    "diagnoses_dropped": "issues that it was not asked about",
    "attempts_unknown": "steps of which nobody knows what came of them: found so at the start",
    "results_ignored": "results of what was no longer under way",
    "approvals_ignored": "approvals and rejections of what no longer waited for one",
    "orders_ignored": "orders about issues and breakers that changed nothing",
    "pauses": "times somebody paused fixes",
    "trust_ignored": "orders about trust that changed nothing",
    "rules_refused": "loads of rules with mistakes",
    "rules_quarantined": "times a rule was not heard for a while, for it cost too much",
    "ailments": "times a part of the daemon was ill",
    "reports": "reports of applications",
    "reports_repeated": "reports that came once more, and were not counted again",
    **{f"reports_refused_{reason}": f"reports not taken: {why}" for reason, why in REFUSED.items()},
    "breaker_opens_reported": "times a circuit breaker of an application opened",
    "degraded": "times an application went on without a feature, on its fallback",
    "reported_issues_refused": "of both, those without a place among the known issues",
    "alerts_sent": "messages sent",
    "alert_failures": "tries to send that failed",
    "alerts_dead": "messages given up",
    "alerts_dropped": "messages, or news, that had no room to wait in",
    "alerts_deferred": "messages that wait for a digest, for the end of quiet hours, or for room",
    "alerts_folded": "messages that were told in another one",
    "alerts_resent": "dead messages that were sent again",
    "alerts_suppressed": "news that was held back (silence, inhibition, maintenance, chain)",
    "alerts_spared": "news that was over before anybody was told",
    "alerts_muted": "news of issues that are muted",
    "alerts_last_resort": "messages that only the journal has",
    "alerts_route_missing": "news for a route that does not exist",
    "alerts_without_receiver": "news that nobody was to be told of",
    "receivers_disabled": "times a receiver refused for good",
    "receiver_breaker_opens": "times a receiver was left alone after failures",
    "silences": "silences that were made",
    "acks_ignored": "acknowledgements of what was over",
    "resends_ignored": "messages that could not be sent again",
} | {
    **{f"held_{each}": f"fixes not run: {each.words}" for each in HoldReason},
    **{
        f"resolved_{each}": f"incidents that ended so: {each.value.replace('_', ' ')}"
        for each in Resolution
        if each.value
    },
    **{f"trust_{each}": f"changes of trust: {each.value}" for each in TrustChangeKind},
}
"""What each kind of tally counts."""
TALLIES = Metric(
    "logmedic_tallies_total",
    Kind.COUNTER,
    "Everything that is counted, each loss, drop, truncation, hold and timeout (docs/metrics.md says what each kind "
    "is); goes on after a restart.",
    ("kind",),
    lasting=True,
)
METRICS = (TALLIES,)


def families(now: Snapshot) -> Iterator[Family]:
    """Kinds of an earlier version, that nobody counts any more, are one."""
    sums: dict[str, float] = dict.fromkeys(MEANINGS, 0)
    for kind, n in now.sums.tallies.items():
        label = kind if kind in MEANINGS else OTHER
        sums[label] = sums.get(label, 0) + n
    yield TALLIES.each(sums)
