"""A Sender that delivers nowhere."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence

from logmedic.model.alert import Alert, Delivery, Receiver
from logmedic.ports import Rendered


class RecordingSender:
    """Answers each receiver's deliveries in the order of `script`; the last one stands for all that follow, and a
    receiver without a script accepts everything. `sent`: every attempt, in order."""

    def __init__(self, script: Mapping[str, Sequence[Delivery]] | None = None) -> None:
        self._script = {name: deque(deliveries) for name, deliveries in (script or {}).items()}
        self.sent: list[tuple[Alert, Receiver]] = []

    async def send(self, alert: Alert, receiver: Receiver) -> Delivery:
        self.sent.append((alert, receiver))
        deliveries = self._script.get(receiver.name)
        if not deliveries:
            return Delivery(True)
        return deliveries.popleft() if len(deliveries) > 1 else deliveries[0]

    async def render(self, alert: Alert, receiver: Receiver) -> Rendered:
        """As plain text."""
        return Rendered("text", alert.title, alert.body)

    def sent_to(self, receiver: str) -> list[Alert]:
        return [alert for alert, to in self.sent if to.name == receiver]
