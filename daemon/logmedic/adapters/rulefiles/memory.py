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
        self._known: dict[str, Known] | None = None

    def of(self, path: str, digest: str) -> Known | None:
        known = self._all().get(path)
        return known if known is not None and known.digest == digest else None

    def keep(self, known: Mapping[str, Known]) -> None:
        """These and no others from now on. What is known already stays the very same object."""
        before = self._all()
        self._known = {
            path: was if (was := before.get(path)) is not None and was.digest == each.digest else each
            for path, each in known.items()
        }
        digests = {path: each.digest for path, each in before.items()}
        if self._shelf is not None and digests != {path: each.digest for path, each in known.items()}:
            self._shelf.put(_KEY, pickle.dumps(self._known, pickle.HIGHEST_PROTOCOL))

    def _all(self) -> dict[str, Known]:
        if self._known is None:
            content = self._shelf.get(_KEY) if self._shelf is not None else None
            self._known = pickle.loads(content) if content is not None else {}  # noqa: S301 - see above
        return self._known
