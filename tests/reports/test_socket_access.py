"""Who may use a socket of ours: a group that the file belongs to, or one that its access list names."""

from __future__ import annotations

import grp
import os
import socket
import subprocess
from pathlib import Path

import pytest

from logmedic.unixsocket.accesslist import group_let_in, let_in
from logmedic.unixsocket.listening import listen

CONNECT = "import socket, sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1])"
GROUP, OTHER = 54321, 54322


@pytest.fixture
def path(tmp_path: Path) -> Path:
    for each in (tmp_path, *tmp_path.parents):
        if not os.stat(each).st_mode & 0o001 and os.geteuid() == 0:
            each.chmod(0o755)
    return tmp_path / "a.sock"


def connects(path: Path, group: int) -> bool:
    ran = subprocess.run(
        ["/usr/bin/python3", "-I", "-c", CONNECT, str(path)],
        user=54320,
        group=group,
        extra_groups=[],
        capture_output=True,
        check=False,
    )
    return ran.returncode == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_the_group_that_is_let_in_can_connect_and_no_other_can(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        assert let_in(path, GROUP)
        path.chmod(0o660)
        assert group_let_in(path) == GROUP
        assert (connects(path, GROUP), connects(path, OTHER), connects(path, os.getegid())) == (True, False, False)
    assert path.stat().st_mode & 0o777 == 0o660


def test_a_file_of_its_own_group_has_no_list(path: Path) -> None:
    path.touch()
    assert group_let_in(path) is None


def test_where_there_are_no_such_lists_it_says_so() -> None:
    assert not let_in(Path("/proc/self/status"), GROUP)


def test_a_group_that_owns_the_file_already_is_given_nothing(path: Path) -> None:
    """Inside the unit no owner can be changed, also not to whom it is."""
    listener = listen(path, 0o660, group=grp.getgrgid(os.getegid()).gr_name, setting="web.socket")
    assert (listener.grouped, group_let_in(path)) == (True, None)
    listener.close()
