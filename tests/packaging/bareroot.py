"""A Debian with Python and without systemd, to change the root into; and the packages that are tried in it."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
KEPT = ROOT / ".systemd/bare"
NEWER, NEWER_FORM = "99.0.0", 99
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
SPARE = {"etc/group", "etc/group-", "etc/gshadow", "etc/gshadow-", "etc/passwd", "etc/passwd-", "etc/shadow",
         "etc/shadow-", "run/adduser", "var/lib/dpkg", "var/log", "var/cache"}  # fmt: skip
"""What every package changes: the accounts, which stay on purpose, and the records of dpkg and apt."""


def needed(program: str) -> str:
    """Missing in CI is a failure: a skip there would be believed."""
    found = shutil.which(program)
    if found is None:
        assert not os.environ.get("CI"), f"{program} is missing: bash scripts/system-packages deb"
        pytest.skip(f"{program} is not installed")
    return found


@dataclass(frozen=True, slots=True)
class Packages:
    """`present`: of this version. `newer`: the same with another version, and a store of another form."""

    present: Path
    newer: Path


def build_deb(out: Path, *options: str) -> Path:
    needed("dpkg-shlibdeps")
    words = [ROOT / ".venv/bin/python", ROOT / "scripts/build-deb", "--out", out, *options]
    ran = subprocess.run(words, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return Path(ran.stdout.strip())


@dataclass(frozen=True, slots=True)
class Bare:
    """`root`: its directory here. What is put into /root is there for it to install."""

    root: Path

    def ran(self, *words: str, text: str = "") -> subprocess.CompletedProcess[str]:
        command = ["chroot", str(self.root), "env", "-i", *(f"{key}={value}" for key, value in ENVIRONMENT.items())]
        return subprocess.run([*command, *words], input=text, capture_output=True, text=True, check=False)

    def run(self, *words: str, text: str = "") -> str:
        """What it prints, and what it complains about."""
        ran = self.ran(*words, text=text)
        assert ran.returncode == 0, f"{words}: {ran.stdout}{ran.stderr}"
        return ran.stdout + ran.stderr

    def as_daemon(self, *words: str, text: str = "") -> str:
        """By its user, where the unit would run it."""
        rooms = ("STATE_DIRECTORY=/var/lib/logmedic", "RUNTIME_DIRECTORY=/run")
        return self.run("runuser", "-u", "logmedic", "--", "env", *rooms, *words, text=text)

    def files(self) -> dict[str, str]:
        """Kind, mode, owner and content of all that is there but SPARE, by path."""
        found = {}
        for room, directories, names in os.walk(self.root):
            for name in [*directories, *names]:
                at = Path(room) / name
                path = str(at.relative_to(self.root))
                if not any(path == each or path.startswith(f"{each}/") for each in SPARE):
                    found[path] = _told(at, path)
        return found


def _told(at: Path, path: str) -> str:
    """Of the program and the system, which are large, the time stands for the content."""
    status = at.lstat()
    content = ""
    if at.is_symlink():
        content = os.readlink(at)
    elif at.is_file() and path.startswith(("usr/", "opt/")):
        content = f"{status.st_size} {status.st_mtime_ns}"
    elif at.is_file():
        content = hashlib.sha256(at.read_bytes()).hexdigest()
    return f"{status.st_mode:o} {status.st_uid}:{status.st_gid} {content}"


@contextmanager
def bare_system(room: Path, *, over: Sequence[Path] = ()) -> Iterator[Bare]:
    """A layer of its own in `room`, over those of others (the uppermost first) and the kept system. What was changed is
    in `room`/changed afterwards. Where layers cannot be had, a copy of all."""
    lower = [*over, _kept()]
    made = [room / name for name in ("changed", "work", "root")]
    for each in made:
        each.mkdir(parents=True)
    layers = f"lowerdir={':'.join(map(str, lower))},upperdir={made[0]},workdir={made[1]}"
    bare = Bare(made[2])
    words = ["mount", "-t", "overlay", "overlay", "-o", layers, bare.root]
    has_layers = subprocess.run(words, capture_output=True, check=False).returncode == 0
    if not has_layers:
        for each in reversed(lower):
            subprocess.run(["cp", "-a", "--reflink=auto", f"{each}/.", bare.root], check=True)
    try:
        yield bare
    finally:
        if has_layers:
            subprocess.run(["umount", bare.root], check=True)
        else:
            made[0].rmdir()
            bare.root.rename(made[0])


def _kept() -> Path:
    if os.geteuid() != 0:
        pytest.skip("only root can change its root")
    _make_kept()
    return KEPT


def _make_kept() -> None:
    """Kept from one day to the next. Without a network there is none."""
    if (KEPT / ".made").exists():
        return
    shutil.rmtree(KEPT, ignore_errors=True)
    KEPT.parent.mkdir(exist_ok=True)
    words: Sequence[str | Path] = (needed("mmdebstrap"), "--quiet", "--variant=minbase", "--components=main",
        "--include=python3,adduser", "bookworm", KEPT)  # fmt: skip
    ran = subprocess.run(words, capture_output=True, text=True, check=False)
    if ran.returncode != 0:
        assert not os.environ.get("CI"), ran.stderr
        pytest.skip(f"no Debian can be made here: {ran.stderr[-300:]}")
    (KEPT / "etc/apt/apt.conf.d/99tests").write_text('APT::Get::Assume-Yes "1";\nAPT::Install-Recommends "0";\n')
    (KEPT / "etc/dpkg/dpkg.cfg.d/tests").write_text("force-unsafe-io\n")  # no disk is waited for
    (KEPT / ".made").touch()
