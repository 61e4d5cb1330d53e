"""`python -I -S act.py KIND JSON [--dry]`: one built-in step, inside the sandbox, as the user of its step. JSON: the
fields of its action (model/step.py), durations in seconds. Exit 0: done, or nothing was to be done. 1: an error. 3: the
goal could not be reached; the last line says why. `--dry`: nothing is changed, and the output says what would be.
Standard library only."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

sys.path.insert(0, __file__.rpartition("/logmedic/fixrun/")[0])  # nothing else leads there: -I -S

from logmedic.fixrun.acts.words import Unreached

ERROR, UNREACHED = 1, 3


def act(kind: str, asked: Mapping[str, Any], *, dry: bool) -> None:
    """Raises Unreached, OSError; KeyError for what is no act. Imported late: each act is a start of its own."""
    now = time.time()
    match kind:
        case "free":
            from logmedic.fixrun.acts.free import free

            free(asked, dry=dry, now=now)
        case "empty":
            from logmedic.fixrun.acts.empty import empty

            empty(asked, dry=dry, now=now)
        case "rotate":
            from logmedic.fixrun.acts.rotate import rotate

            rotate(asked, dry=dry)
        case "kill":
            from logmedic.fixrun.acts.kill import kill

            kill(asked, dry=dry)
        case "renew":
            from logmedic.fixrun.acts.certificate import renew

            renew(asked, dry=dry, now=now)
        case _:
            raise KeyError(kind)


def main(arguments: Sequence[str]) -> int:
    sys.stdout.reconfigure(errors="backslashreplace", line_buffering=True)  # type: ignore[union-attr]
    kind, told, *options = arguments
    try:
        act(kind, json.loads(told), dry=options == ["--dry"])
    except Unreached as reason:
        print(reason)
        return UNREACHED
    except OSError as error:
        print(f"{error.filename or kind}: {error.strerror}")
        return ERROR
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
