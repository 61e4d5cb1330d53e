"""The service manager as far as jobs of units go: systemd's interfaces on a real bus, its order of checks, its errors.
Jobs end by themselves in the next turn of the loop, or, when a unit is held, by `end`."""

# Annotations are D-Bus types here: they have to be values.
import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Annotated

from dbus_fast import DBusError, Message, MessageType, PropertyAccess
from dbus_fast.aio import MessageBus
from dbus_fast.annotations import DBusBool, DBusObjectPath, DBusSignature, DBusStr, DBusUInt64
from dbus_fast.service import ServiceInterface, dbus_method, dbus_property, dbus_signal

NAME = "org.freedesktop.systemd1"
OBJECT = "/org/freedesktop/systemd1"
MODES = ("replace", "fail", "isolate", "ignore-dependencies", "triggering")
DENIED = "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired"
Names = Annotated[list[str], DBusSignature("as")]
READ = PropertyAccess.READ


@dataclass
class FakeUnit:
    """`allowed`: verbs that polkit lets through. `outcome`: the result of its jobs, after which it is `then`. `hold`:
    the state in which its jobs stay until they are ended (waiting, running); `dies`: asked for one, the manager goes
    away without an answer."""

    name: str
    load: str = "loaded"
    active: str = "active"
    sub: str = "running"
    result: str = "success"
    status: str = ""
    kind: str = "simple"
    entered_us: int = 0
    entered_monotonic_us: int = 0
    allowed: tuple[str, ...] = ("start", "restart", "reload")
    reloads: bool = True
    outcome: str = "done"
    then: tuple[str, str] = ("active", "running")
    hold: str = ""
    consists_of: list[str] = field(default_factory=list)
    required_by: list[str] = field(default_factory=list)


class _Unit(ServiceInterface):
    def __init__(self, unit: FakeUnit) -> None:
        super().__init__("org.freedesktop.systemd1.Unit")
        self.unit = unit

    @dbus_property(READ, "Id")
    def own_name(self) -> DBusStr:
        return self.unit.name

    @dbus_property(READ, "LoadState")
    def load(self) -> DBusStr:
        return self.unit.load

    @dbus_property(READ, "ActiveState")
    def active(self) -> DBusStr:
        return self.unit.active

    @dbus_property(READ, "SubState")
    def sub(self) -> DBusStr:
        return self.unit.sub

    @dbus_property(READ, "CanReload")
    def reloads(self) -> DBusBool:
        return self.unit.reloads

    @dbus_property(READ, "ActiveEnterTimestamp")
    def entered(self) -> DBusUInt64:
        return self.unit.entered_us

    @dbus_property(READ, "ActiveEnterTimestampMonotonic")
    def entered_monotonic(self) -> DBusUInt64:
        return self.unit.entered_monotonic_us

    @dbus_property(READ, "ConsistsOf")
    def consists_of(self) -> Names:
        return self.unit.consists_of

    @dbus_property(READ, "RequiredBy")
    def required_by(self) -> Names:
        return self.unit.required_by


class _Service(ServiceInterface):
    def __init__(self, unit: FakeUnit) -> None:
        super().__init__("org.freedesktop.systemd1.Service")
        self.unit = unit

    @dbus_property(READ, "Result")
    def result(self) -> DBusStr:
        return self.unit.result

    @dbus_property(READ, "Type")
    def kind(self) -> DBusStr:
        return self.unit.kind

    @dbus_property(READ, "StatusText")
    def status(self) -> DBusStr:
        return self.unit.status


class _Job(ServiceInterface):
    def __init__(self, manager: "_Manager", number: int, unit: FakeUnit, verb: str) -> None:
        super().__init__("org.freedesktop.systemd1.Job")
        self.manager, self.number, self.unit, self.verb = manager, number, unit, verb
        self.state = unit.hold or "running"
        self.path = f"{OBJECT}/job/{number}"

    @dbus_property(READ, "State")
    def job_state(self) -> DBusStr:
        return self.state

    @dbus_method("Cancel")
    def cancel(self) -> None:
        asyncio.get_running_loop().call_soon(self.manager.end, self, "canceled")


