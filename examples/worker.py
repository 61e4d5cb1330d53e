"""A worker that takes jobs from a queue, here one JSON object a line.

Try it: echo '{"id": "j1", "article": "7"}' | python examples/worker.py

A job that fails waits for the daemon's fix and runs once more; what still fails is put aside, and the next job's turn
comes."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable

import requestlog
from stock import pieces

from logmedic.client import requestid, self_healing

log = requestlog.configure()


@self_healing("packer", action="pack", wait=20.0, repeat=True)
def pack(article: str) -> None:
    log.info("packed one of %d", pieces(article))


def work(queue: Iterable[str]) -> list[str]:
    """The ids of the jobs that were put aside."""
    aside = []
    for line in queue:
        job = json.loads(line)
        with requestid.bound(requestid.accepted(job["id"])):
            try:
                pack(job["article"])
            except OSError:
                log.exception("job %s is put aside", job["id"])
                aside.append(job["id"])
    return aside


if __name__ == "__main__":
    sys.exit(1 if work(sys.stdin) else 0)
