"""The file: a tar.gz that its owner alone may read, and that takes the place of nothing."""

from __future__ import annotations

import gzip
import io
import os
import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path

from logmedic.model.errors import OrderRefused

MODE = 0o600


def packed(parts: Mapping[str, str], room: str, at: int) -> bytes:
    """Texts by their names, below the directory `room`; `at`: the time of all of them. Nothing in it tells whose it
    was."""
    out = io.BytesIO()
    with (
        gzip.GzipFile(filename="", mode="wb", fileobj=out, mtime=at) as zipped,
        tarfile.open(fileobj=zipped, mode="w") as tar,
    ):
        for name, text in parts.items():
            content = text.encode("utf-8", "backslashreplace")
            entry = tarfile.TarInfo(f"{room}/{name}")
            entry.size, entry.mtime, entry.mode = len(content), at, MODE
            tar.addfile(entry, io.BytesIO(content))
    return out.getvalue()


def write(path: Path, content: bytes, *, force: bool) -> None:
    """Whole, or not at all. `force`: in the place of what is there. Raises OrderRefused."""
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as new:
            try:
                os.fchmod(new.fileno(), MODE)
                new.write(content)
                new.flush()
                os.fsync(new.fileno())
                _put(Path(new.name), path, force=force)
            finally:
                Path(new.name).unlink(missing_ok=True)
    except FileExistsError:
        raise OrderRefused(f"{path} is there already", "name another file with -w, or add --force") from None
    except OSError as error:
        raise OrderRefused(f"{path} cannot be written: {error.strerror}", "name another file: -w FILE") from None


def _put(new: Path, path: Path, *, force: bool) -> None:
    if force:
        new.replace(path)
    else:
        os.link(new, path)  # which never takes the place of anything
