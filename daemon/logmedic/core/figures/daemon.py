"""The daemon itself, its parts, and its process."""

from __future__ import annotations

from collections.abc import Iterator

from logmedic.core.figures.snapshot import DaemonFacts, PartFacts, Places, Snapshot
from logmedic.model.metric import Family, Kind, Metric, Sample
from logmedic.model.rule import Mode

BUILD = Metric("logmedic_build_info", Kind.INFO, "The version that runs.", ("version", "python", "host"))
STARTED = Metric("logmedic_start_time_seconds", Kind.GAUGE, "When the daemon started, in seconds since 1970.")
MODE = Metric("logmedic_mode", Kind.GAUGE, "1 for the mode that is the ceiling of every fix, else 0.", ("mode",))
ARMED = Metric("logmedic_armed", Kind.GAUGE, "1 when fixes can run: the sandbox held its canary. 0: DISARMED.")
PAUSED = Metric("logmedic_paused", Kind.GAUGE, "1 while the kill switch holds every fix.")
MAINTENANCE = Metric("logmedic_maintenance_windows", Kind.GAUGE, "Maintenance windows that are open.")
PART_UP = Metric("logmedic_part_up", Kind.GAUGE, "1 when this part of the daemon runs, or is done.", ("part",))
PART_RESTARTS = Metric(
    "logmedic_part_restarts_total",
    Kind.COUNTER,
    "Times that this part failed and was started again, since the daemon's start.",
    ("part",),
)
HEARTBEAT_UP = Metric(
    "logmedic_heartbeat_up", Kind.GAUGE, "1 when the last ping of alerts.heartbeat went well; absent without one."
)
HEARTBEAT_AT = Metric(
    "logmedic_heartbeat_last_success_timestamp_seconds", Kind.GAUGE, "When a ping of alerts.heartbeat last went well."
)
EXPORTS = Metric(
    "logmedic_otlp_exports_total",
    Kind.COUNTER,
    "Pushes of metrics.otlp by result (sent, failed), since the daemon's start; absent without it.",
    ("result",),
)
LOOP = Metric(
    "logmedic_loop_lag_seconds",
    Kind.HISTOGRAM,
    "How late the event loop gets to what is due, looked at twice a second, since the daemon's start.",
)
PROCESS = (
    Metric("process_cpu_seconds_total", Kind.COUNTER, "Processor time used by the daemon, without its children."),
    Metric("process_resident_memory_bytes", Kind.GAUGE, "Memory of the daemon that is in RAM."),
    Metric("process_virtual_memory_bytes", Kind.GAUGE, "Address space of the daemon; DuckDB reserves much of it."),
    Metric("process_start_time_seconds", Kind.GAUGE, "When the process began, in seconds since 1970."),
    Metric("process_open_fds", Kind.GAUGE, "Open file descriptors."),
    Metric("process_max_fds", Kind.GAUGE, "How many there may be."),
)
METRICS = (
    *(BUILD, STARTED, MODE, ARMED, PAUSED, MAINTENANCE, PART_UP, PART_RESTARTS, HEARTBEAT_UP, HEARTBEAT_AT, EXPORTS),
    *(LOOP, *PROCESS),
)


def families(now: Snapshot) -> Iterator[Family]:
    daemon = now.daemon
    at = daemon.heartbeat_at
    yield BUILD.family([Sample((daemon.version, daemon.python, daemon.host), 1)])
    yield STARTED.alone(daemon.started_at.timestamp() if daemon.started_at is not None else None)
    yield MODE.each({mode.value: float(mode is daemon.mode) for mode in Mode})
    yield ARMED.alone(float(daemon.armed))
    yield PAUSED.alone(float(daemon.paused))
    yield MAINTENANCE.alone(daemon.maintenance)
    yield from _parts(daemon, now.places)
    yield HEARTBEAT_UP.alone(float(daemon.heartbeat_up) if daemon.heartbeat_up is not None else None)
    yield HEARTBEAT_AT.alone(at.timestamp() if at is not None else None)
    yield EXPORTS.each(daemon.exports or {})
    yield LOOP.alone(daemon.loop_s.spread())
    for metric in PROCESS:
        yield metric.alone(now.process.get(metric.name))


def _parts(daemon: DaemonFacts, places: Places) -> Iterator[Family]:
    """One that shares its label with others is up when all of them are."""
    shared: dict[str, list[PartFacts]] = {}
    for name, part in daemon.parts.items():
        shared.setdefault(places.parts.of(name), []).append(part)
    yield PART_UP.each({name: float(all(part.up for part in parts)) for name, parts in shared.items()})
    yield PART_RESTARTS.each({name: sum(part.restarts for part in parts) for name, parts in shared.items()})
