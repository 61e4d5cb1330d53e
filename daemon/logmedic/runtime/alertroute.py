"""Where news would go, by the config and the silences in force."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from logmedic.core.alerting.forecast import forecast
from logmedic.core.alerting.forecastrows import row_of
from logmedic.core.alerting.supposed import supposed
from logmedic.model.errors import NotFound
from logmedic.model.notice import Silence
from logmedic.model.policy import Policy


def route_row(
    policy: Policy,
    incident: Mapping[str, Any],
    silent: Sequence[Silence],
    at: datetime,
    *,
    rule: str = "",
    tags: Sequence[str] = (),
    labels: Mapping[str, str],
    **meant: str,
) -> dict[str, Any]:
    """`incident`: a row, or nothing. `meant`: as of core.alerting.supposed. Raises NotFound for a rule that is
    named and not in force."""
    rule_id = rule or incident.get("rule_id", "")
    known = policy.rules.get(rule_id)
    if rule and known is None:
        raise NotFound(f"no rule that is in force is called {rule[:80]}", "logmedic rules list")
    notice = supposed(policy, known, at, incident=incident, rule_id=rule_id, tags=tags, labels=labels, **meant)
    named = known.alert.routes if known is not None else ()
    group_by = known.alert.group_by if known is not None else ()
    found = forecast(policy, notice, at, named=named, group_by=group_by, silent=silent)
    return row_of(policy, notice, found, at)
