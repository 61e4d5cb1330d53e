"""Sources that went quiet, and those that speak again (F29): told once each."""

from __future__ import annotations

from datetime import datetime, timedelta

from logmedic.core.alerting import news
from logmedic.core.draft import Draft
from logmedic.core.ownstories import of_quiet, of_speaking
from logmedic.model.gap import SourceEventKind


def on_quiet(draft: Draft, source: str, since: datetime) -> None:
    if draft.quiet_since(source) is not None:
        return
    draft.source_event(source, SourceEventKind.QUIET, f"no line since {since:%Y-%m-%d %H:%M:%S} UTC")
    draft.tally("sources_quiet")
    news.raise_(draft, of_quiet(source, since))


def on_speaking(draft: Draft, source: str) -> None:
    noticed = draft.quiet_since(source)
    if noticed is None:
        return
    lasted = max(timedelta(0), draft.now - noticed)
    draft.source_event(source, SourceEventKind.SPEAKING, f"quiet was noticed {lasted.total_seconds():.0f} s ago")
    news.end(draft, f"source:{source}", of_speaking(source, lasted, draft.now))
