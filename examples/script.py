"""A script for cron: python script.py ARTICLE...

It tries twice, asks the daemon, and goes on after its fix; what it does not expect is reported before it ends."""

from __future__ import annotations

import sys

import requestlog
from stock import pieces

from logmedic.client import install_hooks, requestid, retry, self_healing

log = requestlog.configure()


@self_healing("stocktaking", action="count", wait=20.0, repeat=True)
@retry(on=OSError, attempts=2, base=0.1)
def count(article: str) -> int:
    return pieces(article)


if __name__ == "__main__":
    install_hooks(component="stocktaking")
    with requestid.bound(requestid.new()):
        for article in sys.argv[1:]:
            log.info("%s: %d pieces", article, count(article))
