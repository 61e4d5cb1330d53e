"""The attempts that a decision knows of, by what is asked about them: none of it walks over all of them, of which a day
has thousands, for each of thousands of incidents."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import chain

from logmedic.model.fix import AttemptStatus, FixAttempt

HOUR = timedelta(hours=1)
_ById = dict[str, FixAttempt]


class Attempts:
    """`now` is that of the decision."""

    def __init__(self, attempts: Iterable[FixAttempt], now: datetime) -> None:
        self._now = now
        self._of_group: defaultdict[tuple[str, str], _ById] = defaultdict(dict)
        self._of_target: defaultdict[str, _ById] = defaultdict(dict)
        self._chained: _ById = {}
        self._unfinished: _ById = {}
        self._begun: _ById = {}
        for each in attempts:
            self.put(each)

    def put(self, attempt: FixAttempt) -> None:
        """A new one, or a new version of a known one."""
        self._of_group[attempt.rule_id, attempt.group_key][attempt.id] = attempt
        self._of_target[attempt.target][attempt.id] = attempt
        if attempt.chain:
            self._chained[attempt.id] = attempt
        if attempt.status is not AttemptStatus.FINISHED:
            self._unfinished[attempt.id] = attempt
        else:
            self._unfinished.pop(attempt.id, None)
        if attempt.first and self._now - attempt.started_at < HOUR:
            self._begun[attempt.id] = attempt

    def of_group(self, rule_id: str, group: str) -> Iterable[FixAttempt]:
        return self._of_group[rule_id, group].values() if (rule_id, group) in self._of_group else ()

    def of_target(self, target: str) -> Iterable[FixAttempt]:
        return self._of_target[target].values() if target in self._of_target else ()

    def unfinished(self) -> Iterable[FixAttempt]:
        return self._unfinished.values()

    def begun(self) -> Iterable[FixAttempt]:
        """The first attempt of each execution of a whole fix that began less than an hour ago."""
        return self._begun.values()

    def may_have_caused(self, rule_id: str, target: str) -> Iterator[FixAttempt]:
        """Of other rules on that target, and of any rule that an incident of this one brought about."""
        others = (each for each in self.of_target(target) if each.rule_id != rule_id)
        return chain(others, (each for each in self._chained.values() if rule_id in each.chain))
