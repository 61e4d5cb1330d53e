"""Which version wrote a line, and which of two is newer. Versions are names that operators choose."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta

from logmedic.core.draft import Draft
from logmedic.core.fields import fields_of
from logmedic.model.learned import Release
from logmedic.model.record import Record
from logmedic.model.state import RELEASES_KEPT

MAX_LENGTH = 80
"""Characters of a version's name; what is longer is cut."""
FLOOD = timedelta(days=1)
"""In which a source has no 200 versions."""
_NUMBERED = re.compile(r"v?(\d{1,9}(?:\.\d{1,9}){1,5})(?:[-+~].*)?", re.ASCII)


def version_of(draft: Draft, record: Record) -> str:
    """That which wrote the record, and remembers it; empty where nobody tells. By its field where the operator names
    one, else the version that the source's file named when the record was written."""
    if not draft.policy.learning.version_fields and not draft.state.releases:
        return ""  # as on nearly every host: this is asked at every match
    name = draft.policy.learning.version_fields.get(record.source, "")
    if name:
        said = record.fields.get(name) or fields_of(record.text).get(name, "")
        version = said.strip()[:MAX_LENGTH]
        if version:
            seen(draft, record.source, version, record.at)
            return version
    return at_time(draft.releases(record.source), record.at)


def seen(draft: Draft, source: str, version: str, at: datetime) -> None:
    """Remember that a line of `version` was written at `at`."""
    before = _known(draft, source, version)
    if before is None and _is_flooded(draft, source, at):
        draft.tally("versions_refused")
    elif before is None or at < before.first_seen:
        draft.put_release(Release(source, version, at, before.since if before is not None else None))


def _is_flooded(draft: Draft, source: str, at: datetime) -> bool:
    """A field that is no version, but says something else in every line, must not fill the store (I6)."""
    known = draft.releases(source)
    return len(known) >= RELEASES_KEPT and at - min(each.first_seen for each in known) < FLOOD


def deployed(draft: Draft, source: str, version: str) -> None:
    """The file that names the version of `source` says `version` from now on; after a rollback one that is known."""
    version = version[:MAX_LENGTH]
    before = _known(draft, source, version)
    if version and at_time(draft.releases(source), draft.now) != version:
        draft.put_release(Release(source, version, before.first_seen if before is not None else draft.now, draft.now))


def _known(draft: Draft, source: str, version: str) -> Release | None:
    return next((each for each in draft.releases(source) if each.version == version), None)


def at_time(releases: Sequence[Release], at: datetime) -> str:
    """The version that was deployed last by `at`; empty when none was."""
    by_then = [(each.since, each.version) for each in releases if each.since is not None and each.since <= at]
    return max(by_then)[1] if by_then else ""


def is_newer(version: str, than: str, releases: Sequence[Release]) -> bool:
    """By their numbers where both have some (1.10 is newer than 1.9), else by when each was first seen. An empty name
    is older than any, and nothing is newer than itself."""
    if version == than or not version:
        return False
    ours, theirs = _NUMBERED.fullmatch(version), _NUMBERED.fullmatch(than)
    if ours is not None and theirs is not None and ours[1] != theirs[1]:
        return _numbers(ours[1]) > _numbers(theirs[1])
    first = {each.version: each.first_seen for each in releases}
    if version in first and than in first:
        return first[version] > first[than]
    return not than or than not in first


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(".")))
