"""What a rule waits for, and what ends its incidents, in words."""

from __future__ import annotations

from collections.abc import Iterator

from logmedic.core.durations import duration_text
from logmedic.model import when


def trigger_text(trigger: when.Trigger) -> str:
    within = duration_text(trigger.within)
    by = f", apart for each {', '.join(trigger.by)}" if trigger.by else ""
    match trigger:
        case when.Threshold(count=1):
            return f"the first match{by}"
        case when.Threshold(count=count):
            return f"{count} matches inside {within}{by}"
        case when.Distinct():
            return f"{trigger.count} different {trigger.of} inside {within}{by}"
        case when.Sequence():
            order = "in any order" if trigger.any_order else "in this order"
            counts = [f"the match {trigger.count} x", *(f"{each.count} x" for each in trigger.then)]
            return f"all of it inside {within}, {order}: {', then '.join(counts)}{by}"
        case when.Absence():
            return f"nothing follows inside {within}{by}"
        case when.Rate():
            return f"{trigger.times:g} times the usual, {trigger.at_least} or more in {within}{by}"


def ends(clear: when.Clear) -> Iterator[str]:
    """Each thing that ends an incident, beside a line that says so."""
    if clear.quiet is not None:
        yield f"no match for {duration_text(clear.quiet)}"
    if clear.after is not None:
        yield f"{duration_text(clear.after)} after it was opened" if clear.after else "at once: each match is one"


def when_text(spec: when.When) -> str:
    """All of it, in one line."""
    over = ["its log says so"] if spec.clear.match is not None else []
    over += ends(spec.clear)
    said = [trigger_text(spec.trigger)]
    said += [f"over: {' or '.join(over)}"] if over else []
    said += [f"not while {' or '.join(spec.unless_incident)}"] if spec.unless_incident else []
    return "; ".join(said)
