"""The package as it is built: what is in it, whose it is, and that nothing tells of where it was built."""

from __future__ import annotations

import gzip
import hashlib
import importlib.util
import os
import re
import shutil
import struct
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from bareroot import NEWER, NEWER_FORM, ROOT, Packages, build_deb, needed

from logmedic import __version__
from logmedic.adapters.store.migrations import NEWEST

pytestmark = pytest.mark.slow
HEADER = struct.Struct("<4sIII")
"""Of bytecode: magic, flags, and of the source the time and the size."""


def field(package: Path, name: str) -> str:
    return subprocess.run(["dpkg-deb", "-f", package, name], capture_output=True, text=True, check=True).stdout.strip()


def members(package: Path) -> list[tarfile.TarInfo]:
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", package], stdout=subprocess.PIPE) as told:
        assert told.stdout is not None
        with tarfile.open(fileobj=told.stdout, mode="r|") as archive:
            return list(archive)


def test_it_is_for_the_python_that_its_modules_were_compiled_for(packages: Packages) -> None:
    told = subprocess.run(["/usr/bin/python3", "--version"], capture_output=True, text=True, check=True).stdout
    major, minor = told.split()[1].split(".")[:2]
    wanted = f"python3 (>= {major}.{minor}), python3 (<< {major}.{int(minor) + 1})"
    assert field(packages.present, "Depends").startswith(wanted)


def test_it_names_the_libraries_of_the_system_that_its_modules_link_to(packages: Packages) -> None:
    assert {"libc6", "libstdc++6"} <= set(re.findall(r"lib\S+", field(packages.present, "Depends")))


def test_version_and_form_of_the_store_are_the_programs(packages: Packages) -> None:
    assert field(packages.present, "Version") == __version__
    assert field(packages.present, "Logmedic-Store-Form") == str(NEWEST)


def test_another_version_can_be_built_to_try_an_upgrade(packages: Packages) -> None:
    assert field(packages.newer, "Version") == NEWER
    assert field(packages.newer, "Logmedic-Store-Form") == str(NEWER_FORM)


def test_all_of_it_is_roots_and_nobody_else_can_write(packages: Packages) -> None:
    wrong = [
        each.name
        for each in members(packages.present)
        if (each.uid, each.gid) != (0, 0) or (each.mode & 0o7022 and not each.issym())
    ]
    assert wrong == []


def test_the_interpreter_is_the_systems(tree: Path) -> None:
    assert os.readlink(tree / "opt/logmedic/bin/python") == "/usr/bin/python3"
    assert os.readlink(tree / "usr/bin/logmedic") == "/opt/logmedic/bin/logmedic"
    assert sorted(at.name for at in (tree / "opt/logmedic/bin").glob("[!p]*")) == ["logmedic"]


def test_units_accounts_and_directories_are_those_of_the_checkout(tree: Path) -> None:
    packaged = {at.name: at.read_text() for at in (tree / "usr/lib/systemd/system").iterdir()}
    kinds = {".service", ".socket", ".path", ".timer", ".target", ".mount", ".slice"}
    shipped = {at.name: at.read_text() for at in (ROOT / "systemd").iterdir() if at.suffix in kinds}
    assert packaged == shipped
    for kind in ("sysusers", "tmpfiles"):
        text = (ROOT / f"systemd/logmedic.{kind}.conf").read_text()
        assert (tree / f"usr/lib/{kind}.d/logmedic.conf").read_text() == text


def test_what_people_edit_is_kept_by_dpkg(tree: Path) -> None:
    conffiles = (tree / "DEBIAN/conffiles").read_text().split()
    assert "/etc/logmedic/logmedic.yaml" in conffiles
    assert sorted(conffiles) == sorted(f"/{at.relative_to(tree)}" for at in (tree / "etc").rglob("*") if at.is_file())
    assert list((tree / "etc/logmedic/rules.d").iterdir()) == []


def test_every_module_has_bytecode_that_is_valid(tree: Path) -> None:
    """Otherwise each start would compile anew, as the daemon cannot write there. What is no Python of this version
    (templates of code, tests of parsers) has none."""
    stale = []
    for source in (tree / "opt/logmedic/lib").rglob("*.py"):
        compiled = Path(importlib.util.cache_from_source(str(source)))
        if not compiled.exists():
            stale.append(f"{source}: none")
            continue
        magic, flags, time, size = HEADER.unpack(compiled.read_bytes()[: HEADER.size])
        status = source.stat()
        if (magic, flags, time, size) != (importlib.util.MAGIC_NUMBER, 0, int(status.st_mtime), status.st_size):
            stale.append(str(source))
    assert stale == []


