"""Builds every part in one straight line; starts, drains, stops."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import structlog

from logmedic.adapters.alerts.sender import AppriseSender
from logmedic.adapters.rulefiles.memory import Memory
from logmedic.adapters.rulefiles.reading import watched
from logmedic.adapters.rulefiles.shelf import Shelf, program_stamp
from logmedic.adapters.sources.discovery import WatchdogDiscovery
from logmedic.adapters.store.aging import Aging
from logmedic.adapters.store.duck import DuckStore
from logmedic.adapters.store.keeper import DuckKeeper
from logmedic.core.alerting.closing import is_telling
from logmedic.core.calendar import step_of
from logmedic.core.diagnosing import spent_on
from logmedic.diagnosers import make_diagnosing
from logmedic.doors import make_doors, shut_door
from logmedic.healing import make_healing
from logmedic.inputs import inputs
from logmedic.model.changeset import Diagnosed, Reloaded, TellNow
from logmedic.model.issue import IncidentStatus
from logmedic.model.live import Topic
from logmedic.model.rule import Mode
from logmedic.ports import Clock
from logmedic.reporting import Reporting, make_reporting
from logmedic.rulesets import make_matcher, make_rule_loader
from logmedic.runtime.childwatch import without_threads
from logmedic.runtime.clock import SystemClock, Uuid7, local_zone, steady
from logmedic.runtime.control import DaemonControl
from logmedic.runtime.dispatcher import Dispatcher
from logmedic.runtime.engine import Engine
from logmedic.runtime.enginemeter import LoopMeter
from logmedic.runtime.foresight import Foresight, sweep_issues
from logmedic.runtime.gauges import Gauges, SlowFacts
from logmedic.runtime.intake import Intake
from logmedic.runtime.notify import SystemdNotifier
from logmedic.runtime.opening import Opening, alive_while_starting
from logmedic.runtime.pausefile import PauseWatch
from logmedic.runtime.reading import Reading
from logmedic.runtime.reload import Reloader
from logmedic.runtime.rulewatch import RuleWatch
from logmedic.runtime.storewatch import Trouble
from logmedic.runtime.tidying import keep_small
from logmedic.runtime.unstored import unstored
from logmedic.runtime.versionwatch import VersionWatch
from logmedic.runtime.watchman import Watchman, count_overflows, count_reports
from logmedic.settings import Settings
from logmedic.settings.sources import SourceSettings, usual_sources
from logmedic.watchers import keep_watch, make_heartbeat, make_pushing, make_store_watch, room_of
from logmedic.works import Edges, Works, make_works

log = structlog.get_logger("logmedic.app")

DRAIN_S = 20.0
"""How long a stop waits for fixes and messages under way (F31); the unit's TimeoutStopSec is longer."""
ONCE_WAIT_S = 600.0
"""How long `--once` waits for the fixes that it started."""


@dataclass(frozen=True, slots=True)
class Run:
    """What one run of the daemon is asked to do. `sources`: paths, or `-` for standard input; empty means those of the
    settings. `report` gets the status of a `once` run before it ends."""

    settings: Settings
    once: bool = False
    sources: tuple[str, ...] = ()
    report: Callable[[dict[str, Any]], None] | None = None


@dataclass(slots=True)
class Signals:
    """`stop` asks to drain, a second signal forces, `reload` asks for a reload."""

    stop: asyncio.Event = field(default_factory=asyncio.Event)

    def install(self, reload: Callable[[], None]) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop)
        loop.add_signal_handler(signal.SIGHUP, reload)

    def _stop(self) -> None:
        if self.stop.is_set():
            os._exit(1)  # forced: fixes die with their parent, what is committed is safe (F30)
        self.stop.set()


def run_daemon(run: Run) -> int:
    """Run until a signal (or, with `once`, until everything is read and done). Answers the exit code. Raises
    LogmedicError for what keeps it from starting."""
    without_threads()
    return asyncio.run(_serve(run))


