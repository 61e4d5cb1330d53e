"""What breaks and is mended all the time: tills and printers behind one server on the loopback, the program of their
fixes, waits and sequences in the log of the branch; and how often each of that came."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Self

from crash.lines import Speaker

RULES = r"""version: 1
rules:
  - id: till-stuck  # its fix always works
    title: "till {{till}} is stuck"
    severity: high
    source: branch
    match:
      pattern: 'ERROR tills: till (?P<till>\d+) is stuck'
      captures: {{ till: {{ type: int, min: 0, max: 999 }} }}
    when: {{ threshold: {{ count: 1, within: 60s, by: [till] }} }}
    fix:
      mode: auto
      steps:
        - name: mend the till
          run: ["{home}/bin/mend", "till-{{till}}", "{home}/work"]
          timeout: 60s
          retry: {{ attempts: 1 }}
          sandbox: {{ read: ["{home}/bin"], write: ["{home}/work"] }}
      verify: {{ http: {{ get: "http://127.0.0.1:{port}/till-{{till}}", within: 10s, every: 200ms }} }}
      limits: {{ cooldown: 100ms, max_per_hour: 10000 }}
    tests:
      - {{ name: it is stuck, lines: ["ERROR tills: till 7 is stuck"], expect: {{ fires: 1 }} }}
      - {{ name: it goes on, lines: ["INFO tills: till 7 goes on"], expect: {{ fires: 0 }} }}
  - id: printer-jammed  # its fix fails now and then: the breaker of that printer opens, tries again, and closes
    title: "printer {{printer}} is jammed"
    source: branch
    match:
      pattern: 'ERROR printers: printer (?P<printer>\d+) is jammed'
      captures: {{ printer: {{ type: int, min: 0, max: 9 }} }}
    when: {{ threshold: {{ count: 1, within: 60s, by: [printer] }}, clear: {{ after: 20s }} }}
    fix:
      mode: auto
      steps:
        - name: mend the printer
          run: ["{home}/bin/mend", "printer-{{printer}}", "{home}/work"]
          timeout: 60s
          retry: {{ attempts: 1 }}
          sandbox: {{ read: ["{home}/bin"], write: ["{home}/work"] }}
      verify: {{ http: {{ get: "http://127.0.0.1:{port}/printer-{{printer}}", within: 2s, every: 200ms }} }}
      limits: {{ cooldown: 1s, max_per_hour: 10000 }}
      breaker: {{ failures: 2, open_for: 10s }}
    tests:
      - {{ name: a jam, lines: ["ERROR printers: printer 3 is jammed"], expect: {{ fires: 1 }} }}
      - {{ name: it prints, lines: ["INFO printers: printer 3 prints"], expect: {{ fires: 0 }} }}
  - id: backup-unfinished  # an absence
    title: "backup {{backup}} does not end"
    source: branch
    match: {{ pattern: 'INFO backups: (?P<backup>b\w+) begins', captures: {{ backup: word }} }}
    when: {{ absence: {{ of: 'INFO backups: (?P<backup>b\w+) is done', within: 10s, by: [backup] }} }}
    tests:
      - name: it ends in time
        lines: ["INFO backups: b1 begins", {{ text: "INFO backups: b1 is done", at: 3s }}]
        until: 1m
        expect: {{ fires: 0 }}
      - name: it ends late
        lines: ["INFO backups: b1 begins", {{ text: "INFO backups: b1 is done", at: 40s }}]
        expect: {{ fires: 1, resolved: 1, resolution: cleared }}
  - id: door-forced  # a sequence
    title: "{{door}} was tried, and opened"
    source: branch
    match: {{ pattern: 'NOTICE doors: (?P<door>d\w+) wrong code', captures: {{ door: word }} }}
    when:
      sequence: {{ count: 3, then: ['NOTICE doors: (?P<door>d\w+) is open'], within: 60s, by: [door] }}
      clear: {{ after: 20s }}
    tests:
      - name: three wrong codes and an open door
        lines: [{{ text: "NOTICE doors: d1 wrong code", repeat: 3, every: 1s }}, "NOTICE doors: d1 is open"]
        expect: {{ fires: 1 }}
      - name: two are a mistake
        lines: [{{ text: "NOTICE doors: d1 wrong code", repeat: 2, every: 1s }}, "NOTICE doors: d1 is open"]
        expect: {{ fires: 0 }}
