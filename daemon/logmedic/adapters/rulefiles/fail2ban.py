"""The files of an installed fail2ban, read in its order, and the draft of a rule file that comes of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from logmedic.core.fail2ban.definition import Jail, combined, filter_of, jail_of
from logmedic.core.fail2ban.document import Draft, draft
from logmedic.core.fail2ban.ini import FilterInvalid, Sections, includes, merged, parse
from logmedic.core.fail2ban.tags import call_of
from logmedic.model.errors import NotFound

CONFIG_DIR = Path("/etc/fail2ban")
_MAX_FILES = 200
"""Of one filter, with all that it includes."""


def draft_of(call: str, jail_name: str | None, config_dir: Path = CONFIG_DIR) -> Draft:
    """`call`: `sshd`, or `sshd[mode=aggressive]`. Without a `jail_name`: the jail of the filter's name, where there is
    one. Raises NotFound, FilterInvalid."""
    name, given = call_of(call)
    sections = _filter_sections(config_dir, name)
    jail = _jail(config_dir, name, sections, jail_name)
    if jail is not None:
        used = jail.options if jail.filter == name else {}
        given = {**_log_type(jail, sections), **jail.overrides, **used, **given}
    return draft(filter_of(name, sections, given), jail)


def _log_type(jail: Jail, sections: Sections) -> dict[str, str]:
    """The journal has other heads than a file, for filters that do not say which log they are about."""
    told = "logtype" in sections.get("Definition", {})
    return {"logtype": "journal"} if jail.backend.startswith("systemd") and not told else {}


def filter_names(config_dir: Path) -> list[str]:
    return sorted(path.stem for path in (config_dir / "filter.d").glob("*.conf"))


def _filter_sections(config_dir: Path, name: str) -> Sections:
    if "/" in name:
        raise NotFound(f"`{name}` is no name of a filter", hint="give its name; --config-dir says where filter.d is")
    base = config_dir / "filter.d" / name
    found = merged(_read(base))
    if not found:
        near = ", ".join(each for each in filter_names(config_dir) if each[:3] == name[:3])
        where = f"in {config_dir / 'filter.d'} there is no filter `{name}`"
        raise NotFound(where, hint=f"did you mean {near}?" if near else "--config-dir says where filter.d is")
    return found


def _jail(config_dir: Path, name: str, sections: Sections, jail_name: str | None) -> Jail | None:
    jails = merged(_read(config_dir / "jail"))
    wanted = jail_name or name
    if wanted not in jails:
        if jail_name is None:
            return None
        raise NotFound(f"there is no jail `{jail_name}` in {config_dir}", hint="see jail.conf, jail.local, jail.d")
    known = {"fail2ban_confpath": str(config_dir), "fail2ban_version": ""}
    own = {f"known/{option}": value for option, value in _known(sections, jails, wanted).items()}
    return jail_of(wanted, jails, {**known, **own})


def _known(sections: Sections, jails: Sections, wanted: str) -> dict[str, str]:
    """The filter's own words, where the jail refers to them."""
    if not any("known/" in value for value in jails[wanted].values()):
        return {}
    return {name.removeprefix("known/"): value for name, value in combined(sections, {}).items()}


def _read(base: Path) -> Iterator[Sections]:
    """`base` without its suffix: x.conf, x.d/*.conf, x.local, x.d/*.local, each with what it includes."""
    room = base.with_name(f"{base.name}.d")
    own = [base.with_name(f"{base.name}.conf"), *sorted(room.glob("*.conf"))]
    own += [base.with_name(f"{base.name}.local"), *sorted(room.glob("*.local"))]
    budget = [_MAX_FILES]
    for path in own:
        yield from _with_includes(path, (), budget)


def _with_includes(path: Path, above: tuple[Path, ...], budget: list[int]) -> Iterator[Sections]:
    """A file that is missing is empty, as it is for fail2ban."""
    if path in above:
        return
    sections = _parsed(path, budget)
    if sections is None:
        return
    before, after = includes(sections)
    for name in before:
        yield from _included(path.parent / name, (*above, path), budget)
    yield sections
    for name in after:
        yield from _included(path.parent / name, (*above, path), budget)


def _included(path: Path, above: tuple[Path, ...], budget: list[int]) -> Iterator[Sections]:
    yield from _with_includes(path, above, budget)
    if path.suffix != ".local":
        yield from _with_includes(path.with_suffix(".local"), above, budget)


def _parsed(path: Path, budget: list[int]) -> Sections | None:
    budget[0] -= 1
    if budget[0] < 0:
        raise FilterInvalid(f"{path}: more than {_MAX_FILES} files are included")
    try:
        return parse(path.read_text(encoding="utf-8", errors="replace"), str(path))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise NotFound(f"{path}: {error.strerror}", hint="run it as root, or name a copy with --config-dir") from None