def test_nothing_in_it_names_the_place_where_it_was_built(tree: Path) -> None:
    here = str(ROOT).encode()
    files = (at for at in tree.rglob("*") if at.is_file() and not at.is_symlink())
    assert [str(at.relative_to(tree)) for at in files if here in at.read_bytes()] == []


def test_what_only_builds_is_not_in_it(tree: Path) -> None:
    names = {at.name.split("-")[0] for at in (tree / "opt/logmedic/lib").rglob("*.dist-info")}
    assert names.isdisjoint({"hatchling", "editables", "pytest", "uv"})
    assert {"logmedic", "duckdb", "httpx", "opentelemetry_proto", "aiosmtpd"} <= names


def test_what_a_distribution_says_it_installed_is_there(tree: Path) -> None:
    (room,) = (tree / "opt/logmedic/lib").glob("python3.*/site-packages")
    listed = [line.split(",")[0] for at in room.glob("*.dist-info/RECORD") for line in at.read_text().splitlines()]
    assert [name for name in listed if '"' not in name and not (room / name).exists()] == []


def test_every_command_has_its_man_page(tree: Path) -> None:
    pages = {at.name: gzip.decompress(at.read_bytes()).decode() for at in (tree / "usr/share/man/man1").iterdir()}
    assert pages == {f"{at.name}.gz": at.read_text() for at in (ROOT / "man").glob("*.1")}


@pytest.mark.parametrize(
    "path",
    [
        "bash-completion/completions/logmedic",
        "zsh/vendor-completions/_logmedic",
        "fish/vendor_completions.d/logmedic.fish",
    ],
    ids=["bash", "zsh", "fish"],
)
def test_a_shell_finds_what_it_completes_with(tree: Path, path: str) -> None:
    assert "_LOGMEDIC_COMPLETE" in (tree / "usr/share" / path).read_text()


def test_the_changelog_is_read_by_debians_tools(tree: Path, tmp_path: Path) -> None:
    path = tmp_path / "changelog"
    path.write_bytes(gzip.decompress((tree / "usr/share/doc/logmedic/changelog.gz").read_bytes()))
    words = [needed("dpkg-parsechangelog"), "-l", path, "-S"]
    told = [
        subprocess.run([*words, name], capture_output=True, text=True, check=True) for name in ("Version", "Source")
    ]
    assert [each.stdout.strip() for each in told] == [__version__, "logmedic"]
    assert [each.stderr for each in told] == ["", ""]


def test_its_licence_is_in_it(tree: Path) -> None:
    text = (tree / "usr/share/doc/logmedic/copyright").read_text()
    assert "Permission is hereby granted" in text
    assert "@" not in text


def test_two_builds_have_the_same_bytes(packages: Packages, tmp_path: Path) -> None:
    """Of the same sources: whoever edits the checkout meanwhile is named by the files that differ."""
    again = build_deb(tmp_path, "--fast")
    assert [*_contents(again)] == [*_contents(packages.present)]
    assert again.read_bytes() == packages.present.read_bytes()


def _contents(package: Path) -> Iterator[str]:
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", package], stdout=subprocess.PIPE) as told:
        assert told.stdout is not None
        with tarfile.open(fileobj=told.stdout, mode="r|") as archive:
            for each in archive:
                file = archive.extractfile(each) if each.isfile() else None
                content = hashlib.sha256(file.read() if file else each.linkname.encode()).hexdigest()
                yield f"{each.name} {each.mode:o} {each.mtime} {content}"


def test_lintian_finds_no_error(tree: Path, tmp_path: Path) -> None:
    """In what is ours: the libraries are as their authors published them. Packed in a way that it can read."""
    ours, package = tmp_path / "ours", tmp_path / "logmedic.deb"
    shutil.copytree(tree, ours, symlinks=True, ignore=_libraries)
    sums = ours / "DEBIAN/md5sums"
    kept = [
        line for line in sums.read_text().splitlines(keepends=True) if (ours / line.split(maxsplit=1)[1][:-1]).exists()
    ]
    sums.write_text("".join(kept))
    packing = ["dpkg-deb", "--root-owner-group", "-Zxz", "-z0", "--build", ours, package]
    subprocess.run(packing, check=True, capture_output=True)
    words = [needed("lintian"), "--allow-root", "--fail-on", "none", "--tag-display-limit", "0", package]
    told = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    assert [line for line in told.splitlines() if line.startswith("E:")] == []


def _libraries(room: str, names: list[str]) -> list[str]:
    return [name for name in names if not name.startswith("logmedic")] if room.endswith("/site-packages") else []
