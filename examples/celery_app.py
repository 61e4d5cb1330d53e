"""Celery, with a sender and a worker in one process: python celery_app.py ARTICLE"""

from __future__ import annotations

import sys

import requestlog
from celery import Celery
from celery.contrib.testing.worker import start_worker
from stock import pieces

from logmedic.client import requestid
from logmedic.client.celery import healing_task

log = requestlog.configure()
app = Celery("packer", broker="memory://", backend="cache+memory://", task_cls=healing_task(wait=20.0))
app.conf.worker_hijack_root_logger = False


@app.task(name="pack", repeat_after_fix=True)
def pack(article: str) -> int:
    left = pieces(article)
    log.info("packed one of %d", left)
    return left


if __name__ == "__main__":
    with start_worker(app, perform_ping_check=False, loglevel="INFO"), requestid.bound("order-17"):
        log.info("packed: %s", pack.delay(sys.argv[1]).get(timeout=60))
