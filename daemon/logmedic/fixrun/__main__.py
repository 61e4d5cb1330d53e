"""`python -I -S __main__.py PARENT`: a job (JSON) on stdin, its result (JSON) on stdout."""

from __future__ import annotations

import json
import sys

sys.path.insert(0, __file__.rpartition("/logmedic/fixrun/")[0])  # nothing else leads there: -I -S

from logmedic.fixrun.step import follow_parent, run


def main() -> None:
    follow_parent(int(sys.argv[1]))
    json.dump(run(json.load(sys.stdin)), sys.stdout)


if __name__ == "__main__":
    main()
