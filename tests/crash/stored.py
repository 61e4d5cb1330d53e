"""What a store holds, when no daemon has it open."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from crash.lines import Tally
from logmedic.adapters.store.connection import connect
from logmedic.adapters.store.reading import open_readonly

ALL = 1_000_000


def tally(path: Path) -> Tally:
    with open_readonly(path) as store:
        counts, issues = store.counts(), store.issues(limit=ALL)
        incidents = store.incidents(everything=True, limit=ALL)
    stored = Tally(counts.get("lines", 0), matched=counts.get("matched", 0), errors=counts.get("unknown", 0))
    for row in issues:
        if row["source"] == "rule":
            stored.rules[row["issue_type"]] += row["occurrences"]
        else:
            stored.learned[row["tags"][-1]] += row["occurrences"]
    for row in incidents:
        stored.groups[row["rule_id"], row["group_key"]] += row["occurrences"]
    stored.unknown = _templates(path)
    return stored


def positions(path: Path) -> dict[str, int]:
    """By origin."""
    with connect(path, read_only=True) as store:
        return dict(store.execute('SELECT origin, "offset" FROM checkpoints').fetchall())


def gaps(path: Path) -> list[str]:
    """What the daemon says that it passed over."""
    with open_readonly(path) as store:
        return [f"{row['kind']} {row['origin']}: {row['detail']}" for row in store.gaps(limit=ALL)]


def _templates(path: Path) -> Counter[str]:
    sql = "SELECT component, sum(occurrences)::BIGINT FROM templates GROUP BY component"
    with connect(path, read_only=True) as store:
        return Counter(dict(store.execute(sql).fetchall()))
