"""What `with` has to remember of each of its bodies, where many threads and tasks enter one object."""

from __future__ import annotations

from contextvars import ContextVar
from types import FrameType

STACKS = "contextlib"
"""ExitStack and AsyncExitStack enter and leave from frames of their own."""


class Entered:
    """A note for each body that has been entered and not left.

    It belongs to the frame that the `with` stands in: that is the same one at both ends, also of a coroutine or a
    generator that is thrown away and ends in somebody else's task. For an ExitStack it belongs to the context."""

    def __init__(self) -> None:
        self._of_frames: dict[int, list[int]] = {}
        self._of_context: ContextVar[tuple[int, ...]] = ContextVar("logmedic_entered", default=())

    def enter(self, frame: FrameType, note: int) -> None:
        if frame.f_globals.get("__name__") == STACKS:
            self._of_context.set((*self._of_context.get(), note))
        else:
            self._of_frames.setdefault(id(frame), []).append(note)

    def leave(self, frame: FrameType) -> int | None:
        """The note of the innermost body that is left; None where nobody knows (entered by hand, elsewhere)."""
        notes = self._of_frames.get(id(frame))
        if notes:
            note = notes.pop()
            if not notes:
                del self._of_frames[id(frame)]
            return note
        held = self._of_context.get()
        if not held:
            return None
        self._of_context.set(held[:-1])
        return held[-1]
