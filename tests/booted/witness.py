"""Who writes to three logs of a container all the time, from outside of it, whatever becomes of the daemon or of the
container, and knows afterwards what has to be in the store."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from booted.host import LOGMEDIC, Host
from crash.lines import LOGS, QUEUE_FULL, RULES, Speaker, Tally
from crash.logs import Dated, Log, Numbered, Packed, Rotation
from crash.stored import gaps, tally
from crash.storm import Row, differing, rows, table

CONFIG = """\
mode: auto
sources:
  shop: { files: [/var/log/storm/shop.log], from_start: true }
  pay: { files: [/var/log/storm/pay.log], from_start: true }
  depot: { files: [/var/log/storm/depot.log], from_start: true }
rules: { paths: [/etc/logmedic/rules.d] }
incidents: { resolve_after: 24h }
"""
STORE = "var/lib/logmedic/logmedic.duckdb"
SETTLE_S = 180.0
LOOK_S = 0.2


class Witness:
    """`root`: of the container, in which logmedic is installed; it gets a config, rules and logs. A context manager:
    they are written inside, and `met` comes before that."""

    def __init__(self, root: Path, seed: int = 1) -> None:
        self.store = root / STORE
        room = root / "var/log/storm"
        room.mkdir(parents=True)
        etc = root / "etc/logmedic"
        (etc / "rules.d").mkdir(parents=True, exist_ok=True)
        (etc / "logmedic.yaml").write_text(CONFIG)
        (etc / "rules.d/storm.yaml").write_text(RULES)
        self._speakers = {name: Speaker(name, random.Random(f"{seed} {name}")) for name in LOGS}
        rotations: Mapping[str, Rotation] = {"shop": Numbered(), "pay": Dated(), "depot": Packed()}
        self._logs = [
            Log(
                room / f"{name}.log",
                self._speakers[name].record,
                rotations[name],
                random.Random(f"{seed} {name} rotates"),
                pause_s=0.1,
                batch=10,
                rotate_s=4.0,
            )
            for name in LOGS
        ]
        self._writing = ExitStack()

    def __enter__(self) -> Witness:
        for log in self._logs:
            self._writing.enter_context(log)
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Write no more."""
        self._writing.close()

    def met(self, host: Host) -> None:
        """The daemon begins anew with a store that knows nothing, and has opened the logs."""
        host.run("systemctl", "stop", "logmedic")
        host.run("sh", "-c", "rm -rf /var/lib/logmedic/*")
        host.start()
        host.until("armed (unit)", LOGMEDIC, "status")

    @property
    def wrote(self) -> Tally:
        return sum((speaker.wrote for speaker in self._speakers.values()), Tally())

    def passed(self, host: Host, more: int = 500) -> None:
        """The daemon has read so many lines more."""
        wanted = self.wrote.lines + more
        _until(host, lambda counts: counts.get("lines", 0) >= wanted, f"has read {wanted} lines")

    def settled(self, host: Host) -> None:
        """The daemon has read and judged all that was written. Nothing is written any more then."""
        wrote = self.wrote
        wanted = {"lines": wrote.lines, "matched": wrote.rules.total(), "unknown": wrote.unknown.total()}
        _until(host, lambda counts: all(counts.get(name, 0) >= n for name, n in wanted.items()), f"has {wanted}")

    def exact(self, host: Host) -> str:
        """What is in the store is what was written: nothing is lost, nothing is there twice, nothing was passed over.
        Stops the daemon, and says what it counted."""
        self.settled(host)
        host.run("systemctl", "stop", "logmedic")
        found = [each for each in rows(self.wrote, tally(self.store)) if self._is_due(each)]
        assert differing(found) == [], table(found)
        assert gaps(self.store) == []
        assert list(self.store.parent.glob("*.damaged-*")) == []
        assert {row.what for row in found if row.written == 0} == set(), table(found)
        return _summary(found)

    def _is_due(self, row: Row) -> bool:
        """A rule that waits for many matches may not have had them all."""
        return row.what != "rule queue-full: groups" or self.wrote.rules["queue-full"] >= QUEUE_FULL


def _summary(found: list[Row]) -> str:
    return f"{found[0].written} lines, {found[1].written} matches, {found[2].written} unknown errors: all of them once"


def _until(host: Host, so: Any, what: str) -> None:
    """Asks until it is so."""
    end, counts = time.monotonic() + SETTLE_S, {}
    while time.monotonic() < end:
        counts = (host.status() or {}).get("counts", counts)
        if so(counts):
            return
        time.sleep(LOOK_S)
    raise AssertionError(f"the daemon never {what}: {counts}\n{host.journal('-u', 'logmedic', '-n', '40')}")
