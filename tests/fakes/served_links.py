"""The real server of links on a real port, in a thread of its own: real desks, a real engine, a store in memory."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from http.client import HTTPConnection
from itertools import count
from typing import Any
from urllib.parse import urlencode

import builders as make
from fakes.clock import FakeClock
from fakes.memory_store import MemoryStore
from fakes.scripted_fixes import ScriptedRunner
from logmedic.adapters.web.linkserver import LinkServer
from logmedic.core.links import Claims, Purpose, ask_of, sign
from logmedic.core.targets import fingerprint
from logmedic.model.alert import LinkPlan
from logmedic.model.changeset import Changeset
from logmedic.model.errors import OrderRefused
from logmedic.model.issue import HoldReason, Incident
from logmedic.model.policy import Policy
from logmedic.model.rule import Mode, Rule
from logmedic.model.severity import Severity
from logmedic.model.step import Command, Step
from logmedic.runtime.engine import Engine
from logmedic.runtime.fixdesk import FixDesk
from logmedic.runtime.linkdesk import IncidentLinks

KEY = bytes(range(32))
PLAN = LinkPlan("https://logmedic.example", KEY)
STEPS = (Step("restart", Command(("/bin/restart", "web@{host}.service"))),)
RULE = replace(make.RULE, fix=replace(make.FIX, mode=Mode.APPROVE, steps=STEPS))
ENDS = make.START + timedelta(minutes=30)


def waiting(rule: Rule = RULE, **changes: Any) -> Incident:
    """An incident of `rule` whose fix waits for an approval until ENDS."""
    made = Incident(
        *("0193b0c4-1111-7abc-8abc-0123456789ab", "s1", rule.id, "", "web is down", Severity.HIGH),
        opened_at=make.START - timedelta(minutes=4),
        last_match_at=make.START,
        captures={"host": "db1"},
        source="web",
        evidence="Nov 24 03:00:00 web[611]: connect() failed (111: Connection refused)",
        occurrences=5,
        hold=HoldReason.AWAITING_APPROVAL,
        hold_detail="waits for approval until 03:30:00 UTC",
        due_at=ENDS,
        fix=print_of(rule),
    )
    return replace(made, **changes)


def print_of(rule: Rule) -> str:
    assert rule.fix is not None
    return fingerprint(rule.fix)


def path_to(claims: Claims) -> str:
    return sign(PLAN, claims).removeprefix(PLAN.url)


@dataclass
class NotedAlerts:
    """The alert desk, as far as links need it. `refuses`: what it says to everything."""

    did: list[tuple[Any, ...]] = field(default_factory=list)
    refuses: OrderRefused | None = None

    async def acknowledge(self, subject: str, by: str, until: datetime | None = None) -> dict[str, Any]:
        return self._noted("acknowledge", subject, by, until)

    async def add_silence(self, by: str, why: str, until: datetime, *, incident: str = "") -> dict[str, Any]:
        return self._noted("silence", incident, by, until, why)

    def _noted(self, *done: Any) -> dict[str, Any]:
        if self.refuses is not None:
            raise self.refuses
        self.did.append(done)
        return {}


@dataclass
class Host:
    """What is behind the links. `policy` may be replaced, as a reload does."""

    policy: Policy
    store: MemoryStore
    clock: FakeClock
    alerts: NotedAlerts = field(default_factory=NotedAlerts)
    engine: Engine = field(init=False)
    fixes: FixDesk = field(init=False)
    desk: IncidentLinks = field(init=False)
    server: LinkServer = field(init=False)

    @property
    def incident(self) -> Incident:
        """The only one."""
        (found,) = self.engine.state.incidents.values()
        return found

    def claims(self, purpose: Purpose, **changes: Any) -> Claims:
        ask = ask_of(self.incident) if purpose in (Purpose.APPROVE, Purpose.REJECT) else ""
        return replace(Claims(purpose, self.incident.id, "chat", ENDS, ask), **changes)

    def path(self, purpose: Purpose, **changes: Any) -> str:
        return path_to(self.claims(purpose, **changes))

    def events(self, *kinds: str) -> list[str]:
        """Texts of the incident's timeline."""
        every = [event for changeset in self.store.changesets for event in changeset.events]
        return [each.text for each in every if each.kind in kinds]


@asynccontextmanager
async def host(
    *incidents: Incident, policy: Policy | None = None, user_header: str = "", listen: str = "127.0.0.1:0"
) -> AsyncIterator[Host]:
    """Running, but for its server."""
    store = MemoryStore([Changeset(incidents=incidents or (waiting(),))])
    made = Host(policy or make.policy(RULE), store, FakeClock(make.START))
    ids = count(1)
    made.engine = Engine(
        state=await store.open(),
        store=store,
        clock=made.clock,
        mint=lambda: f"{next(ids):08d}",
        policy=lambda: made.policy,
        carry_out=lambda _: None,
        alive=lambda: None,
    )
    made.fixes = FixDesk(
        engine=made.engine, store=store, policy=lambda: made.policy, runner=ScriptedRunner(), clock=made.clock
    )
    made.desk = IncidentLinks(
        engine=made.engine,
        store=store,
        policy=lambda: made.policy,
        fixes=made.fixes,
        alerts=made.alerts,
        clock=made.clock,
    )
    made.server = LinkServer(made.desk, key=KEY, clock=made.clock, listen=listen, url=PLAN.url, user_header=user_header)
    task = asyncio.create_task(made.engine.run())
    try:
        await made.engine.settled()
        yield made
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@contextmanager
def serving_links(*incidents: Incident, **options: Any) -> Iterator[Host]:
    ready, kept = threading.Event(), list[Any]()

    async def serve() -> None:
        async with host(*incidents, **options) as made:
            task = asyncio.create_task(made.server.serve())
            kept.extend((made, asyncio.get_running_loop(), task))
            while made.server.doors.port == 0 and not task.done():
                await asyncio.sleep(0.01)
            ready.set()
            await asyncio.gather(task, return_exceptions=True)

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert ready.wait(10), "the server does not start"
    made, loop, task = kept
    try:
        yield made
    finally:
        loop.call_soon_threadsafe(task.cancel)
        thread.join(10)
        assert not thread.is_alive(), "the server does not stop"


def links_to(made: Host) -> dict[Purpose, str]:
    """As a browser on this host opens them."""
    return {each: f"http://127.0.0.1:{made.server.doors.port}{made.path(each)}" for each in Purpose}


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    text: str


def ask(made: Host, method: str, path: str, form: Mapping[str, str] | bytes | None = None, **headers: str) -> Answer:
    """Of a browser, unless `headers` (underscores for dashes) say otherwise; one that is empty is not sent."""
    port = made.server.doors.port
    body = form if isinstance(form, bytes) or form is None else urlencode(form).encode()
    sent = {"host": f"127.0.0.1:{port}"}
    if method == "POST":
        kind = "application/x-www-form-urlencoded"
        sent |= {"content-type": kind, "origin": f"http://127.0.0.1:{port}", "sec-fetch-site": "same-origin"}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request(method, path, body, {name: value for name, value in sent.items() if value})
    response = connection.getresponse()
    text = response.read().decode()
    connection.close()
    return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, text)


def raw(made: Host, sent: bytes) -> bytes:
    """All that is answered until the connection is closed."""
    answered = b""
    with socket.create_connection(("127.0.0.1", made.server.doors.port), timeout=10) as wire:
        wire.sendall(sent)
        while got := _read(wire):
            answered += got
    return answered


def _read(wire: socket.socket) -> bytes:
    try:
        return wire.recv(65536)
    except ConnectionResetError:
        return b""
