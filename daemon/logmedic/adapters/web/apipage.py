"""The table of endpoints in docs/api.md, made of the endpoints."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from logmedic.adapters.web.endpoint import Endpoint
from logmedic.adapters.web.endpoints import RESOURCES

BEGIN, END = "<!-- endpoints: made by `make schema` -->", "<!-- /endpoints -->"


def table() -> str:
    return "\n".join(_lines())


def with_table(page: str) -> str:
    """Raises ValueError for a page without the marks."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"no {BEGIN} and {END}")
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


def _lines() -> Iterator[str]:
    yield "| endpoint | what it answers or does | parameters, or keys of the body (needed ones in bold) |"
    yield "|---|---|---|"
    for name, endpoints in RESOURCES.items():
        yield f"| **{name}** | | |"
        yield from map(_row, endpoints)


def _row(endpoint: Endpoint) -> str:
    acts = " (act)" if endpoint.acts else ""
    about = f". {endpoint.about}" if endpoint.about else ""
    fields = (*endpoint.query, *(endpoint.body or ()))
    names = ", ".join(f"**`{each.name}`**" if each.needed else f"`{each.name}`" for each in fields)
    return f"| `{endpoint.method} {endpoint.path}`{acts} | {endpoint.summary}{about} | {names} |"


if __name__ == "__main__":
    for path in map(Path, sys.argv[1:]):
        path.write_text(with_table(path.read_text(encoding="utf-8")), encoding="utf-8")
