"""Tells people without the outbox: when nothing can be stored, and when no daemon runs."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime

from logmedic.core import compose, letters, plaintext
from logmedic.core.draft import Mint
from logmedic.model.alert import Alert, AlertPlan, Delivery, Receiver, Route
from logmedic.model.message import MessageKind, Story
from logmedic.ports import Clock, Sender

TOTAL_S = 60.0
"""For all receivers, and those that take the place of others."""


class Direct:
    """Sends to the receivers of the default route at once; what does not arrive is not tried again. Digests, quiet
    hours and silences do not count: what is told this way is that nobody watches."""

    def __init__(
        self,
        *,
        sender: Sender,
        receivers: Mapping[str, Receiver],
        plan: AlertPlan,
        host: str,
        mint: Mint,
        clock: Clock,
        total_s: float = TOTAL_S,
    ) -> None:
        self._sender = sender
        self._receivers = receivers
        self._plan = plan
        self._host = host
        self._mint = mint
        self._clock = clock
        self._total_s = total_s

    async def tell(self, story: Story) -> dict[str, Delivery]:
        """By receiver, in the order in which they were tried: those of the route together, then, for each that it did
        not reach, the next of the route's fallbacks. Who is not reached in time is not delivered to."""
        outcomes: dict[str, Delivery] = {}
        try:
            async with asyncio.timeout(self._total_s):
                await self._tell_in_time(story, outcomes)
        except TimeoutError:
            pass
        return outcomes

    async def _tell_in_time(self, story: Story, outcomes: dict[str, Delivery]) -> None:
        route = self._route()
        await self._send_all(route.to, story, outcomes)
        for name in route.fallback:
            reached = sum(each.delivered for each in outcomes.values())
            if reached >= len(route.to):
                return
            if name not in outcomes:
                await self._send_all((name,), story, outcomes)

    def _route(self) -> Route:
        """The default one; where the config has none, all receivers."""
        named = self._plan.routes.get(self._plan.default_route)
        return named or Route("", tuple(self._receivers))

    async def _send_all(self, names: Sequence[str], story: Story, outcomes: dict[str, Delivery]) -> None:
        late = Delivery(False, f"not reached within {self._total_s:g} s")
        outcomes.update((name, late) for name in names)

        async def send(name: str) -> None:
            receiver = self._receivers.get(name)
            if receiver is None:
                outcomes[name] = Delivery(False, "there is no such receiver, or its URL cannot be read", permanent=True)
            else:
                outcomes[name] = await self._sender.send(self._alert(name, story), receiver)

        async with asyncio.TaskGroup() as sends:
            for name in names:
                sends.create_task(send(name))

    def _alert(self, receiver: str, story: Story) -> Alert:
        now: datetime = self._clock.now()
        message = compose.write(
            alert_id=self._mint(),
            kind=MessageKind.NEWS,
            host=self._host,
            stories=(story,),
            thread="",
            subject=compose.subject_of(self._host, story),
            receiver=self._plan.receiver(receiver),
            now=now,
        )
        return Alert(
            id=message.id,
            incident_id="",
            event=story.event,
            severity=story.severity,
            route=self._plan.default_route,
            receiver=receiver,
            title=message.title,
            body=plaintext.text_of(message),
            created_at=now,
            next_at=now,
            content=letters.pack(message),
            tells=(story.subject,),
        )
