"""What people look at and no changeset carries, by topic: for the live events, which tell when it is another."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from logmedic.model.live import Topic
from logmedic.runtime.engine import Engine
from logmedic.runtime.live import Live
from logmedic.runtime.reload import Reloader
from logmedic.runtime.supervisor import Supervisor


def unstored(
    *,
    engine: Engine,
    live: Live,
    reloader: Reloader,
    supervisor: Supervisor,
    more: Callable[[], Mapping[Topic, object]],
) -> Mapping[Topic, object]:
    """Values to be compared with those of the last look. `more`: of other parts."""
    generation = live.current
    parts = tuple((each.name, each.state, each.restarts) for each in supervisor.parts.values())
    rules = reloader.loaded_at, generation.ruleset.revision, tuple(sorted(generation.matcher.quarantined))
    named = {
        Topic.RULES: rules,
        Topic.SOURCES: tuple(name for name, *_ in parts if name.startswith("source ")),
        Topic.STATUS: (engine.commit_problem, generation.policy.arming, rules, parts),
    }
    found = more()
    return {topic: (named.get(topic), found.get(topic)) for topic in {**named, **found}}
