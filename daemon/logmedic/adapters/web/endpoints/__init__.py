"""The endpoints of the API, one file a resource."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from logmedic.adapters.web.endpoint import Endpoint
from logmedic.adapters.web.endpoints import alerts, daemon, events, fixes, incidents, issues, past, rules, sources

RESOURCES: Mapping[str, Sequence[Endpoint]] = {
    "daemon": daemon.ENDPOINTS,
    "incidents": incidents.ENDPOINTS,
    "fixes": fixes.ENDPOINTS,
    "issues": issues.ENDPOINTS,
    "alerts": alerts.ENDPOINTS,
    "rules": rules.ENDPOINTS,
    "sources": sources.ENDPOINTS,
    "past": past.ENDPOINTS,
    "events": events.ENDPOINTS,
}
ENDPOINTS: tuple[Endpoint, ...] = tuple(each for endpoints in RESOURCES.values() for each in endpoints)
