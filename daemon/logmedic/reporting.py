"""Makes what hears applications: the source of their reports, and the desk that tells them what becomes of these."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from logmedic.adapters.sources.reports.source import ReportSource
from logmedic.inputs import Inputs
from logmedic.model.changeset import Changeset
from logmedic.model.policy import Policy
from logmedic.model.report import ReportCounts
from logmedic.model.state import EngineState
from logmedic.ports import Clock
from logmedic.runtime.answering import Answering
from logmedic.runtime.reportrow import report_row
from logmedic.settings import Settings


@dataclass(frozen=True, slots=True)
class Reporting:
    """`socket`: where `source` listens."""

    source: ReportSource
    answering: Answering
    socket: str

    def noted(self, changeset: Changeset) -> None:
        """What was committed. Where reports belong is known before they are said to be stored: what is stored and
        belongs nowhere is unknown."""
        self.answering.noted(changeset)
        self.source.noted(changeset)

    def counts(self) -> ReportCounts:
        return self.source.counts()

    def row(self) -> dict[str, Any]:
        """For `status`."""
        return report_row(self.socket, self.counts(), self.source.health()[0]["problem"])


def make_reporting(
    settings: Settings,
    made: Inputs,
    *,
    state: EngineState,
    policy: Callable[[], Policy],
    host: str,
    clock: Clock,
) -> Reporting | None:
    """None: the settings want no such socket. The caller closes `answering`."""
    if not settings.reports.enabled:
        return None
    answering = Answering(state=state, policy=policy, clock=clock)
    source = made.of_reports(settings.reports, settings.report_socket, answers=answering, host=host)
    return Reporting(source, answering, str(settings.report_socket))
