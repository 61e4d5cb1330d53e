"""What the logs of the storm say, the rules that hear it, and what of it has to be in the store."""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

LOGS = ("shop", "pay", "depot")
"""The three sources; each has one log."""

QUEUE_FULL = 50
"""Matches that the rule of that name waits for: more than any other does."""

RULES = r"""version: 1
rules:
  - id: order-stuck  # of one source; the others learn the same words as an error that no rule knows
    title: "order {order} is stuck"
    source: shop
    match:
      pattern: 'ERROR orders: order (?P<order>\d+) is stuck'
      captures: { order: { type: int, min: 1, max: 999999 } }
    when: { threshold: { count: 1, within: 60s, by: [order] } }
    tests:
      - name: a stuck order
        lines: ["2026-11-23 03:12:41 ERROR orders: order 17 is stuck"]
        expect: { fires: 1, captures: { order: "17" } }
  - id: disk-slow  # of several sources, and its windows outlive every kill
    title: "disk {disk} is slow"
    source: [shop, pay, depot]
    match:
      pattern: 'WARN storage: disk (?P<disk>\w+) answered after \d+ ms'
      captures: { disk: word }
    when: { threshold: { count: 5, within: 24h, by: [disk] } }
    tests:
      - name: five slow answers
        lines: [{ text: "2026-11-23 03:12:41 WARN storage: disk sda answered after 312 ms", repeat: 5, every: 1s }]
        expect: { fires: 1, captures: { disk: sda } }
  - id: login-refused  # of two sources; a group is two captures, one of them the log
    title: "{user} was refused by {log}"
    source: [shop, pay]
    match:
      pattern: 'NOTICE auth: (?P<log>shop|pay) refused (?P<user>\w+)'
      captures: { log: { type: enum, values: [shop, pay] }, user: word }
    when: { threshold: { count: 1, within: 60s, by: [log, user] } }
    tests:
      - name: a refusal
        lines: ["2026-11-23 03:12:41 NOTICE auth: shop refused eve"]
        expect: { fires: 1, captures: { log: shop, user: eve } }
  - id: queue-full  # a window of many matches
    title: "the depot's queue is full"
    source: depot
    match: { pattern: 'ERROR queue: full, \d+ wait' }
    when: { threshold: { count: 50, within: 24h } }
    tests:
      - name: it is full
        lines: [{ text: "2026-11-23 03:12:41 ERROR queue: full, 4096 wait", repeat: 50, every: 1s }]
        expect: { fires: 1 }
  - id: payment-lost  # a stack trace is one record: the pattern needs its first and its last line
    title: "a payment of account {account} is lost"
    source: pay
    match:
      pattern: '(?s)ERROR booking: failed\n.*\nPaymentLost: account (?P<account>\d+)'
      captures: { account: { type: int, min: 1, max: 99 } }
    when: { threshold: { count: 1, within: 60s, by: [account] } }
    tests:
      - name: a lost payment
        lines:
          - |-
            2026-11-23 03:12:41 ERROR booking: failed
            Traceback (most recent call last):
              File "/srv/pay/book.py", line 71, in book
                ledger.add(entry)
            PaymentLost: account 12
        expect: { fires: 1, captures: { account: "12" } }
  - id: cache-cold  # every source, a field of a JSON line
    title: "cache shard {shard} is cold"
    match:
      field: msg
      pattern: '^shard (?P<shard>\d+) is cold'
      captures: { shard: { type: int, min: 0, max: 9 } }
    when: { threshold: { count: 1, within: 60s, by: [shard] } }
    tests:
      - name: a cold shard
        lines: ['{"level":"warn","msg":"shard 3 is cold"}']
        expect: { fires: 1, captures: { shard: "3" } }
"""


@dataclass
class Tally:
    """What was written, or what is stored. `rules`: matches of each rule; `groups`: those of each (rule, group) with an
    open incident; `unknown`: errors that no rule knows, of each component. What only a store has: `matched` and
    `errors`, sums of their own; `learned`, what the known issues say that came of unknown errors."""

    lines: int = 0
    bytes: int = 0
    rules: Counter[str] = field(default_factory=Counter)
    groups: Counter[tuple[str, str]] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)
    learned: Counter[str] = field(default_factory=Counter)
    matched: int = 0
    errors: int = 0

    def match(self, rule: str, group: str = "") -> None:
        self.rules[rule] += 1
        self.groups[rule, group] += 1

    def __add__(self, other: Tally) -> Tally:
        """Of two logs."""
        return Tally(
            lines=self.lines + other.lines,
            bytes=self.bytes + other.bytes,
            rules=self.rules + other.rules,
            groups=self.groups + other.groups,
            unknown=self.unknown + other.unknown,
        )


