"""A host that has everything at once, for a long time: sources and rules of all kinds, fixes that work and that do
not, people who look and people who are told. First one long life that nothing disturbs, then lives with troubles, each
ended by kill -9. At the end, what is stored is what happened."""

from __future__ import annotations

import random
import shutil
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from crash import company, healed, lines
from crash.company import Applications, Onlooker, Receivers, Switch, Teller
from crash.healed import Branch
from crash.lines import LOGS, QUEUE_FULL, Speaker
from crash.logs import Log
from crash.past import a_past
from crash.process import Daemon, until
from crash.reckoning import Happened, reckon
from crash.rotated import COPIED, DATED, NUMBERED, Logrotate
from crash.sampling import MIB, Sample, Sampler, flatness
from crash.storm import Row, Watch, differing, furnish
from crash.troubles import Editor, Troubles, small_disk
from logmedic.cli.client import Client
from logmedic.model.errors import LogmedicError

CONFIG = """\
mode: auto
sources:
  shop: {{ files: ["{home}/log/shop.log"], from_start: true }}
  pay: {{ files: ["{home}/log/pay/*.log"], from_start: true }}
  depot: {{ files: ["{home}/log/depot.log"], from_start: true }}
  branch: {{ files: ["{home}/log/branch.log"], from_start: true }}
  switch: {{ syslog: {{ tcp: {syslog}, address: 127.0.0.1 }} }}
rules: {{ paths: ["{home}/rules"] }}
actions: {{ max_per_hour: 10000, max_per_ten_minutes: 10000, concurrency: 2, pause_file: "{home}/paused" }}
incidents: {{ resolve_after: 24h }}
storage: {{ path: "{home}/state/logmedic.duckdb", snapshots: 1, max_size: 300M,
  keep: {{ incidents: 1d, alerts: 1d, learnings: 1d, sources: 1d, templates: 1d, onsets: 1d }} }}
web: {{ socket: "{home}/state/logmedic.sock" }}
alerts:
  group_wait: 1s
  group_interval: 10s
  group_by: []
  receivers:
    chat: {{ url: "json://127.0.0.1:{chat}/chat", max_per_hour: 10000 }}
    mail: {{ url: "mailto://127.0.0.1:{mail}?from=logmedic@example.com&to=ops@example.org&smtp=127.0.0.1&mode=insecure",
      max_per_hour: 10000 }}
  routes: {{ oncall: {{ to: [chat, mail] }} }}
  default_route: oncall
"""
PLACES = {"shop": "shop.log", "pay": "pay/pay.log", "depot": "depot.log"}
CALM_SHARE = 0.6
"""Of the time, for the life that nothing disturbs."""
MOST_BEHIND = 20_000
START_S, TAKEN_S, SENT_S = 120.0, 300.0, 600.0
"""Far more than it takes, also where others use the processors."""
BACKUPS = 2
STORED_S = 30.0


@dataclass
class Story:
    """What a run came to. `calm`: samples of the long life; `lives`: those of the others. `failed`: answers that were
    none."""

    rows: list[Row] = field(default_factory=list)
    calm: list[Sample] = field(default_factory=list)
    lives: list[list[Sample]] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    gaps: list[str] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    @property
    def exact(self) -> bool:
        return not (differing(self.rows) or self.failed or self.gaps)

    @property
    def flat(self) -> bool:
        return all(each.holds for each in flatness(self.calm))


