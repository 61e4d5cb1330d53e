"""`python -m supply TASK`: see `TASKS`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

from supply import audit, licences, sametwice, sbom

TASKS: dict[str, Callable[[Sequence[str]], int]] = {
    "audit": audit.main,
    "licences": licences.main,
    "same-twice": sametwice.main,
    "sbom": sbom.main,
}


def main() -> int:
    task, arguments = (sys.argv[1:2] or [""])[0], sys.argv[2:]
    if task not in TASKS:
        print(f"usage: python -m supply {'|'.join(TASKS)}", file=sys.stderr)
        return 2
    return TASKS[task](arguments)


if __name__ == "__main__":
    sys.exit(main())
