"""A Wake and a Discovery that a test rings itself."""

from __future__ import annotations

from collections.abc import Callable

from logmedic.adapters.sources.wake import Bell


class ManualWake:
    """Knows who follows what, as the real one does; rings only when told to."""

    def __init__(self, problem: str = "") -> None:
        self.problem = problem
        self.followed: dict[str, set[Bell]] = {}
        self.renewals = 0

    def watch(self, path: str, bell: Bell) -> None:
        self.followed.setdefault(path, set()).add(bell)

    def forget(self, path: str, bell: Bell) -> None:
        self.followed.get(path, set()).discard(bell)
        if not self.followed.get(path):
            self.followed.pop(path, None)

    def renew(self) -> None:
        self.renewals += 1

    def write(self, path: str) -> None:
        for bell in self.followed.get(str(path), ()):
            bell.written(str(path))

    def change(self, path: str) -> None:
        for bell in self.followed.get(str(path), ()):
            bell.changed(str(path))

    def overflow(self) -> None:
        for bell in {bell for bells in self.followed.values() for bell in bells}:
            bell.everything()


class ManualDiscovery:
    """Calls back when told to."""

    def __init__(self, problem: str = "") -> None:
        self.problem = problem
        self.watched: dict[str, list[Callable[[], None]]] = {}

    def watch(self, directory: str, callback: Callable[[], None], *, contents: bool = False) -> None:
        callbacks = self.watched.setdefault(directory, [])
        if callback not in callbacks:
            callbacks.append(callback)

    def forget(self, directory: str, callback: Callable[[], None]) -> None:
        if callback in self.watched.get(directory, []):
            self.watched[directory].remove(callback)

    def renew(self) -> None:
        return

    def change(self, directory: str) -> None:
        for callback in tuple(self.watched.get(str(directory), ())):
            callback()
