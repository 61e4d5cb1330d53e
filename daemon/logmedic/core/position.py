"""Hashes that tell whether a file is still the one that a checkpoint speaks of."""

from __future__ import annotations

import hashlib

from logmedic.model.record import Checkpoint

TAIL_BYTES = 64
"""How many bytes before an offset are hashed (F04): enough to hold a timestamp, cheap to read at every start."""

HEAD_BYTES = 256
"""How many of a file's first bytes are hashed (F05): log files differ in their first line's time."""


def content_hash(content: bytes) -> str:
    """16 hex digits; empty for no bytes."""
    return hashlib.blake2b(content, digest_size=8).hexdigest() if content else ""


def tail_hash(before: bytes) -> str:
    """Of the last TAIL_BYTES of `before`, the bytes up to an offset; empty (not checked) when there are fewer."""
    return content_hash(before[-TAIL_BYTES:]) if len(before) >= TAIL_BYTES else ""


def same_content(mark: Checkpoint, head: bytes, before: bytes) -> bool:
    """Whether a file that begins with `head` and has `before` up to the mark's offset is the one that was read."""
    if content_hash(head[: mark.fingerprint_len]) != mark.fingerprint:
        return False
    return not mark.tail_hash or tail_hash(before) == mark.tail_hash
