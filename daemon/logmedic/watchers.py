"""Makes what watches the daemon itself, and tells people when it ails."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import tzinfo
from pathlib import Path

import structlog

from logmedic import __version__
from logmedic.adapters.alerts.ping import Ping
from logmedic.adapters.alerts.sender import AppriseSender
from logmedic.adapters.store.archive import Archive
from logmedic.adapters.store.connection import archive_of
from logmedic.adapters.store.room import measured
from logmedic.core.ailing import OPENING
from logmedic.model.alert import Receiver
from logmedic.model.alertevent import AlertEvent
from logmedic.model.changeset import Ailing, Input
from logmedic.model.metric import Family
from logmedic.ports import Clock, Keeper, Store
from logmedic.runtime import lastwords, symptoms
from logmedic.runtime.clock import Uuid7
from logmedic.runtime.engine import Engine
from logmedic.runtime.heartbeat import Heartbeat, Pulse, not_working
from logmedic.runtime.live import Live
from logmedic.runtime.pastthestore import Direct
from logmedic.runtime.pushing import Pushing
from logmedic.runtime.selfwatch import CALM_S, SelfWatch
from logmedic.runtime.storewatch import StoreWatch, Trouble
from logmedic.runtime.supervisor import Supervisor
from logmedic.settings import Settings
from logmedic.settings.places import state_directory

log = structlog.get_logger("logmedic.watchers")

UNCHECKED = "could not be checked"
CHECK_AGAIN_S = 10.0
"""How the sender says that it could not look at a receiver: which is no fault of its URL."""


def make_heartbeat(
    settings: Settings, *, pulse: Pulse, engine: Engine, supervisor: Supervisor, clock: Clock
) -> Heartbeat | None:
    """None: the config has no address for it."""
    wanted = settings.alerts.heartbeat
    if wanted is None:
        return None
    return Heartbeat(
        every=wanted.every,
        ping=Ping(wanted.url.get_secret_value(), python=sys.executable, environment=settings.surroundings),
        trouble=lambda: not_working(pulse, engine.commit_problem, supervisor.parts),
        clock=clock,
    )


def make_pushing(
    settings: Settings, *, host: str, families: Callable[[], Awaitable[Sequence[Family]]], clock: Clock
) -> Pushing | None:
    """None: the config has no collector for the figures."""
    wanted = settings.metrics.otlp
    if not wanted.endpoint:
        return None
    from logmedic.adapters.otlp.exporter import Collector, OtlpExporter, resource  # an extra: not everybody has it

    collector = Collector(
        url=wanted.endpoint,
        deadline_s=wanted.timeout.total_seconds(),
        headers={name: value.get_secret_value() for name, value in wanted.headers.items()},
    )
    itself = resource(host, __version__, str(settings.storage.path))
    exporter = OtlpExporter(collector, resource=itself, began=clock.now(), clock=clock)
    return Pushing(every=wanted.every, families=families, push=exporter.push, clock=clock)


def room_of(path: Path) -> dict[str, int]:
    """Bytes of the store by what they are for."""
    room = measured(path, Archive(archive_of(path)), 0)
    return {
        "file": room.file,
        "log": room.log,
        "archive": room.archive,
        "snapshots": room.snapshots,
        "backups": room.backups,
    }


def make_store_watch(
    settings: Settings,
    *,
    trouble: Callable[[], Trouble | None],
    tell: Callable[[Input], Awaitable[None]],
    sender: AppriseSender,
    receivers: Mapping[str, Receiver],
    zone: tzinfo,
    clock: Clock,
) -> StoreWatch:
    """Before there is an engine: the store may not open."""
    policy = settings.policy(hostname=socket.gethostname(), started_at=clock.now(), zone=zone)
    direct = Direct(
        sender=sender, receivers=receivers, plan=policy.alerts, host=policy.hostname, mint=Uuid7(), clock=clock
    )
    return StoreWatch(path=settings.storage.path, trouble=trouble, direct=direct.tell, tell=tell, clock=clock)


def keep_watch(
    settings: Settings,
    *,
    supervisor: Supervisor,
    engine: Engine,
    live: Live,
    store: Store,
    keeper: Keeper,
    sender: AppriseSender,
    receivers: Mapping[str, Receiver],
    unusable: dict[str, str],
    heartbeat: Heartbeat | None,
    store_watch: StoreWatch,
    clock: Clock,
) -> None:
    """Starts the parts that watch the others. `unusable` is filled, by receiver's name."""
    path = settings.storage.path
    own = SelfWatch(
        looks=[
            lambda: symptoms.disarmed(engine.state, live.current.policy),
            lambda: symptoms.failing_parts(supervisor.parts, clock.now()),
            lambda: symptoms.given_up(keeper.notices),
        ],
        slow_looks=[lambda: symptoms.disk(path.parent)],
        tell=engine.settled,
        open_notices=lambda: engine.state.notices,
        notices=lambda: store.notices,
        of_notices=lambda notices: _of_store(notices, path),
    )
    supervisor.keep("self watch", own.run)
    supervisor.keep("store watch", store_watch.run)
    supervisor.keep("receiver check", lambda: _check_receivers(sender, receivers, unusable, engine))
    supervisor.keep("last words", lambda: _runs_again(engine, state_directory()))
    if heartbeat is not None:
        supervisor.keep("heartbeat", heartbeat.run)


def _of_store(notices: Sequence[str], path: Path) -> Ailing:
    """I4: what was lost when the store was opened, or was mended while it ran."""
    to_do = "See what is missing. What the file was before is kept beside it."
    return Ailing(OPENING, AlertEvent.STORE, "; ".join(notices), to_do, f"ls -l {path.parent}; logmedic storage")


async def _check_receivers(
    sender: AppriseSender, receivers: Mapping[str, Receiver], unusable: dict[str, str], engine: Engine
) -> None:
    """F70: a bad URL is found at the start, and not at 3 a.m. The other receivers hear of it. What could not be checked
    (the process that does it was killed) is checked again later."""
    unchecked = list(receivers.values())
    while unchecked:
        for name, problem in (await sender.check(unchecked)).items():
            await _check_told(name, problem, unusable, engine)
        unchecked = [each for each in unchecked if unusable.get(each.name, "").startswith(UNCHECKED)]
        if unchecked:
            await asyncio.sleep(CHECK_AGAIN_S)


async def _check_told(name: str, problem: str, unusable: dict[str, str], engine: Engine) -> None:
    if not problem:
        unusable.pop(name, None)
        return
    if unusable.get(name) == problem:
        return
    unusable[name] = problem
    log.error("receiver_unusable", receiver=name, problem=problem)
    if not problem.startswith(UNCHECKED):
        to_do = f"Correct its URL in the config (alerts.receivers.{name}), and start the daemon again."
        await engine.settled(Ailing(name, AlertEvent.RECEIVER_DEAD, problem, to_do, "sudo logmedic config check"))


async def _runs_again(engine: Engine, directory: Path) -> None:
    """Whoever was told that the daemon cannot run hears that it does, once that lasts."""
    told = lastwords.told(directory)
    if told:
        await asyncio.sleep(CALM_S)
        for each in told:
            await engine.settled(each)
        lastwords.forget(directory)
