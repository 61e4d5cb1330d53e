"""Makes what people and programs come in by over HTTP: the control socket, the dashboard, the links of messages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import structlog

from logmedic.adapters.web.closed import closed
from logmedic.adapters.web.dashboard import DashboardServer
from logmedic.adapters.web.entrance import Entrance, make_entrance
from logmedic.adapters.web.linkkey import link_key
from logmedic.adapters.web.linkserver import LinkServer
from logmedic.adapters.web.operators import Operators
from logmedic.adapters.web.routes import make_app
from logmedic.adapters.web.server import ControlServer
from logmedic.adapters.web.tokens import Token
from logmedic.model.errors import PermanentError
from logmedic.model.policy import Policy
from logmedic.ports import Clock, Store
from logmedic.runtime.control import DaemonControl
from logmedic.runtime.engine import Engine
from logmedic.runtime.linkdesk import IncidentLinks
from logmedic.runtime.supervisor import Supervisor
from logmedic.settings import Settings

log = structlog.get_logger("logmedic.doors")


@dataclass(frozen=True, slots=True)
class Doors:
    """`key`: what links and sessions are signed with; None: there are neither. `entrance`: to the dashboard over TCP;
    None: it is on the socket alone."""

    settings: Settings
    operators: Operators
    key: bytes | None
    entrance: Entrance | None

    def row(self) -> dict[str, Any] | None:
        """Of the dashboard, for `status`."""
        return self.entrance.row() if self.entrance is not None else None

    def open(
        self,
        control: DaemonControl,
        supervisor: Supervisor,
        *,
        engine: Engine,
        store: Store,
        policy: Callable[[], Policy],
        clock: Clock,
    ) -> None:
        """All of them, kept by `supervisor`."""
        web, at = make_app(control, self.entrance), self.settings.web
        supervisor.keep("control socket", ControlServer(web, at.socket, at.group, self.operators).serve)
        if self.entrance is not None:
            supervisor.keep("dashboard", DashboardServer(web, self.entrance).serve)
        if self.key is None or not at.listen:
            return
        links = IncidentLinks(engine=engine, store=store, policy=policy, fixes=control, alerts=control, clock=clock)
        server = LinkServer(
            links, key=self.key, clock=clock, listen=at.listen, url=at.link_url, user_header=at.user_header
        )
        supervisor.keep("links", server.serve)


def make_doors(settings: Settings) -> Doors:
    """Makes the key in the directory of the store where there is none. Nothing is open yet."""
    key, operators = _key(settings), Operators(settings.web.operators)
    return Doors(settings, operators, key, _entrance(settings, key, operators))


async def shut_door(settings: Settings, why: Callable[[], tuple[str, str]]) -> None:
    """The control socket, while there is nothing to ask: everybody is told `why`, and what to type. Until cancelled."""
    operators = Operators(settings.web.operators)
    await ControlServer(closed(why), settings.web.socket, settings.web.group, operators).serve()


def _entrance(settings: Settings, key: bytes | None, operators: Operators) -> Entrance | None:
    if not settings.web.dashboard or key is None:
        return None
    tokens = [Token(name, each.scope == "act", each.sha256, each.ends) for name, each in settings.web.tokens.items()]
    return make_entrance(key, tokens, operators, listen=settings.web.dashboard, url=settings.web.dashboard_url)


def _key(settings: Settings) -> bytes | None:
    """None: messages have no links, and there is no dashboard over TCP."""
    if not settings.web.listen and not settings.web.dashboard:
        return None
    try:
        found = link_key(settings.storage.path.parent)
    except PermanentError as error:  # people are still told, with the commands beside where links would be
        log.warning("links_off", error=error.text, hint=error.hint)
        return None
    if found.notice:
        log.warning("link_key_replaced", notice=found.notice)
    return found.key
