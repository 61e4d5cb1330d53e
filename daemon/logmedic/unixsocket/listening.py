"""The file of a listening socket: there with its mode from its first moment, never in the place of something else."""

from __future__ import annotations

import grp
import os
import socket
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from logmedic.model.errors import PermanentError
from logmedic.unixsocket.accesslist import let_in

BACKLOG = 128
WAIT_S = 2.0
"""For an answer of who is there already."""


@dataclass(frozen=True, slots=True)
class Listener:
    """`grouped`: the file is of the group that was asked for, or none was; if not, it stays of its owner's."""

    socket: socket.socket
    path: Path
    inode: int
    grouped: bool

    def close(self) -> None:
        """The file goes too, unless it is another's by now."""
        self.socket.close()
        with suppress(OSError):
            if self.path.lstat().st_ino == self.inode:
                self.path.unlink()


def listen(path: Path, mode: int, *, group: str = "", setting: str) -> Listener:
    """It does not block. A socket that a killed daemon left behind is replaced. `setting`: the key of the config that
    names `path`. Raises PermanentError."""
    if _answers(path):
        raise PermanentError(f"another process answers at {path}", f"stop it first, or name another {setting}")
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        _refuse_what_is_no_socket(path)
        _make_room(path.parent)
        grouped = _bind(made, path, mode, group)
        made.setblocking(False)
        return Listener(made, path, path.lstat().st_ino, grouped)
    except OSError as error:
        made.close()
        why = error.strerror or error
        raise PermanentError(f"cannot make the socket {path}: {why}", f"set {setting} to another path") from None


def _make_room(directory: Path) -> None:
    """Others have to come through it, whatever our umask is; one that is there already is somebody's choice."""
    if not directory.is_dir():
        directory.mkdir(parents=True, exist_ok=True)
        directory.chmod(0o755)


def _bind(made: socket.socket, path: Path, mode: int, group: str) -> bool:
    """Beside its place, and then in it: at no moment is it there with another mode, and nobody connects in vain."""
    beside = path.with_name(f".{path.name}")
    beside.unlink(missing_ok=True)
    made.bind(str(beside))
    grouped = not group or _give_to(beside, group)
    beside.chmod(mode)
    made.listen(BACKLOG)
    beside.rename(path)
    return grouped


def _give_to(path: Path, group: str) -> bool:
    """The group owns the file, or has an entry of its own in the file's access list: inside logmedic.service no owner
    can be changed, and nobody but root can give a file to a group that he is not in."""
    try:
        gid = grp.getgrnam(group).gr_gid
        if path.lstat().st_gid != gid:
            os.chown(path, -1, gid)
    except KeyError:
        return False
    except PermissionError:
        return let_in(path, gid)
    return True


def _refuse_what_is_no_socket(path: Path) -> None:
    with suppress(FileNotFoundError, NotADirectoryError):
        if not stat.S_ISSOCK(path.lstat().st_mode):
            raise FileExistsError(17, "something is there that is no socket")


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(WAIT_S)
        try:
            probe.connect(str(path))
        except (FileNotFoundError, ConnectionRefusedError, NotADirectoryError):
            return False
        except OSError:
            return path.is_socket()
    return True