async def _serve(run: Run) -> int:
    async with AsyncExitStack() as stack:
        return await _build_and_serve(run, stack)


async def _build_and_serve(run: Run, stack: AsyncExitStack) -> int:
    settings, clock = run.settings, SystemClock()
    notifier = SystemdNotifier(settings.notify_socket)
    signals = Signals()

    store, zone, receivers = DuckStore(settings.storage.path), local_zone(), settings.receivers()
    stack.push_async_callback(store.close)
    sender = AppriseSender(
        python=sys.executable, environment=settings.surroundings, templates=str(settings.alerts.templates or "")
    )
    store_watch = make_store_watch(
        settings,
        trouble=lambda: opening.trouble or (Trouble(engine.commit_problem) if engine.commit_problem else None),
        tell=lambda given: engine.settled(given),
        sender=sender,
        receivers=receivers,
        zone=zone,
        clock=clock,
    )
    opening = Opening(
        store=store,
        path=settings.storage.path,
        look=store_watch.look,
        door=lambda: shut_door(settings, lambda: (opening.told, opening.hint)),
        notifier=notifier,
        clock=clock,
    )
    if not run.once:
        signals.install(reload=lambda: None)
    state = await (store.open() if run.once else opening.opened(signals.stop))
    if state is None:
        notifier.stopping()
        log.info("stopped")
        return 0
    starting = asyncio.create_task(alive_while_starting(notifier))
    stack.callback(starting.cancel)
    for notice in store.notices:
        log.error("store_salvaged", notice=notice)
    retention = settings.storage.retention()
    step = step_of((*retention.keep.values(), retention.archive_keep))
    keeper = DuckKeeper(store, retention, Aging(store.path, steady, step))

    runner, prober = make_healing(settings, clock)
    stack.push_async_callback(runner.close)
    shelf = Shelf(settings.storage.path.parent / "cache", program_stamp())
    loader = make_rule_loader(settings, memory=Memory(shelf))
    doors = make_doors(settings) if not run.once else None
    key = doors.key if doors is not None else None
    policy = settings.policy(hostname=socket.gethostname(), started_at=clock.now(), zone=zone, link_key=key)
    diagnosing = make_diagnosing(
        settings,
        clock=clock,
        tell=lambda diagnosis, dropped: engine.submit(Diagnosed(diagnosis, dropped)),
        spent=spent_on(state.diagnoses.values(), clock.now()),
    )
    edges = Edges(
        store=store,
        loader=loader,
        matchers=make_matcher(zone, settings.framings(), shelf),
        runner=runner,
        prober=prober,
        sender=sender,
        receivers=lambda: receivers,
        notifier=notifier,
        clock=clock,
        mint=Uuid7,
        steady=steady,
        diagnose=diagnosing.ask if diagnosing is not None else lambda _: None,
        zone=zone,
        framings=settings.framings(),
    )
    works = await make_works(edges, state, policy, arm=not run.once or policy.mode is not Mode.OBSERVE)
    stack.push_async_callback(works.stop)
    gc.collect()
    gc.freeze()  # with thousands of rules, each full collection would stop everything for half a second
    stack.callback(gc.unfreeze)  # or cycles among them are still there at the exit, and DuckDB's binding tells of leaks
    engine, live, supervisor, reloader, feed = works.engine, works.live, works.supervisor, works.reloader, works.feed
    signals.install(reloader.request)

    pauses = PauseWatch(settings.actions.pause_file, engine.submit)
    works.begin(await pauses.first_look())
    supervisor.keep("pause file", pauses.run)
    versions = VersionWatch(settings.version_files(), engine.submit)
    await versions.first_look()
    supervisor.keep("versions", versions.run)

    unusable: dict[str, str] = {}
    made = await stack.enter_async_context(inputs(clock, once=run.once))
    reporting: Reporting | None = None
    if not run.once:
        heard = make_reporting(
            settings,
            made,
            state=state,
            policy=lambda: live.current.policy,
            host=policy.hostname,
            clock=clock,
        )
        if heard is not None:
            works.also_noted.append(heard.noted)
        reporting = heard

    intake = works.intake
    reading: Reading[SourceSettings] = Reading(
        make=lambda name, spec: intake(made.of_settings(name, spec)), supervisor=supervisor
    )
    if run.sources:
        tasks = [reading.begin(intake(made.of_argument(name))) for name in run.sources]
    else:
        usual = usual_sources()
        tasks = await reading.follow(settings.followed(live.current.ruleset.sources, usual))
        reloader.then = lambda ruleset: _after_reload(reading.follow(settings.followed(ruleset.sources, usual)), engine)
    heartbeat = make_heartbeat(settings, pulse=works.pulse, engine=engine, supervisor=supervisor, clock=clock)
    loop_meter = LoopMeter()
    slow = SlowFacts(store=store, room=lambda: room_of(settings.storage.path), clock=clock)
    gauges = Gauges(
        engine=engine,
        sums=works.sums,
        live=live,
        supervisor=supervisor,
        reloader=reloader,
        intakes=lambda: reading.intakes,
        totals=works.totals,
        pulse=works.pulse,
        heartbeat=heartbeat,
        loop=loop_meter,
        slow=slow,
        receivers=lambda: receivers,
        unusable=unusable,
        exports=lambda: pushing.results if pushing is not None else None,
        reports=lambda: reporting.counts() if reporting is not None else None,
        store_limit=settings.storage.max_size,
        clock=clock,
    )
    pushing = make_pushing(settings, host=policy.hostname, families=gauges.families, clock=clock)
    feed.standing = lambda: unstored(
        engine=engine,
        live=live,
        reloader=reloader,
        supervisor=supervisor,
        more=lambda: {Topic.ALERTS: tuple(unusable), Topic.STATUS: (*store.notices, *keeper.notices)},
    )
    control = DaemonControl(
        engine=engine,
        feed=feed,
        store=store,
        keeper=keeper,
        live=live,
        reloader=reloader,
        supervisor=supervisor,
        runner=runner,
        sender=sender,
        receivers=lambda: receivers,
        unusable=unusable,
        intakes=lambda: reading.intakes,
        clock=clock,
        facts=lambda: {
            "pid": os.getpid(),
            "receivers": unusable,
            "diagnosing": diagnosing.row() if diagnosing is not None else None,
            "heartbeat": heartbeat.row() if heartbeat is not None else None,
            "dashboard": doors.row() if doors is not None else None,
            "otlp": pushing.row() if pushing is not None else None,
            "reports": reporting.row() if reporting is not None else None,
            "store": {
                "path": str(settings.storage.path),
                "notices": [*store.notices, *keeper.notices],
                "problem": engine.commit_problem,
            },
        },
        figures=gauges.families,
    )
    if doors is None:
        return await _once(run, works, tasks, signals, control, clock)

    _watch_rule_files(settings, made.discovery, reloader)
    watchman = Watchman(watched=list(_to_be_heard(settings, reading.intakes)), engine=engine, clock=clock)
    supervisor.keep("quiet sources", watchman.run)
    if reporting is not None:
        stack.callback(reporting.answering.close)
        reading.begin(intake(reporting.source))
        supervisor.keep("reports counted", lambda: count_reports(reporting.counts, engine))
    supervisor.keep("event overflows", lambda: count_overflows(lambda: made.wake.overflows, engine))
    if diagnosing is not None:
        supervisor.keep("diagnosing", diagnosing.run)
    foresight = Foresight(
        store=store, issues=lambda: state.issues, tell=engine.submit, clock=clock, python=sys.executable
    )
    supervisor.keep("issue sweep", lambda: sweep_issues(engine.submit, lambda: keeper.old_by(clock.now())))
    supervisor.keep("precursors", foresight.run)
    supervisor.keep("rule memory", lambda: asyncio.to_thread(loader.save))
    supervisor.keep("rule watch", RuleWatch(lambda: live.current, engine.settled).run)
    keep_watch(
        settings,
        supervisor=supervisor,
        engine=engine,
        live=live,
        store=store,
        keeper=keeper,
        sender=sender,
        receivers=receivers,
        unusable=unusable,
        heartbeat=heartbeat,
        store_watch=store_watch,
        clock=clock,
    )
    supervisor.keep("live events", feed.run)
    supervisor.keep("loop lag", loop_meter.run)
    supervisor.keep("slow figures", slow.run)
    if pushing is not None:
        supervisor.keep("otlp", pushing.run)
    supervisor.keep("reload", reloader.run)
    doors.open(control, supervisor, engine=engine, store=store, policy=lambda: live.current.policy, clock=clock)
    supervisor.keep("retention", lambda: keep_small(keeper, clock))
    starting.cancel()
    return await _until_stopped(run, works, signals, notifier)


