"""What happened beside what is stored, of a mixed load."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from crash.healed import Branch
from crash.lines import Speaker, Tally
from crash.stored import gaps, tally
from crash.storm import Row, rows
from logmedic.adapters.store.connection import connect

SUM = "matches of all rules"
"""Which parts of sequences and of absences count there is not ours to know."""


@dataclass(frozen=True, slots=True)
class Happened:
    """`tellers`: how often each said what its rule hears. `received`: ids of messages, by receiver, in their order.
    `past_the_store`: how often people may have been told past it, as nothing could be stored."""

    speakers: Sequence[Speaker]
    branch: Branch
    tellers: Mapping[str, int]
    received: Mapping[str, Sequence[str]]
    past_the_store: int
    was_killed: bool


def reckon(store: Path, happened: Happened) -> tuple[list[Row], list[str]]:
    """The rows, and what the daemon says that it passed over."""
    stored = tally(store)
    found = [
        *_of_logs(happened, stored),
        *_of_rules(happened, stored),
        *_of_incidents(happened.branch, store),
        *_of_fixes(happened, store),
        *_of_messages(happened, store),
    ]
    return found, gaps(store)


def _of_logs(happened: Happened, stored: Tally) -> Iterator[Row]:
    wrote = sum((each.wrote for each in happened.speakers), Tally())
    known = replace(
        stored,
        rules=Counter({rule: n for rule, n in stored.rules.items() if rule in wrote.rules}),
        groups=Counter({key: n for key, n in stored.groups.items() if key[0] in wrote.rules}),
        learned=Counter({part: n for part, n in stored.learned.items() if part in wrote.unknown}),
    )
    branch = happened.branch.speaker.wrote
    more = branch.lines + sum(happened.tellers.values())
    for row in rows(replace(wrote, lines=wrote.lines + more), known):
        if row.what != SUM:
            yield row


def _of_rules(happened: Happened, stored: Tally) -> Iterator[Row]:
    for rule, n in sorted({**happened.branch.speaker.wrote.rules, **happened.tellers}.items()):
        yield Row(f"rule {rule}", n, stored.rules[rule])


def _of_incidents(branch: Branch, store: Path) -> Iterator[Row]:
    opened = dict(_asked(store, "SELECT rule_id, count(*) FROM incidents GROUP BY rule_id"))
    for rule, n in sorted(branch.incidents.items()):
        yield Row(f"incidents of {rule}", n, opened.get(rule, 0))


def _of_fixes(happened: Happened, store: Path) -> Iterator[Row]:
    """Each run of the program is an attempt of its own; each attempt with an exit code ran. Of one that was killed
    nobody knows: it ran, or it did not."""
    ran = happened.branch.ran()
    sql = "SELECT rule_id, group_key, count(*), count(exit_code) FROM fix_attempts GROUP BY ALL"
    tried = {
        f"{rule.partition('-')[0]}-{group}": (known, all_of_them)
        for rule, group, all_of_them, known in _asked(store, sql)
        if rule in ("till-stuck", "printer-jammed")
    }
    for kind in ("till", "printer"):
        mine = sorted(each for each in {*ran, *tried} if each.startswith(kind))
        runs = sum(ran[each] for each in mine)
        attempts = sum(min(max(ran[each], tried.get(each, (0, 0))[0]), tried.get(each, (0, 0))[1]) for each in mine)
        yield Row(f"fixes of a {kind}: runs, attempts", runs, attempts)
    if not happened.was_killed:
        begun, ended = (sum(counts[at] for counts in tried.values()) for at in (1, 0))
        yield Row("attempts, those with an exit code", begun, ended)


def _of_messages(happened: Happened, store: Path) -> Iterator[Row]:
    stored: dict[str, dict[str, str]] = {name: {} for name in happened.received}
    for receiver, alert, status in _asked(store, "SELECT receiver, id, status FROM alerts WHERE length(id) > 8"):
        stored.setdefault(receiver, {})[alert] = status
    for name, received in happened.received.items():
        sent = {alert for alert, status in stored[name].items() if status == "sent"}
        yield Row(f"messages to {name}: sent, received", len(sent), len(sent & {*received}))
        known = len({*received} & stored[name].keys())
        allowed = min(len({*received}), known + happened.past_the_store)
        yield Row(f"messages to {name}: received, stored", len({*received}), allowed)
        over = sum(status in ("sent", "folded") for status in stored[name].values())
        yield Row(f"messages to {name}: all, told", len(stored[name]), over)


def _asked(store: Path, sql: str) -> list[tuple[object, ...]]:
    with connect(store, read_only=True) as opened:
        return list(opened.execute(sql).fetchall())
