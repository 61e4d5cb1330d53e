"""What can go wrong in a way that somebody has to hear of.

LogmedicError                text says what failed and where; hint says what to type next
|-- TransientError           the same call may succeed later
|   |-- StoreBusy
|   `-- StoreFull
`-- PermanentError           the same call fails again until somebody changes something
    |-- ConfigInvalid        exit 3
    |-- RulesInvalid         exit 3
    |-- StoreLocked          exit 7
    |-- StoreTooNew          exit 1
    |-- DaemonUnreachable    exit 4
    |-- NotFound             exit 5
    |-- QueryRefused         exit 1
    |   `-- BadCursor
    |-- OrderRefused         exit 1
    `-- SandboxUnavailable   never ends the daemon: fixes are disarmed
"""

from __future__ import annotations


class LogmedicError(Exception):
    """`text` for people; `hint` is the next command or edit, or empty."""

    def __init__(self, text: str, hint: str = "") -> None:
        super().__init__(text)
        self.text = text
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.text}\n  hint: {self.hint}" if self.hint else self.text


class TransientError(LogmedicError):
    """The same call may succeed later."""


class StoreBusy(TransientError):
    """The store could not take the changeset now."""


class StoreFull(TransientError):
    """No space, the state directory is read-only, or its disk fails or is too slow to be read."""


class PermanentError(LogmedicError):
    """The same call fails again until somebody changes something."""


class ConfigInvalid(PermanentError):
    """The main configuration does not load."""


class RulesInvalid(PermanentError):
    """At least one rule file does not load."""


class StoreLocked(PermanentError):
    """Another process holds the store."""


class StoreTooNew(PermanentError):
    """The store was written by a newer logmedic."""


class DaemonUnreachable(PermanentError):
    """Nothing answers on the control socket."""


class NotFound(PermanentError):
    """No object of that name."""


class QueryRefused(PermanentError):
    """SQL of somebody's that is not answered: wrong, not allowed, or more than a query may cost."""


class BadCursor(QueryRefused):
    """What is to say where a page begins does not: of another question, or made up."""


class OrderRefused(PermanentError):
    """What somebody asks for cannot be done as things are."""


class SandboxUnavailable(PermanentError):
    """No tier of the sandbox holds on this host."""