"""
MEND = """\
#!/bin/sh
# Leaves a mark for each run; what is in hard/ is not mended.
set -e
mktemp "$2/marks/$1.XXXXXXXXXX" >/dev/null
[ ! -e "$2/hard/$1" ]
: >"$2/well/$1"
"""
TILLS, PRINTERS = 40, 4
HARD = 0.2
"""The share of jams that the fix cannot mend: below what takes a rule's trust away (half of the last ones)."""
LATE_S, EARLY_S = 25.0, 2.0
"""After which a backup ends, too late and in time."""


class Branch:
    """Says what happens, a record at a time (as a Speaker does, whose `wrote` it counts in), and serves what is well.
    `incidents`: how many there are to be, of the rules that do without luck. A context manager: it serves inside."""

    def __init__(self, home: Path, chance: random.Random) -> None:
        self.speaker = Speaker("branch", chance)
        self.incidents: Counter[str] = Counter()
        self.marks = home / "work" / "marks"
        self._chance, self._well, self._hard = chance, home / "work" / "well", home / "work" / "hard"
        self._due: list[tuple[float, str]] = []
        self._number = 0
        self._closing = False
        (home / "bin").mkdir()
        (home / "bin" / "mend").write_text(MEND)
        (home / "bin" / "mend").chmod(0o755)
        for room in (home / "work", self.marks, self._well, self._hard):
            room.mkdir()
            room.chmod(0o777)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _answering(self._well))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, name="branch")

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def close(self) -> None:
        """From now on nothing new happens; what has begun ends."""
        self._closing = True

    @property
    def is_over(self) -> bool:
        return self._closing and not self._due

    def ran(self) -> Counter[str]:
        """How often the program of the fixes ran, for each target."""
        return Counter(each.name.partition(".")[0] for each in self.marks.iterdir())

    def record(self) -> str:
        """What is due, else something new."""
        wrote = self.speaker.wrote
        kinds = (self._till, self._till, self._printer, self._backup, self._door, self._nothing)
        happens = self._nothing if self._closing else self._chance.choice(kinds)
        text = self._what_is_due() or happens()
        wrote.lines += text.count("\n")
        wrote.bytes += len(text.encode())
        return text

    def _what_is_due(self) -> str:
        now = time.monotonic()
        due = [each for each in self._due if each[0] <= now]
        self._due = [each for each in self._due if each[0] > now]
        return "".join(self._said(words) for _, words in due)

    def _said(self, words: str) -> str:
        return f"{self.speaker.stamped(words)}\n"

    def _nothing(self) -> str:
        return self._said("INFO branch: it is quiet")

    def _till(self) -> str:
        till = self._chance.randrange(TILLS)
        (self._well / f"till-{till}").unlink(missing_ok=True)
        self.speaker.wrote.match("till-stuck")
        return self._said(f"ERROR tills: till {till} is stuck")

    def _printer(self) -> str:
        printer = self._chance.randrange(PRINTERS)
        (self._well / f"printer-{printer}").unlink(missing_ok=True)
        hard = self._hard / f"printer-{printer}"
        if self._chance.random() < HARD:
            hard.touch()
        else:
            hard.unlink(missing_ok=True)
        self.speaker.wrote.match("printer-jammed")
        return self._said(f"ERROR printers: printer {printer} is jammed")

    def _backup(self) -> str:
        self._number += 1
        late = self._chance.random() < 0.3
        self.incidents["backup-unfinished"] += late
        ends = time.monotonic() + (LATE_S if late else EARLY_S)
        self._due.append((ends, f"INFO backups: b{self._number} is done"))
        return self._said(f"INFO backups: b{self._number} begins")

    def _door(self) -> str:
        self._number += 1
        times = self._chance.choice((2, 3))
        self.incidents["door-forced"] += times == 3
        wrong = self._said(f"NOTICE doors: d{self._number} wrong code") * times
        return wrong + self._said(f"NOTICE doors: d{self._number} is open")


def _answering(well: Path) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if (well / self.path.strip("/")).exists() else 503)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    return Handler