class _Manager(ServiceInterface):
    def __init__(self, fake: "FakeServiceManager") -> None:
        super().__init__("org.freedesktop.systemd1.Manager")
        self.fake = fake

    @dbus_method("Subscribe")
    def subscribe(self) -> None:
        self.fake.subscribed += 1

    @dbus_method("LoadUnit")
    def load_unit(self, name: DBusStr) -> DBusObjectPath:
        self.fake.looked_up.set()
        return self.fake.path_of(self.fake.unit(name))

    @dbus_method("StartUnit")
    def start(self, name: DBusStr, mode: DBusStr) -> DBusObjectPath:
        return self.job("start", name, mode)

    @dbus_method("RestartUnit")
    def restart(self, name: DBusStr, mode: DBusStr) -> DBusObjectPath:
        return self.job("restart", name, mode)

    @dbus_method("ReloadUnit")
    def reload(self, name: DBusStr, mode: DBusStr) -> DBusObjectPath:
        return self.job("reload", name, mode)

    @dbus_signal("JobRemoved")
    def job_removed(
        self, number: int, path: str, unit: str, result: str
    ) -> Annotated[tuple[int, str, str, str], DBusSignature("uoss")]:
        return (number, path, unit, result)

    def job(self, verb: str, name: str, mode: str) -> str:
        """systemd's order: the mode, polkit, what a mode is for, then the unit."""
        if mode not in MODES:
            raise DBusError("org.freedesktop.DBus.Error.InvalidArgs", f"Job mode {mode} invalid")
        unit = self.fake.unit(name)
        if verb not in unit.allowed:
            raise DBusError(DENIED, "Interactive authentication required.")
        if verb == "reload" and not unit.reloads:
            raise DBusError(f"{NAME}.JobTypeNotApplicable", f"Job type reload is not applicable for unit {name}.")
        if mode == "triggering":
            raise DBusError("org.freedesktop.DBus.Error.InvalidArgs", "--job-mode=triggering is only valid for stop.")
        if unit.load == "not-found":
            raise DBusError(f"{NAME}.NoSuchUnit", f"Unit {name} not found.")
        if unit.load == "masked":
            raise DBusError(f"{NAME}.UnitMasked", f"Unit {name} is masked.")
        if unit.hold == "dies":
            self.fake.bus.disconnect()
            return OBJECT
        job = _Job(self, len(self.fake.jobs) + 1, unit, verb)
        self.fake.jobs.append(job)
        self.fake.bus.export(job.path, job)
        self.fake.asked.set()
        if not unit.hold:
            asyncio.get_running_loop().call_soon(self.end, job, unit.outcome)
        return job.path

    def end(self, job: _Job, result: str) -> None:
        if result != "canceled":
            job.unit.active, job.unit.sub = job.unit.then
        self.fake.bus.unexport(job.path)
        self.fake.ended.append((job.verb, job.unit.name, result))
        self.job_removed(job.number, job.path, job.unit.name, result)


class FakeServiceManager:
    """`asked` is set when there is a job, `looked_up` when somebody asked for a unit. `ended`: verb, unit, result of
    the jobs that are over."""

    def __init__(self, bus: MessageBus, *units: FakeUnit) -> None:
        self.bus = bus
        self.units = {unit.name: unit for unit in units}
        self.aliases: dict[str, str] = {}
        self.jobs: list[_Job] = []
        self.ended: list[tuple[str, str, str]] = []
        self.subscribed = 0
        self.looked_up = asyncio.Event()
        self.asked = asyncio.Event()
        self._manager = _Manager(self)
        self._shown: set[str] = set()

    def unit(self, name: str) -> FakeUnit:
        own = self.aliases.get(name, name)
        if own not in self.units:
            self.units[own] = FakeUnit(own, load="not-found", active="inactive", sub="dead")
        return self.units[own]

    def path_of(self, unit: FakeUnit) -> str:
        path = f"{OBJECT}/unit/" + "".join(c if c.isalnum() else f"_{ord(c):02x}" for c in unit.name)
        if path not in self._shown:
            self._shown.add(path)
            self.bus.export(path, _Unit(unit))
            self.bus.export(path, _Service(unit))
        return path

    def end(self, result: str = "done") -> None:
        """Of the last job."""
        self._manager.end(self.jobs[-1], result)

    async def serve(self) -> None:
        self.bus.export(OBJECT, self._manager)
        await self.bus.request_name(NAME)


@asynccontextmanager
async def service_manager(address: str, *units: FakeUnit) -> AsyncIterator[FakeServiceManager]:
    bus = await MessageBus(bus_address=address).connect()
    try:
        fake = FakeServiceManager(bus, *units)
        await fake.serve()
        yield fake
    finally:
        await _close(bus)


async def _close(bus: MessageBus) -> None:
    bus.disconnect()
    with suppress(EOFError, OSError):  # it may have gone first
        await bus.wait_for_disconnect()


async def spoof(address: str, path: str, result: str) -> None:
    """What any user of the host can do: tell everybody on the bus that a job is over."""
    bus = await MessageBus(bus_address=address).connect()
    names = await bus.call(
        Message("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "ListNames")
    )
    assert names is not None
    for name in names.body[0]:
        if name.startswith(":"):
            await bus.send(
                Message(
                    name,
                    OBJECT,
                    "org.freedesktop.systemd1.Manager",
                    "JobRemoved",
                    MessageType.SIGNAL,
                    signature="uoss",
                    body=[1, path, "app.service", result],
                )
            )
    await _close(bus)
