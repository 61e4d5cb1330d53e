"""`logmedic`, and `python -m logmedic`."""

from __future__ import annotations

import sys


def main() -> None:
    from logmedic.cli.root import main as run

    sys.exit(run())


if __name__ == "__main__":
    main()
