"""The system bus, as far as units need it: one connection a use, calls with a deadline, signals of one sender."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dbus_fast import Message
    from dbus_fast.aio import MessageBus

SYSTEM_BUS = "unix:path=/run/dbus/system_bus_socket"
BUS = "org.freedesktop.DBus"
CONNECT_S = 5.0
CALL_S = 10.0
CLOSE_S = 1.0
"""Of its own end the socket tells at once."""


class BusGone(Exception):
    """The bus cannot be reached, went away or says nothing; the text says which."""


class BusError(Exception):
    """What was asked was answered by an error: its `name`, and its text."""

    def __init__(self, name: str, text: str) -> None:
        super().__init__(text)
        self.name = name


class Wire:
    """A connection. Its calls raise BusGone, BusError. `closed` is done when the bus ended it."""

    def __init__(self, bus: MessageBus, closed: asyncio.Task[None]) -> None:
        self._bus = bus
        self.closed = closed

    async def call(
        self, destination: str, path: str, member: str, signature: str = "", *body: Any, within_s: float | None = CALL_S
    ) -> list[Any]:
        """`member` with its interface in front. `within_s` None: the caller has a deadline. Nobody is ever asked for a
        password."""
        from dbus_fast import Message, MessageType
        from dbus_fast.errors import DBusFastError

        if self.closed.done():
            raise BusGone(_lost(EOFError()))
        interface, _, name = member.rpartition(".")
        message = Message(destination, path, interface, name, signature=signature, body=list(body))
        try:
            async with asyncio.timeout(within_s):
                answer = await self._bus.call(message)
        except TimeoutError:
            raise BusGone(f"no answer from {destination} in time") from None
        except (OSError, EOFError, DBusFastError) as error:
            raise BusGone(_lost(error)) from None
        if answer is None:  # closed by the bus, without a word
            raise BusGone(_lost(EOFError()))
        if answer.message_type is MessageType.ERROR:
            raise BusError(answer.error_name or "", str(answer.body[0]) if answer.body else "")
        return list(answer.body)

    async def owner_of(self, name: str) -> str:
        return str((await self.call(BUS, "/org/freedesktop/DBus", f"{BUS}.GetNameOwner", "s", name))[0])

    async def property_of(self, destination: str, path: str, interface: str, name: str) -> Any:
        """Its bare value."""
        return (await self.call(destination, path, f"{BUS}.Properties.Get", "ss", interface, name))[0].value

    async def properties_of(self, destination: str, path: str, interface: str) -> dict[str, Any]:
        """All, by name, bare."""
        found = (await self.call(destination, path, f"{BUS}.Properties.GetAll", "s", interface))[0]
        return {name: each.value for name, each in found.items()}

    async def listen(self, sender: str, signal: str, told: Callable[[list[Any]], None]) -> None:
        """Each `signal` (with its interface in front) that the unique name `sender` gives. On the system bus anybody
        may send a signal of any name to anybody: only who sent it counts."""
        from dbus_fast import MessageType

        interface, _, member = signal.rpartition(".")

        def hear(message: Message) -> None:
            given = (message.message_type, message.sender, message.interface, message.member)
            if given == (MessageType.SIGNAL, sender, interface, member):
                told(list(message.body))

        self._bus.add_message_handler(hear)
        wanted = f"type='signal',sender='{sender}',interface='{interface}',member='{member}'"
        await self.call(BUS, "/org/freedesktop/DBus", f"{BUS}.AddMatch", "s", wanted)


@asynccontextmanager
async def connected(address: str = SYSTEM_BUS) -> AsyncIterator[Wire]:
    """Raises BusGone."""
    from dbus_fast.aio import MessageBus
    from dbus_fast.errors import AuthError

    bus = MessageBus(bus_address=address)
    try:
        async with asyncio.timeout(CONNECT_S):
            await bus.connect()
    except TimeoutError:
        raise BusGone("the system bus does not answer") from None
    except AuthError:
        raise BusGone("the system bus refuses this user") from None
    except (OSError, EOFError) as error:
        raise BusGone(f"the system bus cannot be reached: {_reason(error)}") from None
    closed = asyncio.create_task(_until_closed(bus))
    try:
        yield Wire(bus, closed)
    finally:
        bus.disconnect()
        await asyncio.wait({closed}, timeout=CLOSE_S)


async def _until_closed(bus: MessageBus) -> None:
    from dbus_fast.errors import DBusFastError

    with suppress(OSError, EOFError, DBusFastError):
        await bus.wait_for_disconnect()  # type: ignore[no-untyped-call]


def _lost(error: Exception) -> str:
    return f"the connection to the system bus broke: {_reason(error)}"


def _reason(error: Exception) -> str:
    return error.strerror if isinstance(error, OSError) and error.strerror else "it was closed"