async def _after_reload(following: Awaitable[object], engine: Engine) -> None:
    """What rule files bring along is read, and what was held for the rules' sake is looked at again."""
    await following
    await engine.submit(Reloaded())


def _to_be_heard(settings: Settings, intakes: Sequence[Intake]) -> Iterator[tuple[Intake, timedelta]]:
    for intake in intakes:
        spec = settings.sources.get(intake.name)
        if spec is not None and spec.quiet_after is not None:
            yield intake, spec.quiet_after


async def _until_stopped(run: Run, works: Works, signals: Signals, notifier: SystemdNotifier) -> int:
    supervisor = works.supervisor
    notifier.ready()
    log.info("started", pid=os.getpid(), socket=str(run.settings.web.socket))
    stopped = asyncio.create_task(signals.stop.wait())
    await asyncio.wait((stopped, supervisor.fatal), return_when=asyncio.FIRST_COMPLETED)
    notifier.stopping()
    if supervisor.fatal.done():
        stopped.cancel()
        log.error("stopped_by_failure", error=supervisor.fatal.result().text)
        return 1
    log.info("stopping")
    await works.drain(DRAIN_S)
    log.info("stopped")
    return 0


async def _once(
    run: Run,
    works: Works,
    intakes: Sequence[asyncio.Task[None]],
    signals: Signals,
    control: DaemonControl,
    clock: Clock,
) -> int:
    """Read everything, then wait for what that set off."""
    engine, supervisor = works.engine, works.supervisor
    stopped = asyncio.create_task(signals.stop.wait())
    everything = asyncio.create_task(_read_and_done(engine, works.dispatcher, intakes, clock))
    await asyncio.wait((stopped, everything, supervisor.fatal), return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    if supervisor.fatal.done():
        everything.cancel()
        log.error("stopped_by_failure", error=supervisor.fatal.result().text)
        return 1
    if not everything.done():
        everything.cancel()
        engine.begin_nothing()
    await engine.settled()
    if run.report is not None:
        run.report(await control.status())
    return 0


async def _read_and_done(
    engine: Engine, dispatcher: Dispatcher, intakes: Sequence[asyncio.Task[None]], clock: Clock
) -> None:
    """Then the fixes, and then the messages: what they tell is what came of the fixes."""
    await asyncio.gather(*intakes)
    await engine.settled()
    async with asyncio.timeout(ONCE_WAIT_S):
        await _while(lambda: dispatcher.busy or _under_way(engine), engine)
        await engine.settled(TellNow())
        await _while(lambda: dispatcher.busy or _under_way(engine) or is_telling(engine.state, clock.now()), engine)


async def _while(working: Callable[[], bool], engine: Engine) -> None:
    while working():
        await asyncio.sleep(0.05)
        await engine.settled()


def _under_way(engine: Engine) -> bool:
    idle = (IncidentStatus.OPEN, IncidentStatus.FAILED)
    return any(each.status not in idle for each in engine.state.incidents.values())


def _watch_rule_files(settings: Settings, discovery: WatchdogDiscovery, reloader: Reloader) -> None:
    """Whatever changes there wakes the reload."""
    for path in settings.rule_paths():
        discovery.watch(str(watched(path)), reloader.request, contents=True)
