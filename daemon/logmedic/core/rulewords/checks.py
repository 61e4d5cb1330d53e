"""Checks in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from logmedic.core.durations import duration_text
from logmedic.core.sizes import size_text
from logmedic.model.probe import (
    AllOf,
    AnyOf,
    CommandProbe,
    DiskProbe,
    FileProbe,
    HttpProbe,
    Not,
    Probe,
    TcpProbe,
    UnitProbe,
)


def check_lines(probes: Sequence[Probe], indent: str = "", *, once: bool = False) -> Iterator[str]:
    """A line each, what belongs to one another set in. `once`: they are not tried for a while."""
    for probe in probes:
        match probe:
            case AllOf(inner):
                yield from _group("all of", inner, indent, once)
            case AnyOf(inner):
                yield from _group("one of", inner, indent, once)
            case Not(inner):
                yield from _turned(inner, indent)
            case _:
                yield f"{indent}{_one(probe)}" + ("" if once else f" inside {duration_text(probe.within)}")


def _turned(probe: Probe, indent: str) -> Iterator[str]:
    match probe:
        case AllOf(inner):
            yield from _group("not all of", inner, indent, True)
        case AnyOf(inner):
            yield from _group("none of", inner, indent, True)
        case Not():
            yield from _group("not", (probe,), indent, True)
        case _:
            yield f"{indent}not: {_one(probe)}"


def _group(heading: str, probes: Sequence[Probe], indent: str, once: bool) -> Iterator[str]:
    yield f"{indent}{heading}"
    yield from check_lines(probes, indent + "  ", once=once)


def _one(probe: HttpProbe | TcpProbe | CommandProbe | UnitProbe | FileProbe | DiskProbe) -> str:
    match probe:
        case HttpProbe():
            holds = f" with `{probe.contains}`" if probe.contains else ""
            return f"GET {probe.url} answers {probe.status}{holds}"
        case TcpProbe():
            return f"{probe.address} takes a connection"
        case CommandProbe():
            return f"{' '.join(probe.run)} exits 0"
        case UnitProbe():
            since = f" for {duration_text(probe.up_for)}" if probe.up_for else ""
            return f"{probe.unit} is {probe.state}{since}"
        case FileProbe():
            return _file(probe)
        case DiskProbe():
            return f"{' and '.join(_free(probe))} free where {probe.path} is"


def _file(probe: FileProbe) -> str:
    if not probe.exists:
        return f"{probe.path} is not there"
    changed = f", changed in the last {duration_text(probe.newer_than)}" if probe.newer_than is not None else ""
    small = f", at most {size_text(probe.max_bytes)}" if probe.max_bytes is not None else ""
    return f"{probe.path} is there{changed}{small}"


def _free(probe: DiskProbe) -> Iterator[str]:
    if probe.percent:
        yield f"{probe.percent:g}% of the room"
    if probe.free_bytes:
        yield f"{size_text(probe.free_bytes)}"
    if probe.inodes_percent:
        yield f"{probe.inodes_percent:g}% of the inodes"
