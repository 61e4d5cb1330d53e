"""The oracle's own reckoning of what comes in and what goes out: lines that must open an incident, and messages that
must arrive before they count as sent; whoever was told of a problem is told of its end."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from logmedic.core import letters
from logmedic.model.alert import Alert, AlertStatus
from logmedic.model.changeset import Changeset
from logmedic.model.fix import FixAttempt
from logmedic.model.issue import Incident, IncidentStatus
from logmedic.model.record import Checkpoint
from simulation.world import SERVICES, WIDTH, World

OPENS = {
    "service-down": (re.compile(r"ERROR (\S+) is down "), 1),
    "cache-stale": (re.compile(r"ERROR cache of (\S+) is stale "), 1),
    "disk-full": (re.compile(r"ERROR disk of (\S+) is full "), 1),
    "queue-slow": (re.compile(r"ERROR queue of (\S+) is slow "), 5),
}
"""By rule: the lines that it counts, of which service, and how many of them open an incident."""
FAILED, WORKED = re.compile(r"ERROR login of (\S+) failed "), re.compile(r"INFO login of (\S+) worked ")
GUESSED = 3
"""Logins that fail before one that works (`login-guessed`)."""
REFUSES = re.compile(r"ERROR (peer\d+) refuses (\S+) ")
PEERS = 3
"""Different ones that refuse a service (`peers-refuse`)."""
TOGETHER_S = 30.0
"""What is read within that counts together: rules have a minute and more for it."""
WHENEVER = frozenset({"service-down", "cache-stale"})
"""One line each, and none that ends them: that the clock is set changes nothing."""
LATE, ENDED = re.compile(r"ERROR backup of (\S+) begins late "), re.compile(r"INFO backup of (\S+) ended ")
OF_SEVERAL = frozenset({"login-guessed", "peers-refuse", "backup-missing", "many-down"})
"""What opens an incident of them are several lines, or news."""
_HOLD_UP = ("commit_slow", "commit_full", "commit_unsure", "read_slow", "read_fails")
MISSED_S = 500.0
"""A line that did not come within 120 s is missed by then: what was held up before (LONGEST_STANDSTILL, 300 s) was
given that time as well."""
ROOM = re.compile(r"INFO disk of (\S+) has room ")
"""Says that a `disk-full` is over."""
OWN_S = 120.0
"""For so long after a step lines of its rule may be its own doing."""


class Tidings:
    """`check` as Oracle.check. `exact`: rules of which each line has its effect: nothing of it is lost, out of force,
    or of a time that nobody knows."""

    def __init__(self, world: World, check: Callable[[object, str, str], None]) -> None:
        self._world = world
        self._check = check
        faults = world.faults
        self.exact = (
            set() if faults.lines_lost else {*OPENS, "login-guessed", "peers-refuse", "backup-missing", "many-down"}
        )
        if faults.clock_set:
            self.exact &= WHENEVER
        if faults.commit_slow or faults.commit_full or faults.commit_unsure:
            self.exact.discard("queue-slow")
        self.calm_since: float | None = None if any(getattr(faults, each) for each in _HOLD_UP) else 0.0
        """Since when nothing holds up what is read, in seconds of the loop; None: something does."""
        self._arrived: set[str] = set()
        self._acted_s: dict[tuple[str, str], float] = {}
        self._over_at: dict[tuple[str, str], datetime] = {}
        """By rule and service: what was read before then, and is decided now, is of what is over."""
        self._waits_since: dict[str, float] = {}
        """By service: since when the end of its backup is waited for, in seconds of the loop."""

    def arrived(self, alert: Alert) -> None:
        self._arrived.add(alert.id)

    def ran(self, attempt: FixAttempt) -> None:
        """A step of it began, or ended."""
        self._acted_s[attempt.rule_id, attempt.target] = self._world.loop.time()

    def committed(
        self,
        changeset: Changeset,
        passed: Mapping[str, int],
        before: Mapping[str, Incident],
        incidents: Mapping[str, Incident],
    ) -> None:
        """`passed`: by log, the position before it; `before`, `incidents`: those of then and of now."""
        for alert in changeset.alerts:
            came = alert.status is not AlertStatus.SENT or alert.id in self._arrived
            self._check(came, "I5", f"message {alert.id} is stored as sent, and never arrived")
        self._note_ends(changeset, passed)
        touched = {(each.rule_id, each.group_key) for each in changeset.incidents}
        known = {
            (each.rule_id, each.group_key) for each in incidents.values() if each.status is not IncidentStatus.RESOLVED
        }
        for (rule, name), n in self._counted(changeset, passed).items():
            acted_s = self._acted_s.get((rule, name), -OWN_S)
            if rule in self.exact and n >= OPENS[rule][1] and self._world.loop.time() - acted_s >= OWN_S:
                there = any(key[0] == rule and name in key[1] for key in touched | known)
                self._check(there, "I1", f"{n} lines of {rule} about {name} are passed, and opened no incident")
        ruled = {key[0] for key in touched | known}
        for rule, name in self._complete(changeset, passed, full="disk-full" in ruled):
            if rule not in self.exact:
                continue
            there = any(key[0] == rule and name in key[1] for key in touched | known)
            self._check(there, "I1", f"all that {rule} looks for about {name} is passed, and opened no incident")
        went_down = [
            (name, each.last_match_at)
            for each in changeset.incidents
            for name in SERVICES
            if each.rule_id == "service-down" and each.id not in before and name in each.group_key
        ]
        if "many-down" in self.exact and len({name for name, _ in _together(went_down)}) > 1:
            self._check("many-down" in ruled, "I1", "services went down together, and that opened no incident")
        self._note_waits(changeset, passed, {name for key in touched | known for name in _of_backups(key)})

    def look(self, reading_for_s: float) -> None:
        """After a step of the story; the daemon has read for so long."""
        if "backup-missing" not in self.exact or self.calm_since is None:
            return
        for name, since in self._waits_since.items():
            waits = min(self._world.loop.time() - max(since, self.calm_since), reading_for_s)
            missed = f"the backup of {name} did not end for {waits:.0f} s, and that opened no incident"
            self._check(waits <= MISSED_S, "I1", missed)

    def _note_ends(self, changeset: Changeset, passed: Mapping[str, int]) -> None:
        ends = [
            ((each.rule_id, name), each.resolved_at)
            for each in changeset.incidents
            for name in SERVICES
            if name in each.group_key and each.resolved_at is not None
        ]
        ends += [
            (("disk-full", told[1]), at) for text, at in self._lines(changeset, passed) if (told := ROOM.match(text))
        ]
        for key, at in ends:
            self._over_at[key] = max(at, self._over_at.get(key, at))

    def _counted(self, changeset: Changeset, passed: Mapping[str, int]) -> Counter[tuple[str, str]]:
        found: Counter[tuple[str, str]] = Counter()
        for text, at in self._lines(changeset, passed):
            for rule, (pattern, _) in OPENS.items():
                if (told := pattern.match(text)) and told[1] in SERVICES and self._is_new((rule, told[1]), at):
                    found[rule, told[1]] += 1
        return found

    def _complete(self, changeset: Changeset, passed: Mapping[str, int], *, full: bool) -> Iterator[tuple[str, str]]:
        """Rules, with the service, of which all is passed at once. `full`: what keeps `peers-refuse` from opening one
        was there."""
        for mark in changeset.checkpoints:
            failed: defaultdict[str, list[datetime]] = defaultdict(list)
            peers: defaultdict[str, dict[str, datetime]] = defaultdict(dict)
            for text, at in self._lines_of(mark, passed):
                if (told := FAILED.match(text)) and self._is_new(("login-guessed", told[1]), at):
                    failed[told[1]].append(at)
                elif (told := WORKED.match(text)) and len(_lately(failed[told[1]], at)) >= GUESSED:
                    yield "login-guessed", told[1]
                elif (told := REFUSES.match(text)) and self._is_new(("peers-refuse", told[2]), at):
                    peers[told[2]][told[1]] = at
                    if not full and len(_lately(peers[told[2]].values(), at)) >= PEERS:
                        yield "peers-refuse", told[2]

    def _note_waits(self, changeset: Changeset, passed: Mapping[str, int], known: Iterable[str]) -> None:
        """`known`: of what an incident is open, or was just changed."""
        lines = list(self._lines(changeset, passed))
        for text, at in lines:
            if told := ENDED.match(text):
                key = ("backup-missing", told[1])
                self._over_at[key] = max(at, self._over_at.get(key, at))
        for text, at in lines:
            if (told := LATE.match(text)) and self._is_new(("backup-missing", told[1]), at):
                self._waits_since.setdefault(told[1], self._world.loop.time())
        ended = {told[1] for text, _ in lines if (told := ENDED.match(text))}
        for name in {*known, *ended}:
            self._waits_since.pop(name, None)

    def _is_new(self, key: tuple[str, str], at: datetime) -> bool:
        return key not in self._over_at or at > self._over_at[key]

    def _lines(self, changeset: Changeset, passed: Mapping[str, int]) -> Iterator[tuple[str, datetime]]:
        """That are passed with it, and when they were read."""
        for mark in changeset.checkpoints:
            yield from self._lines_of(mark, passed)

    def _lines_of(self, mark: Checkpoint, passed: Mapping[str, int]) -> Iterator[tuple[str, datetime]]:
        (log,) = (each for each in self._world.logs if each.name == mark.source)
        for at in range(passed.get(mark.source, 0), mark.offset, WIDTH):
            yield log.data[at : at + WIDTH].decode(), log.read_at.get(at // WIDTH, mark.at)  # lost ones have none

    def at_rest(self, alerts: Iterable[Alert]) -> None:
        """Whoever was told of a problem is told of its end."""
        told: defaultdict[str, set[str]] = defaultdict(set)
        ended: defaultdict[str, set[str]] = defaultdict(set)
        for alert in alerts:
            message = letters.unpack(alert.content) if alert.content else None
            for subject in alert.tells if message is not None and message.more else ():
                ended[subject].add(alert.receiver)  # not all of its stories are in it
            for story in message.stories if message is not None else ():
                if story.over:
                    ended[story.subject].add(alert.receiver)
                elif story.incident and alert.id in self._arrived:
                    told[story.subject].add(alert.receiver)
        for subject, receivers in told.items():
            left = sorted(receivers - ended[subject])
            self._check(not left, "I5", f"{left} heard of {subject}, and never of its end")


def _lately(times: Iterable[datetime], now: datetime) -> list[datetime]:
    """Those that are read together with what is read now."""
    return [each for each in times if abs((now - each).total_seconds()) <= TOGETHER_S]


def _together(seen: Sequence[tuple[str, datetime]]) -> list[tuple[str, datetime]]:
    """Those that are seen nearly when the last of them is."""
    latest = max((at for _, at in seen), default=None)
    return [each for each in seen if latest is not None and (latest - each[1]).total_seconds() <= TOGETHER_S]


def _of_backups(key: tuple[str, str]) -> Iterator[str]:
    """The services that an incident of `backup-missing` is about. `key`: its rule and group."""
    rule, group = key
    return (name for name in SERVICES if rule == "backup-missing" and name in group)
