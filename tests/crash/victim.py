"""The real daemon, with a store that kills it at a chosen moment: `python victim.py CONFIG MOMENT N [messages]`.

MOMENT is before (the commit), between (commit and acting) or after (acting); N counts commits that change something
besides positions, or, with `messages`, those that change what people are told.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import logmedic.app
from logmedic.adapters.store.duck import DuckStore
from logmedic.model.changeset import Changeset
from logmedic.settings import load_settings

MOMENT, N = sys.argv[2], int(sys.argv[3])
OF_MESSAGES = "messages" in sys.argv[4:]


class MortalStore(DuckStore):
    """Dies by SIGKILL, as a power cut would have it."""

    done = 0

    async def commit(self, changeset: Changeset) -> None:
        work = (changeset.issues, changeset.incidents, changeset.templates, changeset.attempts)
        eventful = any((changeset.notices, changeset.groups, changeset.alerts) if OF_MESSAGES else work)
        type(self).done += eventful
        due = eventful and self.done == N
        if due and MOMENT == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        await super().commit(changeset)
        if due and MOMENT == "between":
            os.kill(os.getpid(), signal.SIGKILL)
        if self.done == N + 1 and MOMENT == "after":  # what N caused is under way by now
            os.kill(os.getpid(), signal.SIGKILL)


logmedic.app.DuckStore = MortalStore  # type: ignore[misc]
sys.exit(logmedic.app.run_daemon(logmedic.app.Run(load_settings(Path(sys.argv[1]), {}))))