Make = Callable[["Speaker"], str]


class Speaker:
    """Makes the records of one log by chance, and counts them in `wrote`. Owned by the log's writer."""

    def __init__(self, log: str, chance: random.Random) -> None:
        self.log = log
        self.wrote = Tally()
        self.chance = chance

    def record(self) -> str:
        """One record: a line, or a stack trace with its lines, ended by a newline."""
        make = self.chance.choices([make for make, _ in KINDS], [weight for _, weight in KINDS])[0]
        text = f"{make(self)}\n"
        self.wrote.lines += text.count("\n")
        self.wrote.bytes += len(text.encode())
        return text

    def stamped(self, words: str) -> str:
        return f"{time.strftime('%Y-%m-%d %H:%M:%S')} {words}"


def _all_is_well(by: Speaker) -> str:
    return by.stamped(f"INFO {by.log}: request {by.wrote.lines} took {by.chance.randrange(900)} ms")


def _much_is_well(by: Speaker) -> str:
    return by.stamped(f"DEBUG {by.log}: " + "all is well " * by.chance.randrange(20, 300))


def _only_told_of(by: Speaker) -> str:
    """Looks like an error, and is none: it gives itself a calmer level."""
    return by.stamped(f"INFO {by.log}: tried again after error: code {by.chance.randrange(1, 90)}")


def _order_stuck(by: Speaker) -> str:
    order = by.chance.randrange(1, 60)
    if by.log == "shop":
        by.wrote.match("order-stuck", str(order))
    else:
        by.wrote.unknown["orders"] += 1
    return by.stamped(f"ERROR orders: order {order} is stuck")


def _disk_slow(by: Speaker) -> str:
    disk = by.chance.choice(("sda", "sdb", "nvme0"))
    by.wrote.match("disk-slow", disk)
    return by.stamped(f"WARN storage: disk {disk} answered after {by.chance.randrange(200, 999)} ms")


def _login_refused(by: Speaker) -> str:
    user = by.chance.choice(("eve", "mallory", "trudy"))
    if by.log != "depot":
        by.wrote.match("login-refused", f"{by.log}\x1f{user}")
    return by.stamped(f"NOTICE auth: {by.log} refused {user}")


def _queue_full(by: Speaker) -> str:
    if by.log == "depot":
        by.wrote.match("queue-full")
    else:
        by.wrote.unknown["queue"] += 1
    return by.stamped(f"ERROR queue: full, {by.chance.randrange(4000, 5000)} wait")


def _payment_lost(by: Speaker) -> str:
    account = by.chance.randrange(1, 100)
    if by.log == "pay":
        by.wrote.match("payment-lost", str(account))
    else:
        by.wrote.unknown["booking"] += 1
    head = by.stamped("ERROR booking: failed\nTraceback (most recent call last):\n")
    frames = by.chance.randrange(1, 12)
    body = "".join(f'  File "/srv/pay/f{n}.py", line {n + 40}, in f{n}\n    f{n + 1}(entry)\n' for n in range(frames))
    return f"{head}{body}PaymentLost: account {account}"


def _cache_cold(by: Speaker) -> str:
    shard = by.chance.randrange(10)
    by.wrote.match("cache-cold", str(shard))
    return json.dumps({"level": "warn", "log": by.log, "msg": f"shard {shard} is cold"})


def _double_entry(by: Speaker) -> str:
    by.wrote.unknown["ledger"] += 1
    return by.stamped(f"ERROR ledger: cannot book entry {by.wrote.lines} twice")


def _job_died(by: Speaker) -> str:
    """A stack trace of Java that no rule knows."""
    by.wrote.unknown["scheduler"] += 1
    depth = by.chance.randrange(1, 20)
    frames = "".join(f"\n\tat com.example.jobs.Job.run{n}(Job.java:{n + 11})" for n in range(depth))
    cause = "\nCaused by: java.lang.IllegalStateException: no lease\n\tat com.example.jobs.Lease.get(Lease.java:9)"
    return by.stamped(f"ERROR scheduler: job {by.chance.randrange(9)} died{frames}{cause}")


KINDS: tuple[tuple[Make, float], ...] = (
    (_all_is_well, 70),
    (_much_is_well, 6),
    (_only_told_of, 3),
    (_order_stuck, 3),
    (_disk_slow, 3),
    (_login_refused, 3),
    (_queue_full, 2),
    (_payment_lost, 2),
    (_cache_cold, 3),
    (_double_entry, 3),
    (_job_died, 2),
)
"""With their weights."""