class Mixed:
    """`seed` decides what is said and when things go wrong. `life_s`: of a life with troubles; `work_s` between two
    edits; `pause_s` between two writes of 20 records to a log. What is there stays in `home`."""

    def __init__(
        self,
        home: Path,
        seed: int,
        *,
        life_s: float = 90.0,
        work_s: float = 15.0,
        rotate_s: float = 20.0,
        pause_s: float = 0.5,
    ) -> None:
        self.story = Story()
        self._home, self._life_s, self._work_s, self._pause_s = home, life_s, work_s, pause_s
        self._chance = random.Random(seed)
        self._receivers = Receivers()
        port = free_port()
        furnish(home, _config(home, port, self._receivers), lines.RULES)
        self._branch = Branch(home, random.Random(f"{seed} branch"))
        (home / "log" / "pay").mkdir()
        (home / "logrotate").mkdir()
        (home / "rules" / "branch.yaml").write_text(healed.RULES.format(home=home, port=self._branch.port))
        (home / "rules" / "company.yaml").write_text(company.RULES)
        self._daemon = Daemon(home)
        self._speakers = {name: Speaker(name, random.Random(f"{seed} {name}")) for name in LOGS}
        self._switch = Switch(port)
        self._applications = Applications(home / "state" / "report.sock", home / "spool", random.Random(f"{seed} apps"))
        self._onlooker = Onlooker(home / "state" / "logmedic.sock", random.Random(f"{seed} looks"))
        self._watch = Watch(self._daemon, self._written)
        self._logs = list(self._make_logs(seed, rotate_s))
        self._editor = Editor(home / "rules", self._daemon)
        self._asked_at = 0.0
        self._pause = threading.Event()  # is never set

    def run(self, seconds: float) -> Iterator[str]:
        """Yields what happens, for whoever waits. `story` is whole when this ends."""
        with ExitStack() as stack:
            disk = stack.enter_context(small_disk(self._home / "state"))
            yield "the store has a small disk of its own" if disk else "no small disk: mounting is not allowed here"
            a_past(self._daemon.store)
            stack.enter_context(self._receivers)
            stack.enter_context(self._branch)
            stack.callback(self._daemon.put_down)
            self._daemon.start()
            self._daemon.answers(START_S)
            with ExitStack() as weather:
                for each in (*self._logs, self._watch, self._onlooker, self._applications, self._switch):
                    weather.enter_context(each)
                yield from self._calm(seconds * CALM_SHARE)
                yield from self._troubled(seconds * (1 - CALM_SHARE))
                until(self._enough_is_said, TAKEN_S, self._daemon.said)
                self._branch.close()
                until(lambda: self._branch.is_over, 60, self._daemon.said)
                with self._silence():
                    pass
            yield "settling"
            self._daemon.settle((log.path for log in self._logs), TAKEN_S)
            yield "all is read; messages that wait are sent"
            self._until_all_is_sent()
            self._daemon.stop()
            self._reckon()

    def said(self) -> str:
        """The end of what the daemon said."""
        return self._daemon.said()

    def _make_logs(self, seed: int, rotate_s: float) -> Iterator[Log]:
        room = self._home / "logrotate"
        rotations = {
            "shop": Logrotate(room, "shop", NUMBERED),
            "pay": Logrotate(room, "pay", DATED),
            "depot": Logrotate(room, "depot", COPIED, self._is_read),
        }
        full = lambda: self._watch.behind() > MOST_BEHIND  # noqa: E731
        for name in LOGS:
            speaker, chance = self._speakers[name], random.Random(f"{seed} {name} rotates")
            path = self._home / "log" / PLACES[name]
            yield Log(
                path,
                speaker.record,
                rotations[name],
                chance,
                pause_s=self._pause_s,
                batch=20,
                rotate_s=rotate_s,
                full=full,
            )
        chance, rotation = random.Random(f"{seed} branch rotates"), Logrotate(room, "branch", NUMBERED)
        path = self._home / "log" / "branch.log"
        yield Log(path, self._branch.record, rotation, chance, pause_s=1.5, batch=1, rotate_s=3 * rotate_s, full=full)

    def _written(self) -> int:
        logs = (*self._speakers.values(), self._branch.speaker)
        return sum(each.wrote.lines for each in logs) + self._applications.told + self._switch.told

    def _enough_is_said(self) -> bool:
        """The rule that wants the most matches has them: each one has an incident at the end."""
        return self._speakers["depot"].wrote.rules["queue-full"] >= QUEUE_FULL

    def _is_read(self, path: Path) -> bool:
        """To its end; whoever asks holds up its writer."""
        for row in (self._daemon.ask("status", wait_s=5) or {"sources": []})["sources"]:
            if row["origin"] == str(path):
                return bool(row["offset"] == path.stat().st_size and not row["lag_bytes"])
        return False

    def _calm(self, seconds: float) -> Iterator[str]:
        ends = time.monotonic() + seconds
        with Sampler(self._daemon.pid, self._daemon.store, self._held) as sampler:
            while time.monotonic() < ends:
                self._pause.wait(min(self._work_s, max(0.1, ends - time.monotonic())))
                self._work()
                yield self._progress(sampler)
        self.story.calm = sampler.samples

    def _troubled(self, seconds: float) -> Iterator[str]:
        """Lives that end by kill -9, until the time is over; two at least, each with some trouble."""
        ends = time.monotonic() + seconds
        while True:
            troubles = Troubles(
                self._daemon, self._receivers, self._chance, past=self.story.troubles, disk=self._small()
            )
            over = min(ends, time.monotonic() + self._chance.uniform(0.5, 1.5) * self._life_s)
            with Sampler(self._daemon.pid, self._daemon.store, self._held) as sampler:
                while not troubles.came or time.monotonic() < over:
                    self._work()
                    troubles.one()
                    yield f"{self.story.troubles[-1]}; {self._progress(sampler)}"
                    self._pause.wait(self._work_s / 3)
            self.story.lives.append(sampler.samples)
            if time.monotonic() >= ends and len(self.story.lives) > 1:
                return
            self._die()

    def _small(self) -> bool:
        return (self._home / "state").is_mount()

    def _die(self) -> None:
        """What is under way and kept by nobody is taken first: what was sent over TCP and not stored is lost."""
        with self._silence():
            self._daemon.kill()
            self._switch.hang_up()
            self.story.said.append("kill")
            self._daemon.start()
            self._daemon.answers(START_S)

    @contextmanager
    def _silence(self) -> Iterator[None]:
        """Nobody reports and nothing is sent over TCP meanwhile, and what was is stored."""
        told = {"packer-failed": self._applications, "port-flaps": self._switch}
        with self._applications.held(), self._switch.held():
            self._until_stored(told)
            yield

    def _until_stored(self, told: Mapping[str, Teller]) -> None:
        until(
            lambda: all(company.occurrences(self._daemon, rule) >= teller.told for rule, teller in told.items()),
            TAKEN_S,
            lambda: (
                f"{[(rule, teller.told, company.occurrences(self._daemon, rule)) for rule, teller in told.items()]}"
                f"\n{self.said()}"
            ),
        )

    def _work(self) -> None:
        """What people do: edit a rule, make a copy of the store."""
        self._editor.edit()
        try:
            Client(self._home / "state" / "logmedic.sock", wait_s=60).post("backup")
        except LogmedicError as error:
            self.story.said.append(f"no backup: {error.text}")  # the store is full, or nobody answers
        for old in sorted((self._home / "state" / "backups").glob("backup-*.duckdb"))[:-BACKUPS]:
            old.unlink()

    def _held(self) -> tuple[int, int] | None:
        """Now and then: the answer counts all rows."""
        if time.monotonic() < self._asked_at + STORED_S:
            return None
        self._asked_at = time.monotonic()
        try:
            storage = self._daemon.ask("storage", wait_s=20)
        except OSError:
            return None
        if storage is None:
            return None
        return storage["room"]["file"] - storage["room"]["unused"], sum(storage["rows"].values())

    def _progress(self, sampler: Sampler) -> str:
        last = sampler.samples[-1] if sampler.samples else None
        size = f"{last.memory_bytes / MIB:.0f} MiB, {last.descriptors} descriptors" if last else "no sample yet"
        return (
            f"{self._written()} lines, {self._watch.behind()} behind, {sum(each.rotations for each in self._logs)} "
            f"rotations, {sum(self._branch.ran().values())} fixes, {len(self._receivers.posted())} messages, "
            f"{self._onlooker.told} answers, {size}"
        )

    def _until_all_is_sent(self) -> None:
        self._editor.mend()
        until(lambda: self._daemon.ask("alerts?status=waiting") == [], SENT_S, self.said)

    def _reckon(self) -> None:
        happened = Happened(
            speakers=[*self._speakers.values()],
            branch=self._branch,
            tellers={"packer-failed": self._applications.told, "port-flaps": self._switch.told},
            received={"chat": self._receivers.posted(), "mail": self._receivers.letters()},
            past_the_store=self._daemon.spoke_of("nothing can be stored"),
            was_killed="kill" in self.story.said,
        )
        kept = self._home / "stored.duckdb"  # its own disk goes
        shutil.copyfile(self._daemon.store, kept)
        self.story.rows, self.story.gaps = reckon(kept, happened)
        self.story.failed = self._onlooker.failed


def _config(home: Path, syslog: int, receivers: Receivers) -> str:
    return CONFIG.format(home=home, syslog=syslog, chat=receivers.chat_port, mail=receivers.mail_port)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
