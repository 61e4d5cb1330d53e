"""What was found out of rule files that are as they were: a reload looks only at what changed, a start at nothing."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

from logmedic.adapters.rulefiles.shelf import Shelf
from logmedic.model.rule import LogFiles, Rule

_KEY = "rules-known"


def digest_of(content: bytes) -> str:
    return sha256(content).hexdigest()


@dataclass(frozen=True, slots=True)
class Known:
    """Of a file with this digest: nothing is wrong with it, its rules have passed their tests."""

    digest: str
    rules: tuple[Rule, ...]
    sources: tuple[LogFiles, ...]


class Memory:
    """By path. `shelf`: where it outlives the process; its stamp has to change with whatever decides what comes of a
    file. Without one it lasts as long as this object."""

    def __init__(self, shelf: Shelf | None = None) -> None:
        self._shelf = shelf
        self._known: dict[str, Known] = {}
        self._packed: dict[str, tuple[str, bytes]] | None = None if shelf is not None else {}
        """Digest and content as they lie on the shelf: a file at a time, for none takes long to pack."""
        self._is_saved = True

    def of(self, path: str, digest: str) -> Known | None:
        known = self._known.get(path)
        if known is None and (packed := self._shelved().get(path)) is not None and packed[0] == digest:
            known = self._known[path] = pickle.loads(packed[1])  # noqa: S301 - see above
        return known if known is not None and known.digest == digest else None

    def keep(self, known: Mapping[str, Known]) -> None:
        """These and no others from now on. What is known already stays the very same object."""
        before = self._known
        self._known = {
            path: was if (was := before.get(path)) is not None and was.digest == each.digest else each
            for path, each in known.items()
        }
        self._is_saved = self._is_saved and {path: each.digest for path, each in self._known.items()} == {
            path: digest for path, (digest, _) in self._shelved().items()
        }

    def save(self) -> None:
        """For the next start."""
        if self._shelf is None or self._is_saved:
            return
        before, self._is_saved = self._shelved(), True
        self._packed = {
            path: was
            if (was := before.get(path)) is not None and was[0] == each.digest
            else (each.digest, pickle.dumps(each, pickle.HIGHEST_PROTOCOL))
            for path, each in list(self._known.items())
        }
        self._shelf.put(_KEY, pickle.dumps(self._packed, pickle.HIGHEST_PROTOCOL))

    def _shelved(self) -> dict[str, tuple[str, bytes]]:
        if self._packed is None:
            content = self._shelf.get(_KEY) if self._shelf is not None else None
            self._packed = pickle.loads(content) if content is not None else {}  # noqa: S301 - see above
        return self._packed
